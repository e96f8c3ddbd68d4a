//! Decoding: the shapes events arrive in, and that documents say what an independent parser says.

use proptest::prelude::*;

use super::document::Node;
use super::row::Slot;
use super::*;
use crate::frame::blocks::{Block, Blocks};
use crate::matches::SourceId;

/// What a row holds, for comparing.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) event: serde_json::Value,
    pub(crate) cluster: Option<String>,
}

/// Back to what `serde_json` would hold, all numbers as doubles.
pub(crate) fn back(json: Json<'_>) -> serde_json::Value {
    match json.node() {
        Node::Null | Node::DeadKey => serde_json::Value::Null,
        Node::Bool(b) => b.into(),
        Node::Number(n) => n.into(),
        Node::Text { .. } => json.as_text().unwrap().into(),
        Node::List { len, .. } => {
            assert_eq!(json.items().count(), len as usize);
            json.items().map(back).collect()
        }
        Node::Map { len, .. } => {
            assert_eq!(json.entries().count(), len as usize);
            json.entries().map(|(key, value)| (key.to_owned(), back(value))).collect()
        }
    }
}

/// All numbers as doubles.
pub(crate) fn doubles(value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Number(n) => n.as_f64().into(),
        serde_json::Value::Array(items) => items.into_iter().map(doubles).collect(),
        serde_json::Value::Object(map) => map.into_iter().map(|(k, v)| (k, doubles(v))).collect(),
        other => other,
    }
}

fn whole(row: &Row<'_>) -> serde_json::Value {
    match row.event() {
        Ok(json) => back(json),
        Err(line) => back(parse_json(line).unwrap().json(0)),
    }
}

fn seen(text: &[u8]) -> Vec<Result<Seen, Reason>> {
    let mut decoder = Decoder::default();
    let block: Block = Blocks::whole(SourceId(0), text);
    let mut out = Vec::new();
    block.each(|part| {
        decoder.frame(part.bytes(&block), part.kind, &mut |event| {
            out.push(event.map(|row| Seen { event: whole(row), cluster: row.cluster.map(str::to_owned) }));
        });
    });
    out
}

const EVENT: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/x/secrets/y?a=1\u0026b=2","verb":"get","user":{"username":"u","groups":["g"]},"sourceIPs":["10.0.0.1"],"objectRef":{"resource":"secrets","namespace":"x","name":"y"},"responseStatus":{"code":200},"requestReceivedTimestamp":"2026-11-22T02:15:30.000001Z","stageTimestamp":"2026-11-22T02:15:30.123456Z"}"#;

fn event() -> serde_json::Value {
    doubles(serde_json::from_str(EVENT).unwrap())
}

fn plain(cluster: Option<&str>) -> Result<Seen, Reason> {
    Ok(Seen { event: event(), cluster: cluster.map(str::to_owned) })
}

