//! Whose memory goes over to other rules: what a saved state says of the rules it was saved under, held against those
//! that load it.
//!
//! A rule is known by its name, and what it remembers means something as long as its [`RuleMeaning`] is the same. Where it
//! stands, which rules stand beside it, and all that is for people may change. Its captures are carried over value by value: an
//! alert may read less than before, or in another order; where it reads something that was not captured, the events are
//! gone and the rule must begin anew.
//!
//! Rules on alerts remember what other rules told. They are carried over if each rule that they heard then is heard still
//! and means the same, and all that it heard, and so on; that they hear others besides does no harm. What an alert said of
//! itself when it was told (severity, tags, message) stays said.
//!
//! What is not carried over is named, each rule with the reason, and begins as a rule does that has seen nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::envelope::LoadError;
use super::wire::{Reader, Result, Writer};
use crate::event::identity;
use crate::matches::{SourceId, Value};
use crate::plan::meaning::{Meaning, RuleMeaning};
use crate::plan::{Plan, Rule};
use crate::planted::planted;

/// A rule whose memory was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its name.
    pub rule: Arc<str>,
    /// The reason.
    pub why: Why,
}

/// Why a rule's memory was not carried over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// No rule of that name is on.
    Gone,
    /// It has another shape, or another length or condition of it.
    Shape,
    /// Its throttle is another.
    Throttle,
    /// Its steps take other events.
    Steps,
    /// Its key is another.
    Key,
    /// Its window counts something else.
    Counted,
    /// It is about requests themselves, and remembered them in a table, or does so now.
    Table,
    /// It heard a rule that is gone, means something else, or is not heard any more.
    Hears(Arc<str>),
    /// Its alert, or a rule that hears it, reads something of its events that was not kept.
    Reads,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule `{}` begins anew: {}", self.rule, self.why)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "it is gone or off",
            Self::Shape => "its shape, a time or a condition of its window changed",
            Self::Throttle => "its throttle changed",
            Self::Steps => "what its steps take changed",
            Self::Key => "its key changed",
            Self::Counted => "what its window counts changed",
            Self::Table => "requests are remembered in another form: the limit of its table was 0, or is now",
            Self::Hears(rule) => {
                return write!(f, "it heard the alerts of `{rule}`, which it does not hear as it did");
            }
            Self::Reads => "something is read of its events that was not kept",
        })
    }
}

/// What is saved of the rules themselves.
#[derive(Debug)]
pub(super) struct Table {
    rules: Vec<Entry>,
    /// Of all of it.
    pub(super) hash: [u8; 16],
}

/// One rule.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    meaning: RuleMeaning,
    /// Per step whose alerts it takes.
    hears: Vec<Vec<Arc<str>>>,
    /// Per step which values its matches bring along; nothing if none of its matches is ever kept.
    captures: Option<Vec<Vec<Meaning>>>,
    /// It is about requests themselves and has a table.
    table: bool,
}

impl Table {
    pub(super) fn new(plan: &Plan) -> Self {
        let rules = plan.rules.iter().map(|rule| Entry::new(plan, rule)).collect();
        Self::of(rules)
    }

    fn of(rules: Vec<Entry>) -> Self {
        let mut this = Self { rules, hash: [0; 16] };
        let mut w = Writer::default();
        this.save(&mut w);
        this.hash = identity::hash(&w.out);
        this
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn save(&self, w: &mut Writer) {
        w.list(self.rules.iter(), |w, rule| {
            w.bytes(rule.name.as_bytes());
            let RuleMeaning { shape, throttle, steps, key, counted } = &rule.meaning;
            [shape, throttle, steps, key, counted].into_iter().for_each(|part| w.out.extend_from_slice(part));
            w.list(rule.hears.iter(), |w, heard| {
                w.list(heard.iter(), |w, name| w.bytes(name.as_bytes()));
            });
            w.maybe(rule.captures.as_ref(), |w, captures| {
                w.list(captures.iter(), |w, step| {
                    w.list(step.iter(), |w, value| w.out.extend_from_slice(value));
                });
            });
            w.truth(rule.table);
        });
    }

    pub(super) fn load(r: &mut Reader<'_>) -> Result<Self> {
        let rules = r.list(|r| {
            Ok(Entry {
                name: r.text()?,
                meaning: RuleMeaning {
                    shape: r.array()?,
                    throttle: r.array()?,
                    steps: r.array()?,
                    key: r.array()?,
                    counted: r.array()?,
                },
                hears: r.list(|r| r.list(Reader::text))?,
                captures: r.maybe(|r| r.list(|r| r.list(Reader::array)))?,
                table: r.truth()?,
            })
        })?;
        Ok(Self::of(rules))
    }
}

impl Entry {
    fn new(plan: &Plan, rule: &Rule) -> Self {
        let name = |heard: &u32| plan.rules.get(*heard as usize).map(|rule| rule.name.clone());
        let hears = rule.steps.iter().map(|step| step.hears.iter().filter_map(name).collect());
        let captures = rule.steps.iter().map(|step| step.meanings.clone());
        Self {
            name: rule.name.clone(),
            meaning: RuleMeaning::of(&rule.source),
            hears: hears.collect(),
            captures: rule.waits().then(|| captures.collect()),
            table: rule.of_requests.is_some(),
        }
    }

