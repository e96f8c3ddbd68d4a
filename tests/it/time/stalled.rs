//! A collector that stalls: one of two live sources falls silent, time moves on without it, and what it brings later is late.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;

use tests::generate::{Case, RuleText};
use tests::harness::hold;
use tests::reference::Silence;

use super::super::cli;
use super::*;

/// What is asked of the log below.
const STALLED: &str = r#"
rule each "t" { severity low on get of secrets alert "{user.username}" }
rule short "t" { severity low on any of secrets by user.username when count() >= 1 within 1m throttle 0s alert "{count()}" }
rule long "t" { severity low on get of secrets by user.username when count() >= 3 within 10m throttle 0s alert "{count()}" }
rule quiet "t" { severity low on get of secrets by user.username when silent for 2m alert "{user.username}" }
"#;

fn second(at: i64) -> i64 {
    START + at * SECOND
}

pub(super) fn reads(source: usize, n: i64, at: i64, user: &str) -> Arrival {
    let mut event = passing(n, second(at));
    event["verb"] = json!("get");
    event["user"]["username"] = json!(user);
    event["objectRef"]["resource"] = json!("secrets");
    Arrival::event(source, event)
}

/// Two sources, an event a second each. The second one stalls from 60 s to 500 s; then it brings what it has of the first 140
/// seconds of that, every tenth of which is a read of a secret, and goes on. `looked`: somebody sees that it is silent.
fn log(looked: bool) -> Vec<Arrival> {
    let mut all = Vec::new();
    for at in 0..700 {
        all.push(Arrival::event(0, passing(at, second(at))));
        if !(60..500).contains(&at) {
            all.push(Arrival::event(1, passing(10_000 + at, second(at))));
        }
        if looked && (60..500).contains(&at) && at % 10 == 9 {
            let silence = Silence { source: 1, silent: (at - 59) * SECOND, wall: second(at) };
            all.last_mut().unwrap().silences.push(silence);
        }
        if at == 20 {
            all.push(reads(1, 20_000, at, "eve"));
        }
        if at == 500 {
            for late in 60..200 {
                all.push(match late % 10 {
                    0 => reads(1, 30_000 + late, late, "eve"),
                    _ => Arrival::event(1, passing(30_000 + late, second(late))),
                });
            }
        }
    }
    all
}

fn case(arrivals: Vec<Arrival>) -> Case {
    let named = |name: &str| Source { name: name.to_owned(), cluster: None };
    Case {
        rules: RuleText { head: String::new(), rules: vec![STALLED.to_owned()] },
        sources: vec![named("steady"), named("stalled")],
        arrivals,
        settings: settings(),
        block: 1 << 16,
        framing: 4,
    }
}

#[test]
fn time_moves_on_without_a_source_that_fell_silent() {
    // Engine and reference agree, live, in blocks of any size, saved and loaded on the way.
    let held = hold(&case(log(true))).unwrap_or_else(|text| panic!("{text}"));
    let answer = &held.answer;
    // Looked at last at 499 s; with its event of 500 s the steady source's clock is at 485 s: less the lateness, all below 480 s is decided.
    let decided = second(480);
    assert_eq!(answer.late, 140, "what the silent source kept back is late, all of it and nothing else");
    let of = |rule: &str| answer.alerts.iter().filter(|a| a.rule == rule).cloned().collect::<Vec<_>>();
    let late = |alert: &RefAlert| alert.notes.iter().any(|note| note == "late event");
    // A rule that answers at once tells each read, and that it was late.
    assert_eq!((of("each").len(), of("each").iter().filter(|a| late(a)).count()), (15, 14));
    // Moved by five to seven minutes: too much for a window of one minute, not for one of ten.
    assert_eq!((of("short").len(), of("short").iter().any(late)), (1, false));
    let counted = of("long");
    assert_eq!(
        (counted.len(), counted.iter().all(late)),
        (13, true),
        "eve's first read is within ten minutes too"
    );
    assert_eq!(counted.iter().map(|a| a.count).max(), Some(15));
    assert!(counted.iter().all(|a| a.window == Some((second(20), decided))), "{counted:?}");
    // Told in time, while the source was silent. What came then was moved by more than two minutes, so that it begins nothing anew.
    let silences: Vec<i64> = of("quiet").iter().map(|alert| alert.time).collect();
    assert_eq!(silences, [second(140)]);
}

#[test]
fn a_source_that_lags_holds_time_back() {
    // The same log, but nobody knows that the source was silent: time waits for it, and nothing is late.
    let held = hold(&case(log(false))).unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(held.answer.late, 0);
    let notes = held.answer.alerts.iter().any(|alert| !alert.notes.is_empty());
    assert!(!notes, "{:?}", held.answer.alerts);
    let short = held.answer.alerts.iter().filter(|alert| alert.rule == "short").count();
    assert_eq!(short, 15, "each read counts where it belongs");
}

/// Both ends of a pipe with a name, so that opening waits for nobody.
pub(super) fn pipe(place: &Place, name: &str) -> File {
    let path = place.path().join(name);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    OpenOptions::new().read(true).write(true).open(path).unwrap()
}

/// An event as in the command's own tests, of a day that is over, `minutes` after its log began.
fn old(minutes: u32, second: u32, user: &str, verb: &str, resource: &str, name: &str) -> String {
    cli::event(minutes * 60 + second, user, verb, resource, name).replace("2026-11-22", "2020-11-22")
}

#[test]
fn a_stalled_pipe_keeps_no_other_from_being_read_and_time_goes_on_at_its_end() {
    let place = Place::new();
    let (mut stalled, mut steady) = (pipe(&place, "stalled"), pipe(&place, "steady"));
    let words =
        ["run", "set.rule", "--from", "stalled", "--from", "steady", "--lateness", "1s", "--fail-on", "late"];
    let mut child = place.command(&words).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let quiet = |minutes| -> String { (0..20).map(|s| old(minutes, s, "ann", "get", "pods", "x")).collect() };
    // Ten minutes behind the other one, and then nothing.
    stalled.write_all(quiet(0).as_bytes()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let deleted: String = (20..23).map(|s| old(10, s, "eve", "delete", "pods", &format!("p{s}"))).collect();
    let secret = old(10, 24, "eve", "get", "secrets", "db");
    steady.write_all((quiet(10) + &deleted + &secret).as_bytes()).unwrap();
    let first = out.next().unwrap();
    assert!(
        first.contains("secret_get"),
        "what needs no time comes though another source is silent: {first}"
    );
    // At its end it holds time back no longer: what counts deletions goes on by the steady source alone, silent by now.
    drop(stalled);
    let second = out.next().unwrap();
    assert!(second.contains("many_deletes") && !second.contains("late event"), "{second}");
    // And from then on what is older than what was decided is late.
    steady.write_all(old(9, 0, "eve", "get", "secrets", "old").as_bytes()).unwrap();
    let third = out.next().unwrap();
    assert!(third.contains("secret_get") && third.contains("late event"), "{third}");
    drop(steady);
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{err}");
    assert!(err.contains("45 read = 45 decoded"), "{err}");
}
