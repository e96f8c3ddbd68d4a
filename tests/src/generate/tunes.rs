//! Tunes: what a user changes of rules and lists without touching them. The reference gets the rules as they come out tuned.

use super::atoms;
use super::choices::Choices;
use super::windows::length;
use super::world::World;

/// Perhaps a tune of each of a few rules, and of a list.
pub(super) fn tunes(choices: &mut Choices<'_>, world: &World, rules: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for rule in rules {
        if !choices.chance(25) {
            continue;
        }
        let name = rule.split_whitespace().nth(1).unwrap_or_default();
        let events = !rule.contains("on alert") && !rule.contains("on undecodable");
        let mut changes = vec![(events, 0), (true, 1), (true, 2), (true, 3), (true, 4)];
        changes.retain(|(fits, _)| *fits);
        let from = choices.below(changes.len());
        changes.rotate_left(from);
        changes.truncate(choices.below(4));
        let mut text = format!("tune {name} {{\n");
        for (_, change) in changes {
            text += &match change {
                0 => format!("    except {}\n", atoms::general(choices, world)),
                1 => format!("    severity {}\n", choices.word(&["high", "low"])),
                2 => format!("    throttle {}\n", length(choices, world)),
                3 if rule.contains("    sequence ") || rule.contains("    unordered ") => {
                    format!("    within {}\n", length(choices, world))
                }
                3 if rule.contains("    when ") => {
                    let window = choices.word(&["within", "tumbling"]);
                    format!(
                        "    when count() >= {} {window} {}\n",
                        1 + choices.below(3),
                        length(choices, world)
                    )
                }
                4 if rule.contains("    disable") || choices.chance(20) => "    enable\n".to_owned(),
                4 if choices.chance(25) => "    disable\n".to_owned(),
                _ => String::new(),
            };
        }
        all.push(text + "}\n");
    }
    let list = choices.word(&["people", "places_of_note", "named", "odd"]);
    if list != "places_of_note" && choices.chance(25) {
        let (more, less) = if list == "odd" { ("403", "200") } else { ("\"Alice\"", "\"bob\"") };
        all.push(match choices.below(4) {
            0 => format!("tune list {list} {{}}\n"),
            1 => format!("tune list {list} {{\n    add [{more}]\n}}\n"),
            2 => format!("tune list {list} {{\n    remove [{less}]\n}}\n"),
            _ => format!("tune list {list} {{\n    add [{more}]\n    remove [{less}]\n}}\n"),
        });
    }
    all
}
