//! Every sentence of `docs/semantics.md`, "Sequences", by hand; and that a save at any place does not show.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir::{self, RuleSet, Shape, Stage, StagePick};
use proptest::prelude::*;

use crate::alert::Alert;
use crate::limits::{Limits, VIRTUAL_SHARDS};
use crate::matches::{Match, Matches, Nanos, SourceId, SourceInfo, Value};
use crate::plan::Plan;
use crate::state::{Outcome, State, Watched};
use crate::testing::{expr, meta, rule, step};

/// Which step, and what is special about it.
fn on(name: &str) -> ir::Step {
    step(Some(name), StagePick::Outcome, 1)
}

fn times(n: u32, name: &str) -> ir::Step {
    ir::Step { times: n, ..on(name) }
}

fn no(within: Option<Nanos>, name: &str) -> ir::Step {
    ir::Step { no: Some(ir::No { within }), ..on(name) }
}

fn at(stage: StagePick, of: ir::Step) -> ir::Step {
    ir::Step { on: step(None, stage, 0).on, ..of }
}

fn read(of: Option<u32>, key: &str) -> ir::Expr {
    let segments = vec![ir::Segment::Key(key.into())];
    let place = ir::Place { step: of, root: ir::Root::Event, segments, text: key.into() };
    expr(ir::ExprKind::Read(place), ir::Type::Text)
}

/// A rule whose alert says who completed it and who stood at its first step.
fn sequence(ordered: bool, within: Nanos, steps: Vec<ir::Step>) -> ir::Rule {
    let mut rule = rule("r", Shape::Sequence { ordered, within }, 0, steps);
    let first = rule.steps.iter().position(|step| step.no.is_none()).unwrap();
    rule.alert = vec![
        ir::Piece::Value(read(None, "auditID")),
        ir::Piece::Literal(" ".into()),
        ir::Piece::Value(read(Some(u32::try_from(first).unwrap()), "auditID")),
    ];
    rule
}

/// An event of a test: its number is its request, the steps that it matches.
#[derive(Clone, Debug)]
struct Ev {
    n: u32,
    at: Nanos,
    steps: Vec<u32>,
    stage: Stage,
    key: Value,
    /// What is read of it.
    name: u32,
}

fn ev(n: u32, at: Nanos, steps: &[u32]) -> Ev {
    let key = Value::Text("k".into());
    Ev { n, at, steps: steps.to_vec(), stage: Stage::ResponseComplete, key, name: n }
}

impl Ev {
    fn stage(self, stage: Stage) -> Self {
        Self { stage, ..self }
    }

    fn name(self, name: u32) -> Self {
        Self { name, ..self }
    }

    fn key(self, key: Value) -> Self {
        Self { key, ..self }
    }
}

fn plan(rule: ir::Rule) -> Arc<Plan> {
    Arc::new(Plan::new(&RuleSet { rules: vec![rule], ..RuleSet::default() }, Limits::default()))
}

/// The matches of some events, all of one block.
fn block(plan: &Plan, events: &[Ev]) -> Matches {
    let mut matches = Matches::default();
    for (event, ev) in (0..).zip(events) {
        matches.times.push(ev.at);
        let mut meta = meta(ev.n, ev.at);
        meta.stage = Some(ev.stage);
        let meta = Arc::new(meta);
        for number in &ev.steps {
            let step = &plan.rules[0].steps[*number as usize];
            matches.found.push(Match {
                rule: 0,
                step: *number,
                event,
                meta: meta.clone(),
                key: vec![ev.key.clone(); step.key_names.len()],
                captures: vec![Value::Text(format!("{}", ev.name).into()); step.captured],
                counted: Vec::new(),
                dry_run_unknown: false,
            });
        }
    }
    matches
}

fn limits() -> Limits {
    Limits { lateness: 1000, request_memory: 1000, ..Limits::default() }
}

