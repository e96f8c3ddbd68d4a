//! What a search costs, and what becomes of the answer where there is too much.

use super::*;

fn plain(times: u32) -> StepShape {
    StepShape { times, no: None, outcome: true }
}

fn no(within: Option<Nanos>) -> StepShape {
    StepShape { times: 1, no: Some(within), outcome: true }
}

fn waiting(number: u64, at: Nanos, value: Value) -> Arc<Waiting> {
    let meta = meta(u32::try_from(number).unwrap(), at);
    let seen = Seen { effective: at, late: false, dry_run_unknown: false, meta: Arc::new(meta) };
    Arc::new(Waiting { seen, number, captures: vec![value.clone(), value] })
}

/// A sequence that is fed by hand.
struct Fed {
    layout: Layout,
    conds: Vec<Cond>,
    sequence: Sequence,
    max: usize,
}

impl Fed {
    fn new(within: Nanos, shapes: &[StepShape], conds: Vec<Cond>) -> Self {
        Self::of(true, within, shapes, conds)
    }

    fn unordered(within: Nanos, shapes: &[StepShape], conds: Vec<Cond>) -> Self {
        Self::of(false, within, shapes, conds)
    }

    fn of(ordered: bool, within: Nanos, shapes: &[StepShape], conds: Vec<Cond>) -> Self {
        let shapes = shapes.to_vec();
        let case = Case { ordered, within, shapes, conds, events: Vec::new() };
        let layout = case.layout(true);
        let sequence = Sequence::new(&layout);
        Self { layout, conds: case.conds, sequence, max: usize::MAX }
    }

    fn enter(&mut self, step: usize, at: Nanos, value: Value) -> u64 {
        let number = self.sequence.number();
        let keep = Keep { now: at, oldest: None, max: self.max };
        self.sequence.enter(&self.layout, step, waiting(number, at, value), keep)
    }

    fn look(&mut self, step: usize, at: Nanos, value: Value) -> (Found, usize) {
        self.look_at(step, at, value, Nanos::MAX)
    }

    fn look_at(&mut self, step: usize, at: Nanos, value: Value, now: Nanos) -> (Found, usize) {
        let completing = waiting(self.sequence.number(), at, value);
        self.decide(step, &completing, now)
    }

    fn decide(&self, step: usize, completing: &Arc<Waiting>, now: Nanos) -> (Found, usize) {
        let asked = Asked { layout: &self.layout, step, completing, now };
        let mut tries = 0;
        let conds = &self.conds;
        let found = look(&self.sequence, asked, &mut tries, |join, captures| conds[join].holds(captures));
        (found, tries)
    }

    fn kept(&self) -> Vec<usize> {
        self.sequence.steps.iter().map(queue::StepQueue::len).collect()
    }
}

fn cond(owner: usize, read: usize, kind: Kind) -> Cond {
    Cond { owner, reads: vec![read], kind }
}

fn chosen(found: &Found) -> Option<Vec<u64>> {
    let Found::Choice { slots, .. } = found else { return None };
    Some(slots.iter().flatten().map(|w| w.number).collect())
}

const MANY: u64 = 100_000;

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn text(n: u64) -> Value {
    Value::Number(n as f64)
}

#[test]
fn a_hundred_thousand_that_wait_at_a_step_joined_by_an_equality_cost_no_more_than_one() {
    // refused; bound where it names the refused; used by the refused.
    let conds = vec![cond(1, 0, Kind::Among), cond(2, 0, Kind::Equal)];
    let mut fed = Fed::new(1 << 40, &[plain(1), plain(1), plain(1)], conds);
    (0..MANY).for_each(|n| assert_eq!(fed.enter(0, 1, text(n)), 0));
    (0..MANY).for_each(|n| assert_eq!(fed.enter(1, 2, text(n)), 0));
    for n in [0, 1, 77_777, MANY - 1] {
        let (found, tries) = fed.look(2, 3, text(n));
        assert_eq!(chosen(&found).map(|numbers| numbers[..2].to_vec()), Some(vec![n, MANY + n]));
        assert!(tries <= 4, "{tries} tries");
    }
    let (found, tries) = fed.look(2, 3, text(MANY));
    assert!(matches!(found, Found::None { short: false, .. }));
    assert_eq!(tries, 0, "it is known beforehand that a step has none");
}

