//! Conditions asked together and one by one: the same matches, unknown answers and counts.

use dsl::ir::StagePick;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value as Js, json};

use super::*;
use crate::eval::tests::{event, plan};
use crate::frame::blocks::{Block, Blocks};
use crate::matches::{SourceId, SourceInfo};
use crate::matching::{Scratch, match_block};
use crate::plan::Plan;
use crate::testing::cases;

/// Matches a block both ways, twice with what is remembered from the first time.
#[track_caller]
fn hold(plan: &Plan, block: &Block, together: &mut Scratch) -> (usize, u64) {
    let info = SourceInfo { name: "s".into(), cluster: None };
    let mut plain = Scratch::default();
    plain.index_conditions(false);
    let wanted = match_block(plan, &info, block, &mut plain);
    for _ in 0..2 {
        let found = match_block(plan, &info, block, together);
        assert_eq!(found.found, wanted.found);
        assert_eq!(found.requests, wanted.requests);
        assert_eq!(found.tally.rules, wanted.tally.rules);
    }
    (wanted.found.len(), wanted.tally.rules.iter().map(|rule| rule.unknown_decided).sum())
}

fn block(events: &[Js]) -> Block {
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    Blocks::whole(SourceId(0), text.as_bytes())
}

/// Conditions of every kind, with values that meet in the events below.
const CONDITIONS: &[&str] = &[
    "user.username == \"alice\"",
    "\"alice\" == user.username",
    "user.username != \"bob\"",
    "user.username == \"ALICE\" ignoring case",
    "user.username in [\"bob\", \"system:x\"]",
    "user.username in [\"ALICE\", \"BOB\"] ignoring case",
    "user.username startswith \"system:\"",
    "user.username endswith \"e\"",
    "user.username contains \"li\"",
    "user.username contains \"LI\" ignoring case",
    "user.username contains \"\"",
    "user.username like \"*:x?\"",
    "user.username like \"?li*\"",
    "user.username like \"*\"",
    "user.username like \"A*E\" ignoring case",
    "user.username like \"*S\" ignoring case",
    "user.username matches '^system:(node|x)'",
    "user.username matches '[a-e]$'",
    "user.username matches '^.l'",
    "user.username matches 'ALI' ignoring case",
    "user.username matches '(?s)^.{3,5}$'",
    "userAgent contains \"kubectl\"",
    "client.program == \"kubectl\"",
    "client.version startswith \"v1.\"",
    "objectRef.namespace == \"kube-system\"",
    "objectRef.name == \"p\"",
    "objectRef.name not endswith \"x\"",
    "present(objectRef.name)",
    "requestURI contains \"limit=\"",
    "url_decode(requestURI) matches '/pods($|[?])'",
    "\"sh\" in exec_args",
    "exec_command contains \"sh\"",
    "responseStatus.code == 200",
    "responseStatus.code in [401, 403]",
    "responseStatus.code < 300",
    "responseStatus.code <= 403",
    "responseStatus.code > 200",
    "responseStatus.code >= 403",
    "present(responseStatus)",
    "\"system:masters\" in user.groups",
    "user.groups[] == \"devs\"",
    "user.groups[] startswith \"system:\"",
    "any g in user.groups: (g == \"devs\")",
    "any g in user.groups: (g startswith \"sys\" and len(g) > 12)",
    "all g in user.groups: (g startswith \"system:\")",
    "len(user.groups) > 1",
    "source_ip in cidr(\"10.0.0.0/8\")",
    "any a in sourceIPs: (a in cidr(\"192.0.2.0/24\", \"2001:db8::/32\"))",
    "present(impersonatedUser)",
    "present(impersonatedUser.username) and impersonatedUser.username not startswith \"system:\"",
    "decision == \"allow\"",
    "annotations[\"a/b\"] == \"c\"",
    "credential.id startswith \"X509\"",
    "user.username == objectRef.namespace",
    "not (user.username == \"bob\" or userAgent contains \"curl\")",
    "(user.username == \"bob\" or responseStatus.code >= 400)",
    "desired.metadata.name == \"a\"",
    "present(requestObject)",
    "object.name == \"p\"",
    "time_of_day(stageTimestamp) in 00:00..06:00",
];

