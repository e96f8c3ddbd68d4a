//! From syntax trees to typed rules: names, types, shapes, and every mistake of all files in one run.
//!
//! ```text
//! files --names--> one namespace --lists, tables--> values --each let alone, each rule--> ir::Rule, its tests--> ir::Test
//! ```
//!
//! A `let` has no meaning of its own: what `desired.spec` is depends on the rule's `on`. So each rule is checked with its
//! `let`s put in, and each `let` once more alone, for those that no rule uses. What is wrong is reported once and then
//! goes with everything, so one mistake never causes a second message. Where there are tunes all rules are checked once as
//! they are written and once with the tunes. Cost: the size of the rules with their `let`s put
//! in, which [`crate::limits::RULE_NODES_MAX`] bounds for each.

mod aggregate;
mod alerts;
mod bodies;
mod call;
mod clauses;
mod condition;
mod constant;
mod event;
mod files;
mod hears;
mod hold;
mod keys;
mod lists;
mod lower;
mod names;
mod path;
mod report;
mod rule;
mod selector;
mod sets;
mod steps;
mod stuck;
mod tables;
mod test;
#[cfg(test)]
mod tests;
mod text;
mod tune;
mod ty;
mod walk;
mod warn;
mod window;

use std::collections::BTreeMap;

use crate::diag::{Diagnostic, Level};
use crate::ir;
use crate::limits::Limits;
use crate::source::SourceMap;
use crate::syntax::ast::{self, File, Item};
pub use files::{Wanted, wanted};
use report::Report;
pub use warn::decided_by_on;

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
    compiled(sources, Limits::default(), true)
}

/// The same under other limits.
#[must_use]
pub fn compile_within(sources: &SourceMap, limits: Limits) -> Outcome {
    compiled(sources, limits, true)
}

/// As [`compile`], without warnings: for texts that were compiled before, when they were told.
#[must_use]
pub fn compile_again(sources: &SourceMap) -> Outcome {
    compiled(sources, Limits::default(), false)
}

fn compiled(sources: &SourceMap, limits: Limits, warn: bool) -> Outcome {
    let mut report = Report::default();
    report.limits = limits;
    let mut files: Vec<File> = Vec::new();
    for (id, file) in sources.files() {
        let parsed = crate::syntax::parse(id, &file.text);
        parsed.diagnostics.into_iter().for_each(|diagnostic| report.add(diagnostic));
        files.push(parsed.file);
    }
    let rules = check(sources, &files, &mut report);
    let failed = report.has_errors();
    // Doubts about a set that has mistakes would be about the mistakes.
    if !failed && warn {
        warn::warnings(&rules, &files).into_iter().for_each(|diagnostic| report.add(diagnostic));
    }
    let mut diagnostics = report.into_diagnostics();
    diagnostics.retain(|found| warn || found.level() == Level::Error);
    Outcome { rules: (!failed).then_some(rules), diagnostics }
}

fn check(sources: &SourceMap, files: &[File], report: &mut Report) -> ir::RuleSet {
    let names = names::gather(sources, files, report);
    let tables = tables::gather(&names, report);
    let tunes = tune::gather(&names, files, report);
    let lists = lists::gather(&names, tables.clone(), tune::ListTunes::new(), report);
    check_lets(&names, &lists, report);
    let (tests, lonely) = tests_by_rule(&names, files, report);
    let mut made: Vec<(usize, ir::Test)> = Vec::new();
    let mut set = ir::RuleSet::default();
    let none = BTreeMap::new();
    let pass = Pass { files, names: &names, lists: &lists, tests: &tests, tuned: None, rules: &none };
    if tunes.is_empty() {
        set.rules = pass.run(&mut made, report);
    } else {
        set.untuned = Pass { tuned: Some(false), ..pass }.run(&mut made, report);
        // The limit is one of what runs.
        report.nodes = 0;
        let lists = lists::gather(&names, tables, tunes.lists, report);
        let pass = Pass { lists: &lists, tuned: Some(true), rules: &tunes.rules, ..pass };
        set.rules = pass.run(&mut made, report);
    }
    for (_, test) in lonely {
        test::lower(test, usize::MAX, &[], report);
    }
    made.sort_by_key(|(order, _)| *order);
    set.tests = made.into_iter().map(|(_, test)| test).collect();
    set
}

/// One time that all rules are lowered.
#[derive(Clone, Copy)]
struct Pass<'a, 'r> {
    files: &'a [File],
    names: &'r names::Names<'a>,
    lists: &'r lists::Lists<'a>,
    tests: &'r BTreeMap<&'a str, Tests<'a>>,
    /// Which tests are of these rules, the tuned ones or the others; all, if there is no tune.
    tuned: Option<bool>,
    /// Rules with their tunes, by their names.
    rules: &'a BTreeMap<&'a str, ast::Rule>,
}

impl<'a> Pass<'a, '_> {
    /// The rules; their tests go to `made`, with their places in the order of the files.
    fn run(&self, made: &mut Vec<(usize, ir::Test)>, report: &mut Report) -> Vec<ir::Rule> {
        let told = alerts::Rules::gather(self.names, self.files, self.rules, report);
        let mut rules = Vec::new();
        for item in self.files.iter().flat_map(|file| &file.items) {
            let Item::Rule(of) = item else { continue };
            let name = of.name.node.as_str();
            let holds = self.names.rules.get(name).is_some_and(|known| std::ptr::eq(*known, of));
            let all = self.tests.get(name).filter(|_| holds).map_or(&[][..], Vec::as_slice);
            let own = all.iter().filter(|(_, test)| self.tuned.is_none_or(|tuned| test.tuned == tuned));
            let own: Tests<'a> = own.copied().collect();
            let of = self.rules.get(name).filter(|_| holds).unwrap_or(of);
            let lowered = rule::lower(of, &own, self.names, self.lists, &told, report);
            for ((order, test), expected) in own.iter().zip(lowered.expected) {
                let test = test::lower(test, rules.len(), &lowered.quoted_verbs, report);
                made.push((*order, ir::Test { expected, ..test }));
            }
            rules.push(lowered.rule);
        }
        rules
    }
}

/// Looks at each `let` alone, for those that no rule uses: what is wrong with it whatever `on` says.
fn check_lets<'a>(names: &names::Names<'a>, lists: &lists::Lists<'a>, report: &mut Report) {
    let mut known: BTreeMap<&str, lower::Value> = BTreeMap::new();
    for of in names.order.iter().filter_map(|name| names.lets.get(name)) {
        let mut lower = lower::Lower::new(names, lists, report, lower::Scope::alone());
        lower.alone = Some(&known);
        let value = lower.any_form(&of.value);
        known.insert(&of.name.node, value.shallow());
    }
}

/// Tests with their places in the order of the files.
type Tests<'a> = Vec<(usize, &'a ast::Test)>;

/// The tests of each rule, and those of a rule that does not exist, which is reported.
fn tests_by_rule<'a>(
    names: &names::Names<'a>,
    files: &'a [File],
    report: &mut Report,
) -> (BTreeMap<&'a str, Tests<'a>>, Tests<'a>) {
    let mut tests: BTreeMap<&str, Tests<'_>> = BTreeMap::new();
    let mut lonely = Vec::new();
    for (order, item) in files.iter().flat_map(|file| &file.items).enumerate() {
        let Item::Test(test) = item else { continue };
        match names.rule(&test.rule, report) {
            Some(rule) => tests.entry(&rule.name.node).or_default().push((order, test)),
            None => lonely.push((order, test)),
        }
    }
    (tests, lonely)
}
