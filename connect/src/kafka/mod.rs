//! Kafka as source and as sink: events from the partitions of a topic, alerts to another in the same transactions.
//!
//! ```text
//! address   kafka://…, read and refused
//! client    librdkafka set up, its reports, its errors
//! native    the calls for which rdkafka has no safe one
//! group     joined alone; offsets committed, and whose they are
//! reader    a thread: messages to blocks of whole documents, a partition a source
//! message   one message as part of a block
//! sink      a thread: alerts and offsets in transactions
//! ```
//!
//! What goes on between the threads: the reader gives blocks with the position behind them; whoever runs the engine gives what
//! came of them, with that position, to the sink, or commits it once it is written. A position is the next offset to be read. Nothing is
//! committed that was not decided, and everything that waits is bounded: librdkafka's queue by its own limit, blocks and alerts by
//! the channels between the threads.

pub mod address;
#[cfg(feature = "kafka")]
mod client;
#[cfg(feature = "kafka")]
mod group;
#[cfg(feature = "kafka")]
mod message;
#[cfg(feature = "kafka")]
mod native;
#[cfg(feature = "kafka")]
mod reader;
#[cfg(feature = "kafka")]
mod sink;

#[cfg(feature = "kafka")]
pub use group::{Group, Tell};
#[cfg(feature = "kafka")]
pub use reader::{Given, Member, Options, Reader};
#[cfg(feature = "kafka")]
pub use sink::{Record, Sink};

/// Of each partition the next offset to be read.
pub type Positions = std::collections::BTreeMap<i32, i64>;
