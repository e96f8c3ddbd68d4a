//! Expressions: a walk over their tree.

use std::collections::BTreeMap;
use std::rc::Rc;

use dsl::ir::{CompareOp, Derived, Expr, ExprKind, Function, Literal, Place, Root, Segment, Set, VarId};

use super::arithmetic::arithmetic;
use super::bodies;
use super::event::{Event, Nature};
use super::feature::{Feature, Poison};
use super::fields;
use super::functions;
use super::logic::{self, Truth};
use super::tables;
use super::value::{Extent, Step, V};

/// What an expression is evaluated over.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    /// The event at hand.
    pub(super) event: &'a Event,
    /// The events chosen for the steps of a sequence, by number.
    pub(super) steps: &'a [Option<Rc<Event>>],
    /// Elements that quantifiers bound, and whether each is part of `desired` of a patch.
    pub(super) vars: BTreeMap<VarId, (V, bool)>,
    /// The aggregates as they were judged.
    pub(super) aggregates: &'a [V],
    /// The group key.
    pub(super) key: &'a [V],
    pub(super) poison: &'a Poison,
}

impl<'a> Scope<'a> {
    /// Of an event alone.
    pub(super) fn of(event: &'a Event, poison: &'a Poison) -> Self {
        Self { event, steps: &[], vars: BTreeMap::new(), aggregates: &[], key: &[], poison }
    }

    /// The truth of a condition.
    pub(super) fn truth(&self, expr: &Expr) -> Truth {
        let poison = self.poison;
        match &expr.kind {
            ExprKind::Not(of) => poison.truth("not", self.truth(of).not()),
            ExprKind::And(all) => poison.truth("and", Truth::and(all.iter().map(|e| self.truth(e)))),
            ExprKind::Or(all) => poison.truth("or", Truth::or(all.iter().map(|e| self.truth(e)))),
            ExprKind::IsTrue(of) => {
                let (values, extent) = self.value(of).each();
                poison.truth("a value as a condition", Truth::any(values.iter().map(Truth::is_true), extent))
            }
            ExprKind::Compare { op, left, right, ignoring_case } => {
                let ignoring_case = *ignoring_case && !poison.hits("ignoring case");
                let truth = self.pairs(left, right, |a, b| logic::compare(*op, a, b, ignoring_case));
                poison.truth(operator(*op), truth)
            }
            ExprKind::In { left, set, ignoring_case } => self.membership(left, set, *ignoring_case),
            ExprKind::Quantified { all, var, list, body } => {
                let (elements, extent, patch) = self.elements(list);
                let turned = |t: Truth| if *all { t.not() } else { t };
                let truths = elements.into_iter().map(|e| turned(self.bind(*var, e, patch).truth(body)));
                let truth = Truth::any(truths, extent);
                poison.truth(if *all { "all" } else { "any" }, turned(truth))
            }
            _ => Truth::is_true(&self.value(expr)),
        }
    }

    /// The value of an expression; conditions give a truth or unknown.
    pub(super) fn value(&self, expr: &Expr) -> V {
        match &expr.kind {
            ExprKind::Literal(literal) => constant(literal),
            ExprKind::Read(place) => self.read(place).typed(&expr.ty),
            ExprKind::Call(Function::Present, args) => {
                let Some(of) = args.first() else { return V::Absent };
                let present = |v: &V| if v.is_unknown() { Truth::Unknown } else { Truth::of(!v.is_absent()) };
                let (values, extent) = self.value(of).each();
                self.poison.truth("present()", Truth::any(values.iter().map(present), extent)).value()
            }
            ExprKind::Call(function, args) => {
                let args: Vec<V> = args.iter().map(|a| self.value(a)).collect();
                let value = over_each(&args, &|args| functions::call(*function, args));
                self.poison.value(functions::name(*function), value)
            }
            ExprKind::Part(of, segments) => {
                fields::down(self.value(of), &self.steps_down(segments), false).typed(&expr.ty)
            }
            ExprKind::Arith(op, a, b) => {
                let args = [self.value(a), self.value(b)];
                let value = over_each(&args, &|args| arithmetic(*op, &args[0], &args[1]));
                self.poison.value(sign(*op), value)
            }
            ExprKind::Lookup(table, key) => {
                let value = over_each(&[self.value(key)], &|key| tables::lookup(table, &key[0]));
                let value = match table.rows {
                    dsl::ir::Rows::MaxMind(_) => self.poison.value("a MaxMind table", value),
                    _ => value,
                };
                self.poison.value("a table", value)
            }
            ExprKind::Aggregate(n) => self.aggregates.get(*n as usize).cloned().unwrap_or(V::Absent),
            ExprKind::Key(n) => self.key.get(*n as usize).cloned().unwrap_or(V::Absent),
            _ => self.truth(expr).value(),
        }
    }

