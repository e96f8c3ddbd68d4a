//! Comparisons and membership. `docs/semantics.md`, "Logic".
//!
//! Over a spread a comparison holds if it does for one combination, so two spreads cost their product.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::plan::expr::{Compare, Set};
use crate::planted::planted;

use super::text::{Like, folded};
use super::val::Val;
use super::{Cx, Truth, value};

/// Of one value the condition, of a spread whether one meets it.
pub(crate) fn any(val: &Val<'_>, condition: impl Fn(&Val<'_>) -> Truth) -> Truth {
    let Val::Spread(items, open) = val else { return condition(val) };
    let mut result = if *open { Truth::Unknown } else { Truth::False };
    for item in items {
        result = result.max(condition(item));
        if result == Truth::True {
            break;
        }
    }
    result
}

pub(super) fn compare(op: Compare, left: &Val<'_>, right: &Val<'_>, ignoring_case: bool) -> Truth {
    // An empty spread on one side has no combination, but a mark on the other still says that there may be.
    any(left, |l| any(right, |r| compare_one(op, l, r, ignoring_case)))
        .max(if marked(left) || marked(right) { Truth::Unknown } else { Truth::False })
}

fn marked(val: &Val<'_>) -> bool {
    matches!(val, Val::Spread(_, true))
}

fn compare_one(op: Compare, left: &Val<'_>, right: &Val<'_>, ignoring_case: bool) -> Truth {
    if matches!(left, Val::Unknown) || matches!(right, Val::Unknown) {
        return Truth::Unknown;
    }
    match op {
        Compare::Eq => equal(left, right, ignoring_case),
        Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge => order(op, left, right),
        Compare::Contains | Compare::StartsWith | Compare::EndsWith | Compare::Like => {
            let (Val::Text(left), Val::Text(right)) = (left, right) else { return Truth::False };
            if op == Compare::Like {
                return Truth::of(Like::new(right, ignoring_case).is_match(left));
            }
            let (left, right) = (folded(left, ignoring_case), folded(right, ignoring_case));
            Truth::of(match op {
                Compare::StartsWith => left.starts_with(&*right),
                Compare::EndsWith => left.ends_with(&*right),
                _ => left.contains(&*right),
            })
        }
    }
}

/// A word about one text whose right side is a constant.
pub(super) fn text_word(left: &Val<'_>, holds: impl Fn(&str) -> bool) -> Truth {
    any(left, |val| match val {
        Val::Unknown => Truth::Unknown,
        Val::Text(text) => Truth::of(holds(text)),
        _ => Truth::False,
    })
}

fn order(op: Compare, left: &Val<'_>, right: &Val<'_>) -> Truth {
    let ordering = match (left, right) {
        (Val::Number(a), Val::Number(b)) => a.partial_cmp(b),
        (Val::Time(a), Val::Time(b)) | (Val::Duration(a), Val::Duration(b)) => Some(a.cmp(b)),
        (Val::Minute(a), Val::Minute(b)) => Some(a.cmp(b)),
        _ => None,
    };
    let Some(ordering) = ordering else { return Truth::False };
    Truth::of(match op {
        Compare::Lt => ordering.is_lt(),
        Compare::Le => ordering.is_le(),
        Compare::Gt => ordering.is_gt(),
        _ => ordering.is_ge(),
    })
}

/// `==` of two values that are no spreads.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>, ignoring_case: bool) -> Truth {
    match (left, right) {
        (Val::Unknown, _) | (_, Val::Unknown) => Truth::Unknown,
        (Val::Absent, Val::Absent) => Truth::True,
        (Val::Absent, Val::Text(text)) | (Val::Text(text), Val::Absent) => {
            Truth::of(planted(4) || planted(1) && text.is_empty())
        }
        (Val::Absent, _) | (_, Val::Absent) => Truth::False,
        (Val::Bool(a), Val::Bool(b)) => Truth::of(a == b),
        (Val::Number(a), Val::Number(b)) => Truth::of(a == b),
        (Val::Text(a), Val::Text(b)) => {
            Truth::of(if ignoring_case { folded(a, true) == folded(b, true) } else { a == b })
        }
        (Val::Time(a), Val::Time(b)) | (Val::Duration(a), Val::Duration(b)) => Truth::of(a == b),
        (Val::Minute(a), Val::Minute(b)) => Truth::of(a == b),
        _ if left.is_list() && right.is_list() => lists(left, right, ignoring_case),
        _ if left.is_map() && right.is_map() => maps(left, right, ignoring_case),
        _ => Truth::False,
    }
}