const ON: &[&str] = &[
    "any of any",
    "any of any at any",
    "any of any including dry_run",
    "any of any resource",
    "get of pods",
    "create, update, patch of pods",
    "any but get of pods, pods/exec, secrets",
    "create of pods/exec, deployments.apps/*",
    "any of deployments.apps",
    "get of nonresource \"/healthz\"",
    "any of nonresource \"/api*\"",
    "delete of pods including dry_run",
];

fn rule(number: usize, (on, conditions, excepts): &(usize, Vec<usize>, Vec<usize>)) -> String {
    let joined = conditions.iter().map(|c| format!("({})", CONDITIONS[*c])).collect::<Vec<_>>().join(" and ");
    let excepts: String = excepts.iter().map(|e| format!(" except {}", CONDITIONS[*e])).collect();
    let on = ON[*on];
    format!("rule r{number} \"t\" {{ severity low on {on} where {joined}{excepts} alert \"x\" }}\n")
}

/// Values of the fields above; nothing takes the field out.
fn over() -> impl Strategy<Value = Js> {
    let text = |choices: &'static [&'static str]| prop::option::weighted(0.8, prop::sample::select(choices));
    let user = (
        text(&["alice", "bob", "system:x", "system:xy", "Alice", "ſ", "", "system:node:n"]),
        prop::sample::select(vec![
            json!(null),
            json!([]),
            json!(["devs"]),
            json!(["system:masters", "devs"]),
            json!(["system:nodes", null, "d\"q"]),
        ]),
        prop::sample::select(vec![
            json!(null),
            json!({"authentication.kubernetes.io/credential-id": ["X509SHA256=1"]}),
        ]),
    );
    let object = (
        text(&["pods", "secrets", "deployments", "things"]),
        text(&["exec", "", "status"]),
        text(&["kube-system", "alice", "n"]),
        text(&["p", "px", "a\\b"]),
        text(&["apps", ""]),
    );
    let verb = prop::sample::select(&["get", "create", "update", "patch", "delete", "odd"][..]);
    let rest = (
        prop::sample::select(&["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"][..]),
        prop::sample::select(
            &[
                "/healthz",
                "/api/v1/pods?limit=5",
                "/x?command=sh&command=-c",
                "/x?dryRun=All",
                "/x%2Fpods?%64ryRun=All",
            ][..],
        ),
        prop::sample::select(vec![
            json!(null),
            json!({"code": 200}),
            json!({"code": 403}),
            json!({"code": 401, "reason": "x"}),
            json!({}),
            json!("null"),
        ]),
        text(&["kubectl/v1.34.4 (linux/amd64)", "curl/8", "kubectl", "k \"q\""]),
        prop::sample::select(vec![
            json!(null),
            json!("null"),
            json!({"username": "system:x"}),
            json!({"username": "carol", "groups": []}),
            json!({}),
        ]),
        prop::sample::select(vec![
            json!(null),
            json!({}),
            json!({"a/b": "c", "authorization.k8s.io/decision": "allow"}),
        ]),
        prop::sample::select(vec![
            json!(null),
            json!("null"),
            json!({"metadata": {"name": "a"}}),
            json!([{"op": "add", "path": "/metadata/name", "value": "a"}]),
        ]),
        prop::sample::select(vec![
            json!(null),
            json!([]),
            json!(["10.1.2.3"]),
            json!(["192.0.2.9", "2001:db8::1"]),
        ]),
    );
    let known = |map: Js| {
        let entries = map.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        Js::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    };
    (user, prop::option::weighted(0.85, object), verb, rest).prop_map(move |(user, object, verb, rest)| {
        json!({
            "user": known(json!({"username": user.0, "groups": user.1, "extra": user.2})),
            "objectRef": object.map(|object| known(json!({"resource": object.0, "subresource": object.1,
                "namespace": object.2, "name": object.3, "apiGroup": object.4}))),
            "verb": verb, "stage": rest.0, "requestURI": rest.1, "responseStatus": rest.2, "userAgent": rest.3,
            "impersonatedUser": rest.4, "annotations": rest.5, "requestObject": rest.6, "sourceIPs": rest.7,
        })
    })
}

