//! The commands besides `run`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{Place, RULES};

/// Two mistakes, in two rules.
const WRONG: &str = r#"rule a "A" {
    severity high
    on       get of secrets
    where    user.nmae == "eve"
    alert    "a"
}
rule b "B" {
    severity high
    on       gett of secrets
    alert    "b"
}
"#;

#[test]
fn compile_tells_every_mistake_in_each_format() {
    let place = Place::new();
    place.write("wrong.rule", WRONG);
    let ran =
        place.run(&["compile", "wrong.rule", "--format", "json"]).ends(1).says("the rules do not compile");
    let errors: Vec<_> = ran.json().into_iter().filter(|found| found["severity"] == "error").collect();
    let lines: Vec<_> = errors.iter().map(|found| found["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 9]);
    assert!(errors.iter().all(|found| found["file"] == "wrong.rule" && !found["code"].is_null()));
    assert!(
        errors[0]["help"].as_str().unwrap().contains("user.username")
            || errors[0]["help"].as_str().unwrap().contains("name")
    );
    let ran = place.run(&["compile", "wrong.rule", "--format", "human"]).ends(1);
    assert!(ran.out.contains("user.nmae") && ran.out.contains("wrong.rule:4"), "{}", ran.out);
    let ran = place.run(&["compile", "wrong.rule", "--format", "sarif"]).ends(1);
    let sarif: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert!(sarif["runs"][0]["results"].as_array().unwrap().len() >= 2);
    place
        .run(&["compile", "set.rule", "--format", "json"])
        .ends(0)
        .says("2 rules and 3 tests in 1 file: 0 errors");
    place.run(&["compile", "wrong.rule", "-o", "out.adrp"]).ends(1);
    assert!(!place.path().join("out.adrp").exists());
}

/// One that every event has a place in, off; one that opens bodies, and one that does not.
const COSTS: &str = r#"
rule wide "All of them" { severity low on any of any by user.username when count() >= 3 within 1m alert "x" disable }
rule body "A body" { severity low on create of pods where pod_spec.hostPID alert "x" }
rule plain "Fields" { severity low on get of pods by user.username when count() >= 1000 within 1h alert "x" }
"#;

#[test]
fn compile_and_rules_say_what_each_rule_costs_and_what_makes_it_dear() {
    let place = Place::new();
    place.write("costs.rule", COSTS);
    let listed = place.run(&["rules", "costs.rule", "--format", "json"]).ends(0).json();
    let cost = |n: usize| &listed[n]["cost"];
    assert_eq!(cost(0)["class"], "every event");
    assert_eq!(cost(0)["dear"][0], "nearly every event matches the `on`, and is remembered");
    assert_eq!(cost(1)["class"], "bodies");
    assert_eq!(cost(1)["dear"][0], "`pod_spec.hostPID` opens a body");
    assert_eq!((&cost(1)["bytes_per_key"], &cost(1)["events_per_key"]), (&0.into(), &0.into()));
    assert_eq!((&cost(2)["class"], &cost(2)["dear"]), (&"fields".into(), &serde_json::json!([])));
    // A thousand events of 11 KiB at most each, and what a key costs by itself.
    assert_eq!(cost(2)["events_per_key"], 1000);
    let bytes = cost(2)["bytes_per_key"].as_u64().unwrap();
    assert!((11_264_000..11_300_000).contains(&bytes), "{bytes}");

    let compiled = place.run(&["compile", "costs.rule", "--format", "json"]).ends(0).json();
    let costs: Vec<_> = compiled.iter().filter(|line| line["code"] == "cost").collect();
    assert_eq!(costs.len(), 3, "{compiled:#?}");
    for (n, line) in costs.iter().enumerate() {
        assert_eq!((&line["rule"], &line["cost"]), (&listed[n]["name"], cost(n)));
        assert_eq!((&line["enabled"], &line["file"]), (&(n != 0).into(), &"costs.rule".into()));
        assert_eq!((&line["severity"], &line["line"]), (&"info".into(), &(n + 2).into()));
        // Who reads diagnostics finds all that they have.
        assert!(
            ["message", "help", "column", "end_line", "end_column"].iter().all(|of| line.get(of).is_some())
        );
    }
    let text = place.run(&["compile", "costs.rule", "--format", "human"]).ends(0).out;
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("  every event, up to")).collect();
    assert!(lines.len() == 1 && lines[0].starts_with("wide ") && lines[0].ends_with("(off)"), "{text}");
    assert!(text.contains("bodies, remembers nothing: `pod_spec.hostPID` opens a body\n"), "{text}");
    assert!(text.contains("fields, up to 10.7 MiB a key (1000 events)"), "{text}");
    // Of rules that do not compile nothing is said of what they cost; nor to scanners.
    place.write("wrong.rule", WRONG);
    let wrong = place.run(&["compile", "wrong.rule", "--format", "json"]).ends(1).json();
    assert!(wrong.iter().all(|line| line["code"] != "cost"));
    let sarif = place.run(&["compile", "costs.rule", "--format", "sarif"]).ends(0);
    assert!(serde_json::from_str::<serde_json::Value>(&sarif.out).is_ok(), "{}", sarif.out);
}

#[test]
fn compile_denies_warnings_when_asked() {
    let place = Place::new();
    let without_tests = RULES.split("test secret_get").next().unwrap();
    place.write("untested.rule", without_tests);
    place.run(&["compile", "untested.rule"]).ends(0).says("1 warning");
    place
        .run(&["compile", "untested.rule", "--deny-warnings", "-o", "x.adrp"])
        .ends(1)
        .says("warnings are denied");
    assert!(!place.path().join("x.adrp").exists());
    place.run(&["compile", "set.rule", "--policy", "p.yaml"]).ends(2).says("--policy is not built yet");
    place.run(&["compile"]).ends(2);
}

#[test]
fn tests_pass_or_say_what_was_expected() {
    let place = Place::new();
    let ran = place.run(&["test", "set.rule", "--format", "human"]).ends(0);
    assert!(ran.out.contains("3 passed"), "{ran:#?}");
    place.write("failing.rule", RULES.replace("expect no alert", "expect alert"));
    let ran = place.run(&["test", "failing.rule", "--format", "human"]).ends(1);
    assert!(ran.out.contains("not told") && ran.out.contains("1 failed"), "{ran:#?}");
    let ran = place.run(&["test", "failing.rule", "--format", "json"]).ends(1);
    let failed: Vec<_> = ran.json().into_iter().filter(|test| test["passed"] == false).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["test"], "not told");
    let ran = place.run(&["test", "failing.rule", "--format", "junit"]).ends(1);
    assert!(ran.out.contains("<testsuites") && ran.out.contains("failures=\"1\""), "{}", ran.out);
    place.write("wrong.rule", WRONG);
    place.run(&["test", "wrong.rule"]).ends(1);
}

