//! For programs: one JSON object a line, its keys in a fixed order.
//!
//! Places beyond the first are not in it: the shape is fixed, as people script it. Columns count characters from 1;
//! the end is one past the last character.

use std::fmt::Write as _;

use super::super::{Diagnostic, Level};
use crate::source::SourceMap;

/// All diagnostics, one a line.
#[must_use]
pub fn json(map: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in super::sorted(diagnostics) {
        let severity = match diagnostic.level() {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let (start, end) = (map.start(diagnostic.primary), map.end(diagnostic.primary));
        let file = &map.file(diagnostic.primary.source).name;
        // Written by hand, not from a map, to keep the order of the keys.
        let _ = writeln!(
            out,
            r#"{{"severity":"{severity}","code":"{}","message":{},"help":{},"file":{},"line":{},"column":{},"end_line":{},"end_column":{}}}"#,
            diagnostic.code.text(),
            quoted(&diagnostic.message),
            diagnostic.help.as_deref().map_or("null".to_owned(), quoted),
            quoted(file),
            start.line,
            start.column,
            end.line,
            end.column,
        );
    }
    out
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
