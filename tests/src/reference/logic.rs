//! Three-valued truth, equality, order and the words on text: `docs/semantics.md`, "Logic".

use std::collections::BTreeMap;

use dsl::ir::CompareOp;

use super::text;
use super::value::{Extent, V};

/// Kleene's three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    False,
    Unknown,
    True,
}

use Truth::{False, True, Unknown};

impl Truth {
    pub(super) fn of(b: bool) -> Self {
        if b { True } else { False }
    }

    pub(super) fn not(self) -> Self {
        match self {
            True => False,
            Unknown => Unknown,
            False => True,
        }
    }

    /// The worst of all; of none, true.
    pub(super) fn and(all: impl IntoIterator<Item = Self>) -> Self {
        all.into_iter().fold(True, |a, b| match (a, b) {
            (False, _) | (_, False) => False,
            (True, True) => True,
            _ => Unknown,
        })
    }

    /// The best of all; of none, false.
    pub(super) fn or(all: impl IntoIterator<Item = Self>) -> Self {
        Self::and(all.into_iter().map(Self::not)).not()
    }

    /// `or` with unknown if there may be more.
    pub(super) fn any(all: impl IntoIterator<Item = Self>, extent: Extent) -> Self {
        let more = if extent == Extent::Open { Unknown } else { False };
        Self::or(all.into_iter().chain([more]))
    }

    pub(super) fn value(self) -> V {
        match self {
            True => V::Bool(true),
            False => V::Bool(false),
            Unknown => V::Unknown,
        }
    }

    /// A value as a condition.
    pub(super) fn is_true(v: &V) -> Self {
        match v {
            V::Unknown => Unknown,
            V::Bool(true) => True,
            _ => False,
        }
    }
}

/// `==`
pub(super) fn equal(a: &V, b: &V, ignoring_case: bool) -> Truth {
    match (a, b) {
        (V::Unknown, _) | (_, V::Unknown) => Unknown,
        (V::Absent, V::Absent) => True,
        (V::Text(a), V::Text(b)) if ignoring_case => Truth::of(text::equal_folded(a, b)),
        (V::Text(a), V::Text(b)) => Truth::of(a == b),
        (V::Bool(a), V::Bool(b)) => Truth::of(a == b),
        (V::Number(a), V::Number(b)) => Truth::of(a == b),
        (V::Time(a), V::Time(b)) | (V::Duration(a), V::Duration(b)) => Truth::of(a == b),
        (V::Minute(a), V::Minute(b)) => Truth::of(a == b),
        (V::List(a, x), V::List(b, y)) => match x.or(*y) {
            Extent::Open => Unknown,
            Extent::Closed if a.len() != b.len() => False,
            Extent::Closed => Truth::and(a.iter().zip(b).map(|(a, b)| equal(a, b, ignoring_case))),
        },
        (V::Map(a, x), V::Map(b, y)) => match x.or(*y) {
            Extent::Open => Unknown,
            Extent::Closed if !same_keys(a, b) => False,
            Extent::Closed => Truth::and(a.values().zip(b.values()).map(|(a, b)| equal(a, b, ignoring_case))),
        },
        _ => False,
    }
}

fn same_keys(a: &BTreeMap<String, V>, b: &BTreeMap<String, V>) -> bool {
    a.keys().eq(b.keys())
}

/// Any comparison but `!=`, which stands as the negation of `==`.
pub(super) fn compare(op: CompareOp, a: &V, b: &V, ignoring_case: bool) -> Truth {
    match op {
        CompareOp::Eq => equal(a, b, ignoring_case),
        CompareOp::Ne => equal(a, b, ignoring_case).not(),
        CompareOp::Lt => order(a, b, std::cmp::Ordering::is_lt),
        CompareOp::Le => order(a, b, std::cmp::Ordering::is_le),
        CompareOp::Gt => order(a, b, std::cmp::Ordering::is_gt),
        CompareOp::Ge => order(a, b, std::cmp::Ordering::is_ge),
        CompareOp::Contains { .. } => words(a, b, |a, b| text::contains(a, b, ignoring_case)),
        CompareOp::StartsWith { .. } => words(a, b, |a, b| text::starts_with(a, b, ignoring_case)),
        CompareOp::EndsWith { .. } => words(a, b, |a, b| text::ends_with(a, b, ignoring_case)),
        CompareOp::Like { .. } => words(a, b, |a, b| text::like(a, b, ignoring_case)),
        CompareOp::Matches { .. } => words(a, b, |a, b| text::matches(a, b, ignoring_case)),
    }
}

fn order(a: &V, b: &V, holds: fn(std::cmp::Ordering) -> bool) -> Truth {
    match (a, b) {
        (V::Unknown, _) | (_, V::Unknown) => Unknown,
        (V::Number(a), V::Number(b)) => Truth::of(a.partial_cmp(b).is_some_and(holds)),
        (V::Time(a), V::Time(b)) | (V::Duration(a), V::Duration(b)) => Truth::of(holds(a.cmp(b))),
        (V::Minute(a), V::Minute(b)) => Truth::of(holds(a.cmp(b))),
        _ => False,
    }
}

fn words(a: &V, b: &V, holds: impl Fn(&str, &str) -> bool) -> Truth {
    match (a, b) {
        (V::Unknown, _) | (_, V::Unknown) => Unknown,
        (V::Text(a), V::Text(b)) => Truth::of(holds(a, b)),
        _ => False,
    }
}
