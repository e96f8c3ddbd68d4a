//! `run`: events in, alerts out, and an account of every event.

mod args;
#[cfg(feature = "kafka")]
mod kafka;
mod progress;
mod remember;
mod summary;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Instant;

use connect::feed::{Feed, is_pipe};
use connect::sink::{self, Target};
use connect::source::{self, Source};
use connect::{Error, input, signals};
use dsl::ir::Severity;
use engine::alert::Alert;
use engine::limits::Limits;
use engine::plan::Plan;
use engine::state::State;

pub(crate) use args::Args;
use args::FailOn;
use progress::Bar;
use remember::Begun;
use summary::{Remembered, Run, Summary};

use crate::commands;
use crate::config::Config;
use crate::drive::Drive;
use crate::exit::Exit;
use crate::figures::Figures;
use crate::load;
use crate::output::{self, Format};
use crate::sinks::Sinks;

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    args.check()?;
    let Config { limits, admin } = args.config(Limits::default().lateness)?;
    let sources = sources(&args.from)?;
    let targets = targets(args)?;
    if sources.iter().any(|source| matches!(source, Source::Kafka(_))) {
        commands::not_built("--state with kafka://", args.state.is_some())?;
        return from_kafka(args, &sources, targets);
    }
    let sinks = Sinks::new(targets, human(args));
    let Some((_, rules)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let plan = Arc::new(Plan::new(&rules, limits));
    let stop = signals::watch()?;
    let live = args.until.is_none() && sources.iter().any(is_live);
    let figures = Figures::open(admin)?;
    let how = How { threads: threads(args, live), live, stop, figures };
    match &args.state {
        Some(folder) => remembering(args, folder, &sources, (plan, sinks), how),
        None => at_once(args, &sources, (plan, sinks), how),
    }
}

/// How a run goes.
struct How {
    threads: usize,
    live: bool,
    stop: Arc<AtomicBool>,
    figures: Figures,
}

/// A run that begins with nothing and leaves nothing behind.
fn at_once(
    args: &Args,
    sources: &[Source],
    (plan, sinks): (Arc<Plan>, Sinks),
    how: How,
) -> Result<Exit, Error> {
    let (feed, errors) = Feed::open(sources, plan.limits.line_bytes_max, how.live);
    let mut sinks = sinks.open(how.live)?;
    let started = Instant::now();
    let mut drive = Drive::new(plan, feed, (how.threads, how.live), how.stop);
    drive.figures = how.figures;
    drive.decode_with(args.decoding());
    for error in &errors {
        drive.failed(error);
    }
    let bar = Bar::new(drive.feed.progress());
    let mut told = 0;
    each_alert(&mut drive, |alerts| {
        told += alerts.len() as u64;
        bar.show(told);
        if alerts.is_empty() { Ok(()) } else { bar.aside(|| sinks.take(alerts)) }
    })?;
    bar.finish();
    sinks.finish()?;
    let summary = summary(&drive, started, None);
    tell(args, &summary)?;
    Ok(judge(args, &summary, None))
}

/// A run that goes on where the one before it ended.
fn remembering(
    args: &Args,
    folder: &Path,
    sources: &[Source],
    (plan, sinks): (Arc<Plan>, Sinks),
    how: How,
) -> Result<Exit, Error> {
    let begun = remember::begin(folder, sources, (plan, sinks), how.live)?;
    let Begun { feed, state, keeping, errors, mut sinks, mut memory } = begun;
    memory.every(args.state_every);
    let started = Instant::now();
    let plan = memory.plan();
    let mut drive = Drive::with_state(plan, (feed, state), (how.threads, how.live), how.stop);
    drive.figures = how.figures;
    drive.keeping = Some(keeping);
    drive.decode_with(args.decoding());
    for error in &errors {
        drive.failed(error);
    }
    let before = Run { sources: &[], failed: &[], ..run_of(&drive, started, None) };
    let before = Summary::new(&before);
    memory.begin(&drive, &mut sinks)?;
    let bar = Bar::new(drive.feed.progress());
    let mut told = 0;
    let mut alerts = Vec::new();
    drive.run(
        |_, _| Ok(()),
        |drive| {
            drain(&mut drive.state, &mut alerts);
            memory.leave_out_told(drive, &mut alerts);
            told += alerts.len() as u64;
            bar.show(told);
            bar.aside(|| {
                if !alerts.is_empty() {
                    sinks.take(&alerts)?;
                }
                memory.keep(drive, &mut sinks)
            })
        },
    )?;
    bar.finish();
    let summary = summary(&drive, started, Some(memory.account(&before)));
    tell(args, &summary)?;
    Ok(judge(args, &summary, Some(&before)))
}

