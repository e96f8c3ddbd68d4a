use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::distinct::Distinct;
use super::first_seen::{FirstSeen, FirstSeenSpec, Sight};
use super::slices::{SLICES_MAX, slice_of};
use super::sliding::{Sliding, SlidingSpec};
use super::*;
use crate::limits::WINDOW_KEPT_MIN;
use crate::matches::Counted;
use crate::plan::Aggregate;
use crate::testing::{counts, distincts, meta};

mod squeeze;

fn seen(n: u32, at: Nanos) -> Seen {
    Seen { effective: at, late: false, dry_run_unknown: false, meta: Arc::new(meta(n, at)) }
}

fn measured(window: &Sliding, spec: &SlidingSpec) -> Vec<f64> {
    let number = |value| match value {
        Value::Number(n) => n,
        other => panic!("{other:?}"),
    };
    window.values(spec).into_iter().map(number).collect()
}

fn sliding(aggregates: &[Aggregate], max: usize) -> (SlidingSpec, Sliding) {
    let spec = SlidingSpec::new(10, aggregates, max);
    let window = Sliding::new(&spec);
    (spec, window)
}

#[test]
fn both_ends_of_a_window_are_in() {
    let (spec, mut window) = sliding(&[counts(false, None)], 100);
    for at in [0, 10] {
        window.enter(&spec, seen(0, at), &[Counted::One]);
    }
    assert_eq!(measured(&window, &spec), [2.0]);
    window.enter(&spec, seen(0, 11), &[Counted::One]);
    assert_eq!(measured(&window, &spec), [2.0]);
    assert_eq!(window.ring.front().map(|first| first.effective), Some(10));
}

#[test]
fn under_a_lower_bound_the_newest_are_kept_and_the_count_says_at_least() {
    let (spec, mut window) = sliding(&[counts(false, Some(3))], 10);
    let kept = i64::try_from(WINDOW_KEPT_MIN).unwrap();
    for n in 0..kept {
        assert_eq!(window.enter(&spec, seen(0, 0), &[Counted::One]), 0, "{n}");
    }
    assert_eq!(window.shortfall(&spec, 0), Shortfall::default());
    assert_eq!(window.enter(&spec, seen(0, 5), &[Counted::One]), 0, "it is not missed");
    assert_eq!(measured(&window, &spec), [WINDOW_KEPT_MIN as f64]);
    assert_eq!(window.shortfall(&spec, 5), Shortfall { at_least: true, approximate: false });
    assert_eq!(window.evidence().count(), 20);
    window.enter(&spec, seen(0, 11), &[Counted::One]);
    assert_eq!(
        window.shortfall(&spec, 11),
        Shortfall::default(),
        "what was let go would have left by itself"
    );
}

#[test]
fn past_the_limit_of_an_exact_count_the_answer_is_approximate() {
    let (spec, mut window) = sliding(&[counts(false, None), counts(true, Some(2))], 3);
    for at in 0..4 {
        window.enter(&spec, seen(0, at), &[Counted::One, Counted::One]);
    }
    assert_eq!(measured(&window, &spec), [4.0, 4.0], "what went is counted until its time");
    assert!(window.shortfall(&spec, 4).approximate);
    window.enter(&spec, seen(0, 11), &[Counted::One, Counted::One]);
    assert_eq!(measured(&window, &spec), [4.0, 4.0]);
    window.enter(&spec, seen(0, 15), &[Counted::One, Counted::One]);
    assert_eq!(measured(&window, &spec), [2.0, 2.0]);
    assert!(!window.shortfall(&spec, 15).approximate);
}

#[test]
fn values_for_which_there_was_no_room_are_counted_as_missed() {
    let (spec, mut window) = sliding(&[distincts(None)], 2);
    let values = |n: u8| Counted::Tuples((0..n).map(|value| Box::from([value])).collect());
    assert_eq!(window.enter(&spec, seen(0, 0), &[values(2)]), 0);
    assert_eq!(window.enter(&spec, seen(1, 1), &[values(5)]), 3);
    assert_eq!(measured(&window, &spec), [5.0]);
}

#[test]
fn of_a_key_that_may_have_been_forgotten_nothing_is_surely_new_for_as_long_as_it_learns() {
    let spec = FirstSeenSpec::new(10, 25, 3);
    let mut key = FirstSeen::forgotten(&spec, 100);
    // What it showed in the 15 before the window may have been part of what it learned.
    for (at, unsure) in [(100, true), (125, true), (126, false)] {
        let value = Box::from(at.to_string().into_bytes());
        assert_eq!(key.show(&spec, at, (&[value], 0)), (Sight::New { unsure }, 0), "{at}");
    }
}

