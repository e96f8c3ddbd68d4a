//! The rule language: text in, typed rules and diagnostics out.
//!
//! ```text
//! text --syntax--> File (keeps every byte) --check--> ir::RuleSet (names resolved, types checked, constants folded)
//!                    \--fmt--> canonical text
//! ```
//!
//! The whole crate is a function: no I/O, no clock, no `unsafe`. Parsing and checking never fail; they return what
//! could be made of the text, and diagnostics. A rule set with an error in it has no IR.

pub mod check;
pub mod diag;
pub mod fmt;
pub mod ir;
pub mod limits;
pub mod pattern;
pub mod schema;
pub mod source;
pub mod syntax;
