//! Holds the engine to the reference, on one case.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir::RuleSet;
use engine::plan::Plan;
use engine::state::RunTally;

use super::drive::{Way, drive};
use super::run::{limits, plain};
use super::trials::{Tests, trials};
use super::vary::vary;
use super::{AtOnce, compile, counts_promised, difference, engine_answer, reference_answer};
use crate::generate::Case;
use crate::reference::{Answer, Poison, RefAlert};

/// A case that held.
#[derive(Debug)]
pub struct Outcome {
    /// Its rules.
    pub rules: RuleSet,
    /// What both say.
    pub answer: Answer,
    /// What the tests among them bring.
    pub tests: Tests,
    /// The forms in which it was run again.
    pub forms: BTreeSet<&'static str>,
    /// The parts of the language that it met.
    pub poison: Poison,
}

/// Runs a case through both, then through the engine in other ways: see `vary`.
///
/// # Errors
/// What differs, as text.
pub fn hold(case: &Case) -> Result<Outcome, String> {
    let rules = compile(case).map_err(|errors| format!("the rules do not compile:\n{errors}"))?;
    let poison = Poison::default();
    let answer = reference_answer(case, &rules, &poison);
    let (alerts, tally) = match case.live() {
        true => as_it_comes(case, &rules)?,
        false => engine_answer(case, &rules),
    };
    let at_once = match case.sources.len() {
        1 => AtOnce::Whole,
        // In the order in which all came.
        _ if case.live() => AtOnce::Whole,
        _ if told_apart(case) => AtOnce::Ids,
        _ => AtOnce::Nothing,
    };
    if let Some(text) = difference(&rules, &answer.alerts, &alerts, at_once) {
        return Err(text);
    }
    let undecodable: u64 = tally.undecodable.values().map(|of| of.count).sum();
    let counts = (tally.read, tally.decoded + tally.passed, undecodable, tally.late);
    let expected = (answer.decoded + answer.undecodable, answer.decoded, answer.undecodable, answer.late);
    if counts != expected {
        return Err(format!(
            "read, decoded, undecodable, late: the reference counts {expected:?}, the engine {counts:?}\n"
        ));
    }
    let enabled = rules.rules.iter().enumerate().filter(|(_, rule)| !rule.disabled);
    for ((number, rule), counted) in enabled.zip(&tally.rules) {
        if !counts_promised(&rules, number, at_once) {
            continue;
        }
        let expected = answer.rules.get(&rule.name).copied().unwrap_or_default();
        let found = (counted.unknown_decided, counted.key_unknown, counted.pending);
        if found != (expected.unknown_decided, expected.key_unknown, expected.pending) {
            return Err(format!(
                "rule `{}`: the reference counts {expected:?}, the engine {counted:?}\n",
                rule.name
            ));
        }
    }
    let forms = vary(case, &rules, &answer, at_once)?;
    let tests = trials(&rules, &poison)?;
    Ok(Outcome { rules, answer, tests, forms, poison })
}

/// The engine's answer to a case in which somebody looks whether sources are silent.
fn as_it_comes(case: &Case, rules: &RuleSet) -> Result<(Vec<RefAlert>, RunTally), String> {
    let way = Way { threads: 1, piece: 1 << 20, cuts: 0, tables: true, seed: 0 };
    let (alerts, tally) = drive(&Arc::new(Plan::new(rules, limits(case))), case, &way)?;
    Ok((alerts.iter().map(plain).collect(), tally))
}

/// What a request is known by.
pub(super) fn request(json: &serde_json::Value) -> [String; 4] {
    let as_it_stands = |key: &str| json[key].to_string();
    [
        as_it_stands("auditID"),
        time(json, "requestReceivedTimestamp"),
        as_it_stands("verb"),
        as_it_stands("requestURI"),
    ]
}

/// A time as text that is the same for the same time however it is written.
fn time(json: &serde_json::Value, key: &str) -> String {
    instant(json, key).map_or_else(|| stands(json, key).to_string(), |time| time.to_utc().to_rfc3339())
}

/// A time of an event, also where v1beta1 has it.
pub(super) fn instant(json: &serde_json::Value, key: &str) -> Option<chrono::DateTime<chrono::FixedOffset>> {
    stands(json, key).as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
}

fn stands<'j>(json: &'j serde_json::Value, key: &str) -> &'j serde_json::Value {
    if json[key].is_null() { &json["timestamp"] } else { &json[key] }
}

/// Whether no request shows itself in one source in another way than in another.
fn told_apart(case: &Case) -> bool {
    case.arrivals.iter().enumerate().all(|(n, a)| {
        case.arrivals[..n]
            .iter()
            .all(|b| a.source == b.source || a.json == b.json || request(&a.json) != request(&b.json))
    })
}

/// Whether two different events cannot be told apart by the order of deciding.
pub(super) fn same_place(case: &Case) -> bool {
    let place =
        |json: &serde_json::Value| (request(json), json["stage"].to_string(), time(json, "stageTimestamp"));
    case.arrivals.iter().enumerate().any(|(n, a)| {
        case.arrivals[..n]
            .iter()
            .any(|b| (a.json != b.json || a.source != b.source) && place(&a.json) == place(&b.json))
    })
}

/// A case for people.
#[must_use]
pub fn print_case(case: &Case) -> String {
    let mut text = case.rules.text();
    text += &format!("\nsources: {:?}\nsettings: {:?}, block {}\n", case.sources, case.settings, case.block);
    for arrival in &case.arrivals {
        match &arrival.line {
            Some(line) => text += &format!("{} {} ({})\n", arrival.source, line.text, line.reason),
            None => text += &format!("{} {}\n", arrival.source, arrival.json),
        }
        if let Some(read) = arrival.read {
            text += &format!("  read at {read}\n");
        }
        for silence in &arrival.silences {
            text += &format!("  {silence:?}\n");
        }
    }
    text
}
