//! Random cases: a rule set as text, and a log.
//!
//! Everything is drawn from a small `world`, so that users, names, codes and times collide, and rules are drawn after the same
//! few resources that the log is about, so that many cases end in an alert. A case is a function of its bytes or its seed.

mod answers;
mod atoms;
mod bodies;
mod choices;
mod interludes;
mod listening;
mod log;
mod patches;
mod requests;
mod rules;
mod steps;
mod tables;
mod trials;
mod tunes;
mod windows;
mod world;

pub use choices::Choices;
pub use rules::RuleText;
pub use tables::files;

use crate::reference::{Arrival, Settings, Source};

/// One case of the property test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The rule set.
    pub rules: RuleText,
    /// Where the events come from.
    pub sources: Vec<Source>,
    /// The events in the order of their arrival.
    pub arrivals: Vec<Arrival>,
    /// Lateness and memory.
    pub settings: Settings,
    /// About how many bytes of input the engine gets at once.
    pub block: usize,
    /// A seed: how events are written.
    pub framing: u64,
}

impl Case {
    /// The case that these choices make.
    pub fn new(choices: &mut Choices<'_>) -> Self {
        let world = world::World::new(choices);
        let rules = rules::rules(choices, &world);
        let (sources, arrivals) = log::log(choices, &world);
        let memory = *choices.pick(&[3_600_000_000_000, 3_600_000_000_000, 20_000_000_000]);
        let settings = Settings { lateness: world.lateness, request_memory: memory, until: None };
        let block = *choices.pick(&[1, 200, 2_000, 1 << 20]);
        Self { rules, sources, arrivals, settings, block, framing: choices.below(1 << 16) as u64 }
    }

    /// Whether it is known when events were read, or somebody looks on the way whether its sources are silent. Then the
    /// order of arrival between sources counts.
    #[must_use]
    pub fn live(&self) -> bool {
        self.arrivals.iter().any(|arrival| arrival.read.is_some() || !arrival.silences.is_empty())
    }
}

#[cfg(test)]
mod tests;
