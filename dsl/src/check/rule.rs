//! Rules: their clauses put in order, their steps, keys, window and alert.
//!
//! Every clause is checked even where another is missing or wrong: a rule without an `on` still hears of the unknown
//! field in its alert. What one step may know of others is settled here, in the [`Scope`] each of its parts is checked
//! under.

use std::rc::Rc;

use super::bodies::Bodies;
use super::clauses::{self, Clauses};
use super::lists::Lists;
use super::lower::{AggregatesAt, KeyScope, Lower, Role, Scope, StepScope};
use super::names::{self, Giver, Names};
use super::report::Report;
use super::ty::Ty;
use super::window::{self, Window};
use super::{selector, text};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind, Piece, Shape, Type, VarId};
use crate::syntax::ast::{self, SelectorKind};

/// A step as it is written; a rule's own `on` is one without a name.
#[derive(Clone, Copy, Debug)]
struct Written<'a> {
    step: Option<&'a ast::Step>,
    on: Option<&'a ast::Selector>,
}

impl<'a> Written<'a> {
    fn is_no(self) -> bool {
        self.step.is_some_and(|step| step.no.is_some())
    }

    fn by(self) -> &'a [ast::KeyPart] {
        self.step.and_then(|step| step.by.as_deref()).unwrap_or_default()
    }
}

/// A part of the group key, as one step computes it.
#[derive(Clone, Debug)]
struct Part<'a> {
    name: String,
    given: Option<&'a ast::Name>,
    value: &'a ast::Expr,
}

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
    report: &mut Report,
) -> Lowered {
    let clauses = clauses::gather(rule, report);
    let written = written(&clauses);
    check_step_names(&written, names, report);
    let selectors: Vec<Option<ir::Selector>> =
        written.iter().map(|step| step.on.and_then(|on| selector::lower(on, report))).collect();
    let steps = Rc::new(step_scopes(&written, &selectors));
    let lower = Lower::new(names, lists, report, Scope::alone());
    let mut rule_lower = RuleLower { lower, clauses: &clauses, written: &written, steps };
    let parts = rule_lower.key_parts();
    let mut lowered = Vec::new();
    for (at, on) in selectors.into_iter().enumerate() {
        let step = rule_lower.step(at, on, &parts[at]);
        lowered.extend(step);
    }
    let (rule, expected) = rule_lower.finish(rule, tests, lowered, &parts);
    Lowered { rule, expected, quoted_verbs: quoted_verbs(&written) }
}

fn quoted_verbs(written: &[Written<'_>]) -> Vec<String> {
    let selectors = written.iter().filter_map(|written| written.on);
    let verbs = selectors.filter_map(|on| match &on.kind {
        SelectorKind::Events { verbs, .. } => Some(&verbs.list),
        _ => None,
    });
    verbs.flatten().filter(|verb| verb.quoted).map(|verb| verb.name.node.clone()).collect()
}

fn written<'a>(clauses: &Clauses<'a>) -> Vec<Written<'a>> {
    match clauses.steps {
        Some(steps) if clauses.on.is_none() => {
            steps.steps.iter().map(|step| Written { step: Some(step), on: Some(&step.on) }).collect()
        }
        _ => vec![Written { step: None, on: clauses.on }],
    }
}

fn check_step_names(written: &[Written<'_>], names: &Names<'_>, report: &mut Report) {
    let mut seen: Vec<&ast::Name> = Vec::new();
    for step in written.iter().filter_map(|written| written.step) {
        if let Some(first) = seen.iter().find(|name| name.node == step.name.node) {
            let message = format!("two steps are called `{}`", step.name.node);
            report.add(
                Diagnostic::new(Code::NameTwice, step.name.span, message)
                    .related(first.span, "first given here"),
            );
        } else if names::check_free(Giver::Step, &step.name, report) {
            names.warn_hidden(Giver::Step, &step.name, report);
        }
        seen.push(&step.name);
        if let Some(no) = &step.no {
            report.not_built(no.span, "`no` steps are");
        }
        if let Some(times) = &step.times {
            report.not_built(times.span, "repeated steps are");
        }
    }
}

fn step_scopes<'a>(written: &[Written<'a>], selectors: &[Option<ir::Selector>]) -> Vec<StepScope<'a>> {
    let mut scopes = Vec::new();
    for (at, (written, on)) in written.iter().zip(selectors).enumerate() {
        let Some(step) = written.step else { continue };
        let built = on.is_some() && step.no.is_none();
        scopes.push(StepScope {
            name: &step.name,
            bodies: on.as_ref().map_or_else(Bodies::untyped, Bodies::of),
            number: u32::try_from(at).ok().filter(|_| built),
        });
    }
    scopes
}

