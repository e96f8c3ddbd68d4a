//! Random rule sets, as text.

use super::atoms;
use super::choices::Choices;
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
enum About {
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
    let head = "list people = [\"alice\", \"bob\"]\n\
                cidr list office = [\"10.0.0.0/8\", \"2001:db8::/32\"]\n\
                let succeeded = responseStatus.code < 300\n\
                let person = user.username in people ignoring case\n"
        .to_owned();
    let mut rules: Vec<String> = (0..2 + choices.below(3)).map(|n| rule(choices, world, n)).collect();
    rules.extend((0..3 + choices.below(4)).map(|n| probe(choices, world, n)));
    RuleText { head, rules }
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

fn rule(choices: &mut Choices<'_>, world: &World, n: usize) -> String {
    let mut text = format!("rule r{n} \"Random\" {{\n    severity low\n");
    let throttle = choices.word(&["0s", "5s", "1m", "1h"]);
    match choices.below(10) {
        0..5 => {
            let (on, about) = selector(choices, world);
            text += &format!("    on {on}\n{}", conditions(choices, world, &about, "    "));
            let key = choices.chance(40).then(|| key(choices));
            if let Some(key) = &key {
                text += &format!("    by {}\n", key.0);
            }
            if choices.chance(25) {
                text += &format!("    throttle {throttle}\n");
            }
            let key = key.map(|key| key.1).unwrap_or_default();
            text += &format!("    alert \"{}\"\n", alert(choices, &about, &key, &text.clone()));
        }
        5..8 => {
            let (on, about) = selector(choices, world);
            if choices.chance(60) {
                text += &format!("    on {on}\n{}", conditions(choices, world, &about, "    "));
            } else {
                text += &format!("    on {on}\n");
            }
            let key = choices.chance(75).then(|| key(choices));
            if let Some(key) = &key {
                text += &format!("    by {}\n", key.0);
            }
            let (condition, counted) = window(choices, world);
            text += &format!("    when {condition} within {}\n", choices.word(&["2s", "10s", "1m", "1h"]));
            if choices.chance(50) {
                text += &format!("    throttle {throttle}\n");
            }
            let key = key.map(|key| key.1).unwrap_or_default();
            let mut alert = alert(choices, &about, &key, "");
            alert += &counted.iter().map(|c| format!(" {{{c}}}")).collect::<String>();
            text += &format!("    alert \"{}\"\n", alert.replace('"', "\\\""));
        }
        _ => text += &sequence(choices, world, throttle),
    }
    text + "}\n"
}

/// A selector, and what conditions may read under it.
fn selector(choices: &mut Choices<'_>, world: &World) -> (String, About) {
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
            let target = match choices.below(6) {
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

fn atom(choices: &mut Choices<'_>, world: &World, about: &About) -> String {
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
fn key(choices: &mut Choices<'_>) -> (String, Vec<String>) {
    match choices.below(12) {
        0..4 => ("user.username".to_owned(), vec![]),
        4 => ("actor = user.username".to_owned(), vec!["actor".to_owned()]),
        5 => ("objectRef.namespace".to_owned(), vec![]),
        6 => ("objectRef.namespace, thing = object.name".to_owned(), vec!["thing".to_owned()]),
        7 => ("source_ip".to_owned(), vec![]),
        8 => ("responseStatus.code".to_owned(), vec![]),
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

fn window(choices: &mut Choices<'_>, world: &World) -> (String, Vec<String>) {
    let aggregate = |choices: &mut Choices<'_>| match choices.below(7) {
        0..2 => "count()".to_owned(),
        2 => format!("count(where {})", atoms::general(choices, world)),
        3 => "distinct(objectRef.name)".to_owned(),
        4 => "distinct(objectRef.namespace, object.name)".to_owned(),
        5 => format!(
            "distinct({})",
            choices.word(&[
                "source_ip",
                "user.groups[]",
                "verb",
                "responseStatus.code",
                "user.username",
                "split(annotations[\"s\"], ',')[]"
            ])
        )
        .replace('\'', "\""),
        _ => format!("distinct(user.username where {})", atoms::general(choices, world)),
    };
    let (a, b) = (aggregate(choices), aggregate(choices));
    let n = 1 + choices.below(3);
    let condition = match choices.below(10) {
        0..5 => format!("{a} >= {n}"),
        5 => format!("{a} == {n}"),
        6 => format!("{a} >= 1 and {b} >= {n}"),
        7 => format!("{a} / {b} >= 0.5"),
        8 => format!("not ({a} > {n})"),
        _ => format!("{a} > {b} or {b} >= {n}"),
    };
    let counted =
        [a, b].into_iter().filter(|c| condition.contains(c.as_str()) && !c.contains("where")).collect();
    (condition, counted)
}

/// An alert text. `lent`: the rule so far, whose variables it may use.
fn alert(choices: &mut Choices<'_>, about: &About, key: &[String], rule: &str) -> String {
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

fn sequence(choices: &mut Choices<'_>, world: &World, throttle: &str) -> String {
    let names = ["one", "two", "three"];
    let steps = 2 + usize::from(choices.chance(25));
    let mut text = String::new();
    if choices.chance(50) {
        text += &format!(
            "    by {}\n",
            choices.word(&[
                "user.username",
                "objectRef.namespace",
                "who = user.username, objectRef.name",
                "source_ip"
            ])
        );
    }
    text += &format!("    sequence within {} {{\n", choices.word(&["2s", "10s", "1m", "1h"]));
    for n in 0..steps {
        let (on, about) =
            if choices.chance(50) { selector(choices, world) } else { ("any of any".to_owned(), About::Any) };
        let mut all = Vec::new();
        if choices.chance(40) {
            all.push(atom(choices, world, &about));
        }
        if n > 0 && choices.chance(70) {
            let earlier = names[choices.below(n)];
            all.push(join(choices, &about, earlier));
        }
        text += &format!("        {}: on {on}", names[n]);
        if !all.is_empty() {
            text +=
                &format!(" where {}", all.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" and "));
        }
        text += "\n";
    }
    text += "    }\n";
    if choices.chance(60) {
        text += &format!("    throttle {throttle}\n");
    }
    let last = names[steps - 1];
    text + &format!(
        "    alert \"{{one.user.username}} {{one.objectRef.name}} {{{last}.verb}} {{{last}.stageTimestamp - one.stageTimestamp}}\"\n"
    )
}

/// What a step asks of one above.
fn join(choices: &mut Choices<'_>, about: &About, earlier: &str) -> String {
    if let About::Desired(kind, _) = about
        && choices.chance(60)
    {
        match kind.plural {
            "clusterrolebindings" => {
                return format!("any s in desired.subjects: (s.name == {earlier}.user.username)");
            }
            "pods" | "deployments" | "cronjobs" if kind.subresource.is_none() => {
                return format!(
                    "any c in containers: (c.name == {earlier}.objectRef.name or {earlier}.user.username == \"bob\")"
                );
            }
            _ => return format!("desired.metadata.labels[\"app\"] == {earlier}.object.name"),
        }
    }
    match choices.below(12) {
        9 => format!("user.groups == {earlier}.user.groups"),
        10 => format!("annotations != {earlier}.annotations"),
        11 => format!("all g in user.groups: (g in {earlier}.user.groups)"),
        0 => format!("objectRef.namespace == {earlier}.objectRef.namespace"),
        1 => format!("user.username != {earlier}.user.username"),
        2 => format!("object.name == {earlier}.object.name"),
        3 => format!("stageTimestamp - {earlier}.stageTimestamp > 1s"),
        4 => format!("{earlier}.user.groups[] == \"dev\" or verb == {earlier}.verb"),
        5 => format!("any g in {earlier}.user.groups: (g in user.groups)"),
        6 => format!("not (source_ip == {earlier}.source_ip)"),
        7 => format!(
            "user.username in {earlier}.user.groups or {earlier}.responseStatus.code >= responseStatus.code"
        ),
        _ => format!("requestURI == {earlier}.requestURI or {earlier}.dry_run"),
    }
}
