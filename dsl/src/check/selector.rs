//! `on`: verbs and resources, spelled out.
//!
//! A verb or resource that no event has would make a rule that never fires, so both are held to the schema; a custom
//! resource cannot be, and so must name its group.

use super::alerts::Rules;
use super::names::Names;
use super::report::Report;
use super::text;
use crate::diag::{Code, Diagnostic, nearest};
use crate::ir::{Groups, On, Resource, Selector, Stage, StagePick, Subresource, Target, Targets, Verbs};
use crate::schema;
use crate::syntax::ast::{self, AnyTarget, SelectorKind};

/// What follows `on`. `None` if something is wrong with it, which is reported.
pub(crate) fn lower<'a>(
    on: &ast::Selector,
    rules: &Rules<'a>,
    names: &Names<'a>,
    report: &mut Report,
) -> Option<On> {
    match &on.kind {
        SelectorKind::Events { verbs: words, targets: places, stage, including_dry_run } => {
            let verbs = verbs(words, report);
            let targets = targets(places, report);
            let stage = stage.as_ref().map_or(StagePick::Outcome, |stage| match stage.node {
                ast::StagePick::RequestReceived => StagePick::Only(Stage::RequestReceived),
                ast::StagePick::ResponseStarted => StagePick::Only(Stage::ResponseStarted),
                ast::StagePick::ResponseComplete => StagePick::Only(Stage::ResponseComplete),
                ast::StagePick::Panic => StagePick::Only(Stage::Panic),
                ast::StagePick::Any => StagePick::Any,
            });
            Some(On::Events(Selector {
                verbs: verbs?,
                targets: targets?,
                stage,
                including_dry_run: including_dry_run.is_some(),
            }))
        }
        SelectorKind::Alert(of) => rules.told(of.as_deref(), names, report).map(On::Alerts),
        SelectorKind::Undecodable => Some(On::Undecodable),
        SelectorKind::Error => None,
    }
}

fn verbs(words: &ast::Verbs, report: &mut Report) -> Option<Verbs> {
    let mut all: Vec<String> = Vec::new();
    let mut good = true;
    for verb in &words.list {
        let word = verb.name.node.as_str();
        let these: &[&str] = match word {
            _ if verb.quoted => &[word],
            "read" => &schema::READ_VERBS,
            "write" => &schema::WRITE_VERBS,
            _ if schema::is_verb(word) => &[word],
            _ => {
                unknown_verb(verb, report);
                good = false;
                continue;
            }
        };
        for this in these {
            if !all.iter().any(|known| known == this) {
                all.push((*this).to_owned());
            }
        }
    }
    good.then(|| if words.any.is_some() { Verbs::AllBut(all) } else { Verbs::Only(all) })
}

fn unknown_verb(verb: &ast::Verb, report: &mut Report) {
    let word = verb.name.node.as_str();
    let known =
        schema::RESOURCE_VERBS.into_iter().chain(schema::NONRESOURCE_VERBS).chain(["read", "write", "any"]);
    let help = if word == "impersonate" {
        "it is a verb of RBAC; who is acted as stands in `impersonatedUser`".to_owned()
    } else if schema::RBAC_ONLY_VERBS.contains(&word) {
        "it is a verb of RBAC, which the API server asks about and never writes".to_owned()
    } else if let Some(near) = nearest(word, known) {
        format!("did you mean `{near}`?")
    } else {
        format!("if there are events with it, write `{}`", text::quoted(word))
    };
    report.error_help(Code::UnknownVerb, verb.name.span, format!("no event has the verb `{word}`"), help);
}

fn targets(places: &ast::Targets, report: &mut Report) -> Option<Targets> {
    let mut all: Vec<Target> = Vec::new();
    let mut good = true;
    for place in &places.list {
        match place {
            ast::Target::NonResource(path) => match nonresource(path, report) {
                Some(target) => all.push(target),
                None => good = false,
            },
            ast::Target::Resource(name) if name.node == "workloads" => all.extend(workloads()),
            ast::Target::Resource(name) => match resource(name, report) {
                Some(resource) => all.push(Target::Resource(resource)),
                None => good = false,
            },
        }
    }
    let mut once: Vec<Target> = Vec::with_capacity(all.len());
    for target in all {
        if !once.contains(&target) {
            once.push(target);
        }
    }
    good.then_some(match places.any {
        None => Targets::Only(once),
        Some(AnyTarget::Request) => Targets::AllBut(once),
        Some(AnyTarget::Resource) => Targets::ResourcesBut(once),
    })
}

fn nonresource(path: &ast::Text, report: &mut Report) -> Option<Target> {
    let text = path.node.as_str();
    if !text.starts_with('/') && text != "*" {
        let message = format!("no path is `{text}`: a path begins with `/`");
        let help = format!("write `{}`", text::quoted(&format!("/{text}")));
        report.error_help(Code::ImpossibleValue, path.span, message, help);
        return None;
    }
    let (text, prefix) = text.strip_suffix('*').map_or((text, false), |text| (text, true));
    Some(Target::NonResource { path: text.to_owned(), prefix })
}