proptest! {
    #[test]
    fn a_window_counts_what_a_filter_over_all_events_counts(
        steps in prop::collection::vec((0..5_i64, any::<bool>(), prop::collection::btree_set(0..4_u8, 0..3)), 0..60)
    ) {
        let (spec, mut window) = sliding(&[counts(false, None), counts(true, None), distincts(None)], 1000);
        let mut all: Vec<(Nanos, bool, Vec<u8>)> = Vec::new();
        let mut now = 0;
        for (gap, filtered, values) in steps {
            now += gap;
            let tuples = values.iter().map(|v| Box::from([*v])).collect();
            let counted = if filtered { Counted::One } else { Counted::No };
            window.enter(&spec, seen(0, now), &[Counted::One, counted, Counted::Tuples(tuples)]);
            all.push((now, filtered, values.into_iter().collect()));

            let inside: Vec<_> = all.iter().filter(|(t, ..)| *t >= now - 10).collect();
            let different: std::collections::BTreeSet<u8> = inside.iter().flat_map(|(_, _, v)| v.clone()).collect();
            let filtered = inside.iter().filter(|(_, filtered, _)| *filtered).count();
            prop_assert_eq!(measured(&window, &spec), [inside.len() as f64, filtered as f64, different.len() as f64]);
            prop_assert_eq!(window.shortfall(&spec, now), Shortfall::default());
        }
    }

    /// A window with little room, long enough that its stretches are: never less than there is, at most more by what came
    /// within one, and exact where it does not say otherwise.
    #[test]
    fn past_its_limit_a_window_counts_no_less_than_there_is(
        steps in prop::collection::vec((0..90_i64, any::<bool>(), prop::collection::btree_set(0..6_u8, 0..3)), 0..80),
        max in 1..5_usize,
    ) {
        let within = 640;
        let spec = SlidingSpec::new(within, &[counts(false, None), counts(true, None), distincts(None)], max);
        let mut window = Sliding::new(&spec);
        let mut all: Vec<(Nanos, bool, Vec<u8>)> = Vec::new();
        let mut now = 0;
        for (gap, filtered, values) in steps {
            // Now and then many at once.
            now += if gap < 60 { gap / 20 } else { gap };
            let tuples = values.iter().map(|v| Box::from([*v])).collect();
            let counted = if filtered { Counted::One } else { Counted::No };
            window.enter(&spec, seen(0, now), &[Counted::One, counted, Counted::Tuples(tuples)]);
            all.push((now, filtered, values.into_iter().collect()));

            let from = now - within;
            let since = |from: Nanos| {
                let inside: Vec<_> = all.iter().filter(|(t, ..)| *t >= from).collect();
                let different: std::collections::BTreeSet<u8> = inside.iter().flat_map(|(_, _, v)| v.clone()).collect();
                let filtered = inside.iter().filter(|(_, filtered, _)| *filtered).count();
                [inside.len() as f64, filtered as f64, different.len() as f64]
            };
            let (least, most) = (since(from), since(from - slice_of(within)));
            let got = measured(&window, &spec);
            prop_assert!(got.iter().zip(&least).all(|(got, least)| got >= least), "{:?} {:?}", got, least);
            prop_assert!(got.iter().zip(&most).take(2).all(|(got, most)| got <= most), "{:?} {:?}", got, most);
            if !window.shortfall(&spec, now).approximate {
                prop_assert_eq!(got, least);
            }
            prop_assert!(window.ring.len() <= max && window.gone.all.len() as u64 <= SLICES_MAX);
        }
    }

    #[test]
    fn few_values_are_the_newest(values in prop::collection::vec(0..8_u8, 1..60), max in 1..5_usize) {
        let mut distinct = Distinct::default();
        let mut last = BTreeMap::new();
        for (at, value) in (0..).zip(values) {
            distinct.enter(at, &[value], Cap::newest(max, max));
            last.insert(value, at);
            let mut newest: Vec<(Nanos, u8)> = last.iter().map(|(v, t)| (*t, *v)).collect();
            newest.sort_unstable();
            let kept = newest.split_off(newest.len().saturating_sub(max));
            let got: Vec<(Nanos, u8)> = distinct.iter().map(|(t, v)| (t, v[0])).collect();
            prop_assert_eq!(got, kept);
        }
    }
}
