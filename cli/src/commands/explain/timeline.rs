//! `explain --timeline`: the matches of a rule in the order in which they were decided, a line each.
//!
//! What was seen is written as the log is read, so a long log costs no more memory than a run over it does.

use connect::Error;
use engine::explain::{Lookout, about, shown};
use engine::state::Watched;
use serde::Serialize;

use super::{Args, human, outcome_word};
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
    let mut told = 0;
    drive.run(
        |_, _| Ok(()),
        |drive| {
            // The alerts themselves are told by `run`.
            drive.state.drain(&mut Vec::new());
            for watched in drive.state.take_seen(watch) {
                let lacks = lookout.lacks(&watched);
                if !wanted(args, &watched) {
                    continue;
                }
                told += 1;
                let step = steps.get(watched.step as usize).and_then(Option::as_deref);
                out.line(&match format {
                    Format::Human => line(&watched, step, lacks.as_deref()),
                    Format::Json => output::json(&Moment::new(&watched, step, lacks))?,
                })?;
            }
            Ok(())
        },
    )?;
    out.flush()?;
    Ok(told)
}

fn wanted(args: &Args, watched: &Watched) -> bool {
    args.key.as_ref().is_none_or(|key| watched.key.iter().any(|(_, value)| shown(value) == *key))
}

fn line(watched: &Watched, step: Option<&str>, lacks: Option<&str>) -> String {
    let key: Vec<String> =
        watched.key.iter().map(|(name, value)| format!("{name}={}", printable(&shown(value)))).collect();
    let key = if key.is_empty() { String::new() } else { format!("  [{}]", key.join(", ")) };
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
    lacks: Option<String>,
}

impl<'a> Moment<'a> {
    fn new(watched: &'a Watched, step: Option<&'a str>, lacks: Option<String>) -> Self {
        Self {
            time: time(watched.meta.stage_timestamp),
            effective: time(watched.effective),
            audit_id: &watched.meta.audit_id,
            event: about(&watched.meta),
            step,
            key: watched.key.iter().map(|(name, value)| (&**name, shown(value))).collect(),
            outcome: outcome_word(watched),
            alert: super::json::alert(watched),
            window: watched.window.as_ref().map(|window| window.count),
            lacks,
        }
    }
}