    fn bind(&self, var: VarId, element: V, patch: bool) -> Self {
        let mut scope = self.clone();
        scope.vars.insert(var, (element, patch));
        scope
    }

    /// True if it is for one pair of the values of both sides.
    fn pairs(&self, left: &Expr, right: &Expr, holds: impl Fn(&V, &V) -> Truth) -> Truth {
        let ((left, x), (right, y)) = (self.value(left).each(), self.value(right).each());
        let all = left.iter().flat_map(|a| right.iter().map(|b| holds(a, b)).collect::<Vec<_>>());
        Truth::any(all, x.or(y))
    }

    fn membership(&self, left: &Expr, set: &Set, ignoring_case: bool) -> Truth {
        let ignoring_case = ignoring_case && !self.poison.hits("ignoring case");
        let (values, extent) = self.value(left).each();
        let over = |holds: &dyn Fn(&V) -> Truth| Truth::any(values.iter().map(holds), extent);
        let unless_unknown = |v: &V, b: bool| if v.is_unknown() { Truth::Unknown } else { Truth::of(b) };
        match set {
            Set::Literals(all) => {
                let among =
                    |v: &V| Truth::or(all.iter().map(|l| logic::equal(v, &constant(l), ignoring_case)));
                // Of no literals too, what is unknown is unknown.
                let truth = over(&|v| if v.is_unknown() { Truth::Unknown } else { among(v) });
                self.poison.truth("in [..]", truth)
            }
            Set::Networks(all) => {
                let among = |v: &V| {
                    let ip = v.as_text().and_then(functions::address);
                    ip.is_some_and(|ip| all.iter().any(|network| functions::in_network(ip, network)))
                };
                self.poison.truth("in cidr", over(&|v| unless_unknown(v, among(v))))
            }
            Set::Clock { from, to } => {
                let within = |v: &V| match v {
                    V::Minute(m) if from < to => from <= m && m < to,
                    V::Minute(m) => m >= from || m < to,
                    _ => false,
                };
                self.poison.truth("in clock", over(&|v| unless_unknown(v, within(v))))
            }
            Set::Value(list) => {
                let truth = self.pairs(left, list, |v, list| match (v, list) {
                    (V::Unknown, _) | (_, V::Unknown) => Truth::Unknown,
                    (v, V::List(items, more)) => {
                        Truth::any(items.iter().map(|i| logic::equal(v, i, ignoring_case)), *more)
                    }
                    _ => Truth::False,
                });
                self.poison.truth("in path", truth)
            }
        }
    }

    /// What a quantifier goes over: elements, whether there may be more, whether they are part of a patch.
    fn elements(&self, list: &Expr) -> (Vec<V>, Extent, bool) {
        let (lists, mut extent) = self.value(list).each();
        let mut all = Vec::new();
        for list in lists {
            match list {
                V::Unknown => extent = Extent::Open,
                V::List(items, more) => {
                    all.extend(items);
                    extent = extent.or(more);
                }
                _ => {}
            }
        }
        (all, extent, self.is_patch(list))
    }

    /// Whether what is read is part of `desired` of a patch.
    fn is_patch(&self, expr: &Expr) -> bool {
        use dsl::ir::Derived::{Containers, Desired, PodSpec};
        let ExprKind::Read(place) = &expr.kind else { return false };
        match place.root {
            Root::Derived(Desired | PodSpec | Containers) => self.event_of(place).verb == "patch",
            Root::Element(var) => self.vars.get(&var).is_some_and(|(_, patch)| *patch),
            _ => false,
        }
    }