struct Run {
    alerts: Vec<Alert>,
    seen: Vec<Watched>,
    pending: u64,
    state: State,
}

fn run_with(rule: ir::Rule, limits: Limits, until: Nanos, events: &[Ev]) -> Run {
    let plan = plan(rule);
    let mut state = State::new(plan.clone(), limits);
    let source = state.add_source(SourceInfo::default());
    let watch = state.watch_all(0);
    state.take(source, block(&plan, events));
    state.finish_at(until);
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    let pending = state.tally().rules[0].pending;
    Run { alerts, seen: state.seen(watch).to_vec(), pending, state }
}

fn run(rule: ir::Rule, events: &[Ev]) -> Run {
    run_with(rule, limits(), 100, events)
}

impl Run {
    /// Per alert its time and the requests of its evidence.
    fn told(&self) -> Vec<(Nanos, Vec<u64>)> {
        let requests = |alert: &Alert| alert.events.iter().map(|event| event.meta.offset).collect();
        self.alerts.iter().map(|alert| (alert.time, requests(alert))).collect()
    }

    fn names(&self) -> Vec<&str> {
        self.alerts[0].events.iter().map(|event| event.step.as_deref().unwrap()).collect()
    }

    fn outcomes(&self, n: u64) -> Vec<&Outcome> {
        self.seen.iter().filter(|seen| seen.meta.offset == n).map(|seen| &seen.outcome).collect()
    }
}

#[test]
fn a_step_of_several_takes_the_latest_and_reads_as_the_last() {
    let ran = run(
        sequence(true, 10, vec![times(3, "miss"), on("hit")]),
        &[ev(1, 1, &[0]), ev(2, 2, &[0]), ev(8, 3, &[1]), ev(3, 3, &[0]), ev(4, 4, &[0]), ev(9, 5, &[1])],
    );
    // Of one time they stand in either order, so 8 has its third.
    assert_eq!(ran.told(), [(3, vec![1, 2, 3, 8]), (5, vec![2, 3, 4, 9])]);
    assert_eq!(ran.names(), ["miss", "miss", "miss", "hit"]);
    let alert = &ran.alerts[1];
    assert_eq!((alert.count, alert.window, &*alert.message), (4, Some((2, 5)), "9 4"));
}

#[test]
fn the_last_step_may_want_several() {
    let ran = run(
        sequence(true, 10, vec![on("a"), times(2, "b")]),
        &[ev(1, 1, &[1]), ev(2, 2, &[0]), ev(3, 3, &[1]), ev(4, 4, &[1]), ev(5, 5, &[1])],
    );
    assert_eq!(ran.told(), [(4, vec![2, 3, 4]), (5, vec![2, 4, 5])]);
    let alone =
        run(sequence(true, 3, vec![times(2, "b")]), &[ev(1, 1, &[0]), ev(2, 4, &[0]), ev(3, 8, &[0])]);
    assert_eq!(alone.told(), [(4, vec![1, 2])], "both ends are in");
}

#[test]
fn without_an_order_the_latest_completes_at_whatever_step() {
    let steps = vec![on("a"), on("b"), on("c")];
    let ran = run(
        sequence(false, 10, steps),
        &[ev(1, 1, &[2]), ev(2, 2, &[0]), ev(3, 3, &[1]), ev(4, 4, &[2]), ev(5, 12, &[0])],
    );
    // In the order of deciding; a bare field is the completing event's.
    assert_eq!(ran.told(), [(3, vec![1, 2, 3]), (4, vec![2, 3, 4]), (12, vec![3, 4, 5])]);
    assert_eq!(ran.names(), ["c", "a", "b"]);
    let texts: Vec<&str> = ran.alerts.iter().map(|alert| &*alert.message).collect();
    assert_eq!(texts, ["3 2", "4 2", "5 5"]);
    assert_eq!(ran.alerts[2].window, Some((3, 12)));
}

