mod bounded;
mod carry;
mod large;
mod requests;
mod windows;

use std::sync::Arc;

use dsl::ir::{RuleSet, Shape, Stage, StagePick};
use proptest::prelude::*;

use super::*;
use crate::matches::{Counted, EventMeta, Match, Value};
use crate::testing::{at_least, meta, rule, same_namespace_as, step};

/// Numbers of the rules of [`plan`].
const EACH: u32 = 0;
const THROTTLED: u32 = 1;
const SLIDING: u32 = 2;
const SEQUENCE: u32 = 3;
const JOINED: u32 = 4;
const STAGES: u32 = 5;

fn plan() -> Arc<Plan> {
    let one = |stage, keys| vec![step(None, stage, keys)];
    let steps = |names: &[&str], keys| {
        names.iter().map(|n| step(Some(n), StagePick::Outcome, keys)).collect::<Vec<_>>()
    };
    let mut joined = steps(&["a", "b", "c"], 0);
    joined[2].condition = Some(same_namespace_as(0));
    let rules = vec![
        rule("each", Shape::Each, 0, one(StagePick::Outcome, 0)),
        rule("throttled", Shape::Each, 10, one(StagePick::Outcome, 1)),
        rule("sliding", at_least(2.0, 10), 10, one(StagePick::Outcome, 1)),
        rule("sequence", Shape::Sequence { ordered: true, within: 10 }, 0, steps(&["a", "b"], 1)),
        rule("joined", Shape::Sequence { ordered: true, within: 20 }, 5, joined),
        rule("stages", Shape::Each, 0, one(StagePick::Any, 0)),
    ];
    Arc::new(Plan::new(&RuleSet { rules, ..RuleSet::default() }, Limits::default()))
}

fn limits(lateness: Nanos) -> Limits {
    Limits { lateness, request_memory: 100, ..Limits::default() }
}

/// One event and the rules' steps that it matches.
#[derive(Clone, Debug)]
struct Ev {
    meta: EventMeta,
    key: Value,
    namespace: u8,
    hits: Vec<(u32, u32)>,
}

impl Ev {
    fn new(n: u32, at: Nanos, hits: &[(u32, u32)]) -> Self {
        Self { meta: meta(n, at), key: Value::Text("k".into()), namespace: 0, hits: hits.to_vec() }
    }

    fn key(mut self, key: Value) -> Self {
        self.key = key;
        self
    }
}

fn block(plan: &Plan, source: SourceId, events: &[Ev]) -> Matches {
    let mut matches = Matches::default();
    for (event, ev) in (0..).zip(events) {
        matches.times.push(ev.meta.stage_timestamp);
        let meta = Arc::new(EventMeta { source, ..ev.meta.clone() });
        for (rule, number) in &ev.hits {
            let this = &plan.rules[*rule as usize];
            let step = &this.steps[*number as usize];
            let namespace = Value::Text(format!("ns{}", ev.namespace).into());
            matches.found.push(Match {
                rule: *rule,
                step: *number,
                event,
                meta: meta.clone(),
                key: vec![ev.key.clone(); step.key_names.len()],
                captures: vec![namespace; step.captured],
                counted: this.aggregates.iter().map(|_| Counted::One).collect(),
                dry_run_unknown: false,
            });
        }
    }
    matches
}

fn run(limits: Limits, events: &[Ev]) -> Vec<Alert> {
    let mut state = State::new(plan(), limits);
    let source = state.add_source(SourceInfo::default());
    let plan = state.plan.clone();
    state.take(source, block(&plan, source, events));
    finished(state)
}

fn finished(mut state: State) -> Vec<Alert> {
    state.finish();
    let mut alerts = Vec::new();
    state.drain(&mut alerts);
    crate::alert::sort(&mut alerts);
    alerts
}

fn times(alerts: &[Alert]) -> Vec<Nanos> {
    alerts.iter().map(|alert| alert.time).collect()
}

#[test]
fn a_request_is_told_once_until_it_is_forgotten() {
    let at = |t| Ev::new(1, t, &[(EACH, 0)]);
    let alerts = run(limits(1000), &[at(0), at(100), at(101), at(102)]);
    assert_eq!(times(&alerts), [0, 101]);
    assert_eq!(alerts[0].id, alerts[1].id);
}

