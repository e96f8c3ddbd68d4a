//! What the language means, and the machinery that holds the engine to it.
//!
//! * [`mod@reference`] says what rules mean, from the typed IR alone, for clarity and not for speed. It shares no code with
//!   the engine.
//! * [`harness`] runs both, compares, counts and shrinks.
//! * [`bounded`] gives the engine little room, and asks what is then still promised.
//! * [`generate`] makes random rule sets, as text, and random logs, from bytes: seeds of tests and fuzzers alike.
//! * [`mmdb`] writes MaxMind databases, for tables.
//! * [`grammar`] reads the grammar of the language reference, and tells which ways through it a text takes.

pub mod bounded;
pub mod generate;
pub mod grammar;
pub mod harness;
pub mod mmdb;
pub mod reference;
