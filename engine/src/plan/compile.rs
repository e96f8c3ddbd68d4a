//! From the typed IR to what is run.
//!
//! An expression is compiled for one of two times. *At the event* everything is read from the row. *Later* the event is
//! gone: the largest parts that read one event alone are taken out, compiled for the event, and become captures of that
//! event's step; what is left over them is compiled to read those. An `any` that lends its element to the alert is
//! looked for again when the alert reads it (the first element that meets the condition is the same one), so that nothing
//! need be remembered while conditions are evaluated.

use std::collections::HashMap;

use dsl::ir::{self, ExprKind, VarId};

use super::deps::{Deps, Scope, deps};
use super::expr::{Compare, Expr, Function, Node, Read, Root, Segment, Set, Turn};
use super::literal;
use crate::eval::text::{Like, fold};
use crate::matches::Value;

/// A condition whose answers are counted for coverage.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Where it stands.
    pub span: dsl::source::Span,
    /// The step it belongs to.
    pub step: u32,
}

/// Compiles one rule.
pub(crate) struct Compiler<'r> {
    pub(crate) rule: &'r ir::Rule,
    pub(crate) captures: Vec<Captures>,
    pub(crate) leaves: Vec<Leaf>,
}

/// What a step's matches bring with them; equal ones once.
#[derive(Default)]
pub(crate) struct Captures {
    pub(crate) nodes: Vec<Node>,
    seen: HashMap<String, u32>,
}

impl Captures {
    fn add(&mut self, node: Node) -> u32 {
        // Compiled nodes have no spans, so equal ones print equal.
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let slot = *self.seen.entry(format!("{node:?}")).or_insert(next);
        if slot == next {
            self.nodes.push(node);
        }
        slot
    }
}

/// The `any` of a step's condition that lends this variable: its list and its condition.
pub(crate) fn lent(rule: &ir::Rule, step: u32, var: VarId) -> Option<(&ir::Expr, &ir::Expr)> {
    fn find(expr: &ir::Expr, wanted: VarId) -> Option<(&ir::Expr, &ir::Expr)> {
        match &expr.kind {
            ExprKind::And(parts) => parts.iter().find_map(|part| find(part, wanted)),
            ExprKind::Quantified { all: false, var, list, body } if *var == wanted => Some((list, body)),
            _ => None,
        }
    }
    find(rule.steps.get(step as usize)?.condition.as_ref()?, var)
}

/// For whom an expression is compiled.
#[derive(Clone, Copy)]
struct At {
    /// The step whose event is at hand.
    step: u32,
    /// The event is gone.
    late: bool,
    /// Its conditions are counted for coverage.
    counted: bool,
}

impl<'r> Compiler<'r> {
    pub(crate) fn new(rule: &'r ir::Rule) -> Self {
        let captures = rule.steps.iter().map(|_| Captures::default()).collect();
        Self { rule, captures, leaves: Vec::new() }
    }

