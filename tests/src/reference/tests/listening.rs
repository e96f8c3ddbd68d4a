//! Rules on alerts and on what is no event; keys without the cluster; throttles.

use super::*;

#[test]
fn alerts_are_heard_as_told() {
    let rules = "rule base \"B\" { severity low tags t.a on get of any by user.username throttle 3s alert \"got {objectRef.name}\" }
        rule over \"O\" { severity high on alert of base by user.username when count() >= 2 within 10s throttle 0s
            alert \"{alert.rule} {alert.severity} {alert.tags} {alert.key} {objectRef.name} {alert.message} {alert.count}\" }";
    let (alerts, _) = told(rules, "1 get u a; 2 get u b; 5 get u c; 5 get v d");
    let over = r#"5 over 2: base low t.a {"user.username":"u"} c got c 1"#;
    let base = ["1 base 1: got a", "5 base 1: got c", "5 base 1: got d"];
    assert_eq!(
        alerts.iter().filter(|a| a.contains(" base 1")).collect::<Vec<_>>(),
        base.iter().collect::<Vec<_>>()
    );
    assert_eq!(alerts.last().unwrap(), over);
    assert_eq!(alerts.len(), 4);
    let answer = answered(rules, &events("1 get u a; 2 get u b; 5 get u c"), &[source(None)]);
    let ids: Vec<&String> = answer.alerts.iter().filter(|a| a.rule == "base").map(|a| &a.id).collect();
    assert_eq!(answer.alerts[2].events.iter().collect::<Vec<_>>(), ids);
    assert_eq!(answer.alerts[1].suppressed, 1);
}

#[test]
fn what_is_judged_at_the_end_is_heard_then() {
    let rules = "rule base \"B\" { severity low on get of any when count() >= 1 tumbling 10s alert \"{count()}\" }
        rule over \"O\" { severity low on alert of base when count() >= 1 tumbling 100s alert \"{count()} {sum(alert.count)}\" }";
    let (alerts, _) = told(rules, "1; 2; 15; 31");
    let ended = " [the input ended before the window]";
    let expected = [
        "10 base 2: 2".to_owned(),
        "20 base 1: 1".to_owned(),
        format!("40 base 1: 1{ended}"),
        format!("100 over 3: 3 4{ended}"),
    ];
    assert_eq!(alerts, expected);
    // They come after the timers of that time: the silence that ends with the input is one.
    let rules =
        "rule base \"B\" { severity low on get of any when count() >= 1 tumbling 10s alert \"{count()}\" }
        rule over \"O\" { severity low on alert of base when silent for 10s alert \"silent\" }";
    let (alerts, pending) = told(rules, "1; 20");
    let base = format!("30 base 1: 1{ended}");
    assert_eq!((alerts, pending), (vec!["10 base 1: 1".into(), "20 over 0: silent".into(), base], 1));
}

#[test]
fn what_is_no_event() {
    let rule = "rule r \"R\" { severity low on undecodable alert \"{undecodable.reason} {undecodable.offset} {source} {stageTimestamp}\" }";
    let mut arrivals = events("0; 3; 3; 2; 3");
    for (n, key) in [(0, "auditID"), (2, "stageTimestamp"), (4, "verb")] {
        arrivals[n].json[key] = Value::Null;
    }
    let settings = Settings { lateness: SECOND, request_memory: 60 * SECOND, until: None };
    let answer = answer_placed(
        &rules(rule),
        &[source(None)],
        &arrivals,
        &[0, 9, 20, 20, 20],
        settings,
        &Poison::default(),
    );
    let told: Vec<String> = answer.alerts.iter().map(shown).collect();
    let late = ["bad_event 20 log 1970-01-01T00:00:03Z", "no_time 20 log 1970-01-01T00:00:03Z"];
    assert_eq!(told[0], "0 r 1: bad_event 0 log 1970-01-01T00:00:00Z");
    let mut rest: Vec<&str> = told[1..].iter().map(|text| text.trim_start_matches("3 r 1: ")).collect();
    rest.sort_unstable();
    assert_eq!(rest, late);
    assert_ne!(answer.alerts[1].id, answer.alerts[2].id);
    assert_eq!((answer.decoded, answer.undecodable), (2, 3));
}

#[test]
fn clusters_are_apart_unless_told() {
    let rule = "rule r \"R\" { severity low on any of any by user.username when count() >= 2 within 1m throttle 0s alert \"{distinct(cluster)}\" }";
    let across = rule.replace("when", "across clusters when");
    let mut arrivals = events("1; 2; 3");
    arrivals[1].source = 1;
    let sources = [source(Some("a")), source(Some("b"))];
    let shown = |rule: &str| answered(rule, &arrivals, &sources).alerts.iter().map(shown).collect::<Vec<_>>();
    assert_eq!(shown(rule), ["3 r 2: 1"]);
    assert_eq!(shown(&across), ["2 r 2: 2", "3 r 3: 2"]);
}
