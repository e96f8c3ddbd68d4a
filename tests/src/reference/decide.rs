//! From matches to alerts: `docs/semantics.md`, "Time and order", "Deciding", "Alerts".
//!
//! A rule that waits sees its matches sorted; one that does not, as they came.

use std::collections::{BTreeMap, BTreeSet};

use dsl::ir::{
    Aggregate, AggregateKind, Expr, ExprKind, Piece, Rule, RuleSet, Selector, Shape, StagePick, Step,
};

use super::RefAlert;
use super::eval::Scope;
use super::event::{Arrival, Event, Source};
use super::feature::Poison;
use super::fields;
use super::identity;
use super::logic::Truth;
use super::render;
use super::select;
use super::sequence;
use super::value::V;

/// How many distinct times a clock looks back.
const CLOCK_DEPTH: usize = 16;
/// A window under a lower bound keeps at least so many.
const KEPT_MIN: u64 = 1_000;

/// How much evidence is shown at the front and at the back.
const EVIDENCE_EDGE: usize = 10;

/// What a run sets.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Nanoseconds.
    pub lateness: i64,
    /// Nanoseconds.
    pub request_memory: i64,
}

/// What a rule set answers to a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Sorted by time, rule, id.
    pub alerts: Vec<RefAlert>,
    /// By the rule's name, rules that are off left out.
    pub rules: BTreeMap<String, Tally>,
    /// Events that are some.
    pub decoded: u64,
    /// And that are none.
    pub undecodable: u64,
    /// Events that were moved.
    pub late: u64,
}

/// Counts of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events, a step each, whose answer an unknown decided.
    pub unknown_decided: u64,
    /// Matches left out since a part of their key was unknown.
    pub key_unknown: u64,
}

/// An event with its place in time.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) event: &'a Event,
    pub(super) effective: i64,
}

impl Placed<'_> {
    fn moved(&self) -> i64 {
        self.effective.saturating_sub(self.event.stage_timestamp)
    }
}

/// An event that matched a step, as far as the event alone can tell.
#[derive(Clone)]
pub(super) struct Match<'a> {
    pub(super) placed: Placed<'a>,
    pub(super) key: Vec<V>,
    pub(super) group: Group,
    pub(super) dry_run_unknown: bool,
}

/// The cluster and the key as bytes.
pub(super) type Group = (Option<String>, Vec<Vec<u8>>);

impl<'a> Match<'a> {
    pub(super) fn event(&self) -> &'a Event {
        self.placed.event
    }

    pub(super) fn effective(&self) -> i64 {
        self.placed.effective
    }

    /// The order in which matches are decided. What is equal in all this stays in the order of arrival.
    fn order(&self) -> (i64, i64, [u8; 16], dsl::ir::Stage, usize) {
        let event = self.event();
        (self.effective(), event.stage_timestamp, event.request, event.stage, event.source)
    }
}

/// An alert before it is throttled.
pub(super) struct Raised<'a> {
    /// The last is the completing one.
    pub(super) evidence: Vec<Match<'a>>,
    pub(super) count: u64,
    pub(super) aggregates: Vec<V>,
    pub(super) at_least: bool,
    /// One of each step, if it is a sequence.
    pub(super) steps: Vec<&'a Event>,
}

/// What the rules say of events in the order of their arrival.
#[must_use]
pub fn answer(
    rules: &RuleSet,
    sources: &[Source],
    arrivals: &[Arrival],
    settings: Settings,
    poison: &Poison,
) -> Answer {
    let events: Vec<Event> = arrivals.iter().filter_map(|a| Event::new(a, sources)).collect();
    let placed = place(&events, settings, poison);
    let mut answer = Answer {
        decoded: events.len() as u64,
        undecodable: (arrivals.len() - events.len()) as u64,
        late: placed.iter().map(|p| u64::from(p.moved() > 0)).sum(),
        ..Answer::default()
    };
    for rule in rules.rules.iter().filter(|rule| !rule.disabled) {
        let (alerts, tally) = Judge { rule, settings, poison }.judge(&placed);
        answer.alerts.extend(alerts);
        answer.rules.insert(rule.name.clone(), tally);
    }
    answer.alerts.sort_by(|a, b| (a.time, &a.rule, &a.id).cmp(&(b.time, &b.rule, &b.id)));
    answer
}

