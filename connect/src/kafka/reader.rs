//! The thread that reads: messages from librdkafka's queues to blocks of whole documents, each partition a source of its own.
//!
//! It takes no message while it has something that nobody wanted yet, but goes on to serve the client, so that a run that
//! is slow or waits for its sink stays in its group. What librdkafka fetches ahead is bounded by its own limits.
//!
//! A partition is at its end when a broker has said so, lately: silence of a broker that is cut off is no silence of the
//! partition, and must not let time pass. So at the end it is asked again every [`ASK_AGAIN`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine::frame::blocks::Block;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode;

use super::Positions;
use super::address::Events;
use super::client::{Change, said_by, said_of};
use super::group::{ASK, Committed, Group, Patience, Tell};
use super::message::Building;
use super::native::{Got, Queue};
use crate::Error;

/// Messages taken in one go.
const BATCH: usize = 1000;
/// A batch is full or waits so long for more: this is how long a single message may lie.
const WAIT: Duration = Duration::from_millis(5);
/// How many blocks may lie ready.
const AHEAD: usize = 8;
/// How often a broker is asked whether a silent partition is at its end.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// The same while the end is what is waited for.
const ASK_SOON: Duration = Duration::from_millis(200);
/// How often the place in the group is read, besides after each change.
const PLACE_EVERY: Duration = Duration::from_millis(500);

/// What is to be read, and how.
pub struct Options {
    /// The topic and the group.
    pub source: Events,
    /// The longest document.
    pub line_bytes_max: usize,
    /// Only up to where the partitions end now.
    pub until_end: bool,
    /// Becomes true when somebody asks for the end.
    pub stop: Arc<AtomicBool>,
    /// Takes what there is to say.
    pub tell: Tell,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("source", &self.source).finish_non_exhaustive()
    }
}

/// What a reader gives.
#[derive(Debug)]
pub enum Given {
    /// From here on the partition is a source: there is something to read of it.
    Source(i32),
    /// Whole documents of a partition.
    Block {
        /// Which.
        partition: i32,
        /// They; of a source that has no number yet.
        block: Block,
        /// What comes next in it.
        next: i64,
    },
    /// A broker has just said that the partition ends there.
    AtEnd {
        /// Which.
        partition: i32,
        /// What comes next in it.
        next: i64,
    },
    /// All has been given of the partition that was to be read.
    Ended {
        /// Which.
        partition: i32,
        /// What would come next in it.
        next: i64,
    },
    /// So many messages were gone before they could be read.
    Lost {
        /// Of which partition.
        partition: i32,
        /// How many at most.
        messages: i64,
    },
    /// It cannot go on.
    Failed(Error),
}

/// The only member of its group, which was offered partitions and has read nothing yet.
#[derive(Debug)]
pub struct Member {
    group: Arc<Group>,
    offered: BTreeSet<i32>,
    line_bytes_max: usize,
    until_end: bool,
}

impl Member {
    /// Waits for the brokers, and until nobody else is in the group. Nothing if somebody asked for the end before.
    ///
    /// # Errors
    /// If the brokers refuse us, there is no such topic, or another instance is in the group.
    pub fn join(options: &Options) -> Result<Option<Self>, Error> {
        let Options { source, line_bytes_max, until_end, stop, tell } = options;
        let joined = Group::join(source, *line_bytes_max, stop, tell)?;
        let (line_bytes_max, until_end) = (*line_bytes_max, *until_end);
        Ok(joined.map(|(group, offered)| Self { group, offered, line_bytes_max, until_end }))
    }

    /// The group, for whoever commits.
    #[must_use]
    pub fn group(&self) -> Arc<Group> {
        Arc::clone(&self.group)
    }

    /// Begins to read where `at` says, else behind what was committed, else with what is oldest. Gives also what these
    /// positions are. Nothing if somebody asked for the end before.
    ///
    /// # Errors
    /// If a position is not one of its partition.
    pub fn begin(self, at: &Positions) -> Result<Option<(Reader, Positions)>, Error> {
        let Self { group, offered, line_bytes_max, until_end } = self;
        let queue = Queue::new(Arc::clone(&group.consumer), BATCH);
        let (give, given) = sync_channel(AHEAD);
        let (back, spares) = sync_channel(AHEAD);
        let shared = Arc::new(Shared::default());
        let mut work = Work {
            group: Arc::clone(&group),
            queue,
            partitions: BTreeMap::new(),
            line_bytes_max,
            until_end,
            give,
            spares,
            ready: VecDeque::new(),
            shared: Arc::clone(&shared),
            patience: Patience::new(),
            asked: Instant::now(),
            placed: Instant::now(),
        };
        if !work.take_up(&offered, at)? {
            return Ok(None);
        }
        let positions = work.partitions.iter().map(|(id, of)| (*id, of.next)).collect();
        let thread = thread::spawn(move || work.run());
        Ok(Some((Reader { given, back, shared, thread: Some(thread) }, positions)))
    }
}

