use super::OfRequests;
use crate::source::SourceMap;

const MINUTE: i64 = 60_000_000_000;

fn of(clauses: &str) -> Option<OfRequests> {
    let mut sources = SourceMap::default();
    sources.add("a.rule", format!("rule a \"A\" {{ severity low {clauses} alert \"a\" }}"));
    let outcome = crate::check::compile(&sources);
    let rules = outcome.rules.unwrap_or_else(|| panic!("{clauses}: {:?}", outcome.diagnostics));
    rules.rules[0].of_requests()
}

fn sequence(key: &str, asked: &str, answered: &str) -> Option<OfRequests> {
    of(&format!("by {key} sequence within 5m {{ asked: on {asked} no answered{answered} }}"))
}

const ASKED: &str = "any of any at RequestReceived including dry_run";

#[test]
fn a_request_and_its_answer() {
    let told = |wait| Some(OfRequests::Unanswered { wait });
    assert_eq!(sequence("request_id", ASKED, ": on any of any including dry_run"), told(5 * MINUTE));
    assert_eq!(sequence("id = request_id", ASKED, " within 1m: on any of any"), told(MINUTE));
    let some = "any of any at RequestReceived where verb == \"patch\"";
    assert_eq!(
        sequence("request_id", some, ": on any of any where present(user.username)"),
        told(5 * MINUTE)
    );
    let ended = ": on any of any at ResponseComplete";
    assert_eq!(sequence("request_id", "any of any at ResponseStarted", ended), told(5 * MINUTE));
}

#[test]
fn what_is_nearly_that() {
    let answer = ": on any of any";
    assert_eq!(sequence("auditID", ASKED, answer), None, "several requests have one key");
    assert_eq!(sequence("request_id, verb", ASKED, answer), None);
    assert_eq!(sequence("request_id", "any of any", answer), None, "an answer would be both");
    assert_eq!(sequence("request_id", "any of any at any", answer), None, "taken once a stage");
    assert_eq!(sequence("request_id", ASKED, ": on any of any at any"), None);
    let joined = ": on any of any where user.username == asked.user.username";
    assert_eq!(sequence("request_id", ASKED, joined), None);
    let computed = ": on any of any where annotations[asked.user.username] == \"x\"";
    assert_eq!(sequence("request_id", ASKED, computed), None);
    let steps = "asked: 2 times on any of any at RequestReceived no answered: on any of any";
    assert_eq!(of(&format!("by request_id sequence within 5m {{ {steps} }}")), None);
    let first = "no asked within 1m: on any of any at RequestReceived answered: on any of any";
    assert_eq!(of(&format!("by request_id sequence within 5m {{ {first} }}")), None);
}

#[test]
fn an_id_used_twice() {
    let when = |key: &str, condition: &str| of(&format!("on any of any by {key} when {condition} within 1h"));
    let by = |by_audit_id| Some(OfRequests::Repeated { by_audit_id });
    assert_eq!(when("auditID", "distinct(request_id) >= 2"), by(true));
    assert_eq!(when("id = auditID", "count() > 1"), by(true));
    assert_eq!(when("request_id", "count() >= 3 and distinct(request_id) >= 1"), by(false));
    assert_eq!(when("auditID", "count() >= 1"), None, "one is enough");
    assert_eq!(when("auditID", "count() >= 2 or distinct(request_id) >= 1"), None);
    assert_eq!(when("auditID", "count() < 2"), None);
    assert_eq!(when("auditID", "distinct(user.username) >= 2"), None, "it counts something else");
    assert_eq!(when("auditID", "count(where verb == \"get\") >= 2"), None);
    assert_eq!(when("user.username", "distinct(request_id) >= 2"), None);
    assert_eq!(when("auditID, verb", "distinct(request_id) >= 2"), None);
    let each = "on any of any at any by auditID when distinct(request_id) >= 2 within 1h";
    assert_eq!(of(each), None, "taken once a stage");
}