#[test]
fn without_an_order_others_are_before_in_the_order_of_deciding() {
    // Of one time the identity decides, which is not the order of numbers.
    for (a, b) in [(1, 2), (2, 1), (7, 3)] {
        let ran = run(sequence(false, 10, vec![on("a"), on("b")]), &[ev(a, 5, &[0]), ev(b, 5, &[1])]);
        let last = std::cmp::max_by_key(a, b, |n| meta(*n, 5).request);
        assert_eq!(ran.alerts.len(), 1);
        assert_eq!(ran.alerts[0].completing.as_ref().unwrap().offset, u64::from(last));
    }
}

#[test]
fn an_event_of_several_steps_completes_once_at_the_last_that_it_can() {
    let ran = run(
        sequence(false, 10, vec![on("a"), on("b"), on("c")]),
        &[ev(1, 1, &[0]), ev(2, 2, &[1]), ev(3, 3, &[1, 2]), ev(4, 4, &[0, 1]), ev(5, 5, &[0, 1, 2])],
    );
    // 3 can be c; 4 can be b (3 is c, 1 is a); 5 is c, beside the latest b.
    assert_eq!(ran.told(), [(3, vec![1, 2, 3]), (4, vec![1, 3, 4]), (5, vec![1, 4, 5])]);
    assert_eq!(ran.alerts[0].events[2].step.as_deref(), Some("c"));
    let steps: Vec<_> = ran.alerts[1].events.iter().map(|event| event.step.as_deref().unwrap()).collect();
    assert_eq!(steps, ["a", "c", "b"]);
    assert_eq!(ran.outcomes(3).len(), 2);
    // Nothing for c, so it stands at the step before.
    let ran = run(sequence(false, 10, vec![on("a"), on("b")]), &[ev(1, 1, &[1]), ev(2, 2, &[0, 1])]);
    assert_eq!(ran.told(), [(2, vec![1, 2])]);
}

/// A condition: the event at hand reads as that of a step.
fn same_as(step: u32) -> ir::Expr {
    let (left, right) = (Box::new(read(None, "auditID")), Box::new(read(Some(step), "auditID")));
    let op = ir::CompareOp::Eq;
    expr(ir::ExprKind::Compare { op, left, right, ignoring_case: false }, ir::Type::Bool)
}

#[test]
fn where_all_of_one_place_is_forbidden_the_place_before_is_tried() {
    let forbid = ir::Step { condition: Some(same_as(1)), ..no(None, "n") };
    let rule = sequence(false, 10, vec![on("a"), on("b"), forbid]);
    // Beside 3 at b the 2 forbids, beside 1 at b it does not.
    let ran = run(rule, &[ev(1, 1, &[0, 1]), ev(2, 2, &[2]).name(7), ev(3, 3, &[0, 1]).name(7)]);
    assert_eq!(ran.told(), [(3, vec![1, 3])]);
    assert_eq!(ran.names(), ["b", "a"]);
    assert_eq!(&*ran.alerts[0].message, "7 7");
}

#[test]
fn what_forbids_must_meet_its_conditions_beside_the_choice() {
    let steps = || vec![on("a"), ir::Step { condition: Some(same_as(0)), ..no(None, "n") }, on("b")];
    let told = |name| {
        let events = [ev(1, 1, &[0]), ev(2, 2, &[0]), ev(3, 3, &[1]).name(name), ev(4, 4, &[2])];
        run(sequence(true, 10, steps()), &events).told()
    };
    assert_eq!(told(3), [(4, vec![2, 4])]);
    assert_eq!(told(1), [(4, vec![2, 4])]);
    assert_eq!(told(2), [(4, vec![1, 4])]);
}

