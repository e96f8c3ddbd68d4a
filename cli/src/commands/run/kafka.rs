//! `run` from Kafka: a reader gives blocks, the engine is here, alerts and positions go to the sink together.
//!
//! What a block came to is handed over with the position behind it, so that whatever is committed was decided and told. To a topic
//! both go in one transaction. To standard output and files alerts are written first and the positions committed then: after a
//! crash the last second may be told again, under the same ids.
//!
//! A partition is a source. Time passes it by while it is silent only if a broker said, lately, that it is at its end; one
//! in which nothing is yet holds no time back. Each message's timestamp is the stamp of its events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use connect::kafka::address::{Alerts, Events};
use connect::kafka::{Given, Group, Member, Options, Positions, Reader, Record, Sink};
use connect::sink::Target;
use connect::{Error, signals};
use engine::alert::Alert;
use engine::frame::blocks::Block;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::Scratch;
use engine::plan::Plan;
use engine::state::State;

use super::args::{Args, Until};
use super::summary::{Run, Summary};
use super::{drain, human, judge, tell};
use crate::config::Config;
use crate::drive::{fresh, info, match_all, tick};
use crate::exit::{self, Exit};
use crate::figures::Figures;
use crate::output;
use crate::sinks::Sinks;

/// How late an event may come, unless told, in nanoseconds.
const LATENESS: i64 = 10_000_000_000;
/// How long the reader is waited for before time is looked after.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often silent partitions let time pass.
const TICK_EVERY: Duration = Duration::from_millis(100);
/// What a broker said of a partition's end holds for so long.
const END_HOLDS: Duration = Duration::from_secs(5);
/// How often positions are given to a sink that gets no alerts.
const GIVE_EVERY: Duration = Duration::from_millis(50);
/// How often positions are committed where there is no transaction.
const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// How long is tried to commit the last ones.
const COMMIT_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn execute(args: &Args, source: &Events, targets: Vec<Target>) -> Result<Exit, Error> {
    let Config { limits, admin } = args.config(LATENESS)?;
    let until_end = args.until == Some(Until::End);
    let (to, others) = apart(targets)?;
    others.iter().try_for_each(|target| refuse_old_alerts(target, until_end))?;
    let Some((_, rules)) = crate::load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let plan = Arc::new(Plan::new(&rules, limits));
    let stop = signals::watch()?;
    let options = Options {
        source: source.clone(),
        line_bytes_max: limits.line_bytes_max,
        until_end,
        stop: Arc::clone(&stop),
        tell: Arc::new(|words: &str| output::note(words)),
    };
    let sinks = Sinks::new(others, human(args)).open(!until_end)?;
    let started = Instant::now();
    let mut driven = Driven::new(plan, args, stop, (sinks, until_end));
    driven.figures = Figures::open(admin)?;
    let outcome = driven.go(&options, to.as_ref());
    if let Err(error) = &outcome {
        exit::tell(error);
        driven.failed.push(error.to_string());
    }
    let names: Vec<String> = driven.state.sources().map(|(_, info)| info.name.to_string()).collect();
    let summary = Summary::new(&Run {
        plan: &driven.plan,
        tally: driven.state.tally(),
        sources: &names,
        failed: &driven.failed,
        interrupted: driven.interrupted(),
        tombstones: driven.tombstones,
        elapsed: started.elapsed(),
        remembered: None,
    });
    tell(args, &summary)?;
    Ok(judge(args, &summary, None))
}

/// The topic, if alerts go to one, and what else they go to.
fn apart(targets: Vec<Target>) -> Result<(Option<Alerts>, Vec<Target>), Error> {
    let mut to = None;
    let mut others = Vec::new();
    for target in targets {
        match target {
            Target::Kafka(_) if to.is_some() => {
                return Err(Error::usage("alerts to more than one topic are not built yet"));
            }
            Target::Kafka(topic) => to = Some(topic),
            other => others.push(other),
        }
    }
    Ok((to, others))
}

/// A run goes on where the one before ended, so its file of alerts would lose those that are told already.
fn refuse_old_alerts(target: &Target, until_end: bool) -> Result<(), Error> {
    let Target::File(path) = target else { return Ok(()) };
    let holds_some =
        |path: &Path| std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() > 0);
    if until_end || !holds_some(path) {
        return Ok(());
    }
    let path = path.display();
    Err(Error::usage(format!(
        "{path} holds alerts of a run before, and this one goes on where that ended: name another file"
    )))
}

