//! From the typed IR to what is run.
//!
//! An expression is compiled for one of three times. *Here* an event is at hand and everything is read from it. *Later*
//! the event is gone: the largest parts that read one event alone are taken out, compiled for the event, and become
//! captures of that event's step; what is left over them is compiled to read those. *Told* it is an alert that is at hand:
//! what it says of itself is read from it, and the largest parts that read its event alone are handed down to the rule
//! that tells it, which captures them when that event is matched. An `any` that lends its element to the alert is
//! looked for again when the alert reads it (the first element that meets the condition is the same one), so that nothing
//! need be remembered while conditions are evaluated.

use std::collections::HashMap;
use std::sync::Arc;

use dsl::check::decided_by_on;
use dsl::ir::{self, ExprKind, VarId};
use dsl::pattern::Pattern;

use super::deps::{Deps, Scope, deps};
use super::expr::{Compare, Expr, Function, Node, Read, Root, Segment, Set, Turn};
use super::literal;
use super::meaning::{self, Meaning};
use super::table::Table;
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

/// A value of one event that is read when the event is gone.
#[derive(Clone, Debug)]
pub(crate) struct Wanted<'r> {
    /// Whose expression it is.
    rule: &'r ir::Rule,
    /// The step of that rule whose event it reads.
    step: u32,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Value(ir::Expr),
    /// Whether the event is a patch.
    IsPatch,
}

/// Values that are wanted of the same events; equal ones once.
#[derive(Debug, Default)]
pub(crate) struct Captures<'r> {
    /// Each as it is read of an event at hand.
    pub(crate) nodes: Vec<Node>,
    pub(crate) wanted: Vec<Wanted<'r>>,
    /// Which value each is.
    pub(crate) meanings: Vec<Meaning>,
    seen: HashMap<Meaning, u32>,
}

impl<'r> Captures<'r> {
    /// The slot in which the value will be.
    pub(crate) fn add(&mut self, wanted: Wanted<'r>) -> u32 {
        let Wanted { rule, step, what } = &wanted;
        let meaning = match what {
            What::Value(expr) => meaning::value(rule, *step, Some(expr)),
            What::IsPatch => meaning::value(rule, *step, None),
        };
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let slot = *self.seen.entry(meaning).or_insert(next);
        if slot == next {
            self.nodes.push(match what {
                What::Value(expr) => Compiler::new(rule).own(expr, *step).0,
                What::IsPatch => Node::IsPatch,
            });
            self.meanings.push(meaning);
            self.wanted.push(wanted);
        }
        slot
    }
}

/// Compiles one rule.
pub(crate) struct Compiler<'r> {
    pub(crate) rule: &'r ir::Rule,
    /// Per step what its matches bring with them.
    pub(crate) captures: Vec<Captures<'r>>,
    /// What is wanted of the events of the rule whose alerts are at hand.
    pub(crate) told: Captures<'r>,
    pub(crate) leaves: Vec<Leaf>,
    /// The number of a condition that is compiled more than once, by its address.
    numbers: HashMap<*const ir::Expr, u32>,
    /// Coverage will be counted: conditions that are asked later are then asked part by part.
    pub(super) covering: bool,
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

/// When an expression is evaluated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    /// With its event at hand.
    Here,
    /// With what matches brought along.
    Later,
    /// With an alert at hand, and with what the event that completed it brought along.
    Told,
}

/// For whom an expression is compiled.
#[derive(Clone, Copy)]
struct At {
    /// The step whose event is at hand.
    step: u32,
    when: When,
    /// Its conditions are counted for coverage.
    counted: bool,
}

impl<'r> Compiler<'r> {
    pub(crate) fn new(rule: &'r ir::Rule) -> Self {
        Self {
            rule,
            captures: Vec::new(),
            told: Captures::default(),
            leaves: Vec::new(),
            numbers: HashMap::new(),
            covering: false,
        }
    }

    /// To compile all of a rule.
    pub(crate) fn whole(rule: &'r ir::Rule, covering: bool) -> Self {
        let captures = rule.steps.iter().map(|_| Captures::default()).collect();
        Self { captures, covering, ..Self::new(rule) }
    }

