//! The small world of random cases: few of everything, so that things collide.

use super::choices::Choices;

pub(super) const USERS: &[&str] =
    &["alice", "bob", "Alice", "system:serviceaccount:ci:deployer", "system:node:n1", "\u{212a}arl"];
pub(super) const GROUPS: &[&str] = &["dev", "ops", "system:masters", "system:nodes"];
pub(super) const NAMESPACES: &[&str] = &["shop", "kube-system", "Shop"];
pub(super) const NAMES: &[&str] = &["web", "db-1", "admin"];
pub(super) const CODES: &[i64] = &[200, 201, 101, 401, 403, 404];
pub(super) const ADDRESSES: &[&str] =
    &["10.0.0.1", "203.0.113.7", "::ffff:10.0.0.9", "2001:db8::1", "fe80::1", "nowhere", "192.168.1.300"];
pub(super) const AGENTS: &[&str] = &["kubectl/v1.30 (linux)", "curl/8.0", "agent one", "/x", "", "kubectl"];
pub(super) const COMMANDS: &[&str] = &["sh", "cat", "/etc/passwd", "a b", "-c"];
pub(super) const CLUSTERS: &[&str] = &["c1", "c2"];
pub(super) const IMAGES: &[&str] = &[
    "nginx",
    "nginx:1.25",
    "docker.io/nginx:1.25",
    "index.docker.io/library/nginx",
    "quay.io/a/b@sha256:00ff",
    "localhost/x:dev",
    "reg:5000/x:1@sha256:00ff",
    "team/app",
    "bad image",
    ":1.0",
    "",
];
pub(super) const PATHS: &[&str] =
    &["/etc", "/etc/", "//etc/.", "/var/../etc", "/", "", "etc/../..", "/var/run/docker.sock", "a//b"];

/// A resource that requests of a case go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// As a rule writes it.
    pub(super) written: &'static str,
    pub(super) plural: &'static str,
    pub(super) group: &'static str,
    pub(super) subresource: Option<&'static str>,
    /// As in `kind` of its bodies.
    pub(super) kind: &'static str,
    pub(super) namespaced: bool,
}

const fn kind(written: &'static str, plural: &'static str, group: &'static str, kind: &'static str) -> Kind {
    Kind { written, plural, group, subresource: None, kind, namespaced: true }
}

pub(super) const KINDS: &[Kind] = &[
    kind("pods", "pods", "", "Pod"),
    kind("deployments", "deployments", "apps", "Deployment"),
    kind("secrets", "secrets", "", "Secret"),
    kind("configmaps", "configmaps", "", "ConfigMap"),
    kind("cronjobs", "cronjobs", "batch", "CronJob"),
    kind("widgets.example.com", "widgets", "example.com", "Widget"),
    Kind {
        namespaced: false,
        ..kind(
            "clusterrolebindings",
            "clusterrolebindings",
            "rbac.authorization.k8s.io",
            "ClusterRoleBinding",
        )
    },
    Kind { namespaced: false, ..kind("nodes", "nodes", "", "Node") },
    Kind {
        namespaced: false,
        ..kind(
            "certificatesigningrequests",
            "certificatesigningrequests",
            "certificates.k8s.io",
            "CertificateSigningRequest",
        )
    },
    Kind { subresource: Some("exec"), ..kind("pods/exec", "pods", "", "PodExecOptions") },
    Kind { subresource: Some("scale"), ..kind("deployments/scale", "deployments", "apps", "Scale") },
    Kind { subresource: Some("ephemeralcontainers"), ..kind("pods/ephemeralcontainers", "pods", "", "Pod") },
];

/// What a case is about: its requests and its rules draw from here.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) kinds: Vec<Kind>,
    pub(super) users: Vec<&'static str>,
    pub(super) lateness: i64,
    /// About patches.
    pub(super) patches: bool,
    /// So many requests that clocks run.
    pub(super) long: bool,
    /// So many in a short time that they also run close to the newest event.
    pub(super) dense: bool,
    /// What the lengths of its windows are made of, in nanoseconds.
    pub(super) unit: i64,
    /// Whether its events are a few units apart.
    pub(super) timed: bool,
    /// Lines among its events that are none.
    pub(super) garbage: bool,
    /// Somebody looks whether its sources are silent.
    pub(super) live: bool,
    /// The hour (UTC) at which its log often begins, and at which clock ranges begin or end.
    pub(super) hour: usize,
}

impl World {
    pub(super) fn new(choices: &mut Choices<'_>) -> Self {
        let kinds = (0..1 + choices.below(3)).map(|_| *choices.pick(KINDS)).collect();
        let users = (0..1 + choices.below(3)).map(|_| choices.word(USERS)).collect();
        let lateness = *choices.pick(&[2_000_000_000, 5_000_000_000]);
        Self {
            kinds,
            users,
            lateness,
            patches: choices.chance(35),
            long: choices.chance(25),
            dense: choices.chance(30),
            unit: *choices.pick(&[1_000_000_000, 2_000_000_000, 4_000_000_000, 20_000_000_000]),
            timed: choices.chance(55),
            garbage: choices.chance(22),
            live: choices.chance(20),
            hour: 2 * choices.below(12),
        }
    }
}

/// Verbs that carry the desired object.
pub(super) const WRITES: &[&str] = &["create", "update", "patch"];

/// A verb that this resource is asked with.
pub(super) fn verb(choices: &mut Choices<'_>, world: &World, kind: &Kind) -> &'static str {
    match kind.subresource {
        None if world.patches && choices.chance(60) => "patch",
        Some("exec") => choices.word(&["get", "create"]),
        Some(_) => choices.word(&["update", "patch", "get"]),
        None => choices.word(&[
            "create",
            "create",
            "update",
            "patch",
            "patch",
            "patch",
            "delete",
            "deletecollection",
            "get",
            "list",
        ]),
    }
}
