//! Exact answers, in three-valued logic: conditions and values over a row, or over what matches brought along.
//!
//! One evaluator serves both; only the leaves differ ([`Event`]). What is unknown, and when, stands in `unknown.rs`
//! alone; what `desired` is of a patch in `desired.rs`. Evaluation sees rows, never JSON text. It allocates for what
//! is computed only, and recurses no deeper than expressions nest (bounded by the language) or values do (bounded by
//! the decoder).

mod compare;
mod csr;
mod derived;
mod desired;
mod functions;
mod image;
pub(crate) mod query;
mod read;
pub(crate) mod render;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod text;
pub(crate) mod unknown;
pub(crate) mod val;

use std::cell::{Cell, RefCell};

use crate::matches::{Nanos, SourceInfo};
use crate::plan::expr::{Function, Node};
use crate::plan::late::LateCx;
use crate::planted::planted;

pub(crate) use compare::address;
pub(crate) use derived::EventCx;
pub(crate) use functions::call as apply;
pub(crate) use val::Val;

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It is not so.
    False,
    /// It cannot be known.
    Unknown,
    /// It is so.
    True,
}

impl Truth {
    pub(crate) fn of(b: bool) -> Self {
        if b { Self::True } else { Self::False }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Unknown if planted(2) => Self::True,
            Self::Unknown => Self::Unknown,
            Self::True => Self::False,
        }
    }

    fn val<'a>(self) -> Val<'a> {
        match self {
            Self::False => Val::Bool(false),
            Self::Unknown => Val::Unknown,
            Self::True => Val::Bool(true),
        }
    }
}

/// What each counted condition of a rule has been found to be.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// By the number of the condition in [`crate::plan::Rule::leaves`]: how often false, unknown, true.
    pub leaves: Vec<[Cell<u64>; 3]>,
}

impl Coverage {
    pub(crate) fn new(leaves: usize) -> Self {
        Self { leaves: vec![Default::default(); leaves] }
    }

    fn saw(&self, leaf: u32, truth: Truth) {
        if let Some(counts) = self.leaves.get(leaf as usize) {
            let count = &counts[truth as usize];
            count.set(count.get() + 1);
        }
    }
}

/// Where the leaves of an expression read.
pub(crate) enum Event<'e, 'a> {
    /// The event at hand.
    Here(&'e EventCx<'a>),
    /// What matches brought along, or an alert said.
    Gone(LateCx<'a>),
    /// What is no event.
    Lost(LostCx<'a>),
}

/// What is known of what is no event.
#[derive(Clone, Copy)]
pub(crate) struct LostCx<'a> {
    pub(crate) reason: &'static str,
    pub(crate) offset: u64,
    /// What its source's clock showed.
    pub(crate) time: Nanos,
    pub(crate) source: &'a SourceInfo,
}

/// An element that a quantifier has bound. `patch`: it is a part of `desired` of a patch.
struct Bound<'a> {
    var: u32,
    val: Val<'a>,
    patch: bool,
}

/// All that evaluation needs.
pub(crate) struct Cx<'e, 'a> {
    event: Event<'e, 'a>,
    bound: RefCell<Vec<Bound<'a>>>,
    coverage: Option<&'e Coverage>,
}

impl<'e, 'a> Cx<'e, 'a> {
    pub(crate) fn new(event: Event<'e, 'a>, coverage: Option<&'e Coverage>) -> Self {
        Self { event, bound: RefCell::new(Vec::new()), coverage }
    }

    /// Whether coverage is counted.
    pub(crate) fn covers(&self) -> bool {
        self.coverage.is_some()
    }

    /// The event at hand.
    pub(crate) fn row(&self) -> Option<&'a crate::event::row::Row<'a>> {
        match &self.event {
            Event::Here(event) => Some(event.row),
            Event::Gone(_) | Event::Lost(_) => None,
        }
    }

    pub(crate) fn with<T>(&self, var: u32, val: Val<'a>, patch: bool, f: impl FnOnce() -> T) -> T {
        self.bound.borrow_mut().push(Bound { var, val, patch });
        let result = f();
        self.bound.borrow_mut().pop();
        result
    }

    fn bound(&self, var: u32) -> (Val<'a>, bool) {
        let bound = self.bound.borrow();
        match bound.iter().rev().find(|b| b.var == var) {
            Some(b) => (b.val.clone(), b.patch),
            None => (Val::Absent, false),
        }
    }
}

/// Asks a condition.
pub(crate) fn truth<'a>(node: &'a Node, cx: &Cx<'_, 'a>) -> Truth {
    match node {
        Node::Not(inner) => truth(inner, cx).not(),
        Node::And(parts) => all(parts, cx),
        Node::Or(parts) => {
            let mut result = Truth::False;
            for part in parts {
                result = result.max(truth(part, cx));
                if result == Truth::True && cx.coverage.is_none() {
                    break;
                }
            }
            result
        }
        Node::NotTrue(inner) => Truth::of(truth(inner, cx) != Truth::True),
        Node::Leaf(leaf, inner) => {
            let answer = truth(inner, cx);
            if let Some(coverage) = cx.coverage {
                coverage.saw(*leaf, answer);
            }
            answer
        }
        Node::Compare { op, left, right, ignoring_case } => {
            compare::compare(*op, &value(left, cx), &value(right, cx), *ignoring_case)
        }
        Node::Like { left, pattern } => compare::text_word(&value(left, cx), |text| pattern.is_match(text)),
        Node::Matches { left, pattern } => {
            compare::text_word(&value(left, cx), |text| pattern.as_ref().is_some_and(|p| p.is_match(text)))
        }
        Node::In { left, set, ignoring_case } => compare::within(&value(left, cx), set, *ignoring_case, cx),
        Node::Quantified { all, var, list, body } => quantified(*all, *var, list, body, cx),
        Node::IsTrue(inner) => is_true(&value(inner, cx)),
        _ => is_true(&value(node, cx)),
    }
}

