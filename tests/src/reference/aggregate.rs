//! Aggregates over the matches of a window: `docs/semantics.md`, "Aggregates".
//!
//! Numbers are summed as whole numbers of the smallest double there is, so that nothing is rounded but the sum itself.

use std::collections::BTreeSet;

use dsl::ir::{Aggregate, AggregateKind, Expr, Type};
use num_bigint::{BigInt, Sign};

use super::arithmetic::number;
use super::decide::Judge;
use super::eval::Scope;
use super::event::Event;
use super::feature::Feature;
use super::identity;
use super::logic::Truth;
use super::matching::Match;
use super::value::V;

/// A window under a lower bound keeps at least so many.
const KEPT_MIN: u64 = 1_000;

/// The values of all aggregates of the rule, and whether one would be higher but for the limit.
pub(super) fn aggregates(judge: Judge<'_>, window: &[&Match], closing: bool) -> (Vec<V>, bool) {
    let all = judge.rule.aggregates.iter().map(|a| aggregate(judge, a, window, closing));
    let (values, cut): (Vec<V>, Vec<bool>) = all.unzip();
    (values, cut.contains(&true))
}

fn aggregate(judge: Judge<'_>, of: &Aggregate, window: &[&Match], closing: bool) -> (V, bool) {
    let poison = judge.poison;
    let filter = of.filter.as_ref().filter(|_| !poison.hits("a filter of an aggregate"));
    let counts =
        |m: &&&Match| filter.is_none_or(|filter| Scope::of(m.event(), poison).truth(filter) == Truth::True);
    let counted: Vec<&Match> = window.iter().filter(counts).copied().collect();
    let most = of.enough.map_or(u64::MAX, |enough| enough.max(KEPT_MIN));
    let upto = |n: usize| (V::Number((n as u64).min(most) as f64), n as u64 > most);
    let exact = |value: V, part: Feature| (poison.value(part, value), false);
    let values = |of: &Expr| counted.iter().flat_map(|m| values(judge, of, m.event())).collect::<Vec<V>>();
    match &of.kind {
        AggregateKind::Count if poison.hits("count()") => (V::Number(0.0), false),
        AggregateKind::Count if closing || of.filter.is_some() => (V::Number(counted.len() as f64), false),
        AggregateKind::Count => upto(counted.len()),
        AggregateKind::Distinct(_) if poison.hits("distinct()") => upto(counted.len()),
        AggregateKind::Distinct(parts) => {
            let all = counted.iter().flat_map(|m| tuples(judge, parts, m.event()));
            upto(all.collect::<BTreeSet<_>>().len())
        }
        AggregateKind::Sum(of) => exact(sum(&of.ty, &values(of)), "sum()"),
        AggregateKind::Avg(of) => exact(average(&of.ty, &values(of)), "avg()"),
        AggregateKind::Min(of) => exact(ranked(values(of), |_| 0), "min()"),
        AggregateKind::Max(of) => exact(ranked(values(of), |many| many - 1), "max()"),
        AggregateKind::Percentile(of, percent) => {
            let rank = |many: usize| ((percent * many as f64 / 100.0).ceil() as usize).clamp(1, many) - 1;
            exact(ranked(values(of), rank), "percentile()")
        }
    }
}

/// What an event gives to an aggregate of that value.
fn values(judge: Judge<'_>, of: &Expr, event: &Event) -> Vec<V> {
    let (mut all, _) = Scope::of(event, judge.poison).value(of).each();
    all.retain(|value| match of.ty {
        Type::Duration => matches!(value, V::Duration(_)),
        Type::Time => matches!(value, V::Time(_)),
        _ => matches!(value, V::Number(_)),
    });
    all
}

