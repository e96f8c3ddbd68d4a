//! What a rule costs before it has seen an event: how much one key can make it remember, and what asking it takes.
//!
//! Both are bounds from the rule's text and the limits alone, for whoever must choose between rules. The memory is that of
//! one key at its fullest: a thousand times less is common, more is not possible, however long the texts of events are: of
//! what is shown no more is kept than [`RECORD_BYTES_MAX`] allow for, of a value that is compared no more than
//! [`VALUE_BYTES`] (a hash of a longer one). What a sequence, a session, a tumbling window or a silence reads later of an event
//! is kept whole as long as there is room (by those that keep it of one match alone no more than [`LATER_HELD_BYTES_MAX`]):
//! past [`LATER_BYTES_MAX`] it counts, of each thing that a key may always have one too. The class says what an event that the rule's `on` takes must be asked: its
//! own fields, patterns over texts, or bodies that have to be opened; or that nearly every event has to be remembered.

use dsl::ir::{
    AggregateKind, CompareOp, Derived, Expr, ExprKind, Function, OfRequests, On, Root, Rule, Segment, Set,
    Shape, Step, Targets, Verbs,
};

use crate::limits::{
    EVIDENCE_EDGE, KEPT_KEY_BYTES_MAX, LATER_BYTES_MAX, LATER_HELD_BYTES_MAX, Limits, REQUEST_BYTES,
    REQUEST_HELD_BYTES, WINDOW_KEPT_MIN,
};
use crate::window::slices::SLICES_MAX;

/// What is counted at least for an event that is kept, in bytes: more than those of real logs take.
pub const RECORD_BYTES: u64 = 2048;
/// What one takes at most, in bytes, in a queue that has just doubled: with texts and lists as long as they are kept. The name
/// of its cluster, which is the collector's word, comes on top.
pub const RECORD_BYTES_MAX: u64 = 11 << 10;
/// What is counted for a value that is kept for later, in bytes, at least; and of one that is only compared what it takes.
pub const VALUE_BYTES: u64 = 256;
/// What the newest match of a step may take, in bytes, before it is asked to go as the others are.
pub(crate) const STEP_BYTES_MAX: u64 = RECORD_BYTES_MAX + VALUE_BYTES + LATER_BYTES_MAX as u64;
/// What a window that closes or a silence keeps of its key and, to be read later, of its last match, in bytes.
const OWNER_BYTES_MAX: u64 = 2 * VALUE_BYTES + (KEPT_KEY_BYTES_MAX + LATER_HELD_BYTES_MAX) as u64;
/// What a key costs that has nothing in it, in bytes: its share of tables that have just doubled, and its timers.
const KEY_BYTES: u64 = 1024;
/// A stretch of time of a window, with what went of it for want of room, in bytes: a sum is the most of it.
pub(crate) const SLICE_BYTES: u64 = 512;
/// A time and a number of a window, with their share of its queues, in bytes.
pub(crate) const NUMBER_BYTES: u64 = 48;

/// What asking an event takes, the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Fields of the event, by equality, sets and numbers.
    Fields,
    /// Patterns and parts of texts.
    Texts,
    /// Bodies, which have to be opened.
    Bodies,
    /// Nearly every event matches and is remembered for a while.
    EveryEvent,
}

impl Class {
    /// As listings print it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Fields => "fields",
            Self::Texts => "texts",
            Self::Bodies => "bodies",
            Self::EveryEvent => "every event",
        }
    }
}

/// What a rule costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What asking takes.
    pub class: Class,
    /// What makes it dear, in words; empty if it is of the cheapest class.
    pub dear: Vec<String>,
    /// How many events one key keeps at most.
    pub events_per_key: u64,
    /// How many bytes one key takes at most; 0 if nothing is remembered by key.
    pub bytes_per_key: u64,
    /// Of a rule about requests themselves, whose keys they are.
    pub table: Option<Table>,
}

/// What a rule about requests themselves remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// How many bytes a request takes that has nothing to tell any more.
    pub bytes_per_settled: u64,
    /// How many bytes all of them take at most.
    pub bytes_max: u64,
}

