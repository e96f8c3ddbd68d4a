//! A flood of keys: what an attacker does who makes up a new user name for every request.
//!
//! Every event is of a key that was never seen (or, for comparison, of one of a thousand), and all fall into the windows of
//! the rules, so that nothing may be forgotten for being old. Among them are those that the rules are there for: now and
//! then a user does three things in a row, of which the last is a shell. The bytes are made block by block outside of what
//! is timed and go the way that all input goes: cut into documents, decoded, matched, decided.

#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::worked;
use dsl::source::SourceMap;
use engine::frame::blocks::{BLOCK_BYTES, Blocks};
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::state::{RunTally, State};

/// How many keys there are where they are few.
pub const FEW: u64 = 1_000;
/// One in so many groups of three events is of one user, who does what the rules are there for.
pub const PLANTED_EVERY: u64 = 100;
/// Events made, and then read, in one go.
const BLOCK_EVENTS: u64 = 1_000;
/// Between two events.
const STEP_MICROS: u64 = 100;

/// A kind of memory, with a rule that has it.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// As the table names it.
    pub name: &'static str,
    clauses: &'static str,
    /// Each key is told once: there are as many alerts as keys.
    pub tells_each_key: bool,
}

/// All kinds of memory by key.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "count",
        clauses: "on any of any by user.username when count() >= 3 within 1h",
        tells_each_key: false,
    },
    Kind {
        name: "distinct",
        clauses: "on any of any by user.username when distinct(objectRef.name) >= 3 within 1h",
        tells_each_key: false,
    },
    Kind {
        name: "exact count",
        clauses: "on any of any by user.username when count() == 3 within 1h",
        tells_each_key: false,
    },
    Kind {
        name: "tumbling",
        clauses: "on any of any by user.username when count() >= 3 tumbling 1h",
        tells_each_key: false,
    },
    Kind {
        name: "session",
        clauses: "on any of any by user.username when count() >= 3 session gap 30m within 1h",
        tells_each_key: false,
    },
    Kind {
        name: "first_seen",
        clauses: "on any of any by user.username when first_seen(verb) within 1h learning 30m",
        tells_each_key: false,
    },
    Kind {
        name: "sequence",
        clauses: "by user.username sequence within 1h { a: on get of secrets b: on create of pods/exec }",
        tells_each_key: false,
    },
    Kind {
        name: "unordered",
        clauses: "by user.username unordered within 1h { a: on get of secrets b: on create of pods/exec }",
        tells_each_key: false,
    },
    Kind {
        name: "no between",
        clauses: "by user.username sequence within 1h { a: on get of secrets no n: on delete of secrets b: on create of pods/exec }",
        tells_each_key: false,
    },
    // These two are about requests themselves, each of which has a key of its own, whoever made it.
    Kind {
        name: "auditID",
        clauses: "on any of any by auditID when distinct(request_id) >= 3 within 1h",
        tells_each_key: false,
    },
    Kind {
        name: "unanswered",
        clauses: "by request_id sequence within 1h { asked: on any of any at ResponseComplete no answered: on any of any at Panic }",
        tells_each_key: false,
    },
    Kind {
        name: "silent",
        clauses: "on any of any by user.username when silent for 1h",
        tells_each_key: false,
    },
    Kind { name: "throttle", clauses: "on any of any by user.username throttle 1h", tells_each_key: true },
];

/// What became of a flood.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many events came.
    pub events: u64,
    /// How long a processor was at work to cut, decode, match and decide them. Time on the clock would tell as much of
    /// whatever else the machine does.
    pub took: Duration,
    /// Alerts that are exact, and that are approximate.
    pub alerts: (u64, u64),
    /// What the alerts about what was refused count, summed up.
    pub told_refused: u64,
    /// How many of those there are.
    pub refusals: u64,
    /// What was counted.
    pub tally: RunTally,
    /// What is remembered, looked at after every tenth of the events: requests, groups, matches that wait.
    pub remembered: Vec<(usize, usize, usize)>,
}

fn plan(kind: Kind, limits: Limits) -> Arc<Plan> {
    let mut sources = SourceMap::default();
    sources
        .add("flood.rule", format!("rule flood \"A flood\" {{ severity low {} alert \"x\" }}", kind.clauses));
    let rules = dsl::check::compile(&sources).rules.expect("the rules of a flood compile");
    Arc::new(Plan::new(&rules, limits))
}