    /// To be evaluated on the event of `step`, its conditions counted.
    pub(crate) fn condition(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, late: false, counted: true }, &mut Vec::new()))
    }

    /// To be evaluated on the event of `step`.
    pub(crate) fn own(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, late: false, counted: false }, &mut Vec::new()))
    }

    /// To be evaluated later; bare fields are of `step`.
    pub(crate) fn later(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, late: true, counted: false }, &mut Vec::new()))
    }

    /// As [`Self::own`], within quantifiers that bind these variables.
    pub(crate) fn inside(&mut self, expr: &ir::Expr, step: u32, bound: &[VarId]) -> Node {
        self.node(expr, At { step, late: false, counted: false }, &mut bound.to_vec())
    }

    pub(crate) fn deps(&self, expr: &ir::Expr, step: u32, outer: &[VarId]) -> Deps {
        deps(expr, &Scope { rule: self.rule, step, outer })
    }

    fn node(&mut self, expr: &ir::Expr, at: At, bound: &mut Vec<VarId>) -> Node {
        if at.late
            && let Some(node) = self.captured(expr, at, bound)
        {
            return node;
        }
        // `x != y` and `x not in y` are told as they are written, so they are counted with their `not`.
        let negated = match &expr.kind {
            ExprKind::Not(inner) => {
                inner.span == expr.span
                    && matches!(inner.kind, ExprKind::Compare { .. } | ExprKind::In { .. })
            }
            _ => false,
        };
        let node = self.plain(expr, At { counted: at.counted && !negated, ..at }, bound);
        let condition = negated
            || matches!(
                expr.kind,
                ExprKind::IsTrue(_)
                    | ExprKind::Compare { .. }
                    | ExprKind::In { .. }
                    | ExprKind::Quantified { .. }
            );
        if at.counted && condition {
            let leaf = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
            self.leaves.push(Leaf { span: expr.span, step: at.step });
            return Node::Leaf(leaf, Box::new(node));
        }
        node
    }

    /// If all that `expr` reads is one event: a capture of it.
    fn captured(&mut self, expr: &ir::Expr, at: At, bound: &[VarId]) -> Option<Node> {
        let deps = self.deps(expr, at.step, bound);
        if deps.window || deps.outer || deps.steps.len() != 1 {
            return None;
        }
        let step = deps.steps.first().copied().filter(|step| (*step as usize) < self.captures.len())?;
        let here = At { step, late: false, counted: false };
        let node = self.node(expr, here, &mut Vec::new());
        let desired = of_desired(self.rule, expr, at.step);
        let patch = desired.then(|| self.captures[step as usize].add(Node::IsPatch));
        let slot = self.captures[step as usize].add(node);
        Some(Node::Capture { step, slot, patch })
    }

    fn boxed(&mut self, expr: &ir::Expr, at: At, bound: &mut Vec<VarId>) -> Box<Node> {
        Box::new(self.node(expr, at, bound))
    }

    fn plain(&mut self, expr: &ir::Expr, at: At, bound: &mut Vec<VarId>) -> Node {
        match &expr.kind {
            ExprKind::Literal(literal) => Node::Const(literal::value(literal)),
            ExprKind::Read(place) => self.place(place, &expr.ty, at, bound),
            ExprKind::Call(function, args) => self.call(*function, args, at, bound),
            ExprKind::Part(base, segments) => {
                let root = Root::Of(self.boxed(base, at, bound));
                self.read(root, segments, &expr.ty, at, bound)
            }
            ExprKind::Arith(op, left, right) => {
                Node::Arith(*op, self.boxed(left, at, bound), self.boxed(right, at, bound))
            }
            ExprKind::Lookup(..) => Node::Const(Value::Absent),
            ExprKind::Aggregate(n) => Node::Aggregate(*n),
            ExprKind::Key(n) => Node::Key(*n),
            ExprKind::Not(inner) => Node::Not(self.boxed(inner, at, bound)),
            ExprKind::And(parts) => Node::And(parts.iter().map(|p| self.node(p, at, bound)).collect()),
            ExprKind::Or(parts) => Node::Or(parts.iter().map(|p| self.node(p, at, bound)).collect()),
            ExprKind::IsTrue(inner) => Node::IsTrue(self.boxed(inner, at, bound)),
            ExprKind::Compare { op, left, right, ignoring_case } => {
                let left = self.boxed(left, at, bound);
                self.compare(*op, left, right, *ignoring_case, at, bound)
            }
            ExprKind::In { left, set, ignoring_case } => Node::In {
                left: self.boxed(left, at, bound),
                set: self.set(set, *ignoring_case, at, bound),
                ignoring_case: *ignoring_case,
            },
            ExprKind::Quantified { all, var, list, body } => {
                let list = self.boxed(list, at, bound);
                bound.push(*var);
                let body = self.boxed(body, at, bound);
                bound.pop();
                Node::Quantified { all: *all, var: var.0, list, body }
            }
        }
    }

    fn place(&mut self, place: &ir::Place, ty: &ir::Type, at: At, bound: &mut Vec<VarId>) -> Node {
        let step = place.step.unwrap_or(at.step);
        let root = match place.root {
            ir::Root::Element(var) if bound.contains(&var) => Root::Element(var.0),
            ir::Root::Element(var) => match lent(self.rule, step, var) {
                Some((list, body)) => {
                    let at = At { step, counted: false, ..at };
                    let list = self.boxed(list, at, bound);
                    bound.push(var);
                    let body = self.boxed(body, at, bound);
                    bound.pop();
                    Root::Of(Box::new(Node::Find { var: var.0, list, body }))
                }
                None => Root::Of(Box::new(Node::Const(Value::Absent))),
            },
            ir::Root::Alert(_) | ir::Root::Undecodable(_) => return Node::Const(Value::Absent),
            // Later the event is gone, and some computed segment reads another event: up to there it is captured.
            _ if at.late => return self.late_place(place, ty, At { step, ..at }, bound),
            ir::Root::Event => Root::Event,
            ir::Root::RequestObject => Root::RequestObject,
            ir::Root::ResponseObject(kinds) => Root::ResponseObject(kinds),
            ir::Root::Derived(derived) => Root::Derived(derived),
        };
        self.read(root, &place.segments, ty, at, bound)
    }

    fn late_place(&mut self, place: &ir::Place, ty: &ir::Type, at: At, bound: &mut Vec<VarId>) -> Node {
        let foreign = |segment: &ir::Segment| {
            let ir::Segment::Computed(inner) = segment else { return false };
            let deps = self.deps(inner, at.step, bound);
            deps.window || deps.outer || deps.steps.iter().any(|step| *step != at.step)
        };
        let cut = place.segments.iter().position(foreign).unwrap_or(place.segments.len());
        let (front, back) = place.segments.split_at(cut);
        let front = ir::Place { segments: front.to_vec(), text: String::new(), ..place.clone() };
        let front = ir::Expr {
            kind: ExprKind::Read(front),
            ty: ir::Type::Any,
            span: dsl::source::Span::new(dsl::source::SourceId(0), 0, 0),
        };
        let root = match self.captured(&front, at, &[]) {
            Some(node) => Root::Of(Box::new(node)),
            None => Root::Of(Box::new(Node::Const(Value::Absent))),
        };
        self.read(root, back, ty, at, bound)
    }

    fn read(
        &mut self,
        root: Root,
        segments: &[ir::Segment],
        ty: &ir::Type,
        at: At,
        bound: &mut Vec<VarId>,
    ) -> Node {
        let at = At { counted: false, ..at };
        let path = segments.iter().map(|segment| match segment {
            ir::Segment::Key(key) => Segment::Key(key.as_str().into()),
            ir::Segment::Index(n) => Segment::Index(*n),
            ir::Segment::Computed(inner) => Segment::Computed(self.node(inner, at, bound)),
            ir::Segment::Each => Segment::Each,
        });
        Node::Read(Box::new(Read { root, path: path.collect(), turn: Turn::of(ty) }))
    }

    fn call(&mut self, function: ir::Function, args: &[ir::Expr], at: At, bound: &mut Vec<VarId>) -> Node {
        let zoned = matches!(function, ir::Function::TimeOfDay | ir::Function::Weekday);
        if zoned && let Some((first, rest)) = args.split_first() {
            let zone = rest.first().and_then(literal::text).and_then(|name| name.parse().ok());
            let zone = zone.unwrap_or(chrono_tz::Tz::UTC);
            let function = match function {
                ir::Function::Weekday => Function::Weekday(zone),
                _ => Function::TimeOfDay(zone),
            };
            return Node::Call(function, vec![self.node(first, at, bound)]);
        }
        Node::Call(Function::Plain(function), args.iter().map(|a| self.node(a, at, bound)).collect())
    }

    fn compare(
        &mut self,
        op: ir::CompareOp,
        left: Box<Node>,
        right: &ir::Expr,
        ignoring_case: bool,
        at: At,
        bound: &mut Vec<VarId>,
    ) -> Node {
        let op = match op {
            ir::CompareOp::Like { .. } => match literal::text(right) {
                Some(pattern) => return Node::Like { left, pattern: Like::new(pattern, ignoring_case) },
                None => Compare::Like,
            },
            ir::CompareOp::Matches { .. } => {
                let pattern = literal::text(right).unwrap_or("");
                let regex = regex::RegexBuilder::new(pattern).case_insensitive(ignoring_case).build().ok();
                return Node::Matches { left, regex };
            }
            ir::CompareOp::Eq => Compare::Eq,
            ir::CompareOp::Ne => {
                let right = self.boxed(right, at, bound);
                let equal = Node::Compare { op: Compare::Eq, left, right, ignoring_case };
                return Node::Not(Box::new(equal));
            }
            ir::CompareOp::Lt => Compare::Lt,
            ir::CompareOp::Le => Compare::Le,
            ir::CompareOp::Gt => Compare::Gt,
            ir::CompareOp::Ge => Compare::Ge,
            ir::CompareOp::Contains { .. } => Compare::Contains,
            ir::CompareOp::StartsWith { .. } => Compare::StartsWith,
            ir::CompareOp::EndsWith { .. } => Compare::EndsWith,
        };
        Node::Compare { op, left, right: self.boxed(right, at, bound), ignoring_case }
    }

    fn set(&mut self, set: &ir::Set, ignoring_case: bool, at: At, bound: &mut Vec<VarId>) -> Set {
        match set {
            ir::Set::Literals(literals) => {
                let (mut texts, mut others) = (std::collections::HashSet::new(), Vec::new());
                for literal in literals {
                    match literal {
                        ir::Literal::Text(text) if ignoring_case => {
                            texts.insert(fold(text).into_boxed_str());
                        }
                        ir::Literal::Text(text) => {
                            texts.insert(text.as_str().into());
                        }
                        other => others.push(literal::value(other)),
                    }
                }
                Set::Literals { texts, others }
            }
            ir::Set::Networks(networks) => Set::Networks(networks.clone()),
            ir::Set::Clock { from, to } => Set::Clock { from: *from, to: *to },
            ir::Set::Value(list) => Set::Value(self.boxed(list, at, bound)),
        }
    }
}

/// Whether a value is a part of `desired`, where stepping into a scalar of a patch is unknown.
fn of_desired(rule: &ir::Rule, expr: &ir::Expr, step: u32) -> bool {
    use ir::Derived::{Containers, Desired, PodSpec};
    let ExprKind::Read(place) = &expr.kind else { return false };
    let step = place.step.unwrap_or(step);
    match place.root {
        ir::Root::Derived(Desired | PodSpec | Containers) => true,
        ir::Root::Element(var) => lent(rule, step, var).is_some_and(|(list, _)| of_desired(rule, list, step)),
        _ => false,
    }
}
