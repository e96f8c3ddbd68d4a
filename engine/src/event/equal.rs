//! The decoders of lines held to the tape: on made-up lines, whole and broken, and on every recorded one.

use proptest::prelude::*;
use proptest::sample::Index;

use super::compare::{OFFSET, Told, decoders, hold, same, tape, tell, told};
use super::document::Node;
use super::row::Slot;
use super::*;

/// All decoders say the same of a line, as far as they must.
#[track_caller]
fn check(line: &[u8]) {
    if let Err(why) = hold(line) {
        panic!("{why}");
    }
}

const HEAD: &str = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a-1","stage":"ResponseComplete","requestURI":"/api/v1?a=1\u0026b=2","verb":"get","user":{"username":"u","groups":["g","system:authenticated"]}"#;
const TAIL: &str = r#","requestReceivedTimestamp":"2026-11-22T02:15:30.000001Z","stageTimestamp":"2026-11-22T02:15:30.123456Z"}"#;

/// The line, and by which decoder.
#[track_caller]
fn read_by(line: &str) -> &'static str {
    check(line.as_bytes());
    let mut decoder = Decoder::default();
    tell(&mut decoder, format!("{line}\n").as_bytes());
    match decoder.by {
        DecodedBy { scan: 1, .. } => "scan",
        DecodedBy { walk: 1, .. } => "walk",
        _ => "tape",
    }
}

