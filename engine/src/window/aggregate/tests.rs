use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::{Cap, Shortfall};
use super::*;
use crate::matches::{Counted, Nanos};
use crate::testing::aggregate;

/// A whole number as its sign and its digits in base 2^32, lowest first: schoolbook arithmetic on multiples of 2^-1074.
#[derive(Clone, Debug, Default, PartialEq)]
struct Big {
    negative: bool,
    digits: Vec<u32>,
}

impl Big {
    fn of(n: f64) -> Self {
        // By halves and doubles alone, which are exact: no bits are looked at.
        let (mut rest, mut shift) = (n.abs(), 0_u32);
        while rest >= 9_007_199_254_740_992.0 {
            rest /= 2.0;
            shift += 1;
        }
        let mut digits = Vec::new();
        let mut below = 0;
        while below < 1074 && rest.fract() != 0.0 {
            rest *= 2.0;
            below += 1;
        }
        let mut whole = rest as u64;
        while whole > 0 {
            digits.push((whole & 0xffff_ffff) as u32);
            whole >>= 32;
        }
        let mut big = Self { negative: n < 0.0, digits };
        for _ in 0..(shift + 1074 - below) {
            big.double();
        }
        big
    }

    fn double(&mut self) {
        let mut carry = 0;
        for digit in &mut self.digits {
            let wide = u64::from(*digit) * 2 + carry;
            *digit = (wide & 0xffff_ffff) as u32;
            carry = wide >> 32;
        }
        if carry > 0 {
            self.digits.push(1);
        }
    }

    fn less(a: &[u32], b: &[u32]) -> Ordering {
        a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
    }

    fn plus(&self, other: &Self) -> Self {
        let (big, small) = if Self::less(&self.digits, &other.digits) == Ordering::Less {
            (other, self)
        } else {
            (self, other)
        };
        let sign = if big.negative == small.negative { 1 } else { -1 };
        let mut digits = Vec::new();
        let mut carry = 0_i64;
        for (at, digit) in big.digits.iter().enumerate() {
            let sum =
                i64::from(*digit) + sign * i64::from(small.digits.get(at).copied().unwrap_or(0)) + carry;
            digits.push((sum & 0xffff_ffff) as u32);
            carry = sum >> 32;
        }
        if carry > 0 {
            digits.push(1);
        }
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Self { negative: big.negative && !digits.is_empty(), digits }
    }

    fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { negative: !other.negative, digits: other.digits.clone() })
    }

    fn distance(&self, n: f64) -> Vec<u32> {
        self.minus(&Self::of(n)).digits
    }
}

/// Whether `n` is the double that is nearest to the exact sum, the even one of two.
fn nearest(exact: &Big, n: f64) -> bool {
    [n.next_up(), n.next_down()].into_iter().filter(|other| other.is_finite()).all(|other| {
        match Big::less(&exact.distance(n), &exact.distance(other)) {
            Ordering::Less => true,
            Ordering::Equal => n.to_bits() & 1 == 0,
            Ordering::Greater => false,
        }
    })
}