/// What lowering the parts of one rule shares.
struct RuleLower<'a, 'r, 'c> {
    lower: Lower<'a, 'r>,
    clauses: &'c Clauses<'a>,
    written: &'c [Written<'a>],
    steps: Rc<Vec<StepScope<'a>>>,
}

impl<'a> RuleLower<'a, '_, '_> {
    /// What holds in a step's own conditions, keys aside.
    fn scope(&self, at: usize, on: Option<&ir::Selector>) -> Scope<'a> {
        let listens = self.written[at].on.is_none_or(|on| !matches!(on.kind, SelectorKind::Events { .. }));
        Scope {
            role: Role::Event,
            aggregates: AggregatesAt::Not(
                "an aggregate stands in `when` and in the alert of a rule with `when`",
            ),
            bodies: Rc::new(on.map_or_else(Bodies::untyped, Bodies::of)),
            steps: Rc::clone(&self.steps),
            readable: at,
            own: self.written[at].step.map(|_| at),
            bound: Vec::new(),
            keys: Rc::default(),
            no_event: listens,
        }
    }

    /// The parts of the key in each step: the rule's, with those that the step gives itself in place of them.
    fn key_parts(&mut self) -> Vec<Vec<Part<'a>>> {
        let rule = self.named(self.clauses.by.map_or(&[], Vec::as_slice));
        let mut all = Vec::new();
        for written in self.written {
            let mut parts = rule.clone();
            for own in self.named(written.by()) {
                match parts.iter_mut().find(|part| part.name == own.name) {
                    Some(part) => *part = own,
                    None => parts.push(own),
                }
            }
            all.push(parts);
        }
        // The steps of a rule meet in its key, so all of them must have the same parts, in one order.
        let mut order: Vec<Part<'a>> = rule;
        for part in all.iter().flatten() {
            if !order.iter().any(|known| known.name == part.name) {
                order.push(part.clone());
            }
        }
        for (parts, written) in all.iter_mut().zip(self.written) {
            let sorted: Vec<_> = order
                .iter()
                .filter_map(|want| parts.iter().find(|part| part.name == want.name).cloned())
                .collect();
            if let Some(missing) = order.iter().find(|want| !parts.iter().any(|part| part.name == want.name))
                && let Some(step) = written.step
            {
                let message = format!(
                    "the step `{}` does not say what `{}` is in its event",
                    step.name.node, missing.name
                );
                let name = missing.given.map_or("who", |name| name.node.as_str());
                let help = format!("add `by {name} = ..` to it, or to the rule for all steps");
                let diagnostic = Diagnostic::new(Code::KeysDiffer, step.name.span, message).help(help);
                self.lower
                    .report
                    .add(diagnostic.related(missing.value.span, "a part of the key is given here"));
            }
            *parts = sorted;
        }
        all
    }

    /// Parts with their names; a name that cannot be given is reported.
    fn named(&mut self, parts: &'a [ast::KeyPart]) -> Vec<Part<'a>> {
        let mut named: Vec<Part<'a>> = Vec::new();
        for part in parts {
            let report = &mut *self.lower.report;
            if let Some(name) = &part.name {
                let step = self.steps.iter().find(|step| step.name.node == name.node);
                if let Some(step) = step {
                    let message = format!("`{}` is a step and a key", name.node);
                    let diagnostic = Diagnostic::new(Code::NameTwice, name.span, message);
                    report.add(diagnostic.related(step.name.span, "the step").help("choose another name"));
                } else if names::check_free(Giver::Key, name, report) {
                    self.lower.names.warn_hidden(Giver::Key, name, report);
                }
            }
            let given = part.name.as_ref();
            let name = given.map_or_else(|| self.lower.canonical(&part.value), |name| name.node.clone());
            if let Some(first) = named.iter().find(|known| known.name == name) {
                let span = given.map_or(part.value.span, |name| name.span);
                let message = format!("`{name}` is twice in the key");
                let first = first.given.map_or(first.value.span, |name| name.span);
                let diagnostic = Diagnostic::new(Code::NameTwice, span, message);
                self.lower.report.add(diagnostic.related(first, "first here"));
                continue;
            }
            named.push(Part { name, given, value: &part.value });
        }
        named
    }

    /// One step. `None` if it is none of the IR; that is reported.
    fn step(&mut self, at: usize, on: Option<ir::Selector>, parts: &[Part<'a>]) -> Option<ir::Step> {
        let written = self.written[at];
        let scope = self.scope(at, on.as_ref());
        let key_scope = Scope {
            role: Role::Key,
            readable: 0,
            aggregates: AggregatesAt::Not("an aggregate cannot stand in a key"),
            ..scope.clone()
        };
        let (key, types) = self.key(key_scope, parts);
        let scope = Scope { keys: Rc::new(key_scopes(parts, &types)), ..scope };
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
            let unordered = self.clauses.steps.is_some_and(|steps| !steps.ordered);
            let readable = if unordered { self.steps.len() } else { at };
            let scope = Scope { readable, ..scope };
            conditions.push(self.lower.within(scope, |lower| lower.condition(condition)));
        }
        let condition = join(conditions);
        let lent = condition.as_ref().map(lends).unwrap_or_default();
        let name = written.step.map(|step| step.name.node.clone());
        let on = ir::On::Events(on?);
        Some(ir::Step { name, on, times: 1, no: None, condition, excepts, key, lent })
    }

    /// The key of a step, and the types of its parts.
    fn key(&mut self, scope: Scope<'a>, parts: &[Part<'a>]) -> (Vec<ir::KeyPart>, Vec<Ty>) {
        self.lower.within(scope, |lower| {
            let mut key = Vec::new();
            let mut types = Vec::new();
            for part in parts {
                let value = lower.value(part.value);
                lower.single(&value, "a key has");
                if value.each {
                    let quote = lower.quote(part.value.span);
                    let message = format!("a key has single values, and `{quote}` is each element of a list");
                    lower.tell(Diagnostic::new(Code::KeyNotSingle, part.value.span, message));
                }
                types.push(value.ty);
                key.push(ir::KeyPart { name: part.name.clone(), value: value.expr });
            }
            (key, types)
        })
    }

    /// What is behind the steps: window, alert, tests.
    fn finish(
        mut self,
        rule: &'a ast::Rule,
        tests: &[(usize, &'a ast::Test)],
        steps: Vec<ir::Step>,
        parts: &[Vec<Part<'a>>],
    ) -> (ir::Rule, Vec<Vec<ir::Expected>>) {
        let last = self.written.len() - 1;
        let own = self.scope(last, steps.last().and_then(|step| step.on.events()));
        let types: Vec<Ty> = match steps.last() {
            Some(step) => step.key.iter().map(|part| part.value.ty.clone().into()).collect(),
            None => parts[last].iter().map(|_| Ty::any()).collect(),
        };
        let keys = Rc::new(key_scopes(&parts[last], &types));
        let window = self.clauses.when.map(|when| {
            let scope = Scope { keys: Rc::clone(&keys), ..own.clone() };
            self.lower.within(scope, |lower| lower.window(when))
        });
        let counts = self.clauses.when.is_some_and(|when| {
            !matches!(when.kind, ast::WindowKind::FirstSeen { .. } | ast::WindowKind::Silent { .. })
        });
        let aggregates = if counts {
            AggregatesAt::Here
        } else {
            AggregatesAt::Not("an aggregate needs a `when` to be counted in")
        };
        let alert_scope = Scope {
            role: Role::Alert,
            aggregates,
            readable: self.steps.len(),
            bound: steps.last().map(|step| step.lent.clone()).unwrap_or_default(),
            keys,
            no_event: self
                .written
                .iter()
                .any(|written| written.on.is_none_or(|on| !matches!(on.kind, SelectorKind::Events { .. }))),
            ..own
        };
        let alert = self.alert(alert_scope.clone());
        let mut probes = Vec::new();
        let expected =
            tests.iter().map(|(_, test)| self.lower.expected(test, &alert_scope, &mut probes)).collect();
        let (shape, default) = self.shape(window);
        let throttle = self.clauses.throttle.unwrap_or(default);
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
            across_clusters: false,
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

    /// The shape of the rule and the throttle that it has unless one is given.
    fn shape(&mut self, window: Option<Window>) -> (Shape, i64) {
        if let (Some(steps), None) = (self.clauses.steps, self.clauses.on) {
            let within = window::length(&steps.within, "this sequence", self.lower.report).unwrap_or(1);
            return (Shape::Sequence { ordered: true, within }, within);
        }
        match window {
            Some(Window::Sliding { condition, within }) => (Shape::Sliding { condition, within }, within),
            Some(Window::Poison) | None => (Shape::Each, 0),
        }
    }
}

fn key_scopes<'a>(parts: &[Part<'a>], types: &[Ty]) -> Vec<KeyScope<'a>> {
    let mut scopes = Vec::new();
    for (at, (part, ty)) in parts.iter().zip(types).enumerate() {
        let Some(name) = part.given else { continue };
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        scopes.push(KeyScope { name: &name.node, value: part.value, number, ty: ty.clone() });
    }
    scopes
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
