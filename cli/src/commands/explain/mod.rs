//! `explain`: why a rule told of an event, or did not.
//!
//! The conditions as a tree, each part with its truth, each value that was read, and why what is unknown is so. With `--event`
//! also what became of it: an alert, a throttle, a place in a window and what else was in it then. The rule runs alone
//! over all sources, as it would in a run, with those whose alerts it hears; one that ships off is switched on.
//!
//! `--timeline` answers over time instead: a line for each match, of all keys or of one, with what became of it and what it
//! lacked to be an alert.

mod human;
mod json;
mod timeline;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use connect::Error;
use connect::feed::Feed;
use connect::sink::Sink;
use connect::{signals, source};
use dsl::ir::RuleSet;
use engine::explain::{Expired, Explained, Lack, Lookout};
use engine::frame::blocks::Block;
use engine::limits::{AUDIT_ID_CHARS_MAX, Limits};
use engine::matches::SourceInfo;
use engine::plan::{Plan, with_all_heard};
use engine::state::{Judged, Outcome, Watched};

use crate::drive::Drive;
use crate::exit::Exit;
use crate::load;
use crate::output::{self, Format};

/// Show why a rule matched an event, or did not
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs [default: the shipped rules]
    rules: Vec<PathBuf>,
    /// The rule's name
    #[arg(long, value_name = "NAME")]
    rule: String,
    /// Where events come from: -, a path or a glob; may be given again
    #[arg(long, value_name = "SOURCE", required = true)]
    from: Vec<OsString>,
    /// The auditID of the event; without it, every event that the rule listens to
    #[arg(long, value_name = "AUDIT_ID")]
    event: Option<String>,
    /// A line for each match instead, in the order of time: what became of it, and what it lacked
    #[arg(long, conflicts_with = "event")]
    timeline: bool,
    /// Of the timeline only keys with this value in a part
    #[arg(long, value_name = "VALUE", requires = "timeline")]
    key: Option<String>,
    /// [default: human on a terminal, else json]
    #[arg(long)]
    format: Option<Format>,
}

/// An `auditID` is its client's choice, and may be on any number of events: so many are explained.
const EXPLAINED_MAX: usize = 1_000;

/// What became of a match of the event that was asked for, and what it lacked.
struct Became {
    watched: Watched,
    lacks: Lack,
}

/// An event of the log, explained.
struct Found {
    source: String,
    explained: Explained,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    let sources = source::find(&args.from)?;
    let Some((_, rules)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let rules = alone(rules, &args.rule)?;
    // What a table of requests makes short work of is to be shown.
    let limits = Limits { request_table_bytes_max: 0, ..Limits::default() };
    let plan = Arc::new(Plan::new(&rules, limits));
    let number = plan.rule(&args.rule).unwrap_or_default();
    let (feed, errors) = Feed::open(&sources, plan.limits.line_bytes_max, false);
    let mut drive = Drive::new(Arc::clone(&plan), feed, (1, false), signals::watch()?);
    for error in &errors {
        drive.failed(error);
    }
    let watched = u32::try_from(number).unwrap_or(u32::MAX);
    if args.timeline {
        let told = timeline::tell(args, &mut drive, watched)?;
        return Ok(judge(args, told, !drive.failed.is_empty()));
    }
    let watch = args.event.as_deref().map(|event| drive.state.watch(watched, event));
    // What an event lacked shows in what came before it.
    let all = watch.map(|_| drive.state.watch_all(watched));
    let Some(mut lookout) = Lookout::new(&plan, number) else { return Ok(Exit::No) };
    // As matches have it.
    let wanted = args.event.as_deref().map(|id| id.chars().take(AUDIT_ID_CHARS_MAX).collect::<String>());
    let mut became: Vec<Became> = Vec::new();
    let mut expired: Vec<Expired> = Vec::new();
    let mut teller =
        Teller { out: output::stdout()?, format: Format::or_default(args.format), rule: &args.rule, told: 0 };
    let mut kept: Vec<Found> = Vec::new();
    let mut more = 0_u64;
    drive.run(
        |info, block| {
            for found in look(&plan, number, info, block, args.event.as_deref()) {
                if args.event.is_none() {
                    teller.tell(&found, &[])?;
                } else if kept.len() < EXPLAINED_MAX {
                    kept.push(found);
                } else {
                    more += 1;
                }
            }
            Ok(())
        },
        |drive| {
            let Some(all) = all else { return Ok(()) };
            let _of_other_events = drive.state.take_judged(all);
            for watched in drive.state.take_seen(all) {
                expired
                    .extend(lookout.expired(watched.effective).into_iter().filter(|of| of_any(of, &became)));
                let lacks = lookout.lacks(&watched);
                let of_it = wanted.as_deref() == Some(&*watched.meta.audit_id);
                if of_it && became.len() < EXPLAINED_MAX {
                    became.push(Became { watched, lacks });
                }
            }
            Ok(())
        },
    )?;
    for found in &kept {
        teller.tell(found, &became)?;
    }
    for judged in watch.map_or(&[][..], |watch| drive.state.judged(watch)) {
        teller.out.line(&over(teller.format, judged, &lookout)?)?;
    }
    expired.extend(timeline::over_at_end(&mut lookout, &drive).into_iter().filter(|of| of_any(of, &became)));
    for expired in &expired {
        teller.out.line(&self::expired(teller.format, expired)?)?;
    }
    teller.out.flush()?;
    if more > 0 {
        output::note(&format!("{more} more events have that auditID"));
    }
    Ok(judge(args, teller.told, !drive.failed.is_empty()))
}

/// The rule of that name switched on, and besides it only those whose alerts it hears, however far down.
fn alone(mut rules: RuleSet, name: &str) -> Result<RuleSet, Error> {
    let Some(wanted) = rules.rules.iter().position(|rule| rule.name == name) else {
        return Err(Error::usage(format!("there is no rule `{name}`; `auditd-rules rules` lists them")));
    };
    let on = with_all_heard(&rules.rules, wanted);
    for (number, rule) in rules.rules.iter_mut().enumerate() {
        rule.disabled = !on.get(number).is_some_and(|on| *on);
    }
    Ok(rules)
}

/// The events of a block that were asked for: those of the `auditID`, else those that a step listens to.
fn look<'a>(
    plan: &'a Plan,
    rule: usize,
    info: &'a SourceInfo,
    block: &Block,
    event: Option<&'a str>,
) -> impl Iterator<Item = Found> + use<'a> {
    let wanted = move |explained: &Explained| {
        event.is_some() || explained.steps.iter().any(|step| step.passed_over.is_none())
    };
    let explained = engine::explain::block(plan, rule, info, block, event);
    explained.into_iter().filter(wanted).map(|explained| Found { source: info.name.to_string(), explained })
}

