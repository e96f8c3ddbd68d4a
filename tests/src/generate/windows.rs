//! Windows as text: what is counted, over which lengths of time, and when a key is new or silent.
//!
//! Every length is a few of the world's unit, which is also what lies between events, so that what happens exactly at an edge
//! is no rare thing.

use super::atoms;
use super::choices::Choices;
use super::rules::{self, About};
use super::world::World;

/// A length of time as the language writes it.
pub(super) fn written(nanos: i64) -> String {
    const PARTS: [(&str, i64); 4] =
        [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];
    let mut rest = nanos;
    let mut text = String::new();
    for (unit, length) in PARTS {
        if rest / length > 0 {
            text += &format!("{}{unit}", rest / length);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// So many halves of the world's unit.
pub(super) fn halves(choices: &mut Choices<'_>, world: &World, of: &[i64]) -> i64 {
    choices.pick(of) * (world.unit / 2)
}

/// A length of time, as text.
pub(super) fn length(choices: &mut Choices<'_>, world: &World) -> String {
    if choices.chance(12) {
        return choices.word(&["2s", "10s", "1m", "1h"]).to_owned();
    }
    written(halves(choices, world, &[1, 2, 2, 3, 4, 4, 6, 8]))
}

/// A rule's clauses from its `by` on, for a window over such matches.
pub(super) fn clauses(choices: &mut Choices<'_>, world: &World, about: &About) -> String {
    let key = choices.chance(75).then(|| rules::key(choices));
    let mut text = key.as_ref().map(|key| format!("    by {}\n", key.0)).unwrap_or_default();
    text += across(choices);
    let forms = ["tumbling", "session", "first_seen", "silent"];
    let form = if choices.chance(35) { None } else { Some(choices.word(&forms)) };
    let names = key.as_ref().map(|key| key.1.clone()).unwrap_or_default();
    match form {
        Some("first_seen") => text += &first_seen(choices, world, about, &names),
        Some("silent") => return silent(choices, world),
        form => text += &counted(choices, world, about, &names, form),
    }
    text
}

pub(super) fn across(choices: &mut Choices<'_>) -> &'static str {
    if choices.chance(25) { "    across clusters\n" } else { "" }
}

pub(super) fn throttle(choices: &mut Choices<'_>, world: &World, percent: usize) -> String {
    if !choices.chance(percent) {
        return String::new();
    }
    let length = match choices.below(3) {
        0 => "0s".to_owned(),
        1 => choices.word(&["5s", "1m", "1h"]).to_owned(),
        _ => length(choices, world),
    };
    format!("    throttle {length}\n")
}

fn counted(
    choices: &mut Choices<'_>,
    world: &World,
    about: &About,
    key: &[String],
    form: Option<&str>,
) -> String {
    let (condition, counted) = condition(choices, world);
    let window = match form {
        Some("tumbling") => format!("tumbling {}", length(choices, world)),
        Some("session") => {
            let gap = halves(choices, world, &[1, 2, 2, 3, 4]);
            let within = gap + halves(choices, world, &[0, 1, 2, 4, 100]);
            format!("session gap {} within {}", written(gap), written(within))
        }
        _ => format!("within {}", length(choices, world)),
    };
    let mut text = format!("    when {condition} {window}\n");
    text += &throttle(choices, world, 50);
    let mut alert = rules::alert(choices, about, key, "");
    alert += &counted.iter().map(|c| format!(" {{{c}}}")).collect::<String>();
    text + &format!("    alert \"{}\"\n", alert.replace('"', "\\\""))
}

/// A condition over aggregates, and those of them that an alert's text may show.
fn condition(choices: &mut Choices<'_>, world: &World) -> (String, Vec<String>) {
    let (a, b) = (counter(choices, world), counter(choices, world));
    let n = 1 + choices.below(3);
    let condition = match choices.below(16) {
        10.. => return measured(choices, world),
        0..4 => format!("{a} >= {n}"),
        4 => format!("{n} <= {a} or {b} < {n}"),
        5 => format!("{a} == {n}"),
        6 => format!("{a} >= 1 and {b} >= {n}"),
        7 => format!("{a} / {b} >= 0.5"),
        8 => format!("not ({a} > {n})"),
        _ => format!("{a} > {b} or {b} >= {n}"),
    };
    let shown =
        [a, b].into_iter().filter(|c| condition.contains(c.as_str()) && !c.contains("where")).collect();
    (condition, shown)
}

/// How many.
fn counter(choices: &mut Choices<'_>, world: &World) -> String {
    match choices.below(7) {
        0..2 => "count()".to_owned(),
        2 => format!("count(where {})", atoms::general(choices, world)),
        3 => "distinct(objectRef.name)".to_owned(),
        4 => "distinct(objectRef.namespace, object.name)".to_owned(),
        5 => format!("distinct({})", {
            let values = [
                "source_ip",
                "user.groups[]",
                "verb",
                "responseStatus.code",
                "user.username",
                "split(annotations[\"s\"], \",\")[]",
                "objectRef.namespace, verb, user.groups[]",
                "verb, responseStatus.code, source_ip",
            ];
            choices.word(&values)
        }),
        _ => format!("distinct(user.username where {})", atoms::general(choices, world)),
    }
}

/// Sums and their like, of numbers, durations and times.
fn measured(choices: &mut Choices<'_>, world: &World) -> (String, Vec<String>) {
    let part = |choices: &mut Choices<'_>| match choices.chance(20) {
        true => format!(" where {}", atoms::general(choices, world)),
        false => String::new(),
    };
    let order = choices.word(&["<", "<=", ">", ">=", "==", "!="]);
    let order = if choices.chance(50) { ">=" } else { order };
    let percentile = choices.word(&["50", "33", "66.7", "99", "100", "25", "0.1", "75"]);
    let condition = match choices.below(10) {
        0..6 => {
            let value = choices.word(&[
                "number(annotations[\"n\"])",
                "number(annotations[\"n\"]) + 0.1",
                "responseStatus.code",
                "len(user.groups)",
                "quantity(annotations[\"q\"])",
                "number(split(annotations[\"n\"], \".\")[])",
            ]);
            let (a, b) = (part(choices), part(choices));
            let than = choices.word(&["1", "2.5", "3", "200", "400.5", "-3", "0"]);
            match choices.below(14) {
                13 => format!("percentile(responseStatus.code, {percentile}{a}) >= 200"),
                12 => format!("avg(responseStatus.code{a}) >= 200"),
                9.. => format!("avg({value}) > min({value}{a})"),
                0 => format!("sum({value}{a}) {order} {than}"),
                1 => format!("avg({value}{a}) {order} {than}"),
                2 => format!("min({value}{a}) {order} {than}"),
                3 => format!("max({value}{a}) {order} {than}"),
                4 => format!("percentile({value}, {percentile}{a}) {order} {than}"),
                5 => format!("max({value}{a}) - min({value}{b}) {order} {than}"),
                6 => format!("sum({value}{a}) / count() {order} {than} or count() > 2"),
                7 => format!("percentile({value}, {percentile}{a}) {order} avg({value}{a})"),
                _ => format!("max({value}{a}) * 2 > sum({value}{b}) and count() >= 2"),
            }
        }
        6..8 => {
            let value = choices.word(&[
                "stageTimestamp - requestReceivedTimestamp",
                "(stageTimestamp - requestReceivedTimestamp) / 3",
            ]);
            let of = choices.word(&["sum", "avg", "min", "max"]);
            let than = choices.word(&["0s", "100ms", "2s", "700ms"]);
            match choices.below(3) {
                0 => format!("percentile({value}, {percentile}{}) {order} {than}", part(choices)),
                1 => format!("sum({value}) / count() {order} {than}"),
                _ => format!("{of}({value}{}) {order} {than}", part(choices)),
            }
        }
        _ => {
            let length = length(choices, world);
            let value = choices.word(&["stageTimestamp", "requestReceivedTimestamp"]);
            match choices.below(3) {
                0 => format!("max({value}) - min(stageTimestamp{}) {order} {length}", part(choices)),
                1 => format!("percentile({value}, {percentile}) > min({value}) + {length}"),
                _ => {
                    format!("min(requestReceivedTimestamp) + {length} {order} max({value}{})", part(choices))
                }
            }
        }
    };
    let mut shown = Vec::new();
    for of in ["sum(", "avg(", "min(", "max(", "percentile("] {
        if let Some(at) = condition.find(of) {
            let call = &condition[at..=at + closing(&condition[at..])];
            if !call.contains("where") {
                shown.push(call.to_owned());
            }
        }
    }
    (condition, shown)
}

/// Where the first parenthesis closes.
fn closing(text: &str) -> usize {
    let mut open = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => open += 1,
            ')' if open == 1 => return at,
            ')' => open -= 1,
            _ => {}
        }
    }
    text.len() - 1
}

fn first_seen(choices: &mut Choices<'_>, world: &World, about: &About, key: &[String]) -> String {
    let values = choices.word(&[
        "objectRef.name",
        "user.username, source_ip",
        "user.groups[]",
        "user.groups[], verb",
        "object.name",
        "responseStatus.code",
        "annotations[\"n\"]",
        "objectRef.namespace, objectRef.name, verb",
        "split(annotations[\"s\"], \",\")[]",
    ]);
    let within = written(halves(choices, world, &[1, 2, 4, 4, 8, 16, 100]));
    let learning = written(halves(choices, world, &[0, 0, 1, 2, 3, 4, 8]));
    let mut text = format!("    when first_seen({values}) within {within} learning {learning}\n");
    text += &throttle(choices, world, 15);
    text + &format!("    alert \"{}\"\n", rules::alert(choices, about, key, ""))
}

/// Its own `by` goes with it.
fn silent(choices: &mut Choices<'_>, world: &World) -> String {
    let (by, shown, among) = match choices.below(8) {
        0..2 => ("", "verb", ""),
        2 => ("    by user.username\n", "user.username", ""),
        3 => ("    by objectRef.namespace, verb\n", "verb", ""),
        4 => ("    by who = lower(user.username)\n", "who", ""),
        5 => ("    by user.username\n", "user.username", " among people"),
        6 => ("    by place = objectRef.namespace\n", "place", " among places"),
        _ => ("    by cluster\n", "cluster", " among clusters"),
    };
    let across = if among.is_empty() { across(choices) } else { "" };
    let mut text = format!("{by}{across}    when silent for {}{among}\n", length(choices, world));
    text += &throttle(choices, world, 20);
    text + &format!("    alert \"{{{shown}}} is silent, last {{stageTimestamp}} {{objectRef.name}}\"\n")
}
