//! The engine with very little room, held to the reference, which has all there is: `docs/semantics.md`, "Limits".
//!
//! Each case is one rule of some kind, a log and small limits. Whoever makes the log has the source: he knows the hash key
//! (a bounded run has a fixed one) and chooses names of which all groups are of one virtual shard. What is then promised
//! differs by kind (`kinds.rs`): a rule that more events only make truer misses nothing; any other keeps what it knows exact and
//! says how much it refused; a memory forgets and never remembers what was not. [`hold`] asks for exactly that, and that
//! nothing of it depends on how the log is cut or where the state is saved.

mod hold;
mod kinds;
mod log;

pub use hold::{Held, hold};

use engine::limits::{Limits, VIRTUAL_SHARDS};

use crate::generate::Choices;
use crate::reference::Arrival;
use kinds::Kind;

/// Nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    kind: &'static Kind,
    /// The rule without what it has of a throttle.
    body: String,
    /// The numbers in it.
    numbers: Numbers,
    /// Seconds; of the bounded engine.
    throttle: i64,
    limits: Limits,
    arrivals: Vec<Arrival>,
    seed: u64,
}

/// What stands in a rule for its letters.
#[derive(Clone, Copy, Debug)]
struct Numbers {
    /// How many, few.
    few: i64,
    /// How many, more.
    many: i64,
    /// Seconds of its window.
    within: i64,
    /// Seconds of its gap, its learning or its `no`.
    gap: i64,
}

impl Case {
    /// The case of a seed. Kinds take turns.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut choices = Choices::seeded(seed);
        let number = usize::try_from(seed).unwrap_or(0) % kinds::ALL.len();
        let kind = &kinds::ALL[number];
        let below = |choices: &mut Choices<'_>, from: i64, more: usize| {
            from + i64::try_from(choices.below(more)).unwrap_or(0)
        };
        let numbers = Numbers {
            few: below(&mut choices, 1, 4),
            many: below(&mut choices, 3, 10),
            within: below(&mut choices, 3, 7),
            gap: below(&mut choices, 1, 4),
        };
        let throttle = if choices.chance(50) { 0 } else { below(&mut choices, 1, 5) };
        let rooms = 1 + choices.below(3);
        let keys = if kind.clusters { rooms } else { rooms * VIRTUAL_SHARDS };
        let most = *choices.pick(&[1, 2, 4, 100, 100, 100]);
        let room = *choices.pick(&[1 << 24, 1 << 24, 1 << 24, 50, 50, 200, 400, 1_000, 2_500, 5_000, 9_000]);
        let again = choices.chance(40);
        let requests = if again && choices.chance(50) { VIRTUAL_SHARDS } else { 1 << 20 };
        let waiting = *choices.pick(&[1 << 20, 1 << 20, 1 << 20, 1 << 20, 1 << 20, 1, 3, 8]);
        let waiting_bytes = *choices.pick(&[1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 30, 9_000]);
        let limits = Limits {
            lateness: SECOND,
            request_memory: 20 * SECOND,
            keys_per_rule_max: keys,
            matches_per_key_max: most,
            window_bytes_per_rule_max: room * VIRTUAL_SHARDS,
            requests_told_max: requests,
            waiting_matches_max: waiting,
            waiting_bytes_max: waiting_bytes,
            ..Limits::default()
        };
        let limits = Limits { tuples_per_match_max: *choices.pick(&[100_000, 100_000, 1, 3]), ..limits };
        let arrivals = log::log(kind, again, &mut choices);
        let body = kind.rule(numbers);
        Self { kind, body, numbers, throttle, limits, arrivals, seed }
    }

    /// Its kind's name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind.name
    }

    /// Its rule, which tells at most once in so many seconds and key.
    fn rule(&self, throttle: i64) -> String {
        self.body.replace("THROTTLE", &format!("throttle {throttle}s"))
    }

    /// The same with other arrivals.
    fn with(&self, arrivals: Vec<Arrival>) -> Self {
        Self { arrivals, ..self.clone() }
    }

    /// The same with fewer arrivals, as few as fail.
    #[must_use]
    pub fn shrunk(&self) -> Self {
        let mut best = self.clone();
        let mut run = best.arrivals.len() / 2;
        while run > 0 {
            let mut at = 0;
            while at < best.arrivals.len() {
                let mut arrivals = best.arrivals.clone();
                arrivals.drain(at..arrivals.len().min(at + run));
                let smaller = best.with(arrivals);
                if hold(&smaller).is_err() { best = smaller } else { at += run }
            }
            run /= 2;
        }
        best
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{:?}\n", self.rule(self.throttle), self.limits);
        for arrival in &self.arrivals {
            let json = &arrival.json;
            let [at, user, code] = ["stageTimestamp", "auditID", "responseStatus"].map(|key| &json[key]);
            text += &format!(
                "{at} {} {} {} {user} {code} {:?}\n",
                json["verb"], json["user"]["username"], json["objectRef"]["name"], arrival.envelope_cluster
            );
        }
        text
    }
}
