//! The seventy examples: they compile, pass their own tests, and on the recorded logs find what they are about.
//!
//! What can be counted from the log alone is counted here by other means and must come out the same; attacks whose labels a
//! rule answers to must be told one by one, or where a throttle or a window makes one alert of many, once for each user.
//! Which examples cannot speak on these logs is written down with the reason; all others must.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use dsl::diag::Code;
use dsl::ir::{Expected, RuleSet, Test};

use super::log::{self, Request};
use super::run::{self, Told};
use super::table::{Cover, Needs, burst, each, enters, reads_secrets};
use super::{LOGS, print, score};

const RULES: usize = 70;

/// The changes that a user makes to the rules: over the logs all rules are to speak as they are.
const TUNES: &str = "tuned.rule";

/// Rules keyed by what a client can make without end; a comment at each says why it has to be.
const ENDLESS_KEYS: &[&str] = &["body_stripped"];

/// The files of the folder, with their names.
fn files() -> Vec<PathBuf> {
    connect::rules::files(&[run::folder("examples")]).expect("a folder of rules")
}

fn compile(paths: &[PathBuf]) -> (RuleSet, Vec<(Code, String)>) {
    let map = connect::rules::load(paths).expect("rules that can be read").sources;
    let outcome = dsl::check::compile(&map);
    let told: Vec<(Code, String)> =
        outcome.diagnostics.iter().map(|found| (found.code, rule_around(&map, found.primary))).collect();
    let rules = outcome.rules.unwrap_or_else(|| {
        panic!("{}", dsl::diag::render::human(&map, &outcome.diagnostics, false));
    });
    (rules, told)
}

/// The name of the rule that a place stands in: the last `rule` in front of it.
fn rule_around(map: &dsl::source::SourceMap, span: dsl::source::Span) -> String {
    let text = &map.file(span.source).text;
    let front = text.get(..span.start as usize).unwrap_or_default();
    let rule = front.rsplit("\nrule ").next().unwrap_or_default();
    rule.split_whitespace().next().unwrap_or_default().to_owned()
}

fn untuned() -> RuleSet {
    let paths: Vec<PathBuf> = files().into_iter().filter(|path| !path.ends_with(TUNES)).collect();
    compile(&paths).0
}

#[test]
fn the_examples_compile_with_no_doubt_but_those_explained() {
    let (rules, told) = compile(&files());
    assert_eq!(rules.rules.len(), RULES);
    let of_rules: BTreeSet<&str> = told.iter().map(|(_, rule)| rule.as_str()).collect();
    assert_eq!(of_rules, ENDLESS_KEYS.iter().copied().collect(), "{told:?}");
    assert!(told.iter().all(|(code, _)| *code == Code::EndlessKey), "{told:?}");
}

