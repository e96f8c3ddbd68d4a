//! The search against every choice there is, and what it costs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::limits::SEQUENCE_TRIES_MAX;
use crate::plan::sequence::{Equality, Side, StepShape};
use crate::testing::meta;

mod brute;
mod limits;

/// A match of a test.
#[derive(Clone, Debug)]
pub(super) struct Ev {
    at: Nanos,
    step: usize,
    id: u8,
    stage: u8,
    /// One value, and several.
    values: (Value, Value),
}

/// A condition of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One value equals another.
    Equal,
    /// One of several equals another.
    Among,
    /// One value is known and not another.
    Differs,
    /// Two steps' values together are this one's: indexed by none.
    Sum,
}

/// A condition of a step that reads another (or two).
#[derive(Clone, Debug)]
pub(super) struct Cond {
    owner: usize,
    reads: Vec<usize>,
    kind: Kind,
}

/// A sequence of a test.
#[derive(Clone, Debug)]
pub(super) struct Case {
    ordered: bool,
    within: Nanos,
    shapes: Vec<StepShape>,
    conds: Vec<Cond>,
    /// In the order of deciding.
    events: Vec<Ev>,
}

impl Cond {
    fn holds(&self, captures: &[&[Value]]) -> bool {
        let value = |step: usize, slot: usize| captures[step].get(slot).cloned().unwrap_or(Value::Absent);
        let (own, other) = (value(self.owner, 0), value(self.reads[0], 0));
        match self.kind {
            Kind::Equal => equal(&own, &other),
            Kind::Among => match value(self.owner, 1) {
                Value::Spread { items, .. } => items.iter().any(|item| equal(item, &other)),
                one => equal(&one, &other),
            },
            Kind::Differs => own != Value::Unknown && other != Value::Unknown && !equal(&own, &other),
            Kind::Sum => {
                let number = |value: Value| if let Value::Number(n) = value { n } else { 0.0 };
                let last = value(*self.reads.last().unwrap(), 0);
                number(own) <= number(other) + number(last)
            }
        }
    }
}

/// `==`, as far as the values of these tests go.
fn equal(one: &Value, other: &Value) -> bool {
    *one != Value::Unknown && one == other
}

impl Case {
    pub(super) fn layout(&self, indexed: bool) -> Layout {
        let joins = self.conds.iter().map(|cond| (cond.owner, cond.reads.clone())).collect();
        let side = |step, slot, each, single| Side { step, slot, each, single };
        let equalities = self.conds.iter().filter_map(|cond| {
            let other = side(cond.reads[0], 0, false, true);
            match cond.kind {
                Kind::Equal => Some(Equality(side(cond.owner, 0, true, true), other)),
                Kind::Among => Some(Equality(other, side(cond.owner, 1, true, false))),
                Kind::Differs | Kind::Sum => None,
            }
        });
        let equalities = equalities.filter(|_| indexed).collect();
        Layout::new(self.ordered, self.within, &self.shapes, joins, equalities)
    }

    pub(super) fn waiting(&self, number: usize) -> Arc<Waiting> {
        let ev = &self.events[number];
        let mut meta = meta(u32::try_from(number).unwrap(), ev.at);
        if ev.stage > 0 {
            meta.stage = Some(dsl::ir::Stage::ResponseStarted);
        }
        meta.request.0 = [ev.id; 16];
        let seen = Seen { effective: ev.at, late: false, dry_run_unknown: false, meta: Arc::new(meta) };
        let captures = vec![ev.values.0.clone(), ev.values.1.clone()];
        Arc::new(Waiting { seen, number: number as u64, captures })
    }

    /// What the engine says of each completing match: the matches chosen, when the wait ended, when it was decided.
    pub(super) fn run(&self, indexed: bool) -> (Answers, usize) {
        let layout = self.layout(indexed);
        let mut sequence = Sequence::new(&layout);
        let mut answers = Answers::new();
        let mut waits: Vec<(Nanos, usize, usize)> = Vec::new();
        let mut times: std::collections::BTreeSet<Nanos> = self.events.iter().map(|ev| ev.at).collect();
        let mut tries = 0;
        while let Some(now) = times.pop_first() {
            let of_now = |number: &usize| self.events[*number].at == now;
            let numbers: Vec<usize> = (0..self.events.len()).filter(of_now).collect();
            for number in &numbers {
                let oldest = waits.iter().map(|(_, number, _)| self.events[*number].at).min();
                let keep = Keep { now, oldest, max: usize::MAX };
                assert_eq!(sequence.number(), *number as u64);
                assert_eq!(
                    sequence.enter(&layout, self.events[*number].step, self.waiting(*number), keep),
                    0
                );
            }
            let completing = numbers.into_iter().filter(|n| layout.completes(self.events[*n].step).is_some());
            waits.extend(completing.map(|number| (now, number, 0)));
            let mut later = Vec::new();
            for (until, number, mut spent) in waits {
                if until > now {
                    later.push((until, number, spent));
                    continue;
                }
                let completing = self.waiting(number);
                let asked =
                    Asked { layout: &layout, step: self.events[number].step, completing: &completing, now };
                match look(&sequence, asked, &mut spent, |join, captures| self.conds[join].holds(captures)) {
                    Found::Waits(until) => {
                        assert!(until > now);
                        times.insert(until);
                        later.push((until, number, spent));
                    }
                    Found::None { short, .. } => assert!(!short),
                    Found::Choice { slots, until, approximate } => {
                        assert!(!approximate, "given up: {spent} tries");
                        let slots =
                            slots.iter().map(|w| usize::try_from(w.as_ref().unwrap().number).unwrap());
                        answers.insert(number, (slots.collect(), until, now));
                    }
                }
                tries = tries.max(spent);
            }
            waits = later;
        }
        (answers, tries)
    }
}

