//! The built-in resources: plural, groups, kind, verbs, subresources, from `resources.txt`.
//!
//! A group that Kubernetes has left (`extensions`) stays in the table: logs of old clusters are read too, and a name
//! means every group it ever had. What is not in the table is a custom resource and must say its group.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One resource of Kubernetes' own.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltIn {
    /// As in `objectRef.resource`.
    pub plural: &'static str,
    /// As in `kind` of its bodies.
    pub kind: &'static str,
    /// Lives in namespaces.
    pub namespaced: bool,
    /// Every group it ever had; the core group is `""`.
    pub groups: Vec<&'static str>,
    /// What can be done with it.
    pub verbs: Vec<&'static str>,
    /// As `kubectl` lets people type it: `po`.
    pub short: Option<&'static str>,
    /// Its subresources, by the table's order.
    pub subresources: Vec<SubresourceOf>,
    types: Vec<&'static str>,
}

/// A subresource of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubresourceOf {
    /// Such as `exec`.
    pub name: &'static str,
    /// What can be done with it.
    pub verbs: Vec<&'static str>,
    /// The object type of what it takes; `None`: no body that is recorded, or an untyped one.
    pub object: Option<&'static str>,
}

impl BuiltIn {
    /// The subresource of that name.
    #[must_use]
    pub fn subresource(&self, name: &str) -> Option<&SubresourceOf> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// The object type of its bodies in a group; `None`: no schema has it, or it is of no such group.
    #[must_use]
    pub fn object_in(&self, group: &str) -> Option<&'static str> {
        let at = self.groups.iter().position(|own| *own == group)?;
        self.types.get(at).or(self.types.last()).copied()
    }

    /// The object types of its bodies over all of its groups, each once.
    pub fn kind_types(&self) -> impl Iterator<Item = &'static str> {
        self.types.iter().copied()
    }
}

/// What makes pods: the word `workloads`, as pairs of resource and subresource.
pub const WORKLOADS: [(&str, Option<&str>); 10] = [
    ("pods", None),
    ("pods", Some("ephemeralcontainers")),
    ("podtemplates", None),
    ("replicationcontrollers", None),
    ("deployments", None),
    ("daemonsets", None),
    ("statefulsets", None),
    ("replicasets", None),
    ("jobs", None),
    ("cronjobs", None),
];

/// The built-in resource of that plural name.
#[must_use]
pub fn built_in(plural: &str) -> Option<&'static BuiltIn> {
    RESOURCES.by_plural.get(plural).and_then(|at| RESOURCES.all.get(*at))
}

/// All of them, in the order of the table.
pub fn built_ins() -> impl Iterator<Item = &'static BuiltIn> {
    RESOURCES.all.iter()
}

/// The plural that `word` is another name of: a short name, a kind, or a singular (`po`, `Pod`, `pod`).
#[must_use]
pub fn long_name(word: &str) -> Option<&'static str> {
    let is = |resource: &&BuiltIn| resource.short == Some(word) || resource.kind.eq_ignore_ascii_case(word);
    built_ins().find(is).map(|resource| resource.plural)
}

/// Every name of a subresource that any built-in resource has, sorted, each once.
#[must_use]
pub fn subresource_names() -> Vec<&'static str> {
    let mut names: Vec<_> =
        built_ins().flat_map(|resource| resource.subresources.iter().map(|sub| sub.name)).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The built-in resources that have a subresource of that name.
pub fn resources_with_subresource(
    name: &str,
) -> impl Iterator<Item = (&'static BuiltIn, &'static SubresourceOf)> {
    built_ins().filter_map(move |resource| Some((resource, resource.subresource(name)?)))
}

pub(super) const TABLE: &str = include_str!("resources.txt");

struct Resources {
    all: Vec<BuiltIn>,
    by_plural: BTreeMap<&'static str, usize>,
}

static RESOURCES: LazyLock<Resources> = LazyLock::new(|| {
    let mut all: Vec<BuiltIn> = Vec::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        if let Some(rest) = line.strip_prefix(' ') {
            if let (Some(resource), Some(sub)) = (all.last_mut(), parse_subresource(rest)) {
                resource.subresources.push(sub);
            }
        } else {
            all.extend(parse_resource(line));
        }
    }
    let by_plural = all.iter().enumerate().map(|(at, resource)| (resource.plural, at)).collect();
    Resources { all, by_plural }
});

/// One line at the margin; `None` if it is malformed, which the tests refuse.
pub(super) fn parse_resource(line: &'static str) -> Option<BuiltIn> {
    let parts: Vec<_> = line.split(' ').collect();
    let &[plural, kind, scope, groups, verbs, types, short] = parts.as_slice() else { return None };
    Some(BuiltIn {
        plural,
        kind,
        namespaced: scope == "namespaced",
        groups: groups.split(',').map(|group| if group == "core" { "" } else { group }).collect(),
        verbs: parse_verbs(verbs),
        short: (short != "-").then_some(short),
        subresources: Vec::new(),
        types: if types == "-" { Vec::new() } else { types.split(',').collect() },
    })
}

/// One indented line, without the blank in front.
pub(super) fn parse_subresource(line: &'static str) -> Option<SubresourceOf> {
    let parts: Vec<_> = line.split(' ').collect();
    let &[name, verbs, object] = parts.as_slice() else { return None };
    Some(SubresourceOf { name, verbs: parse_verbs(verbs), object: (object != "-").then_some(object) })
}

fn parse_verbs(words: &'static str) -> Vec<&'static str> {
    if words == "*" { super::RESOURCE_VERBS.to_vec() } else { words.split(',').collect() }
}
