//! Random rule sets, as text.

use super::answers;
use super::atoms;
use super::choices::Choices;
use super::listening;
use super::steps;
use super::tables;
use super::trials;
use super::tunes;
use super::windows;
use super::world::{Kind, WRITES, World};

/// What a rule set is made of: the shrinker takes parts away.
#[derive(Clone, Debug)]
pub struct RuleText {
    /// Lists and `let`s that rules may use.
    pub head: String,
    /// One rule each.
    pub rules: Vec<String>,
}

impl RuleText {
    /// As one file.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}", self.head, self.rules.join("\n"))
    }
}

/// What a rule's conditions may speak of.
#[derive(Clone, Debug)]
pub(super) enum About {
    Any,
    /// What writes of this resource ask for; whether patches are among them.
    Desired(Kind, bool),
    Exec,
    /// Answers; whether they may be lists.
    Answer(bool),
    /// Answers that are lists.
    List,
}

pub(super) fn rules(choices: &mut Choices<'_>, world: &World) -> RuleText {
    let mut head = "list people = [\"alice\", \"bob\"]\n\
                list places = [\"shop\", \"kube-system\"]\n\
                list clusters = [\"c1\", \"c2\"]\n\
                cidr list office = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n\
                let succeeded = responseStatus.code < 300\n\
                let person = user.username in people ignoring case\n"
        .to_owned();
    head += tables::HEAD;
    let mut rules: Vec<String> = Vec::new();
    let mut heard: Vec<String> = Vec::new();
    for n in 0..2 + choices.below(3) {
        rules.push(rule(choices, world, n, &heard));
        heard.push(format!("r{n}"));
    }
    if choices.chance(if world.garbage { 55 } else { 18 }) {
        rules.push(listening::on_undecodable(choices, world, "u0"));
        heard.push("u0".to_owned());
    }
    if choices.chance(25) {
        rules.push(answers::about_requests(choices, world, "q0"));
        heard.push("q0".to_owned());
    }
    rules.extend((0..3 + choices.below(4)).map(|n| probe(choices, world, n)));
    if choices.chance(30) {
        // What is off is heard by nobody.
        if choices.chance(25) {
            let off = choices.below(rules.len().min(heard.len()));
            turn_off(&mut rules[off]);
        }
        rules.push(listening::on_alert(choices, world, "a0", &heard));
        if choices.chance(40) {
            heard.push("a0".to_owned());
            rules.push(listening::on_alert(choices, world, "b0", &["a0".to_owned(), "r0".to_owned()]));
        }
    }
    if choices.chance(35) {
        let tunes = tunes::tunes(choices, world, &rules);
        rules.extend(tunes);
    }
    let trials = trials::trials(choices, world, &rules);
    rules.extend(trials);
    RuleText { head, rules }
}

/// It ships off.
fn turn_off(rule: &mut String) {
    if let Some(at) = rule.find("    severity ").filter(|_| !rule.contains("    disable\n")) {
        rule.insert_str(at, "    disable\n");
    }
}

/// What a rule says of itself.
fn about(choices: &mut Choices<'_>) -> String {
    let severity = choices.word(&["low", "low", "info", "medium", "high", "critical", "none"]);
    let mut text = format!("    severity {severity}\n");
    if choices.chance(30) {
        text += choices.word(&["    tags random\n", "    tags a.b, random\n", "    tags random, x.y, z\n"]);
    }
    if choices.chance(10) {
        text += "    about 'what it is \"about\"'\n";
        let see = ["\"https://a.example\"", "\"https://a.example\", \"b\"", "\"a\", \"b\", \"c\""];
        text += &format!("    see {}\n", choices.word(&see));
    }
    if choices.chance(3) {
        text += "    disable\n";
    }
    text
}

/// A rule that hangs on one condition.
fn probe(choices: &mut Choices<'_>, world: &World, n: usize) -> String {
    let kind = *choices.pick(&world.kinds);
    let (on, about) = match choices.below(10) {
        _ if kind.subresource == Some("exec") && choices.chance(60) => {
            (format!("get, create of {}", kind.written), About::Exec)
        }
        0..5 if kind.subresource != Some("exec") => {
            let verbs = match kind.subresource {
                _ if world.patches => "patch",
                Some(_) => "update, patch",
                None => choices.word(&["create, update", "create, update, patch"]),
            };
            (
                format!("{verbs} of {} including dry_run", kind.written),
                About::Desired(kind, verbs.contains("patch")),
            )
        }
        5 if kind.subresource.is_none() => (format!("list, get of {}", kind.written), About::Answer(true)),
        6 if kind.subresource.is_none() => {
            (format!("create, update, patch, get, delete of {}", kind.written), About::Answer(false))
        }
        _ => ("any of any including dry_run".to_owned(), About::Any),
    };
    let atom = atom(choices, world, &about);
    let alert = alert(choices, &about, &[], "");
    format!(
        "rule p{n} \"Random\" {{\n    severity low\n    on {on}\n    where {atom}\n    alert \"{alert}\"\n}}\n"
    )
}

