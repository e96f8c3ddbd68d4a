//! An explanation as a tree of lines.

use std::fmt::Write as _;
use std::sync::Arc;

use engine::alert::Evidence;
use engine::explain::{Expired, Node, Step, shown};
use engine::matches::Value;
use engine::plan::late::Truth;
use engine::state::{Judged, Outcome, Watched, WindowSeen};

use super::{Became, Found};
use crate::human::{evidence, printable, time};

/// How much of a condition's text is shown, if its parts stand below it, and if it has none.
const WHOLE_CHARS_MAX: usize = 70;
const LEAF_CHARS_MAX: usize = 160;

/// Events of a window that are named on a line, of the first and of the last.
const NAMED_EDGE: usize = 3;

/// Everything about one event.
pub(super) fn explained(rule: &str, found: &Found, became: &[&Became]) -> String {
    let mut out = String::new();
    // Writing to a string does not fail.
    let _ok = write(&mut out, rule, found, became);
    out
}

fn write(out: &mut String, rule: &str, found: &Found, became: &[&Became]) -> std::fmt::Result {
    let event = &found.explained;
    writeln!(out, "event {}", printable(&event.audit_id))?;
    let (source, offset) = (printable(&found.source), event.offset);
    writeln!(out, "  {:?} at {}, {source} at byte {offset}", event.stage, time(event.time))?;
    for step in &event.steps {
        let name = step.name.as_ref().map(|name| format!(", step {name}")).unwrap_or_default();
        let answer = match (step.passed_over, step.matched) {
            (Some(why), _) => format!("does not listen to it: {why}"),
            (None, true) => "takes it".to_owned(),
            (None, false) => "does not take it".to_owned(),
        };
        writeln!(out, "rule {rule}{name} {answer}")?;
        if step.passed_over.is_none() {
            write_step(out, step)?;
        }
    }
    for one in became {
        write_became(out, one)?;
    }
    Ok(())
}

fn write_step(out: &mut String, step: &Step) -> std::fmt::Result {
    if step.dry_run_unknown {
        writeln!(out, "  it is unknown whether this was a dry run")?;
    }
    for (word, node) in step
        .condition
        .iter()
        .map(|node| ("where", node))
        .chain(step.excepts.iter().map(|node| ("except", node)))
    {
        writeln!(out, "  {word}")?;
        write_node(out, node, 2)?;
    }
    for (name, value) in &step.key {
        writeln!(out, "  by {name} = {}", printable(value))?;
    }
    Ok(())
}

/// A condition, its values below it, then its parts. Conditions nest no deeper than the language lets them.
fn write_node(out: &mut String, node: &Node, depth: usize) -> std::fmt::Result {
    let indent = "  ".repeat(depth);
    // What a part is made of stands below it: of the whole a glimpse is enough.
    let chars_max = if node.parts.is_empty() { LEAF_CHARS_MAX } else { WHOLE_CHARS_MAX };
    writeln!(out, "{indent}{:<8} {}", truth(node.truth), short(&node.text, chars_max))?;
    if node.parts.is_empty() {
        for read in &node.values {
            let why = read.why.map(|why| format!(" (unknown: {why})")).unwrap_or_default();
            writeln!(out, "{indent}           {} = {}{why}", printable(&read.text), printable(&read.value))?;
        }
    }
    node.parts.iter().try_for_each(|part| write_node(out, part, depth + 1))
}

fn short(text: &str, chars_max: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(chars_max) {
        Some((at, _)) => format!("{} …", printable(&text[..at])),
        None => printable(&text),
    }
}

/// A truth's word.
pub(super) fn truth(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    }
}

fn write_became(out: &mut String, became: &Became) -> std::fmt::Result {
    let Became { watched, lacks } = became;
    let lacked = lacks.words.as_ref().map(|words| format!(" ({})", printable(words))).unwrap_or_default();
    writeln!(out, "so {}{lacked}", outcome(watched))?;
    if let Some(window) = &watched.window {
        let values: Vec<String> =
            window.aggregates.iter().map(|(text, value)| format!("{text} is {}", shown(value))).collect();
        writeln!(
            out,
            "  its window held {} events: {}; `when` is {}",
            window.count,
            values.join(", "),
            truth(window.truth)
        )?;
        window.events.iter().try_for_each(|event| write_evidence(out, event))?;
    }
    if !watched.waiting.is_empty() {
        let waiting: Vec<String> = watched.waiting.iter().map(usize::to_string).collect();
        writeln!(out, "  at its steps waited: {}", waiting.join(", "))?;
    }
    for event in watched.choice.iter().flatten().flatten() {
        write_evidence(out, event)?;
    }
    Ok(())
}