/// Kleene's and.
pub(crate) fn all<'a>(parts: impl IntoIterator<Item = &'a Node>, cx: &Cx<'_, 'a>) -> Truth {
    let mut result = Truth::True;
    for part in parts {
        result = result.min(truth(part, cx));
        // Coverage asks every condition, also where the answer is already known.
        if result == Truth::False && cx.coverage.is_none() {
            break;
        }
    }
    result
}

fn is_true(val: &Val<'_>) -> Truth {
    compare::any(val, |v| match v {
        Val::Bool(true) => Truth::True,
        Val::Unknown => Truth::Unknown,
        _ => Truth::False,
    })
}

/// The name of the object that a request is about, as alerts show it.
pub(crate) fn object_name<'a>(event: &EventCx<'a>) -> Option<std::borrow::Cow<'a, str>> {
    match event.derived(dsl::ir::Derived::ObjectName) {
        Val::Text(name) => Some(name),
        _ => None,
    }
}

/// Reads a value; a condition's is its truth.
pub(crate) fn value<'a>(node: &'a Node, cx: &Cx<'_, 'a>) -> Val<'a> {
    flagged(node, cx).0
}

/// A value, and whether it is a part of `desired` of a patch.
fn flagged<'a>(node: &'a Node, cx: &Cx<'_, 'a>) -> (Val<'a>, bool) {
    let plain = match node {
        Node::Const(value) => Val::held(value),
        Node::Read(read) => return read::read(read, cx),
        Node::Find { var, list, body } => return find(*var, list, body, cx),
        Node::Capture { step, slot, patch } => {
            let flag = patch.is_some_and(|slot| matches!(capture(*step, slot, cx), Val::Bool(true)));
            return (capture(*step, *slot, cx), flag);
        }
        Node::IsPatch => match &cx.event {
            Event::Here(event) => Val::Bool(event.row.verb() == "patch"),
            Event::Gone(_) | Event::Lost(_) => Val::Bool(false),
        },
        Node::Call(function, args) => call(*function, args, cx),
        Node::Lookup(table, key) => table.get(&value(key, cx)),
        Node::Arith(op, left, right) => {
            functions::pairs(value(left, cx), value(right, cx), &|a, b| functions::arith(*op, a, b))
        }
        Node::Aggregate(n) => match &cx.event {
            Event::Gone(late) => Val::option(late.aggregates.get(*n as usize).map(Val::held)),
            Event::Here(_) | Event::Lost(_) => Val::Absent,
        },
        Node::Key(n) => match &cx.event {
            Event::Gone(late) => Val::option(late.key.get(*n as usize).map(Val::held)),
            Event::Here(_) | Event::Lost(_) => Val::Absent,
        },
        _ => truth(node, cx).val(),
    };
    (plain, false)
}

fn capture<'a>(step: u32, slot: u32, cx: &Cx<'_, 'a>) -> Val<'a> {
    match &cx.event {
        Event::Gone(late) => {
            Val::option(late.captures.get(step as usize).and_then(|c| c.get(slot as usize)).map(Val::held))
        }
        Event::Here(_) | Event::Lost(_) => Val::Absent,
    }
}

fn call<'a>(function: Function, args: &'a [Node], cx: &Cx<'_, 'a>) -> Val<'a> {
    match args {
        [one] => functions::each(value(one, cx), function),
        [one, two] => {
            functions::pairs(value(one, cx), value(two, cx), &|a, b| apply(function, &[a.clone(), b.clone()]))
        }
        _ => Val::Absent,
    }
}

/// The lists that a quantifier goes over, joined, and whether there may be more elements.
fn elements<'a>(list: Val<'a>) -> (Vec<Val<'a>>, bool) {
    let (lists, mut open) = match list {
        Val::Spread(lists, open) => (lists, open),
        one => (vec![one], false),
    };
    let mut out = Vec::new();
    for list in lists {
        match (&list, list.elements()) {
            (Val::Unknown, _) => open = true,
            (_, Some((items, more))) => {
                out.extend(items);
                open |= more;
            }
            (_, None) => {}
        }
    }
    (out, open)
}

/// The elements that a quantifier over this goes through, and whether each is a part of `desired` of a patch.
pub(crate) fn list<'a>(node: &'a Node, cx: &Cx<'_, 'a>) -> Vec<(Val<'a>, bool)> {
    let (list, patch) = flagged(node, cx);
    elements(list).0.into_iter().map(|item| (item, patch)).collect()
}

fn quantified<'a>(all: bool, var: u32, list: &'a Node, body: &'a Node, cx: &Cx<'_, 'a>) -> Truth {
    let (list, patch) = flagged(list, cx);
    let (items, open) = elements(list);
    if all && planted(10) && items.is_empty() && !open {
        return Truth::False;
    }
    // `all` is no element that is not: with false for true and the other way round.
    let mut result = if open && !planted(3) { Truth::Unknown } else { Truth::False };
    for item in items {
        let answer = cx.with(var, item, patch, || truth(body, cx));
        result = result.max(if all { answer.not() } else { answer });
        if result == Truth::True && cx.coverage.is_none() {
            break;
        }
    }
    if all { result.not() } else { result }
}

/// The first element that meets the condition.
fn find<'a>(var: u32, list: &'a Node, body: &'a Node, cx: &Cx<'_, 'a>) -> (Val<'a>, bool) {
    let (list, patch) = flagged(list, cx);
    for item in elements(list).0 {
        if cx.with(var, item.clone(), patch, || truth(body, cx)) == Truth::True {
            return (item, patch);
        }
    }
    (Val::Absent, patch)
}
