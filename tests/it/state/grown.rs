//! A log that grows between runs, is rotated, is packed.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Stdio;

use super::{Chance, alerts, ids, log, place, undisturbed};
use crate::cli::{Place, event};

const RUN: [&str; 8] =
    ["run", "set.rule", "--from", "audit.log", "--to", "file:alerts.jsonl", "--state", "kept"];

fn append(place: &Place, name: &str, bytes: &[u8]) {
    let path = place.path().join(name);
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

#[test]
fn runs_over_a_log_that_grows_tell_what_one_run_tells() {
    for seed in 0..3 {
        let place = place();
        let whole = log(1500, seed).concat();
        let want = undisturbed(&place, &whole);
        let mut chance = Chance(seed + 100);
        let mut at = 0;
        // Also nothing at first, and half a line.
        place.write("audit.log", "");
        while at < whole.len() {
            let threads = (1 + chance.below(3)).to_string();
            place.run(&[&RUN[..], &["--threads", &threads]].concat()).ends(0);
            let to = (at + chance.below(whole.len() as u64 / 4) as usize).min(whole.len());
            append(&place, "audit.log", &whole.as_bytes()[at..to]);
            if seed == 1 {
                // As if nobody had written to it for long.
                let file = fs::File::options().write(true).open(place.path().join("audit.log")).unwrap();
                file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(7200))
                    .unwrap();
            }
            at = to;
        }
        let ran = place.run(&[&RUN[..], &["--summary", "sum.json"]].concat()).ends(0);
        let told = place.read("alerts.jsonl");
        assert_eq!(ids(&told), want.keys().cloned().collect(), "seed {seed}");
        let sum: serde_json::Value = serde_json::from_str(&place.read("sum.json")).unwrap();
        assert_eq!(sum["events"]["read"], 1500, "{sum}");
        assert_eq!(sum["events"]["undecodable"], 0, "no line was read by halves: {}", ran.err);
        assert_eq!(sum["state"]["gone_on"], true);
        // And once more, with nothing new.
        place.run(&RUN).ends(0).says("are of earlier runs");
        assert_eq!(place.read("alerts.jsonl"), told);
    }
}

#[test]
fn what_only_the_end_decides_is_told_once() {
    let place = place();
    let quiet: String = (0..30).map(|second| event(second, "ann", "list", "nodes", "a")).collect();
    let deletes: String = (30..33).map(|second| event(second, "eve", "delete", "pods", "a")).collect();
    place.write("audit.log", quiet.clone() + &deletes);
    place.run(&RUN).ends(0);
    let first = alerts(&place.read("alerts.jsonl"));
    let of = |rule: &str| first.values().filter(|line| line.contains(rule)).count();
    assert_eq!((of("\"many_deletes\""), of("\"per_minute\"")), (1, 1), "{first:?}");
    assert!(first.values().any(|line| line.contains("the input ended before the window")));
    // Half a line, and then all that was missing.
    let later: String = (34..140).map(|second| event(second, "ann", "list", "nodes", "b")).collect();
    append(&place, "audit.log", &later.as_bytes()[..100]);
    place.run(&RUN).ends(0).says("1 undecodable");
    append(&place, "audit.log", &later.as_bytes()[100..]);
    place.run(&RUN).ends(0).says("0 undecodable").says("alerts had been told at the end of the run before");
    assert_eq!(alerts(&place.read("alerts.jsonl")), first);
}