fn workloads() -> impl Iterator<Item = Target> {
    schema::WORKLOADS.into_iter().filter_map(|(name, sub)| {
        let groups = schema::built_in(name)?.groups.iter().map(|group| (*group).to_owned()).collect();
        let subresource = sub.map_or(Subresource::None, |sub| Subresource::Only(sub.to_owned()));
        Some(Target::Resource(Resource {
            name: Some(name.to_owned()),
            groups: Groups::OneOf(groups),
            subresource,
        }))
    })
}

fn resource(written: &ast::Name, report: &mut Report) -> Option<Resource> {
    let (full, sub) = match written.node.split_once('/') {
        Some((full, sub)) => (full, Some(sub)),
        None => (written.node.as_str(), None),
    };
    let (name, group) = match full.split_once('.') {
        Some((name, group)) => (name, Some(group)),
        None => (full, None),
    };
    let subresource = match sub {
        None => Subresource::None,
        Some("*") => Subresource::Any,
        Some(sub) => Subresource::Only(sub.to_owned()),
    };
    let built_in = schema::built_in(name);
    let groups = match (name, group, built_in) {
        ("*", None, _) => Groups::Any,
        (_, Some(group), _) => {
            // People write the group without a name as `core`.
            let group = if group == "core" { "" } else { group };
            if name != "*" && built_in.is_none_or(|one| !one.groups.contains(&group)) && is_own_group(group) {
                unknown_resource(written, name, Some(group), report);
                return None;
            }
            Groups::OneOf(vec![group.to_owned()])
        }
        (_, None, Some(one)) => Groups::OneOf(one.groups.iter().map(|group| (*group).to_owned()).collect()),
        (_, None, None) => {
            unknown_resource(written, name, None, report);
            return None;
        }
    };
    let name = (name != "*").then(|| name.to_owned());
    let resource = Resource { name, groups, subresource };
    check_subresource(written, &resource, report).then_some(resource)
}

/// Whether a group is one of Kubernetes' own, all of whose resources are known.
fn is_own_group(group: &str) -> bool {
    schema::built_ins().any(|one| one.groups.contains(&group))
}

fn check_subresource(written: &ast::Name, resource: &Resource, report: &mut Report) -> bool {
    let Subresource::Only(sub) = &resource.subresource else { return true };
    let (known, of): (Vec<&str>, &str) = match (&resource.name, &resource.groups) {
        (Some(name), Groups::OneOf(groups)) => {
            let own = schema::built_in(name)
                .filter(|one| groups.iter().any(|group| one.groups.contains(&group.as_str())));
            match own {
                Some(one) => (one.subresources.iter().map(|sub| sub.name).collect(), name),
                None => return true,
            }
        }
        (None, Groups::Any) => (schema::subresource_names(), "*"),
        _ => return true,
    };
    if known.contains(&sub.as_str()) {
        return true;
    }
    let what = if of == "*" { "no resource has".to_owned() } else { format!("`{of}` have no") };
    let message = format!("{what} subresource `{sub}`");
    let help = match nearest(sub, known.iter().copied()) {
        Some(near) => format!("did you mean `{of}/{near}`?"),
        None if known.is_empty() => format!("they have none; say `{of}`"),
        None => format!("there is {}", known.join(", ")),
    };
    let message = message.replace("no resource has subresource", "no resource has a subresource");
    report.error_help(Code::UnknownResource, written.span, message, help);
    false
}

fn unknown_resource(written: &ast::Name, name: &str, group: Option<&str>, report: &mut Report) {
    let sub = written.node.split_once('/').map(|(_, sub)| format!("/{sub}")).unwrap_or_default();
    let mut diagnostic = match group {
        Some(group) => Diagnostic::new(
            Code::UnknownResource,
            written.span,
            format!("the group `{group}` has no resource `{name}`"),
        ),
        None => Diagnostic::new(
            Code::UnknownResource,
            written.span,
            format!("Kubernetes has no resource `{name}`"),
        ),
    };
    let own = schema::built_ins().filter(|one| group.is_none_or(|group| one.groups.contains(&group)));
    let suffix = group.filter(|group| !group.is_empty()).map(|group| format!(".{group}")).unwrap_or_default();
    diagnostic = if name == "workloads" {
        diagnostic.help("`workloads` stands alone: it has no subresources and no group")
    } else if let Some(long) = schema::long_name(name) {
        diagnostic.help(format!("write `{long}{suffix}{sub}`: resources are written as events have them"))
    } else if let Some(near) = nearest(name, own.map(|one| one.plural)) {
        diagnostic.help(format!("did you mean `{near}{suffix}{sub}`?"))
    } else if group.is_none() {
        diagnostic.help(format!("a custom resource is written with its group: `{name}.example.com{sub}`"))
    } else {
        diagnostic
    };
    report.add(diagnostic);
}
