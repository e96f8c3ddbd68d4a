//! Any bytes: parser and checker never panic, and no byte of the text is lost from the tokens.

#![no_main]

use dsl::source::SourceMap;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let mut sources = SourceMap::default();
    let id = sources.add("fuzz.rule", text.as_ref());
    let parsed = dsl::syntax::parse(id, &text);
    let kept: String = parsed.tokens.iter().map(|token| &text[token.span.range()]).collect();
    assert_eq!(kept, text, "the tokens are not the text");
    let outcome = dsl::check::compile(&sources);
    let broken = outcome.diagnostics.iter().any(|found| found.level() == dsl::diag::Level::Error);
    assert_eq!(broken, outcome.rules.is_none(), "a rule set has an IR exactly if it has no error");
});
