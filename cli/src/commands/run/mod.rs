//! `run`: events in, alerts out, and an account of every event.

mod args;
mod progress;
mod summary;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use connect::feed::{Feed, is_pipe};
use connect::sink::{self, Sink, Target};
use connect::sorted::{Entry, Sorter};
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
use crate::output::{self, Format};
use crate::{human, load};

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    args.check()?;
    let sources = sources(&args.from)?;
    let sinks = Sinks::parse(args)?;
    let Some((_, rules)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let limits = Limits { lateness: args.lateness, line_bytes_max: args.max_line, ..Limits::default() };
    let plan = Arc::new(Plan::new(&rules, limits));
    let stop = signals::watch()?;
    let live = args.until.is_none() && sources.iter().any(is_live);
    let (feed, errors) = Feed::open(&sources, args.max_line, live);
    let mut sinks = sinks.open(live)?;
    let started = Instant::now();
    let mut drive = Drive::new(plan, feed, threads(args, live), stop);
    drive.live = live;
    drive.decode_with(args.decoding());
    for error in &errors {
        drive.failed(error);
    }
    let bar = Bar::new(drive.feed.progress());
    let mut told = 0;
    let each = |drive: &mut Drive| {
        let mut alerts = Vec::new();
        drive.state.drain(&mut alerts);
        // `severity none` is for other rules to build on; nobody is told.
        alerts.retain(|alert| alert.rule.severity != Severity::None);
        told += alerts.len() as u64;
        bar.show(told);
        if alerts.is_empty() { Ok(()) } else { bar.aside(|| sinks.take(&alerts)) }
    };
    drive.run(|_, _| Ok(()), each)?;
    bar.finish();
    sinks.finish()?;
    let summary = Summary::new(&Run {
        plan: &drive.plan,
        tally: drive.state.tally(),
        sources: drive.feed.names(),
        failed: &drive.failed,
        interrupted: drive.interrupted(),
        elapsed: started.elapsed(),
    });
    tell(args, &summary)?;
    Ok(judge(args, &summary))
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

fn is_live(source: &Source) -> bool {
    match source {
        Source::Stdin => !input::stdin_is_file(),
        Source::File(path) => is_pipe(path),
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

/// Where alerts go, and how they look there. Files take JSON; standard output what its reader wants.
struct Sinks {
    targets: Vec<Target>,
    sinks: Vec<Sink>,
    human: bool,
    colour: bool,
    /// Of a bounded run: they come sorted, at the end.
    sorter: Option<(Sorter, Sorter)>,
}

impl Sinks {
    fn parse(args: &Args) -> Result<Self, Error> {
        let targets = args.to.iter().map(|name| sink::parse(name)).collect::<Result<Vec<_>, _>>()?;
        let targets = if targets.is_empty() { vec![Target::Stdout] } else { targets };
        let human = Format::or_default(args.format) == Format::Human;
        Ok(Self { targets, sinks: Vec::new(), human, colour: output::colour_out(), sorter: None })
    }

    fn open(mut self, live: bool) -> Result<Self, Error> {
        self.sinks = self.targets.iter().map(Sink::open).collect::<Result<_, _>>()?;
        self.sorter = (!live).then(|| (Sorter::default(), Sorter::default()));
        Ok(self)
    }

    fn wants(&self, human: bool) -> bool {
        self.sinks.iter().any(|sink| (sink.is_stdout() && self.human) == human)
    }

    fn take(&mut self, alerts: &[Alert]) -> Result<(), Error> {
        for human in [true, false].into_iter().filter(|human| self.wants(*human)).collect::<Vec<_>>() {
            for alert in alerts {
                let text = if human { human::alert(alert, self.colour) } else { json(alert) };
                self.give(human, alert, text)?;
            }
        }
        if self.sorter.is_none() { self.sinks.iter_mut().try_for_each(Sink::flush) } else { Ok(()) }
    }

    fn give(&mut self, human: bool, alert: &Alert, text: String) -> Result<(), Error> {
        match &mut self.sorter {
            Some((for_people, for_programs)) => {
                let entry = Entry { time: alert.time, rule: alert.rule.name.to_string(), id: alert.id, text };
                if human { for_people.push(entry) } else { for_programs.push(entry) }
            }
            None => write(&mut self.sinks, self.human, human, &text),
        }
    }

    fn finish(&mut self) -> Result<(), Error> {
        if let Some((for_people, for_programs)) = self.sorter.take() {
            for_people.finish(|entry| write(&mut self.sinks, self.human, true, &entry.text))?;
            for_programs.finish(|entry| write(&mut self.sinks, self.human, false, &entry.text))?;
        }
        self.sinks.iter_mut().try_for_each(Sink::flush)
    }
}

/// To the sinks that take this shape.
fn write(sinks: &mut [Sink], stdout_is_human: bool, human: bool, text: &str) -> Result<(), Error> {
    let takes = |sink: &&mut Sink| (sink.is_stdout() && stdout_is_human) == human;
    sinks.iter_mut().filter(takes).try_for_each(|sink| sink.line(text))
}

fn json(alert: &Alert) -> String {
    let mut out = Vec::new();
    alert.to_json(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
