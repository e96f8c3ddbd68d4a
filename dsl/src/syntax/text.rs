//! Texts in quotes, and the texts of alerts with values in braces.
//!
//! Of an alert the string's escapes are read first, then the braces. So a value in braces stands in a text that is not
//! the file's; a table of where each byte came from (four bytes per byte of the text, while it is parsed) leads every
//! span back to the file.

use super::ast::{Expr, ExprKind, Piece, Spanned, Template, Text};
use super::expr::sum;
use super::input::{Fault, In, Res, Run, absent, fault};
use super::lex::{is_white, must, not_found, quoted, sign, trivia};
use super::token::text_extent;
use crate::diag::{Code, Diagnostic};
use nom::{Err, Input};

/// Said of a brace in an alert's text.
const OPEN_BRACE: &str = "this `{` is not closed";

/// Quotes of other alphabets and of word processors.
fn is_foreign_quote(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '‟' | '‘' | '’' | '‚' | '‛' | '«' | '»' | '´' | '`' | '＂' | '＇')
}

/// A text in quotes.
pub(super) fn text(i: In<'_>) -> Res<'_, Text> {
    let (rest, found) = literal(i)?;
    Ok((rest, Spanned { node: decode(found, &mut |_| ()), span: found.span() }))
}

/// A text where nothing else can stand.
pub(super) fn must_text<'a>(what: &'static str) -> impl FnMut(In<'a>) -> Res<'a, Text> {
    move |i| match text(i) {
        Err(Err::Error(_)) => Err(no_text(i, what)),
        other => other,
    }
}

fn no_text(i: In<'_>, what: &str) -> Err<Fault> {
    let at = trivia(i);
    let mut problem = not_found(at, what);
    if at.first().is_some_and(|c| c.is_alphanumeric() || "/*{".contains(c)) {
        problem = problem.help("a text stands in quotes: `\"…\"`");
    }
    fault(at, problem)
}

/// A text with its quotes, escapes unread.
fn literal(i: In<'_>) -> Res<'_, In<'_>> {
    let at = trivia(i);
    match at.first() {
        Some('"' | '\'') => {}
        Some(c) if is_foreign_quote(c) => return foreign(at),
        _ => return Err(absent(at)),
    }
    let (length, closed) = text_extent(at.rest);
    let (rest, found) = at.take_split(length);
    if closed {
        return Ok((rest, found));
    }
    let end = found.rest.trim_end().len();
    let problem = Diagnostic::new(Code::Unclosed, found.take(end).span(), "this text has no closing quote")
        .help("a text ends on the line on which it begins; `\\n` stands for a line end in `\"…\"`");
    Err(fault(rest, problem))
}

/// A text in quotes that the language does not have: reported, and taken for one if its end can be told.
fn foreign(at: In<'_>) -> Res<'_, In<'_>> {
    let open = at.first().map_or(0, char::len_utf8);
    let line = at.rest.split('\n').next().unwrap_or("");
    let closing = line[open..].char_indices().find(|(_, c)| is_foreign_quote(*c) || *c == '"');
    let quote = at.take(open);
    let message = format!("{} is no quote of the language", quote.rest);
    let problem = Diagnostic::new(Code::StrangeCharacter, quote.span(), message).help("write `\"` or `'`");
    match closing {
        Some((length, c)) => {
            at.run.report(problem);
            Ok(at.take_split(open + length + c.len_utf8()))
        }
        None => Err(fault(at.take_from(line.len()), problem)),
    }
}

/// A text with both of its quotes, unread: nothing is reported.
pub(super) fn whole_text(i: In<'_>) -> Res<'_, In<'_>> {
    let at = trivia(i);
    if !at.starts("\"") && !at.starts("'") {
        return Err(absent(at));
    }
    match text_extent(at.rest) {
        (length, true) => Ok(at.take_split(length)),
        (_, false) => Err(absent(at)),
    }
}

/// What a literal says; `place` is told, for each byte of it, where it stands in the run.
fn decode(literal: In<'_>, place: &mut dyn FnMut(usize)) -> String {
    let open = literal.first().map_or(0, char::len_utf8);
    let close = literal.rest.chars().next_back().map_or(0, char::len_utf8);
    let body = literal.take(literal.rest.len().saturating_sub(close)).take_from(open.min(literal.rest.len()));
    let escapes = literal.first() == Some('"');
    let mut out = String::with_capacity(body.rest.len());
    let mut i = body;
    while let Some(c) = i.first() {
        let (length, meant) = match c {
            '\\' if escapes => escape(i),
            _ => (c.len_utf8(), c),
        };
        out.push(meant);
        (0..meant.len_utf8()).for_each(|_| place(i.at));
        i = i.take_from(length);
    }
    place(i.at);
    out
}

/// The escape that begins here: its length, and what it stands for. A bad one is reported and stands for itself.
fn escape(i: In<'_>) -> (usize, char) {
    let after = i.rest[1..].chars().next();
    match after {
        Some(c @ ('"' | '\\')) => return (2, c),
        Some('n') => return (2, '\n'),
        Some('r') => return (2, '\r'),
        Some('t') => return (2, '\t'),
        Some('u') => {
            if let Some(good) = unicode(i) {
                return good;
            }
        }
        _ => {}
    }
    let length = 1 + after.map_or(0, char::len_utf8);
    let help = match after {
        Some('u') => "write the character's number in hexadecimal, as in `\\u{2026}`",
        Some('x') => "write `\\u{…}` with the character's number in hexadecimal",
        Some('/') => "`/` needs no backslash",
        _ => "in `'…'` a backslash stands for itself; in `\"…\"` write `\\\\`",
    };
    let found = i.take(length);
    let problem = Diagnostic::new(Code::BadEscape, found.span(), format!("{} is no escape", quoted(found)));
    i.run.report(problem.help(help));
    (1, '\\')
}

/// `\u{2026}`
fn unicode(i: In<'_>) -> Option<(usize, char)> {
    let (digits, _) = i.rest.strip_prefix("\\u{")?.split_once('}')?;
    let number =
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())??;
    Some(("\\u{}".len() + digits.len(), char::from_u32(number)?))
}