#[test]
fn what_forbids_is_found_by_its_value_too() {
    let conds = vec![cond(1, 0, Kind::Equal), cond(2, 0, Kind::Equal)];
    let mut fed = Fed::new(1 << 40, &[plain(1), no(None), plain(1)], conds);
    fed.enter(0, 1, text(5));
    (0..MANY).filter(|n| *n != 5).for_each(|n| assert_eq!(fed.enter(1, 2, text(n)), 0));
    let (found, tries) = fed.look(2, 3, text(5));
    assert!(matches!(found, Found::Choice { approximate: false, .. }), "{tries}");
    assert!(tries < 10, "{tries} tries");
    fed.enter(1, 3, text(5));
    let (found, tries) = fed.look(2, 4, text(5));
    assert!(matches!(found, Found::None { forbidden: Some((1, _)), .. }));
    assert!(tries < 10, "{tries} tries");
}

#[test]
fn of_two_equalities_the_one_that_leaves_less_is_walked() {
    let conds = [cond(1, 0, Kind::Equal), cond(1, 0, Kind::Among)];
    for conds in [conds.to_vec(), conds.iter().rev().cloned().collect()] {
        let mut fed = Fed::new(1 << 40, &[plain(1), plain(1)], conds);
        fed.enter(0, 1, text(2));
        (0..MANY).for_each(|_| assert_eq!(fed.enter(0, 1, text(1)), 0));
        let mut completing = waiting(fed.sequence.number(), 2, text(2));
        Arc::get_mut(&mut completing).unwrap().captures[1] =
            Value::Spread { items: vec![text(1), text(2)], open: false };
        let (found, tries) = fed.decide(1, &completing, 2);
        assert_eq!(chosen(&found), Some(vec![0, MANY + 1]));
        assert!(tries <= 2, "{tries} tries");
    }
}

#[test]
fn lists_are_found_by_equal_lists_for_as_long_as_they_wait() {
    let mut fed = Fed::new(100, &[plain(1), plain(1)], vec![cond(1, 0, Kind::Equal)]);
    fed.max = 3;
    let list = |n: u64| Value::List { items: vec![text(n)], open: false };
    (0..5).for_each(|n| assert_eq!(fed.enter(0, 0, list(n)), u64::from(n >= 3)));
    for n in 0..5 {
        let (found, _) = fed.look(1, 1, list(n));
        assert_eq!(chosen(&found).map(|numbers| numbers[0]), Some(n).filter(|n| *n >= 2));
    }
}

#[test]
fn an_answer_waits_for_a_forbidden_choice_that_begins_later_than_another() {
    // a; b of the same value; no x within 5; c; no y for as long as the whole may take.
    let shapes = [plain(1), plain(1), no(Some(5)), plain(1), no(None)];
    let mut fed = Fed::new(20, &shapes, vec![cond(1, 0, Kind::Equal)]);
    for (step, at, value) in [(0, 0, 1), (1, 2, 1), (0, 4, 2), (1, 5, 2), (1, 8, 1), (2, 9, 0)] {
        fed.enter(step, at, number(value));
    }
    let completing = waiting(fed.sequence.number(), 10, number(0));
    // What x forbids are the b at 8, of a choice that begins at 0, and the one at 5, of one that begins at 4.
    assert!(matches!(fed.decide(3, &completing, 19).0, Found::Waits(20)));
    assert!(matches!(fed.decide(3, &completing, 20).0, Found::Waits(24)));
    let (found, _) = fed.decide(3, &completing, 24);
    assert_eq!(chosen(&found), Some(vec![0, 1, 6]));
}

