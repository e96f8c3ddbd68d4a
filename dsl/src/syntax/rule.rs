//! Rules: their clauses, windows and steps. What `on` takes is in `selector.rs`.

use super::ast::{
    Clause, ClauseKind, DurationAt, Expr, ExprKind, KeyPart, Name, No, Rule, Selector, SelectorKind,
    Severity, Spanned, Step, Steps, Text, Window, WindowKind,
};
use super::expr::{closing, condition, sum};
use super::input::{Fault, In, Res, absent, fault};
use super::lex::{
    any_word, at_keyword, at_sign, comma_list, duration, is_word, keyword, must, must_keyword, must_name,
    name, not_found, number, owned, run_of, sign, trivia,
};
use super::recover::{Level, recover, report, starts_item};
use super::selector::selector;
use super::text::{must_text, template, text};
use super::words;
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use nom::{Err, Input, Parser};

/// `rule NAME "title" { clauses }`, from its word on.
pub(super) fn rule(start: In<'_>) -> Res<'_, Rule> {
    let (i, _) = any_word(start)?;
    let (i, name) = must_name("the name of a rule")(i)?;
    let (i, title) = title(i, "a rule's title in quotes")?;
    let (i, clauses) = block(i, "a clause or `}`", Level::Clause, clause)?;
    Ok((i, Rule { name, title, clauses, span: start.to(i) }))
}

/// The title of a rule or a test. One that is missing is reported and taken as empty.
pub(super) fn title<'a>(i: In<'a>, what: &'static str) -> Res<'a, Text> {
    match text(i) {
        Err(Err::Error(_)) => {}
        other => return other,
    }
    let at = trivia(i);
    let help = "a title says in one sentence what it finds: `\"A secret is read\"`";
    let problem = not_found(at, what).help(help);
    // Words without quotes: what they say is passed over, up to the brace on their line.
    let line = at.rest.split('\n').next().unwrap_or("");
    let Some(brace) = line.find('{') else { return Err(fault(at, problem)) };
    at.run.report(problem);
    Ok((at.take_from(brace), Spanned { node: String::new(), span: at.take(0).span() }))
}

/// `{ part* }`. A part that fails is reported and passed over; so is a brace that is never closed.
pub(super) fn block<'a, O>(
    i: In<'a>,
    what: &'static str,
    level: Level,
    part: impl Fn(In<'a>) -> Result<(In<'a>, O), Err<Fault>>,
) -> Res<'a, Vec<O>> {
    let open = trivia(i);
    let (mut i, _) = must(sign("{"), "`{`")(i)?;
    let mut out = Vec::new();
    loop {
        let at = trivia(i);
        if at.starts("}") {
            return Ok((at.take_from(1), out));
        }
        let item = || words::ITEMS.iter().any(|word| at_keyword(at, word));
        if at.rest.is_empty() || starts_item(at) || item() {
            let label = "this `{` is not closed";
            let mut problem = not_found(at, what).related(open.take(1).span(), label);
            problem.code = Code::Unclosed;
            at.run.report(problem);
            return Ok((at, out));
        }
        match part(at) {
            Ok((rest, found)) => {
                out.push(found);
                i = rest;
            }
            Err(Err::Error(_)) => i = recover(at, fault(at, not_found(at, what)), level),
            Err(problem) => i = recover(at, problem, level),
        }
        debug_assert!(i.at > at.at || i.rest.is_empty(), "a block goes on at each turn");
    }
}

/// One clause. It never fails: what did not parse is in the tree as far as it can be, without a value.
fn clause(start: In<'_>) -> Res<'_, Clause> {
    let Ok((rest, word)) = any_word(start) else {
        return Err(fault(start, not_found(start, "a clause or `}`")));
    };
    let meant = meant(word, "a rule", "clause", &words::CLAUSES)?;
    let clause = |(i, kind)| (i, Clause { kind, span: start.to(i) });
    match clause_kind(rest, meant) {
        Ok(found) => Ok(clause(found)),
        Err(problem) => {
            let i = recover(start, problem, Level::Clause);
            let span = Span { end: word.span().end, ..word.span() };
            Ok((i, Clause { kind: failed(meant, start, i), span }))
        }
    }
}

/// The word that begins a clause, a change or a line; of one that does not exist the nearest, if there is one.
pub(super) fn meant(
    word: In<'_>,
    of: &str,
    what: &str,
    all: &'static [&'static str],
) -> Result<&'static str, Err<Fault>> {
    if let Some(known) = all.iter().find(|known| **known == word.rest) {
        return Ok(known);
    }
    let message = format!("{of} has no {what} `{}`", word.rest);
    let problem = Diagnostic::new(Code::UnknownClause, word.span(), message);
    match nearest(word.rest, all.iter().copied()) {
        Some(near) => {
            word.run.report(problem.help(format!("did you mean `{near}`?")));
            Ok(near)
        }
        None => {
            let known = all.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
            Err(fault(word, problem.help(format!("there are {known}"))))
        }
    }
}