#[test]
fn a_stage_is_a_match_of_its_own_under_at_any() {
    let mut second = Ev::new(1, 1, &[(EACH, 0), (STAGES, 0)]);
    second.meta.stage = Some(Stage::ResponseStarted);
    let alerts = run(limits(1000), &[Ev::new(1, 0, &[(EACH, 0), (STAGES, 0)]), second.clone(), second]);
    let told: Vec<_> = alerts.iter().map(|alert| (&*alert.rule.name, alert.time)).collect();
    assert_eq!(told, [("each", 0), ("stages", 0), ("stages", 1)]);
    assert_ne!(alerts[1].id, alerts[2].id);
}

#[test]
fn a_throttle_is_over_exactly_its_length_after_the_last_alert_told() {
    let at = |n, t| Ev::new(n, t, &[(THROTTLED, 0)]);
    let alerts =
        run(limits(1000), &[at(1, 0), at(2, 9), at(3, 10), at(4, 19), at(5, 19), at(6, 20), at(7, 500)]);
    assert_eq!(times(&alerts), [0, 10, 20, 500]);
    let suppressed: Vec<_> = alerts.iter().map(|alert| alert.suppressed).collect();
    assert_eq!(suppressed, [0, 1, 2, 0]);
}

#[test]
fn what_was_held_back_is_told_however_late() {
    let mut events = vec![Ev::new(1, 0, &[(THROTTLED, 0)]), Ev::new(2, 1, &[(THROTTLED, 0)])];
    events.extend((0..100).map(|n| Ev::new(100 + n, 1000 + i64::from(n), &[])));
    events.push(Ev::new(3, 5000, &[(THROTTLED, 0)]));
    assert_eq!(run(limits(1), &events)[1].suppressed, 1);
}

#[test]
fn windows_have_both_ends_and_their_own_cluster_and_key() {
    let at = |n, t| Ev::new(n, t, &[(SLIDING, 0)]);
    assert_eq!(times(&run(limits(1000), &[at(1, 0), at(2, 10)])), [10]);
    assert_eq!(times(&run(limits(1000), &[at(1, 0), at(2, 11)])), [] as [Nanos; 0]);
    assert_eq!(run(limits(1000), &[at(1, 0), at(1, 5)]).len(), 0, "one request is one");
    let other = at(2, 5).key(Value::Text("other".into()));
    assert_eq!(run(limits(1000), &[at(1, 0), other]).len(), 0);
    let mut far = at(2, 5);
    far.meta.cluster = Some("far".into());
    assert_eq!(run(limits(1000), &[at(1, 0), far]).len(), 0);
    let alerts = run(limits(1000), &[at(1, 0), at(2, 10)]);
    assert_eq!((alerts[0].count, alerts[0].window), (2, Some((0, 10))));
    let absent = |n, t| at(n, t).key(Value::Absent);
    assert_eq!(run(limits(1000), &[absent(1, 0), absent(2, 5)]).len(), 1, "who has no name is still someone");
    let unknown = |n, t| at(n, t).key(Value::Unknown);
    assert_eq!(run(limits(1000), &[unknown(1, 0), unknown(2, 5)]).len(), 0);
}

#[test]
fn sequences_share_times_in_either_order_and_take_the_latest() {
    let at = |n, t, step| Ev::new(n, t, &[(SEQUENCE, step)]);
    // Both orders of identity: one of the two has the steps against the order.
    assert_eq!(run(limits(1000), &[at(1, 5, 0), at(2, 5, 1)]).len(), 1);
    assert_eq!(run(limits(1000), &[at(2, 5, 0), at(1, 5, 1)]).len(), 1);
    assert_eq!(run(limits(1000), &[at(1, 5, 0), at(1, 6, 1)]).len(), 0, "one request is one step");
    assert_eq!(run(limits(1000), &[at(1, 6, 0), at(2, 5, 1)]).len(), 0);
    assert_eq!(run(limits(1000), &[at(1, 0, 0), at(2, 10, 1)]).len(), 1);
    assert_eq!(run(limits(1000), &[at(1, 0, 0), at(2, 11, 1)]).len(), 0);
    let alerts = run(limits(1000), &[at(1, 0, 0), at(3, 4, 0), at(2, 10, 1), at(4, 10, 1)]);
    assert_eq!(alerts.len(), 2);
    assert_eq!((alerts[0].window, alerts[0].count), (Some((4, 10)), 2));
    assert_eq!(alerts[0].events[0].step.as_deref(), Some("a"));
    let absent = [at(1, 0, 0).key(Value::Absent), at(2, 1, 1).key(Value::Absent)];
    assert_eq!(run(limits(1000), &absent).len(), 0, "nothing does not join with nothing");
}