#[test]
fn five_of_many_that_are_forbidden_are_not_tried_in_every_way() {
    let mut fed = Fed::new(1 << 40, &[plain(5), no(None), plain(1)], Vec::new());
    (0..MANY).for_each(|n| assert_eq!(fed.enter(0, 1 + i64::try_from(n).unwrap(), text(n)), 0));
    fed.enter(1, 200_000, text(0));
    let (found, tries) = fed.look(2, 300_000, text(0));
    assert!(matches!(found, Found::None { forbidden: Some(_), short: false, .. }));
    assert!(tries < 20, "{tries} tries");
    // Behind what forbids there must be one of the five, the last of them.
    fed.enter(0, 250_000, text(7));
    let (found, _) = fed.look(2, 300_000, text(0));
    assert_eq!(
        chosen(&found).map(|numbers| numbers[..5].to_vec()),
        Some(vec![99_996, 99_997, 99_998, 99_999, 100_002])
    );
}

#[test]
fn a_no_with_a_time_of_its_own_passes_over_only_what_it_reaches() {
    let mut fed = Fed::new(1 << 40, &[plain(1), no(Some(10)), plain(1)], Vec::new());
    (0..MANY).for_each(|n| assert_eq!(fed.enter(0, i64::try_from(n).unwrap(), text(n)), 0));
    fed.enter(1, 100_005, text(0));
    // From 99,995 on what waits is forbidden.
    let (found, tries) = fed.look(2, 100_010, text(0));
    assert_eq!(chosen(&found).map(|numbers| numbers[0]), Some(99_994));
    assert!(tries < 10, "{tries} tries");

    let mut fed = Fed::new(1 << 40, &[no(Some(10)), plain(1), plain(1)], Vec::new());
    for n in 0..MANY {
        if n == 99_990 {
            fed.enter(0, 99_990, text(n));
        }
        fed.enter(1, i64::try_from(n).unwrap(), text(n));
    }
    let (found, tries) = fed.look(2, 100_010, text(0));
    assert_eq!(chosen(&found).map(|numbers| numbers[0]), Some(99_989));
    assert!(tries < 10, "{tries} tries");
}

#[test]
fn slots_that_are_not_to_blame_are_passed_over() {
    // What comes after the five must differ from what came before them: no earlier five would change that.
    let conds = vec![cond(2, 0, Kind::Differs)];
    let mut fed = Fed::new(1 << 40, &[plain(1), plain(5), plain(1)], conds);
    fed.enter(0, 0, text(3));
    (0..1000).for_each(|n| assert_eq!(fed.enter(1, 1 + i64::try_from(n).unwrap(), text(n)), 0));
    let (found, tries) = fed.look(2, 5000, text(3));
    assert!(matches!(found, Found::None { short: false, forbidden: None, .. }));
    assert!(tries < 10, "{tries} tries");
    let (found, _) = fed.look(2, 5000, text(4));
    assert!(matches!(found, Found::Choice { approximate: false, .. }));
}

#[test]
fn a_search_that_is_too_long_leans_to_the_safe_side() {
    for shapes in [vec![plain(1), plain(1), plain(1)], vec![plain(1), plain(1), plain(1), no(None)]] {
        // Of no pair: the first two must be as small as the last, and none is.
        let conds = vec![Cond { owner: 2, reads: vec![0, 1], kind: Kind::Sum }];
        let mut fed = Fed::new(1000, &shapes, conds);
        for n in 0..1000 {
            fed.enter(0, 0, number(0));
            fed.enter(1, 1, text(n % 2));
        }
        let (found, tries) = fed.look(2, 2, number(9));
        let Found::Choice { slots, approximate: true, until: None } = found else { panic!("{found:?}") };
        assert!(slots[0].is_none() && slots[1].is_some() && slots[2].is_some());
        assert_eq!(tries, SEQUENCE_TRIES_MAX + 1);
        let (found, _) = fed.look(2, 2, number(1));
        assert!(matches!(found, Found::Choice { approximate: false, .. }));
    }
}

