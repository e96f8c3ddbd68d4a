//! For code scanners: one SARIF 2.1.0 log with one run.
//!
//! The run lists as rules only the codes that it has results for, in order, so that the log of a clean rule set is
//! short. Columns count Unicode characters, and the log says so, as SARIF would else take them for UTF-16.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Code, Diagnostic, Level};
use crate::source::{SourceMap, Span};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One SARIF log, with a line feed at its end.
#[must_use]
pub fn sarif(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let sorted = super::sorted(diagnostics);
    let codes: Vec<Code> = sorted.iter().map(|d| d.code).collect::<BTreeSet<_>>().into_iter().collect();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = sorted.iter().map(|diagnostic| result(map, diagnostic, &codes)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "auditd-rules", "version": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(code: Code) -> Value {
    let entry = format!("docs/diagnostics.md#{}", code.text().to_lowercase());
    json!({
        "id": code.text(),
        "shortDescription": { "text": code.about().trim() },
        "help": { "text": format!("See {entry}"), "markdown": format!("[{}]({entry})", code.text()) },
        "defaultConfiguration": { "level": level(code.level()) },
    })
}

fn result(map: &SourceMap, diagnostic: &Diagnostic, codes: &[Code]) -> Value {
    let text = match &diagnostic.help {
        Some(help) => format!("{}; {help}", diagnostic.message),
        None => diagnostic.message.clone(),
    };
    let mut result = json!({
        "ruleId": diagnostic.code.text(),
        "ruleIndex": codes.iter().position(|code| *code == diagnostic.code),
        "level": level(diagnostic.level()),
        "message": { "text": text },
        "locations": [location(map, diagnostic.primary)],
    });
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().enumerate().map(|(id, (span, label))| {
            let mut place = location(map, *span);
            place["id"] = id.into();
            place["message"] = json!({ "text": label });
            place
        });
        result["relatedLocations"] = related.collect();
    }
    result
}

fn location(map: &SourceMap, span: Span) -> Value {
    let (start, end) = (map.start(span), map.end(span));
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&map.file(span.source).name) },
            "region": {
                "startLine": start.line, "startColumn": start.column,
                "endLine": end.line, "endColumn": end.column,
            },
        },
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// A path as a URI reference: relative stays relative, absolute gets the scheme, what a URI may not hold is escaped.
fn uri(path: &str) -> String {
    let mut out = String::new();
    if path.starts_with('/') {
        out.push_str("file://");
    }
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
        if plain {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
