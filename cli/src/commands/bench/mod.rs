//! `bench`: what this machine does with made-up events, each figure beside the bound that it is held to.
//!
//! What is measured is the way that events go in `run`: its own loop, feed, engine and sinks, over files in the page cache,
//! over a pipe, and in processes of their own. The events are those of `generate`. What a figure is compared with is measured in the same
//! run, in turns with it, and of several turns the best counts; so other programs on the machine disturb both. The alerts
//! are compared, id by id, between one thread and several and between all decoders, and nothing is printed of a run in which they
//! differ. That they are the right ones is a test's matter (`tests/it/bench.rs` holds the same events and rules to the reference
//! evaluator).

mod files;
mod latency;
mod measure;
mod processes;
mod table;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use connect::Error;
use dsl::source::SourceMap;
use engine::limits::Limits;
use engine::matching::Decoding;
use engine::plan::Plan;
use generate::{Many, NAMES, Options, Profile, rules};

use crate::exit::Exit;
use crate::load;
use crate::output::{self, Format};

use files::{Files, Log};
use measure::{Best, Ran, Way};
use table::{Bound, Row, Table};

/// Make events and measure how fast they are decided, each figure beside its bound
///
/// Files of about a kilobyte an event are made in the folder for temporary files and removed again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs that are measured as the pack [default: the shipped rules]
    rules: Vec<PathBuf>,
    /// How many events each load has
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
    /// The same seed makes the same events
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Which recorded log the events are like
    #[arg(long, value_name = "P", default_value = NAMES[0], value_parser = NAMES)]
    profile: String,
    /// Measure this log, and make no events
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// How many threads are compared with one
    #[arg(long, value_name = "N", default_value = "2")]
    threads: NonZeroUsize,
    /// How often each is measured; the best counts
    #[arg(long, value_name = "N", default_value = "5")]
    turns: NonZeroUsize,
    /// Measure these alone
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    only: Vec<What>,
    /// How figures are printed [default: human on a terminal, else json]
    #[arg(long)]
    format: Option<Format>,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Ten rules over a file, beside the bare scan and one thread; and the pack
    File,
    /// Ten rules over a pipe, beside reading it alone
    Pipe,
    /// A thousand rules beside fifty
    Many,
    /// From a line to its alert, at a steady rate
    Latency,
    /// The memory of runs
    Memory,
    /// From the start of the process to its end, with a thousand rules and one event
    Start,
}

/// The share of `RequestReceived` events of which a tenth of all is left, where half of all would be.
const TENTH: f64 = 1.0 / 9.0;
/// So many rules, and so many.
const MANY: [usize; 2] = [50, 1_000];
/// Of so many events at least is the log that they find something in, as each needs a few, and of so many at most.
const MANY_EVENTS: [u64; 2] = [30_000, 400_000];

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    let Some((_, pack)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let limits = Limits::default();
    let bench = Bench {
        args,
        files: Files::new()?,
        pack: Arc::new(Plan::new(&pack, limits)),
        ten: plan("ten.rule", rules::TEN.to_owned())?,
        table: Table::new(Format::or_default(args.format)),
    };
    match bench.all()? {
        None => Ok(Exit::Done),
        Some(differs) => {
            output::note(&format!("error: {differs}"));
            Ok(Exit::No)
        }
    }
}

/// Rules that the bench brings along, ready to run.
fn plan(name: &str, text: String) -> Result<Arc<Plan>, Error> {
    plan_with(name, text, Limits::default())
}

fn plan_with(name: &str, text: String, limits: Limits) -> Result<Arc<Plan>, Error> {
    let mut sources = SourceMap::default();
    sources.add(name, text);
    let outcome = dsl::check::compile(&sources);
    let rules = outcome.rules.ok_or_else(|| Error::failed(format!("{name} does not compile")))?;
    Ok(Arc::new(Plan::new(&rules, limits)))
}

struct Bench<'a> {
    args: &'a Args,
    files: Files,
    pack: Arc<Plan>,
    ten: Arc<Plan>,
    table: Table,
}

/// What must be the same was not: words that say what.
type Differs = Option<String>;

