//! Rules: their clauses put in order, their steps, keys, window and alert.
//!
//! Every clause is checked even where another is missing or wrong: a rule without an `on` still hears of the unknown
//! field in its alert. What one step may know of others is settled here, in the [`Scope`] each of its parts is checked
//! under.

use std::rc::Rc;

use super::alerts::Rules;
use super::bodies::Bodies;
use super::clauses::{self, Clauses};
use super::keys::{self, Part};
use super::lists::Lists;
use super::lower::{AggregatesAt, Lower, Role, Scope, StepScope, WrittenPart};
use super::names::Names;
use super::report::Report;
use super::steps::{self, Events, Written};
use super::ty::Ty;
use super::{selector, text, window};
use crate::ir::{self, ExprKind, Piece, Shape, Type, VarId};
use crate::syntax::ast;

/// A rule, and what its tests need of it.
pub(crate) struct Lowered {
    pub rule: ir::Rule,
    /// What each of its tests expects.
    pub expected: Vec<Vec<ir::Expected>>,
    /// Verbs that it has in quotes.
    pub quoted_verbs: Vec<String>,
}

/// Checks a rule and what its tests expect. The rule is whole only if nothing was reported.
pub(crate) fn lower<'a>(
    rule: &'a ast::Rule,
    tests: &[(usize, &'a ast::Test)],
    names: &Names<'a>,
    lists: &Lists<'a>,
    rules: &Rules<'a>,
    report: &mut Report,
) -> Lowered {
    let clauses = clauses::gather(rule, report);
    let written = steps::written(&clauses);
    steps::check(&clauses, &written, names, report);
    let ons: Vec<Option<ir::On>> =
        written.iter().map(|step| step.on.and_then(|on| selector::lower(on, rules, names, report))).collect();
    let events: Vec<Events> = ons.iter().map(|on| Events::of(on.as_ref())).collect();
    let scopes = Rc::new(steps::scopes(&written, &ons, &events));
    let lower = Lower::new(names, lists, report, Scope::alone());
    let mut rule_lower =
        RuleLower { lower, clauses: &clauses, written: &written, events: &events, steps: scopes };
    let by = clauses.by.map_or(&[][..], Vec::as_slice);
    let parts = keys::parts(by, &written, &rule_lower.steps, &mut rule_lower.lower);
    let done: Vec<Done> =
        ons.iter().enumerate().map(|(at, on)| rule_lower.step(at, on.clone(), &parts[at])).collect();
    let completing = rule_lower.completing(&ons, &parts, &done);
    let lowered = done.into_iter().filter_map(|done| done.step).collect();
    let (rule, expected) = rule_lower.finish(rule, tests, lowered, &completing);
    Lowered { rule, expected, quoted_verbs: steps::quoted_verbs(&written) }
}

/// What came of a step.
struct Done {
    /// `None` if it is none of the IR; that is reported.
    step: Option<ir::Step>,
    /// The types of the parts of its key.
    types: Vec<Ty>,
    lent: Vec<VarId>,
}

/// The event that completes a rule, as its window and its alert see it.
struct Completing<'a> {
    events: Events,
    /// Its parts of the key, with their types.
    parts: Vec<(Part<'a>, Ty)>,
    /// What its `where` lends.
    lent: Vec<VarId>,
}

/// What lowering the parts of one rule shares.
struct RuleLower<'a, 'r, 'c> {
    lower: Lower<'a, 'r>,
    clauses: &'c Clauses<'a>,
    written: &'c [Written<'a>],
    /// Of each step.
    events: &'c [Events],
    steps: Rc<Vec<StepScope<'a>>>,
}