#[test]
fn a_failing_test_tells_why_its_events_matched_nothing() {
    let place = Place::new();
    let rules = r#"
rule r "R" {
    severity low
    on       get, list of secrets
    where    responseStatus.code < 300 and user.username != "a"
    except   objectRef.namespace == "own"
    alert    "x"
}
test r "t" {
    given { verb: "get", objectRef.resource: "secrets", user.username: "b", responseStatus.code: 200 }
    at 0s { responseStatus.code: 403 }
    at 1s { user.username: "a" }
    at 2s { objectRef.namespace: "own" }
    at 3s { verb: "delete" }
    expect 1 alerts
}
"#;
    place.write("r.rule", rules);
    let ran = place.run(&["test", "r.rule", "--format", "human"]).ends(1);
    for words in [
        "0s  get secrets by b: no match: `responseStatus.code < 300` is not true (responseStatus.code is 403)",
        "1s  get secrets by a: no match: `user.username != \"a\"` is not true (user.username is a)",
        "2s  get secrets own by b: no match: let go by `except objectRef.namespace == \"own\"`",
        "3s  delete secrets by b: no match: `on` passes it over: it is of another verb",
    ] {
        assert!(ran.out.contains(words), "{words}\n{}", ran.out);
    }
}

#[test]
fn a_failing_test_of_a_sequence_tells_what_lacked_in_each_format() {
    let place = Place::new();
    let rules = r#"
rule pair "A secret, then a pod" {
    severity low
    by       user.username
    sequence within 1m { read: on get of secrets  drop: on delete of pods }
    alert    "x"
}
test pair "too late" {
    given { user.username: "b" }
    at 0s { verb: "get", objectRef.resource: "secrets" }
    at 101s { verb: "delete", objectRef.resource: "pods" }
    expect 1 alerts
}
rule burst "Three in five minutes" {
    severity low
    on       get of secrets
    when     count() >= 3 within 5m
    alert    "x"
}
test burst "the third comes late" {
    given { verb: "get", objectRef.resource: "secrets", user.username: "b" }
    at 0s {}
    at 1m {}
    at 341s {}
    expect 1 alerts
}
test burst "in time" {
    given { verb: "get", objectRef.resource: "secrets", user.username: "b" }
    at 0s 3 times every 1s {}
    expect 1 alerts
}
"#;
    place.write("r.rule", rules);
    let json = place.run(&["test", "r.rule", "--format", "json"]).ends(1).json();
    let timeline = |test: &str| {
        let line = json.iter().find(|line| line["test"] == test).unwrap_or_else(|| panic!("{json:#?}"));
        line["timeline"].clone()
    };
    let wanted = serde_json::json!([
        {"at": "0s", "event": "get secrets by b", "step": "read", "outcome": "waits for the next step: for 1m0s at most"},
        {"at": "1m", "event": "what began at 0s is over", "step": "drop",
         "outcome": "no alert: no `drop` came after `read` within 1m0s"},
        {"at": "1m41s", "event": "delete pods by b", "step": "drop",
         "outcome": "completes no sequence: `read` came 41s too early"},
    ]);
    assert_eq!(timeline("too late"), wanted);
    let third = "counted, count() is 2 of 3 within 5m0s; number 3 came 41s late";
    assert_eq!(timeline("the third comes late")[2]["outcome"], third);
    assert_eq!(timeline("in time"), serde_json::json!([]), "of a test that passed nothing is asked");
    let text = place.run(&["test", "r.rule", "--format", "human"]).ends(1).out;
    let junit = place.run(&["test", "r.rule", "--format", "junit"]).ends(1).out;
    for words in [third, "`read` came 41s too early", "no `drop` came after `read` within 1m0s"] {
        assert!(text.contains(words) && junit.contains(words), "{words}\n{text}\n{junit}");
    }
}