#[test]
fn between_two_steps_it_forbids_strictly_between_their_times() {
    let between = |within, x: Nanos| {
        let steps = vec![on("a"), no(within, "n"), on("b")];
        run(sequence(true, 100, steps), &[ev(1, 10, &[0]), ev(2, x, &[1]), ev(3, 20, &[2])])
    };
    let fired: Vec<Nanos> = (8..23).filter(|x| !between(None, *x).alerts.is_empty()).collect();
    assert_eq!(fired, [8, 9, 10, 20, 21, 22]);
    let fired: Vec<Nanos> = (8..23).filter(|x| !between(Some(3), *x).alerts.is_empty()).collect();
    assert_eq!(fired, [8, 9, 10, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
    let ran = between(None, 12);
    assert_eq!(ran.outcomes(2), [&Outcome::Forbids]);
    assert_eq!(ran.outcomes(3), [&Outcome::Forbidden]);
    let seen = ran.seen.last().unwrap();
    let by = seen.forbidden.as_ref().unwrap();
    assert_eq!((by.meta.offset, by.step.as_deref(), &*seen.waiting), (2, Some("n"), &[1, 1, 0][..]));
}

#[test]
fn a_choice_that_is_forbidden_is_passed_over_for_the_next() {
    let steps = vec![on("a"), no(Some(2), "n"), on("b")];
    let ran =
        run(sequence(true, 100, steps), &[ev(1, 1, &[0]), ev(2, 5, &[0]), ev(3, 7, &[1]), ev(4, 9, &[2])]);
    assert_eq!(ran.told(), [(9, vec![1, 4])]);
}

#[test]
fn before_the_first_step_it_forbids_in_its_own_time() {
    let before = |x: Nanos| {
        let steps = vec![no(Some(5), "n"), on("a"), on("b")];
        run(sequence(true, 100, steps), &[ev(2, x, &[0]), ev(1, 10, &[1]), ev(3, 20, &[2])])
    };
    let fired: Vec<Nanos> = (3..22).filter(|x| !before(*x).alerts.is_empty()).collect();
    assert_eq!(fired, [3, 4, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
}

#[test]
fn behind_the_last_step_the_answer_waits() {
    let behind = |within, x: Nanos| {
        let steps = vec![on("a"), on("b"), no(within, "n")];
        run(sequence(true, 15, steps), &[ev(1, 10, &[0]), ev(2, 20, &[1]), ev(3, x, &[2])])
    };
    let fired: Vec<Nanos> = (18..30).filter(|x| !behind(Some(3), *x).alerts.is_empty()).collect();
    assert_eq!(fired, [18, 19, 24, 25, 26, 27, 28, 29]);
    // To the sequence's time after its first step.
    let fired: Vec<Nanos> = (18..30).filter(|x| !behind(None, *x).alerts.is_empty()).collect();
    assert_eq!(fired, [18, 19, 26, 27, 28, 29]);
    let ran = behind(Some(3), 40);
    assert_eq!(ran.told(), [(23, vec![1, 2])]);
    assert_eq!(ran.alerts[0].window, Some((10, 20)));
    assert!(matches!(ran.outcomes(2)[..], [Outcome::WaitsUntil(23), Outcome::Fired(_)]));
    assert_eq!(behind(None, 40).told(), [(25, vec![1, 2])]);
    let ran = behind(Some(3), 22);
    assert_eq!(ran.outcomes(2), [&Outcome::WaitsUntil(23), &Outcome::Forbidden]);
}

#[test]
fn choices_are_looked_at_each_when_its_wait_is_over() {
    // The later first step waits longer; it is forbidden, the earlier one no more: its own wait ended before.
    let steps = vec![on("a"), on("b"), no(None, "n")];
    let mut rule = sequence(true, 10, steps);
    let events = [ev(1, 1, &[0]), ev(2, 5, &[0]), ev(3, 6, &[1]), ev(4, 13, &[2])];
    let ran = run(rule.clone(), &events);
    assert_eq!(ran.told(), [(11, vec![1, 3])]);
    assert_eq!(ran.outcomes(3)[0], &Outcome::WaitsUntil(15));
    // It was decided at 15, which is what the throttle goes by.
    rule.throttle = 3;
    let more = [ev(5, 16, &[0]), ev(6, 17, &[1])];
    let ran = run_with(rule.clone(), limits(), 40, &[&events[..], &more[..]].concat());
    assert_eq!(ran.told(), [(11, vec![1, 3]), (26, vec![5, 6])]);
    rule.throttle = 12;
    let ran = run_with(rule, limits(), 40, &[&events[..], &more[..]].concat());
    assert_eq!(ran.told(), [(11, vec![1, 3])], "15 to 26 is less than 12");
}

#[test]
fn waits_that_end_at_one_time_end_in_the_order_of_what_completes() {
    let mut rule = sequence(true, 10, vec![on("a"), on("b"), no(None, "n")]);
    rule.throttle = 1;
    let ran = run(rule, &[ev(1, 1, &[0]), ev(9, 2, &[1]), ev(2, 3, &[1]), ev(3, 4, &[1])]);
    assert_eq!(ran.told(), [(11, vec![1, 9])]);
    assert_eq!(ran.outcomes(3)[1], &Outcome::Throttled { since: 11 });
}

#[test]
fn a_wait_that_is_over_at_once_ends_at_its_own_time() {
    let ran =
        run(sequence(true, 10, vec![on("a"), on("b"), no(None, "n")]), &[ev(1, 1, &[0]), ev(2, 11, &[1])]);
    assert_eq!(ran.told(), [(11, vec![1, 2])]);
    let ran = run(
        sequence(true, 10, vec![on("a"), on("b"), no(None, "n")]),
        &[ev(1, 1, &[0]), ev(2, 11, &[1]), ev(3, 11, &[2])],
    );
    assert_eq!(ran.told(), [], "of the same time it forbids, whenever it comes");
}

#[test]
fn what_waits_beyond_the_end_is_pending() {
    let rule = || sequence(true, 10, vec![on("a"), no(None, "n")]);
    let events = [ev(1, 1, &[0]), ev(2, 5, &[0])];
    let ran = run_with(rule(), limits(), 10, &events);
    assert_eq!((ran.alerts.len(), ran.pending), (0, 2));
    let ran = run_with(rule(), limits(), 11, &events);
    assert_eq!((ran.told(), ran.pending), (vec![(11, vec![1])], 1));
}

#[test]
fn without_an_order_what_forbids_goes_by_the_first_and_the_completing() {
    let fired = |place: usize, within| -> Vec<Nanos> {
        let mut steps = vec![on("a"), on("b")];
        steps.insert(place, no(within, "n"));
        let positive: Vec<u32> = (0..3).filter(|n| *n != u32::try_from(place).unwrap()).collect();
        let number = u32::try_from(place).unwrap();
        // Written in one order, come in the other.
        let ran = |x| {
            let events = [ev(1, 10, &[positive[1]]), ev(2, x, &[number]), ev(3, 14, &[positive[0]])];
            run(sequence(false, 100, steps.clone()), &events)
        };
        (7..18).filter(|x| !ran(*x).alerts.is_empty()).collect()
    };
    for place in 0..3 {
        assert_eq!(fired(place, None), [7, 8, 9, 10, 14, 15, 16, 17], "{place}");
    }
    assert_eq!(fired(0, Some(2)), [7, 11, 12, 13, 14, 15, 16, 17]);
    assert_eq!(fired(1, Some(2)), [7, 8, 9, 10, 13, 14, 15, 16, 17]);
    assert_eq!(fired(2, Some(2)), [7, 8, 9, 10, 11, 12, 13, 17]);
    let waits = run(sequence(false, 9, vec![on("a"), no(Some(2), "n")]), &[ev(1, 1, &[0])]);
    assert_eq!(waits.told(), [(3, vec![1])]);
}

#[test]
fn one_event_serves_one_slot_and_forbids_not_itself() {
    let ran = run(sequence(true, 10, vec![on("a"), on("b")]), &[ev(1, 1, &[0, 1]), ev(2, 2, &[0, 1])]);
    assert_eq!(ran.told(), [(2, vec![1, 2])]);
    // A request's other outcome is the same event to steps that take outcomes.
    let two = [ev(1, 1, &[0]).stage(Stage::ResponseStarted), ev(1, 2, &[1])];
    assert_eq!(run(sequence(true, 10, vec![on("a"), on("b")]), &two).told(), []);
    let stages = vec![at(StagePick::Any, on("a")), on("b")];
    assert_eq!(run(sequence(true, 10, stages), &two).told(), [(2, vec![1, 1])]);
    let own = vec![on("a"), no(None, "n"), on("b")];
    let three = [ev(1, 1, &[0]).stage(Stage::ResponseStarted), ev(1, 2, &[1]), ev(3, 3, &[2])];
    assert_eq!(run(sequence(true, 10, own), &three).told(), [(3, vec![1, 3])]);
}

#[test]
fn a_request_that_is_answered_is_not_waited_for() {
    let asked = at(StagePick::Only(Stage::RequestReceived), on("asked"));
    let rule = || sequence(true, 50, vec![asked.clone(), no(None, "answered")]);
    let received = |n, at| ev(n, at, &[0]).stage(Stage::RequestReceived);
    let events = [received(1, 1), ev(1, 3, &[1]), received(2, 5)];
    let by_request = |ev: &Ev| ev.clone().key(Value::Number(f64::from(ev.n)));
    let events: Vec<Ev> = events.iter().map(by_request).collect();
    let ran = run(rule(), &events);
    assert_eq!(ran.told(), [(55, vec![2])]);
    assert_eq!(ran.outcomes(1), [&Outcome::WaitsUntil(51), &Outcome::Forbids, &Outcome::Forbidden]);
    // And is remembered no longer than that.
    let ran = run_with(rule(), limits(), 4, &events[..2]);
    assert_eq!((ran.state.remembered().1, ran.pending), (0, 0));
    let ran = run_with(rule(), limits(), 4, &events[..1]);
    assert_eq!((ran.state.remembered().1, ran.pending), (1, 1));
}

#[test]
fn nothing_does_not_join_with_nothing_at_no_steps_neither() {
    let absent = |n, at, step| ev(n, at, &[step]).key(Value::Absent);
    let steps = || vec![on("a"), no(None, "n"), on("b")];
    let ran = run(sequence(true, 10, steps()), &[absent(1, 1, 0), absent(2, 2, 1), absent(3, 3, 2)]);
    assert_eq!(ran.told(), []);
    assert_eq!(ran.seen.iter().filter(|seen| seen.outcome == Outcome::KeyAbsent).count(), 3);
    // Without `by` there are no parts.
    let none = steps().into_iter().map(|step| ir::Step { key: Vec::new(), ..step }).collect();
    assert_eq!(run(sequence(true, 10, none), &[absent(1, 1, 0), absent(3, 3, 2)]).alerts.len(), 1);
    let ran = run(
        sequence(true, 10, steps()),
        &[ev(1, 1, &[0]), ev(2, 2, &[1]).key(Value::Text("x".into())), ev(3, 3, &[2])],
    );
    assert_eq!(ran.alerts.len(), 1, "another key forbids nothing");
}

#[test]
fn a_match_that_was_moved_by_more_than_the_sequence_is_long_is_left_out() {
    // Sixteen times make a clock; then an old one comes.
    let mut events: Vec<Ev> = (0..16).map(|n| ev(100 + n, 1000 + i64::from(n), &[])).collect();
    let moved = |by: Nanos| ev(1, 1000 - 10 - by, &[0]);
    let limits = Limits { lateness: 10, ..limits() };
    for (by, left_out) in [(5, 0), (6, 1)] {
        events.truncate(16);
        events.push(moved(by));
        let ran = run_with(sequence(true, 5, vec![on("a"), no(Some(100), "n")]), limits, 1000, &events);
        assert_eq!(ran.state.tally().rules[0].left_out_late, left_out, "{by}");
    }
}

#[test]
fn a_request_is_known_as_long_as_all_of_the_sequence() {
    let short = Limits { request_memory: 0, ..limits() };
    for (second, duplicates) in [(15, 1), (16, 0)] {
        let steps = vec![on("a"), on("b"), no(Some(5), "n")];
        let ran = run_with(sequence(true, 10, steps), short, 100, &[ev(1, 0, &[0]), ev(1, second, &[0])]);
        assert_eq!(ran.state.tally().rules[0].duplicates, duplicates);
    }
}

#[test]
fn new_keys_share_a_window_or_are_refused_where_something_forbids() {
    let few = Limits { keys_per_rule_max: VIRTUAL_SHARDS, ..limits() };
    let events: Vec<Ev> = (0..200)
        .flat_map(|n| {
            let key = Value::Number(f64::from(n));
            [ev(2 * n, 1, &[0]).key(key.clone()), ev(2 * n + 1, 2, &[1]).key(key)]
        })
        .collect();
    let ran = run_with(sequence(true, 10, vec![on("a"), on("b")]), few, 100, &events);
    assert_eq!(ran.alerts.len(), 200);
    assert!(ran.alerts.iter().any(|alert| alert.approximate) && ran.state.tally().shed.refused == 0);
    let steps = vec![on("a"), on("b"), no(Some(1), "n")];
    let ran = run_with(sequence(true, 10, steps), few, 100, &events);
    let shed = ran.state.tally().shed;
    assert!(shed.refused > 0 && shed.shared == 0);
    assert!(ran.alerts.len() < 100);
    // How much was refused is told, by the one alert that is not exact.
    let refused: Vec<u64> =
        ran.alerts.iter().filter(|alert| alert.approximate).map(|alert| alert.count).collect();
    assert_eq!(refused, [shed.refused]);
}

#[test]
fn where_there_is_no_room_to_wait_what_is_known_must_do() {
    let few = Limits { matches_per_key_max: 2, ..limits() };
    let rule = sequence(true, 10, vec![on("a"), no(None, "n")]);
    let events: Vec<Ev> = (0..4).map(|n| ev(n, i64::from(n), &[0])).collect();
    let ran = run_with(rule, few, 100, &events);
    assert_eq!(ran.alerts.len(), 4);
    let approximate: Vec<bool> = ran.alerts.iter().map(|alert| alert.approximate).collect();
    assert_eq!(approximate, [true, true, false, false]);
    let told: Vec<Vec<u64>> = ran.told().into_iter().map(|(_, requests)| requests).collect();
    assert_eq!(told, [[0], [1], [2], [3]], "the first is told first");
    assert_eq!(ran.alerts[0].notes, ["too many events: the oldest were left out"]);
    assert_eq!(ran.state.tally().shed.window, 2);
}

#[test]
fn what_had_to_go_is_told_as_approximate() {
    let few = Limits { matches_per_key_max: 1, ..limits() };
    let steps = vec![on("a"), ir::Step { condition: Some(same_as(0)), ..on("b") }];
    let events = [ev(1, 1, &[0]), ev(2, 2, &[0]), ev(3, 3, &[1])];
    assert_eq!(run(sequence(true, 10, steps.clone()), &events).told(), [], "no id is another's");
    let ran = run_with(sequence(true, 10, steps), few, 100, &events);
    assert_eq!(ran.told(), [(3, vec![3])]);
    assert!(ran.alerts[0].approximate);
    assert_eq!((ran.alerts[0].count, &*ran.alerts[0].message), (2, "3 -"));
}

fn forms() -> Vec<ir::Rule> {
    vec![
        sequence(true, 800, vec![on("a"), times(2, "b"), on("c")]),
        sequence(true, 800, vec![on("a"), no(None, "n"), on("b"), no(None, "m")]),
        sequence(
            true,
            800,
            vec![no(Some(400), "n"), on("a"), no(Some(300), "m"), on("b"), no(Some(500), "l")],
        ),
        sequence(false, 800, vec![on("a"), no(Some(200), "n"), times(2, "b")]),
        sequence(false, 800, vec![no(None, "n"), on("a"), on("b"), no(Some(400), "m")]),
        sequence(true, 800, vec![on("a"), no(None, "n")]),
    ]
}

fn log() -> impl Strategy<Value = Vec<Ev>> {
    let ev = (0..30_u32, 0..40_i64, prop::collection::btree_set(0..5_u32, 1..3), 0..2_u8);
    prop::collection::vec(ev, 0..30).prop_map(|all| {
        let mut all: Vec<Ev> = all
            .into_iter()
            .map(|(n, at, steps, key)| {
                let steps: Vec<u32> = steps.into_iter().collect();
                self::ev(n, 100 * at, &steps).key(Value::Number(f64::from(key)))
            })
            .collect();
        all.sort_by_key(|ev| ev.at);
        // Here the number is the place too, and no two events of a log are at one place.
        let mut known = BTreeSet::new();
        all.retain(|ev| known.insert((ev.at, ev.n)));
        all
    })
}

fn drained(state: &mut State, until: Nanos) -> Vec<String> {
    state.finish_at(until);
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    alerts.iter().map(|alert| format!("{alert:?}")).collect()
}

proptest! {
    #[test]
    fn a_save_and_load_at_any_place_does_not_show(form in 0..6_usize, log in log(), cut in any::<prop::sample::Index>()) {
        let rule = forms().remove(form);
        let steps = u32::try_from(rule.steps.len()).unwrap();
        let log: Vec<Ev> = log
            .into_iter()
            .map(|ev| Ev { steps: ev.steps.iter().copied().filter(|step| *step < steps).collect(), ..ev })
            .collect();
        let plan = plan(rule);
        let limits = Limits { lateness: 0, ..limits() };
        // A clock that runs from the start, so that the watermark follows each event.
        let warm: Vec<Ev> = (0..16).map(|n| ev(1000 + n, -100 + i64::from(n), &[])).collect();
        let begin = || {
            let mut state = State::new(plan.clone(), limits);
            let source = state.add_source(SourceInfo::default());
            state.take(source, block(&plan, &warm));
            (state, source)
        };
        let (mut whole, source) = begin();
        // The clock is the 16th highest time: with sixteen of them about an event all before it are decided.
        let ticks = |at: Nanos| -> Vec<Ev> {
            (0..16).map(|n| ev(5000 + u32::try_from(at + n).unwrap(), at - n, &[])).collect()
        };
        let feed = |state: &mut State, source: SourceId, events: &[Ev]| {
            for ev in events {
                let mut events = vec![ev.clone()];
                events.extend(ticks(ev.at));
                state.take(source, block(&plan, &events));
            }
        };
        feed(&mut whole, source, &log);
        let wanted = drained(&mut whole, 6000);

        let at = cut.index(log.len() + 1);
        let (mut first, source) = begin();
        feed(&mut first, source, &log[..at]);
        let mut told = Vec::new();
        let mut alerts = Vec::new();
        first.drain(&mut alerts);
        told.extend(alerts.iter().map(|alert| format!("{alert:?}")));
        let head = first.save_head();
        let shards: Vec<Vec<u8>> = (0..VIRTUAL_SHARDS).map(|shard| first.save(shard)).collect();
        let mut second = State::new(plan.clone(), limits);
        second.load_head(&head).unwrap();
        for (shard, bytes) in shards.iter().enumerate() {
            second.load(shard, bytes).unwrap();
            prop_assert_eq!(&second.save(shard), bytes);
        }
        feed(&mut second, source, &log[at..]);
        told.extend(drained(&mut second, 6000));
        prop_assert_eq!(told, wanted);
    }
}
