//! Coverage: which conditions the tests of their rule made true, and which false.
//!
//! Of a set without a gap people are told one line. Data has every condition with its counts; JUnit has the gaps as
//! skipped cases, which build servers show without failing.

use connect::Error;
use connect::sink::Sink;
use dsl::source::SourceMap;
use engine::trial::Condition;
use serde::Serialize;

use super::{TestFormat, place};
use crate::load::plural;
use crate::output;

/// A condition of a rule after all of the rule's tests.
pub(super) struct Covered<'a> {
    pub(super) rule: &'a str,
    /// Of a sequence.
    pub(super) step: Option<&'a str>,
    pub(super) condition: Condition,
}

impl Covered<'_> {
    /// What no test showed of it; nothing if both halves were seen.
    pub(super) fn gap(&self) -> Option<&'static str> {
        match (self.condition.trues, self.condition.falses) {
            (0, 0) => Some("never asked, or always unknown"),
            (0, _) => Some("never true"),
            (_, 0) => Some("never false"),
            _ => None,
        }
    }

    /// Its text on one line.
    pub(super) fn text(&self, sources: &SourceMap) -> String {
        sources.text(self.condition.span).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[derive(Serialize)]
struct CoverageLine<'a> {
    rule: &'a str,
    step: Option<&'a str>,
    condition: String,
    #[serde(rename = "true")]
    trues: u64,
    #[serde(rename = "false")]
    falses: u64,
    unknown: u64,
    file: &'a str,
    line: u32,
    column: u32,
}

/// Of people only what is missing is told; data has all, and JUnit's document has it already.
pub(super) fn print(
    out: &mut Sink,
    sources: &SourceMap,
    covered: &[Covered<'_>],
    format: TestFormat,
) -> Result<(), Error> {
    match format {
        TestFormat::Human => {}
        TestFormat::Json => {
            return covered.iter().try_for_each(|one| out.line(&as_json(sources, one)?));
        }
        TestFormat::Junit => return Ok(()),
    }
    let mut missing = 0;
    for one in covered {
        let Some(gap) = one.gap() else { continue };
        missing += 1;
        let step = one.step.map(|step| format!(", step {step}")).unwrap_or_default();
        let (place, rule, text) = (place(sources, one.condition.span), one.rule, one.text(sources));
        out.line(&format!("{place}: {rule}{step}: {gap}: {text}"))?;
    }
    out.line(&format!("coverage: {missing} of {} one-sided", plural(covered.len(), "condition")))
}

fn as_json(sources: &SourceMap, one: &Covered<'_>) -> Result<String, Error> {
    let start = sources.start(one.condition.span);
    let Condition { falses, unknowns: unknown, trues, .. } = one.condition;
    output::json(&CoverageLine {
        rule: one.rule,
        step: one.step,
        condition: one.text(sources),
        trues,
        falses,
        unknown,
        file: &sources.file(one.condition.span.source).name,
        line: start.line,
        column: start.column,
    })
}