/// A line as the API server writes it: what the scanner takes, and what the general decoder takes.
fn line(over: Js, scanned: bool) -> Js {
    let event = event(over);
    if !scanned {
        return event;
    }
    let order = [
        "kind",
        "apiVersion",
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "impersonatedUser",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
    ];
    let fields = order.iter().filter_map(|key| Some((String::from(*key), event.get(*key)?.clone())));
    Js::Object(fields.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2_000)))]
    #[test]
    fn asked_together_or_one_by_one_the_answer_is_the_same(
        rules in prop::collection::vec(
            (0..ON.len(), prop::collection::vec(0..CONDITIONS.len(), 1..4), prop::collection::vec(0..CONDITIONS.len(), 0..2)),
            1..30,
        ),
        overs in prop::collection::vec((over(), any::<bool>()), 1..30),
    ) {
        let text: String = rules.iter().enumerate().map(|(number, rule)| self::rule(number, rule)).collect();
        let mut sources = dsl::source::SourceMap::default();
        sources.add("test.rule", text);
        let rules = dsl::check::compile(&sources).rules.expect("the rules compile");
        let plan = Plan::new(&rules, crate::limits::Limits::default());
        let events: Vec<Js> = overs.into_iter().map(|(over, scanned)| line(over, scanned)).collect();
        hold(&plan, &block(&events), &mut Scratch::default());
    }
}

/// So that the test above says something of each.
#[test]
fn every_condition_is_true_of_some_of_these_events_and_not_of_others() {
    let texts = (0..CONDITIONS.len()).map(|number| rule(number, &(1, vec![number], vec![])));
    let plan = plan(&texts.collect::<String>());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let events: Vec<Js> =
        (0..500).map(|n| line(over().new_tree(&mut runner).unwrap().current(), n % 2 == 0)).collect();
    let found = match_block(
        &plan,
        &SourceInfo { name: "s".into(), cluster: None },
        &block(&events),
        &mut Scratch::default(),
    );
    let read = usize::try_from(found.tally.decoded).unwrap();
    assert!(read > 400, "{read}");
    for (number, condition) in (0..).zip(CONDITIONS) {
        let count = found.found.iter().filter(|m| m.rule == number).count();
        assert!(count > 0 && count < read, "{condition}: {count} of {read}");
    }
    assert!(found.tally.rules.iter().filter(|rule| rule.unknown_decided > 0).count() > 10);
}

#[test]
fn equal_tests_are_one_atom() {
    let plan = plan(
        "rule a \"t\" { severity low on get of pods where user.username == \"u\" and \"g\" in user.groups alert \"x\" }
         rule b \"t\" { severity low on any of any where user.username != \"u\" and user.groups[] == \"g\" alert \"x\" }
         rule c \"t\" { severity low on list of pods where any e in user.groups: (e == \"g\") alert \"x\" }",
    );
    let atoms = plan.atoms.unwrap();
    assert_eq!(atoms.groups.len(), 2, "users, and groups");
    let all = atoms.programs.iter().map(|program| format!("{:?}", program.conditions));
    let all: Vec<String> = all.collect();
    assert!(all[0].contains("Atom(0)") && all[0].contains("Atom(64)"), "{}", all[0]);
    assert!(all[1].contains("Not(Atom(0))") && all[1].contains("Atom(64)"), "{}", all[1]);
    assert!(all[2].contains("Atom(64)"), "{}", all[2]);
}