/// The rule of a kind, and so many events of few keys.
pub(crate) fn load(kind: Kind, events: u64, limits: Limits) -> (Arc<Plan>, Vec<u8>) {
    let mut text = Vec::new();
    (0..events).for_each(|number| event(number, false, &mut text));
    (plan(kind, limits), text)
}

/// How many alerts so many events of few keys must bring where there is room for all.
pub(crate) fn told_of_few(kind: Kind, events: u64) -> u64 {
    match kind.name {
        "sequence" | "unordered" | "no between" | "auditID" => planted(events),
        // What is waited for would be told later than the last event.
        "first_seen" | "silent" | "unanswered" => 0,
        _ => FEW.min(events) + planted(events),
    }
}

/// Runs so many events past a rule of a kind; `each_new`: every key is a new one. After every tenth of the events `look` is
/// called.
///
/// # Panics
///
/// If the rule does not compile.
pub fn run(kind: Kind, events: u64, each_new: bool, limits: Limits, look: &mut dyn FnMut()) -> Outcome {
    let plan = plan(kind, limits);
    let mut state = State::new(plan.clone(), limits);
    let info = SourceInfo { name: "flood".into(), cluster: None };
    let source = state.add_source(info.clone());
    let mut blocks = Blocks::new(source, BLOCK_BYTES, limits.line_bytes_max);
    let (mut scratch, mut told, mut text) = (Scratch::default(), Vec::new(), Vec::new());
    let mut outcome = Outcome { events, ..Outcome::default() };
    let count = |told: &mut Vec<engine::alert::Alert>, outcome: &mut Outcome| {
        for alert in told.drain(..) {
            if alert.approximate {
                outcome.alerts.1 += 1;
                // Of these alone there is no event.
                let refusal = alert.completing.is_none();
                outcome.refusals += u64::from(refusal);
                outcome.told_refused += if refusal { alert.count } else { 0 };
            } else {
                outcome.alerts.0 += 1;
            }
        }
    };
    let (mut number, tenth) = (0, (events / 10).max(1));
    while number < events {
        text.clear();
        let until = (number + BLOCK_EVENTS).min(events);
        let passed = number / tenth < until / tenth;
        (number..until).for_each(|number| event(number, each_new, &mut text));
        number = until;
        let began = worked();
        blocks.push(&text);
        if number == events {
            blocks.finish();
        }
        while let Some(block) = blocks.pop() {
            state.take(source, match_block(&plan, &info, &block, &mut scratch));
        }
        state.drain(&mut told);
        outcome.took += worked().saturating_sub(began);
        count(&mut told, &mut outcome);
        if passed {
            let (requests, groups) = state.remembered();
            outcome.remembered.push((requests, groups, state.waiting()));
            look();
        }
    }
    let began = worked();
    state.end(source);
    state.finish();
    state.drain(&mut told);
    outcome.took += worked().saturating_sub(began);
    count(&mut told, &mut outcome);
    outcome.tally = state.tally().clone();
    outcome
}

/// How many users are planted among so many events.
#[must_use]
pub fn planted(events: u64) -> u64 {
    events / 3 / PLANTED_EVERY
}

