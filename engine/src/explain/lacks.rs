//! What a match lacked to be an alert, told over time: how many of how many there were, and by how much the last came late.
//!
//! A window remembers only what is in it, so the times of a key's latest matches are kept here, as many as the rule's
//! lower bound asks for. Keys are kept up to [`KEYS_MAX`]; of those beyond nothing is said of lateness.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use dsl::ir::{self, AggregateKind, Shape};

use super::shown;
use crate::matches::{Nanos, Value};
use crate::state::{Judged, Outcome, Watched, WindowSeen};

/// Keys whose latest times are kept.
const KEYS_MAX: usize = 100_000;
/// Times kept of a key; of a bound above this lateness is not told.
const TIMES_MAX: u64 = 10_000;

/// Looks at the matches of one rule in the order in which they are decided.
#[derive(Debug)]
pub struct Lookout {
    rule: Arc<ir::Rule>,
    /// How many requests the window asks for, and within what.
    count: Option<(u64, Nanos)>,
    recent: HashMap<String, VecDeque<Nanos>>,
}

impl Lookout {
    /// For the matches of that rule.
    #[must_use]
    pub fn new(rule: Arc<ir::Rule>) -> Self {
        let within = if let Shape::Sliding { within, .. } = rule.shape { Some(within) } else { None };
        let plain = |of: &&ir::Aggregate| matches!(of.kind, AggregateKind::Count) && of.filter.is_none();
        let bound = rule.aggregates.iter().find(plain).and_then(|of| of.enough);
        let count = bound.zip(within).filter(|(bound, _)| (2..=TIMES_MAX).contains(bound));
        Self { rule, count, recent: HashMap::new() }
    }

    /// What the match lacked, in words; nothing if it lacked nothing that can be said.
    pub fn lacks(&mut self, watched: &Watched) -> Option<String> {
        let late = self.late(watched);
        match watched.outcome {
            Outcome::NotTrue => {
                let mut words = self.short_of(watched);
                words.extend(late);
                (!words.is_empty()).then(|| words.join("; "))
            }
            Outcome::NoChoice => self.no_choice(watched),
            _ => None,
        }
    }

    /// The aggregates that are below what is asked of them.
    fn short_of(&self, watched: &Watched) -> Vec<String> {
        let Shape::Sliding { within, .. } = self.rule.shape else { return Vec::new() };
        let Some(window) = &watched.window else { return Vec::new() };
        let within = shown(&Value::Duration(within));
        self.below(window).map(|text| format!("{text} within {within}")).collect()
    }

    fn below(&self, window: &WindowSeen) -> impl Iterator<Item = String> {
        let asked = self.rule.aggregates.iter().zip(&window.aggregates);
        #[expect(clippy::cast_precision_loss, reason = "bounds are exact in a double")]
        asked.filter_map(|(of, (text, value))| match (of.enough, value) {
            (Some(bound), Value::Number(n)) if *n < bound as f64 => {
                Some(format!("{text} is {} of {bound}", shown(value)))
            }
            _ => None,
        })
    }

    /// What a window that closed lacked; where that is not a matter of too few, all that it came to.
    #[must_use]
    pub fn lacked(&self, judged: &Judged) -> Option<String> {
        let window = judged.window.as_ref().filter(|_| judged.outcome == Outcome::NotTrue)?;
        let mut words: Vec<String> = self.below(window).collect();
        if words.is_empty() {
            words =
                window.aggregates.iter().map(|(text, value)| format!("{text} is {}", shown(value))).collect();
        }
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// By how much the match came too late to be the last that is asked for.
    fn late(&mut self, watched: &Watched) -> Option<String> {
        let (bound, within) = self.count?;
        watched.window.as_ref()?;
        let before = usize::try_from(bound - 1).ok()?;
        let key: String =
            watched.key.iter().map(|(name, value)| format!("{name}={}\u{0}", shown(value))).collect();
        let key = format!("{}\u{0}{key}", watched.meta.cluster.as_deref().unwrap_or_default());
        if !self.recent.contains_key(&key) && self.recent.len() >= KEYS_MAX {
            return None;
        }
        let recent = self.recent.entry(key).or_default();
        let oldest = (recent.len() >= before).then(|| recent.front().copied()).flatten();
        recent.push_back(watched.effective);
        if recent.len() > before {
            recent.pop_front();
        }
        let over = watched.effective.saturating_sub(oldest?).saturating_sub(within);
        (over > 0).then(|| format!("number {bound} came {} late", shown(&Value::Duration(over))))
    }

    /// Which steps had nothing for it, or nothing that fits.
    fn no_choice(&self, watched: &Watched) -> Option<String> {
        let steps = self.rule.steps.iter().zip(&watched.waiting).enumerate();
        let others = steps.filter(|(n, (step, _))| step.no.is_none() && *n != watched.step as usize);
        let (mut short, mut unfit) = (Vec::new(), Vec::new());
        for (_, (step, waiting)) in others {
            let Some(name) = step.name.as_deref() else { continue };
            match (*waiting, u64::from(step.times)) {
                (0, _) => short.push(format!("nothing waited at `{name}`")),
                (n, times) if (n as u64) < times => short.push(format!("{n} of {times} waited at `{name}`")),
                (1, _) => unfit.push(format!("what waited at `{name}` does not fit")),
                (n, _) => unfit.push(format!("{n} waited at `{name}`, and none fits")),
            }
        }
        // Where a step was empty the others say nothing.
        let told = if short.is_empty() { unfit } else { short };
        (!told.is_empty()).then(|| told.join("; "))
    }
}