#[test]
fn the_examples_pass_their_own_tests() {
    let (rules, _) = compile(&files());
    let failures = run::failing(&rules);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_example_has_a_test_that_fires_and_one_that_must_not() {
    let (rules, _) = compile(&files());
    let fires = |test: &Test| {
        let some = |one: &Expected| match one {
            Expected::Alert { .. } => true,
            Expected::Count(count, _) => *count > 0,
            Expected::None => false,
        };
        test.expected.iter().any(some)
    };
    let own = |number: usize| rules.tests.iter().filter(move |test| test.rule == number && !test.tuned);
    for (number, rule) in rules.rules.iter().enumerate() {
        assert!(own(number).any(fires), "{} has no test that fires", rule.name);
        let silent = own(number).any(|test| !fires(test) && !test.happens.is_empty());
        assert!(silent, "{} has no test that must not fire", rule.name);
    }
    for name in ["bulk_delete", "control_namespace_deleted", "exec_in_pod", "namespace_deleted"] {
        let tuned = |test: &Test| test.tuned && rules.rules[test.rule].name == name;
        assert!(rules.tests.iter().any(tuned), "no test of {name} as it is tuned");
    }
}

/// What labelled attacks each example must find.
const COVERS: &[Cover] = &[
    each(
        "secret_read",
        &[
            "secret-get",
            "secret-list",
            "secret-list-all",
            "secret-list-table",
            "secret-watch",
            "secret-then-exec",
        ],
        Needs::Metadata,
    )
    .only(reads_secrets),
    each(
        "cluster_admin_bound",
        &["crb-cluster-admin", "crb-cluster-admin-apply", "rb-cluster-admin"],
        Needs::Body,
    ),
    each("cluster_admin_bound", &["crb-cluster-admin-subject"], Needs::Answer),
    each("node_tainted", &["node-taint"], Needs::Body),
    each("namespace_deleted", &["namespace-delete", "mass-delete-namespaces"], Needs::Metadata),
    each("exec_in_pod", &["exec", "attach", "secret-then-exec"], Needs::Metadata).only(enters),
    each("metadata_service", &["exec"], Needs::Metadata).only(reaches_metadata),
    each("sensitive_host_path", &["hostpath"], Needs::Body),
    each("privileged_container", &["privileged", "ephemeral-privileged"], Needs::Body),
    each("dangerous_capabilities", &["capabilities"], Needs::Body),
    each("wildcard_role", &["clusterrole-wildcard", "role-wildcard"], Needs::Body),
    each("role_escalates", &["clusterrole-escalate", "clusterrole-impersonate"], Needs::Body),
    each("role_execs", &["clusterrole-exec"], Needs::Body),
    each("role_reads_secrets", &["clusterrole-secrets"], Needs::Body),
    each("csr_privileged", &["csr-component"], Needs::Body),
    each("csr_self_approved", &["csr-approve"], Needs::Body),
    each("pod_security_weakened", &["psa-privileged"], Needs::Body),
    each("traffic_drawn", &["service-external-ips", "service-external-name"], Needs::Body),
    each("anonymous_allowed", &["anonymous-access"], Needs::Metadata),
    each(
        "collection_deleted",
        &[
            "delete-events",
            "delete-network-policy",
            "delete-quota",
            "deletecollection-configmaps",
            "deletecollection-secrets",
            "pod-deletecollection",
        ],
        Needs::Metadata,
    ),
    burst("privileged_impersonation", &["impersonate-masters"]),
    burst("login_failures", &["login-failures"]),
    burst("mostly_refused", &["forbidden-burst"]),
    burst("bulk_delete", &["mass-delete-deployments", "mass-delete-namespaces"]),
    each("role_raised", &["clusterrole-system-edit"], Needs::Answer),
    burst("denied_then_allowed", &["anonymous-access"]),
];

fn reaches_metadata(request: &Request) -> bool {
    enters(request) && request.uri.contains("169.254.169.254")
}

/// What a log shows without any rule.
struct Counted {
    rule: &'static str,
    is: fn(&Request) -> bool,
}

fn done(request: &Request) -> bool {
    request.code.is_some_and(|code| code < 300) && !request.uri.contains("dryRun=All")
}

fn last(request: &Request) -> &str {
    request.uri.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default()
}

fn deletes_namespace(request: &Request) -> bool {
    request.resource == "namespaces" && request.verb == "delete"
}

fn of_control_plane(request: &Request) -> bool {
    ["kube-system", "kube-public", "kube-node-lease"].contains(&last(request))
}

/// Alerts of these are as many as requests that are so: they tell each by itself.
const COUNTED: &[Counted] = &[
    Counted { rule: "exec_in_pod", is: |r| enters(r) && ["get", "create"].contains(&&*r.verb) && done(r) },
    Counted { rule: "namespace_deleted", is: |r| deletes_namespace(r) && done(r) && !of_control_plane(r) },
    Counted { rule: "control_namespace_deleted", is: |r| deletes_namespace(r) && of_control_plane(r) },
    Counted {
        rule: "collection_deleted",
        is: |r| {
            r.verb == "deletecollection"
                && done(r)
                && r.user != "system:serviceaccount:kube-system:namespace-controller"
        },
    },
    Counted {
        rule: "secret_read",
        is: |r| {
            r.resource == "secrets"
                && ["get", "list", "watch"].contains(&&*r.verb)
                && done(r)
                && !r.user.starts_with("system:")
                && !(r.has("secret-list-metadata-only") && r.answer)
        },
    },
];

/// What looks like an attack, did no harm, and is told all the same.
struct Near {
    rule: &'static str,
    why: &'static str,
    is: fn(&Request) -> bool,
}

const NEAR: &[Near] = &[
    Near {
        rule: "secret_read",
        why: "near to a sequence only: the secret is read for real",
        is: |r| r.has("secret-then-exec"),
    },
    Near {
        rule: "secret_read",
        why: "a list that asked for metadata only looks like any other where the answer was not recorded",
        is: |r| r.has("secret-list-metadata-only") && !r.answer,
    },
    Near {
        rule: "exec_in_pod",
        why: "near to a sequence only: the command runs for real",
        is: |r| r.has("secret-then-exec"),
    },
    Near {
        rule: "denied_then_allowed",
        why: "what was refused then is allowed later: the refusal is its first step",
        is: |r| r.has("anonymous-probe"),
    },
    Near { rule: "mostly_refused", why: "refusals are what it counts", is: |r| r.code == Some(403) },
    Near {
        rule: "login_failures",
        why: "of the address of a burst, within its five minutes",
        is: |r| r.has("login-failures-few"),
    },
    Near {
        rule: "csr_privileged",
        why: "asked for, if in vain: admission refused it",
        is: |r| r.has("csr-masters"),
    },
];

/// What cannot speak on these logs, and why.
const SILENT: &[(&str, &[&str])] = &[
    (
        "the logs are shorter than what is learned first",
        &["debug_image_new_actor", "new_habit", "new_registry", "secret_new_network", "secret_new_origin"],
    ),
    ("the logs are shorter than the time waited for", &["cluster_silent", "never_answered"]),
    ("nothing was cut, and no id used twice", &["audit_id_repeated", "body_stripped", "event_cut_off"]),
    ("there is no such resource in them", &["issuer_changed", "unannounced_delete"]),
    ("one cluster, without a name", &["user_in_many_clusters"]),
    ("no webhook failed", &["webhook_failed_open"]),
    ("no kubelet came with a token", &["token_off_node"]),
    (
        "service accounts and nodes came from inside, each from one address",
        &["credential_many_addresses", "system_principal_from_outside"],
    ),
    ("no address whose logins were refused was let in later", &["break_in"]),
    ("nobody who was refused was bound to cluster-admin later", &["escalation_then_use"]),
    (
        "privileged was set by no JSON patch, and tried by no dry run",
        &["dry_run_probe", "privileged_by_json_patch"],
    ),
    (
        "nobody read three secrets by name, nor guessed five names",
        &["guessing_then_hit", "secrets_walked", "secrets_walked_slowly"],
    ),
    ("one log, one Deployment scaled at a time", &["logs_read", "scaled_to_zero"]),
    ("who entered a pod left it there", &["short_pod"]),
    ("no service account got such an annotation", &["account_gets_cloud_role"]),
    (
        "nobody asked for that much, nothing was that slow, no scanner came",
        &["memory_hog", "scanner_agent", "slow_answers"],
    ),
];

#[test]
fn the_examples_find_on_recorded_logs_what_their_titles_say() {
    let Some(recorded) = log::recorded() else {
        println!("no recorded logs here: nothing was measured");
        return;
    };
    let rules = untuned();
    let mut failures = Vec::new();
    let mut spoke: BTreeMap<String, usize> = BTreeMap::new();
    for name in LOGS {
        let requests = log::requests(&recorded, name);
        let told = run::alerts(&rules, &log::files(&recorded, name));
        println!("{name}: {} alerts", told.len());
        for cover in COVERS {
            let score = score(cover, &requests, &told, &mut failures);
            if score.labelled > 0 {
                print(cover, score);
            }
        }
        count(name, &requests, &told, &mut failures);
        near(name, &requests, &told, &mut failures);
        for alert in &told {
            *spoke.entry(alert.rule.clone()).or_default() += 1;
        }
    }
    for (rule, alerts) in &spoke {
        println!("  {rule}: {alerts}");
    }
    for rule in &rules.rules {
        let silent = SILENT.iter().find(|(_, names)| names.contains(&rule.name.as_str()));
        match (spoke.get(&rule.name), silent) {
            (Some(alerts), Some((why, _))) => {
                failures.push(format!("{} spoke {alerts} times, although {why}", rule.name));
            }
            (None, None) => failures.push(format!("{} never spoke, and nothing says why", rule.name)),
            _ => {}
        }
    }
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
}

fn count(name: &str, requests: &HashMap<String, Request>, told: &[Told], failures: &mut Vec<String>) {
    for Counted { rule, is } in COUNTED {
        let seen: BTreeSet<&str> =
            requests.iter().filter(|(_, request)| is(request)).map(|(id, _)| id.as_str()).collect();
        let alerts: Vec<&Told> = told.iter().filter(|one| one.rule == *rule).collect();
        let of: BTreeSet<&str> =
            alerts.iter().flat_map(|one| one.events.iter().map(String::as_str)).collect();
        if alerts.len() != of.len() {
            failures.push(format!("{name}: {rule} tells {} requests {} times", of.len(), alerts.len()));
        }
        for id in seen.symmetric_difference(&of) {
            let which = if of.contains(id) { "tells of" } else { "misses" };
            failures.push(format!("{name}: {rule} {which} {id} {}", requests[*id].text()));
        }
    }
}

/// Near-misses that are told without a reason.
fn near(name: &str, requests: &HashMap<String, Request>, told: &[Told], failures: &mut Vec<String>) {
    for alert in told.iter().filter(|alert| COVERS.iter().any(|cover| cover.rule == alert.rule)) {
        for request in alert.events.iter().map(|id| &requests[id]) {
            let missed = request.labels.iter().any(|(_, expected)| expected == "near-miss");
            if !missed || request.attack() {
                continue;
            }
            match NEAR.iter().find(|known| known.rule == alert.rule && (known.is)(request)) {
                Some(known) => println!("  {} tells of a near-miss: {}", alert.rule, known.why),
                None => failures.push(format!("{name}: {} tells of {}", alert.rule, request.text())),
            }
        }
    }
}