    /// What of its meaning is not as it was.
    fn differs(&self, before: &Self) -> Option<Why> {
        let parts = |entry: &Self| {
            let RuleMeaning { shape, throttle, steps, key, counted } = entry.meaning;
            [shape, throttle, steps, key, counted]
        };
        let whys = [Why::Shape, Why::Throttle, Why::Steps, Why::Key, Why::Counted];
        match parts(self).into_iter().zip(parts(before)).position(|(now, then)| now != then) {
            Some(differ) => whys.into_iter().nth(differ),
            None => (self.table != before.table).then_some(Why::Table),
        }
    }
}

/// Where what is loaded comes from.
#[derive(Debug)]
pub(super) struct Origin {
    /// Of the rules that it was saved under.
    pub(super) rules: [u8; 16],
    pub(super) moment: [u8; 16],
    /// Per rule that it was saved under, if it is carried over.
    carried: Vec<Option<Carried>>,
    /// The rules of the plan that nothing is carried over to.
    pub(super) fresh: Vec<u32>,
    /// What each source's number is now.
    sources: Vec<SourceId>,
}

/// A rule that is carried over.
#[derive(Debug)]
pub(super) struct Carried {
    /// Its number in the plan.
    pub(super) rule: u32,
    /// Per step.
    steps: Vec<Remap>,
}

/// How the captures of a step are put into their slots.
#[derive(Debug)]
struct Remap {
    /// How many there were.
    before: usize,
    /// Per slot, the one in which the value was.
    from: Vec<usize>,
}

impl Origin {
    /// Holds the rules of a saved state against those of the plan, and says which rules are not carried over.
    pub(super) fn new(
        saved: &Table,
        now: &Table,
        plan: &Plan,
        moment: [u8; 16],
        sources: Vec<SourceId>,
    ) -> (Self, Vec<Dropped>) {
        let numbers: HashMap<&str, u32> =
            now.rules.iter().zip(0..).map(|(entry, number)| (&*entry.name, number)).collect();
        let before: HashMap<&str, &Entry> = saved.rules.iter().map(|entry| (&*entry.name, entry)).collect();
        // A rule comes after all that it hears.
        let mut order: Vec<usize> = (0..now.rules.len()).collect();
        order.sort_by_key(|number| plan.rules.get(*number).map(|rule| rule.stratum));
        let mut changed: HashMap<&str, Why> = HashMap::new();
        for entry in order.into_iter().filter_map(|number| now.rules.get(number)) {
            let Some(then) = before.get(&*entry.name) else { continue };
            let lost = || then.lost(entry, &numbers, &before, &changed).map(Why::Hears);
            if let Some(why) = entry.differs(then).or_else(lost) {
                changed.insert(&entry.name, why);
            }
        }
        let mut dropped = Vec::new();
        let mut carried = Vec::with_capacity(saved.rules.len());
        for (then, place) in saved.rules.iter().zip(0..) {
            let found = numbers
                .get(&*then.name)
                .map(|number| if planted(67) { &place } else { number })
                .and_then(|number| now.rules.get(*number as usize).map(|entry| (*number, entry)));
            let of = match found {
                None => Err(Why::Gone),
                Some((number, entry)) => match changed.get(&*then.name) {
                    Some(why) => Err(why.clone()),
                    None => Carried::new(number, then, entry).ok_or(Why::Reads),
                },
            };
            carried.push(match of {
                Ok(carried) => Some(carried),
                Err(why) => {
                    dropped.push(Dropped { rule: then.name.clone(), why });
                    None
                }
            });
        }
        let kept: Vec<u32> = carried.iter().flatten().map(|carried: &Carried| carried.rule).collect();
        let fresh = numbers.into_values().filter(|number| !kept.contains(number));
        let mut fresh: Vec<u32> = fresh.collect();
        fresh.sort_unstable();
        (Self { rules: saved.hash, moment, carried, fresh, sources }, dropped)
    }

    /// What became of the rule that had this number, if it is carried over.
    pub(super) fn rule(&self, number: u32) -> Result<Option<&Carried>> {
        self.carried.get(number as usize).map(Option::as_ref).ok_or(LoadError::Corrupt)
    }

    /// The number that a source has now.
    pub(super) fn source(&self, then: SourceId) -> SourceId {
        self.sources.get(then.0 as usize).copied().unwrap_or(then)
    }
}

impl Entry {
    /// The first rule that it heard then and does not hear now as it did.
    fn lost(
        &self,
        now: &Self,
        numbers: &HashMap<&str, u32>,
        before: &HashMap<&str, &Self>,
        changed: &HashMap<&str, Why>,
    ) -> Option<Arc<str>> {
        let steps = self.hears.iter().zip(&now.hears);
        let mut lost = steps.flat_map(|(then, now)| then.iter().map(move |name| (name, now)));
        let gone = |name: &str| {
            !numbers.contains_key(name) || !before.contains_key(name) || changed.contains_key(name)
        };
        lost.find(|(name, now)| !now.contains(name) || gone(name)).map(|(name, _)| name.clone())
    }
}

impl Carried {
    fn new(rule: u32, then: &Entry, now: &Entry) -> Option<Self> {
        let steps = match (&then.captures, &now.captures) {
            (Some(then), Some(now)) if then.len() == now.len() => then
                .iter()
                .zip(now)
                .map(|(then, now)| {
                    let from = now.iter().map(|value| then.iter().position(|had| had == value));
                    Some(Remap { before: then.len(), from: from.collect::<Option<_>>()? })
                })
                .collect::<Option<_>>()?,
            // No match of it was kept, or is needed.
            (None, _) | (_, None) => Vec::new(),
            _ => return None,
        };
        Some(Self { rule, steps })
    }

    /// What a match of a step brought along, in the slots of now.
    pub(super) fn captures(&self, step: u32, values: Vec<Value>) -> Result<Vec<Value>> {
        let remap = self.steps.get(step as usize).ok_or(LoadError::Corrupt)?;
        if remap.before != values.len() {
            return Err(LoadError::Corrupt);
        }
        remap.from.iter().map(|from| values.get(*from).cloned().ok_or(LoadError::Corrupt)).collect()
    }
}
