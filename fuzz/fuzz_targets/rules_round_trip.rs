//! Any text that parses: formatting it is idempotent and changes no meaning (the formatter compares the trees itself and
//! refuses otherwise, which fails here).

#![no_main]

use dsl::source::SourceId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let parsed = dsl::syntax::parse(SourceId(0), text);
    if !parsed.diagnostics.is_empty() {
        return;
    }
    let once = dsl::fmt::format(&parsed, text).expect("what parses formats");
    let again = dsl::syntax::parse(SourceId(0), &once);
    assert!(again.diagnostics.is_empty(), "{once}");
    assert_eq!(dsl::fmt::format(&again, &once).expect("what was formatted formats"), once);
});
