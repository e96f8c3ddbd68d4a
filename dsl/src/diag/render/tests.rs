//! What the renderings print, to the letter where people script it.

use serde_json::Value;

use super::{human, json, sarif};
use crate::diag::{Code, Diagnostic};
use crate::source::{SourceMap, Span};

/// Two files; in the first a mistake in the second line, behind a letter of two bytes.
fn sample() -> (SourceMap, Vec<Diagnostic>) {
    let mut map = SourceMap::default();
    let first = map.add("rules/a b.rule", "# ü\nlet ü = 1 two\n");
    let second = map.add("b.rule", "rule\n");
    let diagnostics = vec![
        Diagnostic::new(Code::Syntax, Span::new(second, 0, 4), "this stands \"alone\"")
            .help("give it a name"),
        Diagnostic::new(Code::UnknownName, Span::new(first, 16, 19), "nothing is called `two`")
            .related(Span::new(first, 5, 8), "this is why"),
    ];
    (map, diagnostics)
}

#[test]
fn json_is_one_object_a_line_in_the_order_of_files_and_places() {
    let (map, diagnostics) = sample();
    assert_eq!(
        json(&map, &diagnostics),
        concat!(
            r#"{"severity":"error","code":"E202","message":"nothing is called `two`","help":null,"file":"rules/a b.rule","#,
            r#""line":2,"column":11,"end_line":2,"end_column":14}"#,
            "\n",
            r#"{"severity":"error","code":"E101","message":"this stands \"alone\"","help":"give it a name","file":"b.rule","#,
            r#""line":1,"column":1,"end_line":1,"end_column":5}"#,
            "\n",
        )
    );
}

#[test]
fn human_shows_place_code_line_help_and_other_places_and_colours_only_if_told() {
    let (map, diagnostics) = sample();
    let text = human(&map, &diagnostics, false);
    for part in [
        "[E202] Error: nothing is called `two`",
        "rules/a b.rule:2:11",
        "let ü = 1 two",
        "this is why",
        "Help: give it a name",
        "b.rule:1:1",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'));
    assert!(text.lines().all(|line| line.trim_end() == line));
    assert!(human(&map, &diagnostics, true).contains('\u{1b}'));
}

#[test]
fn human_never_passes_control_characters_on_and_keeps_its_line_numbers() {
    let mut map = SourceMap::default();
    let id = map.add("\u{1b}[31m.rule", "a\r\nb\u{85}\u{2028}\u{b}c \u{1b}[2J \u{202e}\r x\r\nbad\r\n");
    let at = map.file(id).text.find("bad").expect("there");
    let text =
        human(&map, &[Diagnostic::new(Code::Syntax, Span::new(id, at, at + 3), "bad \u{1b}[0m")], false);
    assert!(text.contains(":3:1"), "{text}");
    assert!(text.contains("3 │ bad"), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

#[test]
fn human_draws_no_line_of_a_megabyte() {
    let mut map = SourceMap::default();
    let id = map.add("long.rule", "x".repeat(1 << 20));
    let text =
        human(&map, &[Diagnostic::new(Code::Syntax, Span::new(id, 70, 80), "odd").help("shorter")], false);
    assert_eq!(text, "[E101] Error: odd\n   at long.rule:1:71\n   Help: shorter\n");
}

#[test]
fn human_survives_places_outside_of_the_text() {
    let mut map = SourceMap::default();
    let empty = map.add("empty.rule", "");
    let short = map.add("short.rule", "é");
    for span in [
        Span::new(empty, 0, 0),
        Span::new(empty, 5, 9),
        Span::new(short, 1, 1),
        Span::new(short, 2, 2),
        Span::new(short, 1, 7),
    ] {
        let text = human(&map, &[Diagnostic::new(Code::Syntax, span, "odd")], false);
        assert!(text.contains("[E101] Error: odd"), "{text}");
    }
}

#[test]
fn sarif_has_the_members_that_the_standard_asks_for() {
    let (map, diagnostics) = sample();
    let log: Value = serde_json::from_str(&sarif(&map, &diagnostics)).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["tool"]["driver"]["name"], "auditd-rules");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let results = run["results"].as_array().expect("results");
    assert_eq!((rules.len(), results.len()), (2, 2));
    for rule in rules {
        assert!(rule["shortDescription"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(rule["help"]["text"].as_str().is_some_and(|text| text.contains("docs/diagnostics.md#e")));
    }
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("ruleIndex")).expect("small");
        assert_eq!(rules[index]["id"], result["ruleId"]);
        assert!(["error", "warning", "note", "none"].contains(&result["level"].as_str().expect("level")));
        let region = &result["locations"][0]["physicalLocation"]["region"];
        for member in ["startLine", "startColumn", "endLine", "endColumn"] {
            assert!(region[member].as_u64().is_some_and(|n| n >= 1), "{member}");
        }
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "rules/a%20b.rule");
    assert_eq!(place["region"]["startLine"], 2);
    assert_eq!(place["region"]["endColumn"], 14);
    assert_eq!(results[0]["relatedLocations"][0]["message"]["text"], "this is why");
    assert_eq!(results[1]["message"]["text"], "this stands \"alone\"; give it a name");
}

#[test]
fn sarif_of_nothing_is_a_whole_log() {
    let log: Value = serde_json::from_str(&sarif(&SourceMap::default(), &[])).expect("JSON");
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}
