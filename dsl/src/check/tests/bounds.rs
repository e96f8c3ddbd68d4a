//! Nothing that is written makes the checker panic, recurse without a bound or take much more than it was given.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::told;

fn codes(text: &str) -> Vec<String> {
    told(text).into_iter().map(|line| line[..4].to_owned()).collect()
}

const RULE: &str = "rule r \"R\" { severity low on get of secrets where l0 alert \"x\" }";

/// `let`s that double: 2^40 nodes if they were all put in.
#[test]
fn doubling_lets_end_in_an_error() {
    let mut text = RULE.to_owned();
    for n in 0..40 {
        let _ = write!(text, " let l{n} = l{} and l{}", n + 1, n + 1);
    }
    text.push_str(" let l40 = dry_run");
    let told = codes(&text);
    assert_eq!(told, ["E212"]);
}

#[test]
fn long_chains_of_lets_end_in_an_error() {
    let mut text = RULE.to_owned();
    for n in 0..20_000 {
        let _ = write!(text, " let l{n} = l{}", n + 1);
    }
    text.push_str(" let l20000 = dry_run");
    assert!(codes(&text).contains(&"E212".to_owned()));
    let mut circle = RULE.to_owned();
    for n in 0..20_000 {
        let _ = write!(circle, " let l{n} = l{}", (n + 1) % 20_000);
    }
    assert_eq!(codes(&circle).iter().filter(|code| *code == "E210").count(), 1);
}

#[test]
fn lists_of_lists_end_in_an_error() {
    let mut text = String::new();
    for n in 0..30 {
        let _ = write!(text, "list l{n} = [l{}, l{}] ", n + 1, n + 1);
    }
    text.push_str("list l30 = [\"a\", \"b\"]");
    assert!(codes(&text).contains(&"E212".to_owned()));
    let mut deep = String::new();
    for n in 0..5_000 {
        let _ = write!(deep, "list l{n} = [l{}] ", n + 1);
    }
    assert!(codes(&deep).contains(&"E212".to_owned()));
}

#[test]
fn deep_sums_and_events_end_in_an_error() {
    let sum = vec!["1"; 5_000].join(" + ");
    let told = super::in_condition("get of secrets", &format!("responseStatus.code == {sum}"));
    assert_eq!(told.len(), 1, "{told:?}");
    let key = vec!["a"; 5_000].join(".");
    let test = format!(
        "rule r \"R\" {{ severity low on get of secrets alert \"x\" }} test r \"t\" {{ at 0s {{ {key}: 1 }} expect no alert }}"
    );
    assert!(!codes(&test).is_empty());
}

#[test]
fn many_mistakes_are_cut_and_that_is_said() {
    let mut text = String::new();
    for n in 0..500 {
        let _ = write!(text, "let l{n} = nothing{n} ");
    }
    let told = codes(&text);
    assert_eq!(told.len(), crate::limits::DIAGNOSTICS_MAX + 1);
}

/// Words that meet in rules, so that soups of them reach deep into the checker.
const WORDS: &[&str] = &[
    "let",
    "list",
    "cidr",
    "rule",
    "test",
    "severity",
    "low",
    "on",
    "get",
    "any",
    "of",
    "secrets",
    "workloads",
    "pods/exec",
    "where",
    "except",
    "by",
    "when",
    "within",
    "5m",
    "0s",
    "sequence",
    "alert",
    "throttle",
    "given",
    "at",
    "expect",
    "no",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ":",
    ",",
    ".",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "not",
    "and",
    "or",
    "in",
    "contains",
    "like",
    "matches",
    "ignoring",
    "case",
    "a",
    "b",
    "c",
    "r",
    "user",
    "username",
    "groups",
    "verb",
    "desired",
    "spec",
    "containers",
    "responseObject",
    "requestObject",
    "items",
    "annotations",
    "count",
    "distinct",
    "present",
    "len",
    "keys",
    "split",
    "time",
    "time_of_day",
    "quantity",
    "cidr",
    "\"x\"",
    "\"{a}\"",
    "\"{user.groups[0]} {count()}\"",
    "'('",
    "1",
    "2.5",
    "300",
    "22:00",
    "..",
    "true",
    "false",
    "alert.rule",
    "table",
    "tune",
    "from",
    "5",
    "times",
    "every",
    "as",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn soups_of_words_are_only_refused(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        let text = words.join(" ");
        told(&text);
        super::in_condition("get of secrets, pods", &text);
        told(&format!("let a = {text} rule r \"R\" {{ severity low on get of secrets where a by b = {text} alert \"{{a}} {{b}}\" }}"));
    }

    #[test]
    fn paths_of_all_kinds_are_only_refused(parts in prop::collection::vec(prop::sample::select(&[
        ".spec", ".template", ".containers", "[]", "[0]", "[\"a\"]", "[verb]", ".metadata", ".labels", ".items", ".x",
    ][..]), 0..7), root in prop::sample::select(&[
        "desired", "requestObject", "responseObject", "containers", "pod_spec", "annotations", "user", "keys(annotations)",
        "parse_json(verb)", "split(verb, \",\")",
    ][..])) {
        let path = format!("{root}{}", parts.concat());
        for on in ["any of any", "write of workloads", "patch of pods", "list, deletecollection of roles"] {
            super::in_condition(on, &format!("present({path}) and any e in {path}: ({path} == e)"));
        }
    }
}
