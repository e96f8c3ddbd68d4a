//! Lists and tables, written in the rules and taken from files, and the conditions that ask them.

use super::atoms;
use super::choices::Choices;

/// The files that rule sets take values from, by the paths that they write.
pub(super) const FILES: &[(&str, &str)] = &[
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
