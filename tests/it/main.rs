//! The end-to-end tests: the engine against the reference, and both against recorded logs.

mod cli;
mod corpora;
mod equal;
mod labels;