/// What a rule costs under the limits of a run.
#[must_use]
pub fn cost(rule: &Rule, limits: &Limits) -> Cost {
    let (mut class, mut dear) = (Class::Fields, Vec::new());
    let of_requests = rule.of_requests().filter(|_| limits.request_table_bytes_max > 0);
    for step in &rule.steps {
        let mut asked = Asked::default();
        step.condition.iter().chain(&step.excepts).for_each(|expr| asked.expr(expr));
        if matches!(rule.shape, Shape::FirstSeen { .. } | Shape::Sequence { .. })
            || !rule.aggregates.is_empty()
        {
            step.key.iter().for_each(|part| asked.expr(&part.value));
        }
        class = class.max(asked.class);
        dear.append(&mut asked.dear);
        if !matches!(rule.shape, Shape::Each) && takes_nearly_all(step) && of_requests.is_none() {
            class = Class::EveryEvent;
            let step = step.name.as_ref().map_or_else(String::new, |name| format!(" of `{name}`"));
            dear.push(format!("nearly every event matches the `on`{step}, and is remembered"));
        }
    }
    let mut asked = Asked::default();
    for aggregate in &rule.aggregates {
        aggregate.filter.iter().chain(aggregate.kind.values()).for_each(|expr| asked.expr(expr));
    }
    if let Shape::FirstSeen { values, .. } = &rule.shape {
        values.iter().for_each(|expr| asked.expr(expr));
    }
    class = class.max(asked.class);
    dear.append(&mut asked.dear);
    let mut told = std::collections::HashSet::new();
    dear.retain(|reason| told.insert(reason.clone()));
    let Some(of) = of_requests else {
        let (events_per_key, bytes_per_key) = memory(rule, limits);
        return Cost { class, dear, events_per_key, bytes_per_key, table: None };
    };
    dear.push(of_table(of, rule.steps.iter().any(takes_nearly_all)));
    Cost {
        class: class.max(Class::EveryEvent),
        dear,
        events_per_key: 1,
        bytes_per_key: REQUEST_BYTES as u64 + REQUEST_HELD_BYTES as u64 + STEP_BYTES_MAX,
        table: Some(Table {
            bytes_per_settled: REQUEST_BYTES as u64,
            bytes_max: limits.request_table_bytes_max as u64,
        }),
    }
}

fn of_table(of: OfRequests, nearly_all: bool) -> String {
    let all = if nearly_all { "every" } else { "each" };
    match of {
        OfRequests::Unanswered { .. } => {
            format!("{all} request that matches, and its answer, is looked up in a table of requests")
        }
        OfRequests::Repeated { .. } => {
            format!(
                "{all} request that matches is kept in a table until a second one has its key, or its time is over"
            )
        }
    }
}

/// Whether hardly anything keeps an event from matching: all verbs, all targets, and no condition that asks for something.
fn takes_nearly_all(step: &Step) -> bool {
    let On::Events(on) = &step.on else { return false };
    let all = matches!(on.verbs, Verbs::AllBut(_))
        && matches!(on.targets, Targets::AllBut(_) | Targets::ResourcesBut(_));
    let asks = |condition: &Expr| super::conjuncts(condition).iter().any(|part| narrows(part));
    all && !step.condition.as_ref().is_some_and(asks)
}

/// Whether a condition is about something that few events have.
fn narrows(part: &Expr) -> bool {
    match &part.kind {
        ExprKind::Not(_) => false,
        ExprKind::Or(parts) => parts.iter().all(narrows),
        // `responseStatus.code < 300` holds for most.
        ExprKind::Compare { op: CompareOp::Lt | CompareOp::Le | CompareOp::Ge | CompareOp::Gt, .. } => false,
        _ => true,
    }
}

/// Most events and most bytes that a key of the rule keeps: by its own limit, and by what all keys of a shard have room for
/// beside the first thing of each kind.
fn memory(rule: &Rule, limits: &Limits) -> (u64, u64) {
    let (events, bytes) = memory_alone(rule, limits);
    let (ones, record, most) = match &rule.shape {
        Shape::Sequence { .. } => {
            // Of each step the newest, and of an answer that waits what it rests on, and its values once more.
            (3 * rule.steps.len() as u64, RECORD_BYTES + VALUE_BYTES, STEP_BYTES_MAX)
        }
        Shape::Tumbling { .. } | Shape::Session { .. } | Shape::Silent { .. } => {
            (1, RECORD_BYTES, RECORD_BYTES_MAX + OWNER_BYTES_MAX)
        }
        _ => (1, RECORD_BYTES, RECORD_BYTES_MAX),
    };
    let measured = (rule.aggregates.len() as u64 + 1) * (NUMBER_BYTES + VALUE_BYTES + SLICE_BYTES);
    let room = limits.window_bytes_per_shard();
    let first = KEY_BYTES + ones * most + measured;
    let bytes = match &rule.shape {
        // Of each match all that other steps read is kept, as long as it is.
        Shape::Sequence { .. } => u64::MAX,
        _ => bytes,
    };
    (events.min(ones + room / record), bytes.min(first.saturating_add(room)))
}