/// What stands in the tree for a clause that failed: its kind, so that nobody says that it is missing.
fn failed(word: &str, start: In<'_>, end: In<'_>) -> ClauseKind {
    let span = start.to(end);
    let nothing = Expr { kind: ExprKind::Error, span };
    match word {
        "on" => ClauseKind::On(Selector { kind: SelectorKind::Error, span }),
        "where" => ClauseKind::Where(nothing),
        "except" => ClauseKind::Except(nothing),
        "by" => ClauseKind::By(vec![KeyPart { name: None, value: nothing }]),
        "when" => ClauseKind::When(Window { kind: WindowKind::Error, span }),
        _ => ClauseKind::Error,
    }
}

fn clause_kind<'a>(i: In<'a>, word: &str) -> Res<'a, ClauseKind> {
    match word {
        "severity" => severity(i).map(|(i, level)| (i, ClauseKind::Severity(level))),
        "tags" => comma_list(tag)(i).map(|(i, tags)| (i, ClauseKind::Tags(tags))),
        "about" => must_text("a text")(i).map(|(i, text)| (i, ClauseKind::About(text))),
        "see" => comma_list(must_text("an address in quotes"))(i).map(|(i, see)| (i, ClauseKind::See(see))),
        "disable" => Ok((i, ClauseKind::Disable)),
        "on" => selector(i).map(|(i, selector)| (i, ClauseKind::On(selector))),
        "where" => must(condition, "a condition")(i).map(|(i, value)| (i, ClauseKind::Where(value))),
        "except" => must(condition, "a condition")(i).map(|(i, value)| (i, ClauseKind::Except(value))),
        "by" => key(i).map(|(i, key)| (i, ClauseKind::By(key))),
        "across" => must_keyword("clusters", "`clusters` after `across`")(i)
            .map(|(i, _)| (i, ClauseKind::AcrossClusters)),
        "when" => window(i).map(|(i, window)| (i, ClauseKind::When(window))),
        "sequence" | "unordered" => {
            steps(i, word == "sequence").map(|(i, steps)| (i, ClauseKind::Steps(steps)))
        }
        "alert" => template(i).map(|(i, text)| (i, ClauseKind::Alert(text))),
        _ => duration(i).map(|(i, length)| (i, ClauseKind::Throttle(length))),
    }
}

