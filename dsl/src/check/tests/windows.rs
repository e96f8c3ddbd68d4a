//! Windows of every kind and what is counted in them: what they become, and what is said of mistakes.

use super::lowering::rule;
use super::told;
use crate::check::compile_within;
use crate::diag::Code;
use crate::ir::{AggregateKind, Expr, ExprKind, Literal, Piece, Rule, Shape, Type};
use crate::limits::{DAY_NANOS, Limits};
use crate::source::SourceMap;

fn with(clauses: &str) -> String {
    format!("rule r \"R\" {{ severity low on get of secrets {clauses} alert \"x\" }}")
}

fn windowed(clauses: &str) -> Rule {
    rule(&with(clauses))
}

fn value(rule: &Rule, at: usize) -> &Expr {
    match &rule.alert[at] {
        Piece::Value(value) => value,
        Piece::Literal(text) => panic!("{text}"),
    }
}

const SECOND: i64 = 1_000_000_000;

#[test]
fn windows_become_shapes_with_their_own_throttle() {
    let tumbling = windowed("when count() < 75 tumbling 1m");
    assert!(matches!(tumbling.shape, Shape::Tumbling { length, .. } if length == 60 * SECOND));
    assert_eq!(tumbling.throttle, 0);
    let session = windowed("when count() < 75 session gap 1m within 1h");
    assert!(
        matches!(session.shape, Shape::Session { gap, within, .. } if gap == 60 * SECOND && within == 3600 * SECOND)
    );
    assert_eq!(session.throttle, 0);
    let seen = windowed("by user.username when first_seen(verb, user.groups[]) within 30d learning 0s");
    let Shape::FirstSeen { values, within, learning } = &seen.shape else { panic!("{:?}", seen.shape) };
    assert_eq!((values.len(), *within, *learning, seen.throttle), (2, 30 * 86_400 * SECOND, 0, 0));
    let silent = windowed("when silent for 5m throttle 1h");
    assert!(matches!(silent.shape, Shape::Silent { after, among: None } if after == 300 * SECOND));
    assert_eq!((silent.throttle, silent.across_clusters), (3600 * SECOND, false));
    assert_eq!(windowed("when count() > 3 within 5m").throttle, 300 * SECOND);
    assert!(windowed("across clusters when count() > 3 within 5m").across_clusters);
}

#[test]
fn a_silence_waits_for_each_name_once_and_reads_its_key() {
    let silent = rule(
        "list clusters = [\"a\", \"b\", \"a\"]
        rule r \"R\" { severity low on any of any at any by lower(cluster) when silent for 5m among clusters
        alert \"{lower(cluster)} {cluster} {'in ' + lower(cluster)}\" }",
    );
    let text = |text: &str| Literal::Text(text.to_owned());
    let Shape::Silent { among: Some(among), .. } = &silent.shape else { panic!("{:?}", silent.shape) };
    assert_eq!(*among, [text("a"), text("b")]);
    assert!(silent.across_clusters);
    assert!(matches!(value(&silent, 0).kind, ExprKind::Key(0)));
    assert_eq!(value(&silent, 0).ty, Type::Text);
    assert!(matches!(value(&silent, 2).kind, ExprKind::Read(_)));
    let ExprKind::Arith(_, _, right) = &value(&silent, 4).kind else { panic!() };
    assert!(matches!(right.kind, ExprKind::Key(0)));
    // In all other rules there is an event to read it from.
    let each =
        rule("rule r \"R\" { severity low on get of secrets by cluster throttle 1m alert \"{cluster}\" }");
    assert!(matches!(value(&each, 0).kind, ExprKind::Read(_)));
}

