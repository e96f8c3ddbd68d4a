//! From syntax trees to typed rules: names, types, shapes, and every mistake of all files in one run.
//!
//! ```text
//! files --names--> one namespace --lists--> values --each let alone, each rule--> ir::Rule, its tests--> ir::Test
//! ```
//!
//! A `let` has no meaning of its own: what `desired.spec` is depends on the rule's `on`. So each rule is checked with its
//! `let`s put in, and each `let` once more alone, for those that no rule uses. What is wrong is reported once and then
//! goes with everything, so one mistake never causes a second message. Cost: the size of the rules with their `let`s put
//! in, which [`crate::limits::RULE_NODES_MAX`] bounds for each.

mod bodies;
mod call;
mod condition;
mod constant;
mod lists;
mod lower;
mod names;
mod path;
mod report;
mod rule;
mod selector;
mod sets;
#[cfg(test)]
mod tests;
mod text;
mod ty;
mod warn;
mod window;

use crate::diag::Diagnostic;
use crate::ir;
use crate::source::SourceMap;
use crate::syntax::ast::{File, Item};
use report::Report;

/// What came of a rule set.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The rules; `None` if there is an error among the diagnostics.
    pub rules: Option<ir::RuleSet>,
    /// Everything there is to say, file by file in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads and checks all files of a rule set.
#[must_use]
pub fn compile(sources: &SourceMap) -> Outcome {
    let mut report = Report::default();
    let mut files: Vec<File> = Vec::new();
    for (id, file) in sources.files() {
        let parsed = crate::syntax::parse(id, &file.text);
        parsed.diagnostics.into_iter().for_each(|diagnostic| report.add(diagnostic));
        files.push(parsed.file);
    }
    let rules = check(sources, &files, &mut report);
    let failed = report.has_errors();
    if !failed {
        // Doubts about a set that has mistakes would be about the mistakes.
        warn::warnings(&rules, &files).into_iter().for_each(|diagnostic| report.add(diagnostic));
    }
    Outcome { rules: (!failed).then_some(rules), diagnostics: report.into_diagnostics() }
}

fn check(sources: &SourceMap, files: &[File], report: &mut Report) -> ir::RuleSet {
    let names = names::gather(sources, files, report);
    let lists = lists::gather(&names, report);
    for of in names.lets.values() {
        let mut lower = lower::Lower::new(&names, &lists, report, lower::Scope::alone());
        lower.open.push(&of.name.node);
        lower.any_form(&of.value);
    }
    let mut set = ir::RuleSet::default();
    for item in files.iter().flat_map(|file| &file.items) {
        match item {
            Item::Rule(of) => set.rules.push(rule::lower(of, &names, &lists, report)),
            Item::Table(of) => report.not_built(of.name.span, "`table` is"),
            Item::Tune(of) => report.not_built(of.name.span, "`tune` is"),
            Item::TuneList(of) => report.not_built(of.name.span, "`tune list` is"),
            Item::Let(_) | Item::List(_) | Item::Test(_) | Item::Error(_) => {}
        }
    }
    set
}