impl Bench<'_> {
    fn wants(&self, what: What) -> bool {
        self.args.only.is_empty() || self.args.only.contains(&what)
    }

    fn all(mut self) -> Result<Differs, Error> {
        let logs = match &self.args.from {
            Some(path) => vec![(String::new(), None, self.files.copy(path)?)],
            None => {
                [("no RequestReceived", 0.0, None), ("a tenth", TENTH, Some(5e6)), ("half", 1.0, Some(7e6))]
                    .into_iter()
                    .filter(|_| self.wants(What::File) || self.wants(What::Pipe))
                    .map(|(name, received, bound)| {
                        Ok((
                            format!(", {name}"),
                            bound,
                            self.files.make(name, self.profile()?, self.options(received))?,
                        ))
                    })
                    .collect::<Result<_, Error>>()?
            }
        };
        for (name, bound, log) in &logs {
            if self.wants(What::File)
                && let differs @ Some(_) = self.file(name, *bound, log)?
            {
                return Ok(differs);
            }
        }
        if let Some((name, _, log)) = logs.get(1).or(logs.first())
            && self.wants(What::Pipe)
            && let differs @ Some(_) = self.pipe(name, log)?
        {
            return Ok(differs);
        }
        drop(logs);
        if self.args.from.is_some() {
            return Ok(None);
        }
        if self.wants(What::Many)
            && let differs @ Some(_) = self.many()?
        {
            return Ok(differs);
        }
        if self.wants(What::Latency) {
            self.latency()?;
        }
        if self.wants(What::Memory) {
            self.memory()?;
        }
        if self.wants(What::Start) {
            self.start()?;
        }
        Ok(None)
    }

    fn options(&self, received: f64) -> Options {
        Options { events: self.args.events, seed: self.args.seed, received, ..Options::default() }
    }

    fn profile(&self) -> Result<Profile, Error> {
        Profile::named(&self.args.profile).map_err(|cause| Error::failed(cause.to_string()))
    }

    /// Targets 1, 4 and 5: over a file, in turns with what it is compared with.
    fn file(&mut self, name: &str, absolute: Option<f64>, log: &Log) -> Result<Differs, Error> {
        let several = Way::threads(self.args.threads.get());
        let (mut bare, mut ten, mut alone, mut pack) =
            (Best::default(), Best::default(), Best::default(), Best::default());
        for _ in 0..self.args.turns.get() {
            bare.add(measure::scan(log, self.args.threads.get())?);
            ten.add(measure::file(&self.ten, log, several)?);
            alone.add(measure::file(&self.ten, log, Way::threads(1))?);
            pack.add(measure::file(&self.pack, log, several)?);
        }
        let (Some(bare), Some(ten), Some(alone), Some(pack)) = (bare.0, ten.0, alone.0, pack.0) else {
            return Ok(None);
        };
        for decoding in [Decoding::Scan, Decoding::Walk, Decoding::Tape] {
            let by = measure::file(&self.ten, log, Way { decoding, ..several })?;
            if let differs @ Some(_) = differ(&format!("with the decoder {decoding:?}"), &ten, &by) {
                return Ok(differs);
            }
        }
        if let differs @ Some(_) = differ("on one thread", &ten, &alone) {
            return Ok(differs);
        }
        if self.args.from.is_none()
            && (ten.events, ten.undecodable, bare.events) != (self.args.events, 0, ten.events)
        {
            return Ok(Some(format!("of {} events {} were read", self.args.events, ten.events)));
        }
        if self.args.from.is_none() && bare.undecodable * 100 > bare.events {
            let declined = bare.undecodable;
            return Ok(Some(format!(
                "of {} events the bare scan understood all but {declined}",
                bare.events
            )));
        }
        // What is wrapped has other lines than events.
        let bare = Ran { events: ten.events, ..bare };
        let threads = self.args.threads;
        self.table.row(Row::rate(1, format!("bare scan, {threads} threads{name}"), &bare))?;
        let ten_row = format!("ten rules, {threads} threads{name}");
        self.table.row(Row::rate(1, ten_row.clone(), &ten).beside(
            "bare scan",
            &bare,
            Bound::AtLeast(0.8),
        ))?;
        if let Some(rate) = absolute {
            self.table.row(Row::rate(1, ten_row, &ten).bound(Bound::AtLeast(rate)))?;
        }
        self.table.row(Row::rate(5, format!("ten rules, one thread{name}"), &alone))?;
        let row = Row::rate(5, format!("ten rules, {threads} threads{name}"), &ten);
        self.table.row(row.beside("one thread", &alone, Bound::AtLeast(1.8)))?;
        let row = Row::rate(
            4,
            format!("{} rules of the pack, {threads} threads{name}", self.pack.rules.len()),
            &pack,
        );
        self.table.row(row.beside("ten rules", &ten, Bound::AtLeast(0.6)))?;
        Ok(None)
    }

    /// Target 2: what `cat` writes, beside the same read and let go.
    fn pipe(&mut self, name: &str, log: &Log) -> Result<Differs, Error> {
        let (mut read, mut ten) = (Best::default(), Best::default());
        for _ in 0..self.args.turns.get() {
            read.add(measure::discard(log)?);
            ten.add(measure::pipe(&self.ten, log)?);
        }
        let (Some(read), Some(ten)) = (read.0, ten.0) else { return Ok(None) };
        let read = Ran { events: ten.events, ..read };
        let file = measure::file(&self.ten, log, Way::threads(1))?;
        if let differs @ Some(_) = differ("from a pipe", &file, &ten) {
            return Ok(differs);
        }
        self.table.row(Row::rate(2, format!("pipe read and let go{name}"), &read))?;
        let row = Row::rate(2, format!("ten rules from a pipe{name}"), &ten);
        self.table.row(row.beside("read and let go", &read, Bound::AtLeast(0.9)))?;
        Ok(None)
    }

    /// Target 4: what more rules cost.
    fn many(&mut self) -> Result<Differs, Error> {
        let made = self.made_many(self.args.events)?;
        let log = self.files.write("many", made.log.as_bytes())?;
        let plans = MANY.map(|number| plan("many.rule", made.rules(number)));
        drop(made);
        let [few, many] = plans;
        let (few_plan, many_plan) = (few?, many?);
        let way = Way::threads(self.args.threads.get());
        let (mut few, mut many) = (Best::default(), Best::default());
        for _ in 0..self.args.turns.get() {
            few.add(measure::file(&few_plan, &log, way)?);
            many.add(measure::file(&many_plan, &log, way)?);
        }
        let (Some(few), Some(many)) = (few.0, many.0) else { return Ok(None) };
        for decoding in [Decoding::Auto, Decoding::Tape] {
            let by = measure::file(&many_plan, &log, Way { decoding, ..Way::threads(1) })?;
            if let differs @ Some(_) =
                differ(&format!("on one thread with the decoder {decoding:?}"), &many, &by)
            {
                return Ok(differs);
            }
        }
        let threads = self.args.threads;
        self.table.row(Row::rate(4, format!("{} rules, {threads} threads", MANY[0]), &few))?;
        let row = Row::rate(4, format!("{} rules, {threads} threads", MANY[1]), &many);
        self.table.row(row.beside("50 rules", &few, Bound::AtLeast(0.5)))?;
        Ok(None)
    }

    /// Rules of which each matches something of a log of about so many events.
    fn made_many(&self, events: u64) -> Result<Many, Error> {
        let events = events.clamp(MANY_EVENTS[0], MANY_EVENTS[1]);
        let made = Many::new(MANY[1], self.profile()?, events, self.args.seed);
        made.ok_or_else(|| Error::failed("too few of the rules made match events of this profile"))
    }

    /// Target 6.
    fn latency(&mut self) -> Result<(), Error> {
        let limits = Limits { lateness: latency::LATENESS, ..Limits::default() };
        let rules = plan_with("latency.rule", rules::LATENCY.to_owned(), limits)?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let found = latency::measure(&rules, self.profile()?, self.args.seed, self.args.events)?;
        for (what, histogram) in [("at once", &found.at_once), ("in the order of time", &found.waits)] {
            for (quantile, most) in [(0.5, 1e-3), (0.99, 5e-3)] {
                let name = format!(
                    "line in to alert {what}, p{:.0} of {} at {} events/s, {cores} CPUs",
                    quantile * 100.0,
                    histogram.len(),
                    latency::RATE
                );
                let seconds = histogram.value_at_quantile(quantile) as f64 / 1e9;
                self.table.row(Row::of(6, name, seconds, "s").bound(Bound::AtMost(most)))?;
            }
        }
        Ok(())
    }

    /// Target 7.
    fn memory(&mut self) -> Result<(), Error> {
        let day = Options { rate: (self.args.events / 86_400).max(1), ..self.options(1.0) };
        let half = Options { events: day.events / 2, ..day.clone() };
        let whole = processes::memory(&self.files.make("a day", self.profile()?, day)?, &self.args.rules)?;
        let half =
            processes::memory(&self.files.make("half a day", self.profile()?, half)?, &self.args.rules)?;
        let name = format!("memory of a run of the pack over {} events of a day", self.args.events);
        self.table.row(Row::of(7, name.clone(), whole, "bytes").bound(Bound::AtMost(64e6)))?;
        let row = Row::of(7, name, whole, "bytes");
        self.table.row(row.beside_value("half of the day", half, Bound::AtMost(1.1)))?;
        let (bytes, keys) = processes::key(&self.files, self.args.events)?;
        let name = format!("memory of a key that is idle, of {keys}");
        self.table.row(Row::of(7, name, bytes, "bytes").bound(Bound::AtMost(100.0)))
    }

    /// Target 8.
    fn start(&mut self) -> Result<(), Error> {
        let rules = self.made_many(MANY_EVENTS[0])?.rules(MANY[1]);
        let seconds = processes::start(&self.files, rules, self.args.turns.get())?;
        let name = format!("start to end of a run of one event, {} rules in a pack", MANY[1]);
        self.table.row(Row::of(8, name, seconds, "s").bound(Bound::AtMost(0.05)))
    }
}

/// Whether two runs that must find the same did not.
fn differ(what: &str, one: &Ran, other: &Ran) -> Differs {
    if one.alerts == other.alerts && (one.events, one.undecodable) == (other.events, other.undecodable) {
        return None;
    }
    Some(format!(
        "the answer {what} is another one: {} and {} alerts, {} and {} events",
        one.alerts.len(),
        other.alerts.len(),
        one.events,
        other.events
    ))
}
