//! What each kind of window lets go of for want of room, and what it says then.

use super::super::aggregate::{Counter, Extreme, Gauge, Spec};
use super::super::closing::{Closing, ClosingSpec, Reach};
use super::super::slices::Slices;
use super::*;
use crate::matches::HeardAlert;
use crate::plan::cost::{NUMBER_BYTES, RECORD_BYTES, SLICE_BYTES, VALUE_BYTES};
use crate::plan::{AggregateKind, Measure};
use crate::testing::aggregate;

fn tuples(values: &[u8]) -> Counted {
    Counted::Tuples(values.iter().map(|value| Box::from([*value])).collect())
}

fn durations(kind: AggregateKind) -> Spec {
    Spec::new(&aggregate(kind, Measure::Duration), 1000).within(640)
}

/// A counter that these came to, each at its own time.
fn counter(spec: &Spec, values: &[(Nanos, i64)]) -> Counter {
    let mut counter = Counter::new(spec);
    for (at, value) in values {
        assert_eq!(counter.enter(spec, *at, &Counted::Values(vec![*value])), 0);
    }
    counter
}

#[test]
fn all_but_one_can_go() {
    assert_eq!([0, 1, 2, 4].map(|len| spare(len, 10)), [0, 0, 10, 30]);
}

#[test]
fn a_queue_gives_back_most_of_what_it_does_not_need() {
    let room = |capacity: usize, len: usize| {
        let mut queue = VecDeque::with_capacity(capacity);
        queue.extend(0..len);
        shrink(&mut queue);
        queue.capacity()
    };
    assert_eq!([room(100, 3), room(100, 24), room(100, 25), room(17, 1), room(16, 1)], [6, 48, 100, 2, 16]);
}

#[test]
fn the_two_oldest_extremes_become_one() {
    let mut extreme = Extreme::default();
    for (at, value) in [(0, 9), (1, 5), (2, 3)] {
        assert_eq!(extreme.enter(at, value, true, Cap::whole(9)), 0);
    }
    assert_eq!(extreme.spare(), 2 * NUMBER_BYTES);
    assert_eq!(extreme.squeeze(), Some(1));
    assert_eq!(
        (extreme.queue.iter().copied().collect::<Vec<_>>(), extreme.dropped),
        (vec![(1, 9), (2, 3)], Some(1))
    );
    assert_eq!((extreme.squeeze(), extreme.squeeze()), (Some(2), None));
    assert_eq!((extreme.get(), extreme.spare()), (Some(9), 0));
}

#[test]
fn the_two_oldest_stretches_become_one() {
    let mut gone = Slices::default();
    gone.squeeze();
    let total = |n| {
        let mut total = super::super::aggregate::Total::new(Measure::Duration);
        total.add(n, false);
        Some(total)
    };
    gone.add(0, 10);
    gone.add(5, 10).total = total(3);
    gone.add(15, 10).total = total(4);
    gone.add(25, 10);
    assert_eq!((gone.all.len(), gone.count(), gone.spare()), (3, 4, 2 * SLICE_BYTES));
    gone.squeeze();
    assert_eq!((gone.all.len(), gone.count(), gone.spare()), (2, 4, SLICE_BYTES));
    assert_eq!((gone.all[0].count, gone.all[1].count), (3, 1));
    assert!(gone.pop(15).is_none(), "it leaves as late as the later");
    gone.squeeze();
    gone.squeeze();
    let all = gone.pop(26).unwrap();
    assert_eq!((all.last, all.count, all.total.unwrap().sum()), (25, 4, Value::Duration(7)));
    assert_eq!(gone.count(), 0);
}

#[test]
fn stretches_are_put_back_in_their_order() {
    let mut gone = Slices::default();
    let mut restored = |last| gone.restore(super::super::slices::Slice { last, count: 2, total: None });
    assert_eq!([1, 3, 3, 2].map(&mut restored), [true, true, true, false]);
    assert_eq!(gone.count(), 8);
}