fn doubles() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => any::<f64>().prop_filter("finite", |n| n.is_finite()),
        3 => (-1000..1000_i32).prop_map(f64::from),
        2 => (-1000..1000_i32, -60..60_i32).prop_map(|(n, e)| f64::from(n) * 2_f64.powi(e)),
        1 => (-4..4_i32).prop_map(|n| f64::from(n) * f64::from_bits(1)),
        1 => prop::sample::select(vec![f64::MAX, f64::MIN, 0.1, -0.1, 1e300, f64::MIN_POSITIVE, -0.0]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(500)))]

    #[test]
    fn sums_are_exact_and_rounded_once(values in prop::collection::vec((doubles(), any::<prop::sample::Index>(), any::<bool>()), 0..30)) {
        let (mut sum, mut left) = (Exact::default(), Vec::new());
        for (value, which, away) in values {
            if away && !left.is_empty() {
                sum.add(left.swap_remove(which.index(left.len())), true);
            } else {
                sum.add(value, false);
                left.push(value);
            }
            let exact = left.iter().fold(Big::default(), |sum, n| sum.plus(&Big::of(*n)));
            let half_above = Big::of(f64::MAX).plus(&Big::of(2_f64.powi(969))).plus(&Big::of(2_f64.powi(969)));
            match sum.round() {
                Some(n) => prop_assert!(nearest(&exact, n), "{n:e}"),
                None => prop_assert!(Big::less(&exact.digits, &half_above.digits) != Ordering::Less),
            }
            prop_assert!(sum.low + sum.words.len() <= WORDS_MAX);
            if left.is_empty() {
                prop_assert_eq!(sum.round(), Some(0.0));
            }
        }
    }

    #[test]
    fn ranks_are_those_of_a_sorted_list(
        doings in prop::collection::vec((any::<bool>(), -40..40_i64, any::<prop::sample::Index>()), 0..400),
        many in 0..3_usize,
    ) {
        let (mut ranked, mut sorted) = (Ranked::default(), Vec::new());
        for value in (0..many * 700).map(|n| (n as i64 * 7919) % 61) {
            ranked.insert(value);
            sorted.push(value);
        }
        for (away, value, which) in doings {
            if away && !sorted.is_empty() {
                let gone = sorted.swap_remove(which.index(sorted.len()));
                ranked.remove(gone);
            } else {
                ranked.insert(value);
                sorted.push(value);
            }
        }
        ranked.remove(1_000_000);
        sorted.sort_unstable();
        prop_assert_eq!(ranked.len(), sorted.len());
        let got: Vec<i64> = (0..sorted.len() + 1).map_while(|rank| ranked.get(rank)).collect();
        prop_assert_eq!(got, sorted);
    }

    #[test]
    fn bits_sort_as_numbers_do(a in doubles(), b in doubles()) {
        let bits = |n| Measure::Number.bits(&Value::Number(n)).unwrap();
        prop_assert_eq!(bits(a).cmp(&bits(b)), a.partial_cmp(&b).unwrap());
        prop_assert_eq!(number(bits(a)), a);
    }

    /// All aggregates against what they are said to be, over the values that are left; a closing window over all.
    #[test]
    fn aggregates_are_what_they_say(
        steps in prop::collection::vec((0..5_i64, prop::collection::vec(-9..9_i64, 0..3)), 0..60),
        p in prop::sample::select(vec![0.1, 1.0, 50.0, 90.0, 99.0, 99.9, 100.0]),
    ) {
        let kinds = [
            AggregateKind::Sum, AggregateKind::Avg, AggregateKind::Min, AggregateKind::Max, AggregateKind::Percentile(p),
        ];
        for measure in [Measure::Number, Measure::Duration] {
            let specs: Vec<Spec> = kinds.iter().map(|kind| Spec::new(&aggregate(*kind, measure), 1000)).collect();
            let mut counters: Vec<Counter> = specs.iter().map(Counter::new).collect();
            let mut gauges: Vec<Gauge> = specs.iter().map(Gauge::new).collect();
            let mut all: Vec<(Nanos, i64)> = Vec::new();
            let mut now = 0;
            for (gap, values) in &steps {
                now += gap;
                let bits = |n: &i64| match measure {
                    Measure::Number => sortable(*n as f64),
                    _ => *n,
                };
                let counted = Counted::Values(values.iter().map(bits).collect());
                for ((counter, gauge), spec) in counters.iter_mut().zip(&mut gauges).zip(&specs) {
                    counter.leave(now - 10);
                    counter.enter(spec, now, &counted);
                    gauge.enter(spec, &counted);
                }
                all.extend(values.iter().map(|n| (now, *n)));
                let inside: Vec<i64> = all.iter().filter(|(t, _)| *t >= now - 10).map(|(_, n)| *n).collect();
                let whole: Vec<i64> = all.iter().map(|(_, n)| *n).collect();
                for ((counter, gauge), spec) in counters.iter().zip(&gauges).zip(&specs) {
                    prop_assert_eq!(counter.get(spec, 0), slow(spec, &inside));
                    prop_assert_eq!(gauge.get(spec), slow(spec, &whole));
                }
            }
        }
    }
}