/// The value of that rank, from 0, in ascending order.
fn ranked(mut values: Vec<V>, rank: impl Fn(usize) -> usize) -> V {
    if values.is_empty() {
        return V::Absent;
    }
    values.sort_by(|a, b| match (a, b) {
        (V::Number(a), V::Number(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        (V::Time(a), V::Time(b)) | (V::Duration(a), V::Duration(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    });
    match values.swap_remove(rank(values.len())) {
        // -0 + 0 is 0.
        V::Number(n) => V::Number(n + 0.0),
        other => other,
    }
}

pub(super) fn sum(ty: &Type, values: &[V]) -> V {
    if *ty == Type::Duration {
        return i64::try_from(nanos(values)).map_or(V::Absent, V::Duration);
    }
    let all = values.iter().map(|v| if let V::Number(n) = v { smallest(*n) } else { BigInt::ZERO });
    number(nearest(&all.sum()))
}

pub(super) fn average(ty: &Type, values: &[V]) -> V {
    let many = values.len();
    match sum(ty, values) {
        _ if many == 0 => V::Absent,
        V::Number(sum) => number(sum / many as f64),
        V::Duration(sum) => {
            let (sum, many) = (i128::from(sum), many as i128);
            // Half is rounded away from 0.
            let half = (2 * sum.abs() + many) / (2 * many) * sum.signum();
            i64::try_from(half).map_or(V::Absent, V::Duration)
        }
        other => other,
    }
}

fn nanos(values: &[V]) -> i128 {
    values.iter().map(|v| if let V::Duration(d) = v { i128::from(*d) } else { 0 }).sum()
}

/// A finite double as a number of 2^-1074, of which each is a whole number.
fn smallest(n: f64) -> BigInt {
    let bits = n.to_bits();
    let (exponent, fraction) = ((bits >> 52) & 0x7ff, bits & ((1 << 52) - 1));
    let magnitude = match exponent {
        0 => BigInt::from(fraction),
        _ => BigInt::from(fraction | (1 << 52)) << (exponent - 1),
    };
    if n.is_sign_negative() { -magnitude } else { magnitude }
}

/// The double that is nearest to so many 2^-1074, of two the even one.
fn nearest(n: &BigInt) -> f64 {
    let magnitude = n.magnitude();
    let over = magnitude.bits().saturating_sub(53);
    let mut kept = u64::try_from(magnitude >> over).unwrap_or(u64::MAX);
    let rest = magnitude - (num_bigint::BigUint::from(kept) << over);
    let twice = rest << 1u8;
    let unit = num_bigint::BigUint::from(1u8) << over;
    if twice > unit || (twice == unit && kept % 2 == 1) {
        kept += 1;
    }
    // As many as fit into 53 bits are the bits of a double themselves; each power of two beyond is one step of the exponent,
    // and a `kept` of 2^53 carries into it.
    let bits = if over == 0 { Some(kept) } else { (over << 52).checked_add(kept) };
    let limit = f64::INFINITY.to_bits();
    let value = f64::from_bits(bits.filter(|_| over < 2_046).map_or(limit, |bits| bits.min(limit)));
    if n.sign() == Sign::Minus { -value } else { value }
}

/// The tuples that an event gives to `distinct` and `first_seen`.
pub(super) fn tuples(judge: Judge<'_>, parts: &[Expr], event: &Event) -> Vec<Vec<Vec<u8>>> {
    let scope = Scope::of(event, judge.poison);
    let mut tuples: Vec<Vec<V>> = vec![vec![]];
    for part in parts {
        let (values, _) = scope.value(part).each();
        tuples = tuples
            .into_iter()
            .flat_map(|tuple| {
                values.iter().map(move |v| [tuple.as_slice(), std::slice::from_ref(v)].concat())
            })
            .collect();
    }
    let scalar = |v: &V| !matches!(v, V::Absent | V::List(..) | V::Map(..));
    tuples.retain(|tuple| tuple.iter().any(scalar) && !tuple.iter().any(V::is_unknown));
    tuples.into_iter().map(|tuple| tuple.iter().map(identity::scalar).collect()).collect()
}
