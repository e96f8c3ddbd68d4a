//! The types of bodies, by what a step's `on` may match.
//!
//! For every verb and target the schema says which body goes with it; all answers together are the type, so that a path is
//! a mistake only if no request that `on` takes can have it. Where `on` takes what no schema knows (`any resource`, a
//! custom resource, `*/status`), nothing is refused.

use crate::ir::{BodyKinds, Groups, Resource, Selector, Subresource, Target, Targets, Type, Verbs};
use crate::schema::{self, RequestBody};

use super::ty::Ty;

/// What the bodies of a step's events may be.
#[derive(Clone, Debug)]
pub(crate) struct Bodies {
    pub request: Ty,
    pub desired: Ty,
    /// The object itself; poison: never answered by one.
    pub object: Ty,
    /// Its list.
    pub list: Ty,
    pub status: Ty,
    /// Whether a pod's spec may be in it.
    pub pod_spec: bool,
    /// Whether it may be a certificate request.
    pub csr: bool,
    /// What `on` names, for messages: `pods, deployments`.
    pub of: String,
}

/// A resource of one group, with one subresource or none.
struct Kind<'s> {
    name: &'s str,
    group: &'s str,
    subresource: Option<&'s str>,
}

impl Bodies {
    /// Of what nothing is known.
    pub(crate) fn untyped() -> Self {
        Self {
            request: Ty::any(),
            desired: Ty::any(),
            object: Ty::any(),
            list: Ty::any(),
            status: Type::Object("meta.Status".into()).into(),
            pod_spec: true,
            csr: true,
            of: String::new(),
        }
    }

    /// Of the events that a selector takes.
    pub(crate) fn of(on: &Selector) -> Self {
        let verbs: Vec<&str> = match &on.verbs {
            Verbs::Only(verbs) => verbs.iter().map(String::as_str).collect(),
            Verbs::AllBut(but) => {
                schema::RESOURCE_VERBS.into_iter().filter(|verb| !but.iter().any(|out| out == verb)).collect()
            }
        };
        let (Targets::Only(targets), true) = (&on.targets, verbs.iter().all(|verb| schema::is_verb(verb)))
        else {
            return Self::untyped();
        };
        let resources: Vec<_> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Resource(resource) => Some(resource),
                Target::NonResource { .. } => None,
            })
            .collect();
        if resources.len() < targets.len() {
            return Self::untyped();
        }
        let mut kinds = Vec::new();
        for resource in &resources {
            if !add_kinds(resource, &mut kinds) {
                return Self { of: says(&resources), ..Self::untyped() };
            }
        }
        let mut bodies = Self::of_kinds(&kinds, &verbs);
        bodies.of = says(&resources);
        bodies
    }

    /// Of one request, as a test has it.
    pub(crate) fn of_request(name: &str, group: &str, subresource: Option<&str>, verb: &str) -> Self {
        Self::of_kinds(&[Kind { name, group, subresource }], &[verb])
    }

    fn of_kinds(kinds: &[Kind<'_>], verbs: &[&str]) -> Self {
        let (mut request, mut desired, mut patched) = (Vec::new(), Vec::new(), false);
        let (mut object, mut list, mut status) = (Vec::new(), Vec::new(), Vec::new());
        for kind in kinds {
            for verb in verbs {
                match schema::request_body(kind.name, kind.group, kind.subresource, verb) {
                    RequestBody::Never => {}
                    RequestBody::DeleteOptions(ty) => request.push(ty),
                    RequestBody::Object(ty) => {
                        request.push(ty.clone());
                        desired.push(ty);
                    }
                    RequestBody::Patch(ty, operations) => {
                        patched = true;
                        request.extend([ty.clone(), operations]);
                        desired.push(ty);
                    }
                }
                let answer = schema::response_bodies(kind.name, kind.group, kind.subresource, verb);
                object.extend(answer.object);
                list.extend(answer.list);
                status.extend(answer.status);
            }
        }
        // A body that these verbs never have is not mistyped but never there, which is a warning's business: it is typed
        // as other verbs on the same resources would have it.
        let written = || {
            let bodies = kinds
                .iter()
                .map(|kind| schema::request_body(kind.name, kind.group, kind.subresource, "create"))
                .filter_map(|body| match body {
                    RequestBody::Object(ty) => Some(ty),
                    _ => None,
                });
            union_or_any(bodies.collect())
        };
        let union = |all: Vec<Type>| Ty::union(all.into_iter().map(Ty::from));
        let mut asked = if request.is_empty() { written() } else { union(request) };
        if patched {
            asked = asked.of_patch();
        }
        let none = object.is_empty() && list.is_empty();
        Self {
            request: asked,
            desired: if desired.is_empty() { written() } else { union(desired) },
            object: if none { written() } else { union(object) },
            list: union(list),
            status: union(status),
            pod_spec: kinds.iter().any(|kind| {
                schema::WORKLOADS.iter().any(|(name, sub)| kind.name == *name && kind.subresource == *sub)
            }),
            csr: kinds.iter().any(|kind| kind.name == "certificatesigningrequests"),
            of: String::new(),
        }
    }

    /// The answers, each with the kind of body that it stands for.
    pub(crate) fn responses(&self) -> [(BodyKinds, &Ty); 3] {
        let none = BodyKinds { object: false, list: false, status: false };
        [
            (BodyKinds { object: true, ..none }, &self.object),
            (BodyKinds { list: true, ..none }, &self.list),
            (BodyKinds { status: true, ..none }, &self.status),
        ]
    }
}

