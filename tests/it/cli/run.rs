//! `run`: what comes out, where it goes, and what the process ends with.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use super::{Place, event, log};

const RUN: [&str; 3] = ["run", "set.rule", "--from"];

fn run<'a>(more: &[&'a str]) -> Vec<&'a str> {
    RUN.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn alerts_go_to_standard_output_and_the_summary_to_standard_error() {
    let place = Place::new();
    let ran = place.run(&run(&["audit.log"])).ends(0);
    assert_eq!(ran.texts("rule"), ["secret_get", "many_deletes"]);
    assert_eq!(ran.texts("message"), ["eve read db", "eve deleted 3 pods"]);
    let alert = &ran.json()[1];
    assert_eq!(alert["key"]["user.username"], "eve");
    assert_eq!(alert["events"].as_array().map(Vec::len), Some(3));
    let offset = alert["events"][2]["offset"].as_u64().unwrap() as usize;
    assert!(log()[offset..].starts_with("{\"kind\":\"Event\"") && log()[offset..].contains("\"eve-23\""));
    ran.says("24 read = 24 decoded + 0 passed + 0 undecodable").says("1 secret_get");
}

#[test]
fn nobody_is_told_of_severity_none() {
    let place = Place::new();
    let rule = r#"rule quiet "For other rules" { severity none on get of secrets alert "x" }"#;
    place.write("set.rule", rule);
    let ran = place.run(&run(&["audit.log", "--fail-on", "alert"])).ends(0);
    assert!(ran.json().is_empty());
    ran.says("0 by 0 rules");
}

#[test]
fn the_summary_as_json_accounts_for_everything() {
    let place = Place::new();
    place.write("audit.log", format!("{}not json\n{{\"kind\":\"Event\",\"cut\n{}", log(), log()));
    let ran = place.run(&run(&["audit.log", "--summary", "sum.json"])).ends(0);
    assert_eq!(ran.json().len(), 2, "the second copy is of the same requests");
    let sum: serde_json::Value = serde_json::from_str(&place.read("sum.json")).unwrap();
    let events = &sum["events"];
    assert_eq!((events["read"].as_u64(), events["decoded"].as_u64()), (Some(50), Some(48)));
    assert_eq!(events["undecodable"], 2);
    assert_eq!(events["duplicates"], 4);
    let reasons = sum["undecodable"].as_array().unwrap();
    let count: u64 = reasons.iter().map(|reason| reason["count"].as_u64().unwrap()).sum();
    assert_eq!(count, 2);
    let first = reasons.iter().map(|reason| reason["first"]["offset"].as_u64().unwrap()).min();
    assert_eq!(first, Some(log().len() as u64));
    assert_eq!(sum["bytes"].as_u64(), Some(std::fs::metadata(place.path().join("audit.log")).unwrap().len()));
    assert_eq!(sum["alerts"]["by_rule"]["many_deletes"], 1);
    assert_eq!(sum["from"], "2026-11-22T12:00:00Z");
}

#[test]
fn a_rule_that_never_could_match_is_named_with_the_reason() {
    let place = Place::new();
    place.write("audit.log", event(0, "ann", "get", "pods", "web"));
    place
        .run(&run(&["audit.log"]))
        .ends(0)
        .says("many_deletes: this log has no request of its kind (delete, deletecollection of pods)");
}

