//! From the tree to the IR: the state that lowering one rule needs, and what holds at a place.
//!
//! One [`Lower`] serves one rule (or one `let` looked at alone). It checks and lowers in the same walk: each form gives a
//! [`Value`], an IR expression with the checker's own type; what is wrong gives the poisoned type and any expression at
//! all, as a set with an error has no IR. Every node made is counted and every level of depth too, so that `let`s of
//! `let`s end in an error and not in exhausted memory or stack.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::bodies::Bodies;
use super::hears::Hears;
use super::lists::Lists;
use super::names::Names;
use super::report::Report;
use super::ty::{Facts, Ty};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, VarId};
use crate::limits::{EXPANDED_DEPTH_MAX, RULE_NODES_MAX, SET_NODES_MAX};
use crate::source::Span;
use crate::syntax::ast;

/// A checked value or condition.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub expr: ir::Expr,
    pub ty: Ty,
    /// Stands for each element of a list: `[]` is in it.
    pub each: bool,
    pub facts: Facts,
    /// Where it is used: the IR's own span is inside of the `let`, for one that was put in.
    pub at: Span,
}

impl Value {
    /// The same without what it is made of, unless that is short: for what asks only what kind of value it is.
    pub(crate) fn shallow(self) -> Self {
        let short = match &self.expr.kind {
            ir::ExprKind::Literal(ir::Literal::List(_)) => false,
            ir::ExprKind::Literal(_) => true,
            ir::ExprKind::Read(place) => {
                !place.segments.iter().any(|segment| matches!(segment, ir::Segment::Computed(_)))
            }
            _ => false,
        };
        if short {
            return self;
        }
        // Neither a constant nor a place, so nothing is folded and nothing is read into it.
        let kind = ir::ExprKind::Key(0);
        Self { expr: ir::Expr { kind, ..self.expr }, ..self }
    }

    /// Of what was reported.
    pub(crate) fn poison(span: Span) -> Self {
        let expr = super::constant::literal(ir::Literal::Bool(false), span);
        Self::of(expr, Ty::poison())
    }

    pub(crate) fn new(kind: ir::ExprKind, ty: Ty, span: Span) -> Self {
        Self::of(ir::Expr { kind, ty: ty.lowered(), span }, ty)
    }

    /// A constant.
    pub(crate) fn literal(literal: ir::Literal, span: Span) -> Self {
        let expr = super::constant::literal(literal, span);
        let ty = expr.ty.clone().into();
        Self::of(expr, ty)
    }

    fn of(expr: ir::Expr, ty: Ty) -> Self {
        let at = expr.span;
        Self { expr, ty, each: false, facts: Facts::default(), at }
    }

    pub(crate) fn condition(expr: ir::Expr) -> Self {
        Self::of(expr, ir::Type::Bool.into())
    }
}

/// A step, as other steps and the alert see it.
#[derive(Debug)]
pub(crate) struct StepScope<'a> {
    pub name: &'a ast::Name,
    pub bodies: Rc<Bodies>,
    pub hears: Hears,
    /// It forbids, so that nothing of it can be read.
    pub no: bool,
    /// Its number in the IR; `None` for a step that is wrong.
    pub number: Option<u32>,
}

/// A named part of the group key.
#[derive(Debug)]
pub(crate) struct KeyScope<'a> {
    pub name: &'a str,
    /// Its expression in the step at hand, to be put in where the name stands in a condition.
    pub value: &'a ast::Expr,
    pub number: u32,
    pub ty: Ty,
}

/// A part of the group key as it is written, for places where its text stands for it.
#[derive(Debug)]
pub(crate) struct WrittenPart {
    /// In canonical spelling.
    pub text: String,
    pub number: u32,
    pub ty: Ty,
}

/// What an expression is for, and so what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `where`, `except`, a `let`, what an aggregate counts: values of one event.
    Event,
    /// A part of `by`: values of the step's own event.
    Key,
    /// The condition of a window: aggregates and constants.
    Window,
    /// Alert text, or what a test expects of it.
    Alert,
}

/// Which aggregates may stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregatesAt {
    /// All.
    Here,
    /// Only those that the rule has already.
    Known,
    /// None; why.
    Not(&'static str),
}

/// What names stand for at a place.
#[derive(Clone, Debug)]
pub(crate) struct Scope<'a> {
    pub role: Role,
    pub aggregates: AggregatesAt,
    /// The bodies of the event that bare fields are of.
    pub bodies: Rc<Bodies>,
    /// All steps of the rule.
    pub steps: Rc<Vec<StepScope<'a>>>,
    /// How many of them may be read: those above, in alerts all.
    pub readable: usize,
    /// The number of the step at hand; `None` where none is, or the rule speaks of all.
    pub own: Option<usize>,
    /// Variables of quantifiers, the innermost last.
    pub bound: Vec<VarId>,
    pub keys: Rc<Vec<KeyScope<'a>>>,
    /// Parts of the key that are read as such where their text stands: of a silence, which may have no event.
    pub parts: Rc<Vec<WrittenPart>>,
    /// What the event of bare fields may be.
    pub hears: Hears,
}

