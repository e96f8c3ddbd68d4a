//! Conditions and values as they are run: nothing is looked up, compiled or resolved at an event's time.
//!
//! Regexes are compiled, sets hashed, zones resolved, patterns cut into pieces. A leaf [`Expr::Capture`] stands for a
//! value that a match brought with it, so that the same evaluator serves an event (`Read`) and what is decided after
//! it is gone (`Capture`, `Aggregate`, `Key`).

use std::collections::HashSet;
use std::sync::Arc;

use dsl::ir;
use dsl::pattern::Pattern;

use super::table::Table;
use crate::eval::text::Like;
use crate::matches::Value;

/// A compiled condition or value.
#[derive(Debug)]
pub struct Expr(pub(crate) Node);

/// What it is.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Const(Value),
    /// A place of the event at hand, or below another value.
    Read(Box<Read>),
    /// What a match of a step brought with it. `patch` is set where it is a part of `desired`: the slot that says
    /// whether that was a patch's, since stepping into a scalar then gives unknown.
    Capture {
        step: u32,
        slot: u32,
        patch: Option<u32>,
    },
    /// Whether the event at hand is a patch.
    IsPatch,
    /// What an `any` lends: the first element of the list that meets the condition, else absent.
    Find {
        var: u32,
        list: Box<Node>,
        body: Box<Node>,
    },
    Call(Function, Vec<Node>),
    /// The value under a key.
    Lookup(Arc<Table>, Box<Node>),
    Arith(ir::ArithOp, Box<Node>, Box<Node>),
    Aggregate(u32),
    Key(u32),
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    IsTrue(Box<Node>),
    /// True unless the condition is true: an `except` among conditions.
    NotTrue(Box<Node>),
    Compare {
        op: Compare,
        left: Box<Node>,
        right: Box<Node>,
        ignoring_case: bool,
    },
    /// The pattern is known.
    Like {
        left: Box<Node>,
        pattern: Like,
    },
    /// Nothing if the pattern does not compile, which the checker rules out.
    Matches {
        left: Box<Node>,
        pattern: Option<Pattern>,
    },
    In {
        left: Box<Node>,
        set: Set,
        ignoring_case: bool,
    },
    Quantified {
        all: bool,
        var: u32,
        list: Box<Node>,
        body: Box<Node>,
    },
    /// A condition whose answers are counted for coverage, under its number in the rule.
    Leaf(u32, Box<Node>),
}

/// Operators whose right side is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
    Contains,
    StartsWith,
    EndsWith,
    Like,
}

/// Where `in` looks.
#[derive(Clone, Debug)]
pub(crate) enum Set {
    /// Texts in a hash set (folded, if case is ignored), other constants in a row.
    Literals {
        texts: HashSet<Box<str>>,
        others: Vec<Value>,
    },
    Networks(Vec<ir::Network>),
    Clock {
        from: u16,
        to: u16,
    },
    Value(Box<Node>),
}

/// Functions, their constant arguments resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Plain(ir::Function),
    TimeOfDay(chrono_tz::Tz),
    Weekday(chrono_tz::Tz),
}

/// A value and the way down from it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) root: Root,
    pub(crate) path: Vec<Segment>,
    pub(crate) turn: Turn,
}

/// Where a read begins.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    Event,
    RequestObject,
    ResponseObject(ir::BodyKinds),
    Derived(ir::Derived),
    /// What the alert at hand says of itself.
    Alert(ir::AlertField),
    /// What is known of what is no event.
    Undecodable(ir::UndecodableField),
    /// The element that a quantifier binds around it.
    Element(u32),
    /// Another value.
    Of(Box<Node>),
}

/// One step down.
#[derive(Clone, Debug)]
pub(crate) enum Segment {
    Key(Box<str>),
    Index(u64),
    Computed(Node),
    Each,
}

/// What a read's type makes of texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Turn {
    /// Nothing.
    Keep,
    /// A time, of anything else absent.
    Time,
    /// Each element of a list or value of a map.
    Inside(Box<Turn>),
}

impl Turn {
    pub(crate) fn of(ty: &ir::Type) -> Self {
        match ty {
            ir::Type::Time => Self::Time,
            ir::Type::List(inner) | ir::Type::Map(inner) => match Self::of(inner) {
                Self::Keep => Self::Keep,
                turn => Self::Inside(Box::new(turn)),
            },
            _ => Self::Keep,
        }
    }
}