fn rule(choices: &mut Choices<'_>, world: &World, n: usize, heard: &[String]) -> String {
    let mut text = format!("rule r{n} \"Random\" {{\n{}", about(choices));
    match choices.below(10) {
        0..5 => {
            let (on, about) = selector(choices, world);
            text += &format!("    on {on}\n{}", conditions(choices, world, &about, "    "));
            let key = choices.chance(40).then(|| key(choices));
            if let Some(key) = &key {
                text += &format!("    by {}\n", key.0);
            }
            text += &windows::throttle(choices, world, 25);
            let key = key.map(|key| key.1).unwrap_or_default();
            text += &format!("    alert \"{}\"\n", alert(choices, &about, &key, &text.clone()));
        }
        5..8 => {
            let (on, about) = selector(choices, world);
            text += &format!("    on {on}\n");
            if choices.chance(55) {
                text += &conditions(choices, world, &about, "    ");
            }
            text += &windows::clauses(choices, world, &about);
        }
        _ => text += &steps::clauses(choices, world, heard),
    }
    text + "}\n"
}

/// A selector, and what conditions may read under it.
pub(super) fn selector(choices: &mut Choices<'_>, world: &World) -> (String, About) {
    let kind = *choices.pick(&world.kinds);
    let (on, about) = match choices.below(12) {
        0..4 if kind.subresource != Some("exec") => {
            let mut verbs: Vec<&str> = WRITES.to_vec();
            verbs.rotate_left(choices.below(3));
            verbs.truncate(1 + choices.below(3));
            if kind.subresource.is_some() {
                verbs = vec!["update", "patch"];
            }
            let patches = verbs.contains(&"patch");
            (format!("{} of {}", verbs.join(", "), kind.written), About::Desired(kind, patches))
        }
        4 if kind.subresource.is_none() => match choices.below(3) {
            0 => (format!("list, deletecollection of {}", kind.written), About::List),
            1 => (format!("list, get of {}", kind.written), About::Answer(true)),
            _ => (format!("create, update, patch, get, delete of {}", kind.written), About::Answer(false)),
        },
        5 => (format!("get, create of {}", kind.written), About::Any),
        6 => (format!("any of any resource{}", but(choices, world)), About::Any),
        7 => (format!("any of any{}", but(choices, world)), About::Any),
        8 => {
            let verbs = choices.word(&[
                "read",
                "write",
                "any but patch",
                "any but get, create",
                "any",
                "patch, \"get\"",
            ]);
            let small = matches!(kind.subresource, Some("exec" | "scale"));
            let target = match if small && choices.chance(50) { 3 } else { choices.below(6) } {
                0 => format!("{}/*", kind.plural).replace("widgets/*", "widgets.example.com/*"),
                1 => "workloads".to_owned(),
                2 => "*.example.com, deployments.apps, pods/exec".to_owned(),
                3 => "*/scale, */exec, nodes".to_owned(),
                4 => format!("any resource{}", but(choices, world)),
                _ => format!("{}, secrets", kind.written),
            };
            (format!("{verbs} of {target}"), About::Any)
        }
        9 => {
            let target = choices.word(&[
                "nonresource \"/health*\"",
                "nonresource \"/healthz\", nonresource \"/version\"",
                "nonresource \"/healthz/ping\", pods, secrets",
                "nonresource \"*\"",
            ]);
            (format!("any of {target}"), About::Any)
        }
        _ if kind.subresource == Some("exec") => (format!("get, create of {}", kind.written), About::Exec),
        _ => ("any of any resource".to_owned(), About::Any),
    };
    let stage = match choices.below(12) {
        0 => " at any",
        1 => choices.word(&[
            " at RequestReceived",
            " at RequestReceived",
            " at ResponseStarted",
            " at ResponseStarted",
            " at Panic",
            " at Panic",
            " at ResponseComplete",
        ]),
        2 => " at ResponseComplete",
        _ => "",
    };
    let dry_run = if choices.chance(20) { " including dry_run" } else { "" };
    (format!("{on}{stage}{dry_run}"), about)
}

fn but(choices: &mut Choices<'_>, world: &World) -> String {
    if choices.chance(60) {
        return String::new();
    }
    format!(" but {}, events", choices.pick(&world.kinds).written)
}

