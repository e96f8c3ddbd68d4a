//! Sequences: which choice is taken, what forbids it, when the answer waits.

use super::*;

fn rule(steps: &str, alert: &str) -> String {
    format!("rule r \"R\" {{ severity low throttle 0s {steps} alert \"{alert}\" }}")
}

#[test]
fn repeated_steps_take_the_latest() {
    let rule = rule(
        "sequence within 10s { miss: 2 times on get of any  hit: on list of any }",
        "{miss.objectRef.name} {objectRef.name}",
    );
    assert_eq!(told(&rule, "1 get u a; 2 get u b; 3 get u c; 4 list u d").0, ["4 r 3: c d"]);
    assert_eq!(told(&rule, "1 get u a; 3 get u c; 11 list u d").0, ["11 r 3: c d"]);
    assert_eq!(told(&rule, "1 get u a; 3 get u c; 11.5 list u d").0, [""; 0]);
    // What comes at one time stands in either order.
    assert_eq!(told(&rule, "1 list u d; 1 get u a; 1 get u b").0.len(), 1);
}

#[test]
fn steps_forbid_between_others() {
    let rule = rule(
        "sequence within 10s { one: on get of any  no mid: on watch of any where objectRef.name == one.objectRef.name
         two: on list of any }",
        "{one.objectRef.name} {two.objectRef.name}",
    );
    assert_eq!(told(&rule, "1 get u a; 2 get u b; 3 watch u b; 4 list u c").0, ["4 r 2: a c"]);
    assert_eq!(told(&rule, "1 get u a; 2 watch u a; 4 list u c").0, [""; 0]);
    // Strictly between.
    assert_eq!(told(&rule, "1 get u a; 1 watch u a; 4 watch u a; 4 list u c").0, ["4 r 2: a c"]);
    let within = rule.replace("no mid:", "no mid within 1s:");
    assert_eq!(told(&within, "1 get u a; 2.5 watch u a; 4 list u c").0, ["4 r 2: a c"]);
    assert_eq!(told(&within, "1 get u a; 2 watch u a; 4 list u c").0, [""; 0]);
}

#[test]
fn steps_forbid_before() {
    let rule = rule(
        "sequence within 1m { no saved within 5s: on create of any  gone: on update of any }",
        "{gone.objectRef.name}",
    );
    assert_eq!(told(&rule, "1 create u s; 6 update u a; 7 update u b").0, ["7 r 1: b"]);
    assert_eq!(told(&rule, "1 create u s; 1 update u a").0, [""; 0]);
}

#[test]
fn steps_forbid_behind_and_are_waited_for() {
    let steps = "sequence within 5s { asked: on get of any
        no answer: on list of any where objectRef.name == asked.objectRef.name }";
    let rule = rule(steps, "{asked.objectRef.name}");
    let log = "1 get u a; 2 get u b; 7 list u b; 8 list u a; 18 get u c; 20 watch u z";
    assert_eq!(told(&rule, log), (vec!["6 r 1: a".into()], 1));
    // What is forbidden already is not pending.
    assert_eq!(told(&rule, "18 get u c; 19 list u c; 20 watch u z"), (vec![], 0));
    // The wait of a later choice is not looked at before that of the one preferred.
    let steps = "sequence within 10s { one: on get of any  two: on update of any
        no undo within 3s: on delete of any where objectRef.name == one.objectRef.name }";
    let rule = self::rule(steps, "{one.objectRef.name} {two.objectRef.name}");
    let answer = answered(
        &rule,
        &events("1 get u a; 2 get u b; 4 update u c; 6 delete u b; 9 watch"),
        &[source(None)],
    );
    assert_eq!(answer.alerts.iter().map(shown).collect::<Vec<_>>(), ["7 r 2: a c"]);
    assert_eq!(answer.alerts[0].window, Some((SECOND, 4 * SECOND)));
}

#[test]
fn any_order() {
    let rule = rule(
        "unordered within 10s { one: on get of any  two: on list of any }",
        "{one.objectRef.name} {two.objectRef.name} {objectRef.name}",
    );
    let log = "1 list u a; 2 get u b; 3 list u c; 4 get u d; 20 list u e";
    assert_eq!(told(&rule, log).0, ["2 r 2: b a b", "3 r 2: b c c", "4 r 2: d c d"]);
    // An event that matches both stands at the last, if another is there for the first.
    let both = rule.replace("on get of any", "on any of any");
    assert_eq!(told(&both, "1 get u a; 2 list u b; 3 get u c").0, ["2 r 2: a b b", "3 r 2: c b c"]);
    let no = rule.replace("two:", "no undo: on watch of any two:");
    assert_eq!(told(&no, "1 list u a; 2 watch u x; 3 get u b; 4 list u c").0, ["4 r 2: b c c"]);
}

#[test]
fn stages_of_a_request_are_one_event_only_by_outcome() {
    let mut arrivals = events("1; 2");
    let stage = |arrival: &mut Arrival, stage: &str| arrival.json["stage"] = stage.into();
    arrivals[1].json["auditID"] = arrivals[0].json["auditID"].clone();
    arrivals[1].json["requestReceivedTimestamp"] = arrivals[0].json["requestReceivedTimestamp"].clone();
    stage(&mut arrivals[0], "ResponseStarted");
    let count = |one: &str, arrivals: &[Arrival]| {
        let steps = format!("sequence within 10s {{ one: on any of any{one} two: on any of any }}");
        answered(&rule(&steps, "x"), arrivals, &[source(None)]).alerts.len()
    };
    assert_eq!(count("", &arrivals), 0);
    // The second step has the request by its first event, which the first step has too.
    assert_eq!(count(" at ResponseStarted", &arrivals), 0);
    stage(&mut arrivals[0], "RequestReceived");
    assert_eq!(count(" at RequestReceived", &arrivals), 1);
}