/// Per completing match, by its number.
pub(super) type Answers = BTreeMap<usize, (Vec<usize>, Option<Nanos>, Nanos)>;

pub(super) fn number(n: u8) -> Value {
    Value::Number(f64::from(n))
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (0..3_u8).prop_map(number),
        1 => Just(Value::Absent),
        1 => Just(Value::Unknown),
        1 => (0..2_u8).prop_map(|n| Value::List { items: vec![number(n)], open: false }),
    ]
}

fn values() -> impl Strategy<Value = (Value, Value)> {
    let several = prop::collection::vec(value(), 0..3);
    (value(), several).prop_map(|(one, items)| (one, Value::Spread { items, open: false }))
}

fn shape() -> impl Strategy<Value = StepShape> {
    let no = prop_oneof![
        5 => Just(None),
        2 => Just(Some(None)),
        2 => (1..5_i64).prop_map(|within| Some(Some(within))),
    ];
    (prop_oneof![4 => Just(1_u32), 1 => Just(2), 1 => Just(3)], no, any::<bool>()).prop_map(
        |(times, no, outcome)| StepShape { times: if no.is_some() { 1 } else { times }, no, outcome },
    )
}

fn case() -> impl Strategy<Value = Case> {
    (any::<bool>(), 1..10_i64, prop::collection::vec(shape(), 1..6))
        .prop_map(|(ordered, within, mut shapes)| {
            // One to four slots.
            let mut left = 4;
            for shape in &mut shapes {
                shape.times = shape.times.min(left).max(1);
                match shape.no {
                    None if left == 0 => shape.no = Some(None),
                    None => left -= shape.times,
                    Some(_) => {}
                }
            }
            if left == 4 {
                shapes[0].no = None;
            }
            // In front of the first step of an ordered sequence a `no` has a time of its own.
            let leading = shapes.iter_mut().take_while(|s| s.no.is_some());
            leading.filter(|s| ordered && s.no == Some(None)).for_each(|s| s.no = Some(Some(2)));
            (ordered, within, shapes)
        })
        .prop_flat_map(|(ordered, within, shapes)| {
            let steps = shapes.len();
            let positive: Vec<usize> = (0..steps).filter(|n| shapes[*n].no.is_none()).collect();
            let kind = prop_oneof![
                3 => Just(Kind::Equal),
                2 => Just(Kind::Among),
                2 => Just(Kind::Differs),
                1 => Just(Kind::Sum),
            ];
            let reads = prop::collection::vec(prop::sample::select(positive), 1..3);
            let cond = (0..steps, reads, kind).prop_map(|(owner, reads, kind)| {
                let reads = if kind == Kind::Sum { reads } else { vec![reads[0]] };
                Cond { owner, reads, kind }
            });
            let conds = prop_oneof![
                1 => Just(Vec::new()),
                3 => prop::collection::vec(cond, 0..4),
            ];
            // A condition that reads its own step alone is none.
            let conds = conds.prop_map(|mut conds: Vec<Cond>| {
                conds.retain(|cond| !cond.reads.contains(&cond.owner));
                conds
            });
            let ev = (0..9_i64, 0..steps, 0..9_u8, 0..2_u8, values())
                .prop_map(|(at, step, id, stage, values)| Ev { at, step, id, stage, values });
            let events = prop::collection::vec(ev, 0..13);
            (conds, events).prop_map(move |(conds, mut events)| {
                events.sort_by_key(|ev| ev.at);
                Case { ordered, within, shapes: shapes.clone(), conds, events }
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(3000)))]
    #[test]
    fn a_search_finds_what_trying_all_choices_finds(case in case()) {
        let wanted = brute::answers(&case);
        prop_assert_eq!(&case.run(false).0, &wanted, "by scanning");
        prop_assert_eq!(&case.run(true).0, &wanted, "by what is equal");
    }
}