#[test]
fn joins_are_asked_of_the_steps_they_read() {
    let at = |n, t, step, namespace| Ev { namespace, ..Ev::new(n, t, &[(JOINED, step)]) };
    let events = [at(1, 0, 0, 7), at(2, 1, 0, 8), at(3, 2, 1, 9), at(4, 3, 2, 7), at(5, 9, 2, 6)];
    let alerts = run(limits(1000), &events);
    assert_eq!(times(&alerts), [3]);
    let chosen: Vec<_> = alerts[0].events.iter().map(|event| event.meta.offset).collect();
    assert_eq!(chosen, [1, 3, 4]);
}

#[test]
fn late_events_are_dated_up_noted_and_kept_out_of_smaller_windows() {
    let mut events: Vec<Ev> = (0..=116).map(|t| Ev::new(1000 + u32::try_from(t).unwrap(), t, &[])).collect();
    // Lateness 5, clock 101: the edge is 96.
    events.push(Ev::new(1, 90, &[(SLIDING, 0), (EACH, 0)]));
    events.push(Ev::new(2, 97, &[(SLIDING, 0)]));
    events.push(Ev::new(3, 85, &[(SLIDING, 0)]));
    let alerts = run(limits(5), &events);
    let told: Vec<_> = alerts.iter().map(|a| (&*a.rule.name, a.time, a.count, &*a.notes)).collect();
    assert_eq!(told, [("each", 90, 1, &["late event"][..]), ("sliding", 97, 2, &["late event"])]);
    assert_eq!(alerts[1].window, Some((96, 97)));
}

#[test]
fn memory_is_flat_as_time_moves() {
    let mut state = State::new(plan(), limits(5));
    let source = state.add_source(SourceInfo::default());
    let plan = state.plan.clone();
    let mut most = (0, 0);
    for n in 0..3000_u32 {
        let key = Value::Text(format!("k{n}").into());
        let ev = Ev::new(n, i64::from(n), &[(EACH, 0), (SLIDING, 0), (SEQUENCE, 0), (THROTTLED, 0)]).key(key);
        state.take(source, block(&plan, source, &[ev]));
        let now = state.remembered();
        most = (most.0.max(now.0), most.1.max(now.1));
    }
    assert!(most.0 < 4 * 130 && most.1 < 3 * 40, "{most:?}");
    assert!(state.waiting() < 100);
}

#[test]
fn too_many_keys_share_windows_and_never_miss() {
    let mut limits = limits(1_000_000);
    limits.keys_per_rule_max = 0; // one a shard
    let key = |n: u32| Value::Text(format!("k{n}").into());
    let events: Vec<Ev> = (0..2000).map(|n| Ev::new(n, 0, &[(SLIDING, 0)]).key(key(n % 1000))).collect();
    let exact = run(self::limits(1_000_000), &events);
    let shared = run(limits, &events);
    assert_eq!(exact.len(), 1000);
    assert!(exact.iter().all(|alert| !alert.approximate));
    let (own, joined): (Vec<_>, Vec<_>) = shared.iter().partition(|alert| !alert.approximate);
    // What many share is told once, not once a shard.
    assert_eq!((own.len(), joined.len()), (VIRTUAL_SHARDS, 1));
}

#[test]
fn requests_are_forgotten_oldest_first_and_told_again_rather_than_never() {
    let mut limits = limits(1_000_000);
    limits.requests_told_max = VIRTUAL_SHARDS;
    let mut events: Vec<Ev> = (0..1000).map(|n| Ev::new(n, i64::from(n) / 100, &[(EACH, 0)])).collect();
    events.push(Ev::new(0, 10, &[(EACH, 0)]));
    let alerts = run(limits, &events);
    assert_eq!(alerts.len(), 1001);
}

