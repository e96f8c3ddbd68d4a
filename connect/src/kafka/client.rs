//! Consumer and producer as they are set up here, what they report, and their errors in words.
//!
//! What librdkafka has to say comes in through two doors: errors of a call, and reports that come while a client is polled. Both
//! become sentences here. A cluster that is away reports many times a second: [`Heard`] keeps what was reported, and whoever waits
//! tells it once in a while.
//!
//! All properties of librdkafka can be set by a file, but for those on which it rests that nothing is lost or repeated.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, ProducerContext};
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::address::{Alerts, Events, Topic};
use crate::Error;

pub(super) type Consumer = BaseConsumer<Heard>;
pub(super) type Producer = BaseProducer<Heard>;

/// What a client had to report.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Reports>);

/// See [`Heard`].
#[derive(Debug, Default)]
pub(super) struct Reports {
    /// What the group decided, in order.
    pub(super) changes: Vec<Change>,
    /// The brokers will not have us.
    pub(super) refused: Option<String>,
    /// The last trouble with brokers.
    pub(super) trouble: Option<String>,
    /// The client can do nothing any more.
    pub(super) fatal: Option<String>,
    /// The last message that could not be delivered.
    pub(super) undelivered: Option<RDKafkaErrorCode>,
}

/// What a group decided about partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// They are ours once we say from where to read them.
    Offered(Vec<i32>),
    /// They are no longer ours.
    Taken(Vec<i32>),
    Failed(String),
}

impl Heard {
    pub(super) fn reports(&self) -> MutexGuard<'_, Reports> {
        // Whoever panicked here has ended the process.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Heard {
    /// What matters comes as an error too, in better words.
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    fn error(&self, error: KafkaError, reason: &str) {
        let mut reports = self.reports();
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed
                | RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed,
            ) => reports.refused = Some(reason.to_owned()),
            // An SSL error may be a certificate that nobody here trusts; it does not mend itself.
            Some(RDKafkaErrorCode::SSL) => reports.refused = Some(reason.to_owned()),
            Some(RDKafkaErrorCode::Fatal | RDKafkaErrorCode::FencedInstanceId) => {
                reports.fatal = Some(reason.to_owned());
            }
            _ => reports.trouble = Some(reason.to_owned()),
        }
    }
}

impl ConsumerContext for Heard {
    /// Notes what was decided. What is offered is taken by whoever polls, once it is known from where to read.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, said: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions: Vec<i32> = list.elements().iter().map(|of| of.partition()).collect();
        let change = match said {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Change::Offered(partitions),
            _ => match consumer.incremental_unassign(list) {
                Ok(()) => Change::Taken(partitions),
                Err(error) => Change::Failed(said_by(&error)),
            },
        };
        self.reports().changes.push(change);
    }
}

impl ProducerContext for Heard {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.reports().undelivered = error.rdkafka_error_code();
        }
    }
}

/// What came of a call about a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: RDKafkaErrorCode,
    pub(super) words: String,
    /// The producer can do nothing any more.
    pub(super) fatal: bool,
    /// The same call may do it yet.
    pub(super) again: bool,
    /// The transaction can only be aborted.
    pub(super) abort: bool,
}

impl From<KafkaError> for Failure {
    fn from(error: KafkaError) -> Self {
        match &error {
            KafkaError::Transaction(said) => Self {
                code: said.code(),
                words: said.string(),
                fatal: said.is_fatal(),
                again: said.is_retriable(),
                abort: said.txn_requires_abort(),
            },
            other => {
                let code = other.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail);
                let again = matches!(
                    code,
                    RDKafkaErrorCode::QueueFull
                        | RDKafkaErrorCode::OperationTimedOut
                        | RDKafkaErrorCode::MessageTimedOut
                );
                Self { code, words: said_by(other), fatal: false, again, abort: !again }
            }
        }
    }
}

/// The words of librdkafka without those of its crate around them.
pub(super) fn said_by(error: &KafkaError) -> String {
    match error.rdkafka_error_code() {
        Some(code) => said_of(code),
        None => error.to_string(),
    }
}

/// As above: `Broker: Unknown topic` is that, without who said it and without the number behind it.
pub(super) fn said_of(code: RDKafkaErrorCode) -> String {
    let said = code.to_string();
    let said = said.split_once(" (").map_or(said.as_str(), |(_, inner)| inner.trim_end_matches(')'));
    let said = said.trim_start_matches("Broker: ").trim_start_matches("Local: ");
    said.to_owned()
}