    /// To be evaluated on the event of `step`, its conditions counted.
    pub(crate) fn condition(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Here, counted: true }, &mut Vec::new()))
    }

    /// To be evaluated on the event of `step`.
    pub(crate) fn own(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Here, counted: false }, &mut Vec::new()))
    }

    /// To be evaluated later; bare fields are of `step`.
    pub(crate) fn later(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Later, counted: false }, &mut Vec::new()))
    }

    /// As [`Self::later`], its conditions counted if coverage is.
    pub(crate) fn later_condition(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Later, counted: self.covering }, &mut Vec::new()))
    }

    /// To be evaluated on an alert that comes to `step`. What it wants of the alert's event is put into `told`.
    pub(crate) fn told(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Told, counted: false }, &mut Vec::new()))
    }

    /// As [`Self::told`], its conditions counted if coverage is.
    pub(crate) fn told_condition(&mut self, expr: &ir::Expr, step: u32) -> Expr {
        Expr(self.node(expr, At { step, when: When::Told, counted: self.covering }, &mut Vec::new()))
    }

    /// A value that is wanted of an alert that comes to a step, by whatever rule.
    pub(crate) fn wanted(wanted: &Wanted<'r>, told: &mut Captures<'r>) -> Expr {
        match &wanted.what {
            What::Value(expr) => {
                let mut compiler = Self { told: std::mem::take(told), ..Self::new(wanted.rule) };
                let node = compiler.told(expr, wanted.step);
                *told = compiler.told;
                node
            }
            What::IsPatch => {
                let slot = told.add(wanted.clone());
                Expr(Node::Capture { step: 0, slot, patch: None })
            }
        }
    }

    /// As [`Self::own`], within quantifiers that bind these variables.
    pub(crate) fn inside(&mut self, expr: &ir::Expr, step: u32, bound: &[VarId]) -> Node {
        self.node(expr, At { step, when: When::Here, counted: false }, &mut bound.to_vec())
    }

    pub(crate) fn deps(&self, expr: &ir::Expr, step: u32, outer: &[VarId]) -> Deps {
        deps(expr, &Scope { rule: self.rule, step, outer })
    }

    fn node(&mut self, expr: &ir::Expr, at: At, bound: &mut Vec<VarId>) -> Node {
        // A condition that is brought along as a whole has no parts that could be counted.
        let apart = at.counted && is_condition(expr);
        if !apart && let Some(node) = self.brought(expr, at, bound) {
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
        // What `on` decides no event can make otherwise: nobody could cover its other half.
        let open = || decided_by_on(self.rule, at.step as usize, expr).is_none();
        if at.counted && condition && open() {
            return Node::Leaf(self.leaf(expr, at.step), Box::new(node));
        }
        node
    }

    /// The number under which the answers of a condition are counted.
    fn leaf(&mut self, expr: &ir::Expr, step: u32) -> u32 {
        let next = u32::try_from(self.leaves.len()).unwrap_or(u32::MAX);
        let leaf = *self.numbers.entry(std::ptr::from_ref(expr)).or_insert(next);
        if leaf == next {
            self.leaves.push(Leaf { span: expr.span, step });
        }
        leaf
    }

    /// If all that `expr` reads is one event that is gone: what that event brought along.
    fn brought(&mut self, expr: &ir::Expr, at: At, bound: &[VarId]) -> Option<Node> {
        if at.when == When::Here {
            return None;
        }
        let deps = self.deps(expr, at.step, bound);
        if deps.window || deps.outer || deps.steps.len() != 1 {
            return None;
        }
        let step = deps.steps.first().copied()?;
        let of = |what| Wanted { rule: self.rule, step, what };
        let value = of(What::Value(expr.clone()));
        let is_patch = of_desired(self.rule, expr, at.step).then(|| of(What::IsPatch));
        let (step, captures) = match at.when {
            When::Told if deps.alert => return None,
            When::Told => (0, &mut self.told),
            _ => (step, self.captures.get_mut(step as usize)?),
        };
        let patch = is_patch.map(|wanted| captures.add(wanted));
        Some(Node::Capture { step, slot: captures.add(value), patch })
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
            ExprKind::Lookup(table, key) => {
                Node::Lookup(Arc::new(Table::new(table)), self.boxed(key, at, bound))
            }
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
            ir::Root::Alert(field) if at.when != When::Later => Root::Alert(field),
            // The event is gone, and some computed segment reads another event: up to there it is captured.
            _ if at.when != When::Here => return self.late_place(place, ty, At { step, ..at }, bound),
            ir::Root::Undecodable(field) => Root::Undecodable(field),
            ir::Root::Event => Root::Event,
            ir::Root::RequestObject => Root::RequestObject,
            ir::Root::ResponseObject(kinds) => Root::ResponseObject(kinds),
            ir::Root::Derived(derived) => Root::Derived(derived),
            ir::Root::Alert(field) => Root::Alert(field),
        };
        self.read(root, &place.segments, ty, at, bound)
    }

    fn late_place(&mut self, place: &ir::Place, ty: &ir::Type, at: At, bound: &mut Vec<VarId>) -> Node {
        let foreign = |segment: &ir::Segment| {
            let ir::Segment::Computed(inner) = segment else { return false };
            let deps = self.deps(inner, at.step, bound);
            let other = match at.when {
                When::Told => deps.alert,
                _ => deps.steps.iter().any(|step| *step != at.step),
            };
            deps.window || deps.outer || other
        };
        let cut = place.segments.iter().position(foreign).unwrap_or(place.segments.len());
        let (front, back) = place.segments.split_at(cut);
        let front = ir::Place { segments: front.to_vec(), text: String::new(), ..place.clone() };
        let front = ir::Expr {
            kind: ExprKind::Read(front),
            ty: ir::Type::Any,
            span: dsl::source::Span::new(dsl::source::SourceId(0), 0, 0),
        };
        let root = match self.brought(&front, at, &[]) {
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
                return Node::Matches { left, pattern: Pattern::new(pattern, ignoring_case).ok() };
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

fn is_condition(expr: &ir::Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::IsTrue(_)
            | ExprKind::Compare { .. }
            | ExprKind::In { .. }
            | ExprKind::Quantified { .. }
    )
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
