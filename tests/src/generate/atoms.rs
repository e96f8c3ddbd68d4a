//! Conditions as text, each about something that logs of this world vary.

use super::choices::Choices;
use super::world::{ADDRESSES, AGENTS, COMMANDS, GROUPS, IMAGES, Kind, NAMES, NAMESPACES, USERS, World};

/// A text literal.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn some(choices: &mut Choices<'_>, all: &[&'static str]) -> String {
    quoted(choices.word(all))
}

fn list(choices: &mut Choices<'_>, all: &[&'static str]) -> String {
    let items: Vec<String> = (0..1 + choices.below(3)).map(|_| some(choices, all)).collect();
    format!("[{}]", items.join(", "))
}

fn number(choices: &mut Choices<'_>, all: &[&str]) -> String {
    (*choices.pick(all)).to_owned()
}

/// A comparison of a text. `each`: of a spread, which has no negation.
pub(super) fn text(
    choices: &mut Choices<'_>,
    left: &str,
    values: &[&'static str],
    parts: &[&'static str],
    each: bool,
) -> String {
    let value = choices.word(values);
    let part = choices.word(parts);
    let not = if !each && choices.chance(25) { "not " } else { "" };
    let case = if choices.chance(25) { " ignoring case" } else { "" };
    let cased = |word: &str| if case.is_empty() { word.to_owned() } else { word.to_uppercase() };
    match choices.below(8) {
        0 if !each && choices.chance(30) => format!("{left} != {}{case}", quoted(&cased(value))),
        0 => format!("{left} == {}{case}", quoted(&cased(value))),
        1 => format!("{left} {not}contains {}{case}", quoted(&cased(part))),
        2 => format!("{left} {not}startswith {}{case}", quoted(&cased(start(choices, value)))),
        3 => format!("{left} {not}endswith {}{case}", quoted(&cased(end(choices, value)))),
        4 => {
            let pattern = match choices.below(4) {
                0 => format!("*{}*", cased(part)),
                1 => format!("{}*", cased(start(choices, value))),
                2 => cased(&value.replacen(|c: char| c.is_ascii_alphabetic(), "?", 1)),
                _ => format!("?*{}", cased(end(choices, value))),
            };
            format!("{left} {not}like {}{case}", quoted(&pattern))
        }
        5 => {
            let pattern = match choices.below(3) {
                0 => format!("^{}", regex::escape(start(choices, value))),
                1 => "[a-m]$".to_owned(),
                _ => format!("({}|zz)", regex::escape(part)),
            };
            format!("{left} {not}matches '{pattern}'{case}")
        }
        6 => format!("{left} {not}in {}{case}", list(choices, values)),
        _ => format!("{left} {not}in [{}, \"zz\"]", quoted(value)),
    }
}

fn start(choices: &mut Choices<'_>, text: &'static str) -> &'static str {
    let at = choices.below(4).min(text.len());
    text.get(..at.max(1)).unwrap_or(text)
}

fn end(choices: &mut Choices<'_>, text: &'static str) -> &'static str {
    let at = text.len().saturating_sub(1 + choices.below(3));
    text.get(at..).unwrap_or(text)
}

