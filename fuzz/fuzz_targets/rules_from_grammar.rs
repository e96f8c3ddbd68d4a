//! Programs made from the grammar, every production in it: they parse clean, format, and the checker has an answer for each.

#![no_main]

use dsl::source::SourceMap;
use dsl::syntax::arbitrary::{Choices, program};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = program(&mut Choices::from_bytes(bytes));
    let mut sources = SourceMap::default();
    let id = sources.add("fuzz.rule", text.as_str());
    let parsed = dsl::syntax::parse(id, &text);
    assert!(parsed.diagnostics.is_empty(), "{text}\n{:?}", parsed.diagnostics);
    let formatted = dsl::fmt::format(&parsed, &text).expect("what parses formats");
    let again = dsl::syntax::parse(id, &formatted);
    assert_eq!(dsl::fmt::format(&again, &formatted).expect("what was formatted formats"), formatted);
    let outcome = dsl::check::compile(&sources);
    let broken = outcome.diagnostics.iter().any(|found| found.level() == dsl::diag::Level::Error);
    assert_eq!(broken, outcome.rules.is_none());
});