#[test]
fn a_search_that_is_too_long_tells_the_choice_that_it_looked_at_last() {
    // x forbids where it differs from a; for the second a all of them are looked at, for the first there is no more time.
    let conds = vec![cond(1, 0, Kind::Differs)];
    let mut fed = Fed::new(1000, &[plain(1), no(None), plain(1)], conds);
    fed.enter(0, 0, number(1));
    fed.enter(0, 1, number(2));
    fed.enter(1, 2, number(1));
    (100..SEQUENCE_TRIES_MAX).for_each(|_| assert_eq!(fed.enter(1, 2, Value::Unknown), 0));
    let (found, _) = fed.look(2, 3, number(0));
    let Found::Choice { slots, approximate: true, .. } = found else { panic!("{found:?}") };
    assert_eq!(slots[0].as_ref().map(|first| first.number), Some(0));
}

#[test]
fn a_search_that_is_too_long_tells_the_choice_that_came_furthest() {
    // c is not what d is, and a not what c is: that leaves one c for which there is a b, and no a.
    let conds = vec![cond(2, 3, Kind::Differs), cond(0, 2, Kind::Differs)];
    let mut fed = Fed::new(1000, &[plain(1), plain(1), plain(1), plain(1)], conds);
    fed.enter(0, 0, number(5));
    fed.enter(1, 1, number(0));
    (0..SEQUENCE_TRIES_MAX).for_each(|_| assert_eq!(fed.enter(2, 2, number(9)), 0));
    fed.enter(2, 2, number(5));
    let (found, _) = fed.look(3, 3, number(9));
    let Found::Choice { slots, approximate: true, .. } = found else { panic!("{found:?}") };
    let furthest: Vec<_> =
        slots.iter().map(|slot| slot.as_ref().map(|waiting| waiting.seen.effective)).collect();
    assert_eq!(furthest, [None, Some(1), Some(2), Some(3)]);
}

#[test]
fn what_had_to_go_may_have_been_the_choice() {
    let mut fed = Fed::new(100, &[plain(1), plain(1)], vec![cond(1, 0, Kind::Equal)]);
    fed.max = 4;
    let gone: Vec<u64> = (0..5).map(|at| fed.enter(0, at, number(1))).collect();
    assert_eq!(gone, [0, 0, 0, 0, 1]);
    let short = |found: &Found| matches!(found, Found::None { short: true, .. });
    assert!(short(&fed.look(1, 50, number(2)).0));
    assert!(short(&fed.look(1, 100, number(2)).0));
    assert!(!short(&fed.look(1, 101, number(2)).0), "what had to go was too old anyway");
    let (found, _) = fed.look(1, 50, number(1));
    assert!(matches!(found, Found::Choice { approximate: false, .. }));
}

#[test]
fn what_had_to_go_is_no_choice_where_another_step_never_came() {
    // Of a many went and no b ever came: whatever went, c completes nothing.
    let mut fed = Fed::new(100, &[plain(1), plain(1), plain(1)], Vec::new());
    fed.max = 2;
    (0..5).for_each(|at| _ = fed.enter(0, at, number(1)));
    assert!(matches!(fed.look(2, 50, number(2)).0, Found::None { short: false, .. }));
    // An a that went may have been in front of a b; those that are kept are behind it.
    fed.enter(1, 5, number(1));
    (6..8).for_each(|at| _ = fed.enter(0, at, number(1)));
    assert!(matches!(fed.look(2, 50, number(2)).0, Found::None { short: true, .. }));
    assert!(matches!(fed.look(2, 104, number(2)).0, Found::None { short: true, .. }));
    assert!(matches!(fed.look(2, 105, number(2)).0, Found::None { short: false, .. }), "too old anyway");
}

