//! `explain --timeline`: the matches of a rule in the order in which they were decided, a line each, and between them what no
//! match decides: windows that closed, silences that lasted.
//!
//! What was seen is written as the log is read, so a long log costs no more memory than a run over it does.

use std::sync::Arc;

use connect::Error;
use engine::explain::{Lookout, about, shown};
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
    let mut lookout = Lookout::new(source);
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
                let lacks = lookout.lacks(&watched);
                lines.extend(wanted(args, &watched.key).then_some(Line::Match(watched, lacks)));
            }
            lines.extend(judged.filter(|over| wanted(args, &over.key)).map(Line::Over));
            told += lines.len() as u64;
            lines.iter().try_for_each(|line| out.line(&line.text(format, &steps, &lookout)?))
        },
    )?;
    out.flush()?;
    Ok(told)
}

/// A line of the timeline.
enum Line {
    /// With what it lacked.
    Match(Watched, Option<String>),
    Over(Judged),
}

impl Line {
    fn text(&self, format: Format, steps: &[Option<String>], lookout: &Lookout) -> Result<String, Error> {
        match self {
            Self::Match(watched, lacks) => {
                let step = steps.get(watched.step as usize).and_then(Option::as_deref);
                match format {
                    Format::Human => Ok(line(watched, step, lacks.as_deref())),
                    Format::Json => output::json(&Moment::new(watched, step, lacks.as_deref())),
                }
            }
            Self::Over(judged) => over(format, judged, lookout),
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
        "{}{late}  {step}{}{key}  {}{}",
        time(watched.meta.stage_timestamp),
        printable(&about(&watched.meta)),
        human::outcome(watched),
        printable(&lacks),
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
    lacks: Option<&'a str>,
}

impl<'a> Moment<'a> {
    fn new(watched: &'a Watched, step: Option<&'a str>, lacks: Option<&'a str>) -> Self {
        Self {
            time: time(watched.meta.stage_timestamp),
            effective: time(watched.effective),
            audit_id: &watched.meta.audit_id,
            event: about(&watched.meta),
            step,
            key: watched.key.iter().map(|(name, value)| (&**name, shown(value))).collect(),
            outcome: outcome_word(&watched.outcome),
            alert: json::alert(&watched.outcome),
            window: watched.window.as_ref().map(|window| window.count),
            lacks,
        }
    }
}
