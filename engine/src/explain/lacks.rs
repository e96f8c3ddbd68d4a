//! What a match lacked to be an alert, told over time: how many of how many there were, by how much it came late, which step
//! waited and until when, and what began and came to nothing.
//!
//! A window remembers only what is in it, and a sequence only what it can still use, so the latest matches of each key are
//! kept here besides: of a window ([`window`]), of a session its times ([`session`]), of a sequence those of each step
//! ([`chain`]). What is kept has limits; of what is beyond them nothing is said, rather than something wrong.

mod chain;
mod session;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use dsl::ir::{self, Shape};

use super::{shown, text};
use crate::matches::{Nanos, Value};
use crate::plan::{Plan, joins};
use crate::state::{Judged, Outcome, Watched, WindowSeen};
use chain::Chains;
pub use chain::Expired;
use session::Sessions;
use window::History;

/// Keys of which something is kept.
const KEYS_MAX: usize = 100_000;

/// Looks at the matches of one rule in the order in which they are decided.
#[derive(Debug)]
pub struct Lookout {
    rule: Arc<ir::Rule>,
    /// The conditions that read other steps.
    joins: Vec<String>,
    kept: Kept,
}

/// What is kept, by the shape of the rule.
#[derive(Debug)]
enum Kept {
    Nothing,
    Window(Box<History>),
    Sessions(Sessions),
    Chains(Box<Chains>),
}

/// What is said of a match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lack {
    /// What it lacked, in words; nothing if it lacked nothing that can be said.
    pub words: Option<String>,
    /// Of one that waits at its step: until when at most, an effective time.
    pub until: Option<Nanos>,
}

impl Lookout {
    /// For the matches of a rule, by its number in the plan.
    #[must_use]
    pub fn new(plan: &Arc<Plan>, rule: usize) -> Option<Self> {
        let number = rule;
        let rule = plan.rules.get(number)?.source.clone();
        let kept = match rule.shape {
            Shape::Sliding { .. } => {
                History::new(plan.clone(), number).map_or(Kept::Nothing, |of| Kept::Window(Box::new(of)))
            }
            Shape::Session { gap, within, .. } => Kept::Sessions(Sessions::new(gap, within)),
            Shape::Sequence { .. } => plan
                .rules
                .get(number)
                .and_then(Chains::new)
                .map_or(Kept::Nothing, |of| Kept::Chains(Box::new(of))),
            _ => Kept::Nothing,
        };
        let join = |(except, part): (bool, &ir::Expr)| {
            let spelled = text::spell(part);
            if except { format!("not ({spelled})") } else { spelled }
        };
        let joins = joins(&rule).into_iter().map(join).collect();
        Some(Self { rule, joins, kept })
    }

    /// What a match lacked. Each is to be shown once, in the order in which they are decided.
    pub fn lacks(&mut self, watched: &Watched) -> Lack {
        let mut words = match watched.outcome {
            Outcome::NotTrue => self.short_of(watched),
            Outcome::NoChoice => self.no_choice(watched),
            _ => Vec::new(),
        };
        let mut until = None;
        match &mut self.kept {
            Kept::Nothing => {}
            Kept::Window(history) => words.extend(history.late(watched)),
            Kept::Sessions(sessions) => words.extend(sessions.late(watched)),
            Kept::Chains(chains) => {
                let (more, end) = chains.enter(watched);
                words.extend(more);
                until = end;
            }
        }
        Lack { words: (!words.is_empty()).then(|| words.join("; ")), until }
    }

    /// What began and came to nothing before `now`, an effective time: partial choices of sequences whose time is over.
    pub fn expired(&mut self, now: Nanos) -> Vec<Expired> {
        match &mut self.kept {
            Kept::Chains(chains) => chains.expired(now),
            _ => Vec::new(),
        }
    }

    /// What came to nothing before the input's end, an effective time, and what still waits then.
    pub fn ended(&mut self, end: Nanos) -> Vec<Expired> {
        let mut all = self.expired(end);
        if let Kept::Chains(chains) = &mut self.kept {
            all.extend(chains.ended());
        }
        all
    }

    /// What each aggregate is, and of how many.
    fn short_of(&self, watched: &Watched) -> Vec<String> {
        let Shape::Sliding { within, .. } = self.rule.shape else { return Vec::new() };
        let within = length(within);
        let window = watched.window.iter();
        window.flat_map(|window| self.values(window)).map(|text| format!("{text} within {within}")).collect()
    }

    fn values(&self, window: &WindowSeen) -> impl Iterator<Item = String> {
        let asked = self.rule.aggregates.iter().zip(&window.aggregates);
        #[expect(clippy::cast_precision_loss, reason = "bounds are exact in a double")]
        asked.map(|(of, (text, value))| match (of.enough, value) {
            (Some(bound), Value::Number(n)) if *n < bound as f64 => {
                format!("{text} is {} of {bound}", shown(value))
            }
            _ => format!("{text} is {}", shown(value)),
        })
    }

    /// What a window that closed lacked.
    #[must_use]
    pub fn lacked(&self, judged: &Judged) -> Option<String> {
        let window = judged.window.as_ref().filter(|_| judged.outcome == Outcome::NotTrue)?;
        let words: Vec<String> = self.values(window).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    /// Which steps had nothing for it, or nothing that fits.
    fn no_choice(&self, watched: &Watched) -> Vec<String> {
        let Kept::Chains(chains) = &self.kept else { return Vec::new() };
        let (mut short, mut blamed, mut unfit) = (Vec::new(), Vec::new(), Vec::new());
        for (n, (step, waiting)) in self.rule.steps.iter().zip(&watched.waiting).enumerate() {
            let own = n == watched.step as usize;
            let Some(name) = step.name.as_deref().filter(|_| step.no.is_none()) else { continue };
            // What completes by itself does not wait.
            if own && step.times < 2 {
                continue;
            }
            let failed = watched.unfit.filter(|unfit| unfit.step as usize == n);
            let failed = failed.and_then(|unfit| self.joins.get(unfit.join as usize));
            let (waiting, times) = (*waiting, step.times.max(1) as usize);
            match (waiting, failed) {
                (waiting, _) if waiting < times => short.push(chains.missing(watched, n, waiting)),
                (1, Some(failed)) => {
                    blamed.push(format!("what waited at `{name}` does not fit: `{failed}` is not true"));
                }
                (_, Some(failed)) => blamed.push(format!(
                    "{waiting} waited at `{name}`, and none fits: of the last `{failed}` is not true"
                )),
                (1, None) if !own => unfit.push(format!("what waited at `{name}` does not fit")),
                (_, None) if !own => unfit.push(format!("{waiting} waited at `{name}`, and none fits")),
                (_, None) => {}
            }
        }
        // Where a step was empty the others say nothing; where one is known to be to blame nor do they.
        [short, blamed, unfit].into_iter().find(|words| !words.is_empty()).unwrap_or_default()
    }
}

/// A length of time, as text shows it.
fn length(nanos: Nanos) -> String {
    shown(&Value::Duration(nanos))
}

/// What tells keys of a rule apart.
fn key_of(watched: &Watched) -> String {
    let key: String =
        watched.key.iter().map(|(name, value)| format!("{name}={}\u{0}", shown(value))).collect();
    format!("{}\u{0}{key}", watched.meta.cluster.as_deref().unwrap_or_default())
}