/// What the thread and who listens to it both see.
#[derive(Debug, Default)]
struct Shared {
    /// Nothing more is to be read.
    quiet: AtomicBool,
    /// It shall end.
    done: AtomicBool,
    tombstones: AtomicU64,
}

/// A topic that is being read.
#[derive(Debug)]
pub struct Reader {
    given: Receiver<Given>,
    back: SyncSender<Block>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// What comes next; nothing if nothing does in that time.
    pub fn next(&self, wait: Duration) -> Option<Given> {
        match self.given.recv_timeout(wait) {
            Ok(given) => Some(given),
            Err(RecvTimeoutError::Timeout) => None,
            // It ends of itself only after it told why.
            Err(RecvTimeoutError::Disconnected) => {
                Some(Given::Failed(Error::failed("nothing is read any more")))
            }
        }
    }

    /// Takes a block back, for its memory.
    pub fn take_back(&self, block: Block) {
        let _enough = self.back.try_send(block);
    }

    /// How many messages had no value.
    #[must_use]
    pub fn tombstones(&self) -> u64 {
        self.shared.tombstones.load(Ordering::Relaxed)
    }

    /// Reads nothing more; the place in the group is kept, so that what was read can be committed.
    pub fn hold(&self) {
        self.shared.quiet.store(true, Ordering::Relaxed);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It looks at the flag many times a second. If it panicked, that has been told.
            let _ended = thread.join();
        }
    }
}

/// A partition that is being read.
#[derive(Debug)]
struct Partition {
    next: i64,
    /// What is at or behind this is not read.
    end: Option<i64>,
    ended: bool,
    /// It is ours at present.
    held: bool,
    /// [`Given::Source`] was given.
    told: bool,
    /// When a message came last.
    heard: Instant,
    building: Building,
}

/// What the thread works on.
struct Work {
    group: Arc<Group>,
    queue: Queue,
    partitions: BTreeMap<i32, Partition>,
    line_bytes_max: usize,
    until_end: bool,
    give: SyncSender<Given>,
    spares: Receiver<Block>,
    /// What is to be given, once there is room for it.
    ready: VecDeque<Given>,
    shared: Arc<Shared>,
    patience: Patience,
    asked: Instant,
    placed: Instant,
}

impl Work {
    fn run(mut self) {
        while !self.shared.done.load(Ordering::Relaxed) {
            if let Err(error) = self.step() {
                self.group.fails(&error.to_string());
                self.ready.push_back(Given::Failed(error));
                break;
            }
        }
        while !self.ready.is_empty() && !self.shared.done.load(Ordering::Relaxed) {
            self.hand_on();
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn step(&mut self) -> Result<(), Error> {
        self.group.serve(Duration::ZERO)?;
        let changes = self.group.changes();
        let changed = !changes.is_empty();
        for change in changes {
            self.change(change)?;
        }
        let whole = self.partitions.values().all(|of| of.held);
        if whole && (changed || self.placed.elapsed() > PLACE_EVERY) {
            self.group.stands();
            self.placed = Instant::now();
        }
        self.hand_on();
        if !self.ready.is_empty() || self.shared.quiet.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(1));
            return Ok(());
        }
        self.take()?;
        if self.asked.elapsed() > if self.until_end { ASK_SOON } else { ASK_AGAIN } {
            self.ask_again()?;
            self.asked = Instant::now();
        }
        Ok(())
    }