    fn event_of(&self, place: &Place) -> &'a Event {
        place.step.and_then(|n| self.steps.get(n as usize)?.as_deref()).unwrap_or(self.event)
    }

    fn read(&self, place: &Place) -> V {
        let event = self.event_of(place);
        let steps = self.steps_down(&place.segments);
        let told = event.nature == Nature::Request;
        let value = match place.root {
            // What is no event, and what stands for none, has few fields.
            Root::RequestObject | Root::ResponseObject(_) if !told => fields::down(V::Absent, &steps, false),
            Root::Derived(of) if !told && of != Derived::Cluster && of != Derived::Source => {
                fields::down(V::Absent, &steps, false)
            }
            Root::Event => fields::own(event, &steps, self.poison),
            Root::RequestObject => {
                let body = self.poison.value("requestObject", fields::body(event, "requestObject"));
                fields::down(body, &steps, false)
            }
            Root::ResponseObject(kinds) => {
                let body = self.poison.value("responseObject", fields::body(event, "responseObject"));
                fields::down(bodies::response(body, kinds, steps.first(), self.poison), &steps, false)
            }
            Root::Derived(derived) => {
                let value =
                    self.poison.value(fields::name(derived), fields::derived(event, derived, self.poison));
                let patch = matches!(fields::name(derived), "desired" | "pod_spec" | "containers");
                fields::down(value, &steps, patch && event.verb == "patch")
            }
            Root::Alert(of) => fields::down(fields::alert(event, of, self.poison), &steps, false),
            Root::Undecodable(of) => fields::down(fields::undecodable(event, of, self.poison), &steps, false),
            Root::Element(var) => {
                let (value, patch) = self.vars.get(&var).cloned().unwrap_or((V::Absent, false));
                fields::down(value, &steps, patch)
            }
        };
        if place.step.is_some() { self.poison.value("a step's field", value) } else { value }
    }

    fn steps_down(&self, segments: &[Segment]) -> Vec<Step> {
        let step = |segment: &Segment| match segment {
            Segment::Key(key) => Step::Key(key.clone()),
            Segment::Index(_) if self.poison.hits("[n]") => Step::Nothing(V::Absent),
            Segment::Index(n) => Step::Index(*n),
            Segment::Each if self.poison.hits("[]") => Step::Nothing(V::Absent),
            Segment::Each => Step::Each,
            Segment::Computed(expr) => match self.poison.value("[computed]", self.value(expr)) {
                V::Text(key) => Step::Key(key),
                V::Number(n) if n >= 0.0 && n.fract() == 0.0 && n < 2f64.powi(63) => Step::Index(n as u64),
                V::Unknown => Step::Nothing(V::Unknown),
                _ => Step::Nothing(V::Absent),
            },
        };
        segments.iter().map(step).collect()
    }

    /// The first element for which the `any` that lends this variable is true.
    pub(super) fn lent(&self, condition: &Expr, var: VarId) -> Option<(V, bool)> {
        match &condition.kind {
            ExprKind::And(all) => all.iter().find_map(|part| self.lent(part, var)),
            ExprKind::Quantified { all: false, var: own, list, body } if *own == var => {
                let (elements, _, patch) = self.elements(list);
                let mut found = elements
                    .into_iter()
                    .filter(|e| self.bind(var, e.clone(), patch).truth(body) == Truth::True);
                found.next().map(|element| (element, patch))
            }
            _ => None,
        }
    }
}

/// A function of single values, of each where there are several.
fn over_each(args: &[V], function: &dyn Fn(&[V]) -> V) -> V {
    let Some(at) = args.iter().position(|arg| matches!(arg, V::Spread(..))) else { return function(args) };
    let (items, mut extent) = args[at].clone().each();
    let mut all = Vec::new();
    for item in items {
        let mut args = args.to_vec();
        args[at] = item;
        let (results, more) = over_each(&args, function).each();
        all.extend(results);
        extent = extent.or(more);
    }
    // With no value on one side, a mark on the other counts all the same.
    for arg in args {
        if let V::Spread(_, more) = arg {
            extent = extent.or(*more);
        }
    }
    V::Spread(all, extent)
}

/// A constant as a value.
pub(super) fn constant(literal: &Literal) -> V {
    match literal {
        Literal::Text(t) => V::Text(t.clone()),
        Literal::Number(n) => V::Number(*n),
        Literal::Duration(d) => V::Duration(*d),
        Literal::Bool(b) => V::Bool(*b),
        Literal::List(all) => V::List(all.iter().map(constant).collect(), Extent::Closed),
    }
}

fn sign(op: dsl::ir::ArithOp) -> Feature {
    use dsl::ir::ArithOp::{Add, Div, Mul, Sub};
    match op {
        Add => "+",
        Sub => "-",
        Mul => "*",
        Div => "/",
    }
}

fn operator(op: CompareOp) -> Feature {
    match op {
        CompareOp::Eq => "==",
        CompareOp::Ne => "!=",
        CompareOp::Lt => "<",
        CompareOp::Le => "<=",
        CompareOp::Gt => ">",
        CompareOp::Ge => ">=",
        CompareOp::Contains { .. } => "contains",
        CompareOp::StartsWith { .. } => "startswith",
        CompareOp::EndsWith { .. } => "endswith",
        CompareOp::Like { .. } => "like",
        CompareOp::Matches { .. } => "matches",
    }
}
