//! What benches and their tests share: a flood of keys, rules of each class of cost, the stages of the engine, the time a thread was at work.
//!
//! The load of all other benches is made by the crate `generate`, as `auditd-rules generate` makes it.

pub mod classes;
pub mod flood;
pub mod stages;
mod worked;

pub use worked::worked;
