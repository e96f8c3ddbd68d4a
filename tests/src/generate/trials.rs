//! Tests as users write them. What they expect is anything; what their events bring is held to the reference.

use super::choices::Choices;
use super::windows::length;
use super::world::World;

/// Perhaps tests of rules.
pub(super) fn trials(choices: &mut Choices<'_>, world: &World, rules: &[String]) -> Vec<String> {
    let some = |rule: &&String| rule.starts_with("rule ") && !rule.contains("on undecodable");
    let fitting: Vec<&String> = rules.iter().filter(some).collect();
    let hearing: Vec<&String> = fitting.iter().copied().filter(|rule| rule.contains("on alert")).collect();
    // Those that hang on when the test ends.
    let ending =
        |rule: &&String| ["silent for", " tumbling ", " session "].iter().any(|word| rule.contains(word));
    let ending: Vec<&String> = fitting.iter().copied().filter(ending).collect();
    let mut all = Vec::new();
    if fitting.is_empty() || !choices.chance(50) {
        return all;
    }
    for _ in 0..1 + choices.below(2) {
        let rule = match choices.below(5) {
            0 | 1 if !hearing.is_empty() => choices.pick(&hearing),
            2 | 3 if !ending.is_empty() => choices.pick(&ending),
            _ => choices.pick(&fitting),
        };
        let name = rule.split_whitespace().nth(1).unwrap_or_default();
        let tuned = choices.word(&["", "", "tuned "]);
        let mut text = format!("test {tuned}{name} \"random\" {{\n");
        if choices.chance(50) {
            text += "    start \"2026-01-05T08:00:00Z\"\n";
        }
        if choices.chance(85) {
            text += &format!("    given {}\n", map(choices, world, false));
        }
        for _ in 0..choices.below(5) {
            let at = length(choices, world);
            let repeat = match choices.chance(40) {
                true => format!(" {} times every {}", 1 + choices.below(4), length(choices, world)),
                false => String::new(),
            };
            let one = if repeat.is_empty() { choices.word(&["", "", " as one", " as two"]) } else { "" };
            text += &format!("    at {at}{repeat}{one} {}\n", map(choices, world, true));
        }
        if choices.chance(if ending.contains(rule) { 60 } else { 15 }) {
            // Behind all events, of which the last may be five hours after the start.
            text += &format!("    until {}\n", choices.word(&["1d", "6h", "5h1m"]));
        }
        if choices.chance(30) {
            text += "    expect no alert\n";
            all.push(text + "}\n");
            continue;
        }
        for _ in 0..1 + choices.below(2) {
            let expected = match choices.below(5) {
                0 | 1 => format!("{} alerts", 1 + choices.below(3)),
                2 => format!("alert at {}", length(choices, world)),
                3 => "alert".to_owned(),
                4 => "alert at 2s { user.username: \"alice\", lower(verb): \"get\" }".to_owned(),
                _ => "alert { user.username: \"bob\" }".to_owned(),
            };
            text += &format!("    expect {expected}\n");
        }
        all.push(text + "}\n");
    }
    all
}

/// What events have; a body only beside the verb and the resource that it is of.
fn map(choices: &mut Choices<'_>, world: &World, bodies: bool) -> String {
    let kind = choices.pick(&world.kinds);
    let user = choices.pick(&world.users);
    let mut all = Vec::new();
    if choices.chance(80) {
        let verb = choices.word(&["get", "create", "patch", "delete"]);
        all.push(format!("verb: \"{verb}\", user.username: \"{user}\""));
        all.push(format!("objectRef.resource: \"{}\"", kind.plural));
        match kind.subresource {
            Some(subresource) => all.push(format!("objectRef.subresource: \"{subresource}\"")),
            // What all events share may be about another resource's.
            None if bodies => all.push("objectRef.subresource: null".to_owned()),
            None => {}
        }
        if kind.plural == "widgets" {
            all.push("objectRef.apiGroup: \"example.com\"".to_owned());
        }
        if bodies && matches!(kind.plural, "secrets" | "configmaps") && verb == "create" {
            all.push("requestObject: { immutable: false, metadata: { name: \"web\" } }".to_owned());
        }
        if bodies && kind.plural == "widgets" && verb == "create" {
            all.push(
                "requestObject: { spec: { x: -3, \"on\": true, off: false, none: null, \"list\": [{ a: 1 }, [], \"x\"], map: {} }, }"
                    .to_owned(),
            );
        }
    }
    if choices.chance(15) {
        all.push("impersonatedUser: { username: \"bob\" }".to_owned());
    }
    if choices.chance(60) {
        all.push(format!("responseStatus.code: {}", choices.word(&["200", "403", "201"])));
    }
    if choices.chance(50) {
        let groups = ["[]", "[\"dev\"]", "[\"dev\", \"ops\"]", "[\"dev\", \"ops\", \"system:nodes\",]"];
        all.push(format!("user.groups: {}", choices.word(&groups)));
    }
    if choices.chance(40) {
        all.push("annotations[\"n\"]: \"{n}\"".replace("{n}", choices.word(&["1", "2.5", "x"])));
    }
    if choices.chance(40) {
        all.push("objectRef.name: \"web\"".to_owned());
    }
    if choices.chance(20) {
        all.push("userAgent: null".to_owned());
    }
    if choices.chance(20) {
        all.push("\"sourceIPs\": [\"10.0.0.1\", \"203.0.113.7\"]".to_owned());
    }
    if all.is_empty() {
        return "{}".to_owned();
    }
    let end = choices.word(&["", "", ","]);
    format!("{{ {}{end} }}", all.join(", "))
}
