//! Text to syntax tree and back, without a byte lost.

#[expect(missing_docs, reason = "a field is the part of the production that it is named after")]
pub mod ast;
