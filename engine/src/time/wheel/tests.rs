use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// What the wheel must do, in the simplest way.
#[derive(Default)]
struct Slow(BTreeMap<Nanos, Vec<u8>>);

impl Slow {
    fn take(&mut self, now: Nanos, below: u8) -> Vec<u8> {
        let mut due = self.0.remove(&now).unwrap_or_default();
        due.sort_unstable();
        let (taken, left): (Vec<u8>, Vec<u8>) = due.into_iter().partition(|what| *what < below);
        if !left.is_empty() {
            self.0.insert(now, left);
        }
        taken
    }
}

fn times() -> impl Strategy<Value = Nanos> {
    prop_oneof![
        4 => -20..20_i64,
        2 => any::<i64>(),
        1 => (0..63_u32, -2..=2_i64).prop_map(|(bit, near)| (1_i64 << bit).saturating_add(near)),
        1 => prop::sample::select(vec![Nanos::MIN, Nanos::MIN + 1, -1, 0, Nanos::MAX - 1, Nanos::MAX]),
    ]
}

#[derive(Clone, Debug)]
enum Do {
    Arm(Nanos, u8),
    /// After so many nanoseconds of what is due now.
    ArmSoon(Nanos, u8),
    /// Goes on to the next timer and takes what is below that.
    Next(u8),
    /// Goes on to a time, if no timer is before it.
    Reach(Nanos),
}

fn doing() -> impl Strategy<Value = Do> {
    prop_oneof![
        3 => (times(), any::<u8>()).prop_map(|(at, what)| Do::Arm(at, what)),
        2 => (0..40_i64, any::<u8>()).prop_map(|(at, what)| Do::ArmSoon(at, what)),
        3 => prop_oneof![Just(u8::MAX), any::<u8>()].prop_map(Do::Next),
        1 => times().prop_map(Do::Reach),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(2000)))]

    #[test]
    fn timers_come_in_the_order_of_a_sorted_map(doings in prop::collection::vec(doing(), 0..120)) {
        let (mut wheel, mut slow, mut now) = (Wheel::new(), Slow::default(), Nanos::MIN);
        let arm = |wheel: &mut Wheel<u8>, slow: &mut Slow, now: Nanos, at: Nanos, what: u8| {
            wheel.arm(at, what);
            slow.0.entry(at.max(now)).or_default().push(what);
        };
        for doing in doings {
            match doing {
                Do::Arm(at, what) => arm(&mut wheel, &mut slow, now, at, what),
                Do::ArmSoon(after, what) => arm(&mut wheel, &mut slow, now, now.saturating_add(after), what),
                Do::Next(below) => {
                    let next = slow.0.keys().next().copied();
                    prop_assert_eq!(wheel.next(), next);
                    let Some(next) = next else { continue };
                    now = next;
                    wheel.reach(next);
                    let got: Vec<u8> = std::iter::from_fn(|| wheel.take(|what| *what < below)).collect();
                    prop_assert_eq!(got, slow.take(next, below));
                }
                Do::Reach(at) => {
                    let at = at.min(slow.0.keys().next().copied().unwrap_or(Nanos::MAX)).max(now);
                    now = at;
                    wheel.reach(at);
                }
            }
            prop_assert_eq!(wheel.next(), slow.0.keys().next().copied());
        }
    }
}

#[test]
fn a_timer_is_moved_no_more_often_than_a_time_has_bits() {
    let mut wheel = Wheel::new();
    wheel.arm(Nanos::MAX, 0);
    let mut moves = 0;
    for now in (-1000..1000).chain((0..63).map(|bit| Nanos::MAX - (Nanos::MAX >> bit))) {
        let before = wheel.levels.iter().position(|level| !level.timers.is_empty());
        wheel.reach(now);
        let after = wheel.levels.iter().position(|level| !level.timers.is_empty());
        assert!(after <= before);
        moves += usize::from(after != before);
    }
    assert!((10..=64).contains(&moves), "{moves}");
}
