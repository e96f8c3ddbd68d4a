//! Holds the engine to the reference, on one case.

use dsl::ir::RuleSet;

use super::{AtOnce, compile, difference, engine_answer, reference_answer, waits};
use crate::generate::{Case, Choices};
use crate::reference::{Answer, Poison};

/// A case that held.
#[derive(Debug)]
pub struct Outcome {
    /// Its rules.
    pub rules: RuleSet,
    /// What both say.
    pub answer: Answer,
    /// The parts of the language that it met.
    pub poison: Poison,
}

/// Runs a case through both, then its events in another order within the lateness.
///
/// # Errors
/// What differs, as text.
pub fn hold(case: &Case) -> Result<Outcome, String> {
    let rules = compile(case).map_err(|errors| format!("the rules do not compile:\n{errors}"))?;
    let poison = Poison::default();
    let answer = reference_answer(case, &rules, &poison);
    let (alerts, tally) = engine_answer(case, &rules);
    let at_once = match case.sources.len() {
        1 => AtOnce::Whole,
        _ if told_apart(case) => AtOnce::Ids,
        _ => AtOnce::Nothing,
    };
    if let Some(text) = difference(&rules, &answer.alerts, &alerts, at_once) {
        return Err(text);
    }
    let undecodable: u64 = tally.undecodable.values().map(|of| of.count).sum();
    let counts = (tally.read, tally.decoded, undecodable, tally.late);
    let expected = (answer.decoded + answer.undecodable, answer.decoded, answer.undecodable, answer.late);
    if counts != expected {
        return Err(format!(
            "read, decoded, undecodable, late: the reference counts {expected:?}, the engine {counts:?}\n"
        ));
    }
    for (rule, counted) in rules.rules.iter().filter(|rule| !rule.disabled).zip(&tally.rules) {
        let expected = answer.rules.get(&rule.name).copied().unwrap_or_default();
        let found = (counted.unknown_decided, counted.key_unknown);
        if found != (expected.unknown_decided, expected.key_unknown) {
            return Err(format!(
                "rule `{}`: the reference counts {expected:?}, the engine {counted:?}\n",
                rule.name
            ));
        }
    }
    shuffled(case, &rules, &answer)?;
    Ok(Outcome { rules, answer, poison })
}

/// Rules that wait must not mind disorder within the lateness.
fn shuffled(case: &Case, rules: &RuleSet, answer: &Answer) -> Result<(), String> {
    if answer.late > 0 || !rules.rules.iter().any(waits) || same_place(case) {
        return Ok(());
    }
    let mut choices = Choices::seeded(case.framing);
    let mut other = case.clone();
    let mut arrivals: Vec<(i64, _)> = case
        .arrivals
        .iter()
        .map(|arrival| {
            let stamp = arrival.json["stageTimestamp"].as_str().or(arrival.json["timestamp"].as_str());
            let stamp = stamp.and_then(|stamp| chrono::DateTime::parse_from_rfc3339(stamp).ok());
            let stamp = stamp.and_then(|stamp| stamp.timestamp_nanos_opt()).unwrap_or(0);
            let delay = case.settings.lateness / 8 * i64::try_from(choices.below(8)).unwrap_or(0);
            (stamp.saturating_add(delay), arrival.clone())
        })
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    other.arrivals = arrivals.into_iter().map(|(_, arrival)| arrival).collect();
    if reference_answer(&other, rules, &Poison::default()).late > 0 {
        return Ok(());
    }
    let (alerts, _) = engine_answer(&other, rules);
    match difference(rules, &answer.alerts, &alerts, AtOnce::Nothing) {
        Some(text) => Err(format!("after a shuffle within the lateness:\n{text}")),
        None => Ok(()),
    }
}

/// What a request is known by, as it stands.
fn request(json: &serde_json::Value) -> [String; 5] {
    ["auditID", "requestReceivedTimestamp", "timestamp", "verb", "requestURI"]
        .map(|key| json[key].to_string())
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
fn same_place(case: &Case) -> bool {
    let place = |json: &serde_json::Value| {
        (request(json), json["stage"].to_string(), json["stageTimestamp"].to_string())
    };
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
        text += &format!("{} {}\n", arrival.source, arrival.json);
    }
    text
}
