//! Rules on alerts and on lines that are no event: whom they listen to, and what they may read.

use super::lowering::set;
use super::told;
use crate::ir::{AlertField, ExprKind, On, Piece, Root, Type, UndecodableField};

const OTHERS: &str = "
    rule first \"A\" { severity medium on get of secrets alert \"x\" }
    rule off \"B\" { severity low on get of pods disable alert \"x\" }
    rule third \"C\" { severity none on get of configmaps alert \"x\" }";

fn alerts(of: &str) -> Vec<usize> {
    let rules = set(&format!(
        "rule zero \"Z\" {{ severity low on alert of third alert \"x\" }} {OTHERS} rule r \"R\" {{ severity low on alert of {of} alert \"x\" }}"
    ))
    .rules;
    match &rules[4].steps[0].on {
        On::Alerts(rules) => rules.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_are_listened_to_by_number() {
    assert_eq!(alerts("third, first, third"), [1, 3]);
    assert_eq!(alerts("zero, off"), [0, 2]);
    // Neither those that are off nor those that listen to alerts themselves.
    assert_eq!(alerts("any"), [1, 3]);
}

#[test]
fn alerts_have_typed_fields_of_their_own() {
    let rules = set(&format!(
        "{OTHERS} rule r \"R\" {{ severity low on alert of any where \"x\" in alert.tags and alert.severity == \"medium\" by alert.rule
        when distinct(alert.rule) >= 3 within 1h
        alert \"{{alert.message}} {{alert.count}} {{alert.key['user.username']}} {{alert.approximate}} {{user.username}} {{desired.x}}\" }}"
    ))
    .rules;
    let values: Vec<_> = rules[3]
        .alert
        .iter()
        .filter_map(|piece| match piece {
            Piece::Value(value) => Some(value),
            Piece::Literal(_) => None,
        })
        .collect();
    let types: Vec<_> = values.iter().map(|value| value.ty.clone()).collect();
    assert_eq!(types, [Type::Text, Type::Number, Type::Any, Type::Bool, Type::Text, Type::Any]);
    let ExprKind::Read(place) = &values[2].kind else { panic!() };
    assert_eq!((place.root, place.segments.len()), (Root::Alert(AlertField::Key), 1));
    assert_eq!(place.text, "alert.key[\"user.username\"]");
}

#[test]
fn alerts_are_steps_too() {
    let rules = set(&format!(
        "{OTHERS} rule r \"R\" {{ severity low by source_ip sequence within 30m {{
        tries: on alert of first where alert.count > 3 entry: on any of any where verb == tries.alert.rule }}
        alert \"{{tries.alert.count}} {{entry.verb}} {{verb}}\" }}"
    ))
    .rules;
    let Piece::Value(count) = &rules[3].alert[0] else { panic!() };
    let ExprKind::Read(place) = &count.kind else { panic!() };
    assert_eq!((place.step, place.root), (Some(0), Root::Alert(AlertField::Count)));
}

#[track_caller]
fn said(on: &str, expected: &[&str]) {
    let text = format!("{OTHERS} rule r \"R\" {{ severity low {on} }}");
    let told: Vec<_> = told(&text);
    assert_eq!(told, expected, "{on}");
}