fn lists(left: &Val<'_>, right: &Val<'_>, ignoring_case: bool) -> Truth {
    if left.open() || right.open() {
        return Truth::Unknown;
    }
    let (Some((a, _)), Some((b, _))) = (left.elements(), right.elements()) else { return Truth::False };
    if a.len() != b.len() {
        return Truth::False;
    }
    a.iter().zip(&b).map(|(a, b)| equal(a, b, ignoring_case)).min().unwrap_or(Truth::True)
}

fn maps(left: &Val<'_>, right: &Val<'_>, ignoring_case: bool) -> Truth {
    if left.open() || right.open() {
        return Truth::Unknown;
    }
    let (Some((a, _)), Some((b, _))) = (left.entries(), right.entries()) else { return Truth::False };
    if a.len() != b.len() || a.iter().zip(&b).any(|((a, _), (b, _))| a != b) {
        return Truth::False;
    }
    a.iter().zip(&b).map(|((_, a), (_, b))| equal(a, b, ignoring_case)).min().unwrap_or(Truth::True)
}

pub(super) fn within<'a>(left: &Val<'a>, set: &'a Set, ignoring_case: bool, cx: &Cx<'_, 'a>) -> Truth {
    match set {
        Set::Literals { texts, others } => any(left, |val| match val {
            Val::Unknown => Truth::Unknown,
            Val::Text(text) => Truth::of(texts.contains(&*folded(text, ignoring_case))),
            val => {
                others.iter().map(|o| equal(val, &Val::held(o), ignoring_case)).max().unwrap_or(Truth::False)
            }
        }),
        Set::Networks(networks) => any(left, |val| match val {
            Val::Unknown => Truth::Unknown,
            Val::Text(text) => Truth::of(address(text).is_some_and(|a| networks.iter().any(|n| holds(n, a)))),
            _ => Truth::False,
        }),
        Set::Clock { from, to } => any(left, |val| match val {
            Val::Unknown => Truth::Unknown,
            Val::Minute(m) => {
                let before_end = m < to || planted(9) && m == to;
                Truth::of(if from < to { m >= from && before_end } else { m >= from || before_end })
            }
            _ => Truth::False,
        }),
        Set::Value(list) => {
            let list = value(list, cx);
            any(left, |val| any(&list, |list| within_list(val, list, ignoring_case)))
                .max(if marked(left) || marked(&list) { Truth::Unknown } else { Truth::False })
        }
    }
}

fn within_list(left: &Val<'_>, list: &Val<'_>, ignoring_case: bool) -> Truth {
    if matches!(left, Val::Unknown) || matches!(list, Val::Unknown) {
        return Truth::Unknown;
    }
    let Some((items, open)) = list.elements() else { return Truth::False };
    let mut result = if open && !planted(5) { Truth::Unknown } else { Truth::False };
    for item in &items {
        result = result.max(equal(left, item, ignoring_case));
        if result == Truth::True {
            break;
        }
    }
    result
}

/// An address; an IPv4 address in IPv6's clothes is that.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical())
}

fn holds(network: &dsl::ir::Network, address: IpAddr) -> bool {
    let bits = if planted(11) { network.bits.saturating_sub(1) } else { network.bits };
    match (network.address, address) {
        (IpAddr::V4(net), IpAddr::V4(a)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            Ipv4Addr::to_bits(net) & mask == Ipv4Addr::to_bits(a) & mask
        }
        (IpAddr::V6(net), IpAddr::V6(a)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            Ipv6Addr::to_bits(net) & mask == Ipv6Addr::to_bits(a) & mask
        }
        _ => false,
    }
}
