//! What a rule or a step listens to: verbs of resources, alerts, or what is no event.

use super::ast::{AnyTarget, Selector, SelectorKind, Spanned, StagePick, Target, Targets, Text, Verb, Verbs};
use super::input::{Fault, In, Res, absent, fault};
use super::lex::{
    any_word, comma_list, is_word, keyword, must, must_keyword, must_name, not_found, owned, run_of, trivia,
};
use super::text::{must_text, text};
use super::words;
use crate::diag::{Code, Diagnostic, nearest};
use nom::Err;

const STAGES: [(&str, StagePick); 5] = [
    ("RequestReceived", StagePick::RequestReceived),
    ("ResponseStarted", StagePick::ResponseStarted),
    ("ResponseComplete", StagePick::ResponseComplete),
    ("Panic", StagePick::Panic),
    ("any", StagePick::Any),
];

/// What follows `on`.
pub(super) fn selector(i: In<'_>) -> Res<'_, Selector> {
    let start = trivia(i);
    let (i, kind) = if let Ok((i, _)) = keyword("undecodable")(start) {
        (i, SelectorKind::Undecodable)
    } else if let Ok((i, _)) = keyword("alert")(start) {
        of_alerts(i)?
    } else {
        of_events(start)?
    };
    Ok((i, Selector { kind, span: start.to(i) }))
}

fn of_alerts(i: In<'_>) -> Res<'_, SelectorKind> {
    let (i, _) = must_keyword("of", "`of` after `alert`")(i)?;
    if let Ok((i, _)) = keyword("any")(i) {
        return Ok((i, SelectorKind::Alert(None)));
    }
    let (i, rules) = comma_list(must_name("the name of a rule"))(i)?;
    Ok((i, SelectorKind::Alert(Some(rules))))
}

fn of_events(start: In<'_>) -> Res<'_, SelectorKind> {
    let (i, verbs) = verbs(start)?;
    let (i, _) = match must_keyword("of", "`,` or `of` after the verbs")(i) {
        Err(Err::Failure(Fault { at, diagnostic: Some(problem) })) if problem.help.is_none() => {
            let help = "write verbs `of` resources: `on create, update of pods`";
            return Err(Err::Failure(Fault { at, diagnostic: Some(Box::new(problem.help(help))) }));
        }
        other => other?,
    };
    let (i, targets) = targets(i)?;
    let (i, stage) = match keyword("at")(i) {
        Ok((i, _)) => stage(i)?,
        Err(_) => (i, None),
    };
    let (i, including_dry_run) = match keyword("including")(i) {
        Ok((i, word)) => {
            let (i, _) = must_keyword("dry_run", "`dry_run` after `including`")(i)?;
            (i, Some(word.to(i)))
        }
        Err(_) => (i, None),
    };
    Ok((i, SelectorKind::Events { verbs, targets, stage, including_dry_run }))
}

fn verbs(start: In<'_>) -> Res<'_, Verbs> {
    let (any, i, list) = match keyword("any")(start) {
        Ok((i, any)) => match keyword("but")(i) {
            Ok((i, _)) => comma_list(must_verb)(i).map(|(i, list)| (Some(any.span()), i, list))?,
            Err(_) => (Some(any.span()), i, Vec::new()),
        },
        Err(_) => comma_list(must_verb)(start).map(|(i, list)| (None, i, list))?,
    };
    Ok((i, Verbs { any, list, span: start.to(i) }))
}

fn must_verb(i: In<'_>) -> Res<'_, Verb> {
    must(verb, "a verb such as `get`")(i)
}

fn verb(i: In<'_>) -> Res<'_, Verb> {
    match text(i) {
        Ok((rest, name)) => return Ok((rest, Verb { name, quoted: true })),
        Err(Err::Error(_)) => {}
        Err(other) => return Err(other),
    }
    let (rest, word) = any_word(i)?;
    // `list` is the one verb among the reserved words.
    if (words::is_reserved(word.rest) && word.rest != "list") || matches!(word.rest, "of" | "but") {
        return Err(absent(i));
    }
    let mut name = owned(word);
    if !word.rest.bytes().all(|b| b.is_ascii_lowercase()) {
        let message = format!("`{}` is no verb", word.rest);
        let help = "verbs are of small letters; others stand in quotes";
        i.run.report(Diagnostic::new(Code::Syntax, word.span(), message).help(help));
        name.node.make_ascii_lowercase();
    }
    Ok((rest, Verb { name, quoted: false }))
}

fn targets(i: In<'_>) -> Res<'_, Targets> {
    let start = trivia(i);
    let Ok((i, _)) = keyword("any")(start) else {
        let (i, list) = comma_list(must_target)(start)?;
        return Ok((i, Targets { any: None, list, span: start.to(i) }));
    };
    let (i, any) = match keyword("resource")(i) {
        Ok((i, _)) => (i, AnyTarget::Resource),
        Err(_) => (i, AnyTarget::Request),
    };
    let (i, list) = match keyword("but")(i) {
        Ok((i, _)) => comma_list(must_target)(i)?,
        Err(_) => (i, Vec::new()),
    };
    Ok((i, Targets { any: Some(any), list, span: start.to(i) }))
}

fn must_target(i: In<'_>) -> Res<'_, Target> {
    must(target, "a resource such as `pods`, or `nonresource` and a path")(i)
}

fn target(i: In<'_>) -> Res<'_, Target> {
    if let Ok((i, _)) = keyword("nonresource")(i) {
        return must_text("a path in quotes such as `\"/api*\"`")(i)
            .map(|(i, path)| (i, Target::NonResource(path)));
    }
    match text(i) {
        Ok((rest, found)) => return Ok((rest, in_quotes(i, found))),
        Err(Err::Error(_)) => {}
        Err(other) => return Err(other),
    }
    let (rest, found) =
        run_of(|c| c.is_ascii_alphabetic() || c == '*', |c| is_word(c) || ".-*/".contains(c))(i)?;
    if words::is_reserved(found.rest) {
        return Err(absent(i));
    }
    if !is_resource(found.rest) {
        let problem = Diagnostic::new(Code::Syntax, found.span(), format!("`{}` is no resource", found.rest));
        let help = "a resource is written as in `objectRef.resource`: `pods`, `pods/exec`, `issuers.cert-manager.io`";
        i.run.report(problem.help(help));
    }
    Ok((rest, Target::Resource(owned(found))))
}

/// A text where a target stands: it is reported, and taken for what it seems to be.
fn in_quotes(i: In<'_>, found: Text) -> Target {
    let path = found.node.starts_with('/');
    let message = if path { "a path stands after `nonresource`" } else { "resources stand without quotes" };
    let help = if path {
        format!("write `nonresource \"{}\"`", found.node)
    } else {
        format!("write `{}`", found.node)
    };
    i.run.report(Diagnostic::new(Code::Syntax, found.span, message).help(help));
    if path { Target::NonResource(found) } else { Target::Resource(found) }
}

/// `/(\*|[a-z][a-z0-9-]*)(\.[a-z0-9-]+)*(\/(\*|[a-z]+))?/`
fn is_resource(text: &str) -> bool {
    let (path, sub) = text.split_once('/').map_or((text, None), |(path, sub)| (path, Some(sub)));
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let mut parts = path.split('.');
    let first = parts.next().unwrap_or("");
    (first == "*" || (plain(first) && first.starts_with(|c: char| c.is_ascii_lowercase())))
        && parts.all(plain)
        && sub
            .is_none_or(|sub| sub == "*" || (!sub.is_empty() && sub.bytes().all(|b| b.is_ascii_lowercase())))
}

/// What follows `at`. A stage that there is not is reported and left out.
fn stage(i: In<'_>) -> Res<'_, Option<Spanned<StagePick>>> {
    let (rest, word) = must(any_word, "a stage such as `RequestReceived`")(i)?;
    if let Some((_, node)) = STAGES.iter().find(|(name, _)| *name == word.rest) {
        return Ok((rest, Some(Spanned { node: *node, span: word.span() })));
    }
    if words::is_reserved(word.rest) {
        return Err(fault(word, not_found(word, "a stage such as `RequestReceived`")));
    }
    let problem =
        Diagnostic::new(Code::UnknownStage, word.span(), format!("there is no stage `{}`", word.rest));
    let near = nearest(word.rest, STAGES.iter().map(|(name, _)| *name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", STAGES.map(|(name, _)| format!("`{name}`")).join(", ")),
    };
    i.run.report(problem.help(help));
    Ok((rest, None))
}