/// The same with room for one key of the rule alone.
fn memory_alone(rule: &Rule, limits: &Limits) -> (u64, u64) {
    let most = limits.matches_per_key_max as u64;
    let kept = |enough: Option<u64>| enough.map_or(most, |n| n.max(WINDOW_KEPT_MIN));
    let aggregates = || {
        rule.aggregates.iter().map(|aggregate| match &aggregate.kind {
            AggregateKind::Count if aggregate.filter.is_none() => 0,
            AggregateKind::Count => most * NUMBER_BYTES,
            AggregateKind::Distinct(_) => kept(aggregate.enough) * (NUMBER_BYTES + VALUE_BYTES),
            _ => most * NUMBER_BYTES,
        })
    };
    let edges = 2 * EVIDENCE_EDGE as u64;
    match &rule.shape {
        Shape::Each if rule.throttle == 0 => (0, 0),
        Shape::Each => (0, KEY_BYTES),
        Shape::Sliding { .. } => {
            let counts = rule
                .aggregates
                .iter()
                .filter(|of| matches!(of.kind, AggregateKind::Count) && of.filter.is_none());
            let events = counts.map(|of| kept(of.enough)).max().unwrap_or(WINDOW_KEPT_MIN);
            // Where only a lower bound is asked, what goes is not counted any more.
            let gone = rule.aggregates.iter().filter(|of| of.enough.is_none()).count() as u64;
            let gone = gone * SLICES_MAX * SLICE_BYTES;
            (events, KEY_BYTES + events * RECORD_BYTES_MAX + aggregates().sum::<u64>() + gone)
        }
        Shape::Tumbling { .. } | Shape::Session { .. } => {
            // What is only added up keeps no values.
            let kept = rule.aggregates.iter().zip(aggregates());
            let kept = kept.filter(|(of, _)| {
                matches!(of.kind, AggregateKind::Distinct(_) | AggregateKind::Percentile(..))
            });
            (
                edges,
                KEY_BYTES
                    + OWNER_BYTES_MAX
                    + edges * RECORD_BYTES_MAX
                    + kept.map(|(_, bytes)| bytes).sum::<u64>(),
            )
        }
        Shape::FirstSeen { .. } => (0, KEY_BYTES + most * (NUMBER_BYTES + VALUE_BYTES)),
        Shape::Silent { .. } => (1, KEY_BYTES + OWNER_BYTES_MAX + RECORD_BYTES_MAX),
        Shape::Sequence { .. } => {
            let events = most.saturating_mul(rule.steps.len() as u64);
            (events, u64::MAX)
        }
    }
}

/// What conditions ask for.
#[derive(Debug)]
struct Asked {
    class: Class,
    dear: Vec<String>,
}

impl Default for Asked {
    fn default() -> Self {
        Self { class: Class::Fields, dear: Vec::new() }
    }
}

impl Asked {
    fn dear(&mut self, class: Class, why: String) {
        self.class = self.class.max(class);
        self.dear.push(why);
    }

    /// The depth of expressions is bounded by the language.
    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => {}
            ExprKind::Read(place) => {
                self.root(place.root, &place.text);
                self.segments(&place.segments);
            }
            ExprKind::Call(function, args) => {
                if !matches!(function, Function::Present | Function::Len | Function::Keys) {
                    self.class = self.class.max(Class::Texts);
                }
                args.iter().for_each(|arg| self.expr(arg));
            }
            ExprKind::Part(of, segments) => {
                self.expr(of);
                self.segments(segments);
            }
            ExprKind::Lookup(_, of) | ExprKind::Not(of) | ExprKind::IsTrue(of) => self.expr(of),
            ExprKind::Arith(_, left, right) => [left, right].into_iter().for_each(|of| self.expr(of)),
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().for_each(|part| self.expr(part)),
            ExprKind::Compare { op, left, right, .. } => {
                let word = match op {
                    CompareOp::Contains { .. } => Some("contains"),
                    CompareOp::EndsWith { .. } => Some("endswith"),
                    CompareOp::Like { .. } => Some("like"),
                    CompareOp::Matches { .. } => Some("matches"),
                    _ => None,
                };
                if let Some(word) = word {
                    self.dear(Class::Texts, format!("`{word}` looks through texts"));
                }
                [left, right].into_iter().for_each(|of| self.expr(of));
            }
            ExprKind::In { left, set, .. } => {
                self.expr(left);
                if let Set::Value(list) = set {
                    self.expr(list);
                }
            }
            ExprKind::Quantified { list, body, .. } => [list, body].into_iter().for_each(|of| self.expr(of)),
        }
    }

    fn segments(&mut self, segments: &[Segment]) {
        for segment in segments {
            if let Segment::Computed(inner) = segment {
                self.expr(inner);
            }
        }
    }

    fn root(&mut self, root: Root, text: &str) {
        let body = match root {
            Root::RequestObject | Root::ResponseObject(_) => true,
            Root::Derived(derived) => matches!(
                derived,
                Derived::Desired
                    | Derived::PodSpec
                    | Derived::Containers
                    | Derived::CsrCommonName
                    | Derived::CsrOrganizations
            ),
            Root::Event | Root::Alert(_) | Root::Undecodable(_) | Root::Element(_) => false,
        };
        if body {
            self.dear(Class::Bodies, format!("`{text}` opens a body"));
        }
        if matches!(root, Root::Derived(Derived::ExecArgs | Derived::ExecCommand | Derived::ExecContainer)) {
            self.dear(Class::Texts, format!("`{text}` takes a URI apart"));
        }
    }
}

#[cfg(test)]
mod tests;
