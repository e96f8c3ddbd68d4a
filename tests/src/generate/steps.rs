//! Sequences as text: steps in order or in any, repeated, forbidden, with keys of their own.

use super::atoms;
use super::choices::Choices;
use super::rules::{self, About};
use super::windows::{across, halves, length, throttle, written};
use super::world::World;

const NAMES: [&str; 4] = ["one", "two", "three", "four"];

/// How the steps of a rule are tied together.
#[derive(Clone, Copy)]
struct Key {
    /// The rule's own clause.
    rule: &'static str,
    /// What a step may say instead.
    steps: &'static [&'static str],
}

const KEYS: &[Key] = &[
    Key { rule: "", steps: &[] },
    Key { rule: "", steps: &[] },
    Key { rule: "user.username", steps: &[] },
    Key { rule: "objectRef.namespace", steps: &[] },
    Key { rule: "who = user.username, objectRef.name", steps: &[" by who = impersonatedUser.username"] },
    Key { rule: "source_ip", steps: &[] },
    Key {
        rule: "what = object.name",
        steps: &[" by what = objectRef.namespace", " by what = objectRef.name"],
    },
    Key { rule: "who = user.username", steps: &[" by who = lower(user.username)", " by who = object.name"] },
];

/// A rule's clauses from its `by` on.
pub(super) fn clauses(choices: &mut Choices<'_>, world: &World, heard: &[String]) -> String {
    if choices.chance(57) {
        return forbidding(choices, world);
    }
    let ordered = !(choices.chance(30));
    let positive = 2 + usize::from(choices.chance(25)) - usize::from(choices.chance(8));
    let key = *choices.pick(KEYS);
    let mut text = match key.rule {
        "" => String::new(),
        rule => format!("    by {rule}\n"),
    };
    text += across(choices);
    if choices.chance(12) {
        text += &format!("    except {}\n", atoms::general(choices, world));
    }
    let word = if ordered { "sequence" } else { "unordered" };
    text += &format!("    {word} within {} {{\n", length(choices, world));
    let own = |choices: &mut Choices<'_>| match key.steps {
        [] => "",
        steps if choices.chance(35) => choices.word(steps),
        _ => "",
    };
    for (n, name) in NAMES.iter().enumerate().take(positive) {
        text += &forbidden(choices, world, ordered, n, &own);
        let (on, about) = listens(choices, world, heard);
        let times = match choices.chance(28) {
            true => format!(" {} times", 1 + choices.below(3)),
            false => String::new(),
        };
        let reads = if ordered { n } else { positive };
        text += &format!("        {name}:{times} on {on}");
        text += &conditions(choices, world, &about, reads, n);
        text += own(choices);
        text += "\n";
    }
    text += &forbidden(choices, world, ordered, positive, &own);
    text += "    }\n";
    text += &throttle(choices, world, 60);
    let last = NAMES[positive - 1];
    text + &format!(
        "    alert \"{{one.user.username}} {{one.objectRef.name}} {{{last}.verb}} {{{last}.stageTimestamp - one.stageTimestamp}} {{requestURI}}\"\n"
    )
}

/// A sequence that hangs on what must not happen: steps that nearly anything fits, and one that forbids.
fn forbidding(choices: &mut Choices<'_>, world: &World) -> String {
    let positive = *choices.pick(&[1, 2, 2, 2]);
    let at = if positive == 2 && choices.chance(76) { 1 } else { choices.below(positive + 1) };
    let between = positive == 2 && at == 1;
    let ordered = choices.chance(if between { 88 } else { 70 });
    let mut text = choices
        .word(&["", "    by user.username\n", "    by user.username\n", "    by cluster\n"])
        .to_owned();
    let word = if ordered { "sequence" } else { "unordered" };
    text += &format!(
        "    {word} within {} {{\n",
        written(halves(choices, world, if between { &[4, 8, 16] } else { &[2, 4, 4, 8] }))
    );
    for (n, name) in (0..=positive).zip(NAMES) {
        if n == at {
            let within = match (ordered && n == 0) || choices.chance(if between { 90 } else { 55 }) {
                true if between => format!(" within {}", written(halves(choices, world, &[1, 1, 2]))),
                true => format!(" within {}", written(halves(choices, world, &[1, 2, 2, 4]))),
                false => String::new(),
            };
            let condition = match choices.below(if between { 12 } else { 5 }) {
                0 => format!(" where verb == \"{}\"", choices.word(&["get", "create", "patch"])),
                1 => " where responseStatus.code >= 300".to_owned(),
                2 if n > 0 => " where objectRef.name == one.objectRef.name".to_owned(),
                3 if n > 0 => " where requestURI != one.requestURI".to_owned(),
                _ => String::new(),
            };
            text += &format!("        no other{within}: on any of any including dry_run{condition}\n");
        }
        if n < positive {
            let on = match choices.below(3) {
                // What forbids must mostly be something else than what it stands behind.
                _ if between && n == 0 => {
                    format!("{} of any", choices.word(&["create", "get", "patch", "delete"]))
                }
                0 => format!("any of {}", choices.pick(&world.kinds).written),
                1 => "any of any".to_owned(),
                _ => format!("{} of any", choices.word(&["get", "create", "patch", "write"])),
            };
            let joined = n > 0 && choices.chance(25);
            let join = if joined { " where user.username == one.user.username" } else { "" };
            text += &format!("        {name}: on {on}{join}\n");
        }
    }
    text += "    }\n    throttle 0s\n";
    text + "    alert \"{one.user.username} {one.objectRef.name} {verb}\"\n"
}

