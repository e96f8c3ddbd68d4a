//! Tests beside rules: the events that happen and the alerts that are expected; and maps, which are nearly JSON.

use super::ast::{
    DurationAt, Entry, EntryKey, Expected, ExpectedKind, Happening, Json, Map, Name, Spanned, Test,
};
use super::expr::{closing, path_or_call, signed, unclosed};
use super::input::{Fault, In, Res, fault, nested};
use super::lex::{
    Quantity, any_word, at_keyword, at_sign, duration, keyword, must, must_keyword, must_name, not_found,
    number, sign, trivia,
};
use super::recover::{Level, recover, skip_in_list};
use super::rule::{block, meant, title};
use super::text::{must_text, text, whole_text};
use super::words;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use nom::{Err, Parser};

/// One line of a test.
enum Line {
    Start(super::ast::Text),
    Given(Map),
    Happens(Happening),
    Expects(Expected),
    /// Did not parse; reported.
    Error,
}

/// `test NAME "title" { .. }`, from its word on.
pub(super) fn test(start: In<'_>) -> Res<'_, Test> {
    let (i, _) = any_word(start)?;
    let (i, tuned) = match keyword("tuned")(i) {
        // A rule may be called `tuned`.
        Ok((rest, _)) if any_word(rest).is_ok() => (rest, true),
        _ => (i, false),
    };
    let (i, rule) = must_name("the name of the rule to test")(i)?;
    let (i, title) = title(i, "a test's title in quotes")?;
    let (i, lines) = block(i, "a line of a test or `}`", Level::TestLine, line)?;
    let span = start.to(i);
    let mut test = Test {
        tuned,
        rule,
        title,
        start: None,
        given: None,
        happenings: Vec::new(),
        expected: Vec::new(),
        span,
    };
    let failed = lines.iter().any(|(_, line)| matches!(line, Line::Error));
    put_in_order(i, &mut test, lines);
    if test.expected.is_empty() && !failed {
        let problem = Diagnostic::new(Code::Syntax, test.rule.span, "this test expects nothing");
        i.run.report(problem.help("end it with `expect alert` or `expect no alert`"));
    }
    Ok((i, test))
}

/// Sorts a test's lines into their places and reports what stands before where it may.
fn put_in_order(i: In<'_>, test: &mut Test, lines: Vec<(Span, Line)>) {
    let mut last = 0;
    for (span, line) in lines {
        let (place, word) = match &line {
            Line::Start(_) => (1, "`start`"),
            Line::Given(_) => (2, "`given`"),
            Line::Happens(_) => (3, "what happens"),
            Line::Expects(_) => (4, "what is expected"),
            Line::Error => continue,
        };
        let twice = place < 3 && place == last;
        if place < last || twice {
            let message =
                if twice { format!("{word} stands twice") } else { format!("{word} stands too late") };
            let help = "a test says `start`, then `given`, then what happens, then what it expects";
            i.run.report(Diagnostic::new(Code::Syntax, span, message).help(help));
        }
        last = last.max(place);
        match line {
            Line::Start(text) => test.start = Some(text),
            Line::Given(map) => test.given = Some(map),
            Line::Happens(happening) => test.happenings.push(happening),
            Line::Expects(expected) => test.expected.push(expected),
            Line::Error => {}
        }
    }
}

/// One line with the place of its word. If it fails it is reported here.
fn line(start: In<'_>) -> Res<'_, (Span, Line)> {
    let (rest, word) = must(any_word, "a line of a test or `}`")(start)?;
    let span = word.span();
    let meant = match meant(word, "a test", "line", &words::TEST_LINES) {
        Ok(meant) => meant,
        Err(problem) => return Ok((recover(start, problem, Level::TestLine), (span, Line::Error))),
    };
    match line_kind(start, rest, meant) {
        Ok((i, line)) => Ok((i, (span, line))),
        Err(problem) => {
            let i = recover(start, problem, Level::TestLine);
            let line = match meant {
                "expect" => Line::Expects(Expected { kind: ExpectedKind::Error, span }),
                _ => Line::Error,
            };
            Ok((i, (span, line)))
        }
    }
}

fn line_kind<'a>(start: In<'a>, i: In<'a>, word: &str) -> Res<'a, Line> {
    match word {
        "start" => must_text("a time in quotes such as `\"2026-01-05T00:00:00Z\"`")(i)
            .map(|(i, text)| (i, Line::Start(text))),
        "given" => must(map, "`{` and fields")(i).map(|(i, map)| (i, Line::Given(map))),
        "at" => at(start, i).map(|(i, happening)| (i, Line::Happens(happening))),
        "until" => duration(i).map(|(i, until)| (i, Line::Happens(Happening::Until(until)))),
        _ => expect(i).map(|(i, kind)| (i, Line::Expects(Expected { kind, span: start.to(i) }))),
    }
}

fn at<'a>(start: In<'a>, i: In<'a>) -> Res<'a, Happening> {
    let (i, at) = duration(i)?;
    let (i, repeat) = repeat(i)?;
    let (i, as_one) = as_one(i)?;
    let (i, map) = must(map, "`{` and the fields of the event")(i)?;
    Ok((i, Happening::At { at, repeat, as_one, map, span: start.to(i) }))
}

/// `3 times every 30s`
fn repeat(i: In<'_>) -> Res<'_, Option<(Spanned<f64>, DurationAt)>> {
    let (i, times) = match number(i) {
        Ok(found) => found,
        Err(Err::Error(_)) => return Ok((i, None)),
        Err(other) => return Err(other),
    };
    let (i, _) = must_keyword("times", "`times` after the number")(i)?;
    let (i, _) = must_keyword("every", "`every` and the time between two")(i)?;
    let (i, every) = duration(i)?;
    Ok((i, Some((times, every))))
}

fn as_one(i: In<'_>) -> Res<'_, Option<Name>> {
    let Ok((i, _)) = keyword("as")(i) else { return Ok((i, None)) };
    must_name("the name of a request")(i).map(|(i, name)| (i, Some(name)))
}

fn expect(i: In<'_>) -> Res<'_, ExpectedKind> {
    if let Ok((i, _)) = keyword("no")(i) {
        return must_keyword("alert", "`alert` after `no`")(i).map(|(i, _)| (i, ExpectedKind::NoAlert));
    }
    match number(i) {
        Ok((i, count)) => {
            let (i, word) = must(any_word, "`alerts` after the number")(i)?;
            if word.rest != "alerts" && word.rest != "alert" {
                return Err(fault(word, not_found(word, "`alerts` after the number")));
            }
            if word.rest == "alert" {
                i.run.report(not_found(word, "`alerts` after the number").help("write `alerts`"));
            }
            return Ok((i, ExpectedKind::Alerts(count)));
        }
        Err(Err::Error(_)) => {}
        Err(other) => return Err(other),
    }
    let (i, _) = must(keyword("alert"), "`alert`, `no alert` or a number and `alerts`")(i)?;
    // `at` may begin what happens next only before the first `expect`, so here it is this alert's time.
    let (i, at) = match keyword("at")(i) {
        Ok((i, _)) => duration(i).map(|(i, at)| (i, Some(at)))?,
        Err(_) => (i, None),
    };
    let (i, map) = if at_sign(i, "{") { map(i).map(|(i, map)| (i, Some(map)))? } else { (i, None) };
    Ok((i, ExpectedKind::Alert { at, map }))
}

/// `{ key: value, .. }`
pub(super) fn map(i: In<'_>) -> Res<'_, Map> {
    let open = trivia(i);
    let (mut i, _) = sign("{")(open)?;
    let mut entries = Vec::new();
    while !at_sign(i, "}") {
        match entry(i) {
            Ok((rest, entry)) => {
                entries.push(entry);
                i = rest;
            }
            Err(problem) => i = skip_in_list(i, problem, "}")?,
        }
        i = separator(open, i, "}", entry_begins)?;
    }
    let (i, ()) = closing(open, "}", i)?;
    Ok((i, Map { entries, span: open.to(i) }))
}

/// Passes over the `,` after an entry; what stands there instead is reported.
fn separator<'a>(
    open: In<'a>,
    i: In<'a>,
    end: &'static str,
    begins: impl Fn(In<'a>) -> bool,
) -> Result<In<'a>, Err<Fault>> {
    if let Ok((rest, _)) = sign(",")(i) {
        return Ok(rest);
    }
    if at_sign(i, end) {
        return Ok(i);
    }
    if begins(i) {
        let at = trivia(i);
        at.run.report(not_found(at, &format!("`,` or `{end}`")).help("entries stand apart by `,`"));
        return Ok(i);
    }
    let i = skip_in_list(i, unclosed(open, end, i), end)?;
    Ok(sign(",")(i).map_or(i, |(rest, _)| rest))
}

fn entry_begins(i: In<'_>) -> bool {
    let key = any_word(i).or_else(|_| whole_text(i)).map(|(rest, _)| rest);
    let in_test = words::TEST_LINES.iter().any(|word| at_keyword(i, word));
    key.is_ok_and(|rest| at_sign(rest, ":") || (!in_test && (at_sign(rest, ".") || at_sign(rest, "["))))
}

fn json_begins(i: In<'_>) -> bool {
    let word = any_word(i).is_ok_and(|(_, word)| matches!(word.rest, "true" | "false" | "null"));
    word || whole_text(i).is_ok()
        || trivia(i).first().is_some_and(|c| c.is_ascii_digit() || "-{[".contains(c))
}

fn entry(i: In<'_>) -> Res<'_, Entry> {
    let (i, key) = match text(i) {
        Ok((i, text)) => (i, EntryKey::Text(text)),
        Err(Err::Error(_)) => must(path_or_call, "a field, a key in quotes or `}`")(i)
            .map(|(i, value)| (i, EntryKey::Value(value)))?,
        Err(other) => return Err(other),
    };
    let (i, _) = must(sign(":"), "`:` and a value")(i)?;
    let (i, value) = must(json, "a value")(i)?;
    Ok((i, Entry { key, value }))
}

fn json(i: In<'_>) -> Res<'_, Spanned<Json>> {
    let start = trivia(i);
    let (i, node) = match start.first() {
        Some('{') => nested(map).parse(start).map(|(i, map)| (i, Json::Map(map)))?,
        Some('[') => nested(json_list).parse(start)?,
        Some(c) if c.is_ascii_digit() || c == '-' => match signed(start)? {
            (i, Spanned { node: Quantity::Number(number), .. }) => (i, Json::Number(number)),
            (_, Spanned { span, .. }) => {
                let problem = Diagnostic::new(Code::Syntax, span, "a duration is no value of an event");
                return Err(fault(start, problem.help("write it as a text, or as a number")));
            }
        },
        Some(c) if c.is_ascii_alphabetic() || c == '_' => json_word(start)?,
        _ => text(start).map(|(i, text)| (i, Json::Text(text.node)))?,
    };
    Ok((i, Spanned { node, span: start.to(i) }))
}

fn json_word(start: In<'_>) -> Res<'_, Json> {
    let (i, word) = any_word(start)?;
    let node = match word.rest {
        "true" => Json::Bool(true),
        "false" => Json::Bool(false),
        "null" => Json::Null,
        other => {
            let problem = not_found(start, "a value").help(format!("a text stands in quotes: `\"{other}\"`"));
            return Err(fault(start, problem));
        }
    };
    Ok((i, node))
}

fn json_list(i: In<'_>) -> Res<'_, Json> {
    let open = trivia(i);
    let (mut i, _) = sign("[")(open)?;
    let mut out = Vec::new();
    while !at_sign(i, "]") {
        match must(json, "a value or `]`")(i) {
            Ok((rest, value)) => {
                out.push(value);
                i = rest;
            }
            Err(problem) => i = skip_in_list(i, problem, "]")?,
        }
        i = separator(open, i, "]", json_begins)?;
    }
    let (i, ()) = closing(open, "]", i)?;
    Ok((i, Json::List(out)))
}
