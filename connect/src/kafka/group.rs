//! A consumer's place in its group, and what the group remembers of it.
//!
//! One instance reads all partitions: its windows would miss what another one reads. So whoever comes and finds a member in the
//! group waits until that must have been given up if it was killed, and is then refused in words; two that come at once see that
//! not all partitions were offered, and both are. An instance that is running and loses partitions (to a stranger, or as it was
//! cut off) goes on where it was once it has them back, but only if nobody committed in between: each commit carries a
//! mark that names the run, and a mark of another run ends this one.
//!
//! What is read is read on by this process alone, so what was handed on before partitions were lost stands, and is committed when
//! they are back. Nothing is committed in between: offsets are sent with the place that the consumer had when it was last polled,
//! and never without one.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use super::address::Events;
use super::client::{Change, Consumer, said_by, said_of};
use super::native::Place;
use super::{Positions, client};
use crate::Error;

/// How long a broker is waited for before somebody is told that it does not answer.
pub(super) const ASK: Duration = Duration::from_secs(2);
/// Events of a client that are looked at in one go: what it logs, what troubles it, what the group decided.
const EVENTS: usize = 16;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// A topic that was just made may not be known to every broker yet.
const UNKNOWN_FOR: Duration = Duration::from_secs(2);
/// Beyond the session's time, until a member that was killed must be out of the group.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3);
/// The same words are not told again for so long.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// Tells what is waited for, now and then.
pub(super) struct Patience {
    told: Option<(String, Instant)>,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { told: None }
    }

    pub(super) fn tell(&mut self, group: &Group, words: &str) {
        let new = self.told.as_ref().is_none_or(|(old, at)| old != words || at.elapsed() > TELL_AGAIN);
        if new {
            (group.tell)(words);
            self.told = Some((words.to_owned(), Instant::now()));
        }
    }
}

/// Takes sentences for the person who runs it.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// A consumer in its group; shared by who reads and who commits.
pub struct Group {
    pub(super) consumer: Arc<Consumer>,
    pub(super) topic: String,
    pub(super) brokers: String,
    pub(super) name: String,
    pub(super) tell: Tell,
    /// Somebody asked for the end.
    stop: Arc<AtomicBool>,
    /// Names this run in what it commits.
    run: String,
    session: Duration,
    standing: Mutex<Standing>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Standing {
    /// Where offsets may be sent from; nothing while partitions are missing.
    place: Option<Arc<Place>>,
    /// It can never have one again.
    failed: Option<String>,
    /// What was committed of each partition before we did.
    found: BTreeMap<i32, (i64, String)>,
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("name", &self.name).field("topic", &self.topic).finish_non_exhaustive()
    }
}

/// A group that was joined, and the partitions that were offered.
type Joined = (Arc<Group>, BTreeSet<i32>);

/// What was committed of a partition: an offset, if any, and what the commit says of itself.
pub(super) type Committed = BTreeMap<i32, (Option<i64>, String)>;

impl Group {
    /// Joins the group of a source, as its only member. Gives it with the partitions that it was offered; nothing if
    /// somebody asked for the end before.
    ///
    /// # Errors
    /// If the brokers refuse us, there is no such topic, or somebody else is in the group.
    pub(super) fn join(
        source: &Events,
        line_bytes_max: usize,
        stop: &Arc<AtomicBool>,
        tell: &Tell,
    ) -> Result<Option<Joined>, Error> {
        let (consumer, session) = client::consumer(source, line_bytes_max)?;
        let group = Arc::new(Self {
            consumer: Arc::new(consumer),
            topic: source.topic.name.clone(),
            brokers: source.topic.brokers.clone(),
            name: source.group.clone(),
            tell: Arc::clone(tell),
            stop: Arc::clone(stop),
            run: run_name(),
            session,
            standing: Mutex::default(),
            changed: Condvar::new(),
        });
        let Some(partitions) = group.wait_for_topic(&source.topic.name)? else { return Ok(None) };
        if !group.wait_to_be_alone()? {
            return Ok(None);
        }
        let offered = group.wait_for_partitions(&partitions)?;
        Ok(offered.map(|offered| (group, offered)))
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Whoever panicked here has ended the process.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The partitions of a topic, once a broker answers.
    ///
    /// # Errors
    /// If there is no such topic, or we may not see it.
    pub(super) fn wait_for_topic(&self, topic: &str) -> Result<Option<Vec<i32>>, Error> {
        let mut patience = Patience::new();
        let mut unknown: Option<Instant> = None;
        while !self.stopped() {
            let said = self.consumer.fetch_metadata(Some(topic), ASK);
            self.serve(Duration::ZERO)?;
            match said {
                Ok(metadata) => {
                    let found = metadata.topics().iter().find(|of| of.name() == topic);
                    let error = found.and_then(|of| of.error());
                    let partitions: Vec<i32> =
                        found.map_or_else(Vec::new, |of| of.partitions().iter().map(|of| of.id()).collect());
                    let since = *unknown.get_or_insert_with(Instant::now);
                    match error {
                        None if !partitions.is_empty() => return Ok(Some(partitions)),
                        None | Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => {
                            if since.elapsed() > UNKNOWN_FOR {
                                return Err(self
                                    .failed(&format!("there is no topic `{topic}`; it must be made first")));
                            }
                        }
                        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                            return Err(self.failed(&format!("the topic `{topic}` is not ours to see")));
                        }
                        Some(other) => patience.tell(self, &self.waiting(&said_of(other.into()))),
                    }
                }
                Err(error) => {
                    let trouble = self.consumer.context().reports().trouble.clone();
                    let words = trouble.unwrap_or_else(|| said_by(&error));
                    patience.tell(self, &self.waiting(&words));
                }
            }
            thread::sleep(PAUSE);
        }
        Ok(None)
    }