#[test]
fn where_time_stands_still_what_waits_is_bounded() {
    let mut limits = limits(5);
    limits.waiting_matches_max = 10;
    let mut state = State::new(plan(), limits);
    let source = state.add_source(SourceInfo::default());
    let plan = state.plan.clone();
    for n in 0..100 {
        state.take(source, block(&plan, source, &[Ev::new(n, 0, &[(THROTTLED, 0)])]));
        assert!(state.waiting() <= 10);
    }
    assert_eq!(state.tally().shed.hurried, 99);
    assert_eq!(state.tally().late, 89, "all that came once time was moved on");
    // Eleven wait, then each that comes is dated a nanosecond behind those decided before: 89 are.
    assert_eq!(state.tally().shed.overtaken, 89);
    let alerts = finished(state);
    // All within one throttle, and what came too late.
    let [told, late] = alerts.as_slice() else { panic!("{alerts:#?}") };
    assert_eq!(told.notes, ["too many events wait: decided before all of its time had come"]);
    assert!(told.approximate && late.approximate);
    assert_eq!(late.count, 89);
    assert!(late.message.starts_with("89 matches came too late: "), "{}", late.message);
}

#[test]
fn a_watch_sees_what_became_of_an_event() {
    let mut state = State::new(plan(), limits(1000));
    let source = state.add_source(SourceInfo::default());
    let plan = state.plan.clone();
    let watches: Vec<WatchId> = (1..=4).map(|n| state.watch(SLIDING, &format!("id-{n}"))).collect();
    let sequence = state.watch(SEQUENCE, "id-2");
    let mut events: Vec<Ev> = (1..=3).map(|n| Ev::new(n, i64::from(n), &[(SLIDING, 0)])).collect();
    events[0].hits.push((SEQUENCE, 0));
    events[1].hits.push((SEQUENCE, 1));
    events.push(Ev::new(4, 4, &[(SLIDING, 0)]).key(Value::Unknown));
    events.push(Ev::new(1, 5, &[(SLIDING, 0)]));
    state.take(source, block(&plan, source, &events));
    assert!(state.seen(watches[0]).is_empty(), "it still waits");
    state.finish();
    let outcome = |n: usize| state.seen(watches[n]).iter().map(|w| w.outcome.clone()).collect::<Vec<_>>();
    assert_eq!(outcome(0), [Outcome::NotTrue, Outcome::Duplicate]);
    assert!(matches!(outcome(1)[..], [Outcome::Fired(_)]));
    assert_eq!(outcome(2), [Outcome::Throttled { since: 2 }]);
    assert_eq!(outcome(3), [Outcome::KeyUnknown]);
    let window = state.seen(watches[2])[0].window.as_ref().unwrap();
    assert_eq!((window.count, window.events.len()), (3, 3));
    assert_eq!(window.aggregates[0].1, Value::Number(3.0));
    let seen = &state.seen(sequence)[0];
    assert_eq!(seen.waiting, [1, 0]);
    assert_eq!(seen.choice.as_ref().unwrap()[0].as_ref().unwrap().meta.offset, 1);
}

fn any_event() -> impl Strategy<Value = (Ev, Nanos)> {
    let hits = prop_oneof![
        Just((THROTTLED, 0)),
        Just((SLIDING, 0)),
        (0..2_u32).prop_map(|step| (SEQUENCE, step)),
        (0..3_u32).prop_map(|step| (JOINED, step)),
    ];
    let key = prop_oneof![
        8 => (0..2_u8).prop_map(|k| Value::Text(format!("k{k}").into())),
        1 => Just(Value::Absent),
        1 => Just(Value::Unknown),
    ];
    let hits = prop::collection::btree_set(hits, 0..4);
    (0..200_i64, 0..40_u32, hits, key, 0..2_u8, any::<bool>(), 0..LATENESS).prop_map(
        |(at, request, hits, key, namespace, started, jitter)| {
            let mut meta = meta(request, at);
            meta.stage = Some(if started { Stage::ResponseStarted } else { Stage::ResponseComplete });
            (Ev { meta, key, namespace, hits: hits.into_iter().collect() }, jitter)
        },
    )
}

const LATENESS: Nanos = 8;

