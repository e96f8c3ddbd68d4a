//! What the language means, and the machinery that holds the engine to it.
//!
//! * [`reference`] says what rules mean, from the typed IR alone, for clarity and not for speed. It shares no code with
//!   the engine.
//! * [`generate`] makes random rule sets, as text, and random logs, from bytes: seeds of tests and fuzzers alike.

pub mod generate;
pub mod reference;
