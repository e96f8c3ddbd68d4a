//! The engine beside the reference: runs a case through both, compares, counts, shrinks.

mod carried;
mod census;
mod compare;
mod drive;
mod frame;
mod hold;
mod run;
mod shrink;
mod trials;
mod vary;

use dsl::ir::RuleSet;
use dsl::source::SourceMap;

pub use census::{Census, OF_TESTS, PARTS};
pub use compare::{AtOnce, counts_promised, difference, rests_on_places};
pub use frame::{Framed, frame};
pub use hold::{Outcome, hold, print_case};
pub(crate) use run::plain;
pub use run::{engine_answer, run};
pub use shrink::{shrink, shrink_rules};
pub use trials::Tests;

use crate::generate::{Case, files};
use crate::reference::{Answer, Poison, answer_placed};

/// Compiles the rules of a case.
///
/// # Errors
/// The mistakes found, as text: the generator made a rule set that is none.
pub fn compile(case: &Case) -> Result<RuleSet, String> {
    compile_text(case.rules.text())
}

/// Compiles rules that may use the files of the cases.
fn compile_text(text: String) -> Result<RuleSet, String> {
    let mut sources = SourceMap::default();
    let id = sources.add("random.rule", text);
    for (path, bytes) in files() {
        sources.attach(id, path, Ok(bytes.into()));
    }
    let outcome = dsl::check::compile(&sources);
    outcome.rules.ok_or_else(|| {
        let errors = outcome.diagnostics.iter().filter(|d| d.code.level() == dsl::diag::Level::Error);
        let all: Vec<String> = errors
            .map(|d| {
                let at = sources.start(d.primary);
                format!(
                    "{}:{}: {} {} `{}`",
                    at.line,
                    at.column,
                    d.code.text(),
                    d.message,
                    sources.text(d.primary)
                )
            })
            .collect();
        all.join("\n")
    })
}

/// What the reference says of a case.
#[must_use]
pub fn reference_answer(case: &Case, rules: &RuleSet, poison: &Poison) -> Answer {
    let offsets = frame(case).offsets;
    answer_placed(rules, &case.sources, &case.arrivals, &offsets, case.settings, poison)
}