#[test]
fn what_a_sum_lets_go_of_is_in_it_until_its_time() {
    let spec = durations(AggregateKind::Sum);
    let mut sum = counter(&spec, &[(0, 1), (100, 2), (200, 4), (300, 8)]);
    assert_eq!(sum.spare(), 3 * NUMBER_BYTES);
    assert_eq!(sum.squeeze(&spec), Some((0, Past::Approximate)));
    assert_eq!(sum.squeeze(&spec), Some((100, Past::Approximate)));
    assert_eq!(sum.spare(), NUMBER_BYTES + SLICE_BYTES);
    // Two stretches take more than one value.
    assert_eq!(sum.squeeze(&spec), None);
    assert_eq!((sum.spare(), sum.get(&spec, 0)), (NUMBER_BYTES, Value::Duration(15)));
    let short = |sum: &Counter, from| {
        let mut short = Shortfall::default();
        sum.shortfall(&spec, from, &mut short);
        short.approximate
    };
    sum.leave(100);
    assert_eq!((sum.get(&spec, 0), short(&sum, 100)), (Value::Duration(15), true));
    sum.leave(101);
    assert_eq!((sum.get(&spec, 0), short(&sum, 101)), (Value::Duration(12), false));
}

#[test]
fn what_a_count_lets_go_of_is_counted_until_its_time() {
    let spec = Spec::new(&counts(true, None), 1000).within(640);
    let mut count = Counter::new(&spec);
    (0..3).for_each(|at| assert_eq!(count.enter(&spec, at * 100, &Counted::One), 0));
    assert_eq!(count.spare(), 2 * NUMBER_BYTES);
    assert_eq!(count.squeeze(&spec), Some((0, Past::Approximate)));
    assert_eq!((count.spare(), count.get(&spec, 0)), (NUMBER_BYTES, Value::Number(3.0)));
    count.leave(1);
    assert_eq!(count.get(&spec, 0), Value::Number(2.0));
    let spec = Spec::new(&counts(false, None), 1000);
    let mut requests = Counter::new(&spec);
    assert_eq!((requests.spare(), requests.squeeze(&spec)), (0, None), "the window has them");
}

#[test]
fn a_percentile_is_then_one_of_the_newest() {
    let spec = durations(AggregateKind::Percentile(100.0));
    let mut most = counter(&spec, &[(0, 9), (1, 5), (2, 3)]);
    assert_eq!((most.spare(), most.get(&spec, 0)), (2 * NUMBER_BYTES, Value::Duration(9)));
    assert_eq!(most.squeeze(&spec), Some((0, Past::Approximate)));
    assert_eq!((most.spare(), most.get(&spec, 0)), (NUMBER_BYTES, Value::Duration(5)));
    let spec = durations(AggregateKind::Max);
    let mut most = counter(&spec, &[(0, 9), (1, 5)]);
    assert_eq!((most.spare(), most.squeeze(&spec)), (NUMBER_BYTES, Some((1, Past::Approximate))));
    assert_eq!((most.squeeze(&spec), most.get(&spec, 0)), (None, Value::Duration(9)));
}

#[test]
fn different_values_that_a_bound_does_not_need_just_go() {
    for (enough, told) in [(None, Past::Approximate), (Some(2), Past::AtLeast)] {
        let spec = Spec::new(&distincts(enough), 1000).within(640);
        let mut values = Counter::new(&spec);
        assert_eq!(values.enter(&spec, 0, &tuples(&[1, 2, 3])), 0);
        assert_eq!(values.spare(), 2 * (NUMBER_BYTES + VALUE_BYTES));
        assert_eq!(values.squeeze(&spec), Some((0, told)));
        let left = if enough.is_none() { 3.0 } else { 2.0 };
        assert_eq!(values.get(&spec, 0), Value::Number(left));
        assert_eq!(values.squeeze(&spec), Some((0, Past::Approximate)), "of two values one is too few");
        assert_eq!(values.get(&spec, 0), Value::Number(left));
    }
}

#[test]
fn a_window_that_closes_counts_what_went_where_the_answer_needs_it() {
    for (enough, missed, left) in [(None, 1, 3.0), (Some(2), 0, 2.0)] {
        let spec = Spec::new(&distincts(enough), 1000);
        let mut values = Gauge::new(&spec);
        assert_eq!(values.enter(&spec, &tuples(&[1, 2, 3])), 0);
        assert_eq!(values.spare(), 2 * (NUMBER_BYTES + VALUE_BYTES));
        let short = |values: &Gauge| {
            let mut short = Shortfall::default();
            values.shortfall(&spec, &mut short);
            short
        };
        assert_eq!(values.squeeze(&spec), missed);
        assert_eq!(values.get(&spec), Value::Number(left));
        assert_eq!(short(&values), Shortfall { at_least: missed == 0, approximate: missed == 1 });
        assert_eq!(values.squeeze(&spec), 1);
        assert_eq!(values.get(&spec), Value::Number(left));
        assert!(short(&values).approximate);
    }
    let spec = durations(AggregateKind::Sum);
    let mut sum = Gauge::new(&spec);
    sum.enter(&spec, &Counted::Values(vec![1, 2]));
    assert_eq!((sum.spare(), sum.squeeze(&spec), sum.get(&spec)), (0, 0, Value::Duration(3)));
}

