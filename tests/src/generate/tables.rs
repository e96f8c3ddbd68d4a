//! Lists and tables, written in the rules and taken from files, and the conditions that ask them.

use std::net::IpAddr;

use super::atoms;
use super::choices::Choices;
use crate::mmdb::{self, Data};

/// The files that the rule sets of all cases take values from: path and bytes.
#[must_use]
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let texts = FILES.iter().map(|(path, text)| (*path, text.as_bytes().to_vec()));
    texts.chain([("geo.mmdb", mmdb::write(&networks()))]).collect()
}

/// The rows of the MaxMind database; networks lie in each other, and one record is no map.
fn networks() -> Vec<(IpAddr, u8, Data)> {
    let text = |text: &str| Data::Text(text.to_owned());
    let record = |entries: Vec<(&str, Data)>| {
        Data::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    };
    let country = |iso: &str| ("country", record(vec![("iso", text(iso)), ("eu", Data::Bool(iso == "DE"))]));
    let names = |all: &[&str]| ("names", Data::List(all.iter().map(|name| text(name)).collect()));
    let rows: [(&str, u8, Data); 6] = [
        ("10.0.0.0", 8, record(vec![country("DE"), ("asn", Data::U32(64_500)), names(&["inner", "lab"])])),
        ("10.0.0.0", 30, record(vec![country("FR"), ("asn", Data::U16(7)), ("load", Data::Double(0.5))])),
        ("203.0.113.0", 24, record(vec![country("US"), ("asn", Data::U64(1 << 40)), names(&[])])),
        (
            "2001:db8::",
            32,
            record(vec![("asn", Data::I32(-3)), names(&["six"]), ("raw", Data::Bytes(vec![1]))]),
        ),
        ("fe80::", 10, record(vec![("asn", Data::U128(9)), ("load", Data::Float(2.5))])),
        ("192.168.0.0", 16, text("no map")),
    ];
    let row = |(address, bits, data): (&str, u8, Data)| {
        (address.parse().unwrap_or(IpAddr::from([0; 4])), bits, data)
    };
    rows.into_iter().map(row).collect()
}

/// The files that are texts, by the paths that rules write.
const FILES: &[(&str, &str)] = &[
    ("names.txt", "# who is known\nalice\n  bob # and he\nsystem:node:n1\n"),
    ("nets.txt", "10.0.0.0/8\n2001:db8::/32\n"),
    ("ranks.csv", "alice,first\n\"bob\",\"se,cond\"\n# nobody\nn1,third\n"),
    ("zones.csv", "10.0.0.0/8,inner\n10.0.0.0/30,core\nfe80::/10,link\n"),
];

/// What stands above the rules.
pub(super) const HEAD: &str = r#"list named from "names.txt"
cidr list nets from "nets.txt"
table ranks from "ranks.csv"
cidr table zones from "zones.csv"
table teams = { alice: "dev", "bob": "ops", "system:node:n1": "nodes", "web": "shop", }
table weights = { get: 1, create: 2.5, patch: -3 }
table one = { only: true }
table none = {}
cidr table geo from "geo.mmdb"
cidr table regions = { "10.0.0.0/8": "office", "203.0.113.0/24": "lab", "::/0": "v6" }
list people_and_more = [people, "carl", ]
list odd = [-1, 200, 401]
list short = [1s, 2s]
list nobody = []
"#;

/// A condition that asks one of them.
pub(super) fn asks(choices: &mut Choices<'_>) -> String {
    let not = choices.word(&["", "", "not "]);
    match choices.below(12) {
        0 => format!("user.username {not}in named"),
        1 => format!("source_ip {not}in nets"),
        2 => format!("ranks[user.username] {} \"first\"", choices.word(&["==", "!="])),
        3 => format!("zones[source_ip] == \"{}\"", choices.word(&["inner", "core", "link"])),
        4 => format!("teams[user.username] {not}in [\"dev\", \"nodes\"]"),
        5 => format!("weights[verb] {} {}", choices.word(&["<", ">=", "=="]), choices.word(&["1", "2", "0"])),
        6 => format!("{not}present(regions[source_ip])"),
        7 => format!("regions[sourceIPs[]] == \"{}\"", choices.word(&["office", "lab", "v6"])),
        8 => format!("teams[split(user.username, \":\")[]] == teams[{}]", atoms::quoted("alice")),
        9 => format!("user.username {not}in people_and_more"),
        10 => format!("responseStatus.code {not}in odd"),
        _ => "regions[peer_ip] == zones[source_ip] or teams[object.name] == \"shop\"".to_owned(),
    }
}

/// A condition that asks the MaxMind database.
pub(super) fn records(choices: &mut Choices<'_>) -> String {
    let (not, ip) = (choices.word(&["", "", "not "]), choices.word(&["source_ip", "source_ip", "peer_ip"]));
    match choices.below(9) {
        0 => format!("geo[{ip}].country.iso {} \"DE\"", choices.word(&["==", "!="])),
        1 => format!(
            "geo[{ip}].asn {} {}",
            choices.word(&["<", ">=", "=="]),
            choices.word(&["7", "0", "64500"])
        ),
        2 => format!("{not}present(geo[{ip}].names)"),
        3 => format!("any w in geo[{ip}].names: (w != \"lab\")"),
        4 => format!("\"inner\" {not}in geo[{ip}].names"),
        5 => format!("geo[{ip}].country.eu"),
        6 => format!("len(geo[{ip}].names) > 0 or geo[{ip}].load > 1"),
        7 => format!("{not}present(geo[{ip}])"),
        _ => format!("geo[{ip}].country == geo[peer_ip].country"),
    }
}