fn judge(args: &Args, told: u64, failed: bool) -> Exit {
    if told == 0 {
        match &args.event {
            Some(event) => output::note(&format!("there is no event with the auditID {event:?}")),
            None if args.timeline => output::note(&format!("there is no match of `{}`", args.rule)),
            None => output::note(&format!("there is no event that `{}` listens to", args.rule)),
        }
    }
    match (failed, told) {
        (true, _) => Exit::CouldNotGoOn,
        (false, 0) => Exit::No,
        (false, _) => Exit::Done,
    }
}

/// Writes explanations in the format that was asked for.
struct Teller<'a> {
    out: Sink,
    format: Format,
    rule: &'a str,
    told: u64,
}

impl Teller<'_> {
    fn tell(&mut self, found: &Found, seen: &[Became]) -> Result<(), Error> {
        let explained = &found.explained;
        let of_it = |Became { watched, .. }: &&Became| {
            watched.meta.offset == explained.offset
                && watched.meta.request == explained.request
                && watched.meta.stage == Some(explained.stage)
        };
        let became: Vec<&Became> = seen.iter().filter(of_it).collect();
        self.told += 1;
        match self.format {
            Format::Human => self.out.line(&human::explained(self.rule, found, &became)),
            Format::Json => self.out.line(&json::explained(self.rule, found, &became)?),
        }
    }
}

/// Whether a match of the event that was asked for had a part in what came to nothing.
fn of_any(expired: &Expired, became: &[Became]) -> bool {
    became.iter().any(|Became { watched, .. }| {
        (expired.from..=expired.until).contains(&watched.effective)
            && watched.key == expired.key
            && matches!(watched.outcome, Outcome::Waits | Outcome::NoChoice | Outcome::Forbidden)
    })
}

/// What of a sequence began and was not completed, as a line.
fn expired(format: Format, expired: &Expired) -> Result<String, Error> {
    match format {
        Format::Human => Ok(human::expired(expired)),
        Format::Json => output::json(&json::Unfinished::new(expired)),
    }
}

/// A window that closed, or a silence that lasted, as a line.
fn over(format: Format, judged: &Judged, lookout: &Lookout) -> Result<String, Error> {
    let lacked = lookout.lacked(judged);
    match format {
        Format::Human => Ok(human::over(judged, lacked.as_deref())),
        Format::Json => output::json(&json::Ended::new(judged, lacked)),
    }
}

/// What became of a match, in a word for programs.
fn outcome_word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Fired(_) => "alert",
        Outcome::Throttled { .. } => "throttled",
        Outcome::NotTrue => "counted",
        Outcome::Counted => "in_open_window",
        Outcome::Learned => "learned",
        Outcome::Known => "known",
        Outcome::Heard => "heard",
        Outcome::Waits => "waits",
        Outcome::Forbids => "forbids",
        Outcome::WaitsUntil(_) => "answer_waits",
        Outcome::Forbidden => "forbidden",
        Outcome::NoChoice => "completes_nothing",
        Outcome::Duplicate => "duplicate",
        Outcome::LeftOutLate => "late",
        Outcome::KeyUnknown => "key_unknown",
        Outcome::KeyAbsent => "key_absent",
        Outcome::Refused => "refused",
    }
}