/// A partition that has something to read.
#[derive(Debug)]
struct Partition {
    source: SourceId,
    info: SourceInfo,
    /// When something of it came last, or it was met.
    heard: Instant,
    /// When a broker said last that it was at its end, and nothing has come since.
    at_end: Option<Instant>,
}

/// Where alerts and positions go.
struct Out {
    sinks: Sinks,
    topic: Option<Sink>,
    /// Of alerts that are told sorted, at the end, nothing is committed before.
    until_end: bool,
    positions: Positions,
    given: Instant,
    committed: Positions,
    commits: u64,
}

/// Engine and sinks of a run.
struct Driven {
    plan: Arc<Plan>,
    state: State,
    scratch: Vec<Scratch>,
    partitions: BTreeMap<i32, Partition>,
    topic: String,
    stop: Arc<AtomicBool>,
    out: Out,
    alerts: Vec<Alert>,
    ticked: Instant,
    tombstones: u64,
    failed: Vec<String>,
    figures: Figures,
}

impl Driven {
    fn new(plan: Arc<Plan>, args: &Args, stop: Arc<AtomicBool>, (sinks, until_end): (Sinks, bool)) -> Self {
        let state = fresh(&plan, !until_end);
        let threads = args.threads.map_or(1, std::num::NonZeroUsize::get);
        let mut scratch: Vec<Scratch> = (0..threads).map(|_| Scratch::default()).collect();
        scratch.iter_mut().for_each(|scratch| scratch.decode_with(args.decoding()));
        let now = Instant::now();
        let (positions, committed) = (Positions::new(), Positions::new());
        let out = Out { sinks, topic: None, until_end, positions, given: now, committed, commits: 0 };
        Self {
            plan,
            state,
            scratch,
            partitions: BTreeMap::new(),
            topic: String::new(),
            stop,
            out,
            alerts: Vec::new(),
            ticked: now,
            tombstones: 0,
            failed: Vec::new(),
            figures: Figures::default(),
        }
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Joins, reads until the end or a signal, decides, commits, leaves.
    fn go(&mut self, options: &Options, to: Option<&Alerts>) -> Result<(), Error> {
        self.topic.clone_from(&options.source.topic.name);
        let Some(member) = Member::join(options)? else { return Ok(()) };
        // Before offsets are read: that aborts a transaction that was left open, for which they would wait.
        let group = member.group();
        if let Some(to) = to {
            self.out.topic = Sink::open(to, &group)?;
            if self.out.topic.is_none() {
                return Ok(());
            }
        }
        let Some((reader, positions)) = member.begin(&Positions::new())? else { return Ok(()) };
        self.out.committed.clone_from(&positions);
        let read = self.read(&reader, positions.keys().copied().collect(), &group);
        // What was read is decided, told and committed, while the place in the group is kept.
        reader.hold();
        self.tombstones = reader.tombstones();
        self.state.finish();
        let last = self.pass_on(&group, true).and_then(|()| self.out.finish(&group));
        read.and(last)
    }

    fn read(&mut self, reader: &Reader, mut open: BTreeSet<i32>, group: &Group) -> Result<(), Error> {
        let mut next = None;
        while !self.interrupted() && !open.is_empty() {
            match next.take().or_else(|| reader.next(PATIENCE)) {
                Some(Given::Source(partition)) => self.meet(partition),
                Some(Given::Block { partition, block, next: position }) => {
                    let mut blocks = vec![(partition, block, position)];
                    next = self.more(reader, &mut blocks);
                    self.blocks(reader, blocks);
                }
                Some(Given::AtEnd { partition, next: position }) => {
                    self.out.positions.insert(partition, position);
                    if let Some(of) = self.partitions.get_mut(&partition) {
                        of.at_end = Some(Instant::now());
                    }
                }
                Some(Given::Ended { partition, next: position }) => {
                    self.out.positions.insert(partition, position);
                    open.remove(&partition);
                    if let Some(of) = self.partitions.get(&partition) {
                        self.state.end(of.source);
                    }
                }
                Some(Given::Lost { partition, messages }) => {
                    let words = format!(
                        "kafka:{}/{partition}: {messages} messages were gone before they could be read (retention)",
                        self.topic
                    );
                    output::note(&format!("error: {words}"));
                    self.failed.push(words);
                }
                Some(Given::Failed(error)) => return Err(error),
                None => {}
            }
            self.let_time_pass();
            self.pass_on(group, false)?;
            self.figures.show(&self.plan, &self.state);
        }
        Ok(())
    }

    /// Takes along what lies ready, as many blocks as there are threads. Gives what else came.
    fn more(&self, reader: &Reader, blocks: &mut Vec<(i32, Block, i64)>) -> Option<Given> {
        while blocks.len() < self.scratch.len() {
            match reader.next(Duration::ZERO)? {
                Given::Block { partition, block, next } => blocks.push((partition, block, next)),
                other => return Some(other),
            }
        }
        None
    }

    fn meet(&mut self, partition: i32) {
        let info = info(&format!("kafka:{}/{partition}", self.topic));
        let source = self.state.add_source(info.clone());
        self.partitions.insert(partition, Partition { source, info, heard: Instant::now(), at_end: None });
    }

    /// Matches blocks side by side and takes them in their order.
    fn blocks(&mut self, reader: &Reader, mut blocks: Vec<(i32, Block, i64)>) {
        for (partition, block, _) in &mut blocks {
            if !self.partitions.contains_key(partition) {
                self.meet(*partition);
            }
            if let Some(of) = self.partitions.get_mut(partition) {
                (of.heard, of.at_end) = (Instant::now(), None);
                block.source = of.source;
            }
        }
        let unknown = SourceInfo::default();
        let of = |partition: &i32| self.partitions.get(partition).map_or(&unknown, |of| &of.info);
        let of_source: Vec<_> = blocks.iter().map(|(partition, block, _)| (of(partition), block)).collect();
        let all = match_all(&self.plan, &of_source, &mut self.scratch);
        for ((partition, block, position), matches) in blocks.into_iter().zip(all) {
            self.state.take(block.source, matches);
            self.out.positions.insert(partition, position);
            reader.take_back(block);
        }
    }

    /// Partitions that are at their end and silent let time pass. A bounded run reads no clock.
    fn let_time_pass(&mut self) {
        if self.out.until_end || self.ticked.elapsed() < TICK_EVERY {
            return;
        }
        self.ticked = Instant::now();
        for of in self.partitions.values() {
            if of.at_end.is_some_and(|said| said.elapsed() < END_HOLDS) {
                self.state.tick(of.source, tick(of.heard.elapsed()));
            }
        }
    }

    /// Hands over what is certain, and up to where the input was decided.
    fn pass_on(&mut self, group: &Group, all: bool) -> Result<(), Error> {
        drain(&mut self.state, &mut self.alerts);
        self.out.take(&self.alerts, group, all)
    }
}

impl Out {
    fn take(&mut self, alerts: &[Alert], group: &Group, all: bool) -> Result<(), Error> {
        if !alerts.is_empty() {
            self.sinks.take(alerts)?;
        }
        match &mut self.topic {
            Some(topic) if all || !alerts.is_empty() || self.given.elapsed() > GIVE_EVERY => {
                self.given = Instant::now();
                topic.give(alerts.iter().map(record).collect(), self.positions.clone())
            }
            None if !self.until_end && self.given.elapsed() > COMMIT_EVERY => {
                self.given = Instant::now();
                // What cannot be committed now can a second later.
                let _later = self.commit(group);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn commit(&mut self, group: &Group) -> Result<(), Error> {
        if self.positions == self.committed {
            return Ok(());
        }
        self.commits += 1;
        group.commit(&self.positions, self.commits)?;
        self.committed.clone_from(&self.positions);
        Ok(())
    }

    /// Writes and commits what is left.
    fn finish(&mut self, group: &Group) -> Result<(), Error> {
        self.sinks.finish()?;
        match &mut self.topic {
            Some(topic) => topic.finish(),
            None if self.positions == self.committed => Ok(()),
            None => group.commit_surely(&self.positions, self.commits + 1, COMMIT_WITHIN),
        }
    }
}

/// An alert as a message: `docs/kafka.md`, "Alerts".
fn record(alert: &Alert) -> Record {
    let mut value = Vec::new();
    alert.to_json(&mut value);
    let id: String = alert.id.iter().map(|byte| format!("{byte:02x}")).collect();
    Record {
        key: alert.rule.name.as_bytes().to_vec(),
        value,
        headers: vec![
            ("id", id),
            ("rule", alert.rule.name.to_string()),
            ("severity", alert.rule.severity.word().to_owned()),
        ],
    }
}
