//! What a rule reads later of an event, and what a key is made of, may be as long as an event.

use super::bounded::{few, plenty, rules, run, user, users};
use super::windows::{Get, texts};
use crate::alert::Alert;
use crate::limits::{KEPT_KEY_BYTES_MAX, LATER_BYTES_MAX, Limits, VIRTUAL_SHARDS};

const LOST: &str = "too many events: not all that is read of the last one was kept";

fn long(bytes: usize) -> &'static str {
    "x".repeat(bytes).leak()
}

fn get(at: i64, user: &'static str, pod: &'static str, code: i64) -> Get {
    Get { at, user, pod, code, cluster: 0 }
}

/// With room for so many bytes in a shard, of all that a key need not have.
fn room(bytes: usize) -> Limits {
    Limits { window_bytes_per_rule_max: bytes * VIRTUAL_SHARDS, ..plenty() }
}

/// It is about no event.
fn tells_of_what_went(alert: &Alert) -> bool {
    alert.events.is_empty()
}

fn of_keys(alerts: &[Alert]) -> Vec<&Alert> {
    alerts.iter().filter(|alert| !tells_of_what_went(alert)).collect()
}

#[test]
fn what_is_read_of_the_last_match_goes_where_there_is_no_room_and_the_alert_says_so() {
    let (name, users) = (long(20_000), users());
    let log: Vec<Get> =
        (0..8_u8).map(|n| get(i64::from(n) * 100, users[usize::from(n) % 4], name, 200)).collect();
    for shape in ["count() == 2 session gap 3s within 8s", "count() == 2 tumbling 7s", "silent for 5s"] {
        let body = format!("by user.username when {shape} THROTTLE alert \"{{objectRef.name}}\"");
        // Behind the end of the log there must be a time at which they are over.
        let log: Vec<Get> = log.iter().cloned().chain([get(60_000, users[11], "p", 200)]).collect();
        let text = rules(&[&body], 0);
        let exact = run(&text, &log, plenty(), &[]);
        assert!(exact.alerts.iter().all(|alert| !alert.approximate), "{shape}");
        assert_eq!(
            exact.alerts.iter().filter(|alert| alert.message.starts_with("xxx")).count(),
            4,
            "{shape}"
        );
        // Two of the four fit.
        let enough = 2 * (20_000 - LATER_BYTES_MAX) + 4 * 2_048 + 2_000;
        for (bytes, whole) in [(enough, 2), (0, 0)] {
            let ran = run(&text, &log, room(bytes), &[]);
            let told = of_keys(&ran.alerts);
            let ids = |of: &[&Alert]| of.iter().map(|alert| (alert.id, alert.count)).collect::<Vec<_>>();
            assert_eq!(ids(&told), ids(&of_keys(&exact.alerts)), "{shape}");
            let (shown, lost): (Vec<_>, Vec<_>) = told
                .into_iter()
                .filter(|alert| user(alert) != Some(users[11]))
                .partition(|alert| !alert.approximate);
            assert_eq!((shown.len(), lost.len()), (whole, 4 - whole), "{shape}");
            assert!(shown.iter().all(|alert| alert.message.starts_with("xxx")), "{shape}");
            assert!(
                lost.iter().all(|alert| alert.notes.contains(&LOST) && !alert.message.contains('x')),
                "{shape}"
            );
            assert_eq!(ran.alerts.iter().filter(|alert| tells_of_what_went(alert)).count(), 1, "{shape}");
            let saved = run(&text, &log, room(bytes), &[3, 6, 8]);
            assert_eq!(texts(&saved.alerts), texts(&ran.alerts), "{shape}");
        }
    }
}

#[test]
fn a_step_whose_only_match_is_large_lets_it_go_and_alerts_where_it_may_have_mattered() {
    let (name, [who, other, ..]) = (long(40_000), users());
    let body = "{ by user.username sequence within 6s { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 and objectRef.name == a.objectRef.name } THROTTLE alert \"x\" }";
    let text = rules(&[body], 0);
    let log = [
        get(0, who, name, 200),
        get(50, other, "p", 200),
        get(100, who, name, 403),
        get(150, other, "p", 403),
    ];
    let told = |limits| {
        let ran = run(&text, &log, limits, &[]);
        ran.alerts.iter().map(|alert| (user(alert).map(str::to_owned), alert.approximate)).collect::<Vec<_>>()
    };
    let of = |who: &str, approximate| (Some(who.to_owned()), approximate);
    assert_eq!(told(plenty()), [of(who, false), of(other, false)]);
    assert_eq!(told(room(1_000)), [of(who, true), of(other, false)]);
}

#[test]
fn a_key_that_is_too_long_to_be_kept_has_no_window_of_its_own() {
    let (name, short, users) = (long(KEPT_KEY_BYTES_MAX), long(KEPT_KEY_BYTES_MAX - 64), users());
    let log: Vec<Get> = (0..6_u8)
        .map(|n| get(i64::from(n) * 100, users[0], if n % 2 == 0 { name } else { short }, 200))
        .chain([get(60_000, users[11], "p", 200)])
        .collect();
    let limits = few(100);
    let rule = |shape: &str| rules(&[&format!("by objectRef.name when {shape} THROTTLE alert \"x\"")], 0);
    // One that is monotone shares, any other refuses and says so; the other key has no part in it.
    let ran = run(&rule("count() >= 2 tumbling 7s"), &log, limits, &[]);
    let told: Vec<_> = ran.alerts.iter().map(|alert| (alert.count, alert.approximate)).collect();
    assert_eq!(told, [(3, false), (3, true)]);
    for shape in ["count() >= 2 session gap 3s within 8s", "count() == 3 tumbling 7s"] {
        let ran = run(&rule(shape), &log, limits, &[]);
        let told: Vec<_> = ran.alerts.iter().map(|alert| (alert.count, alert.approximate)).collect();
        assert_eq!(told, [(3, false), (3, true)], "{shape}");
        assert!(tells_of_what_went(&ran.alerts[1]), "{shape}");
    }
    // Where nothing has to be kept of it, it is a key like any other.
    let ran = run(&rule("count() >= 3 within 7s"), &log, limits, &[]);
    assert_eq!(ran.alerts.iter().filter(|alert| !alert.approximate).count(), 2);
}
