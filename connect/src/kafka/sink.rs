//! The thread that writes: alerts and the offsets of what they were made of, in one transaction.
//!
//! A transaction begins with its first alert and is committed an interval later, with the offsets of all that was decided by then;
//! without alerts the offsets go alone, once in [`OFFSETS_EVERY`]. So whoever reads what is committed sees each alert once.
//!
//! What a transaction holds is kept until it is known that it was committed. If it was aborted, it is sent again as it was: what
//! was decided stands. If the producer can do nothing any more, most often since a broker was away longer than a transaction may
//! stay open, a new one takes its name, and the committed offsets say by their mark whether the transaction got through.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::Positions;
use super::address::Alerts;
use super::client::{self, Failure, Producer, said_by, said_of};
use super::group::{ASK, Group, Patience};
use super::native::Place;
use crate::Error;

/// How often offsets are committed while there is no alert.
const OFFSETS_EVERY: Duration = Duration::from_secs(1);
/// A call that a broker must answer waits so long before it is made again.
const CALL: Duration = Duration::from_secs(5);
/// At the end of a run so long is tried to commit the rest.
const REST_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(100);
/// Not more is kept for one transaction.
const RECORDS_MAX: usize = 10_000;
/// What may wait for the thread.
const LOTS: usize = 64;

/// What becomes a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Messages of one key stay in their order.
    pub key: Vec<u8>,
    /// The alert.
    pub value: Vec<u8>,
    /// What can be known of it unread.
    pub headers: Vec<(&'static str, String)>,
}

/// What came of some input, and what comes next in it.
struct Lot {
    records: Vec<Record>,
    positions: Positions,
}

/// A topic that is written to.
#[derive(Debug)]
pub struct Sink {
    give: Option<SyncSender<Lot>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Sink {
    /// Opens it in the name of a group, whose open transaction, if one was left behind, is aborted by that. Nothing if
    /// somebody asked for the end before.
    ///
    /// # Errors
    /// If there is no such topic, it is on another cluster, or the brokers refuse us.
    pub fn open(to: &Alerts, group: &Arc<Group>) -> Result<Option<Self>, Error> {
        if group.wait_for_topic(&to.topic.name)?.is_none() {
            return Ok(None);
        }
        let Some(producer) = begin(to, group, None)? else { return Ok(None) };
        let id = producer.client().fetch_cluster_id(ASK);
        if id.is_some() && id != group.consumer.client().fetch_cluster_id(ASK) {
            return Err(Error::usage(format!(
                "kafka://{} is another cluster than that of the events, and no transaction spans two; write to a file, or to a topic \
                 beside them",
                to.topic.brokers
            )));
        }
        let (give, lots) = sync_channel(LOTS);
        let writing = Writing {
            to: to.clone(),
            group: Arc::clone(group),
            producer: Some(producer),
            begun: false,
            records: Vec::new(),
            sent: 0,
            positions: Positions::new(),
            committed: Positions::new(),
            number: 0,
            patience: Patience::new(),
        };
        let thread = thread::spawn(move || writing.run(&lots));
        Ok(Some(Self { give: Some(give), thread: Some(thread) }))
    }

    /// Hands over what came of input up to these positions; waits if there is too much.
    ///
    /// # Errors
    /// If nothing can be written any more.
    pub fn give(&mut self, records: Vec<Record>, positions: Positions) -> Result<(), Error> {
        let given = self.give.as_ref().is_some_and(|give| give.send(Lot { records, positions }).is_ok());
        if given { Ok(()) } else { self.finish().and(Err(Error::failed("alerts are written no more"))) }
    }

    /// Commits what is left and ends.
    ///
    /// # Errors
    /// If it could not be committed.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.give = None;
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            None => Ok(()),
        }
    }
}

impl Drop for Sink {
    /// Ends without what is left: nobody asked for that, so the run has failed.
    fn drop(&mut self) {
        self.give = None;
    }
}

