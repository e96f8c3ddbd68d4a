//! Warnings: rules that are well formed, and yet probably not what their author means.
//!
//! An error is certain, a warning is a guess that must be right nearly always: one false warning teaches people to skip
//! the next ten. So every check in here gives up where it cannot follow (a path through a computed key, a custom
//! resource, a test inside of a `let` that serves many rules), and what a rule says beside the doubtful place is
//! heard: a test of `verb == "patch"` narrows what a body read beside it is judged by.
//!
//! All of them read the typed IR, which has no names left to resolve; the syntax tree is asked only for places that
//! the IR does not keep (a selector's). Spans inside of a `let` are told apart from a rule's own by their place.

mod bodies;
mod facts;
mod selectors;
mod shadow;
#[cfg(test)]
mod tests;
mod truth;
mod values;
mod walk;
mod windows;

use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Code, Diagnostic};
use crate::ir;
use crate::source::Span;
use crate::syntax::ast;

pub use truth::decided_by_on;
pub(crate) use walk::children;

/// One rule with what the checks need beside its IR.
pub(super) struct Subject<'a> {
    pub(super) rule: &'a ir::Rule,
    /// The whole rule in its file; the rule's name, if its text is not at hand.
    text: Span,
    /// The selectors in the order of the steps.
    selectors: Vec<&'a ast::Selector>,
    /// It says itself for how long it is silent after an alert, or its text is not at hand.
    says_throttle: bool,
    out: Vec<Diagnostic>,
}

impl<'a> Subject<'a> {
    fn new(rule: &'a ir::Rule, text: Option<&'a ast::Rule>) -> Self {
        let selectors = text.map(selectors_of).unwrap_or_default();
        let says = |text: &ast::Rule| {
            text.clauses.iter().any(|clause| matches!(clause.kind, ast::ClauseKind::Throttle(_)))
        };
        let says_throttle = text.is_none_or(says);
        Self {
            rule,
            text: text.map_or(rule.span, |text| text.span),
            selectors,
            says_throttle,
            out: Vec::new(),
        }
    }

    /// Whether a place stands in the rule itself, not in a `let` that it uses.
    pub(super) fn owns(&self, span: Span) -> bool {
        span.source == self.text.source && self.text.start <= span.start && span.end <= self.text.end
    }

    /// Where the selector of a step stands.
    pub(super) fn selector(&self, step: usize) -> Span {
        self.selectors.get(step).map_or(self.rule.span, |selector| selector.span)
    }

    /// A step's selector as it was written.
    pub(super) fn written(&self, step: usize) -> Option<&'a ast::Selector> {
        self.selectors.get(step).copied()
    }

    pub(super) fn warn(&mut self, diagnostic: Diagnostic) {
        self.out.push(diagnostic);
    }
}

fn selectors_of(rule: &ast::Rule) -> Vec<&ast::Selector> {
    let mut selectors = Vec::new();
    for clause in &rule.clauses {
        match &clause.kind {
            ast::ClauseKind::On(selector) => selectors.push(selector),
            ast::ClauseKind::Steps(steps) => selectors.extend(steps.steps.iter().map(|step| &step.on)),
            _ => {}
        }
    }
    selectors
}

/// What is doubtful in a checked rule set. `files` are the trees it was made from; each place is told once, even where
/// many rules use the `let` it stands in.
pub(crate) fn warnings<'a>(
    set: &'a ir::RuleSet,
    files: impl IntoIterator<Item = &'a ast::File>,
) -> Vec<Diagnostic> {
    let mut texts: BTreeMap<&str, &ast::Rule> = BTreeMap::new();
    let mut tested: BTreeSet<&str> = BTreeSet::new();
    for item in files.into_iter().flat_map(|file| &file.items) {
        match item {
            ast::Item::Rule(rule) => {
                texts.insert(&rule.name.node, rule);
            }
            ast::Item::Test(test) => {
                tested.insert(&test.rule.node);
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    let mut told = BTreeSet::new();
    for rule in &set.rules {
        let mut subject = Subject::new(rule, texts.get(rule.name.as_str()).copied());
        truth::check(&mut subject);
        shadow::check(&mut subject);
        values::check(&mut subject);
        bodies::check(&mut subject);
        selectors::check(&mut subject);
        windows::check(&mut subject);
        listens_to_disabled(&mut subject, set);
        if !tested.contains(rule.name.as_str()) {
            let message = format!("rule `{}` has no test", rule.name);
            let help = format!("add a `test {} \"…\" {{ … }}` that fires and one that must not", rule.name);
            subject.warn(Diagnostic::new(Code::NoTest, rule.span, message).help(help));
        }
        out.extend(subject.out.into_iter().filter(|d| told.insert((d.code, d.primary))));
    }
    out
}

/// A rule on the alerts of one that is off. (`alert of any` leaves those out.)
fn listens_to_disabled(subject: &mut Subject<'_>, set: &ir::RuleSet) {
    let off = |name: &str| set.rules.iter().any(|rule| rule.name == name && rule.disabled);
    let mut found = Vec::new();
    for selector in subject.selectors.iter().filter(|_| !subject.rule.disabled) {
        let ast::SelectorKind::Alert(Some(names)) = &selector.kind else { continue };
        for name in names.iter().filter(|name| off(&name.node)) {
            let message = format!("`{}` is off, so this hears nothing of it", name.node);
            let help = "`severity none` tells a rule's alerts to other rules only";
            found.push(Diagnostic::new(Code::ListensToDisabled, name.span, message).help(help));
        }
    }
    found.into_iter().for_each(|diagnostic| subject.warn(diagnostic));
}
