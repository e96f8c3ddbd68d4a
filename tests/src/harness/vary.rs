//! What must not show in an answer: how the log is cut, on how many threads it is matched, where the state is saved and loaded,
//! in which order events come within the lateness, that some come twice, over how many sources they come, which other rules
//! come and go.
//!
//! Each case is driven in ways of its own (blocks, 1, 2 and 7 threads, saves: they change nothing at all), goes over to other rules in the
//! middle, and is changed in each of the other ways, which have their conditions.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir::RuleSet;
use engine::plan::Plan;

use super::carried::changed;
use super::drive::{Way, drive};
use super::hold::{instant, request, same_place};
use super::run::{limits, plain};
use super::{AtOnce, difference, reference_answer, rests_on_places};
use crate::generate::{Case, Choices};
use crate::reference::{Answer, Arrival, Poison, RefAlert, waits};

/// All forms in which a case can be run again.
pub(super) const FORMS: &[&str] = &[
    "on 1 thread",
    "on 2 threads",
    "on 7 threads",
    "saved and loaded",
    "under other rules",
    "shuffled",
    "with repeats",
    "over several sources",
];

/// Runs the variations of a case that held as it stands, and gives the forms that it had.
///
/// # Errors
/// What differs, as text.
pub(super) fn vary(
    case: &Case,
    rules: &RuleSet,
    answer: &Answer,
    at_once: AtOnce,
) -> Result<BTreeSet<&'static str>, String> {
    let mut choices = Choices::seeded(case.framing);
    let mut without = limits(case);
    without.request_table_bytes_max = 0;
    let plans = [Arc::new(Plan::new(rules, without)), Arc::new(Plan::new(rules, limits(case)))];
    let run = |case: &Case, way: &Way| -> Result<Vec<RefAlert>, String> {
        let (alerts, _) = drive(&plans[usize::from(way.tables)], case, way)?;
        Ok(alerts.iter().map(plain).collect())
    };
    let mut forms = BTreeSet::new();
    for (threads, form) in [1, 2, 7].into_iter().zip(FORMS) {
        let way = Way::random(threads, &mut choices);
        if let Some(text) = difference(rules, &answer.alerts, &run(case, &way)?, at_once) {
            return Err(format!("driven another way, {way:?}:\n{text}"));
        }
        forms.insert(*form);
        if way.cuts > 0 {
            forms.insert("saved and loaded");
        }
    }
    if changed(case, rules, answer, at_once, &mut choices)? {
        forms.insert("under other rules");
    }
    // Where somebody looks at silences, the order of arrival is a part of what is looked at.
    if case.live() {
        return Ok(forms);
    }
    // What is no event is known by its place, which all that follows changes.
    let apart = |alert: &&RefAlert| {
        let mut own = rules.rules.iter().enumerate().filter(|(_, rule)| rule.name == alert.rule);
        !own.any(|(n, _)| rests_on_places(rules, n))
    };
    let of = |all: &[RefAlert]| all.iter().filter(apart).cloned().collect::<Vec<_>>();
    let plain_way = Way { threads: 1, piece: 1 << 20, cuts: 0, tables: true, seed: 0 };
    let others = [
        ("shuffled", shuffled(case, rules, answer, &mut choices), AtOnce::Nothing),
        ("with repeats", Some(repeated(case, &mut choices)), at_once),
        ("over several sources", split(case, answer, &mut choices), AtOnce::Ids),
    ];
    for (form, other, at_once) in others {
        let Some(other) = other else { continue };
        if let Some(text) = difference(rules, &of(&answer.alerts), &of(&run(&other, &plain_way)?), at_once) {
            return Err(format!("{form}, {} sources:\n{text}", other.sources.len()));
        }
        forms.insert(form);
    }
    Ok(forms)
}

/// Its events in another order within the lateness. Rules that wait must not mind.
fn shuffled(case: &Case, rules: &RuleSet, answer: &Answer, choices: &mut Choices<'_>) -> Option<Case> {
    if answer.late > 0 || !(0..rules.rules.len()).any(|rule| waits(rules, rule)) || same_place(case) {
        return None;
    }
    let mut other = case.clone();
    let mut arrivals: Vec<(i64, Arrival)> = case
        .arrivals
        .iter()
        .map(|arrival| {
            let stamp = instant(&arrival.json, "stageTimestamp");
            let stamp = stamp.and_then(|stamp| stamp.timestamp_nanos_opt()).unwrap_or(0);
            let delay = case.settings.lateness / 8 * i64::try_from(choices.below(8)).unwrap_or(0);
            (stamp.saturating_add(delay), arrival.clone())
        })
        .collect();
    arrivals.sort_by_key(|(at, _)| *at);
    other.arrivals = arrivals.into_iter().map(|(_, arrival)| arrival).collect();
    (reference_answer(&other, rules, &Poison::default()).late == 0).then_some(other)
}

/// Some of its events come twice in a row, or three times.
fn repeated(case: &Case, choices: &mut Choices<'_>) -> Case {
    let mut other = case.clone();
    other.arrivals = Vec::new();
    for arrival in &case.arrivals {
        other.arrivals.push(arrival.clone());
        while choices.chance(30) {
            other.arrivals.push(arrival.clone());
        }
    }
    other
}

/// Its requests come by several sources, each request by one. Without late events, and where no rule asks for the source,
/// nobody can tell.
fn split(case: &Case, answer: &Answer, choices: &mut Choices<'_>) -> Option<Case> {
    let [only] = case.sources.as_slice() else { return None };
    let text = case.rules.text();
    let asks = text.split(|c: char| c != '_' && !c.is_ascii_alphanumeric()).any(|word| word == "source");
    if answer.late > 0 || asks || same_place(case) {
        return None;
    }
    let mut other = case.clone();
    let several = 2 + choices.below(2);
    other.sources = (0..several)
        .map(|n| crate::reference::Source { name: format!("part-{n}"), ..only.clone() })
        .collect();
    let mut known: Vec<([String; 4], usize)> = Vec::new();
    for arrival in &mut other.arrivals {
        let request = request(&arrival.json);
        arrival.source = match known.iter().find(|(of, _)| *of == request) {
            Some((_, source)) => *source,
            None => {
                known.push((request, choices.below(several)));
                known.last().map_or(0, |(_, source)| *source)
            }
        };
    }
    Some(other)
}
