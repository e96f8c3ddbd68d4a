//! What the `rdkafka` crate has no safe call for: batches from a queue of our own, and offsets with a group's generation.
//!
//! The crate gives messages one by one, at twice the cost. librdkafka's batches from the consumer's own queue would serve
//! rebalances too, by callbacks that the crate does not set, and drop the whole assignment. So partitions are forwarded to a
//! queue that is ours: on it there are messages and errors of partitions, and nothing else.
//!
//! All unsafe code of the crate is in this file; each block is one call into librdkafka, whose objects are safe to use from any
//! thread.

#![expect(unsafe_code, reason = "calls into librdkafka that its crate does not make")]

use std::ffi::{CStr, CString};
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::bindings as rd;
use rdkafka::consumer::Consumer as _;
use rdkafka::producer::Producer as _;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};

use super::client::{Consumer, Failure, Producer};

/// A message, or an error of a partition.
#[derive(Debug)]
pub(super) struct Got<'m> {
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// That it is none, but this.
    pub(super) error: Option<RDKafkaErrorCode>,
    /// `None` of a tombstone.
    pub(super) value: Option<&'m [u8]>,
    /// Milliseconds since the Unix epoch, if it has a timestamp.
    pub(super) stamp: Option<i64>,
}

/// A queue of our own, to which partitions are forwarded.
pub(super) struct Queue {
    queue: *mut rd::rd_kafka_queue_t,
    room: Vec<*mut rd::rd_kafka_message_t>,
    /// Must outlive the queue.
    consumer: Arc<Consumer>,
}

// SAFETY: librdkafka's queues may be used from any thread; `room` holds nothing between calls.
unsafe impl Send for Queue {}

impl Queue {
    /// A queue that gives so many messages in one go.
    pub(super) fn new(consumer: Arc<Consumer>, batch: usize) -> Self {
        // SAFETY: the client lives as long as `consumer`.
        let queue = unsafe { rd::rd_kafka_queue_new(consumer.client().native_ptr()) };
        Self { queue, room: vec![ptr::null_mut(); batch], consumer }
    }

    /// From now on messages of a partition come here. Before a partition is assigned; it lasts until the client ends.
    pub(super) fn forward(&self, topic: &str, partition: i32) {
        // Names of topics were checked, and have no zero byte.
        let Ok(topic) = CString::new(topic) else { return };
        let client = self.consumer.client().native_ptr();
        // SAFETY: the client lives, and the name is read only during the call.
        let of_partition = unsafe { rd::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition) };
        if of_partition.is_null() {
            return;
        }
        // SAFETY: both queues are references that we hold.
        unsafe { rd::rd_kafka_queue_forward(of_partition, self.queue) };
        // SAFETY: it is ours, and given back once.
        unsafe { rd::rd_kafka_queue_destroy(of_partition) };
    }

    /// Takes what is there, or comes within that time. Gives whether there may be more.
    pub(super) fn take(&mut self, wait: Duration, mut each: impl FnMut(&Got<'_>)) -> bool {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let (room, size) = (self.room.as_mut_ptr(), self.room.len());
        // SAFETY: there is room for `size` pointers.
        let count = unsafe { rd::rd_kafka_consume_batch_queue(self.queue, wait, room, size) };
        let count = usize::try_from(count).unwrap_or(0).min(size);
        for message in &self.room[..count] {
            let message = *message;
            // SAFETY: librdkafka gave it, and it lives until it is destroyed below.
            each(&got(unsafe { &*message }));
            // SAFETY: once, and `got` is no longer held.
            unsafe { rd::rd_kafka_message_destroy(message) };
        }
        count == size
    }
}

fn got(message: &rd::rd_kafka_message_t) -> Got<'_> {
    let error = (message.err != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| message.err.into());
    let present = error.is_none() && !message.payload.is_null();
    // SAFETY: a message that is no error and has a value has `len` bytes there, as long as it lives.
    let value = present.then(|| unsafe { slice::from_raw_parts(message.payload.cast::<u8>(), message.len) });
    let mut kind = rd::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message lives, and `kind` is written to during the call alone.
    let stamp = unsafe { rd::rd_kafka_message_timestamp(message, &raw mut kind) };
    let stamped = error.is_none() && stamp >= 0;
    Got {
        partition: message.partition,
        offset: message.offset,
        error,
        value,
        stamp: stamped.then_some(stamp),
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: it is ours, and destroyed once; the client still lives.
        unsafe { rd::rd_kafka_queue_destroy(self.queue) };
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("batch", &self.room.len()).finish_non_exhaustive()
    }
}

/// A consumer's place in its group, as a transaction's offsets name it.
pub(super) struct Place(*mut rd::rd_kafka_consumer_group_metadata_t);

// SAFETY: it is never changed once it is made.
unsafe impl Send for Place {}
// SAFETY: as above.
unsafe impl Sync for Place {}

impl Place {
    /// The present one. Nothing if the consumer is in no generation of its group: the coordinator would let offsets of
    /// that pass unchecked.
    pub(super) fn of(consumer: &Consumer) -> Option<Self> {
        // SAFETY: the client lives.
        let place = unsafe { rd::rd_kafka_consumer_group_metadata(consumer.client().native_ptr()) };
        if place.is_null() {
            return None;
        }
        let place = Self(place);
        (place.generation() >= 0).then_some(place)
    }

    pub(super) fn generation(&self) -> i32 {
        // SAFETY: it lives as long as `self`.
        unsafe { rd::rd_kafka_consumer_group_metadata_generation_id(self.0) }
    }

    /// Puts offsets into a producer's open transaction.
    pub(super) fn send(
        &self,
        producer: &Producer,
        offsets: &TopicPartitionList,
        wait: Duration,
    ) -> Result<(), Failure> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let client = producer.client().native_ptr();
        // SAFETY: all three live during the call, and librdkafka keeps none of them.
        let error = unsafe { rd::rd_kafka_send_offsets_to_transaction(client, offsets.ptr(), self.0, wait) };
        if error.is_null() { Ok(()) } else { Err(failure(error)) }
    }
}

/// Takes what librdkafka says of an error, and gives the error back.
fn failure(error: *mut rd::rd_kafka_error_t) -> Failure {
    // SAFETY: the error is ours and lives until it is destroyed below.
    let code = unsafe { rd::rd_kafka_error_code(error) }.into();
    // SAFETY: as above; the text belongs to the error, and is copied.
    let words = unsafe { CStr::from_ptr(rd::rd_kafka_error_string(error)) }.to_string_lossy().into_owned();
    // SAFETY: as above.
    let fatal = unsafe { rd::rd_kafka_error_is_fatal(error) } != 0;
    // SAFETY: as above.
    let again = unsafe { rd::rd_kafka_error_is_retriable(error) } != 0;
    // SAFETY: as above.
    let abort = unsafe { rd::rd_kafka_error_txn_requires_abort(error) } != 0;
    // SAFETY: once, and nothing of it is held.
    unsafe { rd::rd_kafka_error_destroy(error) };
    Failure { code, words, fatal, again, abort }
}

impl Drop for Place {
    fn drop(&mut self) {
        // SAFETY: it is ours, and destroyed once.
        unsafe { rd::rd_kafka_consumer_group_metadata_destroy(self.0) };
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Place").field(&self.generation()).finish()
    }
}
