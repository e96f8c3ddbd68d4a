//! What benches and their tests share: a flood of keys, rules of each class of cost, the stages of the engine, an allocator that counts, the time a thread was at work.
//!
//! The load of all other benches is made by the crate `generate`, as `auditd-rules generate` makes it.

pub mod classes;
pub mod counting;
pub mod flood;
pub mod stages;
mod worked;

use std::path::Path;

use dsl::source::SourceMap;

pub use worked::worked;

/// The shipped rules' texts.
///
/// # Panics
/// If they cannot be read.
#[must_use]
pub fn shipped() -> SourceMap {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    connect::rules::load(&[folder]).expect("the shipped rules can be read").sources
}