#[test]
fn without_an_order_what_went_of_the_completing_step_alone_is_no_choice() {
    let mut fed = Fed::unordered(100, &[plain(1), plain(1)], Vec::new());
    fed.max = 2;
    (0..5).for_each(|at| _ = fed.enter(0, at, number(1)));
    assert!(matches!(fed.look(0, 50, number(1)).0, Found::None { short: false, .. }), "no b ever came");
    assert!(matches!(fed.look(1, 102, number(1)).0, Found::Choice { .. }));
    assert!(matches!(fed.look(1, 105, number(1)).0, Found::None { short: false, .. }), "all are too old");
}

#[test]
fn what_had_to_go_may_have_forbidden_the_choice() {
    let mut fed = Fed::new(100, &[plain(1), no(None), plain(1)], vec![cond(1, 0, Kind::Equal)]);
    fed.max = 2;
    fed.enter(0, 0, number(1));
    (1..4).for_each(|at| assert_eq!(fed.enter(1, at, number(2)), u64::from(at == 3)));
    assert!(matches!(fed.look(2, 50, number(1)).0, Found::Choice { approximate: true, .. }));
    fed.enter(0, 4, number(1));
    let (found, _) = fed.look(2, 50, number(1));
    assert!(matches!(found, Found::Choice { approximate: false, .. }), "it was before the first step");
}

#[test]
fn what_no_choice_can_use_is_not_kept() {
    let shapes = [no(Some(5)), plain(1), no(None), plain(2), plain(1), no(Some(7))];
    let mut fed = Fed::new(10, &shapes, Vec::new());
    // Nothing of the first step yet: what stands behind it is of no use, once its time is over.
    for step in [0, 2, 3, 4, 5] {
        fed.enter(step, 0, number(0));
    }
    assert_eq!(fed.kept(), [1, 0, 1, 1, 0, 1], "of the same time the first step may still come");
    fed.enter(0, 1, number(0));
    assert_eq!(fed.kept(), [2, 0, 0, 0, 0, 0]);
    fed.enter(1, 2, number(0));
    fed.enter(2, 2, number(0));
    fed.enter(3, 2, number(0));
    fed.enter(2, 3, number(0));
    assert_eq!(fed.kept(), [2, 1, 1, 1, 0, 0], "what forbids at the time of the first step forbids nothing");
    fed.enter(3, 12, number(0));
    assert_eq!(fed.kept(), [2, 1, 1, 2, 0, 0], "both ends are in");
    fed.enter(5, 13, number(0));
    assert_eq!(fed.kept(), [2, 0, 0, 0, 0, 1]);
    fed.enter(1, 15, number(0));
    assert_eq!(fed.kept(), [2, 1, 0, 0, 0, 0], "15 after the event, with 10 and 5");
    fed.enter(1, 16, number(0));
    assert_eq!(fed.kept()[..2], [1, 2]);
    assert_eq!(fed.sequence.alive(&fed.layout), Some(26));
    assert_eq!(fed.sequence.waiting(&fed.layout, 25), [0, 2, 0, 0, 0, 0]);
    assert_eq!(fed.sequence.waiting(&fed.layout, 26), [0, 1, 0, 0, 0, 0]);
}

#[test]
fn what_an_answer_that_waits_can_use_is_kept() {
    let layout = Fed::new(10, &[plain(1), plain(1), no(None)], Vec::new()).layout;
    let mut sequence = Sequence::new(&layout);
    let keep = |now, oldest| Keep { now, oldest, max: usize::MAX };
    let number_of = |sequence: &mut Sequence| sequence.number();
    for (step, at, oldest) in [(0, 0, None), (2, 1, Some(1)), (2, 20, Some(1))] {
        let number = number_of(&mut sequence);
        sequence.enter(&layout, step, waiting(number, at, number_value()), keep(at, oldest));
    }
    let kept =
        |sequence: &Sequence| -> Vec<usize> { sequence.steps.iter().map(queue::StepQueue::len).collect() };
    assert_eq!(kept(&sequence), [1, 0, 2]);
    sequence.prune(&layout, keep(20, None));
    assert_eq!(kept(&sequence), [0, 0, 1]);
}

fn number_value() -> Value {
    number(0)
}