#[test]
fn a_percentile_that_closes_has_room_for_so_many() {
    let spec = Spec::new(&aggregate(AggregateKind::Percentile(100.0), Measure::Duration), 3);
    let mut most = Gauge::new(&spec);
    let approximate = |most: &Gauge| {
        let mut short = Shortfall::default();
        most.shortfall(&spec, &mut short);
        short.approximate
    };
    assert_eq!(most.enter(&spec, &Counted::Values(vec![1, 2])), 0);
    assert!(!approximate(&most));
    assert_eq!(most.enter(&spec, &Counted::Values(vec![3, 4])), 1);
    assert_eq!(most.enter(&spec, &Counted::Values(Vec::new())), 0);
    assert!(approximate(&most), "it stays so");
    assert_eq!((most.get(&spec), most.spare()), (Value::Duration(3), 2 * NUMBER_BYTES));
    assert_eq!((most.squeeze(&spec), most.get(&spec)), (1, Value::Duration(2)));
    let mut most = Gauge::new(&spec);
    most.enter(&spec, &Counted::Values(vec![1, 2]));
    most.squeeze(&spec);
    assert!(approximate(&most));
}

#[test]
fn of_a_window_goes_what_takes_most() {
    // Requests take more than different values, as long as there are as many of them.
    let (spec, mut window) = sliding(&[counts(false, None), distincts(None)], 100);
    for at in 0..3 {
        let value = u8::try_from(at).unwrap();
        window.enter(&spec, seen(0, at), &[Counted::One, tuples(&[value])]);
    }
    let (request, value) = (RECORD_BYTES, NUMBER_BYTES + VALUE_BYTES);
    assert_eq!(window.spare(), 2 * (request + value));
    assert_eq!(window.squeeze(&spec), 1);
    assert_eq!((window.spare(), window.ring.len()), (request + 2 * value, 2));
    assert_eq!(window.squeeze(&spec), 1);
    // A stretch of what went takes less than two values.
    assert_eq!((window.spare(), window.ring.len()), (2 * value + SLICE_BYTES, 1));
    assert_eq!(window.squeeze(&spec), 1);
    assert_eq!(window.spare(), value + SLICE_BYTES);
    assert_eq!(window.squeeze(&spec), 0, "two stretches become one");
    assert_eq!(window.spare(), value);
    assert_eq!(measured(&window, &spec), [3.0, 3.0]);
    assert_eq!((window.dropped, window.squeezed), (Some(1), Some(1)));
    assert!(window.shortfall(&spec, 11).approximate);
    assert!(!window.shortfall(&spec, 12).approximate);
    window.pass(&spec, 11);
    assert_eq!(
        measured(&window, &spec),
        [3.0, 2.0],
        "the one stretch of requests is over with its later one"
    );
    window.pass(&spec, 12);
    assert_eq!(measured(&window, &spec), [1.0, 1.0]);
}

#[test]
fn requests_that_a_bound_does_not_need_just_go() {
    let (spec, mut window) = sliding(&[counts(false, Some(2))], 100);
    (0..3).for_each(|at| assert_eq!(window.enter(&spec, seen(0, at), &[Counted::One]), 0));
    assert_eq!(window.squeeze(&spec), 0);
    assert_eq!(measured(&window, &spec), [2.0]);
    assert_eq!(window.shortfall(&spec, 2), Shortfall { at_least: true, approximate: false });
    assert_eq!(window.squeeze(&spec), 1);
    assert_eq!(measured(&window, &spec), [2.0]);
    assert!(window.shortfall(&spec, 2).approximate);
}

#[test]
fn what_rests_on_an_approximate_alert_is_so_also_when_that_went() {
    let (spec, mut window) = sliding(&[counts(false, Some(2))], 100);
    for at in 0..3 {
        let mut one = seen(0, at);
        let approximate = at == 0;
        let alert = HeardAlert { rule: "r".into(), event_time: None, late: false, approximate };
        Arc::get_mut(&mut one.meta).unwrap().alert = Some(Arc::new(alert));
        window.enter(&spec, one, &[Counted::One]);
    }
    assert_eq!((window.squeeze(&spec), window.any_approximate()), (1, false));
    assert!(window.shortfall(&spec, 2).approximate);
}