#[test]
fn junit_has_gaps_of_the_coverage_as_skipped_cases() {
    let place = Place::new();
    let ran = place.run(&["test", "set.rule", "--coverage", "--format", "junit"]).ends(0);
    assert!(ran.out.contains("skipped=\"0\""), "{}", ran.out);
    let more = "where    user.username != \"system:admin\" or userAgent == \"x\"";
    place.write("half.rule", RULES.replace("where    user.username != \"system:admin\"", more));
    let ran = place.run(&["test", "half.rule", "--coverage", "--format", "junit"]).ends(0);
    for words in [
        "skipped=\"1\"",
        "name=\"coverage: userAgent == &quot;x&quot;\"",
        "<skipped message=\"never true\"/>",
    ] {
        assert!(ran.out.contains(words), "{words}\n{}", ran.out);
    }
}

#[test]
fn coverage_as_json_has_each_condition_with_its_counts() {
    let place = Place::new();
    let more = "where    user.username != \"system:admin\" or userAgent == \"x\"";
    let rules = RULES.replace("where    user.username != \"system:admin\"", more);
    place.write("half.rule", rules);
    let ran = place.run(&["test", "half.rule", "--coverage", "--format", "json"]).ends(0).json();
    let (tests, conditions): (Vec<_>, Vec<_>) = ran.iter().partition(|line| line["condition"].is_null());
    assert_eq!(tests.iter().filter(|line| line["passed"] == true).count(), 3, "{ran:#?}");
    let counts = |text: &str| {
        let of = conditions.iter().find(|line| line["condition"] == text);
        of.map(|line| (line["true"].as_u64(), line["false"].as_u64(), line["unknown"].as_u64()))
    };
    assert_eq!(counts("user.username != \"system:admin\""), Some((Some(1), Some(1), Some(0))), "{ran:#?}");
    assert_eq!(counts("userAgent == \"x\""), Some((Some(0), Some(2), Some(0))), "{ran:#?}");
    let agent = conditions.iter().find(|line| line["condition"] == "userAgent == \"x\"").unwrap();
    assert_eq!((&agent["rule"], &agent["file"]), (&"secret_get".into(), &"half.rule".into()));
    assert_eq!((&agent["line"], &agent["step"]), (&5.into(), &serde_json::Value::Null));
    // Without being asked nothing is said of it.
    let plain = place.run(&["test", "half.rule", "--format", "json"]).ends(0).json();
    assert_eq!(plain.len(), tests.len());
}