#[test]
fn rules_and_fields_are_known() {
    said(
        "on alert of frist alert \"x\"",
        &["E206 [frist] no rule is called `frist` -- did you mean `first`?"],
    );
    said(
        "on alert of first where alert.severity == \"hihg\" and alert.count == \"x\" and alert.messag == \"x\" and undecodable.offset > 3 alert \"{alert.key.x.y}\"",
        &[
            "E309 [\"hihg\"] `alert.severity` is never `\"hihg\"` -- did you mean `\"high\"`?",
            "E301 [alert.count == \"x\"] `alert.count` is a number and `\"x\"` is text, so they are never equal",
            "E201 [alert.messag] an event has no field `alert.messag` -- did you mean `alert.message`?",
            "E211 [undecodable] `undecodable.offset` holds in rules and steps `on undecodable` only",
        ],
    );
    said(
        "by user.username sequence within 5m { a: on alert of first b: on get of pods where alert.rule == a.alert.rule } alert \"{alert.rule} {b.alert.rule}\"",
        &[
            "E211 [alert] `alert.rule` holds in rules and steps `on alert of ..` only",
            "E211 [alert] `alert.rule` holds in rules and steps `on alert of ..` only",
            "E211 [alert] `b.alert.rule` holds in rules and steps `on alert of ..` only",
        ],
    );
    // Whichever comes last need not be an alert.
    said(
        "by user.username unordered within 5m { a: on alert of first b: on get of pods } alert \"{alert.rule} {a.alert.rule}\"",
        &["E211 [alert] `alert.rule` holds in rules and steps `on alert of ..` only"],
    );
    said(
        "on alert of off alert \"x\"",
        &[
            "W119 [off] `off` is off, so this hears nothing of it -- `severity none` tells a rule's alerts to other rules only",
        ],
    );
}

#[test]
fn circles_are_told_once() {
    let rule =
        |name: &str, of: &str| format!("rule {name} \"R\" {{ severity low on alert of {of} alert \"x\" }}");
    let help = "let one of them listen to what the other does: requests";
    assert_eq!(told(&rule("a", "a")), [format!("E411 [a] `a` listens to its own alerts -- {help}")]);
    let three = [rule("a", "b"), rule("b", "c"), rule("c", "a"), rule("d", "any, a")].join(" ");
    let three = three.replace("any, a", "a");
    assert_eq!(told(&three), [format!("E411 [a] `a` listens to its own alerts through `b`, `c` -- {help}")]);
    let mut long = String::new();
    for n in 0..20_000 {
        long.push_str(&rule(&format!("r{n}"), &format!("r{}", (n + 1) % 20_000)));
    }
    assert_eq!(told(&long).iter().filter(|line| line.starts_with("E411")).count(), 1);
}

#[test]
fn what_is_no_event_has_little_to_read() {
    let rules = set(
        "rule r \"R\" { severity low on undecodable where undecodable.reason == \"cut_off\" by source, cluster throttle 10m
        alert \"{undecodable.offset} {stageTimestamp} {source}\" }",
    )
    .rules;
    assert_eq!(rules[0].steps[0].on, On::Undecodable);
    let Piece::Value(offset) = &rules[0].alert[0] else { panic!() };
    assert_eq!(offset.ty, Type::Number);
    assert!(
        matches!(&offset.kind, ExprKind::Read(place) if place.root == Root::Undecodable(UndecodableField::Offset))
    );
    let help =
        "there is `undecodable.reason`, `undecodable.offset`, `source`, `cluster` and `stageTimestamp`";
    said(
        "on undecodable where user.username == \"x\" and object.name == \"x\" and undecodable.reason == \"cut\" and alert.rule == \"x\" alert \"{verb}\"",
        &[
            &format!("E211 [user] what is no event has no `user` -- {help}"),
            &format!("E211 [object] what is no event has no `object` -- {help}"),
            "E309 [\"cut\"] `undecodable.reason` is never `\"cut\"` -- it is one of cut_off, not_json, not_an_event, no_time, bad_event, too_large, too_deep, google_cloud_entry",
            "E211 [alert] `alert.rule` holds in rules and steps `on alert of ..` only",
            &format!("E211 [verb] what is no event has no `verb` -- {help}"),
        ],
    );
    // A `let` is put in where it is used.
    assert_eq!(
        told("let who = user.username rule r \"R\" { severity low on undecodable alert \"{who}\" }"),
        [format!("E211 [user] what is no event has no `user` -- {help}")]
    );
}

#[test]
fn severities_are_those_of_the_grammar() {
    let words: Vec<_> = crate::ir::Severity::ALL.iter().map(|severity| severity.word()).collect();
    assert_eq!(words, crate::schema::SEVERITIES);
}