/// Events of which no two stand at the same place of the one order, each with its place in the file, and how far each is
/// out of order.
fn any_log() -> impl Strategy<Value = Vec<(Ev, Nanos)>> {
    prop::collection::vec(any_event(), 0..120).prop_map(|mut log| {
        log.sort_by_key(|(ev, _)| Order {
            source: 0,
            offset: 0,
            ..Order::of(&ev.meta, ev.meta.stage_timestamp)
        });
        log.dedup_by_key(|(ev, _)| (ev.meta.stage_timestamp, ev.meta.request, ev.meta.stage));
        for (offset, (ev, _)) in (0..).zip(&mut log) {
            ev.meta.offset = offset;
        }
        log
    })
}

fn shuffled(log: &[(Ev, Nanos)]) -> Vec<Ev> {
    let mut log: Vec<_> = log.iter().map(|(ev, jitter)| (ev.meta.stage_timestamp + jitter, ev)).collect();
    log.sort_by_key(|(at, _)| *at);
    log.into_iter().map(|(_, ev)| ev.clone()).collect()
}

fn json(alerts: &[Alert]) -> String {
    let mut out = Vec::new();
    for alert in alerts {
        alert.to_json(&mut out);
        out.push(b'\n');
    }
    String::from_utf8(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(400)))]

    #[test]
    fn order_within_the_lateness_blocks_and_sources_do_not_show(
        log in any_log(),
        size in 1..20_usize,
        source_of in prop::collection::vec(0..3_usize, 120),
        turns in prop::collection::vec(0..3_usize, 0..200),
    ) {
        let sorted: Vec<Ev> = log.iter().map(|(ev, _)| ev.clone()).collect();
        let want = json(&run(limits(LATENESS), &sorted));
        prop_assert_eq!(&json(&run(limits(LATENESS), &shuffled(&log))), &want);

        let mut state = State::new(plan(), limits(LATENESS));
        let plan = state.plan.clone();
        let sources: Vec<SourceId> = (0..3).map(|_| state.add_source(SourceInfo::default())).collect();
        let mut parts: Vec<std::vec::IntoIter<Ev>> = (0..3)
            .map(|n| shuffled(&log.iter().zip(&source_of).filter(|(_, s)| **s == n).map(|(ev, _)| ev.clone()).collect::<Vec<_>>()).into_iter())
            .collect();
        for turn in turns.into_iter().chain([0; 120]).chain([1; 120]).chain([2; 120]) {
            let block: Vec<Ev> = parts[turn].by_ref().take(size).collect();
            if block.is_empty() {
                state.end(sources[turn]);
            } else {
                state.take(sources[turn], self::block(&plan, sources[turn], &block));
            }
        }
        prop_assert_eq!(&json(&finished(state)), &want);
    }

    #[test]
    fn a_state_goes_on_where_it_was_cut(log in any_log(), late in 0..10_i64, cuts in prop::collection::vec(0..120_usize, 0..4)) {
        // Some of it late, so that clocks count.
        let events = shuffled(&log);
        let lateness = limits(late.min(LATENESS));
        let mut whole = State::new(plan(), lateness);
        let mut state = State::new(plan(), lateness);
        let plan = whole.plan.clone();
        let source = whole.add_source(SourceInfo { name: "log".into(), cluster: None });
        state.add_source(SourceInfo { name: "log".into(), cluster: None });
        let (mut want, mut got) = (Vec::new(), Vec::new());
        for (n, ev) in events.iter().enumerate() {
            if cuts.contains(&n) {
                state.drain(&mut got);
                let head = state.save_head();
                let shards: Vec<_> = (0..VIRTUAL_SHARDS).map(|shard| state.save(shard)).collect();
                state = State::with_key(plan.clone(), lateness, [n as u8; 32]);
                state.load_head(&head).unwrap();
                for (shard, bytes) in shards.iter().enumerate() {
                    state.load(shard, bytes).unwrap();
                }
                prop_assert_eq!(state.save_head(), head);
                for (shard, bytes) in shards.iter().enumerate() {
                    prop_assert_eq!(&state.save(shard), bytes);
                }
            }
            for state in [&mut whole, &mut state] {
                state.take(source, block(&plan, source, std::slice::from_ref(ev)));
            }
        }
        whole.finish();
        state.finish();
        whole.drain(&mut want);
        state.drain(&mut got);
        prop_assert_eq!(json(&got), json(&want));
        prop_assert_eq!(state.tally(), whole.tally());
    }

    #[test]
    fn loading_never_panics(log in any_log(), at in any::<prop::sample::Index>(), bit in 0..8_u32, mend in any::<bool>()) {
        let mut state = State::new(plan(), limits(LATENESS));
        let source = state.add_source(SourceInfo::default());
        let plan = state.plan.clone();
        state.take(source, block(&plan, source, &shuffled(&log)));
        let shard = at.index(VIRTUAL_SHARDS);
        for head in [true, false] {
            let mut bytes = if head { state.save_head() } else { state.save(shard) };
            let place = at.index(bytes.len());
            bytes[place] ^= 1 << bit;
            if mend && place < bytes.len() - 16 {
                // With a checksum that holds the contents themselves are put to the test.
                let until = bytes.len() - 16;
                let sum = blake3::hash(&bytes[..until]);
                bytes[until..].copy_from_slice(&sum.as_bytes()[..16]);
            }
            let mut fresh = State::new(plan.clone(), limits(LATENESS));
            fresh.add_source(SourceInfo::default());
            let loaded = if head {
                fresh.load_head(&bytes).map(|_| ())
            } else {
                fresh.load_head(&state.save_head()).unwrap();
                fresh.load(shard, &bytes)
            };
            if !mend {
                prop_assert!(loaded.is_err());
            }
            fresh.take(source, block(&plan, source, &shuffled(&log)));
            fresh.finish();
        }
    }

    #[test]
    fn loading_arbitrary_bytes_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut state = State::new(plan(), Limits::default());
        prop_assert!(state.load_head(&bytes).is_err());
        prop_assert!(state.load(0, &bytes).is_err());
    }
}