    /// In words, that a broker is waited for.
    pub(super) fn waiting(&self, why: &str) -> String {
        format!("waiting for kafka://{}: {why}", self.brokers)
    }

    pub(super) fn failed(&self, why: &str) -> Error {
        Error::failed(format!("kafka://{}: {why}", self.brokers))
    }

    /// Lets the client tell what it has to, and looks whether it can go on.
    pub(super) fn serve(&self, wait: Duration) -> Result<(), Error> {
        // A call takes one event, and does not say whether there was any.
        for wait in std::iter::once(wait).chain([Duration::ZERO; EVENTS]) {
            // Errors come to the context too. Messages go to a queue of our own: one that came here would be out of its order.
            if let Some(Ok(_)) = self.consumer.poll(wait) {
                return Err(self.failed("a message came past its queue"));
            }
        }
        let mut reports = self.consumer.context().reports();
        if let Some(words) = reports.fatal.take() {
            return Err(self.failed(&words));
        }
        match reports.refused.take() {
            Some(words) => Err(self.failed(&format!("the broker refuses us: {words}"))),
            None => Ok(()),
        }
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.consumer.context().reports().changes)
    }

    /// Who is in the group, us included, in words.
    pub(super) fn members(&self) -> Result<Vec<String>, KafkaError> {
        let list = self.consumer.fetch_group_list(Some(&self.name), ASK)?;
        let members = list.groups().iter().flat_map(|group| group.members());
        let words = |client: &str, host: &str| format!("{client} at {}", host.trim_start_matches('/'));
        Ok(members.map(|of| words(of.client_id(), of.client_host())).collect())
    }

    /// Waits until nobody is in the group. A member that was killed stays in it for its session's time.
    fn wait_to_be_alone(&self) -> Result<bool, Error> {
        let mut patience = Patience::new();
        let mut since = None;
        while !self.stopped() {
            self.serve(Duration::ZERO)?;
            match self.members() {
                Ok(members) => {
                    let Some(other) = members.first() else { return Ok(true) };
                    let since: Instant = *since.get_or_insert_with(Instant::now);
                    if since.elapsed() > self.session + GIVEN_UP_AFTER {
                        return Err(self.not_alone(other));
                    }
                    let name = &self.name;
                    let most = (self.session + GIVEN_UP_AFTER).as_secs();
                    let words = format!(
                        "the group `{name}` has a member already ({other}); waiting {most} s in case it was killed"
                    );
                    patience.tell(self, &words);
                }
                Err(error) => patience.tell(self, &self.waiting(&said_by(&error))),
            }
            thread::sleep(PAUSE);
        }
        Ok(false)
    }

    fn not_alone(&self, other: &str) -> Error {
        let name = &self.name;
        self.failed(&format!(
            "the group `{name}` has another member ({other}); only one instance may read for a group, as each keeps its windows \
             to itself: end that one, or name another group"
        ))
    }

    fn wait_for_partitions(&self, all: &[i32]) -> Result<Option<BTreeSet<i32>>, Error> {
        self.consumer.subscribe(&[&self.topic]).map_err(|error| self.failed(&said_by(&error)))?;
        let mut patience = Patience::new();
        let since = Instant::now();
        while !self.stopped() {
            self.serve(Duration::from_millis(100))?;
            for change in self.changes() {
                match change {
                    Change::Offered(offered) => return self.judge_offer(&offered, all).map(Some),
                    Change::Taken(_) => {}
                    Change::Failed(words) => return Err(self.failed(&words)),
                }
            }
            if since.elapsed() > ASK {
                patience.tell(self, &self.waiting("the group has not been given partitions yet"));
            }
        }
        Ok(None)
    }

    /// Whether all there is was offered. What is offered must be answered; with nothing, if we do not stay.
    fn judge_offer(&self, offered: &[i32], all: &[i32]) -> Result<BTreeSet<i32>, Error> {
        let offered: BTreeSet<i32> = offered.iter().copied().collect();
        if all.iter().all(|partition| offered.contains(partition)) {
            return Ok(offered);
        }
        let deadline = Instant::now() + self.session;
        let members = loop {
            match self.members() {
                Ok(members) => break members,
                Err(error) if Instant::now() > deadline => return Err(self.failed(&said_by(&error))),
                Err(_) => thread::sleep(PAUSE),
            }
        };
        if members.len() < 2 {
            // Partitions that were just added are offered in a moment.
            return Ok(offered);
        }
        let _leaving = self.consumer.incremental_assign(&TopicPartitionList::new());
        let others = members.join(", ");
        Err(self.not_alone(&format!(
            "of {others} one is this; {} of {} partitions are left",
            offered.len(),
            all.len()
        )))
    }

    /// What was committed of partitions, once the broker says so. A transaction that is still open is waited for.
    pub(super) fn committed(&self, partitions: &BTreeSet<i32>) -> Result<Committed, KafkaError> {
        let mut list = TopicPartitionList::with_capacity(partitions.len());
        for partition in partitions {
            list.add_partition(&self.topic, *partition);
        }
        let list = self.consumer.committed_offsets(list, ASK)?;
        let mut found = Committed::new();
        for of in list.elements() {
            of.error()?;
            let offset = match of.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            };
            found.insert(of.partition(), (offset, of.metadata().to_owned()));
        }
        Ok(found)
    }

    /// Notes what was committed of a partition before this run.
    pub(super) fn note_found(&self, partition: i32, found: (i64, String)) {
        self.standing().found.insert(partition, found);
    }

    /// Whether a commit is of this run, or is what was there when it began.
    pub(super) fn knows(&self, partition: i32, committed: &(Option<i64>, String)) -> bool {
        let (Some(offset), mark) = committed else { return true };
        let before =
            self.standing().found.get(&partition).is_some_and(|(at, old)| at == offset && old == mark);
        before || mark.split_once(':').is_some_and(|(run, _)| run == self.run)
    }

    /// The mark of the commit with that number.
    pub(super) fn mark(&self, number: u64) -> String {
        format!("{}:{number}", self.run)
    }

    /// Positions as a commit takes them.
    pub(super) fn offsets(&self, positions: &Positions, mark: &str) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(positions.len());
        for (partition, next) in positions {
            let mut of = list.add_partition(&self.topic, *partition);
            // A position is never below zero, which is all that is refused.
            let _set = of.set_offset(Offset::Offset(*next));
            of.set_metadata(mark);
        }
        list
    }

    /// All partitions are ours: offsets may be sent. Reads the place anew.
    pub(super) fn stands(&self) {
        let place = Place::of(&self.consumer).map(Arc::new);
        self.standing().place = place;
        self.changed.notify_all();
    }

    /// Partitions are missing.
    pub(super) fn falls(&self) {
        self.standing().place = None;
    }

    /// It will never go on.
    pub(super) fn fails(&self, words: &str) {
        let mut standing = self.standing();
        standing.place = None;
        standing.failed = Some(words.to_owned());
        self.changed.notify_all();
    }

    /// Where offsets may be sent from, waiting for it at most until then.
    ///
    /// # Errors
    /// If there will be none, or was none in time.
    pub(super) fn place(&self, until: Option<Instant>) -> Result<Arc<Place>, Error> {
        let mut standing = self.standing();
        loop {
            if let Some(place) = &standing.place {
                return Ok(Arc::clone(place));
            }
            if let Some(words) = &standing.failed {
                return Err(self.failed(words));
            }
            let left = until.map_or(TELL_AGAIN, |until| until.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(self
                    .failed("the group gave us no partitions in time, so that nothing could be committed"));
            }
            let waited = self.changed.wait_timeout(standing, left);
            standing = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Commits positions without a transaction, as the commit with that number, and does not wait for it.
    ///
    /// # Errors
    /// If they could not be committed; it may be tried again.
    pub fn commit(&self, positions: &Positions, number: u64) -> Result<(), Error> {
        let failed = |why: &str| self.failed(&format!("what was read could not be committed: {why}"));
        if self.standing().place.is_none() {
            return Err(failed("the group has taken partitions from this instance"));
        }
        let offsets = self.offsets(positions, &self.mark(number));
        self.consumer.commit(&offsets, CommitMode::Async).map_err(|error| failed(&said_by(&error)))
    }
}

impl Group {
    /// As [`Self::commit`], and waits until it is known to be done.
    ///
    /// # Errors
    /// If it was not in time.
    pub fn commit_surely(&self, positions: &Positions, number: u64, within: Duration) -> Result<(), Error> {
        let deadline = Instant::now() + within;
        let partitions: BTreeSet<i32> = positions.keys().copied().collect();
        let mark = self.mark(number);
        loop {
            let committed = self.commit(positions, number);
            let known = self.committed(&partitions);
            if known.is_ok_and(|found| found.values().all(|(_, of)| *of == mark)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                return committed.and(Err(self.failed("what was read could not be committed in time")));
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Sixteen digits that no other run has.
fn run_name() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
