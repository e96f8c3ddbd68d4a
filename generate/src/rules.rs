//! Rules that loads are measured with. They stand beside the events so that the bench, and the test that holds it to the
//! reference evaluator, have the same.

use std::fmt::Write;

/// Ten rules: seven without a window, two counts, a sequence. Most of them match something of what the profiles make.
pub const TEN: &str = include_str!("../rules/ten.rule");

/// Rules of which every match is an alert, to measure how long it is in coming: one that answers at once, one that waits.
pub const LATENCY: &str = include_str!("../rules/latency.rule");

/// One rule that keeps something for each user it has seen, and never tells.
pub const KEYS: &str = include_str!("../rules/keys.rule");

const ON: [&str; 12] = [
    "get of pods",
    "create of pods",
    "update of deployments",
    "patch of deployments",
    "list of namespaces",
    "get of namespaces",
    "update of replicasets",
    "create of events",
    "patch of events",
    "get of configmaps",
    "update of leases",
    "get of secrets",
];
const FIELDS: [&str; 5] =
    ["user.username", "userAgent", "objectRef.namespace", "objectRef.name", "objectRef.resource"];

/// So many rules of a mix: a third look through texts, a fifth say what must not be or take any event, the rest are equality and
/// sets.
#[must_use]
pub fn many(rules: usize) -> String {
    let mut out = String::from("let person = not user.username startswith \"system:\"\n");
    for number in 0..rules {
        let field = FIELDS[number / 3 % FIELDS.len()];
        let on = if number % 10 == 4 { "any of any" } else { ON[number % ON.len()] };
        let condition = match (number % 3, number % 10, number % 4) {
            (_, 9, _) => {
                format!("person and {field} not contains \"none-{number}\" and responseStatus.code == 409")
            }
            (0, _, 0) => format!("{field} startswith \"none-{number}\""),
            (0, _, 1) => format!("{field} endswith \"-{number}x\""),
            (0, _, 2) => format!("{field} matches '-{number}x([^0-9]|$)'"),
            (0, ..) => format!("{field} contains \"-{number}x\""),
            (1, ..) => format!("{field} in [\"a-{number}\", \"b-{number}\", \"c-{number}\"] and person"),
            _ => format!("{field} == \"none-{number}\""),
        };
        let _infallible = writeln!(
            out,
            "rule many_{number} \"Rule {number}\" {{ severity low on {on} where {condition} alert \"{{user.username}}\" }}"
        );
    }
    out
}
