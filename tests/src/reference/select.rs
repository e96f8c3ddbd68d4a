//! Selectors: `docs/semantics.md`, "Selectors".

use dsl::ir::{Groups, Resource, Selector, Stage, StagePick, Subresource, Target, Targets, Verbs};

use super::event::Event;
use super::feature::{Feature, Poison};
use super::fields;

/// A stage as the API names it.
pub(super) fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::RequestReceived => "RequestReceived",
        Stage::ResponseStarted => "ResponseStarted",
        Stage::ResponseComplete => "ResponseComplete",
        Stage::Panic => "Panic",
    }
}

/// A stage pick, by its name in tables.
pub(super) fn pick_name(pick: StagePick) -> Feature {
    match pick {
        StagePick::Outcome => "outcome",
        StagePick::Any => "at any",
        StagePick::Only(Stage::RequestReceived) => "at RequestReceived",
        StagePick::Only(Stage::ResponseStarted) => "at ResponseStarted",
        StagePick::Only(Stage::ResponseComplete) => "at ResponseComplete",
        StagePick::Only(Stage::Panic) => "at Panic",
    }
}

/// The pick that rules; poison makes it another: an outcome any, all others an outcome.
pub(super) fn pick(selector: &Selector, poison: &Poison) -> StagePick {
    match (poison.hits(pick_name(selector.stage)), selector.stage) {
        (false, pick) => pick,
        (true, StagePick::Outcome) => StagePick::Any,
        (true, _) => StagePick::Outcome,
    }
}

/// Whether the selector takes the event, dry runs apart. Poison of a form turns its answer.
pub(super) fn takes(selector: &Selector, event: &Event, poison: &Poison) -> bool {
    let stage = match pick(selector, poison) {
        StagePick::Outcome => event.stage != Some(Stage::RequestReceived),
        StagePick::Only(stage) => event.stage == Some(stage),
        StagePick::Any => true,
    };
    let verb = match &selector.verbs {
        Verbs::Only(all) => poison.hits("verbs") != all.contains(&event.verb),
        Verbs::AllBut(none) if none.is_empty() => !poison.hits("any verb"),
        Verbs::AllBut(none) => poison.hits("any verb but") == none.contains(&event.verb),
    };
    let any = |all: &[Target]| all.iter().any(|t| target(t, event, poison));
    let resource = event.reference("resource").is_some();
    let targets = match &selector.targets {
        Targets::Only(all) => any(all),
        Targets::AllBut(none) if none.is_empty() => !poison.hits("any target"),
        Targets::AllBut(none) => poison.hits("any target but") == any(none),
        Targets::ResourcesBut(none) if none.is_empty() => resource != poison.hits("any resource"),
        Targets::ResourcesBut(none) => resource && poison.hits("any resource but") == any(none),
    };
    stage && verb && targets
}

fn target(target: &Target, event: &Event, poison: &Poison) -> bool {
    match target {
        Target::Resource(of) => {
            let form = match of {
                Resource { name: None, subresource: Subresource::Only(_), .. } => "*/subresource",
                Resource { name: None, .. } => "*.group",
                Resource { subresource: Subresource::Only(_), .. } => "resource/subresource",
                Resource { subresource: Subresource::Any, .. } => "resource/*",
                Resource { .. } => "resource",
            };
            poison.hits(form) != resource(of, event)
        }
        Target::NonResource { path, prefix } => {
            let form = if *prefix { "nonresource *" } else { "nonresource" };
            let decoded = fields::path(event).filter(|_| event.reference("resource").is_none());
            let matches = decoded.is_some_and(|decoded| {
                if *prefix { decoded.starts_with(path.as_bytes()) } else { decoded == path.as_bytes() }
            });
            poison.hits(form) != matches
        }
    }
}

fn resource(of: &Resource, event: &Event) -> bool {
    let Some(name) = event.reference("resource") else { return false };
    let group = event.reference("apiGroup").unwrap_or_default();
    let groups = match &of.groups {
        Groups::Any => true,
        Groups::OneOf(all) => all.contains(&group),
    };
    let subresource = match &of.subresource {
        Subresource::Any => true,
        Subresource::None => event.reference("subresource").is_none(),
        Subresource::Only(only) => event.reference("subresource").as_ref() == Some(only),
    };
    of.name.as_ref().is_none_or(|only| *only == name) && groups && subresource
}
