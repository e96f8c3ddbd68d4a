//! What the tests do with the broker themselves: topics, messages, and what a reader of committed messages sees.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Headers;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::{Broker, PATIENCE};

/// A message as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) headers: Vec<(String, String)>,
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

impl Broker {
    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap);
        config
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        self.config().create().unwrap()
    }

    pub(super) fn topic(&self, name: &str, partitions: i32) {
        let topic =
            NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("max.message.bytes", "20000000");
        let made = wait(self.admin().create_topics(&[topic], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|made| drop(made.unwrap()));
    }

    pub(super) fn grow(&self, name: &str, partitions: usize) {
        let more = NewPartitions::new(name, partitions);
        let made = wait(self.admin().create_partitions(&[more], &AdminOptions::new())).unwrap();
        made.into_iter().for_each(|made| drop(made.unwrap()));
    }

    /// Removes what a partition has below that offset, as retention does.
    pub(super) fn forget(&self, name: &str, partition: i32, below: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(name, partition, Offset::Offset(below)).unwrap();
        wait(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
    }

    /// A producer that waits for nobody; [`produced`] does.
    pub(super) fn producer(&self, more: &[(&str, &str)]) -> BaseProducer {
        let mut config = self.config();
        config.set("message.max.bytes", "20000000").set("linger.ms", "1").set("compression.type", "lz4");
        for (key, value) in more {
            config.set(*key, *value);
        }
        config.create().unwrap()
    }

    /// Messages to a topic, each to a partition.
    pub(super) fn produce<'m>(
        &self,
        topic: &str,
        messages: impl IntoIterator<Item = (i32, Option<&'m [u8]>)>,
    ) {
        let producer = self.producer(&[]);
        for (partition, value) in messages {
            let record =
                BaseRecord::<(), [u8]> { payload: value, ..BaseRecord::to(topic).partition(partition) };
            let mut record = Some(record);
            while let Some(again) = record.take() {
                record = producer.send(again).err().map(|(_, again)| again);
                producer.poll(Duration::ZERO);
            }
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Texts to the partitions of a topic, in turn.
    pub(super) fn spread(&self, topic: &str, partitions: i32, texts: &[String]) {
        let turn = (0..partitions).cycle();
        self.produce(topic, turn.zip(texts).map(|(partition, text)| (partition, Some(text.as_bytes()))));
    }

    /// All that is committed in a topic.
    pub(super) fn committed(&self, topic: &str) -> Vec<Seen> {
        let mut config = self.config();
        config
            .set("group.id", "reader")
            .set("enable.partition.eof", "true")
            .set("isolation.level", "read_committed");
        let consumer: BaseConsumer = config.create().unwrap();
        let about = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let mut list = TopicPartitionList::new();
        let partitions = about.topics()[0].partitions();
        for partition in partitions {
            list.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut seen, mut ended, deadline) = (Vec::new(), 0, Instant::now() + PATIENCE);
        while ended < partitions.len() {
            assert!(Instant::now() < deadline, "{topic} cannot be read to its end");
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => seen.push(of(&message)),
                Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => ended += 1,
                Some(Err(_)) | None => {}
            }
        }
        seen
    }

    /// Waits until that many messages are committed in a topic, and gives them.
    #[track_caller]
    pub(super) fn until_committed(&self, topic: &str, count: usize) -> Vec<Seen> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let seen = self.committed(topic);
            if seen.len() >= count {
                return seen;
            }
            assert!(Instant::now() < deadline, "{} of {count} came to {topic}", seen.len());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Who is in a group.
    pub(super) fn members(&self, group: &str) -> usize {
        let client: BaseConsumer = self.config().create().unwrap();
        let list = client.fetch_group_list(Some(group), PATIENCE).unwrap();
        list.groups().iter().map(|group| group.members().len()).sum()
    }

    /// A consumer that joins a group beside whoever is in it.
    pub(super) fn stranger(&self, group: &str, topic: &str) -> BaseConsumer {
        let mut config = self.config();
        config
            .set("group.id", group)
            .set("client.id", "stranger")
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000");
        let consumer: BaseConsumer = config.create().unwrap();
        consumer.subscribe(&[topic]).unwrap();
        consumer
    }
}

fn of(message: &impl Message) -> Seen {
    let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap();
    let headers = message
        .headers()
        .map(|headers| headers.iter().map(|header| (header.key.to_owned(), text(header.value))).collect());
    Seen { key: text(message.key()), value: text(message.payload()), headers: headers.unwrap_or_default() }
}