/// Errors planted in clocks, order, keys and told alerts show in one of these, which is what makes them worth planting.
#[cfg(feature = "planted-errors")]
mod planted {
    use super::*;
    use crate::planted::{LIST, plant};

    fn scenarios() -> Vec<Vec<Ev>> {
        let ev = |n, t, hits: &[(u32, u32)]| Ev::new(n, t, hits);
        let unknown = |n, t| ev(n, t, &[(SLIDING, 0)]).key(Value::Unknown);
        let mut far = ev(2, 5, &[(SLIDING, 0)]);
        far.meta.cluster = Some("far".into());
        let throttled = |n, t| ev(n, t, &[(THROTTLED, 0)]);
        let mut late: Vec<Ev> = (0..=116).map(|t| ev(1000 + u32::try_from(t).unwrap(), t, &[])).collect();
        late.extend([ev(1, 94, &[(SLIDING, 0)]), ev(2, 97, &[(SLIDING, 0)])]);
        vec![
            vec![ev(1, 0, &[(SLIDING, 0)]), ev(2, 10, &[(SLIDING, 0)])],
            vec![throttled(1, 0), throttled(2, 5), throttled(3, 10), throttled(4, 30)],
            late,
            vec![ev(1, 0, &[(EACH, 0), (STAGES, 0)]), ev(1, 1, &[(EACH, 0)])],
            // Of one time, against the order of their identities: the first one is told.
            (0..8_u32)
                .map(|n| {
                    let mut ev = throttled(7 - n, 0);
                    ev.meta.offset = n.into();
                    ev
                })
                .collect(),
            vec![ev(1, 0, &[(SEQUENCE, 0)]), ev(2, 1, &[(SEQUENCE, 0)]), ev(3, 2, &[(SEQUENCE, 1)])],
            vec![ev(1, 0, &[(SEQUENCE, 0), (SEQUENCE, 1)])],
            vec![ev(1, 0, &[(SLIDING, 0)]), far],
            vec![unknown(1, 0), unknown(2, 5)],
        ]
    }

    fn told() -> String {
        scenarios().iter().map(|events| json(&run(limits(5), events)) + "--\n").collect()
    }

    #[test]
    fn each_shows() {
        let right = told();
        for (number, what) in LIST.iter().filter(|(number, _)| (14..=25).contains(number)) {
            plant(*number);
            let wrong = told();
            plant(0);
            assert!(wrong != right, "{number}: {what}");
        }
        assert!(told() == right);
    }
}