#[test]
fn what_a_server_writes_is_scanned() {
    let middle = r#","impersonatedUser":{"username":"v","uid":"1","extra":{"a":["x"],"b":[]}},"sourceIPs":["10.0.0.1","::1"],"userAgent":"kubectl/é \u003c\ud83d\ude00","objectRef":{"resource":"pods","namespace":"n","name":"p","uid":"u","apiGroup":"g","apiVersion":"v1","resourceVersion":"7","subresource":"log"},"responseStatus":{"metadata":{},"status":"Failure","message":"\"no\"","reason":"NotFound","details":{"name":"p","kind":"pods"},"code":404},"requestObject":{"a":[{"b":"]}\\\""},null,1e5]},"responseObject":[]"#;
    let end = TAIL.replace('}', r#","annotations":{"a":"","authorization.k8s.io/decision":"allow"}}"#);
    assert_eq!(read_by(&format!("{HEAD}{middle}{end}")), "scan");
    assert_eq!(read_by(&format!("{HEAD}{TAIL}")), "scan");
    assert_eq!(read_by(&format!("{HEAD}{TAIL}\r")), "scan");
    let nobody = HEAD.replace(r#"{"username":"u","groups":["g","system:authenticated"]}"#, "{}");
    assert_eq!(read_by(&format!("{nobody}{TAIL}")), "scan");
    // Once lost the addresses behind it.
    assert_eq!(read_by(&format!(r#"{HEAD},"impersonatedUser":null,"sourceIPs":["1.2.3.4"]{TAIL}"#)), "scan");
}

#[test]
fn what_others_write_is_walked() {
    let value: serde_json::Value =
        serde_json::from_str(&format!("{HEAD},\"requestObject\":{{\"x\":[1]}}{TAIL}")).unwrap();
    // With its keys by the alphabet.
    assert_eq!(read_by(&value.to_string()), "walk");
    let spaced = format!("{HEAD}{TAIL}").replace("\":", "\" : ").replace(",\"", " , \"").replace('}', " } ");
    assert_eq!(read_by(spaced.trim_end()), "walk");
    for (twice, by) in [
        (r#","verb":"list""#, "walk"),
        (r#","user":{"username":"w"}"#, "walk"),
        (r#","user":null"#, "walk"),
        (
            r#","user":{"username":"w","username":"x"},"objectRef":{"name":"n"},"objectRef":{"resource":"r"}"#,
            "walk",
        ),
        (r#","responseStatus":{"code":200,"code":201}"#, "walk"),
        // Keys that are equal only once unescaped, or are in maps of any keys, are the tape's.
        (r#","ver\u0062":"list""#, "tape"),
        (r#","annotations":{"a":"1","a":"2"}"#, "tape"),
        (r#","verb":"p\u0061tch","requestObject":{"a":1,"a":2}"#, "tape"),
        (r#","verb":"patch","requestObject":{"a":1,"a":2}"#, "tape"),
    ] {
        assert_eq!(read_by(&format!("{HEAD}{twice}{TAIL}")), by, "{twice}");
    }
}

#[test]
fn numbers_of_any_length_mean_what_they_say() {
    for code in ["0", "7", "200", "42949672960403", "999999999999999"] {
        assert_eq!(
            read_by(&format!(r#"{HEAD},"responseStatus":{{"metadata":{{}},"code":{code}}}{TAIL}"#)),
            "scan",
            "{code}"
        );
    }
    for code in [
        "4294967296040300000",
        "123456789012345678901234567890",
        "0200",
        "-1",
        "-0",
        "200.0",
        "2e2",
        "1e400",
        "2E+2",
        "+1",
        ".5",
        "",
        "\"200\"",
        "null",
        "true",
        "200 ",
        " 200",
    ] {
        check(format!(r#"{HEAD},"responseStatus":{{"metadata":{{}},"code":{code}}}{TAIL}"#).as_bytes());
    }
}

#[test]
fn what_stands_behind_a_body_is_read() {
    // Once passed over from the line's end: a second verb and user behind a body, and a body cut off in a text.
    let text = format!(r#"{HEAD},"requestObject":{{"a":1}},"verb":"delete","user":{{"username":"w"}}{TAIL}"#);
    assert_eq!(read_by(&text), "walk");
    check(format!(r#"{HEAD},"requestObject":{{"a":"cut of{TAIL}"#).as_bytes());
    check(format!(r#"{HEAD},"requestObject":{{"a":{{{TAIL}"#).as_bytes());
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    assert_eq!(read_by(&format!(r#"{HEAD},"requestObject":{deep}{TAIL}"#)), "tape");
}

/// Some JSON, with maps whose entries can be moved about.
#[derive(Clone, Debug)]
enum Made {
    Text(&'static str),
    Map(Vec<(String, Made)>),
}

impl Made {
    fn write(&self, spaced: bool, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Map(entries) => {
                out.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(if spaced { ", " } else { "," });
                    }
                    out.push_str(&format!("\"{key}\"{}", if spaced { ": " } else { ":" }));
                    value.write(spaced, out);
                }
                out.push('}');
            }
        }
    }
}

fn text() -> impl Strategy<Value = Made> {
    prop::sample::select(vec![
        r#""""#, r#""a""#, r#""pods""#, r#""a\u0026b""#, r#""\"""#, r#""\\""#, r#""\ud83d\ude00 \/""#, r#""é""#, r#""x\ud800""#,
        r#""xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\""#,
        r#""{}[],:""#, "null",
    ])
    .prop_map(Made::Text)
}

fn list() -> impl Strategy<Value = Made> {
    prop::sample::select(vec![
        r#"["g"]"#,
        r#"["g","\u003c"]"#,
        "[]",
        r#"["",""]"#,
        "null",
        r#"["a",1]"#,
        r#"[["a"]]"#,
    ])
    .prop_map(Made::Text)
}

fn body() -> impl Strategy<Value = Made> {
    prop::sample::select(vec![
        "{}", "[]", "null", r#"{"a":"]}","b":[{}]}"#, r#"{"a":1,"a":2}"#, r#"[{"op":"add","value":"\\\""}]"#, r#""text""#, "1e400", r#"{"\u0061":"\ud800"}"#,
        r#"{"kind":"Pod","metadata":{"name":"n","labels":{"x":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\\"}}}"#,
        r#"{"a":[1,2.5,-3e-7,true,false,null]}"#,
    ])
    .prop_map(Made::Text)
}

/// Each of these entries, or not, in order.
fn entries(all: Vec<(&'static str, BoxedStrategy<Made>, f64)>) -> impl Strategy<Value = Made> {
    let each: Vec<_> = all
        .into_iter()
        .map(|(key, value, often)| {
            prop::option::weighted(often, value)
                .prop_map(move |value| value.map(|value| (key.to_owned(), value)))
        })
        .collect();
    each.prop_map(|entries| Made::Map(entries.into_iter().flatten().collect()))
}

fn user() -> BoxedStrategy<Made> {
    let extra =
        entries(vec![("a", list().boxed(), 0.8), ("b", list().boxed(), 0.5), ("b", list().boxed(), 0.05)]);
    entries(vec![
        ("username", text().boxed(), 0.95),
        ("uid", text().boxed(), 0.3),
        ("groups", list().boxed(), 0.8),
        ("extra", extra.boxed(), 0.3),
    ])
    .boxed()
}

fn made_object() -> impl Strategy<Value = Made> {
    entries(
        [
            ("resource", 0.95),
            ("namespace", 0.7),
            ("name", 0.7),
            ("uid", 0.2),
            ("apiGroup", 0.5),
            ("apiVersion", 0.9),
            ("resourceVersion", 0.2),
            ("subresource", 0.2),
        ]
        .map(|(key, often)| (key, text().boxed(), often))
        .to_vec(),
    )
}

fn one_of(texts: &[&'static str]) -> BoxedStrategy<Made> {
    prop::sample::select(texts.to_vec()).prop_map(Made::Text).boxed()
}

fn made_status() -> impl Strategy<Value = Made> {
    let details = entries(vec![
        ("name", text().boxed(), 0.8),
        ("group", text().boxed(), 0.5),
        ("kind", text().boxed(), 0.8),
        ("uid", text().boxed(), 0.1),
        ("causes", list().boxed(), 0.1),
    ]);
    entries(vec![
        ("metadata", one_of(&["{}", "{}", "{}", r#"{"resourceVersion":"1"}"#, "null"]), 0.95),
        ("status", text().boxed(), 0.3),
        ("message", text().boxed(), 0.3),
        ("reason", text().boxed(), 0.3),
        ("details", details.boxed(), 0.2),
        (
            "code",
            one_of(&[
                "200",
                "404",
                "0",
                "42949672960403",
                "-1",
                "2e2",
                "0200",
                "123456789012345678901",
                "200.0",
                "null",
            ]),
            0.95,
        ),
    ])
}

fn made_event() -> impl Strategy<Value = Made> {
    let fixed = |text: &'static str| Just(Made::Text(text)).boxed();
    let time = || {
        one_of(&[
            r#""2026-11-22T02:15:30.000001Z""#,
            r#""2026-11-22T02:15:30.000001Z""#,
            r#""2026-11-22T02:15:30Z""#,
            r#""2026-11-22T02:15:30.5+01:00""#,
            r#""2026-02-30T02:15:30.000001Z""#,
            r#""2026-11-22T02:15:3\u0030.00001Z""#,
        ])
    };
    let annotations = entries(
        ["authorization.k8s.io/decision", "authorization.k8s.io/reason", "a", "pod-security.kubernetes.io/x"]
            .map(|key| (key, text().boxed(), 0.5))
            .to_vec(),
    );
    entries(vec![
        ("kind", fixed(r#""Event""#), 0.99),
        (
            "apiVersion",
            one_of(&[
                r#""audit.k8s.io/v1""#,
                r#""audit.k8s.io/v1""#,
                r#""audit.k8s.io/v1""#,
                r#""audit.k8s.io/v1beta1""#,
            ]),
            0.99,
        ),
        ("level", text().boxed(), 0.99),
        ("auditID", text().boxed(), 0.99),
        (
            "stage",
            one_of(&[
                r#""ResponseComplete""#,
                r#""RequestReceived""#,
                r#""ResponseStarted""#,
                r#""Panic""#,
                r#""ResponseComplete""#,
                r#""Other""#,
                r#""Pan\u0069c""#,
            ]),
            0.99,
        ),
        ("requestURI", text().boxed(), 0.99),
        ("verb", prop_oneof![3 => one_of(&[r#""get""#, r#""patch""#]), 1 => text()].boxed(), 0.99),
        ("user", user(), 0.99),
        ("impersonatedUser", prop_oneof![2 => user(), 1 => fixed("null")].boxed(), 0.3),
        ("sourceIPs", list().boxed(), 0.9),
        ("userAgent", text().boxed(), 0.9),
        ("objectRef", made_object().boxed(), 0.8),
        ("responseStatus", made_status().boxed(), 0.8),
        ("requestObject", body().boxed(), 0.3),
        ("responseObject", body().boxed(), 0.3),
        ("requestReceivedTimestamp", time(), 0.99),
        ("stageTimestamp", time(), 0.99),
        ("annotations", annotations.boxed(), 0.7),
        ("timestamp", time(), 0.01),
    ])
}

/// What may be done to the entries of a map.
#[derive(Clone, Debug)]
enum Change {
    Swap(Index, Index),
    Again(Index, Index, Made),
    Null(Index),
    Escape(Index),
    Reverse,
}

fn change() -> impl Strategy<Value = (Option<Index>, Change)> {
    let any_value = prop_oneof![text(), list(), body(), user()];
    let change = prop_oneof![
        4 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Change::Swap(a, b)),
        4 => (any::<Index>(), any::<Index>(), any_value).prop_map(|(a, b, value)| Change::Again(a, b, value)),
        2 => any::<Index>().prop_map(Change::Null),
        1 => any::<Index>().prop_map(Change::Escape),
        1 => Just(Change::Reverse),
    ];
    (prop::option::of(any::<Index>()), change)
}

fn apply(event: &mut Made, inner: Option<Index>, change: &Change) {
    let Made::Map(entries) = event else { return };
    if entries.is_empty() {
        return;
    }
    if let Some(inner) = inner {
        let maps: Vec<usize> =
            (0..entries.len()).filter(|at| matches!(entries[*at].1, Made::Map(_))).collect();
        if !maps.is_empty() {
            let at = maps[inner.index(maps.len())];
            return apply(&mut entries[at].1, None, change);
        }
    }
    let count = entries.len();
    match change {
        Change::Swap(a, b) => entries.swap(a.index(count), b.index(count)),
        Change::Again(a, b, value) => {
            let key = entries[a.index(count)].0.clone();
            entries.insert(b.index(count + 1), (key, value.clone()));
        }
        Change::Null(at) => entries[at.index(count)].1 = Made::Text("null"),
        Change::Escape(at) => {
            let key = &mut entries[at.index(count)].0;
            if let Some(first) = key.chars().next().filter(char::is_ascii_alphabetic) {
                *key = format!("\\u{:04x}{}", u32::from(first), &key[1..]);
            }
        }
        Change::Reverse => entries.reverse(),
    }
}

fn line() -> impl Strategy<Value = String> {
    (made_event(), prop_oneof![2 => Just(0), 1 => Just(1), 1 => Just(3)], any::<bool>()).prop_flat_map(
        |(event, changes, spaced)| {
            prop::collection::vec(change(), changes).prop_map(move |changes| {
                let mut event = event.clone();
                changes.iter().for_each(|(inner, change)| apply(&mut event, *inner, change));
                let mut out = String::new();
                event.write(spaced && !changes.is_empty(), &mut out);
                out
            })
        },
    )
}

/// What may be put into a line in place of a byte, or more.
fn damage() -> impl Strategy<Value = Option<(Index, usize, &'static str)>> {
    let bytes = [
        "",
        " ",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\\u00",
        "0",
        "\t",
        "\u{1}",
        "é",
        ",\"verb\":\"x\"",
        "\"}",
        "null",
        "# x",
        "}{",
    ];
    prop::option::of((any::<Index>(), 0_usize..4, prop::sample::select(bytes.to_vec())))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(1500)))]

    #[test]
    fn every_decoder_says_what_the_tape_says(line in line(), damage in damage(), end in prop::sample::select(vec!["", "\n", "\r\n"])) {
        let mut bytes = line.into_bytes();
        if let Some((at, len, by)) = damage {
            let at = at.index(bytes.len());
            bytes.splice(at..(at + len).min(bytes.len()), by.bytes());
        }
        bytes.extend(end.bytes());
        check(&bytes);
    }

    /// Lines that were cut, glued, or have bytes that are no UTF-8, in a block: the same events at the same places.
    #[test]
    fn lines_in_blocks_stay_apart(lines in prop::collection::vec((line(), prop::option::weighted(0.2, any::<Index>()), prop::sample::select(vec!["\n", "\n", "\n", "\r\n", "\n\n", "", " "])), 1..6), bad in prop::option::weighted(0.2, any::<Index>())) {
        let mut text = Vec::new();
        for (line, cut, end) in lines {
            let line = line.replace(r#"{"a":1,"a":2}"#, "{}").replace("1e400", "{}").replace(r#""\ud800""#, "\"\"");
            text.extend(&line.as_bytes()[..cut.map_or(line.len(), |cut| cut.index(line.len()))]);
            text.extend(end.bytes());
        }
        if let Some(bad) = bad {
            let at = bad.index(text.len());
            text[at] = 0xff;
        }
        let block = crate::frame::blocks::Blocks::whole(crate::matches::SourceId(0), &text);
        let all = |decoder: &mut Decoder, lines: bool| {
            let mut out = Vec::new();
            if !lines {
                block.each(|part| {
                    let place = (part.offset, part.length);
                    decoder.found(part.bytes(&block), part.kind, place, false, &mut |place, found| out.push((place, told(&found))));
                });
                return out;
            }
            for part in &block.parts {
                let bytes = part.bytes(&block);
                match part.kind {
                    Kind::Lines => {
                        let found = tell(decoder, bytes);
                        out.extend(found.into_iter().map(|((at, len), thing)| ((at - OFFSET + part.offset, len), thing)));
                    }
                    kind => {
                        let place = (part.offset, part.length);
                        decoder.found(bytes, kind, place, false, &mut |place, found| out.push((place, told(&found))));
                    }
                }
            }
            out
        };
        let wanted = all(&mut tape(), false);
        for mut decoder in decoders() {
            let got = all(&mut decoder, true);
            let places = |all: &[(Place, Told)]| all.iter().map(|(place, _)| *place).collect::<Vec<_>>();
            prop_assert_eq!(places(&got), places(&wanted));
            for ((_, a), (_, b)) in got.iter().zip(&wanted) {
                prop_assert!(same(a, b) || matches!(a, Told::Event(_, bodies) if !bodies.is_empty()), "{:?}\n{:?}", a, b);
            }
        }
    }
}

proptest! {
    /// An event in a text of another record is told as the tape tells it, with the record's cluster.
    #[test]
    fn wrapped_events_say_the_same(line in line(), spaced in any::<bool>()) {
        // What is let through in bodies is looked at above, where they can be found again.
        let line = line.replace(r#"{"a":1,"a":2}"#, "{}").replace("1e400", "{}").replace(r#""\ud800""#, "\"\"");
        let escaped = serde_json::to_string(&line).unwrap();
        let record = match spaced {
            true => format!(r#"{{"log": {escaped}, "stream":"stdout"}}"#),
            false => format!(r#"{{"message":{escaped},"verb":"get","cluster_uuid":"c-1"}}"#),
        };
        let all = |mut decoder: Decoder| {
            let mut out = Vec::new();
            decoder.frame(record.as_bytes(), Kind::Document, &mut |event| {
                out.push(match event {
                    Ok(row) => (row.cluster.map(str::to_owned), told(&Found::Event(row))),
                    Err(reason) => (None, Told::Broken(reason)),
                });
            });
            (out, decoder.duplicate_keys())
        };
        let (wanted, duplicates) = all(tape());
        for decoder in decoders() {
            let (got, counted) = all(decoder);
            prop_assert_eq!(counted, duplicates, "{}", record);
            prop_assert_eq!(got.len(), wanted.len(), "{}", record);
            for (a, b) in got.iter().zip(&wanted) {
                prop_assert!(a.0 == b.0 && same(&a.1, &b.1), "{:?}\n{:?}", a, b);
            }
        }
    }
}

/// What is passed over, and that it is what the tape would have dated so.
#[test]
fn requests_received_are_passed_over_by_their_end() {
    let received = format!("{HEAD}{TAIL}").replace("ResponseComplete", "RequestReceived");
    let pass = |line: &str| {
        let mut out = Vec::new();
        let mut decoder = Decoder::default();
        decoder.lines(line.as_bytes(), 0, true, &mut |_, found| {
            out.push(match found {
                Found::Passed(time) => Some(time),
                _ => None,
            });
        });
        assert_eq!(out.len(), 1);
        out[0]
    };
    let time = instant::parse("2026-11-22T02:15:30.123456Z");
    assert_eq!(pass(&received), time);
    assert_eq!(pass(&format!("{received}\r\n")), time);
    for other in [
        format!("{HEAD}{TAIL}"),
        received.replace("30.123456Z", "30.12345Z"),
        received.replace("30.123456Z", "61.123456Z"),
        received.replace("30.000001Z", "30.00000xZ"),
        received.replace(r#""}"#, r#""} "#),
        received.replace(r#""}"#, r#"","annotations":{}}"#),
        received.replace(r#""auditID":"#, r#""auditId":"#),
        received.replace("/api", "/\u{1}"),
        received.replace(r#""kind":"Event""#, r#""kind":"Other""#),
    ] {
        assert_eq!(pass(&other), None, "{other}");
    }
    // Two on a line are two.
    let glued = format!("{received}{received}");
    let cut = format!("{}{received}", &received[..received.len() - 60]);
    for (line, wanted) in [(&glued, 2), (&cut, 0)] {
        let mut passed = 0;
        Decoder::default().lines(line.as_bytes(), 0, true, &mut |_, found| {
            passed += u32::from(matches!(found, Found::Passed(_)))
        });
        assert_eq!(passed, wanted, "{line}");
    }
    // Other decoders read them.
    let mut walk = Decoder { decoding: Decoding::Walk, ..Decoder::default() };
    walk.lines(received.as_bytes(), 0, true, &mut |_, found| assert!(matches!(found, Found::Event(_))));
}

proptest! {
    #[test]
    fn a_request_passed_over_has_the_time_that_the_tape_reads(event in made_event()) {
        let mut line = String::new();
        event.write(false, &mut line);
        let wanted = tell(&mut tape(), line.as_bytes());
        Decoder::default().lines(line.as_bytes(), OFFSET, true, &mut |place, found| {
            let Found::Passed(time) = found else { return };
            assert_eq!(place, wanted[0].0, "{line}");
            // What is wrong further in front is not seen: the one exception, and it has a name.
            if let Told::Event(said, _) = &wanted[0].1 {
                assert_eq!((said.stage.as_str(), said.time), ("RequestReceived", time), "{line}");
            }
        });
    }
}

/// Whether two values say the same.
fn alike(a: Json<'_>, b: Json<'_>) -> bool {
    match (a.node(), b.node()) {
        (Node::Text { .. }, Node::Text { .. }) => a.as_text() == b.as_text(),
        (Node::Map { len, .. }, Node::Map { len: other, .. }) => {
            len == other && a.entries().zip(b.entries()).all(|((k, a), (l, b))| k == l && alike(a, b))
        }
        (Node::List { len, .. }, Node::List { len: other, .. }) => {
            len == other && a.items().zip(b.items()).all(|(a, b)| alike(a, b))
        }
        (a, b) => a == b,
    }
}

fn assert_alike(a: &Row<'_>, b: &Row<'_>, context: &str) {
    let id = a.text(Slot::AuditId);
    assert_eq!((a.stage, a.stage_timestamp), (b.stage, b.stage_timestamp), "{context} {id:?}");
    for slot in Slot::ALL {
        assert_eq!(a.text(slot), b.text(slot), "{context} {id:?} {slot:?}");
        let equal = match (a.raw(slot), b.raw(slot)) {
            (Some(a), Some(b)) => alike(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(equal, "{context} {id:?} {slot:?}");
        assert_eq!(a.is_map(slot), b.is_map(slot), "{context} {id:?} {slot:?}");
    }
}

/// What the decoders made of the lines of some files.
#[derive(Debug, Default)]
struct Compared {
    by: DecodedBy,
    lines: u64,
    /// Equal keys and what the tape mended, in bodies that nobody opened.
    in_bodies: u64,
    mended: u64,
}

/// Each line of a file to the three decoders.
fn compare_file(path: &std::path::Path, into: &mut Compared) {
    let name = path.to_string_lossy().into_owned();
    if !(name.contains(".log") || name.contains(".json")) || name.contains("headers") || path.is_dir() {
        return;
    }
    let mut bytes = std::fs::read(path).unwrap();
    if name.ends_with(".gz") {
        let mut plain = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(&*bytes), &mut plain).unwrap();
        bytes = plain;
    }
    let block = crate::frame::blocks::Blocks::whole(crate::matches::SourceId(0), &bytes);
    let (mut auto, mut walk, mut tape) =
        (Decoder::default(), Decoder { decoding: Decoding::Walk, ..Decoder::default() }, tape());
    for part in block.parts.iter().filter(|part| part.kind == Kind::Lines) {
        for line in part.bytes(&block).split_inclusive(|byte| *byte == b'\n') {
            into.lines += 1;
            let mut got = 0;
            auto.lines(line, 0, false, &mut |_, a| {
                let Found::Event(a) = a else { return };
                got += 1;
                let mut others = 0;
                for other in [&mut walk, &mut tape] {
                    let mut nth = 0;
                    other.lines(line, 0, false, &mut |_, b| {
                        let Found::Event(b) = b else { return };
                        nth += 1;
                        if nth == got {
                            others += 1;
                            assert_alike(a, b, &name);
                        }
                    });
                }
                assert_eq!(others, 2, "{name}");
            });
        }
    }
    into.in_bodies += tape.duplicate_keys().saturating_sub(auto.duplicate_keys());
    into.mended += tape.tape.mended.saturating_sub(auto.tape.mended);
    into.by.scan += auto.by.scan;
    into.by.walk += auto.by.walk;
    into.by.tape += auto.by.tape;
}

/// Every line of the bundled sample, and of the recorded logs and those of others if they are there.
#[test]
fn recorded_lines_say_the_same_to_every_decoder() {
    let data = std::env::var("AUDIT_DATA")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned());
    let folders = [concat!(env!("CARGO_MANIFEST_DIR"), "/../samples").to_owned(), data];
    let files = folders.iter().flat_map(|folder| glob::glob(&format!("{folder}/**/*")).unwrap().flatten());
    let files = std::sync::Mutex::new(files.collect::<Vec<_>>());
    let next = || files.lock().unwrap().pop();
    let work = || {
        let mut compared = Compared::default();
        while let Some(path) = next() {
            compare_file(&path, &mut compared);
        }
        compared
    };
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for Compared { by, lines, in_bodies, mended } in &all {
        println!("{lines} lines: {by:?}; not counted in bodies: {in_bodies} equal keys, {mended} mended");
    }
    assert!(all.iter().any(|compared| compared.by.scan > 0), "the bundled sample is scanned");
}