    fn hand_on(&mut self) {
        while let Some(given) = self.ready.pop_front() {
            match self.give.try_send(given) {
                Ok(()) => {}
                Err(TrySendError::Full(given)) => {
                    self.ready.push_front(given);
                    return;
                }
                Err(TrySendError::Disconnected(_)) => {
                    self.shared.done.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// Takes messages until there are no more, or enough for now.
    fn take(&mut self) -> Result<(), Error> {
        let Self { queue, partitions, ready, spares, shared, line_bytes_max, .. } = self;
        let mut broken: Vec<(i32, RDKafkaErrorCode)> = Vec::new();
        let mut finished: Vec<i32> = Vec::new();
        queue.take(WAIT, |got| {
            let Some(of) = partitions.get_mut(&got.partition) else { return };
            match got.error {
                None => {
                    of.message(got, *line_bytes_max, shared);
                    if of.building.is_full() || of.is_over() {
                        of.cut(got.partition, spares, ready);
                    }
                }
                Some(error) => broken.push((got.partition, error)),
            }
            if of.is_over() && !of.ended {
                of.ended = true;
                finished.push(got.partition);
                ready.push_back(Given::Ended { partition: got.partition, next: of.next });
            }
        });
        for (id, of) in partitions.iter_mut() {
            of.cut(*id, spares, ready);
        }
        if !finished.is_empty() {
            let mut list = TopicPartitionList::new();
            for partition in finished {
                list.add_partition(&self.group.topic, partition);
            }
            // If it is fetched nevertheless, it is passed over.
            let _paused = self.group.consumer.pause(&list);
        }
        broken.into_iter().try_for_each(|(partition, error)| self.broken(partition, error))
    }

    /// A partition could not be read on.
    fn broken(&mut self, partition: i32, error: RDKafkaErrorCode) -> Result<(), Error> {
        use RDKafkaErrorCode as Code;
        match error {
            Code::AutoOffsetReset | Code::OffsetOutOfRange => self.skip_what_is_gone(partition),
            Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => {
                let topic = &self.group.topic;
                Err(self.group.failed(&format!("{topic}/{partition} is gone: was the topic deleted?")))
            }
            Code::TopicAuthorizationFailed => {
                Err(self.group.failed(&format!("the topic `{}` is not ours to read", self.group.topic)))
            }
            other => {
                let words = format!("kafka:{}/{partition}: {}", self.group.topic, said_of(other));
                self.patience.tell(&self.group, &words);
                Ok(())
            }
        }
    }

    /// Retention passed us by: what is there is read on, and what is not is told.
    fn skip_what_is_gone(&mut self, partition: i32) -> Result<(), Error> {
        let Some((low, high)) = self.watermarks(partition)? else { return Ok(()) };
        let Some(of) = self.partitions.get_mut(&partition) else { return Ok(()) };
        if of.next > high {
            return Err(made_anew(&self.group, partition, of.next, high));
        }
        if low > of.next {
            let messages = low - of.next;
            of.next = low;
            self.ready.push_back(Given::Lost { partition, messages });
        }
        let list = list_of(&self.group.topic, [(partition, of.next)]);
        let consumer = &self.group.consumer;
        let again = consumer.incremental_unassign(&list).and_then(|()| consumer.incremental_assign(&list));
        again.map_err(|error| self.group.failed(&said_by(&error)))
    }

    fn change(&mut self, change: Change) -> Result<(), Error> {
        match change {
            Change::Offered(offered) => {
                self.take_up(&offered.into_iter().collect(), &Positions::new()).map(|_| ())
            }
            Change::Taken(taken) => {
                self.group.falls();
                for partition in &taken {
                    if let Some(of) = self.partitions.get_mut(partition) {
                        of.held = false;
                    }
                }
                if !taken.is_empty() {
                    let (name, count) = (&self.group.name, taken.len());
                    let words = format!(
                        "the group `{name}` took {count} partitions from this instance; it goes on when it has them back, and \
                         until then nothing is committed"
                    );
                    (self.group.tell)(&words);
                }
                Ok(())
            }
            Change::Failed(words) => Err(self.group.failed(&words)),
        }
    }

    /// Reads partitions that were offered: those that it knows where it was, others where `at` says, or behind what was
    /// committed, or from their beginning. Gives whether it could before somebody asked for the end.
    fn take_up(&mut self, offered: &BTreeSet<i32>, at: &Positions) -> Result<bool, Error> {
        let Some(committed) = self.until_known(|work| work.group.committed(offered))? else {
            return Ok(false);
        };
        for (partition, found) in &committed {
            if self.partitions.contains_key(partition) && !self.group.knows(*partition, found) {
                let (name, topic) = (&self.group.name, &self.group.topic);
                return Err(self.group.failed(&format!(
                    "somebody else has read {topic}/{partition} for the group `{name}` while this instance did not have it; start \
                     this one anew when the other has ended"
                )));
            }
        }
        let mut list = Vec::new();
        for partition in offered {
            if !self.partitions.contains_key(partition) && !self.meet(*partition, &committed, at)? {
                return Ok(false);
            }
            self.queue.forward(&self.group.topic, *partition);
            if let Some(of) = self.partitions.get_mut(partition) {
                of.held = true;
                list.push((*partition, of.next));
            }
        }
        let list = list_of(&self.group.topic, list);
        let assigned = self.group.consumer.incremental_assign(&list);
        assigned.map_err(|error| self.group.failed(&said_by(&error)))?;
        if self.partitions.values().all(|of| of.held) {
            self.group.stands();
        }
        Ok(true)
    }

    /// A partition that was not known before. Gives false if somebody asked for the end.
    fn meet(&mut self, partition: i32, committed: &Committed, at: &Positions) -> Result<bool, Error> {
        let Some((low, high)) = self.watermarks(partition)? else { return Ok(false) };
        let found = committed.get(&partition).cloned().unwrap_or_default();
        if let (Some(offset), mark) = &found {
            self.group.note_found(partition, (*offset, mark.clone()));
        }
        let wanted = at.get(&partition).copied().or(found.0);
        let next = wanted.unwrap_or(low);
        if next > high {
            return Err(made_anew(&self.group, partition, next, high));
        }
        if low > next {
            self.ready.push_back(Given::Lost { partition, messages: low - next });
        }
        let next = next.max(low);
        // Time waits for a partition that has something; for one that is empty nobody can say how long.
        let told = next < high;
        if told {
            self.ready.push_back(Given::Source(partition));
        }
        let ended = self.until_end && next >= high;
        if ended {
            self.ready.push_back(Given::Ended { partition, next });
        }
        let end = self.until_end.then_some(high);
        let building = Building::default();
        let heard = Instant::now();
        let of = Partition { next, end, ended, held: false, told, heard, building };
        self.partitions.insert(partition, of);
        Ok(true)
    }

    /// The first offset of a partition and the one behind its last.
    fn watermarks(&mut self, partition: i32) -> Result<Option<(i64, i64)>, Error> {
        self.until_known(|work| work.group.consumer.fetch_watermarks(&work.group.topic, partition, ASK))
    }

    /// Asks until there is an answer; nothing if somebody asked for the end.
    fn until_known<T>(&mut self, ask: impl Fn(&Self) -> Result<T, KafkaError>) -> Result<Option<T>, Error> {
        loop {
            match ask(self) {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => {
                    let words = self.group.waiting(&said_by(&error));
                    self.patience.tell(&self.group, &words);
                }
            }
            if self.group.stopped() || self.shared.done.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let reports = self.group.consumer.context().reports();
            if let Some(words) = &reports.fatal {
                return Err(self.group.failed(words));
            }
            drop(reports);
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks of partitions that are silent whether they are at their end.
    fn ask_again(&mut self) -> Result<(), Error> {
        let silent = |of: &&mut Partition| of.held && !of.ended && of.heard.elapsed() > ASK_SOON;
        let Self { group, partitions, ready, .. } = self;
        let reached = group.consumer.position().map_err(|error| group.failed(&said_by(&error)))?;
        for of in reached.elements() {
            // Behind the last message there may be marks of transactions, which only librdkafka sees.
            if let (Offset::Offset(at), Some(mine)) = (of.offset(), partitions.get_mut(&of.partition())) {
                mine.next = mine.next.max(at);
            }
        }
        for (id, of) in partitions {
            let Some(of) = Some(of).filter(silent) else { continue };
            // Whoever is not told again stops to let time pass.
            let Ok((_, high)) = group.consumer.fetch_watermarks(&group.topic, *id, ASK / 2) else { break };
            if high <= of.next {
                ready.push_back(Given::AtEnd { partition: *id, next: of.next });
            }
            if of.is_over() {
                of.ended = true;
                ready.push_back(Given::Ended { partition: *id, next: of.next });
            }
        }
        Ok(())
    }
}

impl Partition {
    fn message(&mut self, got: &Got<'_>, line_bytes_max: usize, shared: &Shared) {
        // After partitions went and came, what was fetched before may come again.
        if got.offset < self.next {
            return;
        }
        if let Some(end) = self.end.filter(|end| got.offset >= *end) {
            self.next = end;
            return;
        }
        self.next = got.offset + 1;
        self.heard = Instant::now();
        match got.value {
            Some(value) if !value.is_empty() => {
                self.building.add(value, got.offset, got.stamp, line_bytes_max)
            }
            _ => {
                shared.tombstones.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// All that was to be read has been.
    fn is_over(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    fn cut(&mut self, id: i32, spares: &Receiver<Block>, ready: &mut VecDeque<Given>) {
        let Some(block) = self.building.cut(|| spares.try_recv().ok()) else { return };
        if !self.told {
            self.told = true;
            ready.push_back(Given::Source(id));
        }
        ready.push_back(Given::Block { partition: id, block, next: self.next });
    }
}

fn made_anew(group: &Group, partition: i32, next: i64, high: i64) -> Error {
    let (name, topic) = (&group.name, &group.topic);
    group.failed(&format!(
        "the group `{name}` has read {topic}/{partition} up to offset {next}, but it ends at {high}: was the topic deleted and made \
         anew? Then name another group"
    ))
}

fn list_of(topic: &str, positions: impl IntoIterator<Item = (i32, i64)>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for (partition, next) in positions {
        // A position is never below zero, which is all that is refused.
        let _added = list.add_partition_offset(topic, partition, Offset::Offset(next));
    }
    list
}