/// Effective times.
fn place<'a>(events: &'a [Event], settings: Settings, poison: &Poison) -> Vec<Placed<'a>> {
    let mut seen: BTreeMap<usize, BTreeSet<i64>> = BTreeMap::new();
    let mut placed = Vec::new();
    for event in events {
        let times = seen.entry(event.source).or_default();
        let clock = times.iter().rev().nth(CLOCK_DEPTH - 1);
        let edge = clock.map_or(i64::MIN, |clock| clock.saturating_sub(settings.lateness));
        let late = edge > event.stage_timestamp && !poison.hits("late event");
        placed.push(Placed { event, effective: if late { edge } else { event.stage_timestamp } });
        times.insert(event.stage_timestamp);
    }
    placed
}

/// One rule at work.
#[derive(Clone, Copy)]
pub(super) struct Judge<'r> {
    pub(super) rule: &'r Rule,
    settings: Settings,
    pub(super) poison: &'r Poison,
}

impl<'r> Judge<'r> {
    fn judge(self, placed: &[Placed<'_>]) -> (Vec<RefAlert>, Tally) {
        let mut tally = Tally::default();
        let steps: Vec<Vec<Match<'_>>> =
            self.rule.steps.iter().map(|step| self.matches(step, placed, &mut tally)).collect();
        let raised = match &self.rule.shape {
            Shape::Sequence { within, .. } if !self.poison.hits("sequence") => {
                sequence::choose(self, &steps, *within)
            }
            Shape::Sliding { condition, within } if !self.poison.hits("sliding") => {
                self.slide(&steps[0], condition, *within)
            }
            Shape::Each if self.poison.hits("each") => vec![],
            Shape::Tumbling { .. }
            | Shape::Session { .. }
            | Shape::FirstSeen { .. }
            | Shape::Silent { .. } => {
                vec![]
            }
            _ => steps.last().into_iter().flatten().map(single).collect(),
        };
        (self.throttle(raised), tally)
    }

    fn window(self) -> Option<i64> {
        match self.rule.shape {
            Shape::Sliding { within, .. } | Shape::Sequence { within, .. } => Some(within),
            Shape::Each
            | Shape::Tumbling { .. }
            | Shape::Session { .. }
            | Shape::FirstSeen { .. }
            | Shape::Silent { .. } => None,
        }
    }

    /// The matches of a step that take part, in the order in which they are decided, each request once.
    fn matches<'a>(self, step: &Step, placed: &[Placed<'a>], tally: &mut Tally) -> Vec<Match<'a>> {
        let Some(on) = step.on.events() else { return vec![] };
        let matched = placed.iter().filter_map(|p| self.matched(step, on, *p, tally));
        let mut found: Vec<Match<'a>> = matched.collect();
        if let Some(window) = self.window() {
            found.retain(|m| m.placed.moved() <= window);
            let before = found.len();
            found.retain(|m| !m.key.iter().any(V::is_unknown));
            tally.key_unknown += (before - found.len()) as u64;
        }
        if matches!(self.rule.shape, Shape::Sequence { .. }) {
            found.retain(|m| m.key.is_empty() || !m.key.iter().all(V::is_absent));
        }
        if self.window().is_some() || self.rule.throttle > 0 {
            found.sort_by_key(Match::order);
        }
        let memory = self.settings.request_memory.max(self.window().unwrap_or(0));
        let pick = select::pick(on, self.poison);
        let mut taken: BTreeMap<([u8; 16], Option<dsl::ir::Stage>), i64> = BTreeMap::new();
        found.retain(|m| {
            let stage = (pick != StagePick::Outcome).then_some(m.event().stage);
            let who = (m.event().request, stage);
            let again =
                taken.get(&who).is_some_and(|at| m.effective().abs_diff(*at) <= memory.unsigned_abs());
            if again && !self.poison.hits("a request twice") {
                return false;
            }
            taken.insert(who, m.effective());
            true
        });
        found
    }

    /// What the event alone tells of a step.
    fn matched<'a>(
        self,
        step: &Step,
        on: &Selector,
        placed: Placed<'a>,
        tally: &mut Tally,
    ) -> Option<Match<'a>> {
        let event = placed.event;
        if !select::takes(on, event, self.poison) {
            return None;
        }
        let dry_run = Truth::is_true(&fields::derived(event, dsl::ir::Derived::DryRun, self.poison));
        let including = if on.including_dry_run {
            !self.poison.hits("including dry_run")
        } else {
            dry_run != Truth::False && self.poison.hits("dry runs passed over")
        };
        if dry_run == Truth::True && !including {
            return None;
        }
        let scope = Scope::of(event, self.poison);
        let own = parts(step.condition.as_ref()).into_iter().filter(|part| !reads_steps(part));
        let condition = Truth::and(own.map(|part| scope.truth(part)));
        let excepts = step.excepts.iter().filter(|e| !reads_steps(e));
        let mut except = Truth::or(excepts.map(|e| scope.truth(e)));
        if !step.excepts.is_empty() {
            except = self.poison.truth("except", except);
        }
        match (condition, except) {
            (Truth::True, Truth::False) => {}
            (Truth::True | Truth::Unknown, Truth::Unknown) | (Truth::Unknown, Truth::False) => {
                tally.unknown_decided += 1;
            }
            _ => {}
        }
        // An except that is unknown does not let go.
        if condition != Truth::True || except == Truth::True {
            return None;
        }
        let part = |value: V| match value {
            V::List(..) | V::Map(..) | V::Spread(..) => V::Absent,
            scalar => scalar,
        };
        let mut key: Vec<V> = step.key.iter().map(|k| part(scope.value(&k.value))).collect();
        if !key.is_empty() && self.poison.hits("by") {
            key.clear();
        }
        let dry_run_unknown = dry_run == Truth::Unknown && !on.including_dry_run;
        let group = (event.cluster.clone(), key.iter().map(identity::scalar).collect());
        Some(Match { placed, key, group, dry_run_unknown })
    }

    fn slide<'a>(self, matches: &[Match<'a>], condition: &Expr, within: i64) -> Vec<Raised<'a>> {
        let mut windows: BTreeMap<_, Vec<Match<'a>>> = BTreeMap::new();
        let mut raised = Vec::new();
        for newest in matches {
            let window = windows.entry(newest.group.clone()).or_default();
            window.push(newest.clone());
            if !self.poison.hits("within") {
                window.retain(|m| m.effective() >= newest.effective().saturating_sub(within));
            }
            let counted: Vec<(V, bool)> =
                self.rule.aggregates.iter().map(|a| self.aggregate(a, window)).collect();
            let aggregates: Vec<V> = counted.iter().map(|(value, _)| value.clone()).collect();
            let mut scope = Scope::of(newest.event(), self.poison);
            scope.aggregates = &aggregates;
            if scope.truth(condition) == Truth::True {
                raised.push(Raised {
                    evidence: window.clone(),
                    count: window.len() as u64,
                    at_least: counted.iter().any(|(_, cut)| *cut),
                    aggregates,
                    steps: vec![],
                });
            }
        }
        raised
    }

    /// Its value, and whether it would be higher but for the limit.
    fn aggregate(self, aggregate: &Aggregate, window: &[Match<'_>]) -> (V, bool) {
        let counts = |m: &&Match<'_>| {
            let filter = aggregate.filter.as_ref().filter(|_| !self.poison.hits("a filter of an aggregate"));
            filter.is_none_or(|f| Scope::of(m.event(), self.poison).truth(f) == Truth::True)
        };
        let counted: Vec<&Match<'_>> = window.iter().filter(counts).collect();
        let number = match &aggregate.kind {
            AggregateKind::Count if self.poison.hits("count()") => 0,
            AggregateKind::Distinct(_) if self.poison.hits("distinct()") => counted.len(),
            AggregateKind::Count => counted.len(),
            AggregateKind::Distinct(parts) => {
                let tuples = counted.iter().flat_map(|m| self.tuples(parts, m.event()));
                tuples.collect::<BTreeSet<_>>().len()
            }
            AggregateKind::Sum(_)
            | AggregateKind::Avg(_)
            | AggregateKind::Min(_)
            | AggregateKind::Max(_)
            | AggregateKind::Percentile(..) => return (V::Absent, false),
        } as u64;
        let most = aggregate.enough.map_or(u64::MAX, |enough| enough.max(KEPT_MIN));
        (V::Number(number.min(most) as f64), number > most)
    }

    fn tuples(self, parts: &[Expr], event: &Event) -> Vec<Vec<Vec<u8>>> {
        let scope = Scope::of(event, self.poison);
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

    fn throttle(self, raised: Vec<Raised<'_>>) -> Vec<RefAlert> {
        let throttle = if self.poison.hits("throttle") { 0 } else { self.rule.throttle };
        let mut told: BTreeMap<_, (i64, u64)> = BTreeMap::new();
        let mut alerts = Vec::new();
        for raised in raised {
            let Some(completing) = raised.evidence.last() else { continue };
            let group = completing.group.clone();
            let held = match told.get_mut(&group) {
                Some((last, held))
                    if throttle > 0 && completing.effective().saturating_sub(*last) < throttle =>
                {
                    *held += 1;
                    continue;
                }
                Some((_, held)) => *held,
                None => 0,
            };
            told.insert(group, (completing.effective(), 0));
            alerts.push(self.alert(&raised, completing, held));
        }
        alerts
    }

    fn alert(self, raised: &Raised<'_>, completing: &Match<'_>, suppressed: u64) -> RefAlert {
        let (rule, event) = (self.rule, completing.event());
        let mut notes = BTreeSet::new();
        if raised.evidence.iter().any(|m| m.placed.moved() > 0) {
            notes.insert("late event");
        }
        if raised.evidence.iter().any(|m| m.dry_run_unknown) {
            notes.insert("dry run not excluded");
        }
        if raised.at_least {
            notes.insert("at least");
        }
        let step = rule.steps.last();
        let stage = step.filter(|step| step.on.stage() != StagePick::Outcome);
        let stage = stage.map(|_| select::stage_name(event.stage));
        let id = identity::alert(&rule.name, event.cluster.as_deref(), &completing.key, event.request, stage);
        let names = step.iter().flat_map(|step| &step.key).map(|part| part.name.clone());
        RefAlert {
            time: event.stage_timestamp,
            rule: rule.name.clone(),
            id: identity::hex(&id),
            key: names.zip(completing.key.iter().map(|part| format!("{part:?}"))).collect(),
            count: raised.count,
            message: self.message(raised, completing),
            suppressed,
            events: shown(&raised.evidence).map(|m| identity::hex(&m.event().request)).collect(),
            notes: notes.into_iter().map(str::to_owned).collect(),
        }
    }

    fn message(self, raised: &Raised<'_>, completing: &Match<'_>) -> String {
        let mut scope = Scope::of(completing.event(), self.poison);
        scope.steps = &raised.steps;
        scope.aggregates = &raised.aggregates;
        scope.key = &completing.key;
        if let Some(step) = self.rule.steps.last() {
            let lent: Vec<_> = step
                .lent
                .iter()
                .filter_map(|var| Some((*var, scope.lent(step.condition.as_ref()?, *var)?)))
                .collect();
            scope.vars.extend(lent);
        }
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Value(expr) => render::render(&scope.value(expr)),
        };
        self.rule.alert.iter().map(piece).collect()
    }
}

