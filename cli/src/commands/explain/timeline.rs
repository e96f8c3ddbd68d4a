//! `explain --timeline`: the matches of a rule in the order in which they were decided, a line each, and between them what no
//! match decides: windows that closed, silences that lasted, sequences that began and came to nothing.
//!
//! What was seen is written as the log is read, so a long log costs no more memory than a run over it does.

use std::sync::Arc;

use connect::Error;
use engine::explain::{Expired, Lack, Lookout, about, shown};
use engine::matches::Value;
use engine::state::{Judged, Watched};
use serde::Serialize;

use super::{Args, human, json, outcome_word, over};
use crate::drive::Drive;
use crate::human::{printable, time};
use crate::output::{self, Format};

/// Runs over the sources and tells of each match; gives how many there were.
pub(super) fn tell(args: &Args, drive: &mut Drive, rule: u32) -> Result<u64, Error> {
    let watch = drive.state.watch_all(rule);
    let Some(source) = drive.plan.rules.get(rule as usize).map(|rule| rule.source.clone()) else {
        return Ok(0);
    };
    let steps: Vec<Option<String>> = source.steps.iter().map(|step| step.name.clone()).collect();
    let Some(mut lookout) = Lookout::new(&drive.plan, rule as usize) else { return Ok(0) };
    let format = Format::or_default(args.format);
    let mut out = output::stdout()?;
    let (mut told, mut seen) = (0, 0);
    drive.run(
        |_, _| Ok(()),
        |drive| {
            // The alerts themselves are told by `run`.
            drive.state.drain(&mut Vec::new());
            let mut judged = drive.state.take_judged(watch).into_iter().peekable();
            let mut lines = Vec::new();
            for watched in drive.state.take_seen(watch) {
                while let Some(before) = judged.next_if(|of| of.after <= seen) {
                    lines.extend(wanted(args, &before.key).then_some(Line::Over(before)));
                }
                seen += 1;
                let expired = lookout.expired(watched.effective).into_iter();
                lines.extend(expired.filter(|of| wanted(args, &of.key)).map(Line::Expired));
                let lacks = lookout.lacks(&watched);
                lines.extend(wanted(args, &watched.key).then_some(Line::Match(watched, lacks)));
            }
            lines.extend(judged.filter(|over| wanted(args, &over.key)).map(Line::Over));
            told += lines.len() as u64;
            lines.iter().try_for_each(|line| out.line(&line.text(format, &steps, &lookout)?))
        },
    )?;
    for expired in over_at_end(&mut lookout, drive).iter().filter(|of| wanted(args, &of.key)) {
        told += 1;
        out.line(&super::expired(format, expired)?)?;
    }
    out.flush()?;
    Ok(told)
}

/// What of sequences began and was not completed, at the end of all input.
pub(super) fn over_at_end(lookout: &mut Lookout, drive: &Drive) -> Vec<Expired> {
    // Without any event nothing began.
    drive.state.tally().span.map(|(_, last)| lookout.ended(last)).unwrap_or_default()
}

/// A line of the timeline.
enum Line {
    /// With what it lacked.
    Match(Watched, Lack),
    Over(Judged),
    Expired(Expired),
}

impl Line {
    fn text(&self, format: Format, steps: &[Option<String>], lookout: &Lookout) -> Result<String, Error> {
        match self {
            Self::Match(watched, lacks) => {
                let step = steps.get(watched.step as usize).and_then(Option::as_deref);
                match format {
                    Format::Human => Ok(line(watched, step, lacks.words.as_deref())),
                    Format::Json => output::json(&Moment::new(watched, (step, steps), lacks)),
                }
            }
            Self::Over(judged) => over(format, judged, lookout),
            Self::Expired(expired) => super::expired(format, expired),
        }
    }
}

fn wanted(args: &Args, key: &[(Arc<str>, Value)]) -> bool {
    args.key.as_ref().is_none_or(|wanted| key.iter().any(|(_, value)| shown(value) == *wanted))
}

fn line(watched: &Watched, step: Option<&str>, lacks: Option<&str>) -> String {
    let key = human::key(&watched.key);
    let step = step.map(|step| format!("{step}: ")).unwrap_or_default();
    let lacks = lacks.map(|lacks| format!(" ({lacks})")).unwrap_or_default();
    let late = if watched.effective > watched.meta.stage_timestamp { ", late" } else { "" };
    format!(
        "{}{late}  {step}{}{key}  {}{}{}",
        time(watched.meta.stage_timestamp),
        printable(&about(&watched.meta)),
        human::outcome(watched),
        printable(&lacks),
        watched.window.as_ref().map(human::in_window).unwrap_or_default(),
    )
}

/// A match as JSON has it.
#[derive(Serialize)]
struct Moment<'a> {
    time: String,
    effective: String,
    #[serde(rename = "auditID")]
    audit_id: &'a str,
    event: String,
    step: Option<&'a str>,
    key: Vec<(&'a str, String)>,
    outcome: &'static str,
    alert: Option<String>,
    /// How many events were in the window, this one too.
    window: Option<u64>,
    /// The same: of very many the first and the last.
    events: Vec<json::Place<'a>>,
    /// Of one that could complete a sequence: how many waited at each step.
    waiting: Vec<(&'a str, usize)>,
    lacks: Option<&'a str>,
    /// Of one that waits at its step: until when at most.
    until: Option<String>,
}

impl<'a> Moment<'a> {
    fn new(
        watched: &'a Watched,
        (step, steps): (Option<&'a str>, &'a [Option<String>]),
        lacks: &'a Lack,
    ) -> Self {
        let window = watched.window.as_ref();
        let waiting = steps.iter().zip(&watched.waiting);
        Self {
            time: time(watched.meta.stage_timestamp),
            effective: time(watched.effective),
            audit_id: &watched.meta.audit_id,
            event: about(&watched.meta),
            step,
            key: watched.key.iter().map(|(name, value)| (&**name, shown(value))).collect(),
            outcome: outcome_word(&watched.outcome),
            alert: json::alert(&watched.outcome),
            window: window.map(|window| window.count),
            events: window.iter().flat_map(|window| &window.events).map(json::place).collect(),
            waiting: waiting.filter_map(|(step, n)| Some((step.as_deref()?, *n))).collect(),
            lacks: lacks.words.as_deref(),
            until: lacks.until.map(time),
        }
    }
}
