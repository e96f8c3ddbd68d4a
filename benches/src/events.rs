//! The templates and the dice.

use std::fmt::Write;

/// What the load is made of, in events of a thousand.
#[derive(Clone, Copy, Debug)]
pub struct Mix {
    /// Requests that are also written at `RequestReceived`.
    pub received: u32,
    /// Requests with bodies.
    pub bodies: u32,
    /// Requests that a shipped rule is there for.
    pub hostile: u32,
}

impl Default for Mix {
    fn default() -> Self {
        Self { received: 950, bodies: 140, hostile: 4 }
    }
}

/// A stream of events, one line each.
#[derive(Clone, Debug)]
pub struct Load {
    mix: Mix,
    dice: u64,
    micros: u64,
    requests: u64,
}

/// (verb, resource, group, subresource, user, agent): repeated as often as it is common.
const ORDINARY: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("get", "namespaces", "", "", "system:apiserver", "kube-apiserver/v1.34.4"),
    ("get", "namespaces", "", "", "system:apiserver", "kube-apiserver/v1.34.4"),
    ("update", "leases", "coordination.k8s.io", "", "system:node:worker-1", "kubelet/v1.34.4"),
    ("update", "leases", "coordination.k8s.io", "", "system:kube-scheduler", "kube-scheduler/v1.34.4"),
    (
        "get",
        "leases",
        "coordination.k8s.io",
        "",
        "system:kube-controller-manager",
        "kube-controller-manager/v1.34.4",
    ),
    (
        "update",
        "deployments",
        "apps",
        "status",
        "system:serviceaccount:kube-system:deployment-controller",
        "kube-controller-manager/v1.34.4",
    ),
    (
        "update",
        "replicasets",
        "apps",
        "",
        "system:serviceaccount:kube-system:deployment-controller",
        "kube-controller-manager/v1.34.4",
    ),
    ("create", "events", "", "", "system:kube-scheduler", "kube-scheduler/v1.34.4"),
    ("patch", "pods", "", "status", "system:node:worker-2", "kubelet/v1.34.4"),
    ("watch", "configmaps", "", "", "system:serviceaccount:argocd:application-controller", "argocd/v2.12.4"),
    ("watch", "pods", "", "", "system:serviceaccount:monitoring:prometheus", "Prometheus/2.54.1"),
    ("list", "deployments", "apps", "", "bob@example.com", "kubectl/v1.34.4"),
    ("get", "pods", "", "", "bob@example.com", "kubectl/v1.34.4"),
    ("get", "pods", "", "log", "carol@example.com", "kubectl/v1.34.4"),
    ("create", "pods", "", "binding", "system:kube-scheduler", "kube-scheduler/v1.34.4"),
    (
        "patch",
        "deployments",
        "apps",
        "",
        "system:serviceaccount:argocd:application-controller",
        "argocd/v2.12.4",
    ),
];

/// What a rule is there for: a secret read, a shell, a deletion.
const HOSTILE: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("get", "secrets", "", "", "mallory@example.com", "kubectl/v1.34.4"),
    ("get", "pods", "", "exec", "mallory@example.com", "kubectl/v1.34.4"),
    ("delete", "deployments", "apps", "", "oscar@example.com", "kubectl/v1.34.4"),
];

const NAMESPACES: &[&str] = &["shop", "media", "ci", "kube-system", "monitoring", "cert-manager"];

impl Load {
    /// A stream that begins at 2026-01-05 00:00 UTC; the same seed gives the same events.
    #[must_use]
    pub fn new(seed: u64, mix: Mix) -> Self {
        Self {
            mix,
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            micros: 1_767_571_200_000_000,
            requests: 0,
        }
    }

    /// At least `events` events, as one text.
    #[must_use]
    pub fn text(&mut self, events: usize) -> String {
        let mut out = String::with_capacity(events * 1_200);
        let mut made = 0;
        while made < events {
            made += self.request(&mut out);
        }
        out
    }