#[test]
fn how_often_an_unknown_decided_is_told_of_rules_that_alert_too() {
    let place = Place::new();
    // Whose name is asked of the body, which only the last event has; the key of another is in there too.
    let rules = r#"
rule deletes "A delete of pods, by its body" {
    severity low
    on       delete, deletecollection of pods
    where    verb == "delete" and objectRef.name == "web" or requestObject.gracePeriodSeconds == 0
    alert    "x"
}
rule keyed "Two deletes for one body" {
    severity low
    on       delete of pods
    by       requestObject.kind
    when     count() >= 2 within 1m
    alert    "x"
}
rule reads "No rule of these is silent" { severity low on get of pods alert "x" }
"#;
    place.write("set.rule", rules);
    let at = |second, name| event(second, "eve", "delete", "pods", name);
    let log = [at(0, "web"), at(1, "db"), at(2, "kv"), event(3, "eve", "get", "pods", "web")].concat();
    place.write("audit.log", log);
    let ran = place.run(&run(&["audit.log", "--summary", "sum.json"])).ends(0);
    assert_eq!(ran.texts("rule"), ["deletes", "reads"]);
    let sum: serde_json::Value = serde_json::from_str(&place.read("sum.json")).unwrap();
    let wanted = serde_json::json!({
        "deletes": {"decided": 2, "key_unknown": 0},
        "keyed": {"decided": 0, "key_unknown": 3},
    });
    assert_eq!(sum["unknown"], wanted);
    assert_eq!(sum["alerts"]["by_rule"]["deletes"], 1);
    ran.says("unknown     deletes: 2 answers hung on what was not recorded")
        .says("silent      keyed: 3 matches had no key, as a part of it was not recorded");
}

#[test]
fn statuses_of_fail_on() {
    let place = Place::new();
    for (what, status) in [("alert", 3), ("undecoded", 0), ("late", 0), ("loss", 0), ("loss,alert", 3)] {
        place.run(&run(&["audit.log", "--fail-on", what])).ends(status);
    }
    place.write("broken.log", "garbage\n");
    place.run(&run(&["broken.log", "--fail-on", "undecoded"])).ends(3);
    place.run(&run(&["broken.log", "--fail-on", "alert"])).ends(0);
    let late = event(60, "ann", "get", "pods", "x")
        + &(0..40).map(|s| event(100 + s, "ann", "get", "pods", "x")).collect::<String>();
    place.write("late.log", late + &event(2, "eve", "get", "secrets", "old"));
    place.run(&run(&["late.log", "--fail-on", "late"])).ends(3);
    place.run(&run(&["late.log", "--fail-on", "late", "--lateness", "10m"])).ends(0);
    place.run(&run(&["audit.log", "--fail-on", "nonsense"])).ends(2);
}

#[test]
fn packed_files_are_read_as_what_they_hold() {
    let place = Place::new();
    let want = place.run(&run(&["audit.log"])).ends(0);
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let whole = log();
    let (one, two) = whole.split_at(whole.len() / 2);
    place.write("members.log", [gzip(one), gzip(two)].concat());
    place.write(
        "frames",
        [zstd::encode_all(one.as_bytes(), 3).unwrap(), zstd::encode_all(two.as_bytes(), 3).unwrap()].concat(),
    );
    for name in ["members.log", "frames"] {
        let ran = place.run(&run(&[name])).ends(0).says("24 read = 24 decoded");
        assert_eq!(ran.texts("id"), want.texts("id"));
    }
    let packed = gzip(&whole);
    place.write("cut.gz", &packed[..packed.len() - 12]);
    let ran = place.run(&run(&["cut.gz"])).ends(4).says("cannot unpack cut.gz (gzip) to its end");
    assert!(ran.err.contains("decoded"), "what was read is accounted for: {}", ran.err);
}

#[test]
fn standard_input_is_read_live_or_to_its_end() {
    let place = Place::new();
    let want = place.run(&run(&["audit.log"])).ends(0).texts("id");
    let ran = place.run_with(&run(&["-"]), log().as_bytes()).ends(0);
    assert_eq!(ran.texts("id"), want);
    assert_eq!(ran.json()[0]["events"][0]["source"], "-");
    let ran = place.run_with(&["run", "set.rule", "--until", "end"], log().as_bytes()).ends(0);
    assert_eq!(ran.texts("id"), want);
}