fn order(choices: &mut Choices<'_>) -> &'static str {
    choices.word(&["<", "<=", ">", ">=", "==", "!="])
}

fn networks(choices: &mut Choices<'_>) -> &'static str {
    choices.word(&[
        r#"cidr("10.0.0.0/8")"#,
        r#"cidr("203.0.113.0/24", "fe80::/10")"#,
        r#"cidr("203.0.113.7/32", "2001:db8::/48", "10.0.0.0/30")"#,
        r#"cidr("2001:db8::/32", "10.0.0.1/32")"#,
        "office",
        r#"cidr("0.0.0.0/1")"#,
    ])
}

/// A condition about any request.
pub(super) fn general(choices: &mut Choices<'_>, world: &World) -> String {
    match choices.below(7) {
        0 => who(choices, world),
        1 => place(choices),
        2 => times(choices, world),
        3..=5 => annotation(choices),
        _ => what(choices),
    }
}

fn who(choices: &mut Choices<'_>, world: &World) -> String {
    let parts = &["a", "system:", "li", "e", "K"];
    match choices.below(25) {
        17 => "user.groups == impersonatedUser.groups".to_owned(),
        18 => "user == impersonatedUser"
            .replace("user ==", "user.username !=")
            .replace("dUser", "dUser.username"),
        19 => format!(
            "user.username {} impersonatedUser.username",
            choices.word(&["startswith", "contains", "like", "=="])
        ),
        20 => format!(
            "any g in user.groups: (any h in user.groups: (g != h and h {} \"system:*\"))",
            choices.word(&["like", "=="])
        ),
        0 => text(choices, "user.username", &world.users, parts, false),
        1 => text(choices, "user.username", USERS, parts, false),
        2 => format!("{} in user.groups", some(choices, GROUPS)),
        3 => text(choices, "user.groups[]", GROUPS, &["o", "system:"], true),
        4 => format!("user.groups[{}] == {}", choices.below(2), some(choices, GROUPS)),
        5 => {
            let word = choices.word(&["any", "all"]);
            format!("{word} g in user.groups: ({})", text(choices, "g", GROUPS, &["o"], false))
        }
        6 => format!("len(user.groups) {} {}", order(choices), choices.below(3)),
        7 => format!("lower(user.username) == {}", some(choices, &["alice", "bob"])),
        8 => format!(
            "split(user.username, \":\")[{}] == {}",
            choices.below(3),
            some(choices, &["system", "ci", "node"])
        ),
        9 => format!("split(user.username, \":\")[] == {}", some(choices, &["system", "n1", "bob"])),
        10 => format!("{}present(impersonatedUser{})", maybe_not(choices), choices.word(&["", ".username"])),
        11 | 21 => text(choices, "credential.id", &["cred-0", "cred-1"], &["1", "cred"], false),
        14 | 22 => text(choices, "credential.node", &["n1", "n2"], &["1", "n"], false),
        15 | 23 | 24 => text(choices, "credential.pod", NAMES, &["b", "-"], false),
        12 => format!("{} in user.extra[\"scopes\"]", some(choices, &["a", "b", "c"])),
        _ => format!(
            "user.username + \"/\" + verb == {}",
            quoted(&format!("{}/{}", choices.pick(&world.users), choices.word(&["get", "patch", "create"])))
        ),
    }
}

fn maybe_not(choices: &mut Choices<'_>) -> &'static str {
    choices.word(&["", "not "])
}

fn place(choices: &mut Choices<'_>) -> String {
    let ip = choices.word(&["source_ip", "peer_ip"]);
    match choices.below(13) {
        0 | 1 => format!("{ip} {}in {}", maybe_not(choices), networks(choices)),
        2 => format!("sourceIPs[] in {}", networks(choices)),
        3 => format!("{}public_ip({ip})", maybe_not(choices)),
        4 => format!("{} ip in sourceIPs: (public_ip(ip))", choices.word(&["any", "all"])),
        5 => text(choices, "source_ip", ADDRESSES, &["10.", ":"], false),
        6 => text(choices, "client.program", &["kubectl", "curl", "agent"], &["k", "u"], false),
        7 | 12 => text(choices, "client.version", &["v1.30", "8.0"], &["."], false),
        8 => text(choices, "userAgent", AGENTS, &["/", " "], false).replace("\"\"", "\"curl\""),
        9 => format!("cluster {} \"c1\"", choices.word(&["==", "!="])),
        10 => format!("source {} \"log-0\"", choices.word(&["==", "!="])),
        _ => format!("request_id matches '^[0-{}]'", choices.word(&["3", "7", "9"])),
    }
}

fn times(choices: &mut Choices<'_>, world: &World) -> String {
    let zone = choices.word(&["", ", \"Asia/Shanghai\"", ", \"America/New_York\""]);
    match choices.below(10) {
        0 => {
            let (from, to) = (2 * choices.below(12), world.hour);
            let (from, to) = if choices.chance(50) { (from, to) } else { (to, from) };
            let to = if from == to { (to + 12) % 24 } else { to };
            let range = format!("{from:02}:00..{to:02}:00");
            format!("time_of_day(stageTimestamp{zone}) {}in {range}", maybe_not(choices))
        }
        1 => format!("weekday(stageTimestamp{zone}) {}in [\"mon\", \"sat\"]", maybe_not(choices)),
        2 => format!(
            "stageTimestamp - requestReceivedTimestamp {} {}",
            order(choices),
            choices.word(&["0s", "100ms", "2s", "1500ms"])
        ),
        3 => format!(
            "stageTimestamp {} requestReceivedTimestamp + {}",
            order(choices),
            choices.word(&["0s", "1s", "100ms"])
        ),
        4 => format!(
            "(stageTimestamp - requestReceivedTimestamp) * {} > 1s",
            choices.word(&["2", "0.3", "4 / 3 * 2"])
        ),
        5 => format!(
            "(stageTimestamp - requestReceivedTimestamp) / {} {} 3",
            choices.word(&["1s", "30ms", "0s"]),
            order(choices)
        ),
        6 => format!("stageTimestamp - 1s {} requestReceivedTimestamp", order(choices)),
        7 => format!("(stageTimestamp - requestReceivedTimestamp) / 3 {} 33333333ns", order(choices))
            .replace("33333333ns", "40ms"),
        _ => format!("time(annotations[\"at\"]) {} stageTimestamp", order(choices)),
    }
}

fn annotation(choices: &mut Choices<'_>) -> String {
    if choices.chance(6) {
        // Absent is not empty.
        let key = choices.word(&["n", "p", "i", "s"]);
        return format!("annotations[\"{key}\"] {} \"\"", choices.word(&["==", "!="]));
    }
    let sums = choices.word(&["+ 1", "- 1", "* 2", "/ 2", "* 3 / 2", "/ 0", "* 0.1"]);
    match choices.below(26) {
        0 => format!(
            "number(annotations[\"n\"]) {} {}",
            order(choices),
            number(choices, &["1", "2.5", "1000", "-3"])
        ),
        1 => format!(
            "number(annotations[\"n\"]) {sums} {} {}",
            order(choices),
            number(choices, &["2", "0", "1.5"])
        ),
        2 => format!(
            "quantity(annotations[\"q\"]) {} quantity({})",
            order(choices),
            some(choices, &["1Gi", "1500m", "1e3", "512"])
        ),
        3 => format!("base64(annotations[\"b\"]) == {}", some(choices, &["hi", "!"])),
        4 => format!(
            "url_decode(annotations[\"u\"]) {}",
            choices.word(&["== \"a b\"", "contains \"%\"", "startswith \"A\""])
        ),
        5 => format!("parse_json(annotations[\"j\"]).a {} {}", order(choices), number(choices, &["1", "2"])),
        6 => format!("parse_json(annotations[\"j\"]).l[] == {}", some(choices, &["x", "y"])),
        7 => format!("parse_json(annotations[\"j\"]).l[].a == {}", some(choices, &["x", "y"])),
        8 => format!("{}present(parse_json(annotations[\"j\"]).a)", maybe_not(choices)),
        9 => format!("len(parse_json(annotations[\"j\"]).l) {} {}", order(choices), choices.below(3)),
        10 => format!(
            "clean_path(annotations[\"p\"]) {} {}",
            choices.word(&["==", "startswith"]),
            some(choices, &["/etc", "/", ".", ".."])
        ),
        11 | 24 => format!(
            "image_registry(annotations[\"i\"]) == {}",
            some(choices, &["docker.io", "quay.io", "localhost", "reg:5000"])
        ),
        12 | 25 => format!(
            "image_repository(annotations[\"i\"]) {} {}",
            choices.word(&["==", "like"]),
            some(choices, &["docker.io/library/nginx", "docker.io/*", "quay.io/a/b"])
        ),
        13 => format!(
            "image_tag(annotations[\"i\"]) {} {}",
            choices.word(&["==", "!="]),
            some(choices, &["1.25", "dev", "1"])
        ),
        14 => format!("{}present(image_digest(annotations[\"i\"]))", maybe_not(choices)),
        15 => format!("{}public_ip(annotations[\"ip\"])", maybe_not(choices)),
        16 => format!(
            "split(annotations[\"s\"], \",\")[{}] == {}",
            choices.below(2),
            some(choices, &["a", "b"])
        ),
        17 => format!("\"b\" in split(annotations[\"s\"], \",\"){}", choices.word(&["", " ignoring case"])),
        18 => format!(
            "{} k in keys(annotations): (k {})",
            choices.word(&["any", "all"]),
            choices.word(&[
                "== \"n\"",
                "startswith \"a\"",
                "in [\"q\", \"s\", \"authorization.k8s.io/decision\"]"
            ])
        ),
        19 => format!(
            "any k in keys(annotations): (annotations[k] == {})",
            some(choices, &["1", "a,b", "allow", "nginx"])
        ),
        20 => format!("len(annotations) {} {}", order(choices), choices.below(5)),
        21 => format!(
            "len(annotations[\"{}\"]) {} {}",
            choices.word(&["s", "u", "p"]),
            order(choices),
            choices.below(4)
        ),
        22 => format!("{}present(annotations[\"{}\"])", maybe_not(choices), choices.word(&["n", "b", "s"])),
        _ => format!(
            "lower(annotations[\"s\"]) == \"a\" or annotations[\"s\"] == {}",
            some(choices, &["a,b", "b"])
        ),
    }
}

fn what(choices: &mut Choices<'_>) -> String {
    match choices.below(13) {
        0 | 1 => format!(
            "responseStatus.code {} {}",
            order(choices),
            number(choices, &["300", "200", "401", "201"])
        ),
        2 => format!("responseStatus.code {}in [200, 401, 403]", maybe_not(choices)),
        3 => format!("decision {} {}", choices.word(&["==", "!="]), some(choices, &["allow", "forbid"])),
        4 => text(choices, "objectRef.namespace", NAMESPACES, &["sh", "-"], false),
        5 => text(choices, "objectRef.name", NAMES, &["b", "-"], false),
        6 => text(choices, "object.name", NAMES, &["b", "-"], false),
        7 => format!("{}present(object.name)", maybe_not(choices)),
        8 => format!("{}present(objectRef.{})", maybe_not(choices), choices.word(&["name", "namespace"])),
        9 => format!("verb {}in [\"get\", \"create\", \"delete\"]", maybe_not(choices)),
        10 => format!("{}dry_run", maybe_not(choices)),
        11 => exec(choices),
        _ => format!("level == {}", some(choices, &["Metadata", "RequestResponse"])),
    }
}

/// A condition about what stands in the query of the URI.
pub(super) fn exec(choices: &mut Choices<'_>) -> String {
    match choices.below(6) {
        0 => text(choices, "exec_command", COMMANDS, &["s", " "], false),
        1 => format!("{} in exec_args", some(choices, COMMANDS)),
        2 => format!(
            "{} a in exec_args: (a {} {})",
            choices.word(&["any", "all"]),
            choices.word(&["==", "contains"]),
            some(choices, COMMANDS)
        ),
        3 => format!("exec_container {} {}", choices.word(&["==", "!="]), some(choices, &["web", "db-1"])),
        4 => format!("len(exec_args) {} {}", order(choices), choices.below(3)),
        _ => format!("exec_args[0] == {}", some(choices, COMMANDS)),
    }
}

/// A condition about what a write of that resource asks for.
pub(super) fn desired(choices: &mut Choices<'_>, kind: &Kind) -> String {
    if kind.subresource == Some("scale") {
        return format!("desired.spec.replicas {} {}", order(choices), choices.below(3));
    }
    if choices.chance(25) {
        return metadata(choices);
    }
    match kind.plural {
        "pods" | "deployments" | "cronjobs" => pods(choices),
        "secrets" | "configmaps" => match choices.below(3) {
            0 => format!("base64(desired.data[\"encoded\"]) == {}", some(choices, &["hi", "!"])),
            1 => format!("parse_json(desired.data[\"json\"]).a == {}", choices.word(&["1", "\"1\""])),
            _ => format!("desired.data[] == {}", some(choices, &["aGk="]))
                .replace("desired.data[] ==", "desired.data[\"encoded\"] =="),
        },
        "clusterrolebindings" => match choices.below(5) {
            0 => format!("desired.roleRef.name {} \"cluster-admin\"", choices.word(&["==", "!="])),
            1 => format!(
                "{} s in desired.subjects: (s.kind == \"User\" and {})",
                choices.word(&["any", "all"]),
                text(choices, "s.name", USERS, &["a"], false)
            ),
            2 => format!("desired.subjects[].name == {}", some(choices, USERS)),
            3 => format!("len(desired.subjects) {} {}", order(choices), choices.below(3)),
            _ => format!("{}present(desired.subjects)", maybe_not(choices)),
        },
        "nodes" => match choices.below(3) {
            0 => format!(
                "{} t in desired.spec.taints: (t.effect == \"NoSchedule\")",
                choices.word(&["any", "all"])
            ),
            1 => format!("desired.spec.taints[0].key == {}", some(choices, NAMES)),
            _ => "desired.spec.unschedulable == true".to_owned(),
        },
        "certificatesigningrequests" => match choices.below(3) {
            0 => text(choices, "csr_common_name", &["dev", "system:node:n1"], &["d", ":"], false),
            1 => {
                format!("{} in csr_organizations", some(choices, &["system:masters", "system:nodes", "ops"]))
            }
            _ => format!("len(csr_organizations) {} {}", order(choices), choices.below(3)),
        },
        _ => widget(choices),
    }
}

fn metadata(choices: &mut Choices<'_>) -> String {
    match choices.below(10) {
        7 => format!(
            "desired.metadata.managedFields[].time {} stageTimestamp",
            choices.word(&["<", ">", "=="])
        ),
        8 => format!(
            "{} f in desired.metadata.managedFields: (f.time < stageTimestamp)",
            choices.word(&["any", "all"])
        ),
        9 => format!("len(keys(desired.metadata.labels)) {} 1", order(choices)),
        0 => text(choices, "desired.metadata.labels[\"app\"]", NAMES, &["b"], false),
        1 => format!("{}present(desired.metadata.labels[\"app\"])", maybe_not(choices)),
        2 => format!(
            "any k in keys(desired.metadata.labels): (desired.metadata.labels[k] == {})",
            some(choices, NAMES)
        ),
        3 => format!("desired.metadata.name == {}", some(choices, NAMES)),
        4 => format!("{} in keys(desired.metadata.labels)", some(choices, &["app", "tier"])),
        5 => format!("desired.metadata.creationTimestamp {} stageTimestamp", order(choices)),
        _ => format!("{}present(desired.metadata)", maybe_not(choices)),
    }
}

fn pods(choices: &mut Choices<'_>) -> String {
    let quantifier = choices.word(&["any", "any", "all"]);
    match choices.below(18) {
        11 => format!("{} in containers[].args", some(choices, &["-c", "sh", "cat"])),
        12 => format!("len(containers[].image) {} 5", choices.word(&["<", ">=", "=="])),
        13 => format!("{}present(containers[].securityContext)", maybe_not(choices)),
        14 => format!("{}containers[].securityContext.privileged", maybe_not(choices)),
        15 => format!("all e in containers[].env: (e.value == {})", some(choices, &["1", "2"])),
        16 => format!(
            "containers[].name + \"/\" + containers[].image == {}",
            some(choices, &["web/nginx", "db-1/nginx", "admin/team/app"])
        ),
        17 => "any c in containers: (c.name == objectRef.name and c.image not like \"nginx*\")".to_owned(),
        0 | 1 => format!("{quantifier} c in containers: (c.securityContext.privileged == true)"),
        2 => text(choices, "containers[].image", IMAGES, &["nginx", ":"], true).replace("\"\"", "\"nginx\""),
        3 => format!("image_tag(containers[].image) == {}", some(choices, &["1.25", "dev"])),
        4 => format!("len(containers) {} {}", order(choices), choices.below(3)),
        5 => {
            format!("{quantifier} c in containers: (any e in c.env: (e.name == \"A\" and e.value == \"1\"))")
        }
        6 => format!(
            "any c in containers: (quantity(c.resources.limits[\"memory\"]) {} quantity(\"1Gi\"))",
            order(choices)
        ),
        7 => "pod_spec.hostNetwork == true".to_owned(),
        8 => format!(
            "{quantifier} v in pod_spec.volumes: (clean_path(v.hostPath.path) == {})",
            some(choices, &["/etc", "/"])
        ),
        9 => format!("containers[{}].name == {}", choices.below(2), some(choices, NAMES)),
        _ => format!("any e in containers[].env: (e.value {} \"1\")", choices.word(&["==", "!="])),
    }
}

fn widget(choices: &mut Choices<'_>) -> String {
    let value = choices.word(&["1", "\"1\"", "\"a\"", "true", "2.5", "-3"]);
    match choices.below(16) {
        10 => "desired.spec.list == desired.spec.map.l".to_owned(),
        11 => "desired.spec.map == desired.spec.x".to_owned(),
        12 => "desired.spec.x in desired.spec.list".to_owned(),
        13 => format!("{value} in desired.spec.list"),
        14 => "desired.spec.list[][\"a\"] == desired.spec.x".to_owned(),
        15 => "any k in keys(desired.spec): (present(desired.spec[k][0]))".to_owned(),
        0 => format!("desired.spec.x {} {value}", choices.word(&["==", "!="])),
        1 => format!("desired.spec.x {} {}", choices.word(&["<", ">="]), choices.word(&["1", "2"])),
        2 => format!("desired.spec.list[].a == {value}"),
        3 => format!("desired.spec.list[{}].a == {value}", choices.below(2)),
        4 => format!("{} e in desired.spec.list: (e.a == {value})", choices.word(&["any", "all"])),
        5 => format!("desired.spec.map[{}] == {value}", some(choices, &["k", "a/b~"])),
        6 => format!(
            "{}present(desired.spec.{})",
            maybe_not(choices),
            choices.word(&["x", "list", "list[0]", "x.y", "map.k"])
        ),
        7 => format!("desired.spec.map.l[0] == {value}"),
        8 => format!("len(desired.spec.list) {} {}", order(choices), choices.below(3)),
        _ => "desired.spec.x == desired.spec.map.k".to_owned(),
    }
}

/// A condition about the body as it was sent, of creates and updates.
pub(super) fn sent(choices: &mut Choices<'_>, kind: &Kind) -> String {
    let of = desired(choices, kind);
    if of.contains("desired") {
        of.replace("desired", "requestObject")
    } else {
        "present(requestObject.metadata)".to_owned()
    }
}

/// A condition about the answer.
pub(super) fn answered(choices: &mut Choices<'_>, forms: std::ops::Range<usize>) -> String {
    match forms.start + choices.below(forms.len()) {
        0 => format!("responseObject.metadata.name == {}", some(choices, NAMES)),
        1 => format!(
            "responseObject.kind {} {}",
            choices.word(&["==", "endswith"]),
            some(choices, &["Status", "Pod", "List", "Table"])
        ),
        2 => format!("responseObject.reason == {}", some(choices, &["Forbidden", "NotFound"])),
        3 => format!(
            "responseObject.metadata.labels[\"app\"] {} {}",
            choices.word(&["==", "!="]),
            some(choices, NAMES)
        ),
        4 => format!("{}present(responseObject)", maybe_not(choices)),
        5 => format!("len(responseObject.items) {} {}", order(choices), choices.below(3)),
        _ => format!("responseObject.items[].metadata.name == {}", some(choices, NAMES)),
    }
}