#[test]
fn a_log_that_is_rotated_between_runs_is_read_on_under_its_new_name() {
    let place = place();
    let all = log(1200, 5);
    let want = undisturbed(&place, &all.concat());
    let run = |threads: &str| {
        let words = ["run", "set.rule", "--from", "audit*.log*", "--to", "file:alerts.jsonl"];
        place.run(&[&words[..], &["--state", "kept", "--threads", threads]].concat()).ends(0)
    };
    let to = |name: &str| place.path().join(name);
    place.write("audit.log", all[..500].concat());
    run("1");
    append(&place, "audit.log", all[500..700].concat().as_bytes());
    fs::rename(to("audit.log"), to("audit-2026-11-22T01-00-00.000.log")).unwrap();
    place.write("audit.log", all[700..703].concat());
    let ran = run("2");
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    append(&place, "audit.log", all[703..1000].concat().as_bytes());
    run("1");
    // The first is packed, the second has its turn, and both again.
    let packed = zstd::encode_all(all[..700].concat().as_bytes(), 3).unwrap();
    place.write("audit-2026-11-22T01-00-00.000.log.zst", packed);
    fs::remove_file(to("audit-2026-11-22T01-00-00.000.log")).unwrap();
    fs::rename(to("audit.log"), to("audit-2026-11-22T02-00-00.000.log")).unwrap();
    append(&place, "audit-2026-11-22T02-00-00.000.log", all[1000..1100].concat().as_bytes());
    place.write("audit.log", all[1100..].concat());
    let ran = run("3").says("1200 read");
    assert!(!ran.err.contains("warning"), "{}", ran.err);
    assert_eq!(ids(&place.read("alerts.jsonl")), want.keys().cloned().collect());
    // What was read to its end may go; what grew may not without a word.
    fs::remove_file(to("audit-2026-11-22T01-00-00.000.log.zst")).unwrap();
    let ran = run("1");
    assert!(!ran.err.contains("is gone"), "{}", ran.err);
    place.write("audit.log", event(3599, "zoe", "get", "secrets", "new").replace("T12:", "T23:").repeat(2));
    run("1")
        .says("audit.log is gone; what was written to it since it was last read has not been read")
        .says("lost");
    let told = place.read("alerts.jsonl");
    assert!(told.contains("zoe"), "the file in its place is read from its start");
    let ran = run("1");
    assert!(!ran.err.contains("is gone"), "that is told once: {}", ran.err);
}

#[test]
fn a_packed_log_is_gone_on_with_where_it_grew() {
    let place = place();
    let all = log(900, 6);
    let want = undisturbed(&place, &all.concat());
    for part in all.chunks(300) {
        append(&place, "audit.log", &zstd::encode_all(part.concat().as_bytes(), 3).unwrap());
        place.run(&RUN).ends(0);
    }
    assert_eq!(ids(&place.read("alerts.jsonl")), want.keys().cloned().collect());
}

#[test]
fn a_log_that_was_cut_is_left_out_with_a_word() {
    let place = place();
    let all = log(300, 7);
    place.write("audit.log", all.concat());
    place.run(&RUN).ends(0);
    place.write("other.log", all[..20].concat());
    let file = OpenOptions::new().write(true).open(place.path().join("audit.log")).unwrap();
    file.set_len(all[..100].concat().len() as u64).unwrap();
    place.run(&[&RUN[..], &["--from", "other.log"]].concat()).ends(4).says("audit.log is shorter than the");
    append(&place, "audit.log", all[100..].concat().as_bytes());
    place.run(&RUN).ends(0);
}

#[test]
fn a_signal_saves_what_waits_and_the_next_run_goes_on_with_it() {
    let place = place();
    let run = ["run", "set.rule", "--from", "-", "--to", "file:alerts.jsonl", "--state", "kept"];
    let start = |lines: &str| {
        let mut child = place.command(&run).stdin(Stdio::piped()).spawn().unwrap();
        let mut give = child.stdin.take().unwrap();
        give.write_all(lines.as_bytes()).unwrap();
        (child, give)
    };
    let deletes = |seconds: std::ops::Range<u32>| -> String {
        seconds.map(|second| event(second, "eve", "delete", "pods", "a")).collect()
    };
    let (child, give) = start(&(event(0, "eve", "get", "secrets", "a") + &deletes(1..3)));
    // The first alert says that it has read them.
    let file = place.path().join("alerts.jsonl");
    while fs::read_to_string(&file).unwrap_or_default().matches("secret_get").count() < 1 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let kill = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let ended = child.wait_with_output().unwrap();
    drop(give);
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{said}");
    assert!(
        said.contains("standard input cannot be read again") && said.contains("what waits is saved"),
        "{said}"
    );
    assert!(!place.read("alerts.jsonl").contains("many_deletes"), "the window has had two of three");
    let (child, give) = start(&deletes(3..4));
    drop(give);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let told = alerts(&place.read("alerts.jsonl"));
    assert_eq!(told.values().filter(|line| line.contains("\"many_deletes\"")).count(), 1, "{told:?}");
}

#[test]
fn rules_that_mean_something_else_begin_anew_and_are_named() {
    let place = place();
    place.write("audit.log", log(100, 8).concat());
    place.run(&RUN).ends(0);
    place.write("set.rule", super::RULES.replace("count() >= 3", "count() >= 4"));
    let ran = place.run(&RUN).ends(0).says("warning: rule `many_deletes` begins anew");
    assert!(!ran.err.contains("rule `per_minute` begins anew"), "{}", ran.err);
}
