use proptest::prelude::*;

use super::*;
use crate::matches::SourceInfo;

fn shown(times: impl IntoIterator<Item = Nanos>) -> Clock {
    let mut clock = Clock::new();
    for t in times {
        clock.observe(t);
    }
    clock
}

#[test]
fn no_clock_before_sixteen_different_times() {
    assert_eq!(shown((0..15).chain(0..15)).now(), None);
    assert_eq!(shown(0..16).now(), Some(0));
    assert_eq!(shown(0..17).now(), Some(1));
}

#[test]
fn forged_times_do_not_move_the_clock() {
    let honest = shown(0..100).now().unwrap();
    assert_eq!(shown((0..100).chain([i64::MAX])).now(), Some(honest + 1));
    assert_eq!(shown((0..100).chain(std::iter::repeat_n(i64::MAX, 1000))).now(), Some(honest + 1));
}

#[test]
fn the_highest_time_up_to_a_bound_may_be_the_bound() {
    assert_eq!(Clock::new().highest_up_to(5), None);
    assert_eq!([4, 5, 6, 9, 10].map(|bound| shown([5, 9]).highest_up_to(bound)), [4, 5, 5, 9, 9].map(Some));
}

proptest! {
    #[test]
    fn clock_is_the_sixteenth_highest(times in prop::collection::vec(0..60_i64, 0..200)) {
        let mut distinct = times.clone();
        distinct.sort_unstable_by(|a, b| b.cmp(a));
        distinct.dedup();
        prop_assert_eq!(shown(times).now(), distinct.get(15).copied());
    }

    #[test]
    fn times_are_written_as_chrono_writes_them(t in any::<i64>()) {
        let mut out = Vec::new();
        write_rfc3339(t, &mut out);
        let told = chrono::DateTime::from_timestamp_nanos(t).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        prop_assert_eq!(String::from_utf8(out).unwrap(), told);
    }
}

fn warm(sources: &mut Sources, lateness: Nanos, upto: Nanos) -> crate::matches::SourceId {
    let id = sources.add(SourceInfo::default(), lateness);
    for t in 0..=upto {
        sources.date(id, t, None);
    }
    id
}

#[test]
fn late_events_are_dated_up_to_the_edge_event_by_event() {
    let mut sources = Sources::new();
    let id = warm(&mut sources, 10, 115); // clock: 100
    assert_eq!(sources.date(id, 90, None), 90);
    assert_eq!(sources.date(id, 89, None), 90);
    assert_eq!(sources.date(id, 116, None), 116); // clock: 101, from the next event on
    assert_eq!(sources.date(id, 90, None), 91);
}

#[test]
fn watermark_is_the_slowest_open_source() {
    let mut sources = Sources::new();
    let a = warm(&mut sources, 10, 115);
    assert_eq!(sources.advance(), 90);
    let b = sources.add(SourceInfo::default(), 10);
    for t in 100..200 {
        sources.date(a, t, None);
    }
    assert_eq!(sources.advance(), 90, "a source without a clock holds time back");
    for t in 50..110 {
        sources.date(b, t, None);
    }
    assert_eq!(sources.advance(), 90, "and time never falls");
    sources.end(b);
    assert_eq!(sources.advance(), 174);
    sources.end(a);
    assert_eq!(sources.advance(), 174);
}

#[test]
fn silence_moves_time_on_but_not_past_the_wall_clock() {
    let mut sources = Sources::new();
    let id = sources.add(SourceInfo::default(), 5);
    let second = 1_000_000_000;
    sources.tick(id, Tick { silent: 2 * second, wall: 900 * second });
    assert_eq!(sources.advance(), Nanos::MIN, "a source that was never heard has no time");
    sources.date(id, 100 * second, None);
    sources.date(id, 5_000 * second, None); // forged
    sources.tick(id, Tick { silent: second / 2, wall: 900 * second });
    assert_eq!(sources.advance(), Nanos::MIN);
    sources.tick(id, Tick { silent: 2 * second, wall: 900 * second });
    assert_eq!(sources.advance(), 102 * second - 5);
    sources.tick(id, Tick { silent: 4_000 * second, wall: 900 * second });
    assert_eq!(sources.advance(), 900 * second - 5);
    assert_eq!(sources.date(id, 100 * second, None), 900 * second - 5, "woken: dated up to what is decided");
}

#[test]
fn a_stamp_holds_the_clock_back_and_dates_nothing() {
    let mut sources = Sources::new();
    let id = warm(&mut sources, 10, 115); // clock: 100
    let year = 1_000_000;
    for n in 0..40 {
        // Of one stamp, they are one time.
        assert_eq!(sources.date(id, year + n, Some(116)), year + n);
    }
    assert_eq!(sources.get(id).and_then(SourceState::now), Some(101));
    for n in 0..40 {
        sources.date(id, year + n, Some(117 + n));
    }
    // Any number of them moves it to the stamps and no further.
    assert_eq!(sources.get(id).and_then(SourceState::now), Some(141));
    assert_eq!(sources.date(id, 131, Some(157)), 131);
    assert_eq!(sources.date(id, 130, Some(157)), 131);
    // A clock that is slow is passed over.
    sources.date(id, 160, Some(year));
    assert_eq!(sources.shows(id), 142);
}