fn union_or_any(all: Vec<Type>) -> Ty {
    if all.is_empty() { Ty::any() } else { Ty::union(all.into_iter().map(Ty::from)) }
}

/// The kinds that a resource of a selector stands for; `false` if nothing is known of some.
fn add_kinds<'s>(resource: &'s Resource, kinds: &mut Vec<Kind<'s>>) -> bool {
    let groups = match &resource.groups {
        Groups::Any => None,
        Groups::OneOf(groups) => Some(groups),
    };
    match (&resource.name, groups) {
        (Some(name), Some(groups)) => groups.iter().all(|group| add_of_group(name, group, resource, kinds)),
        // `*.apps`: all resources of a group, if it is one of Kubernetes' own.
        (None, Some(groups)) => groups.iter().all(|group| {
            let before = kinds.len();
            let built_in = schema::built_ins().filter(|one| one.groups.contains(&group.as_str()));
            let known = built_in.fold(true, |known, one| {
                let has = match &resource.subresource {
                    Subresource::Only(sub) => one.subresource(sub).is_some(),
                    Subresource::None | Subresource::Any => true,
                };
                known & (!has || add_of_group(one.plural, group, resource, kinds))
            });
            known && kinds.len() > before
        }),
        (None, None) => match &resource.subresource {
            // Custom resources may have a `status` too, of kinds of their own, and a `scale`, of Kubernetes' kind; all
            // others are Kubernetes' own.
            Subresource::Only(sub) if sub != "status" => {
                for (one, of) in schema::resources_with_subresource(sub) {
                    let kind = |group| Kind { name: one.plural, group, subresource: Some(of.name) };
                    kinds.extend(one.groups.iter().copied().map(kind));
                }
                true
            }
            _ => false,
        },
        (Some(_), None) => false,
    }
}

fn add_of_group<'s>(
    name: &'s str,
    group: &'s str,
    resource: &'s Resource,
    kinds: &mut Vec<Kind<'s>>,
) -> bool {
    let built_in = schema::built_in(name).filter(|one| one.groups.contains(&group));
    match &resource.subresource {
        Subresource::None => kinds.push(Kind { name, group, subresource: None }),
        Subresource::Only(sub) => kinds.push(Kind { name, group, subresource: Some(sub) }),
        Subresource::Any => {
            kinds.push(Kind { name, group, subresource: None });
            let subs = built_in.iter().flat_map(|one| &one.subresources);
            kinds.extend(subs.map(|sub| Kind { name, group, subresource: Some(sub.name) }));
        }
    }
    built_in.is_some()
}

fn says(resources: &[&Resource]) -> String {
    let mut out: Vec<String> = Vec::new();
    for resource in resources {
        let name = resource.name.as_deref().unwrap_or("*");
        let one = match &resource.subresource {
            Subresource::None => name.to_owned(),
            Subresource::Only(sub) => format!("{name}/{sub}"),
            Subresource::Any => format!("{name}/*"),
        };
        if !out.contains(&one) {
            out.push(one);
        }
    }
    if out.len() > NAMED_MAX {
        let more = out.len() - NAMED_MAX;
        out.truncate(NAMED_MAX);
        out.push(format!("{more} more"));
    }
    out.join(", ")
}

/// The most resources that a message names.
const NAMED_MAX: usize = 4;