/// An event as the API server writes it at level Metadata. Three in a row make a group; each last group of
/// [`PLANTED_EVERY`] is of one user.
fn event(number: u64, each_new: bool, out: &mut Vec<u8>) {
    let (group, place) = (number / 3, number % 3);
    let planted = group % PLANTED_EVERY == PLANTED_EVERY - 1;
    let key = if each_new { number } else { number % FEW };
    let (prefix, key) = if planted { ("planted", group) } else { ("user", key) };
    // Whoever is planted uses one id for all he does.
    let id = if planted { group * 3 } else { number };
    let shell = planted && place == 2;
    let (verb, resource, rest, object) = if shell {
        ("create", "pods", "/exec?command=sh", "\"subresource\":\"exec\",")
    } else {
        ("get", "secrets", "", "")
    };
    let stamp = (number + 1) * STEP_MICROS;
    let (second, micros) = (stamp / 1_000_000, stamp % 1_000_000);
    let (hour, minute, second) = (second / 3_600 % 24, second / 60 % 60, second % 60);
    let written = writeln!(
        out,
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\
         \"auditID\":\"27908381-5cd4-4cfd-8929-{id:012x}\",\"stage\":\"ResponseComplete\",\
         \"requestURI\":\"/api/v1/namespaces/shop/{resource}/object-{number}{rest}\",\"verb\":\"{verb}\",\
         \"user\":{{\"username\":\"{prefix}-{key}@example.com\",\"uid\":\"a\",\"groups\":[\"developers\",\"system:authenticated\"]}},\
         \"sourceIPs\":[\"10.240.3.17\"],\"userAgent\":\"kubectl/v1.34.4 (linux/amd64) kubernetes/0000000\",\
         \"objectRef\":{{\"resource\":\"{resource}\",{object}\"namespace\":\"shop\",\"name\":\"object-{number}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"metadata\":{{}},\"code\":200}},\
         \"requestReceivedTimestamp\":\"2026-01-05T{hour:02}:{minute:02}:{second:02}.{micros:06}Z\",\
         \"stageTimestamp\":\"2026-01-05T{hour:02}:{minute:02}:{second:02}.{micros:06}Z\",\
         \"annotations\":{{\"authorization.k8s.io/decision\":\"allow\",\"authorization.k8s.io/reason\":\"RBAC: allowed by \
         ClusterRoleBinding \\\"developers\\\" of ClusterRole \\\"edit\\\" to Group \\\"developers\\\"\"}}}}"
    );
    debug_assert!(written.is_ok(), "memory takes what is written");
}

/// Asserts what must have been told, whatever was shed.
///
/// # Panics
///
/// If it was not.
pub fn assert_told(kind: Kind, outcome: &Outcome, each_new: bool) {
    let Outcome { alerts: (exact, approximate), tally, .. } = outcome;
    let planted = planted(outcome.events);
    let shed = tally.shed;
    let name = kind.name;
    assert_eq!(tally.decoded + tally.passed, outcome.events, "{name}: every event is read");
    if !each_new {
        let told = told_of_few(kind, outcome.events);
        // Whether a request came twice is not known any more once some had to be forgotten; and where each request is a key of
        // its own there are never few, so that some may be refused.
        let requests = matches!(name, "auditID" | "unanswered");
        if shed.again > 0 || requests && shed.refused > 0 {
            assert_eq!(*exact + *approximate - outcome.refusals, told, "{name}: few keys, each told once");
            assert!(shed.refused == 0 || outcome.refusals > 0, "{name}: what was refused is told");
        } else {
            assert_eq!((*exact, *approximate), (told, 0), "{name}: few keys, exact answers");
        }
        return;
    }
    if kind.tells_each_key {
        // What a throttle cannot remember it does not hold back.
        let keys = outcome.events - 2 * planted;
        assert!(exact + approximate >= keys, "{name}: each key is told");
        return;
    }
    if shed.shared > 0 {
        // Where requests had to be forgotten all that is told from then on is approximate, and windows that close are told then.
        assert!(*exact > 0 || shed.again > 0, "{name}: planted ones are told exactly while there is room");
        assert!(*exact < planted, "{name}: not all planted ones are told by themselves");
        assert!(*approximate >= 1, "{name}: and together once there is none");
    }
    if shed.refused > 0 {
        assert_eq!(
            outcome.told_refused,
            shed.refused + shed.again,
            "{name}: what was refused, or may count twice, is told to the last one"
        );
    }
    if name == "auditID" {
        // Three requests in a row are not forgotten, though it is not known whether they are the first three.
        assert!(*exact + *approximate >= planted, "{name}: each id that comes again is told");
    }
    let waits = matches!(name, "first_seen" | "silent" | "unanswered");
    if (shed.shared, shed.refused, shed.again) == (0, 0, 0) && !waits {
        assert_eq!(*exact, planted, "{name}: with room for all every planted one is told");
    }
    if name == "first_seen" && shed.keys > 0 {
        let held = tally.rules.first().map_or(0, |rule| rule.suppressed);
        assert!(*approximate + held >= shed.keys, "{name}: what could not be remembered counts as new");
    }
}