proptest! {
    /// With little room: no sum of what is not below 0 and no highest value is too low, no lowest one too high; what goes
    /// leaves no trace.
    #[test]
    fn past_their_limit_aggregates_lean_to_the_safe_side(
        steps in prop::collection::vec((0..90_i64, prop::collection::vec(0..9_i64, 0..3)), 0..60), max in 1..5_usize,
    ) {
        let kinds = [AggregateKind::Sum, AggregateKind::Avg, AggregateKind::Min, AggregateKind::Max];
        let (within, mut now) = (640, 0);
        for measure in [Measure::Number, Measure::Duration] {
            let spec = |kind: &AggregateKind| Spec::new(&aggregate(*kind, measure), max).within(within);
            let specs: Vec<Spec> = kinds.iter().map(spec).collect();
            let mut counters: Vec<Counter> = specs.iter().map(Counter::new).collect();
            let mut all: Vec<(Nanos, i64)> = Vec::new();
            for (gap, values) in &steps {
                now += if *gap < 60 { *gap / 20 } else { *gap };
                let bits = |n: &i64| if measure == Measure::Number { sortable(*n as f64) } else { *n };
                let counted = Counted::Values(values.iter().map(bits).collect());
                for (counter, spec) in counters.iter_mut().zip(&specs) {
                    counter.leave(now - within);
                    counter.enter(spec, now, &counted);
                }
                all.extend(values.iter().map(|n| (now, *n)));
                let inside: Vec<i64> = all.iter().filter(|(t, _)| *t >= now - within).map(|(_, n)| *n).collect();
                for (counter, spec) in counters.iter().zip(&specs) {
                    let (got, exact) = (counter.get(spec, 0), slow(spec, &inside));
                    let mut short = Shortfall::default();
                    counter.shortfall(spec, now - within, &mut short);
                    if !short.approximate {
                        prop_assert_eq!(&got, &exact);
                    }
                    if exact == Value::Absent {
                        continue;
                    }
                    let number = |value: &Value| match value {
                        Value::Number(n) => *n,
                        Value::Duration(n) => *n as f64,
                        other => panic!("{other:?}"),
                    };
                    let (got, exact) = (number(&got), number(&exact));
                    match spec.kind {
                        AggregateKind::Sum | AggregateKind::Max => prop_assert!(got >= exact),
                        AggregateKind::Min => prop_assert!(got <= exact),
                        // Of no more than were there within a stretch before.
                        _ => prop_assert!((0.0..=9.0).contains(&got)),
                    }
                }
            }
            // All has left.
            for (counter, spec) in counters.iter_mut().zip(&specs) {
                counter.leave(Nanos::MAX);
                prop_assert_eq!(counter.get(spec, 0), slow(spec, &[]));
            }
        }
    }

    #[test]
    fn sums_are_added_and_taken_away_whole(
        ours in prop::collection::vec(doubles(), 0..9), theirs in prop::collection::vec(doubles(), 0..9), away in any::<bool>(),
    ) {
        let sum = |all: &[f64]| {
            let mut sum = Exact::default();
            all.iter().for_each(|n| sum.add(*n, false));
            sum
        };
        let mut joined = sum(&ours);
        joined.join(&sum(&theirs), away);
        let mut one_by_one = sum(&ours);
        theirs.iter().for_each(|n| one_by_one.add(*n, away));
        prop_assert_eq!(joined.round(), one_by_one.round());
        joined.join(&sum(&theirs), !away);
        prop_assert_eq!(joined.round(), sum(&ours).round());
        // Nothing to join leaves a sum as it was.
        prop_assert!(sum(&theirs).words.is_empty() || plain(&joined), "{:?}", joined);
    }
}

/// Whether the last word is a sign, and there is no other word that says no more than that.
fn plain(sum: &Exact) -> bool {
    match sum.words.as_slice() {
        [] => true,
        [sign] => [0, u64::MAX].contains(sign),
        [.., before, sign] => [0, u64::MAX].contains(sign) && before != sign,
    }
}

#[test]
fn a_joined_sum_grows_by_a_word_for_its_sign() {
    for one in [1.0, -1.0] {
        let (mut sum, mut doubled) = (Exact::default(), Exact::default());
        sum.add(one, false);
        doubled.join(&sum, false);
        for power in 1..200 {
            let same = doubled.clone();
            doubled.join(&same, false);
            assert_eq!(doubled.round(), Some(one * 2_f64.powi(power)));
            assert!(plain(&doubled), "{doubled:?}");
        }
    }
}