/// A producer that may begin transactions.
fn begin(to: &Alerts, group: &Group, until: Option<Instant>) -> Result<Option<Producer>, Error> {
    let producer = client::producer(to, &format!("auditd-rules.{}", group.name))?;
    let mut patience = Patience::new();
    loop {
        let failure = match producer.init_transactions(ASK) {
            Ok(()) => return Ok(Some(producer)),
            Err(error) => Failure::from(error),
        };
        producer.poll(Duration::ZERO);
        let mut reports = producer.context().reports();
        if let Some(words) = reports.refused.take() {
            return Err(group.failed(&format!("the broker refuses us: {words}")));
        }
        drop(reports);
        if !failure.again || until.is_some_and(|until| Instant::now() > until) {
            return Err(group.failed(&format!("no transactions: {}", failure.words)));
        }
        if until.is_none() && group.stopped() {
            return Ok(None);
        }
        patience.tell(group, &group.waiting(&failure.words));
        thread::sleep(PAUSE);
    }
}

/// What the thread works on.
struct Writing {
    to: Alerts,
    group: Arc<Group>,
    /// There is one but while it is replaced.
    producer: Option<Producer>,
    /// A transaction is open.
    begun: bool,
    /// What is not known to be committed, and how much of it is in the transaction.
    records: Vec<Record>,
    sent: usize,
    positions: Positions,
    committed: Positions,
    /// Of the next commit: with the run's name it makes its mark.
    number: u64,
    patience: Patience,
}

impl Writing {
    fn run(mut self, lots: &Receiver<Lot>) -> Result<(), Error> {
        let mut due: Option<Instant> = None;
        loop {
            let left = due.map_or(PAUSE, |due| due.saturating_duration_since(Instant::now()));
            match lots.recv_timeout(left.min(PAUSE)) {
                Ok(Lot { records, positions }) => {
                    self.positions.extend(positions);
                    self.records.extend(records);
                    let within = if self.records.is_empty() { OFFSETS_EVERY } else { self.to.interval };
                    let at = Instant::now() + within;
                    due = Some(due.map_or(at, |due| due.min(at)));
                    self.send_ahead();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return self.commit(Some(Instant::now() + REST_WITHIN));
                }
            }
            self.poll();
            if due.is_some_and(|due| due <= Instant::now()) || self.records.len() > RECORDS_MAX {
                self.commit(None)?;
                due = None;
            }
        }
    }

    fn poll(&self) {
        if let Some(producer) = &self.producer {
            producer.poll(Duration::ZERO);
        }
    }

    /// Puts new records on their way; what fails here fails again at the commit.
    fn send_ahead(&mut self) {
        if !self.records.is_empty() && self.begin().is_ok() {
            let _later = self.send();
        }
    }

    fn producer(&self) -> Result<&Producer, Failure> {
        let gone = || Failure {
            code: Code::Fatal,
            words: "the producer is gone".to_owned(),
            fatal: true,
            again: false,
            abort: false,
        };
        self.producer.as_ref().ok_or_else(gone)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        if !self.begun {
            self.producer()?.begin_transaction().map_err(Failure::from)?;
            (self.begun, self.sent) = (true, 0);
        }
        Ok(())
    }

    /// Puts what is not in the transaction yet into it.
    fn send(&mut self) -> Result<(), Failure> {
        while let Some(record) = self.records.get(self.sent) {
            let producer = self.producer()?;
            let mut headers = OwnedHeaders::new_with_capacity(record.headers.len());
            for (key, value) in &record.headers {
                headers = headers.insert(Header { key, value: Some(value.as_bytes()) });
            }
            let message = BaseRecord::to(&self.to.topic.name)
                .key(record.key.as_slice())
                .payload(record.value.as_slice())
                .headers(headers);
            match producer.send(message) {
                Ok(()) => self.sent += 1,
                Err((error, _)) if error.rdkafka_error_code() == Some(Code::QueueFull) => {
                    producer.poll(Duration::from_millis(1));
                }
                Err((error, _)) => {
                    producer.context().reports().undelivered = error.rdkafka_error_code();
                    return Err(error.into());
                }
            }
        }
        Ok(())
    }