/// One of the six severities. In quotes or in capitals it is reported, and taken.
pub(super) fn severity(i: In<'_>) -> Res<'_, Spanned<Severity>> {
    let at = trivia(i);
    let (rest, word, quoted) = match text(at) {
        Ok((rest, found)) => (rest, found, true),
        Err(_) => {
            let (rest, word) = must(any_word, "a severity")(at)?;
            (rest, owned(word), false)
        }
    };
    if words::is_reserved(&word.node) && !quoted {
        return Err(fault(at, not_found(at, "a severity")));
    }
    let span = word.span;
    let exact = Severity::ALL.into_iter().find(|severity| severity.word() == word.node);
    if let (Some(node), false) = (exact, quoted) {
        return Ok((rest, Spanned { node, span }));
    }
    let near = nearest(&word.node, Severity::ALL.map(Severity::word));
    let message = if exact.is_some() {
        format!("the severity `{}` stands without quotes", word.node)
    } else {
        format!("there is no severity `{}`", word.node)
    };
    let help = match near {
        Some(near) if exact.is_some() => format!("write `{near}`"),
        Some(near) => format!("did you mean `{near}`?"),
        None => "there are `none`, `info`, `low`, `medium`, `high` and `critical`".to_owned(),
    };
    let problem = Diagnostic::new(Code::UnknownSeverity, span, message).help(help);
    match near.and_then(|near| Severity::ALL.into_iter().find(|severity| severity.word() == near)) {
        Some(node) => {
            i.run.report(problem);
            Ok((rest, Spanned { node, span }))
        }
        None => Err(fault(at, problem)),
    }
}

/// `attack.T1552.007`
fn tag(i: In<'_>) -> Res<'_, Name> {
    let (rest, found) =
        must(run_of(is_word, |c| is_word(c) || c == '.' || c == '-'), "a tag such as `attack.T1552`")(i)?;
    let good = |part: &str| !part.is_empty() && part.chars().all(is_word);
    if !found.rest.split('.').all(good) {
        let message = format!("`{}` is no tag", found.rest);
        let help = "a tag is of letters, digits and `_`, its parts stand apart by single dots";
        i.run.report(Diagnostic::new(Code::Syntax, found.span(), message).help(help));
    }
    Ok((rest, owned(found)))
}

/// What follows `by`.
fn key(i: In<'_>) -> Res<'_, Vec<KeyPart>> {
    comma_list(key_part)(i)
}

fn key_part(i: In<'_>) -> Res<'_, KeyPart> {
    let mut value_at = i;
    let mut named = None;
    if let Ok((rest, _)) = any_word(i)
        && at_sign(rest, "=")
        && !at_sign(rest, "==")
    {
        named = Some(must_name("the name of a key")(i)?.1);
        (value_at, _) = sign("=")(rest)?;
    }
    let (rest, value) = must(sum, "a value to group by")(value_at)?;
    Ok((rest, KeyPart { name: named, value }))
}

/// What follows `when`.
pub(super) fn window(i: In<'_>) -> Res<'_, Window> {
    let start = trivia(i);
    let (i, kind) = if at_keyword(start, "first_seen") {
        first_seen(start)?
    } else if at_keyword(start, "silent") {
        silent(start)?
    } else {
        judged(start)?
    };
    Ok((i, Window { kind, span: start.to(i) }))
}

fn first_seen(start: In<'_>) -> Res<'_, WindowKind> {
    let (i, _) = keyword("first_seen")(start)?;
    let open = trivia(i);
    let (i, _) = must(sign("("), "`(` and values")(i)?;
    let (i, values) = super::input::nested(comma_list(must(sum, "a value"))).parse(i)?;
    let (i, ()) = closing(open, ")", i)?;
    let (i, _) = must_keyword("within", "`within` and how long a value is remembered")(i)?;
    let (i, within) = duration(i)?;
    let (i, _) = must_keyword("learning", "`learning` and how long a key only learns")(i)?;
    let (i, learning) = duration(i)?;
    Ok((i, WindowKind::FirstSeen { values, within, learning }))
}

fn silent(start: In<'_>) -> Res<'_, WindowKind> {
    let (i, _) = keyword("silent")(start)?;
    let (i, _) = must_keyword("for", "`for` and how long nothing came")(i)?;
    let (i, length) = duration(i)?;
    let Ok((i, _)) = keyword("among")(i) else { return Ok((i, WindowKind::Silent { length, among: None })) };
    let (i, among) = must_name("the name of a list")(i)?;
    Ok((i, WindowKind::Silent { length, among: Some(among) }))
}

/// A condition over aggregates, and the window that it is about.
fn judged(start: In<'_>) -> Res<'_, WindowKind> {
    let (i, condition) = must(condition, "a condition, `first_seen` or `silent`")(start)?;
    if let Ok((i, _)) = keyword("tumbling")(i) {
        let (i, length) = duration(i)?;
        return Ok((i, WindowKind::Tumbling { condition, length }));
    }
    if let Ok((i, _)) = keyword("session")(i) {
        let (i, _) = must_keyword("gap", "`gap` after `session`")(i)?;
        let (i, gap) = duration(i)?;
        let (i, within) = within(i, "`within` and how long a session may be")?;
        return Ok((i, WindowKind::Session { condition, gap, within }));
    }
    let (i, within) = within(i, "`within`, `tumbling` or `session gap` after the condition of `when`")?;
    Ok((i, WindowKind::Within { condition, within }))
}

/// `within 5m`
pub(super) fn within<'a>(i: In<'a>, what: &'static str) -> Res<'a, DurationAt> {
    let (i, _) = must_keyword("within", what)(i)?;
    duration(i)
}

/// `sequence within 10m { .. }`, from after its word on. A mistake in its head costs only the head.
fn steps(start: In<'_>, ordered: bool) -> Res<'_, Steps> {
    let (i, length) = match within(start, "`within` and how long the steps may take") {
        Ok(found) => found,
        Err(problem) => {
            let line = start.rest.split('\n').next().unwrap_or("");
            let Some(brace) = line.find('{') else { return Err(problem) };
            report(start, problem);
            (start.take_from(brace), Spanned { node: 0, span: start.take(0).span() })
        }
    };
    let open = trivia(i);
    let (i, steps) = block(i, "a step or `}`", Level::Step, step)?;
    if steps.is_empty() {
        let message = "a sequence has steps";
        let problem = Diagnostic::new(Code::Syntax, open.to(i), message);
        i.run.report(problem.help("a step is written `name: on get of secrets where …`"));
    }
    Ok((i, Steps { ordered, within: length, steps, span: start.to(i) }))
}

/// One step. If its selector, condition or key fails, its name is still known.
fn step(start: In<'_>) -> Res<'_, Step> {
    let (i, (no, name, times)) = step_head(start)?;
    let (i, on) =
        match must_keyword("on", "`on` and what the step listens to")(i).and_then(|(i, _)| selector(i)) {
            Ok(found) => found,
            Err(problem) => {
                let i = recover(start, problem, Level::Step);
                let on = Selector { kind: SelectorKind::Error, span: start.to(i) };
                return Ok((i, Step { name, no, times, on, condition: None, by: None, span: start.to(i) }));
            }
        };
    let mut step = Step { name, no, times, on, condition: None, by: None, span: start.to(i) };
    let i = match step_rest(i, &mut step) {
        Ok((i, ())) => i,
        Err(problem) => {
            let i = recover(start, problem, Level::Step);
            step.condition = Some(Expr { kind: ExprKind::Error, span: start.to(i) });
            i
        }
    };
    step.span = start.to(i);
    Ok((i, step))
}

/// What a step begins with: whether it is forbidden, its name, how often.
type Head = (Option<No>, Name, Option<Spanned<f64>>);

fn step_head(start: In<'_>) -> Res<'_, Head> {
    if let Ok((i, word)) = keyword("no")(start) {
        return no_head(i, word);
    }
    let (i, name) = must_name("the name of a step")(start)?;
    let (i, _) = must(sign(":"), "`:` after the step's name")(i)?;
    match number(i) {
        Ok((i, times)) => {
            let (i, _) = must_keyword("times", "`times` after the number")(i)?;
            Ok((i, (None, name, Some(times))))
        }
        Err(Err::Error(_)) => Ok((i, (None, name, None))),
        Err(other) => Err(other),
    }
}

fn no_head<'a>(i: In<'a>, word: In<'a>) -> Res<'a, Head> {
    let (i, name) = must_name("the name of a step")(i)?;
    let (i, within) = match keyword("within")(i) {
        Ok((i, _)) => duration(i).map(|(i, length)| (i, Some(length)))?,
        Err(_) => (i, None),
    };
    let (i, _) = must(sign(":"), "`within` or `:` after the step's name")(i)?;
    Ok((i, (Some(No { span: word.span(), within }), name, None)))
}

/// `where` and `by` of a step.
fn step_rest<'a>(mut i: In<'a>, step: &mut Step) -> Res<'a, ()> {
    if let Ok((rest, _)) = where_word(i) {
        let (rest, found) = must(condition, "a condition")(rest)?;
        step.condition = Some(found);
        i = rest;
    }
    if let Ok((rest, _)) = keyword("by")(i) {
        let (rest, found) = key(rest)?;
        step.by = Some(found);
        i = rest;
    }
    let head = |(rest, _)| at_sign(rest, ":") || at_keyword(rest, "on");
    let ends = at_sign(i, "}") || at_keyword(i, "no") || name(i).is_ok_and(head);
    if !ends && !trivia(i).rest.is_empty() && !starts_item(i) {
        let at = trivia(i);
        return Err(fault(at, not_found(at, "`where`, `by`, another step or `}`")));
    }
    Ok((i, ()))
}

/// `where`, or what is nearly it and no step's name.
fn where_word(i: In<'_>) -> Res<'_, In<'_>> {
    let (rest, word) = any_word(i)?;
    let near =
        !words::is_reserved(word.rest) && !at_sign(rest, ":") && nearest(word.rest, ["where"]).is_some();
    if word.rest != "where" && !near {
        return Err(absent(i));
    }
    if near {
        i.run.report(not_found(word, "`where`, `by` or another step").help("did you mean `where`?"));
    }
    Ok((rest, word))
}
