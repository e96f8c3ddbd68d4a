//! Windows, what is measured over them, first sights, silences.

use dsl::ir::Type;

use super::super::aggregate::{average, sum};
use super::super::value::V;
use super::*;

#[test]
fn sums_are_rounded_once() {
    let of = |all: &[f64]| sum(&Type::Number, &all.iter().map(|n| V::Number(*n)).collect::<Vec<_>>());
    let two53 = 9_007_199_254_740_992.0;
    assert_eq!(of(&[1e16, 1.0, -1e16]), V::Number(1.0));
    assert_eq!(of(&[0.1; 10]), V::Number(1.0));
    assert_eq!(of(&[1e308, 1e308, -1e308]), V::Number(1e308));
    assert_eq!(of(&[1e308, 1e308]), V::Absent);
    assert_eq!(of(&[5e-324, 5e-324]), V::Number(1e-323));
    assert_eq!(of(&[f64::MIN_POSITIVE, -5e-324]), V::Number(2.225_073_858_507_201e-308));
    // Half way: the even one.
    assert_eq!(of(&[two53, 1.0]), V::Number(two53));
    assert_eq!(of(&[two53, 3.0]), V::Number(two53 + 4.0));
    assert_eq!(of(&[-two53, -1.0, -0.25]), V::Number(-two53 - 2.0));
    assert_eq!(of(&[f64::MAX, 2.0f64.powi(970)]), V::Absent);
    assert_eq!(of(&[f64::MAX, 2.0f64.powi(969)]), V::Number(f64::MAX));
    assert_eq!(format!("{:?}", of(&[-0.0])), "Number(0.0)");
    let durations = |all: &[i64]| all.iter().map(|d| V::Duration(*d)).collect::<Vec<_>>();
    assert_eq!(average(&Type::Duration, &durations(&[1, 2])), V::Duration(2));
    assert_eq!(average(&Type::Duration, &durations(&[-1, -2])), V::Duration(-2));
    assert_eq!(average(&Type::Duration, &durations(&[1, 1, 2])), V::Duration(1));
    assert_eq!(sum(&Type::Duration, &durations(&[i64::MAX, 1])), V::Absent);
    assert_eq!(sum(&Type::Duration, &[]), V::Duration(0));
    assert_eq!(average(&Type::Number, &[]), V::Absent);
}

#[test]
fn aggregates() {
    let rule = "rule r \"R\" { severity low on any of any when count() >= 3 within 1h throttle 0s alert
        \"{sum(responseStatus.code)} {avg(responseStatus.code)} {min(stageTimestamp)} {max(responseStatus.code)} {percentile(responseStatus.code, 50)} {percentile(responseStatus.code, 67)} {sum(responseStatus.code where verb == 'list')}\" }";
    let log = "1 get u a 4; 2 get u b 1; 3 get u c 2";
    let text = "3 r 3: 7 2.3333333333333335 1970-01-01T00:00:01Z 4 2 4 0";
    assert_eq!(told(rule, log), (vec![text.to_owned()], 0));
    let answer = answered(rule, &events(log), &[source(None)]);
    assert_eq!(answer.alerts[0].window, Some((SECOND, 3 * SECOND)));
    assert_eq!(answer.alerts[0].values[0], ("sum(responseStatus.code)".to_owned(), "Number(7.0)".to_owned()));
}

#[test]
fn tumbling_windows_close() {
    let rule = "rule r \"R\" { severity low on any of any when count() >= 1 tumbling 10s alert \"{count()} {objectRef.name}\" }";
    let (alerts, _) = told(rule, "9 get u b; 1 get u a; 10 get u c; 25 get u d");
    let ended = "30 r 1: 1 d [the input ended before the window]";
    assert_eq!(alerts, ["10 r 2: 2 b", "20 r 1: 1 c", ended]);
    // At the end of its time a window is over; none is left to close at the end of the input.
    let (alerts, _) = told(&rule.replace(">= 1", ">= 2"), "1; 2; 10");
    assert_eq!(alerts, ["10 r 2: 2 x"]);
}

#[test]
fn sessions_end_by_a_gap_or_their_length() {
    let rule = "rule r \"R\" { severity low on any of any when count() >= 1 session gap 5s within 12s alert \"{count()} {objectRef.name}\" }";
    let (alerts, _) = told(rule, "0 get u a; 5 get u b; 10 get u c; 12 get u d; 13 get u e");
    assert_eq!(alerts, ["12 r 4: 4 d", "13 r 1: 1 e [the input ended before the window]"]);
    let (alerts, _) = told(rule, "0 get u a; 5 get u b; 10.5 get u c; 16 get v z");
    assert_eq!(alerts[..2], ["5 r 2: 2 b", "10.5 r 1: 1 c"]);
}

#[test]
fn first_sights() {
    let rule = "rule r \"R\" { severity low on any of any by user.username when first_seen(objectRef.name) within 10s learning 5s alert \"{objectRef.name}\" }";
    let log = "0 get u a; 3 get u b; 5 get u c; 6 get u a; 16 get u a; 27 get u a; 27 get v a";
    assert_eq!(told(rule, log).0, ["5 r 1: c", "27 r 1: a"]);
    // Without learning the first one is new already.
    assert_eq!(told(&rule.replace("5s", "0s"), "0 get u a; 1 get u a").0, ["0 r 1: a"]);
}

#[test]
fn silences() {
    let rule = "rule r \"R\" { severity low on any of any by user.username when silent for 10s alert \"{user.username} {objectRef.name}\" }";
    let log = "0 get u a; 5 get v b; 10 get u c; 21 get u d; 40 get w e";
    assert_eq!(told(rule, log), (vec!["15 r 0: v b".into(), "20 r 0: u c".into(), "31 r 0: u d".into()], 1));
    let log = "0 get u a; 30 get u b";
    let one = answered(rule, &events(log), &[source(None)]);
    assert_eq!(one.alerts[0].window, Some((0, 10 * SECOND)));
    assert_eq!(one.alerts[0].events.len(), 1);
}

#[test]
fn silences_of_what_never_came() {
    let rule = "list people = [\"u\", \"x\"] rule r \"R\" { severity low on get of any by user.username when silent for 10s among people alert \"{user.username} {objectRef.name}\" }";
    let (mut alerts, pending) = told(rule, "0 list z z; 5 get u a; 30 get z b");
    alerts.sort();
    assert_eq!((alerts, pending), (vec!["10 r 0: x -".into(), "15 r 0: u a".into()], 1));
    // Without a key everything is waited for, of each cluster.
    let rule = "rule r \"R\" { severity low on get of any when silent for 10s alert \"{cluster} {objectRef.name}\" }";
    let mut arrivals = events("0 list; 4 list; 14 list");
    arrivals[1].source = 1;
    let answer = answered(rule, &arrivals, &[source(Some("a")), source(Some("b"))]);
    let alerts: Vec<String> = answer.alerts.iter().map(shown).collect();
    assert_eq!(alerts, ["10 r 0: a -", "14 r 0: b -"]);
}