    /// Commits everything, however often that must be tried, but not after `until`.
    fn commit(&mut self, until: Option<Instant>) -> Result<(), Error> {
        if self.records.is_empty() && self.positions == self.committed {
            return Ok(());
        }
        loop {
            let place = self.group.place(until)?;
            let done = match self.attempt(&place, until) {
                Ok(()) => true,
                Err(failure) => {
                    self.judge(&failure, until)?;
                    self.recover(&failure, until)?
                }
            };
            if done {
                self.records.clear();
                self.committed.clone_from(&self.positions);
                self.number += 1;
                (self.begun, self.sent) = (false, 0);
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
    }

    /// The whole of a transaction.
    fn attempt(&mut self, place: &Place, until: Option<Instant>) -> Result<(), Failure> {
        self.begin()?;
        self.send()?;
        let producer = self.producer()?;
        // `flush` waits in steps of a tenth of a second.
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(1));
            if late(until) {
                break;
            }
        }
        let offsets = self.group.offsets(&self.positions, &self.group.mark(self.number));
        let mut patience = Patience::new();
        self.again(until, &mut patience, || place.send(producer, &offsets, CALL))?;
        self.again(until, &mut patience, || producer.commit_transaction(CALL).map_err(Failure::from))
    }

    /// Makes a call until it does not say that it should be made again.
    fn again(
        &self,
        until: Option<Instant>,
        patience: &mut Patience,
        call: impl Fn() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        loop {
            match call() {
                Err(failure) if failure.again && !failure.abort && !late(until) => {
                    self.poll();
                    patience.tell(&self.group, &self.group.waiting(&failure.words));
                    thread::sleep(PAUSE);
                }
                other => return other,
            }
        }
    }

    /// Whether there is sense in trying again.
    fn judge(&mut self, failure: &Failure, until: Option<Instant>) -> Result<(), Error> {
        self.poll();
        let undelivered = match &self.producer {
            Some(producer) => producer.context().reports().undelivered.take(),
            None => None,
        };
        if let Some(
            code @ (Code::MessageSizeTooLarge
            | Code::InvalidMessageSize
            | Code::TopicAuthorizationFailed
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::TransactionalIdAuthorizationFailed),
        ) = undelivered
        {
            let topic = &self.to.topic.name;
            return Err(self
                .group
                .failed(&format!("alerts cannot be written to `{topic}`: {}", said_of(code))));
        }
        if late(until) {
            return Err(self.group.failed(&format!(
                "{} alerts could not be committed in time ({}); they come again when it is started anew",
                self.records.len(),
                failure.words
            )));
        }
        let words =
            format!("kafka://{}: a transaction did not get through ({})", self.group.brokers, failure.words);
        self.patience.tell(&self.group, &words);
        Ok(())
    }

    /// Makes it possible to send everything again, and gives whether that is not needed, as it was committed after all.
    fn recover(&mut self, failure: &Failure, until: Option<Instant>) -> Result<bool, Error> {
        let mut fatal = failure.fatal;
        if !fatal && self.begun {
            let aborted = self.producer().and_then(|producer| {
                let abort = || producer.abort_transaction(CALL).map_err(Failure::from);
                self.again(until, &mut Patience::new(), abort)
            });
            fatal = aborted.is_err();
        }
        (self.begun, self.sent) = (false, 0);
        if !fatal {
            return Ok(false);
        }
        // Not both at a time: the new one would fence the old one, which is known already, and the old one would tell so.
        self.producer = None;
        let Some(producer) = begin(&self.to, &self.group, until)? else {
            return Err(self.group.failed("asked to end while a transaction was in doubt"));
        };
        self.producer = Some(producer);
        self.was_committed(until)
    }

    /// Whether what is kept was committed, as the offsets tell.
    fn was_committed(&mut self, until: Option<Instant>) -> Result<bool, Error> {
        let partitions: BTreeSet<i32> = self.positions.keys().copied().collect();
        let found = loop {
            match self.group.committed(&partitions) {
                Ok(found) => break found,
                Err(error) if late(until) => return Err(self.group.failed(&said_by(&error))),
                Err(error) => self.patience.tell(&self.group, &self.group.waiting(&said_by(&error))),
            }
            thread::sleep(PAUSE);
        };
        if let Some((partition, _)) = found.iter().find(|(id, found)| !self.group.knows(**id, found)) {
            let (name, topic) = (&self.group.name, &self.group.topic);
            return Err(self.group.failed(&format!(
                "somebody else has committed for the group `{name}` on {topic}/{partition} while this instance was cut off"
            )));
        }
        let mark = self.group.mark(self.number);
        Ok(!found.is_empty() && found.values().all(|(_, of)| *of == mark))
    }
}

fn late(until: Option<Instant>) -> bool {
    until.is_some_and(|until| Instant::now() > until)
}