fn listens(choices: &mut Choices<'_>, world: &World, heard: &[String]) -> (String, About) {
    if !heard.is_empty() && choices.chance(12) {
        return (format!("alert of {}", choices.pick(heard)), About::Any);
    }
    match choices.below(10) {
        0..4 => rules::selector(choices, world),
        4..7 => ("any of any".to_owned(), About::Any),
        _ => (format!("any of {}", choices.pick(&world.kinds).written), About::Any),
    }
}

fn conditions(choices: &mut Choices<'_>, world: &World, about: &About, reads: usize, own: usize) -> String {
    let mut all = Vec::new();
    if choices.chance(40) {
        all.push(rules::atom(choices, world, about));
    }
    let other = choices.below(reads.max(1));
    if reads > 0 && other != own && choices.chance(60) {
        all.push(join(choices, about, NAMES[other]));
    }
    match all.is_empty() {
        true => String::new(),
        false => format!(" where {}", all.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" and ")),
    }
}

/// Perhaps a step that must not happen here, in front of the positive one of this number.
fn forbidden(
    choices: &mut Choices<'_>,
    world: &World,
    ordered: bool,
    before: usize,
    own: &dyn Fn(&mut Choices<'_>) -> &'static str,
) -> String {
    if !choices.chance(16) {
        return String::new();
    }
    let needed = ordered && before == 0;
    let within = match needed || choices.chance(40) {
        true => format!(" within {}", written(halves(choices, world, &[1, 2, 2, 4]))),
        false => String::new(),
    };
    let (on, about) = listens(choices, world, &[]);
    let reads = if ordered { before } else { 1 };
    let mut text = format!("        no not_{}{within}: on {on}", ["a", "b", "c", "d"][before]);
    text += &conditions(choices, world, &about, reads, usize::MAX);
    text += own(choices);
    text + "\n"
}

/// What a step asks of another.
fn join(choices: &mut Choices<'_>, about: &About, other: &str) -> String {
    if let About::Desired(kind, _) = about
        && choices.chance(60)
    {
        match kind.plural {
            "clusterrolebindings" => {
                return format!("any s in desired.subjects: (s.name == {other}.user.username)");
            }
            "pods" | "deployments" | "cronjobs" if kind.subresource.is_none() => {
                return format!(
                    "any c in containers: (c.name == {other}.objectRef.name or {other}.user.username == \"bob\")"
                );
            }
            _ => return format!("desired.metadata.labels[\"app\"] == {other}.object.name"),
        }
    }
    match choices.below(14) {
        9 => format!("user.groups == {other}.user.groups"),
        10 => format!("annotations != {other}.annotations"),
        11 => format!("all g in user.groups: (g in {other}.user.groups)"),
        0 => format!("objectRef.namespace == {other}.objectRef.namespace"),
        1 => format!("user.username != {other}.user.username"),
        2 => format!("object.name == {other}.object.name"),
        3 => format!("stageTimestamp - {other}.stageTimestamp > 1s"),
        4 => format!("{other}.user.groups[] == \"dev\" or verb == {other}.verb"),
        5 => format!("any g in {other}.user.groups: (g in user.groups)"),
        6 => format!("not (source_ip == {other}.source_ip)"),
        7 => format!(
            "user.username in {other}.user.groups or {other}.responseStatus.code >= responseStatus.code"
        ),
        12 => format!("lower(user.username) == lower({other}.user.username) and verb != {other}.verb"),
        13 => format!("objectRef.name == {other}.objectRef.name and user.username == {other}.user.username"),
        _ => format!("requestURI == {other}.requestURI or {other}.dry_run"),
    }
}