fn run_of<'a>(drive: &'a Drive, started: Instant, remembered: Option<Remembered>) -> Run<'a> {
    Run {
        plan: &drive.plan,
        tally: drive.state.tally(),
        sources: drive.feed.names(),
        failed: &drive.failed,
        interrupted: drive.interrupted(),
        tombstones: 0,
        elapsed: started.elapsed(),
        remembered,
    }
}

fn summary(drive: &Drive, started: Instant, remembered: Option<Remembered>) -> Summary {
    Summary::new(&run_of(drive, started, remembered))
}

/// The alerts that somebody is told of.
fn drain(state: &mut State, alerts: &mut Vec<Alert>) {
    alerts.clear();
    state.drain(alerts);
    // `severity none` is for other rules to build on; nobody is told.
    alerts.retain(|alert| alert.rule.severity != Severity::None);
}

/// Runs to the end, and hands over the alerts that somebody is told of as they become certain; mostly there are none.
pub(crate) fn each_alert(
    drive: &mut Drive,
    mut take: impl FnMut(&[Alert]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut alerts = Vec::new();
    let each = |drive: &mut Drive| {
        drain(&mut drive.state, &mut alerts);
        take(&alerts)
    };
    drive.run(|_, _| Ok(()), each)
}

/// What was named; without a name standard input, unless somebody sits there who would wait for us.
pub(crate) fn sources(names: &[OsString]) -> Result<Vec<Source>, Error> {
    if !names.is_empty() {
        return source::find(names);
    }
    if input::stdin_is_terminal() {
        return Err(Error::usage("say where events come from: --from FILE, or pipe them in"));
    }
    Ok(vec![Source::Stdin])
}

/// Where alerts go: files take JSON, standard output what its reader wants.
fn targets(args: &Args) -> Result<Vec<Target>, Error> {
    let targets = args.to.iter().map(|name| sink::parse(name)).collect::<Result<Vec<_>, _>>()?;
    Ok(if targets.is_empty() { vec![Target::Stdout] } else { targets })
}

fn human(args: &Args) -> bool {
    Format::or_default(args.format) == Format::Human
}

#[cfg(feature = "kafka")]
fn from_kafka(args: &Args, sources: &[Source], targets: Vec<Target>) -> Result<Exit, Error> {
    match sources {
        [Source::Kafka(source)] => kafka::execute(args, source, targets),
        _ => Err(Error::usage("kafka:// beside other sources is not built yet")),
    }
}

#[cfg(not(feature = "kafka"))]
fn from_kafka(_: &Args, _: &[Source], _: Vec<Target>) -> Result<Exit, Error> {
    Err(Error::usage("this program was built without kafka:// (cargo's feature `kafka`)"))
}

fn is_live(source: &Source) -> bool {
    match source {
        Source::Stdin => !input::stdin_is_file(),
        Source::File(path) => is_pipe(path),
        Source::Kafka(_) => true,
    }
}

/// A live source gives what it has, which is mostly less than a block: one thread is enough for it.
fn threads(args: &Args, live: bool) -> usize {
    let default = || {
        if live { NonZeroUsize::MIN } else { thread::available_parallelism().unwrap_or(NonZeroUsize::MIN) }
    };
    args.threads.unwrap_or_else(default).get()
}

fn tell(args: &Args, summary: &Summary) -> Result<(), Error> {
    output::note(&summary.human());
    if let Some(path) = &args.summary {
        connect::replace(path, format!("{}\n", output::json(summary)?).as_bytes())?;
    }
    Ok(())
}

/// Of a run that went on only what it did itself counts.
fn judge(args: &Args, summary: &Summary, before: Option<&Summary>) -> Exit {
    if !summary.failed.is_empty() {
        return Exit::CouldNotGoOn;
    }
    let more = |count: fn(&Summary) -> u64| count(summary) > before.map_or(0, count);
    let took_place = |what: &FailOn| match what {
        FailOn::Alert => more(|summary| summary.alerts.total),
        FailOn::Undecoded => more(|summary| summary.events.undecodable),
        FailOn::Late => more(|summary| summary.events.late),
        FailOn::Loss => more(|summary| summary.loss.values().sum()),
    };
    if args.fail_on.iter().any(took_place) { Exit::Noticed } else { Exit::Done }
}