#[test]
fn watching_runs_the_tests_again_when_a_file_changes() {
    let place = Place::new();
    let mut child = place.command(&["test", "set.rule", "--watch", "--format", "human"]).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut until =
        |words: &str| said.by_ref().map(Result::unwrap).find(|line| line.contains(words)).unwrap();
    until("3 passed, 0 failed");
    // Written again for as long as it takes: the first write may come before the watching begins.
    let (seen, stop) = (std::sync::atomic::AtomicBool::new(false), std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !seen.load(stop) {
                place.write("set.rule", RULES.replace("expect no alert", "expect alert"));
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        });
        until("2 passed, 1 failed");
        seen.store(true, stop);
    });
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    drop(said);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn coverage_counts_a_condition_with_its_not() {
    let place = Place::new();
    let rules = r#"
rule r "R" { severity low on get of secrets where user.username != "a" alert "x" }
test r "t" { at 0s { verb: "get", objectRef.resource: "secrets", user.username: "b" } expect 1 alerts }
"#;
    place.write("not.rule", rules);
    let ran = place.run(&["test", "not.rule", "--coverage", "--format", "human"]).ends(0);
    assert!(ran.out.contains("never false: user.username != \"a\""), "{}", ran.out);
}

#[test]
fn coverage_names_conditions_that_no_test_made_true_or_false() {
    let place = Place::new();
    place.write(
        "half.rule",
        RULES.replace(
            "where    user.username != \"system:admin\"",
            "where    user.username != \"system:admin\" or verb == \"list\"",
        ),
    );
    let ran = place.run(&["test", "half.rule", "--coverage", "--format", "human"]).ends(0);
    assert!(ran.out.contains("verb == \"list\"") && ran.out.contains("never true"), "{}", ran.out);
}

#[test]
fn fmt_rewrites_in_place_and_only_where_needed() {
    let place = Place::new();
    let messy = RULES.replace("    severity high\n", "  severity   high\n");
    let path = place.write("messy.rule", &messy);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    place.run(&["fmt", "--check", "messy.rule"]).ends(1).says("messy.rule");
    assert_eq!(place.read("messy.rule"), messy, "--check only says");
    place.run(&["fmt", "messy.rule"]).ends(0);
    let neat = place.read("messy.rule");
    assert_ne!(neat, messy);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    place.run(&["fmt", "--check", "messy.rule"]).ends(0);
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    place.run(&["fmt", "messy.rule"]).ends(0);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before);
    let ran = place.run_with(&["fmt", "-"], messy.as_bytes()).ends(0);
    assert_eq!(ran.out, neat);
    place.run_with(&["fmt", "-", "--check"], messy.as_bytes()).ends(1);
    place.write("broken.rule", "rule {");
    place.run(&["fmt", "broken.rule"]).ends(1);
    assert_eq!(place.read("broken.rule"), "rule {");
}

#[test]
fn rules_lists_what_a_set_contains() {
    let place = Place::new();
    let ran = place.run(&["rules", "set.rule", "--format", "json"]).ends(0);
    let rules = ran.json();
    assert_eq!(ran.texts("name"), ["secret_get", "many_deletes"]);
    assert_eq!(rules[0]["severity"], "high");
    assert_eq!(rules[0]["tags"][0], "attack.T1552");
    assert_eq!(rules[0]["level"], "Metadata");
    assert_eq!(rules[1]["shape"], "window of 1m");
    assert_eq!(rules[1]["key"][0], "user.username");
    let ran = place.run(&["rules", "set.rule", "--format", "human"]).ends(0);
    assert!(ran.out.contains("many_deletes (critical)"), "{}", ran.out);
    assert!(place.run(&["rules"]).ends(0).texts("name").contains(&"secret_read".to_owned()));
}

#[test]
fn completions_for_each_shell() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(place.run(&["completions", shell]).ends(0).out.contains("auditd-rules"));
    }
    place.run(&["completions", "csh"]).ends(2);
    place.run(&["--help"]).ends(0);
    place.run(&["--version"]).ends(0);
    place.run(&[]).ends(2);
}
