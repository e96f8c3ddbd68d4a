//! What parses, what does not, and what is said of it.

mod mistakes;
mod programs;

use super::parse;
use crate::source::SourceId;

/// Rules of the design that are not part of the repository, if they are there.
pub(crate) fn design_examples() -> Option<String> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned();
    let data = std::env::var("AUDIT_DATA").unwrap_or(beside);
    let found = std::fs::read_to_string(format!("{data}/../design/examples.rule")).ok();
    if found.is_none() {
        println!("the design's examples are not here: passed over");
    }
    found
}

#[test]
fn the_design_examples_parse() {
    let Some(text) = design_examples() else { return };
    let parsed = parse(SourceId(0), &text);
    assert_eq!(parsed.diagnostics, []);
    assert!(parsed.file.items.len() > 90);
}

/// The mistakes of a text, a line each: code, what is underlined, message, help.
pub(crate) fn told(text: &str) -> String {
    let mut out = String::new();
    for found in parse(SourceId(0), text).diagnostics {
        let under = &text[found.primary.range()];
        out += &format!("{} [{under}] {}", found.code.text(), found.message);
        for (span, label) in &found.related {
            out += &format!("; [{}] {label}", &text[span.range()]);
        }
        if let Some(help) = &found.help {
            out += &format!(" ({help})");
        }
        out.push('\n');
    }
    out
}

/// That of a text these mistakes are told, and no others.
#[track_caller]
fn check(text: &str, want: &str) {
    let got = told(text);
    assert_eq!(got.trim_end(), want.trim_end(), "\n--- got\n{got}--- want\n{want}");
}

/// The same of a rule with this clause.
#[track_caller]
fn check_clause(clause: &str, want: &str) {
    check(&format!("rule r \"t\" {{\n    severity low\n    {clause}\n    alert \"x\"\n}}\n"), want);
}
