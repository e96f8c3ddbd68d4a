//! A live source whose events are dated far ahead: however many there are, they move its clock no further than the time at
//! which they were read.

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

use tests::generate::{Case, RuleText};
use tests::harness::hold;

use super::stalled::{pipe, reads};
use super::*;

const WATCHED: &str = r#"
rule each "t" { severity low on get of secrets alert "{user.username}" }
rule burst "t" { severity low on get of secrets by user.username when count() >= 3 within 20s throttle 0s alert "{count()}" }
rule quiet "t" { severity low on get of secrets by user.username when silent for 30s alert "{user.username}" }
"#;

/// An event a second for five minutes, of which every tenth is a read of a secret; after two minutes, in between, forty that
/// are dated a year ahead. Each is read half a second after it happened, or else nothing is known of that.
fn case(read: bool) -> Case {
    let mut arrivals = Vec::new();
    for at in 0..300_i64 {
        let mut happened = vec![match at % 10 {
            0 => reads(0, at, at, "eve"),
            _ => Arrival::event(0, passing(at, START + at * SECOND)),
        }];
        if (120..160).contains(&at) {
            happened.push(Arrival::event(0, passing(1_000 + at, START + (365 * 86_400 + at) * SECOND)));
        }
        let when = START + at * SECOND + SECOND / 2;
        arrivals.extend(happened.into_iter().map(|one| Arrival { read: read.then_some(when), ..one }));
    }
    Case {
        rules: RuleText { head: String::new(), rules: vec![WATCHED.to_owned()] },
        sources: vec![Source { name: "live".to_owned(), cluster: None }],
        arrivals,
        settings: settings(),
        block: 1 << 16,
        framing: 4,
    }
}

#[test]
fn events_dated_a_year_ahead_make_none_late_on_a_live_source() {
    let held = hold(&case(true)).unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(held.answer.late, 0);
    let of = |rule: &str| held.answer.alerts.iter().filter(|alert| alert.rule == rule).count();
    assert_eq!((of("each"), of("burst")), (30, 28));
    // A bounded file was read at no time that says anything, and believes the sixteenth.
    let held = hold(&case(false)).unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(held.answer.late, 300 - 136);
}

#[test]
fn a_pipe_believes_no_event_dated_a_year_ahead() {
    let place = Place::new();
    place.write("set.rule", WATCHED);
    let mut live = pipe(&place, "live");
    let words = ["run", "set.rule", "--from", "live", "--lateness", "30s", "--fail-on", "late"];
    let child = place.command(&words).spawn().unwrap();
    let now = || {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_nanos()).unwrap()
    };
    for n in 0..60 {
        live.write_all(&bytes(&[passing(n, now() + (n % 3) * 1_000)])).unwrap();
        live.write_all(&bytes(&[passing(100 + n, now() + (365 * 86_400 + n) * SECOND)])).unwrap();
        // So that they are not all read at once.
        sleep(Duration::from_millis(20));
    }
    let mut read = reads(0, 300, 0, "eve").json;
    read["stageTimestamp"] = passing(0, now())["stageTimestamp"].clone();
    live.write_all(&bytes(&[read])).unwrap();
    sleep(Duration::from_millis(100));
    drop(live);
    let ended = child.wait_with_output().unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    ended.stdout.as_slice().read_to_string(&mut out).unwrap();
    ended.stderr.as_slice().read_to_string(&mut err).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{err}");
    assert!(out.contains("each") && !out.contains("late event"), "{out}");
}
