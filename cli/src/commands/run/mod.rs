//! `run`: events in, alerts out, and an account of every event.

mod args;
#[cfg(feature = "kafka")]
mod kafka;
mod progress;
mod summary;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;
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

pub(crate) use args::Args;
use args::FailOn;
use progress::Bar;
use summary::{Run, Summary};

use crate::drive::Drive;
use crate::exit::Exit;
use crate::load;
use crate::output::{self, Format};
use crate::sinks::Sinks;

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    args.check()?;
    let limits = args.limits(Limits::default().lateness)?;
    let sources = sources(&args.from)?;
    let targets = targets(args)?;
    if sources.iter().any(|source| matches!(source, Source::Kafka(_))) {
        return from_kafka(args, &sources, targets);
    }
    let sinks = Sinks::new(targets, human(args));
    let Some((_, rules)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let plan = Arc::new(Plan::new(&rules, limits));
    let stop = signals::watch()?;
    let live = args.until.is_none() && sources.iter().any(is_live);
    let (feed, errors) = Feed::open(&sources, limits.line_bytes_max, live);
    let mut sinks = sinks.open(live)?;
    let started = Instant::now();
    let mut drive = Drive::new(plan, feed, (threads(args, live), live), stop);
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
    let summary = Summary::new(&Run {
        plan: &drive.plan,
        tally: drive.state.tally(),
        sources: drive.feed.names(),
        failed: &drive.failed,
        interrupted: drive.interrupted(),
        tombstones: 0,
        elapsed: started.elapsed(),
    });
    tell(args, &summary)?;
    Ok(judge(args, &summary))
}

/// Runs to the end, and hands over the alerts that somebody is told of as they become certain; mostly there are none.
pub(crate) fn each_alert(
    drive: &mut Drive,
    mut take: impl FnMut(&[Alert]) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut alerts = Vec::new();
    let each = |drive: &mut Drive| {
        alerts.clear();
        drive.state.drain(&mut alerts);
        // `severity none` is for other rules to build on; nobody is told.
        alerts.retain(|alert| alert.rule.severity != Severity::None);
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

fn judge(args: &Args, summary: &Summary) -> Exit {
    if !summary.failed.is_empty() {
        return Exit::CouldNotGoOn;
    }
    let took_place = |what: &FailOn| match what {
        FailOn::Alert => summary.alerts.total > 0,
        FailOn::Undecoded => summary.events.undecodable > 0,
        FailOn::Late => summary.events.late > 0,
        FailOn::Loss => !summary.loss.is_empty(),
    };
    if args.fail_on.iter().any(took_place) { Exit::Noticed } else { Exit::Done }
}
