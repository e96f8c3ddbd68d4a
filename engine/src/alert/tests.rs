use std::sync::Arc;

use super::*;
use crate::testing::{meta, text};

fn alert() -> Alert {
    let mut meta = meta(7, 1_795_338_847_120_391_000);
    meta.audit_id = "a\"b\u{1b}[31m\u{2028}".into();
    meta.groups = vec![text("g1"), text("g2")];
    meta.request_received = Some(0);
    let meta = Arc::new(meta);
    Alert {
        id: *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff",
        rule: Arc::new(RuleFace {
            name: "bulk_delete".into(),
            title: "One user".into(),
            severity: Severity::Critical,
            tags: vec![text("attack.T1485")],
        }),
        message: "dev-user\ndeleted".into(),
        time: meta.stage_timestamp,
        window: Some((-1, 1_000)),
        key: vec![
            (text("user.username"), Value::Text("dev".into())),
            (text("n"), Value::Number(0.5)),
            (text("b"), Value::Bool(true)),
            (text("d"), Value::Duration(90_000_000_000)),
            (text("x"), Value::Absent),
        ],
        count: 3,
        values: vec![
            (text("distinct(objectRef.name)"), Value::Number(3.0)),
            (text("avg(x)"), Value::Number(0.25)),
            (text("max(d)"), Value::Duration(1_500_000_000)),
            (text("min(t)"), Value::Time(0)),
            (text("sum(x)"), Value::Absent),
        ],
        cluster: None,
        completing: Some(meta.clone()),
        events: vec![Evidence { meta, step: Some("read".into()), source: "audit.log".into() }],
        suppressed: 2,
        approximate: true,
        notes: vec!["at least"],
        probes: Vec::new(),
    }
}

#[test]
fn an_alert_is_written_key_by_key() {
    let mut out = Vec::new();
    alert().to_json(&mut out);
    let want = concat!(
        r#"{"id":"000102030405060708090a0b0c0d0eff","rule":"bulk_delete","title":"One user","severity":"critical","#,
        r#""message":"dev-user\ndeleted","tags":["attack.T1485"],"time":"2026-11-22T09:14:07.120391Z","cluster":null,"#,
        r#""window":{"from":"1969-12-31T23:59:59.999999999Z","to":"1970-01-01T00:00:00.000001Z"},"#,
        r#""key":{"user.username":"dev","n":0.5,"b":true,"d":"1m30s","x":null},"count":3,"#,
        r#""values":{"distinct(objectRef.name)":3,"avg(x)":0.25,"max(d)":"1.5s","min(t)":"1970-01-01T00:00:00Z","#,
        r#""sum(x)":null},"#,
        r#""actor":{"username":"someone","groups":["g1","g2"],"impersonated":null,"sourceIPs":[],"userAgent":null},"#,
        r#""object":{"verb":"get","resource":null,"subresource":null,"namespace":null,"name":null,"code":200},"#,
        r#""events":[{"auditID":"a\"b\u001b[31m\u2028","requestReceived":"1970-01-01T00:00:00Z","#,
        r#""stage":"ResponseComplete","time":"2026-11-22T09:14:07.120391Z","step":"read","source":"audit.log","#,
        r#""offset":7}],"suppressed":2,"approximate":true,"notes":["at least"]}"#,
    );
    assert_eq!(String::from_utf8(out).unwrap(), want);
}

#[test]
fn alerts_of_a_bounded_run_are_in_order_of_time_rule_and_id() {
    let with = |time, name: &str, id| {
        let mut alert = alert();
        alert.time = time;
        alert.rule = Arc::new(RuleFace { name: name.into(), ..(*alert.rule).clone() });
        alert.id = [id; 16];
        alert
    };
    let mut alerts = [with(2, "a", 0), with(1, "b", 1), with(1, "b", 0), with(1, "a", 9)];
    sort(&mut alerts);
    let order: Vec<_> = alerts.iter().map(|alert| (alert.time, &*alert.rule.name, alert.id[0])).collect();
    assert_eq!(order, [(1, "a", 9), (1, "b", 0), (1, "b", 1), (2, "a", 0)]);
}
