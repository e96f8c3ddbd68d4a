//! Text to syntax tree and back, without a byte lost.

pub mod ast;
