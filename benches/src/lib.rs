//! What benches and their tests share: a flood of keys, rules of each class of cost, the time a thread was at work.
//!
//! The load of all other benches is made by the crate `generate`, as `auditd-rules generate` makes it.

pub mod classes;
pub mod flood;
mod worked;

pub use worked::worked;
