//! The end-to-end tests: the engine against the reference, and both against recorded logs.

#![expect(clippy::unwrap_used, reason = "what cannot be read fails its test, with the cause")]

mod bench;
mod bounded;
mod cli;
mod corpora;
mod coverage;
mod docs;
mod equal;
mod grammar;
mod kafka;
mod labels;
mod limits;
mod state;
mod tables;
mod time;
mod words;
