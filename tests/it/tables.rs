//! Tables: the engine's answers are those of the reference, which looks at every row; and no bytes that claim to be a MaxMind
//! database bring anything down.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use engine::limits::Limits;
use proptest::prelude::*;
use serde_json::json;
use tests::mmdb::{self, Data};
use tests::reference::{Arrival, Poison, Settings, Source};

/// The rules of a text, with a file `x` beside it; what is said of it, if there are none.
fn compile(text: &str, file: &[u8]) -> Result<RuleSet, String> {
    let mut sources = SourceMap::default();
    let id = sources.add("r.rule", text);
    sources.attach(id, "x", Ok(file.into()));
    let outcome = dsl::check::compile(&sources);
    outcome.rules.ok_or_else(|| outcome.diagnostics.iter().map(|one| one.message.clone() + "\n").collect())
}

/// What the first rule tells of an event from each of these rows of addresses: by the engine, by the reference.
fn answers(rules: &RuleSet, addresses: &[Vec<String>]) -> [Vec<String>; 2] {
    let event = |(n, ips): (usize, &Vec<String>)| {
        let at = format!("2026-01-05T00:{:02}:{:02}Z", n / 60, n % 60);
        json!({
            "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": format!("id-{n}"),
            "stage": "ResponseComplete", "requestURI": "/", "verb": "get", "user": {"username": format!("u{n}")},
            "sourceIPs": ips, "requestReceivedTimestamp": at, "stageTimestamp": at,
        })
    };
    let events: Vec<_> = addresses.iter().enumerate().map(event).collect();
    let log: String = events.iter().map(|event| format!("{event}\n")).collect();
    let limits = Limits::default();
    let (engine, _) =
        tests::harness::run(rules, limits, 1 << 16, &[("log".to_owned(), None, log.into_bytes())]);
    let source = Source { name: "log".to_owned(), cluster: None };
    let arrivals: Vec<_> = events.into_iter().map(|json| Arrival::event(0, json)).collect();
    let settings = Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None };
    let reference = tests::reference::answer(rules, &[source], &arrivals, settings, &Poison::default());
    [engine, reference.alerts].map(|alerts| alerts.into_iter().map(|alert| alert.message).collect())
}

const RULE: &str = "rule r \"R\" { severity low on any of any alert \"{t[source_ip]} {t[sourceIPs[]]}\" }";

/// Addresses with few different bits, so that networks lie in each other.
fn address() -> impl Strategy<Value = IpAddr> {
    let bits = || prop::sample::select(vec![0_u8, 1, 2, 127, 128, 255]);
    prop_oneof![
        prop::array::uniform4(bits()).prop_map(|octets| IpAddr::V4(Ipv4Addr::from(octets))),
        prop::array::uniform3(bits()).prop_map(|[a, b, c]| {
            let mut octets = [0; 16];
            (octets[0], octets[7], octets[15]) = (a | 32, b, c);
            IpAddr::V6(Ipv6Addr::from(octets))
        }),
    ]
}

fn network() -> impl Strategy<Value = (IpAddr, u8)> {
    (address(), 0_u8..=128).prop_map(|(ip, bits)| (ip, if ip.is_ipv4() { bits % 33 } else { bits }))
}