fn write_evidence(out: &mut String, event: &Evidence) -> std::fmt::Result {
    let step = event.step.as_ref().map(|step| format!("{step}: ")).unwrap_or_default();
    writeln!(out, "    {}  {step}{}", time(event.meta.stage_timestamp), evidence(event))
}

/// A key in brackets, if there is one.
pub(super) fn key(key: &[(Arc<str>, Value)]) -> String {
    let parts: Vec<String> =
        key.iter().map(|(name, value)| format!("{name}={}", printable(&shown(value)))).collect();
    if parts.is_empty() { String::new() } else { format!("  [{}]", parts.join(", ")) }
}

/// What was in a window of more than one event, on a line below.
pub(super) fn in_window(window: &WindowSeen) -> String {
    if window.count < 2 {
        return String::new();
    }
    let name = |event: &Evidence| match event.meta.stage {
        Some(_) => format!("{} {}", time(event.meta.stage_timestamp), printable(&event.meta.audit_id)),
        None => format!("{} {}", time(event.meta.stage_timestamp), evidence(event)),
    };
    let shown = window.events.len();
    let (first, last) = (shown.min(NAMED_EDGE), shown.saturating_sub(NAMED_EDGE).max(NAMED_EDGE).min(shown));
    let mut names: Vec<String> = window.events.iter().take(first).map(name).collect();
    let named = (first + shown - last) as u64;
    if window.count > named {
        names.push(format!("… {} more …", window.count - named));
    }
    names.extend(window.events.iter().skip(last).map(name));
    format!("\n    in the window: {}", names.join(", "))
}

/// What of a sequence began and was not completed: one line.
pub(super) fn expired(expired: &Expired) -> String {
    let Expired { from, until, cut, words, .. } = expired;
    let what = if *cut { "still waits, and the input ends" } else { "came to nothing" };
    let key = key(&expired.key);
    format!("{}  what began at {} {what}{key}  ({})", time(*until), time(*from), printable(words))
}

/// A window that closed, or a silence that lasted: one line.
pub(super) fn over(judged: &Judged, lacked: Option<&str>) -> String {
    let (start, end) = judged.span;
    let what = match &judged.window {
        Some(window) => {
            let events = if window.count == 1 { "event" } else { "events" };
            format!("the window since {} closes with {} {events}", time(start), window.count)
        }
        None => format!("nothing came since {}", time(start)),
    };
    let cut = if judged.cut { format!(", before {}: the input ends", time(end)) } else { String::new() };
    let outcome = match &judged.outcome {
        Outcome::NotTrue => "`when` is not true".to_owned(),
        other => became(other),
    };
    let lacked = lacked.map(|lacked| format!(" ({})", printable(lacked))).unwrap_or_default();
    let events = judged.window.as_ref().map(in_window).unwrap_or_default();
    format!("{}  {what}{cut}{}  {outcome}{lacked}{events}", time(judged.at), key(&judged.key))
}

/// What became of a match.
pub(super) fn outcome(watched: &Watched) -> String {
    match (&watched.outcome, watched.forbidden.as_ref().and_then(|by| by.step.as_deref())) {
        (Outcome::Forbidden, Some(step)) => format!("it completes no sequence: `no {step}` forbids it"),
        (other, _) => became(other),
    }
}

fn became(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Fired(id) => {
            let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("it told an alert, {id}")
        }
        Outcome::Throttled { since } => {
            format!("its alert was held back by the throttle, since {}", time(*since))
        }
        Outcome::NotTrue => "it was counted, and `when` is not true".to_owned(),
        Outcome::Counted => "it is in a window that is judged when it closes".to_owned(),
        Outcome::Learned => "it shows something new, but its key only learns yet".to_owned(),
        Outcome::Known => "it shows nothing that its key has not shown before".to_owned(),
        Outcome::Heard => "it breaks the silence of its key".to_owned(),
        Outcome::Waits => "it waits for a later step".to_owned(),
        Outcome::Forbids => "it forbids sequences around it".to_owned(),
        Outcome::WaitsUntil(until) => format!("its answer waits until {}", time(*until)),
        Outcome::NoChoice => "it completes no sequence".to_owned(),
        Outcome::Forbidden => "it completes no sequence: a `no` step forbids it".to_owned(),
        Outcome::Duplicate => "nothing more: its request had been taken before".to_owned(),
        Outcome::LeftOutLate => "it was left out: later than the window is long".to_owned(),
        Outcome::KeyUnknown => "it was left out: a part of its key is unknown".to_owned(),
        Outcome::KeyAbsent => "it was left out: no part of its key is there".to_owned(),
        Outcome::Refused => "it was left out: there are too many keys".to_owned(),
    }
}