/// What a consumer needs, whatever a file says.
const OF_A_CONSUMER: &[(&str, &str)] = &[
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    // An offset that is gone must be told, not passed over.
    ("auto.offset.reset", "error"),
    // Taken in batches, what tells of an end moves the position behind it, and a message would be passed over.
    ("enable.partition.eof", "false"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("isolation.level", "read_committed"),
    ("group.protocol", "classic"),
];

/// What it has unless a file says otherwise.
const USUAL_OF_A_CONSUMER: &[(&str, &str)] = &[
    ("client.id", "auditd-rules"),
    // Whoever was killed is out of the group so long after.
    ("session.timeout.ms", "10000"),
    ("heartbeat.interval.ms", "2000"),
    // New partitions are seen so soon.
    ("topic.metadata.refresh.interval.ms", "30000"),
    ("queued.min.messages", "100000"),
    ("queued.max.messages.kbytes", "65536"),
    ("fetch.message.max.bytes", "4194304"),
    ("fetch.wait.max.ms", "50"),
    // With the 1,000 ms that librdkafka has, a queue that was full starves what comes behind it.
    ("fetch.queue.backoff.ms", "1"),
    ("reconnect.backoff.max.ms", "2000"),
];

const OF_A_PRODUCER: &[(&str, &str)] = &[("enable.idempotence", "true"), ("acks", "all")];

const USUAL_OF_A_PRODUCER: &[(&str, &str)] = &[
    ("client.id", "auditd-rules"),
    ("compression.type", "lz4"),
    ("linger.ms", "2"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// A consumer of a group, that has not joined it yet.
/// Also how long it may be silent until its group gives it up.
pub(super) fn consumer(source: &Events, line_bytes_max: usize) -> Result<(Consumer, Duration), Error> {
    let mut config = config(&source.topic, USUAL_OF_A_CONSUMER, OF_A_CONSUMER, &["group.id"])?;
    config.set("group.id", &source.group);
    if config.get("receive.message.max.bytes").is_none() {
        // A message above the limit must come too, to be counted; some room is for what stands around it.
        let most = line_bytes_max.saturating_mul(2).clamp(100_000_000, 1_000_000_000);
        config.set("receive.message.max.bytes", most.to_string());
    }
    let session = config.get("session.timeout.ms").and_then(|ms| ms.parse().ok()).unwrap_or(10_000);
    let consumer = create(&source.topic, || config.create_with_context(Heard::default()))?;
    Ok((consumer, Duration::from_millis(session)))
}

/// A producer, that has not begun yet.
pub(super) fn producer(sink: &Alerts, transactional_id: &str) -> Result<Producer, Error> {
    let mut config = config(&sink.topic, USUAL_OF_A_PRODUCER, OF_A_PRODUCER, &[])?;
    if config.get("transactional.id").is_none() {
        config.set("transactional.id", transactional_id);
    }
    create(&sink.topic, || config.create_with_context(Heard::default()))
}

fn create<T>(topic: &Topic, make: impl FnOnce() -> Result<T, KafkaError>) -> Result<T, Error> {
    make().map_err(|error| {
        let of = topic.properties.as_deref().map_or(String::new(), |path| format!(" ({})", path.display()));
        match error {
            KafkaError::ClientConfig(_, words, key, _) => {
                Error::usage(format!("the property `{key}` of kafka://{}{of}: {words}", topic.brokers))
            }
            other => Error::usage(format!("kafka://{}{of}: {other}", topic.brokers)),
        }
    })
}

/// What is usual, over it what the file says, over that what must be.
fn config(
    topic: &Topic,
    usual: &[(&str, &str)],
    must: &[(&str, &str)],
    given: &[&str],
) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::new();
    for (key, value) in usual {
        config.set(*key, *value);
    }
    if let Some(path) = &topic.properties {
        for (key, value) in properties(path)? {
            let fixed = must.iter().any(|(of, _)| *of == key) || given.contains(&key.as_str());
            if fixed || key == "bootstrap.servers" || key == "metadata.broker.list" {
                let path = path.display();
                return Err(Error::usage(format!("the property `{key}` in {path} is not for a file to set")));
            }
            config.set(key, value);
        }
    }
    for (key, value) in must {
        config.set(*key, *value);
    }
    config.set("bootstrap.servers", &topic.brokers);
    Ok(config)
}

/// `key=value` lines; `#` begins a comment line.
fn properties(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let text = std::fs::read_to_string(path).map_err(|cause| Error::io("read", path, &cause))?;
    let mut found = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line itself may hold a secret.
        let Some((key, value)) = line.split_once('=') else {
            let path = path.display();
            return Err(Error::usage(format!("line {number} of {path} is no property; one is key=value")));
        };
        found.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