fn asked() -> impl Strategy<Value = Vec<Vec<String>>> {
    let one = prop_oneof![
        8 => address().prop_map(|ip| ip.to_string()),
        1 => address().prop_map(|ip| match ip {
            IpAddr::V4(ip) => ip.to_ipv6_mapped().to_string(),
            ip => format!("{ip}%eth0"),
        }),
        1 => Just("eve".to_owned()),
    ];
    prop::collection::vec(prop::collection::vec(one, 0..4), 1..20)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_longest_network_decides(networks in prop::collection::vec(network(), 0..40), asked in asked()) {
        let mut rows = String::new();
        let mut seen = std::collections::BTreeSet::new();
        for (n, (ip, bits)) in networks.iter().enumerate() {
            // Two spellings of one network are an error; whether they are one is the compiler's to say.
            let row = format!("{ip}/{bits},n{n}\n");
            if compile(&format!("cidr table t from \"x\" {RULE}"), format!("{rows}{row}").as_bytes()).is_ok() {
                rows.push_str(&row);
                seen.insert((*ip, *bits));
            }
        }
        prop_assert!(networks.is_empty() || !seen.is_empty());
        let rules = compile(&format!("cidr table t from \"x\" {RULE}"), rows.as_bytes()).unwrap();
        let [engine, reference] = answers(&rules, &asked);
        prop_assert_eq!(engine, reference, "{}", rows);
    }

    #[test]
    fn a_maxmind_database_is_a_table_of_networks(networks in prop::collection::vec(network(), 0..40), asked in asked()) {
        // A table of the same rows as text says what the database must.
        let mut text = String::new();
        let mut rows = Vec::new();
        for (n, (ip, bits)) in networks.into_iter().enumerate() {
            // A database cannot hold the whole of IPv6, nor a network of it that IPv4 is a part of.
            let bits = bits.max(1);
            let row = format!("{ip}/{bits},n{n}\n");
            if compile(&format!("cidr table t from \"x\" {RULE}"), format!("{text}{row}").as_bytes()).is_ok() {
                text.push_str(&row);
                rows.push((ip, bits, Data::Text(format!("n{n}"))));
            }
        }
        rows.retain(|(ip, bits, _)| ip.is_ipv4() || *bits > 2);
        text = text.lines().filter(|line| {
            let (network, _) = line.split_once(',').unwrap();
            let (ip, bits) = network.split_once('/').unwrap();
            !ip.contains(':') || bits.parse::<u8>().unwrap() > 2
        }).map(|line| format!("{line}\n")).collect();
        let head = format!("cidr table t from \"x\" {RULE}");
        let as_text = answers(&compile(&head, text.as_bytes()).unwrap(), &asked);
        let as_maxmind = answers(&compile(&head, &mmdb::write(&rows)).unwrap(), &asked);
        prop_assert_eq!(&as_text[0], &as_text[1]);
        prop_assert_eq!(&as_text[0], &as_maxmind[0]);
        prop_assert_eq!(&as_text[0], &as_maxmind[1]);
    }

    #[test]
    fn damaged_databases_are_refused_or_read(flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>(), shorten in any::<bool>()) {
        let mut bytes = mmdb::write(&[
            ("10.0.0.0".parse().unwrap(), 8, record()),
            ("2001:db8::".parse().unwrap(), 32, Data::Text("six".into())),
        ]);
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if shorten {
            bytes.truncate(cut.index(bytes.len()));
        }
        // Named `.mmdb`, so that it is taken for one whatever became of its marker.
        let mut sources = SourceMap::default();
        let id = sources.add("r.rule", format!("cidr table t from \"x.mmdb\" {RULE}"));
        sources.attach(id, "x.mmdb", Ok(bytes.into()));
        if let Some(rules) = dsl::check::compile(&sources).rules {
            let [engine, reference] = answers(&rules, &[vec!["10.1.1.1".into(), "2001:db8::1".into(), "::1".into()]]);
            prop_assert_eq!(engine, reference);
        }
    }
}

fn record() -> Data {
    let text = |text: &str| Data::Text(text.to_owned());
    Data::Map(vec![
        ("country".into(), Data::Map(vec![("iso_code".into(), text("DE"))])),
        (
            "numbers".into(),
            Data::List(vec![
                Data::U16(1),
                Data::U32(70_000),
                Data::I32(-5),
                Data::U64(u64::MAX),
                Data::Double(0.5),
                Data::Float(1.5),
                Data::Double(f64::NAN),
                Data::U128(1),
                Data::Bytes(vec![1]),
            ]),
        ),
        ("known".into(), Data::Bool(true)),
        ("long".into(), text(&"x".repeat(100))),
    ])
}

#[test]
fn records_are_read_to_the_last_kind_of_value() {
    let file = mmdb::write(&[("10.0.0.0".parse().unwrap(), 8, record())]);
    let rule = "cidr table t from \"x\" rule r \"R\" { severity low on any of any \
        alert \"{t[source_ip].country.iso_code} {t[source_ip].numbers} {t[source_ip].known} {len(t[source_ip].long)} {t[source_ip].none}\" }";
    let rules = compile(rule, &file).unwrap();
    let [engine, reference] = answers(&rules, &[vec!["10.1.2.3".into()], vec!["11.0.0.1".into()]]);
    assert_eq!(engine, ["DE 1, 70000, -5, 18446744073709552000, 0.5, 1.5, -, -, - true 100 -", "- - - - -"]);
    assert_eq!(engine, reference);
    let told = compile(&rule.replace("cidr table", "table"), &file).unwrap_err();
    assert!(told.contains("write") || told.contains("MaxMind database, whose keys are networks"), "{told}");
}

#[test]
fn texts_are_looked_up_by_their_bytes() {
    let rule = "table t = { u0: 1, U1: 2, \"\": 3 } rule r \"R\" { severity low on any of any where t[user.username] != 9 \
        alert \"{t[user.username]} {t[lower('U0')]} {t[sourceIPs[0]]}\" }";
    let [engine, reference] = answers(&compile(rule, b"").unwrap(), &[vec![String::new()], vec!["x".into()]]);
    assert_eq!(engine, ["1 1 3", "- 1 -"]);
    assert_eq!(engine, reference);
}