/// The text of an alert.
pub(super) fn template(i: In<'_>) -> Res<'_, Template> {
    let (rest, found) = match literal(i) {
        Err(Err::Error(_)) => return Err(no_text(i, "the text of the alert")),
        other => other?,
    };
    let mut places = Vec::with_capacity(found.rest.len());
    let node = decode(found, &mut |at| places.push(u32::try_from(at).unwrap_or(u32::MAX)));
    let run = Run::alert(found.span().source, &places);
    let pieces = pieces(In::new(&node, &run));
    let mut found_in = run.into_diagnostics();
    // `alert "{a["b"]}"`: the text ended before its brace did, and what follows is glued to it.
    if found_in.last().is_some_and(|last| last.message == OPEN_BRACE)
        && rest.first().is_some_and(|c| !is_white(c) && c != '}')
    {
        let problem = found_in.pop().map(|last| Diagnostic {
            help: Some(
                "a text within `{…}` needs other quotes than the text around it: `\"{labels['app']}\"`"
                    .to_owned(),
            ),
            ..last
        });
        found_in.into_iter().for_each(|diagnostic| i.run.report(diagnostic));
        return Err(Err::Failure(Fault { at: rest.at, diagnostic: problem.map(Box::new) }));
    }
    found_in.into_iter().for_each(|diagnostic| i.run.report(diagnostic));
    Ok((rest, Template { pieces, text: Spanned { node, span: found.span() } }))
}

fn pieces(mut i: In<'_>) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut literal = String::new();
    while let Some(c) = i.first() {
        if i.starts("{{") || i.starts("}}") {
            literal.push(c);
            i = i.take_from(2);
        } else if c == '{' {
            if !literal.is_empty() {
                out.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            let (rest, value) = braced(i);
            out.push(Piece::Value(value));
            i = rest;
        } else {
            if c == '}' {
                let message = "this `}` closes nothing";
                let problem = Diagnostic::new(Code::AlertBraces, i.take(1).span(), message);
                i.run.report(problem.help("a brace itself is written `}}`"));
            }
            literal.push(c);
            i = i.take_from(c.len_utf8());
        }
    }
    if !literal.is_empty() {
        out.push(Piece::Literal(literal));
    }
    out
}

/// `{ sum }`, whose brace stands here. What is no value is reported up to the next `}`.
fn braced(i: In<'_>) -> (In<'_>, Expr) {
    let open = i.take_from(1);
    let (at, mut problem) = match must(sum, "a value after `{`")(open) {
        Ok((rest, value)) => match sign("}")(rest) {
            Ok((rest, _)) => return (rest, value),
            Err(_) => (trivia(rest).at, not_found(trivia(rest), "`}` after the value")),
        },
        Err(Err::Failure(Fault { at, diagnostic: Some(problem) })) => (at, *problem),
        Err(_) => (open.at, not_found(trivia(open), "a value after `{`")),
    };
    let after = open.forward_to(at);
    let rest = match after.rest.find('}') {
        Some(end) => {
            problem.help.get_or_insert_with(|| "a brace itself is written `{{`".to_owned());
            after.take_from(end + 1)
        }
        None => {
            let help = "a value ends with `}`; a brace itself is written `{{`";
            problem = Diagnostic::new(Code::AlertBraces, i.take(1).span(), OPEN_BRACE).help(help);
            i.take_from(i.rest.len())
        }
    };
    i.run.report(problem);
    (rest, Expr { kind: ExprKind::Error, span: i.to(rest) })
}
