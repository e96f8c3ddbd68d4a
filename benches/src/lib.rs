//! Load for benches: audit events like those of a busy control plane, any number of them, the same for the same seed.
//!
//! The mix (who does what how often, half of the events `RequestReceived`, one in seven with bodies) is that of our
//! recorded logs, rounded; one event in five hundred is something that a rule is there for. It is made from a handful
//! of templates, so it is kinder to caches than a real log: figures from it compare versions of this program, they do
//! not tell what a cluster needs.

pub mod classes;
mod events;
pub mod flood;
mod worked;

pub use events::{Load, Mix};
pub use worked::worked;
