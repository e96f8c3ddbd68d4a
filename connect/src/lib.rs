//! Where rules and events come from and where alerts go: the only crate that does I/O and the only one that waits.
//!
//! ```text
//! RULES  --rules::load-->  source texts (a file, a folder, a compiled pack)  --> dsl
//! SOURCE --source::parse, find, input-->  bytes, whatever they were packed in
//!        --feed-->  blocks of whole documents, the source furthest behind first  --> engine
//! alerts --sink-->  standard output or a file
//! kafka      source and sink in one: alerts and offsets in the same transactions
//! what a run remembers --keep-->  a folder, to go on from
//! ```
//!
//! What fails here is operational: a file is missing, a permission, a damaged archive, a closed pipe. It is told as an
//! [`Error`], one plain sentence that names the thing. What is wrong inside of a rule or an event is data and goes
//! the ways of [`dsl::diag`] and [`engine::matches`].
//!
//! Nothing here is asynchronous: a bounded run reads files, and a thread of its own waits for standard input. Kafka
//! has threads of its own, and is behind the feature `kafka`. The webhook and `--follow` are not built yet and say so.

pub mod admin;
mod error;
pub mod feed;
pub mod handover;
pub mod input;
pub mod kafka;
pub mod keep;
pub mod pack;
mod replace;
pub mod rules;
pub mod signals;
pub mod sink;
pub mod sorted;
pub mod source;
mod sync;
pub mod watch;

pub use error::{Error, Kind};
pub use replace::replace;
