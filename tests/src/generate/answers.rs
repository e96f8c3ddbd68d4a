//! Rules about requests themselves: whether their answer came, whether an id stands for several. Most of them have the forms for
//! which the engine keeps a table, some are nearly that.

use super::atoms;
use super::choices::Choices;
use super::windows::{across, halves, length, throttle, written};
use super::world::World;

/// Such a rule.
pub(super) fn about_requests(choices: &mut Choices<'_>, world: &World, name: &str) -> String {
    let head = format!("rule {name} \"Random\" {{\n    severity low\n");
    let body = if choices.chance(60) { unanswered(choices, world) } else { repeated(choices, world) };
    head + &body + "}\n"
}

fn some(choices: &mut Choices<'_>, world: &World) -> String {
    match choices.below(8) {
        0 => format!("any of {}", choices.pick(&world.kinds).written),
        1 => "any but get of any".to_owned(),
        2 => "any of any resource".to_owned(),
        _ => "any of any".to_owned(),
    }
}

fn condition(choices: &mut Choices<'_>, world: &World, percent: usize) -> String {
    match choices.chance(percent) {
        true => format!(" where {}", atoms::general(choices, world)),
        false => String::new(),
    }
}

fn unanswered(choices: &mut Choices<'_>, world: &World) -> String {
    let mut text = choices
        .word(&[
            "    by request_id\n",
            "    by request_id\n",
            "    by id = request_id\n",
            "    by request_id, verb\n",
        ])
        .to_owned();
    text += across(choices);
    // As long as it takes to answer, often to the moment.
    text += &format!("    sequence within {} {{\n", written(halves(choices, world, &[1, 2, 2, 2, 4, 8])));
    let dry_run = choices.word(&[" including dry_run", " including dry_run", ""]);
    let on = some(choices, world);
    let asked = condition(choices, world, 25);
    text += &format!("        one: on {on} at RequestReceived{dry_run}{asked}\n");
    let within = match choices.chance(30) {
        true => format!(" within {}", written(halves(choices, world, &[1, 1, 2]))),
        false => String::new(),
    };
    let on = some(choices, world);
    let stage = choices.word(&["", "", "", " at ResponseComplete"]);
    let answered = match choices.below(12) {
        0 => " where user.username == one.user.username".to_owned(),
        _ => condition(choices, world, 20),
    };
    text += &format!("        no answer{within}: on {on}{stage} including dry_run{answered}\n    }}\n");
    text += &throttle(choices, world, 30);
    text + "    alert \"{one.user.username} {one.verb} {one.requestURI} {one.objectRef.name} {request_id} {one.user.groups}\"\n"
}

fn repeated(choices: &mut Choices<'_>, world: &World) -> String {
    let on = some(choices, world);
    let stage = choices.word(&["", "", "", " at ResponseComplete", " at RequestReceived", " at any"]);
    let mut text = format!("    on {on}{stage}\n");
    if choices.chance(25) {
        text += &format!("    where {}\n", atoms::general(choices, world));
    }
    text += choices.word(&[
        "    by auditID\n",
        "    by auditID\n",
        "    by id = auditID\n",
        "    by request_id\n",
    ]);
    text += across(choices);
    let condition = choices.word(&[
        "distinct(request_id) >= 2",
        "distinct(request_id) >= 2",
        "distinct(request_id) >= 3",
        "count() >= 2 and distinct(request_id) < 4",
        "count() > 1",
    ]);
    text += &format!("    when {condition} within {}\n", length(choices, world));
    text += &throttle(choices, world, 70);
    text + "    alert \"{auditID} {distinct(request_id)} {count()} {user.username} {requestURI} {sourceIPs} {annotations}\"\n"
}
