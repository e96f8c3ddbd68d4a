//! Exactly which events an `on` takes. `docs/semantics.md`, "Selectors".

use dsl::ir::{Groups, Resource, Selector, Stage, StagePick, Subresource, Target, Targets, Verbs};

use crate::eval::query;
use crate::event::row::{Row, Slot};

/// Whether the selector takes the event; dry runs are not its matter.
pub(crate) fn takes(on: &Selector, row: &Row<'_>) -> bool {
    passed_over(on, row).is_none()
}

/// Why the selector does not take the event.
pub(crate) fn passed_over(on: &Selector, row: &Row<'_>) -> Option<&'static str> {
    let stage = match on.stage {
        StagePick::Outcome => row.stage != Stage::RequestReceived,
        StagePick::Only(stage) => row.stage == stage,
        StagePick::Any => true,
    };
    if !stage {
        return Some("it is of another stage");
    }
    if !takes_verb(&on.verbs, row.verb()) {
        return Some("it is of another verb");
    }
    (!takes_target(&on.targets, row)).then_some("it is about another resource or path")
}

fn takes_verb(verbs: &Verbs, verb: &str) -> bool {
    match verbs {
        Verbs::Only(names) => names.iter().any(|name| name == verb),
        Verbs::AllBut(names) => names.iter().all(|name| name != verb),
    }
}

fn takes_target(targets: &Targets, row: &Row<'_>) -> bool {
    let some = |list: &[Target]| list.iter().any(|target| is_target(target, row));
    match targets {
        Targets::AllBut(list) => !some(list),
        Targets::ResourcesBut(list) => row.text(Slot::Resource).is_some() && !some(list),
        Targets::Only(list) => some(list),
    }
}

fn is_target(target: &Target, row: &Row<'_>) -> bool {
    match (target, row.text(Slot::Resource)) {
        (Target::Resource(wanted), Some(name)) => is_resource(wanted, name, row),
        (Target::NonResource { path, prefix }, None) => {
            let Some(uri) = row.text(Slot::RequestUri) else { return false };
            let asked = query::path(uri);
            if *prefix { asked.starts_with(path.as_bytes()) } else { *asked == *path.as_bytes() }
        }
        _ => false,
    }
}

fn is_resource(wanted: &Resource, name: &str, row: &Row<'_>) -> bool {
    let subresource = row.text(Slot::Subresource).filter(|s| !s.is_empty());
    let group = row.text(Slot::ApiGroup).unwrap_or("");
    wanted.name.as_deref().is_none_or(|wanted| wanted == name)
        && match &wanted.groups {
            Groups::Any => true,
            Groups::OneOf(groups) => groups.iter().any(|wanted| wanted == group),
        }
        && match &wanted.subresource {
            Subresource::None => subresource.is_none(),
            Subresource::Only(wanted) => subresource == Some(wanted),
            Subresource::Any => true,
        }
}