#[test]
fn a_pipes_alerts_come_while_it_is_open() {
    let place = Place::new();
    let mut child = place.command(&run(&["-"])).stdin(Stdio::piped()).spawn().unwrap();
    let mut give = child.stdin.take().unwrap();
    give.write_all(event(0, "eve", "get", "secrets", "db").as_bytes()).unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert!(line.contains("secret_get"), "{line}");
    drop(give);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn time_passes_while_a_pipe_is_silent() {
    let place = Place::new();
    let mut child = place.command(&run(&["-", "--lateness", "1s"])).stdin(Stdio::piped()).spawn().unwrap();
    let mut give = child.stdin.take().unwrap();
    // The log's own clock never passes the third of the deletions. Of a day that is over for whoever runs this: the wall
    // clock holds back what is dated ahead of it.
    give.write_all(log().replace("2026-11-22", "2020-11-22").as_bytes()).unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(out.any(|line| line.contains("many_deletes")), "the window's alert comes while the pipe is open");
    drop(give);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_signal_drains_and_ends_with_0() {
    for signal in ["-INT", "-TERM"] {
        let place = Place::new();
        let mut child = place.command(&run(&["-", "--until", "end"])).stdin(Stdio::piped()).spawn().unwrap();
        let mut give = child.stdin.take().unwrap();
        // More than a block, so that some of it has been read for certain once it is written.
        let quiet = event(0, "ann", "get", "pods", "web").repeat(20_000);
        give.write_all((log() + &quiet).as_bytes()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
        assert!(out.contains("eve deleted 3 pods"), "{out}{err}");
        assert!(err.contains("stopped     by a signal"), "{err}");
        drop(give);
    }
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let place = Place::new();
    place.write("audit.log", (0..3000).map(|s| event(s, "eve", "get", "secrets", "db")).collect::<String>());
    let mut child = place.command(&run(&["audit.log"])).stdin(Stdio::null()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    drop(out);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(0), ""));
}

#[test]
fn several_files_and_globs_are_one_run() {
    let place = Place::new();
    let lines: Vec<String> = log().lines().map(|line| format!("{line}\n")).collect();
    place.write("logs/audit-2026-11-22T12-00-10.000.log", lines[..10].concat());
    place.write("logs/audit-2026-11-22T12-00-22.000.log", lines[10..22].concat());
    place.write("logs/audit.log", lines[22..].concat());
    let want = place.run(&run(&["audit.log"])).ends(0).texts("id");
    let ran = place.run(&run(&["logs/*.log"])).ends(0).says("24 read = 24 decoded");
    assert_eq!(ran.texts("id"), want);
    let each = ["run", "set.rule", "--from", "logs/audit.log", "--from", "logs/audit-*.log"];
    assert_eq!(place.run(&each).ends(0).texts("id"), want);
}

#[test]
fn threads_leave_no_trace() {
    let place = Place::new();
    let users = ["ann", "bob", "eve", "dan", "kim"];
    let line = |n: u32| {
        event(
            n % 3000,
            users[n as usize % 5],
            ["get", "delete"][n as usize % 2],
            ["pods", "secrets"][(n as usize % 2) ^ 1],
            &format!("o{n}"),
        )
    };
    place.write("audit.log", (0..12_000).map(line).collect::<String>());
    let want = place.run(&run(&["audit.log", "--threads", "1"])).ends(0);
    assert!(want.json().len() > 100);
    for threads in ["2", "5"] {
        assert_eq!(place.run(&run(&["audit.log", "--threads", threads])).ends(0).out, want.out);
    }
    // Two, of which the second goes on alone.
    place.write("first.log", (0..5_000).map(line).collect::<String>());
    place.write("second.log", (5_000..12_000).map(line).collect::<String>());
    let want = place.run(&run(&["first.log", "--from", "second.log", "--threads", "1"])).ends(0);
    for threads in ["2", "5"] {
        let ran = place.run(&run(&["first.log", "--from", "second.log", "--threads", threads])).ends(0);
        assert_eq!(ran.out, want.out);
    }
    // Two that hold some of the same: which of two copies is the evidence depends on the order of reading.
    place.write("copy.log", (4_000..12_000).map(line).collect::<String>());
    let want = place.run(&run(&["audit.log", "--from", "copy.log", "--threads", "1"])).ends(0);
    for threads in ["2", "5"] {
        let ran = place.run(&run(&["audit.log", "--from", "copy.log", "--threads", threads])).ends(0);
        assert_eq!(ran.out, want.out);
    }
    place.run(&run(&["audit.log", "--threads", "0"])).ends(2);
}

#[test]
fn sinks() {
    let place = Place::new();
    let want = place.run(&run(&["audit.log"])).ends(0).out;
    let ran = place.run(&run(&["audit.log", "--to", "file:alerts.jsonl"])).ends(0);
    assert_eq!((ran.out.as_str(), place.read("alerts.jsonl").as_str()), ("", want.as_str()));
    let ran =
        place.run(&run(&["audit.log", "--to", "-", "--to", "file:too.jsonl", "--format", "human"])).ends(0);
    assert_eq!(place.read("too.jsonl"), want);
    assert!(ran.out.contains("critical  many_deletes  eve deleted 3 pods"), "{}", ran.out);
    assert!(!ran.out.contains('\x1b'), "no colour where no terminal is");
    place
        .run(&run(&["audit.log", "--to", "alerts.jsonl"]))
        .ends(2)
        .says("for a file write file:alerts.jsonl");
    place.run(&run(&["audit.log", "--to", "file:no/such/folder/a"])).ends(4).says("no such file");
}

#[test]
fn a_long_line_is_counted_and_passed_over() {
    let place = Place::new();
    let long = event(30, "ann", "get", "pods", &"x".repeat(3 << 20));
    place.write(
        "audit.log",
        event(0, "eve", "get", "secrets", "a") + &long + &event(31, "eve", "get", "secrets", "b"),
    );
    let ran = place.run(&run(&["audit.log", "--max-line", "1MiB"])).ends(0).says("1 too_large");
    assert_eq!(ran.texts("message"), ["eve read a", "eve read b"]);
    place.run(&run(&["audit.log"])).ends(0).says("3 read = 3 decoded");
    place.run(&run(&["audit.log", "--max-line", "many"])).ends(2);
}

#[test]
fn limits_of_the_file_are_in_force_and_arguments_go_before_them() {
    let place = Place::new();
    let long = event(30, "ann", "get", "pods", &"x".repeat(5_000));
    place.write("audit.log", long + &log());
    place.write("a.toml", "[limits]\nline_bytes_max = \"4KiB\"\nmatches_per_key_max = 2\n");
    let ran = place
        .run(&run(&["audit.log", "--config", "a.toml", "--summary", "sum.json"]))
        .ends(0)
        .says("1 too_large");
    assert_eq!(ran.texts("rule"), ["secret_get", "many_deletes"]);
    place.run(&run(&["audit.log", "--config", "a.toml", "--max-line", "1MiB"])).ends(0).says("0 undecodable");
    place.write("b.toml", "[limit]\nlateness = \"5s\"\n");
    let ran = place
        .run(&run(&["audit.log", "--config", "b.toml"]))
        .ends(2)
        .says("b.toml:1:2: there is no table `[limit]`");
    assert_eq!(ran.out, "");
    place.run(&run(&["audit.log", "--config", "none.toml"])).ends(4).says("there is no such file");
}

#[test]
fn what_is_not_built_says_so() {
    let place = Place::new();
    for more in [
        &["--follow"][..],
        &["--policy", "p.yaml"],
        &["--to", "kafka://b:9092/t"],
        &["--from", "kafka://b:9092/t?group=g"],
        &["--from", "webhook://0.0.0.0:8443/audit"],
    ] {
        let words: Vec<&str> = run(&["audit.log"]).into_iter().chain(more.iter().copied()).collect();
        let ran = place.run(&words).ends(2).says("built yet");
        assert_eq!(ran.out, "");
    }
    place.run(&["top"]).ends(2).says("`top` is not built yet");
    place.run(&["nonsense"]).ends(2).says("there is no command `nonsense`");
}

#[test]
fn without_rules_the_shipped_ones_are_taken() {
    let place = Place::new();
    let ran = place.run(&["run", "--from", "audit.log"]).ends(0);
    assert!(ran.texts("rule").contains(&"secret_read".to_owned()), "{ran:#?}");
}