impl<'a> RuleLower<'a, '_, '_> {
    /// What holds in a step's own conditions, keys aside.
    fn scope(&self, at: usize) -> Scope<'a> {
        Scope {
            role: Role::Event,
            aggregates: AggregatesAt::Not(
                "an aggregate stands in `when` and in the alert of a rule with `when`",
            ),
            bodies: Rc::clone(&self.events[at].bodies),
            steps: Rc::clone(&self.steps),
            readable: at,
            own: self.written[at].step.map(|_| at),
            bound: Vec::new(),
            keys: Rc::default(),
            parts: Rc::default(),
            hears: self.events[at].hears,
        }
    }

    fn is_unordered(&self) -> bool {
        self.clauses.steps.is_some_and(|steps| !steps.ordered)
    }

    /// The event that completes the rule: of an `unordered` whichever of several, so that only what all of them have in
    /// common is known of it, and no `any` is sure to have met.
    fn completing(&self, ons: &[Option<ir::On>], parts: &[Vec<Part<'a>>], done: &[Done]) -> Completing<'a> {
        let all = steps::completing(self.clauses, self.written);
        let last = all[all.len() - 1];
        let mut events = self.events[last].clone();
        for at in &all {
            events.hears = events.hears.or(self.events[*at].hears);
        }
        if all.iter().any(|at| ons[*at] != ons[last]) {
            events.bodies = Rc::new(Bodies::untyped());
        }
        let type_of = |number: usize| {
            let mut types = all.iter().map(|at| done[*at].types.get(number));
            let first = types.next().flatten();
            first.filter(|first| types.all(|ty| ty == Some(first))).cloned().unwrap_or_else(Ty::any)
        };
        Completing {
            events,
            parts: parts[last].iter().enumerate().map(|(at, part)| (part.clone(), type_of(at))).collect(),
            lent: if self.is_unordered() { Vec::new() } else { done[last].lent.clone() },
        }
    }

    /// One step.
    fn step(&mut self, at: usize, on: Option<ir::On>, parts: &[Part<'a>]) -> Done {
        let written = self.written[at];
        let scope = self.scope(at);
        let key_scope = Scope {
            role: Role::Key,
            readable: 0,
            aggregates: AggregatesAt::Not("an aggregate cannot stand in a key"),
            ..scope.clone()
        };
        let (key, types) = keys::lowered(key_scope, parts, &mut self.lower);
        let scope = Scope { keys: Rc::new(keys::scopes(parts.iter().zip(types.iter().cloned()))), ..scope };
        // What the rule says of all steps cannot read one of them.
        let shared = Scope { readable: 0, own: None, ..scope.clone() };
        let mut conditions = Vec::new();
        let mut excepts = Vec::new();
        if !written.is_no() {
            let lower = &mut self.lower;
            conditions
                .extend(self.clauses.condition.map(|of| lower.within(shared.clone(), |l| l.condition(of))));
            for except in &self.clauses.excepts {
                excepts.push(lower.within(shared.clone(), |lower| lower.condition(except)));
            }
        }
        if let Some(condition) = written.step.and_then(|step| step.condition.as_ref()) {
            let readable = if self.is_unordered() { self.steps.len() } else { at };
            let scope = Scope { readable, ..scope };
            conditions.push(self.lower.within(scope, |lower| lower.condition(condition)));
        }
        let condition = join(conditions);
        let lends_none = self.is_unordered() || written.is_no();
        let lent = condition.as_ref().filter(|_| !lends_none).map(lends).unwrap_or_default();
        let name = written.step.map(|step| step.name.node.clone());
        let times = steps::times(written.step, self.lower.report);
        let no = steps::no(written.step, self.lower.report);
        let step = on.map(|on| ir::Step { name, on, times, no, condition, excepts, key, lent: lent.clone() });
        Done { step, types, lent }
    }

    /// What is behind the steps: window, alert, tests.
    fn finish(
        mut self,
        rule: &'a ast::Rule,
        tests: &[(usize, &'a ast::Test)],
        steps: Vec<ir::Step>,
        completing: &Completing<'a>,
    ) -> (ir::Rule, Vec<Vec<ir::Expected>>) {
        let named = Rc::new(keys::scopes(completing.parts.iter().map(|(part, ty)| (part, ty.clone()))));
        let parts = Rc::new(self.written_parts(completing));
        let own = Scope {
            bodies: Rc::clone(&completing.events.bodies),
            hears: completing.events.hears,
            own: None,
            keys: named,
            ..self.scope(0)
        };
        let shape = match (self.clauses.when, self.clauses.steps) {
            (_, Some(steps)) if self.clauses.on.is_none() => {
                let within = window::length(&steps.within, "this sequence", self.lower.report);
                Shape::Sequence { ordered: steps.ordered, within: within.unwrap_or(1) }
            }
            (Some(when), _) => {
                self.lower.within(own.clone(), |lower| lower.window(when, &parts)).unwrap_or(Shape::Each)
            }
            (None, _) => Shape::Each,
        };
        let silent = matches!(shape, Shape::Silent { .. });
        let alert_scope = Scope {
            role: Role::Alert,
            aggregates: aggregates_in_alert(self.clauses.when),
            readable: self.steps.len(),
            bound: completing.lent.clone(),
            parts: if silent { parts } else { Rc::default() },
            ..own
        };
        let alert = self.alert(alert_scope.clone());
        let mut probes = Vec::new();
        let expected =
            tests.iter().map(|(_, test)| self.lower.expected(test, &alert_scope, &mut probes)).collect();
        let default = match &shape {
            Shape::Sliding { within, .. } | Shape::Sequence { within, .. } => *within,
            _ => 0,
        };
        let throttle = self.clauses.throttle.unwrap_or(default);
        // What is waited for by name is waited for once, whichever cluster it comes from.
        let among = matches!(shape, Shape::Silent { among: Some(_), .. });
        let lowered = ir::Rule {
            name: rule.name.node.clone(),
            title: rule.title.node.clone(),
            severity: self.clauses.severity.unwrap_or(ast::Severity::None),
            tags: self
                .clauses
                .tags
                .map(|tags| tags.iter().map(|tag| tag.node.clone()).collect())
                .unwrap_or_default(),
            about: self.clauses.about.map(|text| text.node.clone()).unwrap_or_default(),
            see: self
                .clauses
                .see
                .map(|all| all.iter().map(|link| link.node.clone()).collect())
                .unwrap_or_default(),
            disabled: self.clauses.disabled,
            steps,
            across_clusters: self.clauses.across_clusters || among,
            shape,
            throttle,
            alert,
            aggregates: std::mem::take(&mut self.lower.aggregates),
            probes: probes.into_iter().map(|(_, value)| value).collect(),
            vars: u32::try_from(self.lower.variables.len()).unwrap_or(u32::MAX),
            span: rule.name.span,
        };
        (lowered, expected)
    }

    fn alert(&mut self, scope: Scope<'a>) -> Vec<Piece> {
        let Some(template) = self.clauses.alert else { return Vec::new() };
        self.lower.within(scope, |lower| {
            let pieces = template.pieces.iter().map(|piece| match piece {
                ast::Piece::Literal(text) => Piece::Literal(text.clone()),
                ast::Piece::Value(value) => Piece::Value(lower.value(value).expr),
            });
            pieces.collect()
        })
    }

    /// The parts of the key by their text.
    fn written_parts(&self, completing: &Completing<'a>) -> Vec<WrittenPart> {
        let parts = completing.parts.iter().enumerate();
        parts
            .map(|(at, (part, ty))| WrittenPart {
                text: self.lower.canonical(part.value),
                number: u32::try_from(at).unwrap_or(u32::MAX),
                ty: ty.clone(),
            })
            .collect()
    }
}

/// Whether an alert has something counted to tell.
fn aggregates_in_alert(when: Option<&ast::Window>) -> AggregatesAt {
    match when.map(|when| &when.kind) {
        Some(ast::WindowKind::FirstSeen { .. }) => {
            AggregatesAt::Not("`first_seen` is about one event, so there is nothing to count in its alert")
        }
        Some(ast::WindowKind::Silent { .. }) => {
            AggregatesAt::Not("`silent` is about no event, so there is nothing to count in its alert")
        }
        Some(_) => AggregatesAt::Here,
        None => AggregatesAt::Not("an aggregate needs a `when` to be counted in"),
    }
}

/// Conditions that must all be true, flat.
fn join(conditions: Vec<ir::Expr>) -> Option<ir::Expr> {
    let mut parts = Vec::new();
    for condition in conditions {
        match condition.kind {
            ExprKind::And(more) => parts.extend(more),
            kind => parts.push(ir::Expr { kind, ..condition }),
        }
    }
    if parts.len() < 2 {
        return parts.pop();
    }
    let span = parts[0].span;
    Some(ir::Expr { kind: ExprKind::And(parts), ty: Type::Bool, span })
}

/// The variables that a condition lends: of every `any` under nothing but `and`.
fn lends(condition: &ir::Expr) -> Vec<VarId> {
    let mut found = Vec::new();
    let mut rest = vec![condition];
    while let Some(expr) = rest.pop() {
        match &expr.kind {
            ExprKind::And(parts) => rest.extend(parts.iter().rev()),
            ExprKind::Quantified { all: false, var, .. } => found.push(*var),
            _ => {}
        }
    }
    found
}

impl Lower<'_, '_> {
    /// An expression in canonical spelling; of one that nests too deeply its own text.
    pub(crate) fn canonical(&self, of: &ast::Expr) -> String {
        if text::depth_is_fine(of) { text::expr(of) } else { self.quote(of.span) }
    }
}