#[test]
fn what_is_remembered_goes_with_its_plan() {
    let of = |name: &str| {
        plan(&format!(
            "rule r \"t\" {{ severity low on get of pods where user.username == \"{name}\" alert \"x\" }}"
        ))
    };
    let (one, other) = (of("u"), of("v"));
    let events = block(&[event(json!({})), event(json!({"user": {"username": "v"}}))]);
    let mut scratch = Scratch::default();
    for plan in [&one, &other, &one] {
        assert_eq!(hold(plan, &events, &mut scratch).0, 1);
    }
}

#[test]
fn values_that_push_each_other_out_are_asked_anew() {
    let plan = plan(
        "rule r \"t\" { severity low on get of pods where user.username endswith \"7\" and responseStatus.code < 300 alert \"x\" }",
    );
    let name = |n: usize| format!("{}{n}", "long ".repeat(n % 200));
    let events: Vec<Js> =
        (0..3_000).map(|n| line(json!({"user": {"username": name(n % 1_500)}}), true)).collect();
    assert_eq!(hold(&plan, &block(&events), &mut Scratch::default()).0, 300);
}

#[test]
fn cells_that_hold_too_much_are_thrown_away_and_counted_all_the_same() {
    let rule = |n: usize| {
        format!(
            "rule a{n} \"t\" {{ severity low on any of any where user.username == \"u{n}\" alert \"x\" }}
             rule b{n} \"t\" {{ severity low on any of r{n}.example.com where verb == \"get\" alert \"x\" }}\n"
        )
    };
    let plan = plan(&(0..200).map(rule).collect::<String>());
    let events = (0..200).map(|n| {
        let of = json!({"resource": format!("r{n}"), "apiGroup": "example.com"});
        event(json!({"user": {"username": format!("u{}", n / 2)}, "objectRef": of}))
    });
    assert_eq!(hold(&plan, &block(&events.collect::<Vec<_>>()), &mut Scratch::default()).0, 400);
}

#[test]
fn a_class_has_the_longest_prefix_of_a_path_and_so_all() {
    let on = ["/a*", "/a/b*", "/a/b/c*", "/a/b", "/ab*", "/b*", "/a/bz*"];
    let rule = |(n, path): (usize, &&str)| {
        format!("rule r{n} \"t\" {{ severity low on any of nonresource \"{path}\" alert \"x\" }}\n")
    };
    let plan = plan(&on.iter().enumerate().map(rule).collect::<String>());
    let paths =
        ["/a", "/a/b", "/a/b?x", "/a/b/cd", "/a/ba", "/a/bzz", "/ab", "/a/z", "/b/a", "/c", "/", "/%61/b"];
    let events = paths.map(|path| event(json!({"requestURI": path, "objectRef": null})));
    assert_eq!(hold(&plan, &block(&events), &mut Scratch::default()).0, 22);
}

#[test]
fn a_pattern_is_asked_once_of_a_text_that_nearly_meets_it_often() {
    // Asked wherever `aaa` stands this would take the square of the text's length.
    let plan = plan(
        "rule r \"t\" { severity low on get of pods where userAgent matches 'aaa[b-z]+#' and userAgent not like \"*aaa?#*\" alert \"x\" }",
    );
    let agent = "a".repeat(2_000_000);
    let events = block(&[event(json!({"userAgent": agent}))]);
    assert_eq!(hold(&plan, &events, &mut Scratch::default()).0, 0);
}

#[test]
fn stages_are_those_that_a_selector_takes() {
    assert_eq!(stages(StagePick::Any).len(), 4);
    assert!(!stages(StagePick::Outcome).contains(&Stage::RequestReceived));
    assert_eq!(stages(StagePick::Only(Stage::Panic)), [Stage::Panic]);
}
