//! Rules that listen to other rules, and to what is no event.

use super::choices::Choices;
use super::windows::{across, length, throttle};
use super::world::World;

/// A rule on the alerts of these rules, or of any.
pub(super) fn on_alert(choices: &mut Choices<'_>, world: &World, name: &str, heard: &[String]) -> String {
    let first = choices.below(heard.len().max(1));
    let mut heard = heard.to_vec();
    heard.rotate_left(first);
    heard.truncate(1 + choices.below(3));
    let of = if choices.chance(30) || heard.is_empty() { "any".to_owned() } else { heard.join(", ") };
    let mut text = format!("rule {name} \"Random\" {{\n    severity high\n    on alert of {of}\n");
    if choices.chance(45) {
        let condition = choices.word(&[
            "alert.severity in [\"high\", \"critical\", \"low\"]",
            "alert.rule like \"r*\"",
            "alert.count >= 2",
            "alert.message contains \"alice\" or alert.message contains \"get\"",
            "alert.tags[] == \"random\"",
            "present(alert.key[\"user.username\"])",
            "alert.key[\"user.username\"] == \"bob\" or verb == \"get\"",
            "alert.approximate == false",
            "alert.approximate == false and alert.rule like \"r*\"",
            "responseStatus.code < 300",
            "present(objectRef.name)",
        ]);
        text += &format!("    where {condition}\n");
    }
    let by = choices.word(&[
        "",
        "    by alert.rule\n",
        "    by user.username\n",
        "    by who = alert.key[\"user.username\"]\n",
        "    by objectRef.namespace\n",
    ]);
    text += by;
    text += across(choices);
    text += &shape(choices, world, "distinct(alert.rule)", "sum(alert.count)", "alert.rule");
    text + "    alert \"{alert.rule} {alert.severity} {alert.count} {alert.key} {alert.tags} {user.username}: {alert.message}\"\n}\n"
}

/// A rule on what is no event.
pub(super) fn on_undecodable(choices: &mut Choices<'_>, world: &World, name: &str) -> String {
    let mut text = format!("rule {name} \"Random\" {{\n    severity low\n    on undecodable\n");
    if choices.chance(45) {
        let condition = choices.word(&[
            "undecodable.reason == \"not_an_event\"",
            "undecodable.reason in [\"bad_event\", \"no_time\", \"cut_off\", \"not_json\"]",
            "undecodable.reason in [\"cut_off\", \"google_cloud_entry\"]",
            "undecodable.offset > 2000",
            "source != \"log-0\"",
            "time_of_day(stageTimestamp) in 06:00..18:00",
        ]);
        text += &format!("    where {condition}\n");
    }
    text += choices.word(&["", "    by source\n", "    by undecodable.reason\n", "    by cluster\n"]);
    text += across(choices);
    let (a, b) = ("distinct(undecodable.reason)", "max(undecodable.offset)");
    text += &shape(choices, world, a, b, "undecodable.reason");
    text + "    alert \"{undecodable.reason} at {undecodable.offset} of {source} {cluster} {stageTimestamp}\"\n}\n"
}

/// A window, or none.
fn shape(choices: &mut Choices<'_>, world: &World, distinct: &str, sum: &str, first: &str) -> String {
    let condition = match choices.below(5) {
        0 => format!("{distinct} >= 2"),
        1 => format!("{sum} > 1"),
        _ => format!("count() >= {}", 1 + choices.below(3)),
    };
    let length = length(choices, world);
    let when = match choices.below(10) {
        0..3 => String::new(),
        3..6 => format!("    when {condition} within {length}\n"),
        6 => format!("    when {condition} tumbling {length}\n"),
        7 => format!("    when {condition} session gap {length} within 1h\n"),
        8 => format!("    when first_seen({first}) within {length} learning 0s\n"),
        _ => format!("    when silent for {length}\n"),
    };
    when + &throttle(choices, world, 40)
}