    /// Writes the events of one request and says how many.
    pub fn request(&mut self, out: &mut String) -> usize {
        self.requests += 1;
        self.micros += 200 + u64::from(self.roll(400));
        let hostile = self.roll(1_000) < self.mix.hostile;
        let table = if hostile { HOSTILE } else { ORDINARY };
        let (verb, resource, group, subresource, user, agent) =
            table[self.roll(u32::try_from(table.len()).unwrap_or(1)) as usize];
        let namespace = NAMESPACES[self.roll(6) as usize];
        let name = format!("{}-{}", resource.trim_end_matches('s'), self.roll(5_000));
        let uri = uri(verb, resource, group, subresource, namespace, &name);
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            self.next() as u32,
            self.next() as u16,
            self.next() as u16 & 0xfff,
            self.next() as u16 & 0xfff,
            self.requests
        );
        let bodied = self.roll(1_000) < self.mix.bodies && matches!(verb, "create" | "update" | "patch");
        let level = if bodied { "RequestResponse" } else { "Metadata" };
        let role = match user {
            person if person.contains('@') => "developers",
            node if node.starts_with("system:node:") => "system:nodes",
            _ => "system:serviceaccounts",
        };
        let code = [200, 200, 200, 200, 200, 201, 404, 409][self.roll(8) as usize];
        let received = time(self.micros);
        let head = |stage: &str| {
            format!(
                r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"{level}","auditID":"{id}","stage":"{stage}","requestURI":"{uri}","verb":"{verb}","user":{{"username":"{user}","uid":"27908381-5cd4-4cfd-8929-ac5a887fd5da","groups":["{role}","system:authenticated"]}},"sourceIPs":["10.240.{}.{}"],"userAgent":"{agent} (linux/amd64) kubernetes/0000000","objectRef":{{"resource":"{resource}","namespace":"{namespace}","name":"{name}"{}{}}}"#,
                self.requests % 7,
                self.requests % 250,
                part("apiGroup", group, "\"apiVersion\":\"v1\""),
                part("subresource", subresource, ""),
            )
        };
        let mut made = 1;
        if self.dice % 1_000 < u64::from(self.mix.received) {
            let _ = writeln!(
                out,
                r#"{},"requestReceivedTimestamp":"{received}","stageTimestamp":"{received}"}}"#,
                head("RequestReceived")
            );
            made = 2;
        }
        let body = if bodied { body(resource, &name, namespace) } else { String::new() };
        let done = time(self.micros + 1_500);
        let _ = writeln!(
            out,
            r#"{},"responseStatus":{{"metadata":{{}},"code":{code}}}{body},"requestReceivedTimestamp":"{received}","stageTimestamp":"{done}","annotations":{{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"RBAC: allowed by ClusterRoleBinding \"system:controller\" of ClusterRole \"system:controller\" to User \"{user}\""}}}}"#,
            head("ResponseComplete")
        );
        made
    }

    fn next(&mut self) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        self.dice
    }

    fn roll(&mut self, sides: u32) -> u32 {
        u32::try_from((self.next() >> 16) % u64::from(sides.max(1))).unwrap_or(0)
    }
}

fn part(key: &str, value: &str, rest: &str) -> String {
    match (value.is_empty(), rest.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(",{rest}"),
        (false, true) => format!(r#","{key}":"{value}""#),
        (false, false) => format!(r#","{key}":"{value}",{rest}"#),
    }
}

fn uri(verb: &str, resource: &str, group: &str, subresource: &str, namespace: &str, name: &str) -> String {
    let base = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/v1") };
    let mut uri = format!("{base}/namespaces/{namespace}/{resource}");
    if !matches!(verb, "list" | "watch" | "create") || !subresource.is_empty() {
        let _ = write!(uri, "/{name}");
    }
    match (subresource, verb) {
        ("", "list" | "watch") => uri.push_str("?limit=500\\u0026timeout=32s"),
        ("", _) => {}
        ("exec", _) => uri.push_str("/exec?command=sh\\u0026container=main\\u0026stdin=true"),
        (other, _) => {
            let _ = write!(uri, "/{other}");
        }
    }
    uri
}

fn body(resource: &str, name: &str, namespace: &str) -> String {
    let object = format!(
        r#"{{"kind":"Object","apiVersion":"v1","metadata":{{"name":"{name}","namespace":"{namespace}","labels":{{"app":"{name}","tier":"{resource}"}},"managedFields":[{{"manager":"kubectl","operation":"Update","fieldsType":"FieldsV1","fieldsV1":{{"f:spec":{{"f:replicas":{{}},"f:template":{{"f:spec":{{"f:containers":{{}}}}}}}}}}}}]}},"spec":{{"replicas":3,"template":{{"spec":{{"containers":[{{"name":"main","image":"registry.example.com/{namespace}/{name}:1.2.3","resources":{{"limits":{{"memory":"512Mi"}}}}}}]}}}}}}}}"#
    );
    format!(r#","requestObject":{object},"responseObject":{object}"#)
}

/// RFC 3339 with microseconds.
fn time(micros: u64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 2026-01-05, so that the load stays within one month's worth of plain arithmetic.
    let day = days - 20_458;
    let (month, day) = if day < 27 { (1, day + 5) } else { (2, (day - 27) % 28 + 1) };
    format!(
        "2026-{month:02}-{day:02}T{:02}:{:02}:{:02}.{fraction:06}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}