#[test]
fn aggregates_have_the_type_of_what_they_are_of() {
    let took = "stageTimestamp - requestReceivedTimestamp";
    let rule = rule(&format!(
        "rule r \"R\" {{ severity low on get of secrets when max({took}) > 10s and sum(responseStatus.code) / count() > 3
        and min(stageTimestamp) > max(time(\"2026-01-05T00:00:00Z\")) and avg({took} where verb == \"get\") > 1s
        and percentile({took}, 99.9) > 1s and count(where verb == 'get') / count() >= 0.8 tumbling 1h alert \"{{max({took})}} {{avg({took})}}\" }}"
    ));
    let types: Vec<_> =
        rule.aggregates.iter().map(|one| (one.text.split('(').next().unwrap(), &one.kind)).collect();
    assert_eq!(types.len(), 9, "{types:?}");
    assert!(matches!(types[6].1, AggregateKind::Percentile(_, p) if *p == 99.9));
    assert!(rule.aggregates.iter().all(|one| one.enough.is_none()));
    assert!(matches!(value(&rule, 0).kind, ExprKind::Aggregate(0)));
    assert_eq!(value(&rule, 0).ty, Type::Duration);
    assert!(matches!(value(&rule, 2).kind, ExprKind::Aggregate(8)));
    assert_eq!(rule.aggregates[8].text, format!("avg({took})"));
}

#[test]
fn only_of_counts_is_a_part_enough() {
    let enough = |when: &str| {
        let rule = windowed(&format!("when {when}"));
        rule.aggregates.iter().map(|one| one.enough).collect::<Vec<_>>()
    };
    assert_eq!(enough("count() >= 3 or distinct(verb) > 4 tumbling 1h"), [Some(3), Some(5)]);
    assert_eq!(enough("count() >= 3 session gap 1m within 1h"), [Some(3)]);
    assert_eq!(
        enough("sum(responseStatus.code) >= 3 and max(responseStatus.code) > 2 within 1h"),
        [None, None]
    );
    assert_eq!(enough("count() >= 3 and count() < 75 tumbling 1h"), [None]);
}

#[track_caller]
fn said(clauses: &str, expected: &[&str]) {
    assert_eq!(told(&with(clauses)), expected, "{clauses}");
}

#[test]
fn windows_have_sensible_lengths() {
    said(
        "when count() > 3 tumbling 0s",
        &["E408 [0s] this window has no length -- write a time such as `5m`"],
    );
    said("when count() > 3 tumbling 367d", &["E409 [367d] this window is longer than 366 days"]);
    said("when silent for 366d1s", &["E409 [366d1s] this silence is longer than 366 days"]);
    said(
        "when count() > 3 session gap 0s within 0s",
        &[
            "E408 [0s] this gap has no length -- write a time such as `5m`",
            "E408 [0s] this session has no length -- write a time such as `5m`",
        ],
    );
    said(
        "when count() > 3 session gap 2h within 1h",
        &[
            "E412 [2h] the gap is longer than the session may be, so it never ends one -- write the longest pause first, then how long a session may be as a whole",
        ],
    );
    said("when count() > 3 session gap 1h within 1h", &[]);
    said(
        "when first_seen(verb) within 0s learning 31d",
        &["E408 [0s] this memory has no length -- write a time such as `5m`"],
    );
    said(
        "when first_seen(verb) within 1d learning 367d",
        &["E409 [367d] this time of learning is longer than 366 days"],
    );
    said("when silent for 0s", &["E408 [0s] this silence has no length -- write a time such as `5m`"]);
}

#[test]
fn windows_longer_than_state_is_kept_are_warned_of() {
    let over = |what: &str, window: &str| {
        format!(
            "W122 [{window}] {what} is longer than state is kept, which is 30 days -- it must be remembered for as long, over restarts too: is a shorter one enough?"
        )
    };
    said("when count() > 3 tumbling 30d", &[]);
    said("when first_seen(verb) within 90d learning 7d", &[&over("this memory", "90d")]);
    said(
        "when first_seen(verb) within 366d learning 31d",
        &[&over("this memory", "366d"), &over("this time of learning", "31d")],
    );
    said("when silent for 30d1s", &[&over("this silence", "30d1s")]);
    // For how long it is kept is for whoever compiles to say.
    let mut sources = SourceMap::default();
    sources.add("r.rule", with("when first_seen(verb) within 90d learning 7d"));
    let codes = |state_nanos: i64| -> Vec<Code> {
        let outcome = compile_within(&sources, Limits { state_nanos });
        assert!(outcome.rules.is_some());
        outcome.diagnostics.into_iter().map(|one| one.code).filter(|code| *code != Code::NoTest).collect()
    };
    assert_eq!(codes(90 * DAY_NANOS), []);
    assert_eq!(codes(90 * DAY_NANOS - 1), [Code::WindowOverState]);
}

#[test]
fn aggregates_are_of_what_has_them() {
    said(
        "when sum(verb) > 3 and avg(stageTimestamp) > 3s and min(user.groups) > 1 and max(dry_run) > 1 within 1h",
        &[
            "E315 [verb] `sum` is of numbers or durations, and `verb` is text -- write `number(verb)` for the number that a text holds",
            "E315 [stageTimestamp] `avg` is of numbers or durations, and `stageTimestamp` is a time",
            "E407 [user.groups] `min` counts single values, and `user.groups` is a list -- `user.groups[]` is each element, `len(user.groups)` how many there are",
            "E315 [dry_run] `max` is of numbers, durations or times, and `dry_run` is true or false",
        ],
    );
    said(
        "when percentile(responseStatus.code) > 3 and percentile(responseStatus.code, responseStatus.code) > 1 within 1h",
        &[
            "E314 [percentile(responseStatus.code)] `percentile` takes 2 arguments, not 1",
            "E317 [responseStatus.code] which percentile is meant is written down as a number, and `responseStatus.code` is not -- such as `percentile(x, 99)`",
        ],
    );
    for out in ["0", "100.5", "-1"] {
        let clauses = format!("when percentile(responseStatus.code, {out}) > 3 within 1h");
        let expected =
            format!("E309 [{out}] there is no percentile `{out}` -- it is above 0 and at most 100");
        said(&clauses, &[&expected]);
    }
    said(
        "when sum(responseStatus.code, 1) > 3 within 1h",
        &["E314 [sum(responseStatus.code, 1)] `sum` takes 1 argument, not 2"],
    );
    said(
        "when max(stageTimestamp - requestReceivedTimestamp) > 3 tumbling 1h",
        &[
            "E301 [>] `max(stageTimestamp - requestReceivedTimestamp)` is a duration and `3` is a number, so neither is `>` than the other",
        ],
    );
}

#[test]
fn what_counts_nothing_has_nothing_to_tell() {
    let with_alert = |when: &str, alert: &str| {
        told(&format!("rule r \"R\" {{ severity low on get of secrets when {when} alert \"{alert}\" }}"))
    };
    assert_eq!(
        with_alert("first_seen(user) within 1d learning 1d", "{count()}"),
        [
            "E407 [user] `first_seen` takes single values, and `user` is an object",
            "E405 [count] `first_seen` is about one event, so there is nothing to count in its alert",
        ]
    );
    assert_eq!(
        with_alert("silent for 1d", "{distinct(verb)}"),
        ["E405 [distinct] `silent` is about no event, so there is nothing to count in its alert"]
    );
    assert_eq!(
        with_alert("first_seen(count()) within 1d learning 1d", "x"),
        ["E405 [count] an aggregate stands in `when` and in the alert of a rule with `when`"]
    );
}

#[test]
fn among_is_of_a_key_of_one_text() {
    let among = |by: &str, list: &str, name: &str| {
        told(&format!(
            "{list} rule r \"R\" {{ severity low on any of any {by} when silent for 5m among {name} alert \"x\" }}"
        ))
    };
    let list = "list names = [\"a\"]";
    assert_eq!(among("by cluster", list, "names"), [""; 0]);
    assert_eq!(
        among("by cluster", list, "nams"),
        ["E202 [nams] no list is called `nams` -- did you mean `names`?"]
    );
    let help = "say whose values they are, as in `by cluster`";
    assert_eq!(
        among("", list, "names"),
        [format!(
            "E413 [names] `among` waits for the values of a key of one text, and this rule's key has 0 parts -- {help}"
        )]
    );
    assert_eq!(
        among("by cluster, verb", list, "names"),
        [format!(
            "E413 [names] `among` waits for the values of a key of one text, and this rule's key has 2 parts -- {help}"
        )]
    );
    assert_eq!(
        among("by responseStatus.code", list, "names"),
        [format!(
            "E413 [names] `among` waits for the values of a key of one text, and `responseStatus.code` is a number -- {help}"
        )]
    );
    assert_eq!(
        among("by cluster", "list names = [\"a\", 5]", "names"),
        ["E301 [names] `names` does not hold texts alone, and `among` waits for texts"]
    );
    assert_eq!(
        among("by cluster", "cidr list names = [\"10.0.0.0/8\"]", "names"),
        ["E301 [names] `names` holds networks, and `among` waits for texts"]
    );
}

#[test]
fn windows_that_never_see_nothing_are_doubted() {
    let codes = |when: &str| {
        let told = told(&with(&format!("when {when}")));
        told.iter().map(|line| line[..4].to_owned()).collect::<Vec<_>>()
    };
    for never in
        ["count() == 0 tumbling 5m", "count() < 1 session gap 1m within 5m", "not count() >= 1 within 5m"]
    {
        assert_eq!(codes(never), ["W101"], "{never}");
    }
    for fine in [
        "count() < 2 tumbling 5m",
        "count(where verb == \"get\") == 0 tumbling 5m",
        "distinct(user.groups[]) == 0 tumbling 5m",
        "avg(responseStatus.code) < 300 and count() > 10 within 5m",
        "min(responseStatus.code) <= 300 within 5m",
    ] {
        assert_eq!(codes(fine), [""; 0], "{fine}");
    }
    assert_eq!(codes("sum(responseStatus.code) < 300 within 5m"), ["W105"]);
}
