//! Which labels of the recorded logs each shipped rule is held to, and which oddities it may tell.

use super::log::Request;

/// What a request must have recorded for a rule to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// Who did what.
    Metadata,
    /// The body that was sent.
    Body,
    /// The answer.
    Answer,
}

/// How a label counts as found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Each request is evidence of an alert.
    Each,
    /// Many make one alert, or a throttle holds the next ones back: each user who did it is told of.
    Burst,
}

/// A rule, and the attacks that it must find.
pub(super) struct Cover {
    pub(super) rule: &'static str,
    pub(super) labels: &'static [&'static str],
    pub(super) needs: Needs,
    pub(super) found: Found,
    /// Which of the requests under these labels are meant: some labels are told by several rules.
    pub(super) only: fn(&Request) -> bool,
}

fn any(_: &Request) -> bool {
    true
}

pub(super) fn reads_secrets(request: &Request) -> bool {
    request.resource == "secrets" && ["get", "list", "watch"].contains(&&*request.verb) && by_person(request)
}

fn by_person(request: &Request) -> bool {
    !request.user.starts_with("system:serviceaccount:")
}

pub(super) fn enters(request: &Request) -> bool {
    request.resource == "pods/exec" || request.resource == "pods/attach"
}

fn touches_secrets(request: &Request) -> bool {
    request.resource == "secrets" && by_person(request)
}

fn runs(request: &Request) -> bool {
    request.uri.contains("/proxy/run/")
}

fn returns_secrets(request: &Request) -> bool {
    request.resource == "secrets" && request.verb == "deletecollection"
}

pub(super) const fn each(rule: &'static str, labels: &'static [&'static str], needs: Needs) -> Cover {
    Cover { rule, labels, needs, found: Found::Each, only: any }
}

pub(super) const fn burst(rule: &'static str, labels: &'static [&'static str]) -> Cover {
    Cover { rule, labels, needs: Needs::Metadata, found: Found::Burst, only: any }
}

impl Cover {
    pub(super) const fn only(mut self, only: fn(&Request) -> bool) -> Self {
        self.only = only;
        self
    }
}

/// Every label below `secret-`, and whatever else reads one.
const SECRET_READS: &[&str] = &[
    "secret-get",
    "secret-list",
    "secret-list-all",
    "secret-list-table",
    "secret-watch",
    "secret-then-exec",
    "impersonate-sa",
    "impersonate-masters",
];

/// And whatever writes one.
const SECRET_TOUCHES: &[&str] = &[
    "secret-get",
    "secret-list",
    "secret-list-all",
    "secret-list-table",
    "secret-watch",
    "secret-then-exec",
    "impersonate-sa",
    "impersonate-masters",
    "sa-token-secret",
    "deletecollection-secrets",
];

/// The shipped rules, and what each is held to.
pub(super) const COVERS: &[Cover] = &[
    each("secret_read", SECRET_READS, Needs::Metadata).only(reads_secrets),
    each("secret_values_returned", &["deletecollection-secrets"], Needs::Metadata).only(returns_secrets),
    burst("secrets_at_odd_hours", SECRET_TOUCHES).only(touches_secrets),
    each(
        "cluster_admin_bound",
        &["crb-cluster-admin", "crb-cluster-admin-apply", "rb-cluster-admin"],
        Needs::Body,
    ),
    each("cluster_admin_bound", &["crb-cluster-admin-subject"], Needs::Answer),
    each("node_tainted", &["node-taint"], Needs::Body),
    each("namespace_deleted", &["namespace-delete", "mass-delete-namespaces"], Needs::Metadata),
    each("exec_in_pod", &["exec", "attach", "secret-then-exec"], Needs::Metadata).only(enters),
    each("exec_through_kubelet", &["nodes-proxy"], Needs::Metadata).only(runs),
    burst("login_failures", &["login-failures"]),
    burst("refusals", &["forbidden-burst"]),
    burst("refusals", &["resource-sweep"]),
    burst("bulk_delete", &["mass-delete-deployments", "mass-delete-namespaces"]),
    each(
        "collection_deleted",
        &[
            "delete-events",
            "delete-network-policy",
            "delete-quota",
            "deletecollection-configmaps",
            "deletecollection-secrets",
            "pod-deletecollection",
        ],
        Needs::Metadata,
    ),
    each("role_wildcard", &["clusterrole-wildcard", "role-wildcard", "clusterrole-system-edit"], Needs::Body),
    each("role_escalates", &["clusterrole-escalate", "clusterrole-impersonate"], Needs::Body),
    each("sensitive_host_path", &["hostpath"], Needs::Body),
    each("sensitive_host_volume", &["hostpath-pv"], Needs::Body),
    burst("secret_then_exec", &["secret-then-exec"]),
];

/// What a rule tells although no attack's label is on it, and why that is right.
pub(super) struct Explained {
    pub(super) rule: &'static str,
    pub(super) why: &'static str,
    pub(super) is: fn(&Request) -> bool,
}

/// All of them. Whatever else is told of a request that is no attack, nor made of one by a controller, fails the test.
pub(super) const EXPLAINED: &[Explained] = &[
    Explained {
        rule: "privileged_impersonation",
        why: "of the examples: kubectl asks for the version first, as root too: that is told, and the throttle holds back the rest",
        is: |request| request.user == "mallory@example.com" && request.uri.starts_with("/version?"),
    },
    Explained {
        rule: "cluster_admin_bound",
        why: "the installer makes the platform admins' group cluster-admin: true, and worth one alert in a cluster's life",
        is: |request| request.has("bootstrap-crb") && request.user == "lab-admin",
    },
    Explained {
        rule: "secrets_at_odd_hours",
        why: "the logs are of a Sunday: the installer and an admin really do write secrets then",
        is: |request| request.user == "lab-admin" || request.user == "alice@example.com",
    },
    Explained {
        rule: "secret_read",
        why: "a list that asked for metadata only looks like any other where the answer's kind is not recorded",
        is: |request| request.has("secret-list-metadata-only") && !request.answer,
    },
    Explained {
        rule: "secrets_at_odd_hours",
        why: "a list of metadata is a touch of secrets all the same",
        is: |request| request.has("secret-list-metadata-only"),
    },
    Explained {
        rule: "secret_read",
        why: "near to secret_then_exec only: its secret is read for real",
        is: |request| request.has("secret-then-exec"),
    },
    Explained {
        rule: "secrets_at_odd_hours",
        why: "near to secret_then_exec only: its secret is read for real",
        is: |request| request.has("secret-then-exec"),
    },
    Explained {
        rule: "exec_in_pod",
        why: "near to secret_then_exec only: its command runs for real",
        is: |request| request.has("secret-then-exec"),
    },
    Explained {
        rule: "secret_then_exec",
        why: "the secret that the near-miss reads is then followed by other commands in that namespace",
        is: |request| request.has("secret-then-exec") && request.resource == "secrets",
    },
    Explained {
        rule: "all_secrets_then_exec",
        why: "the same user has listed all secrets before, so the pod's namespace does not matter",
        is: |request| request.has("secret-then-exec"),
    },
    Explained {
        rule: "refusals",
        why: "refused one by one it is a near-miss; from the address of a burst it belongs to it",
        is: |request| request.code == Some(403),
    },
];