impl Scope<'_> {
    /// Of a `let` looked at alone.
    pub(crate) fn alone() -> Self {
        Self {
            role: Role::Event,
            aggregates: AggregatesAt::Not(IN_A_LET),
            bodies: Rc::new(Bodies::untyped()),
            steps: Rc::default(),
            readable: 0,
            own: None,
            bound: Vec::new(),
            keys: Rc::default(),
            parts: Rc::default(),
            hears: Hears::default(),
        }
    }

    /// The same place as a `let` sees it that is put in: it knows the event, not the rule.
    pub(crate) fn of_let(&self) -> Self {
        Self {
            role: self.role,
            aggregates: AggregatesAt::Not(IN_A_LET),
            bodies: Rc::clone(&self.bodies),
            steps: Rc::default(),
            readable: 0,
            own: None,
            bound: Vec::new(),
            keys: Rc::default(),
            parts: Rc::default(),
            hears: self.hears,
        }
    }
}

const IN_A_LET: &str = "an aggregate cannot stand in a `let`";

/// A variable that a quantifier bound.
#[derive(Clone, Debug)]
pub(crate) struct Variable<'a> {
    pub name: &'a str,
    pub ty: Ty,
    pub span: Span,
}

/// The state of lowering one rule.
#[derive(Debug)]
pub(crate) struct Lower<'a, 'r> {
    pub names: &'r Names<'a>,
    pub lists: &'r Lists<'a>,
    pub report: &'r mut Report,
    pub scope: Scope<'a>,
    /// Every variable of the rule, by its [`VarId`].
    pub variables: Vec<Variable<'a>>,
    pub aggregates: Vec<ir::Aggregate>,
    /// Where the `let`s stand through which the text at hand was reached, outermost first.
    pub via: Vec<Span>,
    /// Their names.
    pub open: Vec<&'a str>,
    /// Of a `let` looked at alone: what those before it came to, in place of putting them in.
    pub alone: Option<&'r BTreeMap<&'a str, Value>>,
    nodes: usize,
    depth: usize,
    too_large: bool,
}

impl<'a, 'r> Lower<'a, 'r> {
    pub(crate) fn new(
        names: &'r Names<'a>,
        lists: &'r Lists<'a>,
        report: &'r mut Report,
        scope: Scope<'a>,
    ) -> Self {
        Self {
            names,
            lists,
            report,
            scope,
            variables: Vec::new(),
            aggregates: Vec::new(),
            via: Vec::new(),
            open: Vec::new(),
            alone: None,
            nodes: 0,
            depth: 0,
            too_large: false,
        }
    }

    /// Does something under another scope.
    pub(crate) fn within<T>(&mut self, scope: Scope<'a>, what: impl FnOnce(&mut Self) -> T) -> T {
        let outer = std::mem::replace(&mut self.scope, scope);
        let result = what(self);
        self.scope = outer;
        result
    }

    /// A condition or a value, one level down. `None` past a limit, which is reported once.
    pub(crate) fn deeper<T>(&mut self, span: Span, what: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.count(span, 1);
        if self.depth >= EXPANDED_DEPTH_MAX {
            self.refuse_size(
                span,
                format!("nests more than {EXPANDED_DEPTH_MAX} deep once its `let`s are put in"),
            );
        }
        if self.too_large {
            return None;
        }
        self.depth += 1;
        let result = what(self);
        self.depth -= 1;
        Some(result)
    }

    /// Counts nodes of the IR.
    pub(crate) fn count(&mut self, span: Span, nodes: usize) {
        self.nodes = self.nodes.saturating_add(nodes);
        self.report.nodes = self.report.nodes.saturating_add(nodes);
        if self.report.nodes > SET_NODES_MAX {
            let what = format!("would bring the rules of all files to more than {SET_NODES_MAX} nodes");
            self.refuse_size(span, what);
        } else if self.nodes > RULE_NODES_MAX {
            self.refuse_size(
                span,
                format!("has more than {RULE_NODES_MAX} nodes once its `let`s are put in"),
            );
        }
    }

    fn refuse_size(&mut self, span: Span, what: String) {
        if !self.too_large {
            self.too_large = true;
            let at = self.site(span);
            self.report.error(Code::RuleTooLarge, at, format!("this {what}"));
        }
    }

    /// Where a mistake that is the rule's and not the `let`'s is underlined.
    pub(crate) fn site(&self, span: Span) -> Span {
        self.via.first().copied().unwrap_or(span)
    }

    /// Reports a mistake; in a `let`, with the places where it is used.
    pub(crate) fn tell(&mut self, mut diagnostic: Diagnostic) {
        if let Some(used) = self.via.first() {
            diagnostic = diagnostic.related(*used, "used here");
        }
        self.report.add(diagnostic);
    }

    /// Reports a mistake with a likely fix.
    pub(crate) fn tell_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.tell(Diagnostic::new(code, span, message).help(help));
    }

    /// The user's text, for a message.
    pub(crate) fn quote(&self, span: Span) -> String {
        self.names.quote(span)
    }

    /// What a `let` stands for at this place, with what it is made of.
    pub(crate) fn put_in(&mut self, of: &'a ast::Let, used: Span) -> Value {
        let value = match self.alone {
            Some(known) => known.get(of.name.node.as_str()).cloned(),
            None => self.inline(of, used, Self::any_form),
        };
        value.unwrap_or_else(|| Value::poison(used))
    }

    /// What a `let` stands for at this place.
    fn inline<T>(
        &mut self,
        of: &'a ast::Let,
        used: Span,
        what: impl FnOnce(&mut Self, &'a ast::Expr) -> T,
    ) -> Option<T> {
        let name = of.name.node.as_str();
        if self.open.contains(&name) {
            return None; // a circle, reported with the names
        }
        self.open.push(name);
        self.via.push(used);
        let scope = self.scope.of_let();
        let result = self.within(scope, |lower| lower.deeper(used, |lower| what(lower, &of.value)));
        self.via.pop();
        self.open.pop();
        result
    }
}
