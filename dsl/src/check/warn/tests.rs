//! Each warning fires where it should, and stays silent where it should.
//!
//! `docs/diagnostics.md` has the plain case of each; here are those beside it.

use crate::diag::Code;
use crate::source::SourceMap;

/// The codes of all diagnostics but the one on missing tests, in order.
fn codes(text: &str) -> Vec<&'static str> {
    let mut map = SourceMap::default();
    map.add("r.rule", text);
    let diagnostics = crate::check::compile(&map).diagnostics;
    let told: Vec<_> = diagnostics.iter().filter(|d| d.code != Code::NoTest).map(|d| d.code.text()).collect();
    assert!(told.iter().all(|code| code.starts_with('W')), "{text}\n{diagnostics:#?}");
    told
}

fn rule(on: &str, clauses: &str) -> String {
    format!("rule r \"A rule\" {{ severity low on {on} {clauses} alert \"it is so\" }}")
}

#[track_caller]
fn condition(on: &str, condition: &str, expected: &[&str]) {
    assert_eq!(codes(&rule(on, &format!("where {condition}"))), expected, "on {on} where {condition}");
}

#[test]
fn tests_that_exclude_each_other_are_never_true() {
    let on = "get of secrets";
    for (never, times) in [
        (r#"user.username == "a" and user.username == "b""#, 1),
        (r#"user.username == "a" and user.username in ["b", "c"]"#, 1),
        (r#"user.username == "a" and user.username != "a""#, 1),
        (r#"user.username in ["a", "b"] and user.username not in ["b", "a", "c"]"#, 1),
        (r#"user.username startswith "a" and user.username startswith "b""#, 1),
        (r#"user.username == "eve" and user.username startswith "system:""#, 1),
        (r#"responseStatus.code < 300 and responseStatus.code >= 400"#, 1),
        (r#"responseStatus.code < 300 and responseStatus.code > 299.5 and responseStatus.code == 301"#, 1),
        (r#"not present(user.username) and user.username == "a""#, 1),
        (r#"user.username == "a" and (decision == "allow" or user.username == "b")"#, 1),
        (r#"any g in user.groups: (g == "a" and g == "b")"#, 1),
        ("1 == 2", 1),
    ] {
        let found = codes(&rule(on, &format!("where {never}")));
        assert_eq!(found, vec!["W101"; times], "{never}");
    }
}

#[test]
fn tests_that_can_be_true_together_are_let_be() {
    let on = "get, list of secrets, pods";
    for fine in [
        r#"user.username == "a" or user.username == "b""#,
        r#"user.username != "a" and user.username != "b""#,
        r#"user.username in ["a", "b"] and user.username != "a""#,
        r#"user.username startswith "system:" and user.username startswith "system:node:""#,
        r#"responseStatus.code >= 400 and responseStatus.code < 500"#,
        r#"any g in user.groups: (g == "a") and any h in user.groups: (h == "b")"#,
        r#"user.groups[] == "a" and user.groups[] == "b""#,
        r#"user.username == "A" ignoring case and user.username == "a""#,
        r#"not present(user.username) and user.username != "a""#,
        r#"(verb == "get" and objectRef.resource == "pods") or (verb == "list" and objectRef.resource == "secrets")"#,
    ] {
        condition(on, fine, &[]);
    }
}

#[test]
fn what_on_takes_is_known() {
    condition("get of secrets", r#"verb == "list""#, &["W101"]);
    condition("get of secrets", r#"verb == "get""#, &["W102"]);
    condition("get of secrets", r#"verb != "list""#, &["W102"]);
    condition("get of secrets", r#"objectRef.resource == "pods""#, &["W101"]);
    condition("get of secrets", "present(objectRef.subresource)", &["W101"]);
    condition("get, create of pods/exec", r#"objectRef.subresource == "exec""#, &["W102"]);
    condition("get of secrets", r#"stage == "RequestReceived""#, &["W101"]);
    condition("get of secrets at RequestReceived", r#"stage == "ResponseComplete""#, &["W101"]);
    condition("get of secrets at any", r#"stage == "RequestReceived""#, &[]);
    condition("any of secrets", r#"verb == "get""#, &[]);
}

#[test]
fn what_is_idle_in_one_step_may_serve_another() {
    let of = |condition: &str| {
        codes(&format!(
            "rule r \"A rule\" {{ severity low by user.username where {condition} sequence within 5m {{
                a: on get of secrets
                b: on get, list of secrets
            }} alert \"it is so\" }}"
        ))
    };
    assert_eq!(of(r#"verb != "list""#), [""; 0]);
    assert_eq!(of(r#"verb != "watch""#), ["W102"]);
    assert_eq!(of(r#"(verb == "list" or dry_run)"#), [""; 0]);
    // A step that never matches kills the whole sequence.
    assert_eq!(of(r#"verb == "list""#), ["W101"]);
}

#[test]
fn part_of_a_let_may_be_idle_but_a_let_may_not_kill_a_rule() {
    let idle = r#"let reads = verb == "get" or verb == "list""#;
    assert_eq!(codes(&format!("{idle}\n{}", rule("get of secrets", "where reads"))), [""; 0]);
    let kills = r#"let lists = verb == "list""#;
    assert_eq!(codes(&format!("{kills}\n{}", rule("get of secrets", "where lists"))), ["W101"]);
}

#[test]
fn a_test_or_its_opposite_is_always_true() {
    condition("get of secrets", "dry_run or not dry_run", &["W102"]);
    condition("get of secrets", r#"user.username != "a" or user.username != "b""#, &["W102"]);
    condition("get of secrets", r#"user.username != "a" or user.uid != "b""#, &[]);
}

#[test]
fn an_exception_may_cover_a_part_only() {
    let on = "get of secrets";
    assert_eq!(
        codes(&rule(on, r#"where user.username == "a" except user.username in ["a", "b"]"#)),
        ["W106"]
    );
    assert_eq!(codes(&rule(on, r#"where user.username == "a" except present(user.username)"#)), ["W106"]);
    let both = r#"where user.username == "a" and dry_run except dry_run and user.username == "a""#;
    assert_eq!(codes(&rule(&format!("{on} including dry_run"), both)), ["W106"]);
    assert_eq!(codes(&rule(on, r#"where user.username in ["a", "b"] except user.username == "a""#)), [""; 0]);
    assert_eq!(codes(&rule(on, r#"where user.username == "a" except user.uid == "a""#)), [""; 0]);
    // An exception that never holds is as doubtful as one that always does.
    assert_eq!(codes(&rule(on, r#"where user.username == "a" except user.username == "b""#)), ["W101"]);
}

#[test]
fn false_is_said_where_absent_means_something_else() {
    let on = "create of workloads";
    condition(on, "pod_spec.hostPID == false", &["W103"]);
    condition(on, "pod_spec.automountServiceAccountToken == false", &[]);
    condition(on, "pod_spec.hostPID != true", &[]);
    condition("create of workloads including dry_run", "dry_run == false", &[]);
}

#[test]
fn one_level_is_enough_where_only_it_has_the_body() {
    condition("create of workloads", r#"level == "Request" and pod_spec.hostPID == true"#, &["W104"]);
    condition("create of secrets", r#"level == "RequestResponse" and present(responseObject.type)"#, &[]);
    condition("create of secrets", r#"level in ["Request", "RequestResponse"]"#, &[]);
    condition("create of secrets", r#"level == "Metadata""#, &[]);
}

#[test]
fn upper_bounds_of_sliding_windows_are_told() {
    let window =
        |when: &str| codes(&rule("get of secrets", &format!("by user.username when {when} within 5m")));
    assert_eq!(window("count() <= 3"), ["W105"]);
    assert_eq!(window("not count() > 3"), ["W105"]);
    assert_eq!(window("75 > count() and distinct(userAgent) > 3"), ["W105"]);
    assert_eq!(window("count() >= 10 and count(where responseStatus.code < 300) == 0"), [""; 0]);
    assert_eq!(window("count(where decision == \"forbid\") / count() >= 0.8 and count() > 20"), [""; 0]);
}

#[test]
fn bodies_are_there_for_those_who_write() {
    condition("get, list of secrets", "present(desired.type)", &["W108"]);
    condition("watch of secrets", "present(responseObject.type)", &["W108"]);
    condition("create, get of pods/exec", "present(requestObject.spec)", &["W108"]);
    condition("write of secrets", "present(desired.type)", &[]);
    condition("delete, deletecollection of secrets", r#"requestObject.propagationPolicy == "Orphan""#, &[]);
    condition("delete, deletecollection of secrets", r#"responseObject.reason == "Forbidden""#, &[]);
    condition("list of secrets", "len(responseObject.items) > 3", &[]);
}

#[test]
fn without_a_resource_only_what_all_have_is_known() {
    condition("create of any resource", "present(desired.spec.hostPID)", &["W107"]);
    condition("create of any resource", "present(desired.metadata.labels[\"a\"])", &[]);
    condition(
        "create of any resource",
        r#"objectRef.resource == "pods" and desired.spec.hostPID == true"#,
        &[],
    );
    condition("create of issuers.cert-manager.io", "present(desired.spec.acme)", &[]);
}

#[test]
fn paths_of_some_resources_are_told_unless_the_rule_knows() {
    let on = "create of rolebindings, roles";
    condition(on, r#"desired.roleRef.name == "x""#, &["W110"]);
    condition(on, r#"objectRef.resource == "rolebindings" and desired.roleRef.name == "x""#, &[]);
    condition(on, r#"objectRef.resource == "roles" or desired.metadata.name == "x""#, &[]);
    condition(on, "any s in desired.subjects: (s.name == \"x\")", &["W110"]);
    condition("create, patch of deployments, deployments/scale", "desired.spec.replicas == 0", &[]);
}

#[test]
fn pods_are_not_all_that_makes_pods() {
    let privileged = "any c in containers: (c.securityContext.privileged == true)";
    condition("create of pods", privileged, &["W109"]);
    condition("create of pods, pods/ephemeralcontainers", privileged, &["W109"]);
    condition("create of pods, deployments", privileged, &[]);
    condition("update, patch of pods/ephemeralcontainers", privileged, &[]);
    condition("create of pods", "desired.spec.hostNetwork == true", &["W109"]);
    condition("create of pods", "present(desired.metadata.ownerReferences)", &[]);
}

#[test]
fn lengths_are_known_of_what_is_whole() {
    condition("update, patch of rolebindings", "len(desired.subjects) > 3", &["W111"]);
    condition("create, update of rolebindings", "len(desired.subjects) > 3", &[]);
    condition("update, patch of rolebindings", r#"verb == "update" and len(desired.subjects) > 3"#, &[]);
    condition("update, patch of rolebindings", "len(desired.roleRef.name) > 100", &[]);
}

#[test]
fn connections_and_deletions_have_two_verbs() {
    let nothing = "throttle 1m";
    assert_eq!(codes(&rule("create of pods/portforward", nothing)), ["W112"]);
    assert_eq!(codes(&rule("create of serviceaccounts/token", nothing)), [""; 0]);
    assert_eq!(codes(&rule("get of pods/exec", nothing)), [""; 0]);
    assert_eq!(codes(&rule("delete of pods", nothing)), ["W113"]);
    assert_eq!(codes(&rule("write of pods", nothing)), [""; 0]);
    assert_eq!(codes(&rule("delete of namespaces", nothing)), [""; 0]);
    assert_eq!(codes(&rule("delete of pods", "by object.name throttle 1m")), [""; 0]);
    assert_eq!(codes(&rule("list of pods/exec", nothing)), ["W118"]);
    assert_eq!(codes(&rule("\"list\" of pods/exec", nothing)), [""; 0]);
    assert_eq!(codes(&rule("write of namespaces", nothing)), [""; 0]);
}

fn sequence(by: &str, second: &str) -> Vec<&'static str> {
    codes(&format!(
        "rule r \"A rule\" {{ severity low {by} sequence within 5m {{
            a: on get of secrets
            b: on get of configmaps {second}
        }} alert \"it is so\" }}"
    ))
}

#[test]
fn sequences_are_joined_by_something_that_is_there() {
    assert_eq!(sequence("by user.username", ""), [""; 0]);
    assert_eq!(sequence("", ""), ["W117"]);
    assert_eq!(sequence("", "where user.username == a.user.username"), ["W120"]);
    assert_eq!(sequence("throttle 0s", "where user.username == a.user.username"), [""; 0]);
    assert_eq!(sequence("", "where user.username != a.user.username"), ["W117"]);
    assert_eq!(sequence("by impersonatedUser.username", ""), ["W114"]);
    assert_eq!(sequence("by impersonatedUser.username, user.username", ""), [""; 0]);
    assert_eq!(sequence("by objectRef.namespace", ""), [""; 0]);
    assert_eq!(sequence("where present(credential.id) by credential.id", ""), [""; 0]);
}

#[test]
fn keys_of_the_clients_choice_fill_state() {
    let on = "get of secrets";
    assert_eq!(codes(&rule(on, "by userAgent when count() > 3 within 5m")), ["W115"]);
    assert_eq!(codes(&rule(on, "by lower(client.program) throttle 5m")), ["W115"]);
    assert_eq!(codes(&rule(on, "by user.username, requestURI when count() > 3 within 5m")), ["W115"]);
    // Without memory a key is only a name.
    assert_eq!(codes(&rule(on, "by userAgent")), [""; 0]);
    assert_eq!(codes(&rule(on, "by user.username when distinct(userAgent) > 3 within 5m")), [""; 0]);
}

#[test]
fn a_rule_with_a_test_is_not_asked_for_one_and_each_place_is_told_once() {
    let mut map = SourceMap::default();
    let shared = "let open = decision == \"allow\" and pod_spec.hostPID == false\n";
    let rules = ["one", "two"].map(|name| {
        format!(
            "rule {name} \"A rule\" {{ severity low on create of workloads where open alert \"it is so\" }}\n"
        )
    });
    let test = "test one \"nothing\" { at 0s { verb: \"get\" } expect no alert }";
    map.add("r.rule", format!("{shared}{}{}{test}", rules[0], rules[1]));
    let diagnostics = crate::check::compile(&map).diagnostics;
    let told: Vec<_> = diagnostics.iter().map(|d| d.code).collect();
    assert_eq!(told.iter().filter(|code| **code == Code::FalseWhenAbsent).count(), 1, "{diagnostics:#?}");
    let untested: Vec<_> = diagnostics.iter().filter(|d| d.code == Code::NoTest).collect();
    assert_eq!(untested.len(), 1);
    assert!(untested[0].message.contains("`two`"));
}