fn bare() -> String {
    EVENT.replace(r#""kind":"Event","apiVersion":"audit.k8s.io/v1","#, "")
}

#[test]
fn every_wrapping_gives_the_event() {
    let escaped = serde_json::to_string(EVENT).unwrap();
    let with_newline = serde_json::to_string(&format!("{EVENT}\n")).unwrap();
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(EVENT).unwrap()).unwrap();
    for text in [
        EVENT.to_owned(),
        format!("\u{feff}{EVENT}\r\n"),
        pretty.clone(),
        format!("[{EVENT}]"),
        format!(r#"{{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{{}},"items":[{EVENT}]}}"#),
        format!(r#"{{"message":{escaped},"verb":"list","auditID":"other","stage":"x"}}"#),
        format!(r#"{{"log":{with_newline},"stream":"stdout"}}"#),
        format!(r#"{{"log":{EVENT}}}"#),
        format!(r#"{{"message":{pretty}}}"#),
        format!(r#"{{"logGroup":"g","logEvents":[{{"id":"1","message":{escaped}}}]}}"#),
        format!(r#"{{"records":[{{"category":"kube-audit","properties":{{"log":{with_newline}}}}}]}}"#),
        format!(r#"{{"records":[{{"properties":{{"log":{EVENT}}}}}]}}"#),
        format!(r#"{{"properties":{{"log":{escaped}}},"category":"kube-audit"}}"#),
        format!(r#"{{"message":{}}}"#, serde_json::to_string(&format!(r#"{{"log":{escaped}}}"#)).unwrap()),
        format!("2026-11-22T02:15:30.123456789Z stdout F {EVENT}"),
        escaped,
    ] {
        assert_eq!(seen(text.as_bytes()), [plain(None)], "{text}");
    }
}

#[test]
fn collectors_keys_stand_beside_the_event() {
    let merged =
        EVENT.replacen('{', r#"{"@timestamp":"x","message":"plain words","openshift":{"labels":{}},"#, 1);
    let all = seen(merged.as_bytes());
    assert_eq!(all[0].as_ref().unwrap().event["auditID"], "a-1");
    // The same of an event that does not say its kind.
    let merged = bare().replacen('{', r#"{"message":"plain words","#, 1);
    assert_eq!(seen(merged.as_bytes())[0].as_ref().unwrap().event["auditID"], "a-1");
}

#[test]
fn a_record_names_the_cluster() {
    let escaped = serde_json::to_string(EVENT).unwrap();
    let proper = format!(r#"{{"message":{escaped},"verb":"get","cluster_uuid":"c-1"}}"#);
    let object = format!(r#"{{"message":{EVENT},"verb":"get","cluster_uuid":"c-1"}}"#);
    let pasted = format!(r#"{{"message":"{EVENT}","verb":"get","cluster_uuid":"c-1"}}"#);
    let pasted_line =
        format!(r#"{{"_timestamp_":1, "message": "{EVENT}\n", "verb":"get","cluster_uuid":"c-1"}}"#);
    for text in [proper, object, pasted, pasted_line] {
        // What follows has no cluster of its own.
        let text = format!("{text}\n{EVENT}\n");
        assert_eq!(seen(text.as_bytes()), [plain(Some("c-1")), plain(None)], "{text}");
    }
}

#[test]
fn items_need_no_kind() {
    let text = format!(r#"{{"kind":"EventList","items":[{0},{0},7]}}"#, bare());
    let all = seen(text.as_bytes());
    assert_eq!(all.len(), 3);
    assert_eq!(all[0].as_ref().unwrap().event["auditID"], "a-1");
    assert_eq!(all[2], Err(Reason::NotAnEvent));
    assert_eq!(seen(br#"{"kind":"EventList","items":[]}"#), []);
    assert_eq!(seen(br#"{"kind":"EventList","items":null}"#), []);
}

#[test]
fn what_is_no_event_has_a_reason() {
    for (text, reason) in [
        (r#"{"kind":0}"#, Reason::NotAnEvent),
        (r#"{"a":1}"#, Reason::NotAnEvent),
        (r#"{"kind":"Event","apiVersion":"v1","metadata":{}}"#, Reason::NotAnEvent),
        (r#"{"message":"just words"}"#, Reason::NotAnEvent),
        (r#"{"message":""}"#, Reason::NotAnEvent),
        (r#"{"message":"{\"kind\":\"Event\",\"a"}"#, Reason::CutOff),
        (r#"{"protoPayload":{"methodName":"io.k8s"},"logName":"x"}"#, Reason::GoogleCloudEntry),
        (r#"{"kind":"Event","stage":"ResponseComplete"}"#, Reason::BadEvent),
        (r#"{"kind":"Event","stage":"Other","verb":"get","auditID":"a"}"#, Reason::BadEvent),
        (r#"{"kind":"Event","stage":"Panic","verb":"get","auditID":"a"}"#, Reason::NoTime),
        (
            r#"{"kind":"Event","stage":"Panic","verb":"get","auditID":"a","stageTimestamp":"now"}"#,
            Reason::NoTime,
        ),
        (r#"{"a":"\x"}"#, Reason::NotJson),
        (r#"{"a":01}"#, Reason::NotJson),
        (r#"{"a":nul}"#, Reason::NotJson),
        ("{\"a\":\"\t\"}", Reason::NotJson),
        ("junk", Reason::NotJson),
    ] {
        assert_eq!(seen(text.as_bytes()), [Err(reason)], "{text}");
    }
}

#[test]
fn old_events_have_their_time() {
    let text = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1beta1","metadata":{},"timestamp":"2018-01-01T00:00:00Z","auditID":"a","stage":"ResponseComplete","verb":"get","stageTimestamp":null}"#;
    let mut decoder = Decoder::default();
    let mut times = Vec::new();
    decoder.frame(text.as_bytes(), Kind::Document, &mut |event| {
        let row = event.unwrap();
        times.push((row.stage_timestamp, row.text(Slot::RequestReceived).map(str::to_owned)));
    });
    assert_eq!(times, [(1_514_764_800_000_000_000, Some("2018-01-01T00:00:00Z".to_owned()))]);
}

#[test]
fn of_equal_keys_the_last_one_wins_at_every_depth() {
    let text = EVENT.replace(
        r#""user":{"username":"u","groups":["g"]}"#,
        r#""user":{"username":"first"},"\u0075ser":{"username":"u","group\u0073":[],"x":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"a":9},"groups":["g"],"username":"last"}"#,
    );
    let mut decoder = Decoder::default();
    let mut name = Vec::new();
    decoder.frame(text.as_bytes(), Kind::Document, &mut |event| {
        let row = event.unwrap();
        name.push(row.text(Slot::Username).unwrap().to_owned());
        let user = back(row.get(Slot::User).unwrap());
        assert_eq!(user["groups"], serde_json::json!(["g"]));
        assert_eq!(user["x"]["a"], 9.0);
    });
    assert_eq!(name, ["last"]);
    assert_eq!(decoder.tape.duplicate_keys, 4);
}

#[test]
fn what_go_mends_is_mended() {
    let body =
        |inside: &str| EVENT.replace(r#""verb":"get""#, &format!(r#""verb":"get","requestObject":{inside}"#));
    for (inside, expected) in [
        (r#""\ud800""#, "\u{fffd}"),
        (r#""\udc00x""#, "\u{fffd}x"),
        (r#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
        (r#""\ud800\n""#, "\u{fffd}\n"),
        ("1e400", "1e400"),
        ("-1E999", "-1E999"),
    ] {
        let all = seen(body(inside).as_bytes());
        assert_eq!(all[0].as_ref().unwrap().event["requestObject"], expected, "{inside}");
    }
    let mut bytes = body(r#""@@""#).into_bytes();
    let at = bytes.windows(2).position(|w| w == b"@@").unwrap();
    bytes[at] = 0xff;
    bytes[at + 1] = 0xc3;
    let mut decoder = Decoder::default();
    decoder.frame(&bytes, Kind::Document, &mut |event| {
        assert_eq!(back(event.unwrap().event().unwrap())["requestObject"], "\u{fffd}\u{fffd}");
    });
    assert_eq!(decoder.tape.mended, 1);
}

#[test]
fn numbers_are_doubles() {
    for text in [
        "0",
        "-0",
        "1",
        "1e300",
        "0.1",
        "9007199254740993",
        "18446744073709551616",
        "123456789012345678901234567890",
        "-9223372036854775809",
        "5e-324",
        "1e-400",
    ] {
        let doc = parse_json(text).unwrap();
        let wanted: f64 = text.parse().unwrap();
        assert_eq!(doc.node(0), Node::Number(wanted), "{text}");
    }
}

#[test]
fn depth_has_a_limit_and_never_a_stack_overflow() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let with = |depth| {
        EVENT.replace(r#""verb":"get""#, &format!(r#""verb":"get","requestObject":{}"#, nested(depth)))
    };
    assert!(seen(with(400).as_bytes())[0].is_ok());
    for depth in [600, 100_000] {
        assert_eq!(seen(with(depth).as_bytes()), [Err(Reason::TooDeep)]);
    }
    assert_eq!(seen("{\"a\":".repeat(100_000).as_bytes()), [Err(Reason::CutOff)]);
    assert!(parse_json(&nested(100_000)).is_none());
    // Records in records in records.
    let mut text = EVENT.to_owned();
    for _ in 0..12 {
        text = serde_json::json!({ "message": text }).to_string();
    }
    assert_eq!(seen(text.as_bytes()), [Err(Reason::NotAnEvent)]);
}

/// Every log of the recorded ones: each line is one event, and says what an independent parser says.
#[test]
fn recorded_logs_are_decoded_as_they_are() {
    let data = std::env::var("AUDIT_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned());
    let mut lines = 0;
    for path in glob::glob(&format!("{data}/**/*")).unwrap().flatten() {
        let name = path.to_string_lossy().into_owned();
        if !(name.contains(".log") || name.contains(".jsonl")) || name.contains("headers") || path.is_dir() {
            continue;
        }
        let mut bytes = std::fs::read(&path).unwrap();
        if name.ends_with(".gz") {
            let mut plain = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&*bytes), &mut plain).unwrap();
            bytes = plain;
        }
        let mut wanted = Vec::new();
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            // What the independent parser does not take is left to the tests above.
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
                wanted.push(None);
                continue;
            };
            match value.get("items") {
                Some(items) => {
                    wanted.extend(items.as_array().unwrap().iter().map(|i| Some(doubles(i.clone()))))
                }
                None => wanted.push(Some(doubles(value))),
            }
        }
        let all = seen(&bytes);
        assert_eq!(all.len(), wanted.len(), "{name}");
        for (got, wanted) in all.into_iter().zip(wanted) {
            lines += 1;
            if let Some(wanted) = wanted {
                assert_eq!(got.unwrap().event, wanted, "{name}");
            }
        }
    }
    if lines == 0 {
        println!("no recorded logs at {data}: nothing was compared");
    } else {
        println!("{lines} recorded events compared");
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC*".prop_map(serde_json::Value::from),
        "[a-c\"\\\\\n\u{1}é]*".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..12)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn documents_say_what_an_independent_parser_says(value in json(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let doc = parse_json(&text).expect("valid JSON is taken");
        prop_assert_eq!(back(doc.json(0)), doubles(serde_json::from_str(&text).unwrap()));
    }

    /// Broken a little, both take it or neither does, and then say the same.
    #[test]
    fn broken_documents_are_refused_alike(value in json(), at in any::<prop::sample::Index>(), by in "[\\[\\]{}:,\"\\\\a-f0-9.eE+ \n\t\u{1}-]{0,2}") {
        let mut text = serde_json::to_string(&value).unwrap();
        let mut place = at.index(text.len());
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        let end = place + text[place..].chars().next().map_or(0, char::len_utf8);
        text.replace_range(place..end, &by);
        let theirs = serde_json::from_str::<serde_json::Value>(&text).ok().map(doubles);
        let ours = parse_json(&text).map(|doc| back(doc.json(0)));
        prop_assert_eq!(ours, theirs, "{}", text);
    }

    #[test]
    fn any_bytes_come_out_as_something(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = seen(&bytes);
        let mut text = b"{\"message\":\"{".to_vec();
        text.extend(&bytes);
        let _ = seen(&text);
    }

    #[test]
    fn an_event_with_bytes_put_in_is_never_lost_silently(at in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut text = EVENT.as_bytes().to_vec();
        let place = at.index(text.len());
        text.splice(place..place, bytes);
        prop_assert!(!seen(&text).is_empty());
    }
}