#[test]
fn of_two_counts_the_one_that_wants_more_says_what_is_kept() {
    let more = 2 * WINDOW_KEPT_MIN;
    for enough in [[Some(more), None], [None, Some(more)]] {
        let pair = enough.map(|enough| counts(false, enough));
        let (spec, mut window) = sliding(&pair, usize::try_from(WINDOW_KEPT_MIN).unwrap());
        (0..more).for_each(|_| assert_eq!(window.enter(&spec, seen(0, 0), &[Counted::One, Counted::One]), 0));
        assert_eq!(window.shortfall(&spec, 0), Shortfall::default());
        assert_eq!(window.enter(&spec, seen(0, 0), &[Counted::One, Counted::One]), 1);
        assert_eq!(measured(&window, &spec), [(more + 1) as f64; 2]);
        assert_eq!(window.shortfall(&spec, 0), Shortfall { at_least: false, approximate: true });
        assert_eq!(window.squeeze(&spec), 1, "all of them are needed");
    }
}

#[test]
fn of_two_counts_the_one_that_needs_all_tells_what_may_go() {
    let (some, all) = (|| counts(false, Some(2)), || counts(false, None));
    for (aggregates, missed) in [([some(), all()], 1), ([all(), some()], 1), ([some(), some()], 0)] {
        let (spec, mut window) = sliding(&aggregates, 100);
        (0..4).for_each(|at| _ = window.enter(&spec, seen(0, at), &[Counted::One, Counted::One]));
        assert_eq!(window.squeeze(&spec), missed, "three are left");
    }
}

#[test]
fn a_window_that_closes_shows_less_from_its_middle() {
    let spec = ClosingSpec::new(Reach::Tumbling(1000), &[distincts(None)], 100);
    let mut open = Closing::new(&spec, 0);
    for at in 0..4 {
        let value = u8::try_from(at).unwrap();
        open.enter(&spec, seen(0, at), Owner::default(), &[tuples(&[value, value + 10])]);
    }
    let (request, value) = (RECORD_BYTES, NUMBER_BYTES + VALUE_BYTES);
    assert_eq!(open.spare(), 3 * request + 7 * value);
    let shown = |open: &Closing| open.evidence().map(|seen| seen.effective).collect::<Vec<_>>();
    assert!(!open.few_shown);
    for left in [vec![0, 1, 3], vec![0, 3]] {
        assert_eq!(open.squeeze(&spec), 0);
        assert_eq!(shown(&open), left);
    }
    assert!(open.few_shown);
    // Now seven values take more than one event.
    assert_eq!((open.spare(), open.squeeze(&spec)), (request + 7 * value, 1));
    assert_eq!(open.spare(), request + 6 * value);
    assert_eq!(open.squeeze(&spec), 0);
    assert_eq!((shown(&open), open.newest().map(|seen| seen.effective)), (vec![3], Some(3)));
    open.enter(&spec, seen(0, 9), Owner::default(), &[tuples(&[0])]);
    assert_eq!(shown(&open), [3, 9], "in the order in which they came");
    assert_eq!((open.squeeze(&spec), shown(&open)), (0, vec![9]));
    assert_eq!(open.squeeze(&spec), 1);
    assert_eq!(open.values(&spec), [Value::Number(8.0)]);
    assert!(open.shortfall(&spec).approximate);
}

#[test]
fn a_memory_forgets_what_was_shown_longest_ago() {
    let spec = FirstSeenSpec::new(100, 0, 100);
    let mut key = FirstSeen::new(0);
    let value = |n: u8| Box::<[u8]>::from([n]);
    for at in 0..3 {
        key.show(&spec, i64::from(at), (&[value(at)], 0));
    }
    assert_eq!(key.spare(), 2 * (NUMBER_BYTES + VALUE_BYTES));
    assert_eq!(key.squeeze(), 1);
    assert_eq!(key.show(&spec, 3, (&[value(1), value(2)], 0)), (Sight::Known, 0));
    assert_eq!(key.show(&spec, 3, (&[value(0)], 0)), (Sight::New { unsure: true }, 0));
    key.leave(&spec, 103);
    assert_eq!(key.tuples.len(), 3);
    key.leave(&spec, 104);
    assert_eq!((key.tuples.len(), key.squeeze(), key.spare()), (0, 0, 0));
}