/// Of very much evidence the first and the last.
fn shown<'m, 'a>(evidence: &'m [Match<'a>]) -> impl Iterator<Item = &'m Match<'a>> {
    let cut = if evidence.len() > 2 * EVIDENCE_EDGE { EVIDENCE_EDGE } else { evidence.len() };
    let rest = evidence.len() - cut;
    evidence[..cut].iter().chain(&evidence[rest.max(cut)..])
}

fn single<'a>(only: &Match<'a>) -> Raised<'a> {
    Raised { evidence: vec![only.clone()], count: 1, aggregates: vec![], at_least: false, steps: vec![] }
}

/// The parts of a condition that all must be true.
pub(super) fn parts(condition: Option<&Expr>) -> Vec<&Expr> {
    match condition {
        None => vec![],
        Some(Expr { kind: ExprKind::And(all), .. }) => all.iter().flat_map(|e| parts(Some(e))).collect(),
        Some(one) => vec![one],
    }
}

/// Whether a condition reads the event of another step.
pub(super) fn reads_steps(expr: &Expr) -> bool {
    use dsl::ir::Segment;
    let segments = |all: &[Segment]| {
        all.iter().any(|segment| matches!(segment, Segment::Computed(expr) if reads_steps(expr)))
    };
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => false,
        ExprKind::Read(place) => place.step.is_some() || segments(&place.segments),
        ExprKind::Part(of, all) => reads_steps(of) || segments(all),
        ExprKind::Call(_, all) | ExprKind::And(all) | ExprKind::Or(all) => all.iter().any(reads_steps),
        ExprKind::Arith(_, a, b) | ExprKind::Compare { left: a, right: b, .. } => {
            reads_steps(a) || reads_steps(b)
        }
        ExprKind::Not(of) | ExprKind::IsTrue(of) | ExprKind::Lookup(_, of) => reads_steps(of),
        ExprKind::In { left, set, .. } => {
            reads_steps(left) || matches!(set, dsl::ir::Set::Value(list) if reads_steps(list))
        }
        ExprKind::Quantified { list, body, .. } => reads_steps(list) || reads_steps(body),
    }
}
