//! Typed rules and bytes in, alerts out. No I/O, no clock, no threads of its own.
//!
//! ```text
//! ir::RuleSet --Plan::new--> Plan
//! Block (bytes) --frame--> documents --event--> Row --index--> candidate steps --eval--> Matches      any thread, any order
//! Matches --State::take, in order--> clocks, watermark, requests told, windows --State::drain--> alerts
//! ```
//!
//! Everything before [`matches::Matches`] is a pure function of the plan and the block; everything that remembers is in
//! [`state::State`]. An event that cannot be decoded is data, not an error: it comes out counted and located.

pub mod alert;
mod atoms;
mod eval;
pub mod event;
pub mod explain;
pub mod frame;
mod hear;
mod index;
pub mod limits;
pub mod matches;
pub mod matching;
pub mod plan;
pub mod planted;
pub mod run;
pub mod state;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trial;
mod window;