#[test]
fn what_lies_between_two_doubles_is_rounded_to_the_even_one() {
    let large = 2_f64.powi(53);
    for (rest, rounded) in [(1.0, 0.0), (3.0, 4.0), (2.0, 2.0)] {
        let mut sum = Exact::default();
        [large, rest].into_iter().for_each(|n| sum.add(n, false));
        assert_eq!(sum.round(), Some(large + rounded));
    }
}

#[test]
fn sums_of_durations_are_joined_and_taken_away() {
    let total = |n| {
        let mut total = Total::new(Measure::Duration);
        total.add(n, false);
        total
    };
    let mut joined = total(5);
    joined.join(&total(3), false);
    assert_eq!(joined.sum(), Value::Duration(8));
    joined.join(&total(7), true);
    assert_eq!(joined.sum(), Value::Duration(1));
}

fn slow(spec: &Spec, values: &[i64]) -> Value {
    let value = |n: Option<i64>| match (n, spec.measure) {
        (None, _) => Value::Absent,
        (Some(n), Measure::Number) => Value::Number(n as f64),
        (Some(n), _) => Value::Duration(n),
    };
    let sum: i64 = values.iter().sum();
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let n = values.len() as f64;
    match (spec.kind, spec.measure) {
        (AggregateKind::Sum, _) => value(Some(sum)),
        (AggregateKind::Avg, _) if values.is_empty() => Value::Absent,
        (AggregateKind::Avg, Measure::Number) => Value::Number(sum as f64 / n),
        (AggregateKind::Avg, _) => Value::Duration((sum as f64 / n).round() as i64),
        (AggregateKind::Min, _) => value(sorted.first().copied()),
        (AggregateKind::Max, _) => value(sorted.last().copied()),
        (AggregateKind::Percentile(p), _) => {
            let at = ((p * n / 100.0).ceil() as usize).max(1) - 1;
            value(sorted.get(at).or(sorted.last()).copied())
        }
        _ => Value::Unknown,
    }
}

#[test]
fn what_is_of_another_type_is_passed_over() {
    let all = [
        Value::Number(1.0),
        Value::Duration(2),
        Value::Time(3),
        Value::Absent,
        Value::Unknown,
        Value::Bool(true),
    ];
    let takes = |measure: Measure| {
        all.iter().filter_map(|v| measure.bits(v)).map(|b| measure.value(b)).collect::<Vec<_>>()
    };
    assert_eq!(takes(Measure::Number), [Value::Number(1.0)]);
    assert_eq!(takes(Measure::Duration), [Value::Duration(2)]);
    assert_eq!(takes(Measure::Time), [Value::Time(3)]);
    let minus_nothing = Measure::Number.bits(&Value::Number(-0.0)).unwrap();
    assert_eq!(number(minus_nothing).to_bits(), 0);
}

#[test]
fn sums_out_of_range_are_absent_and_come_back() {
    let mut total = Total::new(Measure::Number);
    total.add(sortable(f64::MAX), false);
    total.add(sortable(f64::MAX), false);
    assert_eq!((total.sum(), total.average(2)), (Value::Absent, Value::Absent));
    total.add(sortable(f64::MAX), true);
    assert_eq!(total.sum(), Value::Number(f64::MAX));
    let mut total = Total::new(Measure::Duration);
    total.add(i64::MAX, false);
    total.add(1, false);
    assert_eq!(total.sum(), Value::Absent);
    total.add(2, true);
    assert_eq!(total.sum(), Value::Duration(i64::MAX - 1));
    for (sum, n, average) in [(3, 2, 2), (-3, 2, -2), (1, 3, 0), (-5, 3, -2)] {
        let mut total = Total::new(Measure::Duration);
        total.add(sum, false);
        assert_eq!(total.average(n), Value::Duration(average));
    }
}

#[test]
fn past_its_limit_an_extreme_stays_too_long_and_is_never_missed() {
    let cap = Cap::whole(2);
    let mut highest = Extreme::default();
    let shed: u64 =
        [(0, 9), (1, 8), (2, 7), (3, 6)].into_iter().map(|(at, n)| highest.enter(at, n, true, cap)).sum();
    assert_eq!((shed, highest.get(), highest.dropped), (2, Some(9), Some(2)));
    highest.leave(3);
    assert_eq!(highest.get(), Some(6));
}