pub(super) fn atom(choices: &mut Choices<'_>, world: &World, about: &About) -> String {
    match about {
        About::Desired(kind, patches) if choices.chance(80) => {
            if *patches || choices.chance(60) {
                atoms::desired(choices, kind)
            } else {
                atoms::sent(choices, kind)
            }
        }
        About::Exec if choices.chance(70) => atoms::exec(choices),
        About::Answer(listed) if choices.chance(80) => {
            let forms = if *listed { 0..7 } else { 0..5 };
            atoms::answered(choices, forms)
        }
        About::List if choices.chance(80) => atoms::answered(choices, 4..7),
        _ => match choices.below(12) {
            0 => "succeeded".to_owned(),
            1 => "person".to_owned(),
            2 => tables::asks(choices),
            3 => tables::records(choices),
            _ => atoms::general(choices, world),
        },
    }
}

fn condition(choices: &mut Choices<'_>, world: &World, about: &About) -> String {
    let mut atom = || {
        let atom = atom(choices, world, about);
        // Names of variables hold in their own parentheses only, but a lent one must not meet another.
        if atom.contains(" in ") && atom.contains(": (") && atom.contains(" or ") {
            "succeeded".to_owned()
        } else {
            atom
        }
    };
    let (a, b, c) = (atom(), atom(), atom());
    match choices.below(12) {
        0..5 => a,
        5 if choices.chance(40) => format!("({a}) and ({b}) and ({c})"),
        5 => format!("({a}) and ({b})"),
        6..8 => format!("({a}) or ({b})"),
        8 => format!("not ({a})"),
        9 => format!("not ({a}) or ({b}) and ({c})"),
        10 => format!("({a}) or ({b}) or ({c})"),
        _ => format!("not (({a}) and ({b}))"),
    }
}

fn conditions(choices: &mut Choices<'_>, world: &World, about: &About, indent: &str) -> String {
    let mut text = String::new();
    if choices.chance(92) {
        text += &format!("{indent}where {}\n", condition(choices, world, about));
    }
    for _ in 0..[0, 0, 1, 1, 2][choices.below(5)] {
        text += &format!("{indent}except {}\n", atom(choices, world, about));
    }
    text
}

/// A key, and the names that alert texts may use.
pub(super) fn key(choices: &mut Choices<'_>) -> (String, Vec<String>) {
    match choices.below(12) {
        0..4 => ("user.username".to_owned(), vec![]),
        4 => ("actor = user.username".to_owned(), vec!["actor".to_owned()]),
        5 => ("objectRef.namespace".to_owned(), vec![]),
        6 => ("objectRef.namespace, thing = object.name".to_owned(), vec!["thing".to_owned()]),
        7 => ("source_ip".to_owned(), vec![]),
        8 => ("responseStatus.code".to_owned(), vec![]),
        9 if choices.chance(50) => ("user.username, objectRef.namespace, verb".to_owned(), vec![]),
        9 => ("decision, user.username".to_owned(), vec![]),
        10 => (
            "person = lower(user.username), n = number(annotations[\"n\"])"
                .to_owned()
                .replace("person", "who"),
            vec!["who".to_owned(), "n".to_owned()],
        ),
        _ => ("cluster, verb".to_owned(), vec![]),
    }
}

/// An alert text. `lent`: the rule so far, whose variables it may use.
pub(super) fn alert(choices: &mut Choices<'_>, about: &About, key: &[String], rule: &str) -> String {
    let mut values: Vec<&str> = vec![
        "user.username",
        "user.groups",
        "objectRef.namespace",
        "object.name",
        "verb",
        "responseStatus.code",
        "source_ip",
        "sourceIPs",
        "stageTimestamp",
        "stageTimestamp - requestReceivedTimestamp",
        "annotations['u']",
        "len(annotations)",
        "decision",
        "dry_run",
        "exec_command",
        "user.groups[]",
        "number(annotations['n']) / 3",
        "annotations",
        "time_of_day(stageTimestamp)",
    ];
    match about {
        About::Desired(kind, _) => {
            values.extend([
                "desired.metadata.labels['app']",
                "desired.metadata.labels",
                "keys(desired.metadata.labels)",
            ]);
            if kind.plural == "widgets" {
                values.extend([
                    "desired.spec",
                    "desired.spec.list",
                    "desired.spec.list[].a",
                    "desired.spec.x",
                ]);
            }
        }
        About::Answer(_) => values.push("responseObject.metadata.name"),
        About::Any | About::Exec | About::List => {}
    }
    values.extend(key.iter().map(String::as_str));
    for (marker, value) in [
        ("where any c in containers", "c.name"),
        ("where any k in keys(annotations)", "k"),
        ("where any g in", "g"),
    ] {
        // Only a lone `any` lends its variable for sure.
        if rule.lines().any(|l| l.trim_start().starts_with(marker)) {
            values.push(value);
        }
    }
    let shown: Vec<String> =
        (0..1 + choices.below(3)).map(|_| format!("{{{}}}", choices.pick(&values))).collect();
    shown.join(" and {{}} ")
}
