//! JUnit's XML: a suite for each rule, a case for each test, and a skipped case for each gap of its coverage.

use std::fmt::Write as _;

use dsl::source::SourceMap;

use super::coverage::Covered;
use super::{Tried, failure};

/// The whole document.
pub(super) fn document(sources: &SourceMap, tried: &[Tried<'_>], covered: &[Covered<'_>]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a string does not fail.
    let _ok = write(&mut out, sources, tried, covered);
    out
}

fn write(
    out: &mut String,
    sources: &SourceMap,
    tried: &[Tried<'_>],
    covered: &[Covered<'_>],
) -> std::fmt::Result {
    let counts = |tried: &[Tried<'_>], gaps: usize| {
        let failed = tried.iter().filter(|one| !one.outcome.passed()).count();
        format!("tests=\"{}\" failures=\"{failed}\" skipped=\"{gaps}\"", tried.len() + gaps)
    };
    let gaps: Vec<&Covered<'_>> = covered.iter().filter(|one| one.gap().is_some()).collect();
    let tested = |rule: &str| tried.iter().any(|one| one.rule == rule);
    let of_rule =
        |rule: &str| gaps.iter().filter(|gap| gap.rule == rule).copied().collect::<Vec<&Covered<'_>>>();
    let told = gaps.iter().filter(|gap| tested(gap.rule)).count();
    writeln!(out, "<testsuites {}>", counts(tried, told))?;
    for suite in tried.chunk_by(|a, b| a.rule == b.rule) {
        let Some(first) = suite.first() else { continue };
        writeln!(
            out,
            "  <testsuite name=\"{}\" {}>",
            escaped(first.rule),
            counts(suite, of_rule(first.rule).len())
        )?;
        for one in suite {
            let start = sources.start(one.test.span);
            write!(
                out,
                "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                escaped(one.rule),
                escaped(&one.test.title),
                escaped(&sources.file(one.test.span.source).name),
                start.line
            )?;
            if one.outcome.passed() {
                writeln!(out, "/>")?;
                continue;
            }
            let first = one.outcome.differences.first();
            let message = first.map(|found| format!("expected {}, got {}", found.expected, found.got));
            writeln!(out, ">")?;
            let message = escaped(&message.unwrap_or_default());
            writeln!(
                out,
                "      <failure message=\"{message}\">{}</failure>",
                escaped(&failure(sources, one))
            )?;
            writeln!(out, "    </testcase>")?;
        }
        for gap in of_rule(first.rule) {
            coverage(out, sources, gap)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    write!(out, "</testsuites>")
}

fn coverage(out: &mut String, sources: &SourceMap, gap: &Covered<'_>) -> std::fmt::Result {
    let (span, why) = (gap.condition.span, gap.gap().unwrap_or_default());
    writeln!(
        out,
        "    <testcase classname=\"{}\" name=\"coverage: {}\" file=\"{}\" line=\"{}\">\n      <skipped \
         message=\"{why}\"/>\n    </testcase>",
        escaped(gap.rule),
        escaped(&gap.text(sources)),
        escaped(&sources.file(span.source).name),
        sources.start(span).line
    )
}

/// Text as XML has it. Control characters have no form there at all, not even escaped.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
