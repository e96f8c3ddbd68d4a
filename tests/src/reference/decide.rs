//! From what came to alerts: `docs/semantics.md`, "Time and order", "Deciding".
//!
//! Rules are judged one after the other, those that listen to alerts after those that they listen to: what is decided up to a time
//! stratum by stratum is so decided rule by rule, for no rule hears of what is decided later.

use std::collections::BTreeMap;

use dsl::ir::{AggregateKind, On, Rule, RuleSet, Shape};

use super::RefAlert;
use super::alerts::{self, Raised};
use super::event::{Arrival, Source};
use super::feature::Poison;
use super::matching::Match;
use super::place::{Log, Placed};
use super::sequence;
use super::silence;
use super::window;

/// What a run sets.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Nanoseconds.
    pub lateness: i64,
    /// Nanoseconds.
    pub request_memory: i64,
    /// Time goes on to there, if that is later than all events; nanoseconds since the Unix epoch.
    pub until: Option<i64>,
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
    /// What waits for a time beyond the input's end.
    pub pending: u64,
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
    answer_placed(rules, sources, arrivals, &[], settings, poison)
}

/// The same, where it is known at which offset of its source each arrival begins.
#[must_use]
pub fn answer_placed(
    rules: &RuleSet,
    sources: &[Source],
    arrivals: &[Arrival],
    offsets: &[u64],
    settings: Settings,
    poison: &Poison,
) -> Answer {
    let log = Log::new(sources, arrivals, offsets, settings, poison);
    let mut answer = Answer {
        decoded: log.events.len() as u64,
        undecodable: log.undecodable.len() as u64,
        late: log.events.iter().map(|p| u64::from(p.moved > 0)).sum(),
        ..Answer::default()
    };
    let on = |n: &usize| !rules.rules[*n].disabled;
    let mut order: Vec<usize> = (0..rules.rules.len()).filter(on).collect();
    order.sort_by_key(|n| stratum(rules, *n));
    let mut told = vec![vec![]; rules.rules.len()];
    for n in order {
        let rule = &rules.rules[n];
        let judge = Judge { rule, waits: waits(rules, n), settings, poison, log: &log, told: &told };
        let (alerts, tally) = judge.judge();
        let (alerts, heard): (Vec<RefAlert>, Vec<Placed>) = alerts.into_iter().unzip();
        answer.alerts.extend(alerts);
        answer.rules.insert(rule.name.clone(), tally);
        told[n] = heard;
    }
    answer.alerts.sort_by(|a, b| (a.time, &a.rule, &a.id).cmp(&(b.time, &b.rule, &b.id)));
    answer
}

/// The rules, but those that are off, to whose alerts a rule listens.
fn heard(rules: &RuleSet, rule: usize) -> Vec<usize> {
    let steps = rules.rules[rule].steps.iter();
    let lists = steps.filter_map(|step| if let On::Alerts(of) = &step.on { Some(of) } else { None });
    lists.flatten().copied().filter(|of| !rules.rules[*of].disabled).collect()
}

fn stratum(rules: &RuleSet, rule: usize) -> usize {
    heard(rules, rule).iter().map(|of| stratum(rules, *of) + 1).max().unwrap_or(0)
}

/// Whether a rule waits for the watermark, and so sees what comes in its order.
#[must_use]
pub fn waits(rules: &RuleSet, rule: usize) -> bool {
    let own = &rules.rules[rule];
    !matches!(own.shape, Shape::Each)
        || own.throttle > 0
        || heard(rules, rule).iter().any(|of| waits(rules, *of))
}

/// One rule at work.
#[derive(Clone, Copy)]
pub(super) struct Judge<'r> {
    pub(super) rule: &'r Rule,
    pub(super) waits: bool,
    pub(super) settings: Settings,
    pub(super) poison: &'r Poison,
    pub(super) log: &'r Log,
    /// The alerts of each rule that was judged, as others hear them.
    pub(super) told: &'r [Vec<Placed>],
}

impl Judge<'_> {
    fn judge(self) -> (Vec<(RefAlert, Placed)>, Tally) {
        let mut tally = Tally::default();
        let steps: Vec<Vec<Match>> =
            self.rule.steps.iter().map(|step| self.matches(step, &mut tally)).collect();
        let raised = self.raised(&steps, &mut tally);
        (alerts::tell(self, raised), tally)
    }

    /// In the order in which they are decided, those of a group.
    fn raised(self, steps: &[Vec<Match>], tally: &mut Tally) -> Vec<Raised> {
        let hits = |part| self.poison.hits(part);
        let every = || steps.last().into_iter().flatten().map(Raised::on).collect();
        match &self.rule.shape {
            Shape::Each if hits("each") => vec![],
            Shape::Each => every(),
            Shape::Sliding { condition, within } if !hits("sliding") => {
                window::slide(self, &steps[0], condition, *within)
            }
            Shape::Tumbling { condition, length } if !hits("tumbling") => {
                window::tumble(self, &steps[0], condition, *length)
            }
            Shape::Session { condition, gap, within } if !hits("session") => {
                window::sessions(self, &steps[0], condition, (*gap, *within))
            }
            Shape::FirstSeen { values, within, learning } if !hits("first_seen") => {
                window::first_seen(self, &steps[0], values, (*within, *learning))
            }
            Shape::Silent { after, among } if !hits("silent") => {
                silence::silences(self, &steps[0], *after, among.as_deref(), tally)
            }
            Shape::Sequence { ordered: false, .. } if hits("unordered") => every(),
            Shape::Sequence { ordered: true, .. } if hits("sequence") => every(),
            Shape::Sequence { ordered, within } => sequence::choose(self, steps, (*ordered, *within), tally),
            _ => every(),
        }
    }

    /// How much an event may be dated up and still take part.
    pub(super) fn window(self) -> Option<i64> {
        match self.rule.shape {
            Shape::Each => None,
            Shape::Tumbling { length, .. } => Some(length),
            Shape::Silent { after, .. } => Some(after),
            Shape::Sliding { within, .. }
            | Shape::Session { within, .. }
            | Shape::FirstSeen { within, .. }
            | Shape::Sequence { within, .. } => Some(within),
        }
    }

    /// How long a request is remembered.
    pub(super) fn memory(self) -> i64 {
        let no = self.rule.steps.iter().filter_map(|step| step.no?.within).max().unwrap_or(0);
        self.settings.request_memory.max(self.window().unwrap_or(0).saturating_add(no))
    }

    /// The aggregates that an alert shows: all but a plain `count()`.
    pub(super) fn shown(self) -> impl Iterator<Item = (usize, String)> {
        let all = self.rule.aggregates.iter().enumerate();
        let plain = |kind: &AggregateKind| matches!(kind, AggregateKind::Count);
        let shown = all.filter(move |(_, a)| !(plain(&a.kind) && a.filter.is_none()));
        shown.map(|(n, a)| (n, a.text.clone())).collect::<Vec<_>>().into_iter()
    }
}
