//! The smallest parsers: white space, words, signs, numbers and times. Each passes over the white space before it.

use super::input::{Fault, In, Res, absent, fault};
use super::words;
use crate::diag::{Code, Diagnostic, nearest};
use crate::syntax::ast::{DurationAt, Name, Spanned};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, satisfy};
use nom::combinator::{map, opt, recognize, value};
use nom::multi::{fold_many0, many0_count};
use nom::sequence::preceded;
use nom::{Err, Parser};

pub(super) fn is_white(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// White space, or nothing at all, to the eye, but not to the grammar.
pub(super) fn is_strange_space(c: char) -> bool {
    (c.is_whitespace() && !is_white(c))
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

pub(super) fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

pub(super) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

pub(super) fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// What stands between tokens. Strange spaces count: they were reported when the text became tokens.
pub(super) fn trivia(i: In<'_>) -> In<'_> {
    let comments = i.run.has_comments();
    let white = value((), take_while1(move |c| is_white(c) || (comments && is_strange_space(c))));
    let comment = value((), (char::<In<'_>, Fault>('#'), take_while(|c| c != '\n')));
    let after =
        if comments { many0_count(alt((white, comment))).parse(i) } else { many0_count(white).parse(i) };
    // `many0` of parsers that take something does not fail.
    after.map_or(i, |(rest, _): (In<'_>, usize)| rest)
}

/// A token of one parser, without the white space before it.
pub(super) fn token<'a, O>(
    mut parser: impl Parser<In<'a>, Output = O, Error = Fault>,
) -> impl FnMut(In<'a>) -> Res<'a, O> {
    move |i| parser.parse(trivia(i))
}

/// Any word at all, reserved or not.
pub(super) fn any_word(i: In<'_>) -> Res<'_, In<'_>> {
    token(recognize((satisfy(is_word_start), take_while(is_word)))).parse(i)
}

/// This word of the language.
pub(super) fn keyword<'a>(word: &'static str) -> impl FnMut(In<'a>) -> Res<'a, In<'a>> {
    move |i| {
        let (rest, found) = any_word(i)?;
        if found.rest == word { Ok((rest, found)) } else { Err(absent(i)) }
    }
}

/// This sign, whatever follows it.
pub(super) fn sign<'a>(sign: &'static str) -> impl FnMut(In<'a>) -> Res<'a, In<'a>> {
    token(tag(sign))
}

/// Whether this word stands here.
pub(super) fn at_keyword(i: In<'_>, word: &'static str) -> bool {
    keyword(word)(i).is_ok()
}

/// Whether this sign stands here.
pub(super) fn at_sign(i: In<'_>, what: &str) -> bool {
    trivia(i).starts(what)
}

/// A name, given or used: any word that is not reserved.
pub(super) fn name(i: In<'_>) -> Res<'_, Name> {
    let (rest, word) = any_word(i)?;
    if words::is_reserved(word.rest) { Err(absent(i)) } else { Ok((rest, owned(word))) }
}

/// A name where nothing else can stand; `what` it names is for the message.
pub(super) fn must_name<'a>(what: &'static str) -> impl FnMut(In<'a>) -> Res<'a, Name> {
    move |i| match name(i) {
        Err(Err::Error(_)) => Err(no_name(i, what)),
        other => other,
    }
}

fn no_name<'a>(i: In<'a>, what: &'static str) -> Err<Fault> {
    let at = trivia(i);
    if let Ok((_, word)) = any_word(at) {
        let message = format!("`{}` is a word of the language and cannot be {what}", word.rest);
        return fault(at, Diagnostic::new(Code::ReservedWord, word.span(), message));
    }
    let mut problem = not_found(at, what);
    if at.starts("\"") || at.starts("'") {
        problem = problem.help("names stand without quotes");
    } else if at.first().is_some_and(is_digit) {
        problem = problem.help("a name begins with a letter or `_`");
    }
    fault(at, problem)
}

/// A token of the text as a value of its own.
pub(super) fn owned(word: In<'_>) -> Name {
    Spanned { node: word.rest.to_owned(), span: word.span() }
}

/// Runs a parser where nothing else can stand.
pub(super) fn must<'a, O>(
    mut parser: impl Parser<In<'a>, Output = O, Error = Fault>,
    what: &'static str,
) -> impl FnMut(In<'a>) -> Res<'a, O> {
    move |i| match parser.parse(i) {
        Err(Err::Error(_)) => {
            let at = trivia(i);
            Err(fault(at, not_found(at, what)))
        }
        other => other,
    }
}

/// This word, where nothing else can stand; a near miss is reported and taken for it.
pub(super) fn must_keyword<'a>(
    word: &'static str,
    what: &'static str,
) -> impl FnMut(In<'a>) -> Res<'a, In<'a>> {
    move |i| {
        if let Ok((rest, found)) = any_word(i) {
            if found.rest == word {
                return Ok((rest, found));
            }
            if !words::is_reserved(found.rest) && nearest(found.rest, [word]).is_some() {
                let problem = not_found(found, what).help(format!("did you mean `{word}`?"));
                i.run.report(problem);
                return Ok((rest, found));
            }
        }
        let at = trivia(i);
        Err(fault(at, not_found(at, what)))
    }
}

/// "expected this, found that", at the token that begins at `at`.
pub(super) fn not_found(at: In<'_>, what: &str) -> Diagnostic {
    let found = at.token();
    let message = format!("expected {what}, found {}", quoted(found));
    Diagnostic::new(Code::Syntax, found.span(), message)
}

/// A token as messages name it.
pub(super) fn quoted(found: In<'_>) -> String {
    const SHOWN_CHARS_MAX: usize = 40;
    if found.rest.is_empty() {
        let end = if found.run.has_comments() { "the end of the file" } else { "the end of the text" };
        return end.to_owned();
    }
    let first = found.rest.lines().next().unwrap_or("");
    let mut shown: String = first.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < first.len() {
        shown.push('…');
    }
    format!(
        "`{}`",
        shown.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\")
    )
}

/// `item, item`; nothing after the last.
pub(super) fn comma_list<'a, O>(
    mut item: impl FnMut(In<'a>) -> Res<'a, O>,
) -> impl FnMut(In<'a>) -> Res<'a, Vec<O>> {
    move |i| {
        let (mut i, first) = item(i)?;
        let mut out = vec![first];
        while let Ok((rest, _)) = sign(",")(i) {
            let (rest, next) = match item(rest) {
                Err(Err::Error(_)) => {
                    let at = trivia(rest);
                    return Err(fault(at, not_found(at, "another one after the `,`")));
                }
                other => other?,
            };
            out.push(next);
            i = rest;
        }
        Ok((i, out))
    }
}

/// A number or a duration: what begins with a digit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quantity {
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
}

/// A number or a duration. What begins with a digit and is neither is a mistake.
pub(super) fn quantity(i: In<'_>) -> Res<'_, Spanned<Quantity>> {
    let run = || (digit1, take_while(is_word));
    let (rest, found) = token(recognize((run(), opt((char('.'), run()))))).parse(i)?;
    let text = found.rest;
    let bad = |message: String, help: &'static str| {
        Err(fault(found, Diagnostic::new(Code::BadNumber, found.span(), message).help(help)))
    };
    let read = if text.chars().all(|c| is_digit(c) || c == '.') {
        if rest.starts(".") && rest.rest[1..].starts_with(is_digit) {
            return bad(
                format!("`{text}.` goes on as no number does"),
                "an address or a version stands in quotes",
            );
        }
        text.parse().ok().filter(|number: &f64| number.is_finite()).map(Quantity::Number)
    } else {
        match nanoseconds(text) {
            Ok((_, total)) => total.map(Quantity::Duration),
            Err(_) => {
                let help = "a duration is written like `90s` or `1h30m`, its units are `ms`, `s`, `m`, `h`, `d` and `w`";
                return bad(format!("`{text}` is neither a number nor a duration"), help);
            }
        }
    };
    match read {
        Some(node) => Ok((rest, Spanned { node, span: found.span() })),
        None => bad(format!("`{text}` is too large"), "the longest duration is about 292 years"),
    }
}

/// The whole text as a sum of numbers with units; `None` if that is more than fits.
fn nanoseconds(text: &str) -> nom::IResult<&str, Option<i64>> {
    let unit = alt((
        value(1_000_000_i64, tag("ms")),
        value(1_000_000_000, char('s')),
        value(60_000_000_000, char('m')),
        value(3_600_000_000_000, char('h')),
        value(86_400_000_000_000, char('d')),
        value(604_800_000_000_000, char('w')),
    ));
    let part =
        map((digit1, unit), |(digits, unit): (&str, i64)| digits.parse::<i64>().ok()?.checked_mul(unit));
    let add = |sum: Option<i64>, part: Option<i64>| sum?.checked_add(part?);
    nom::combinator::all_consuming(fold_many0(part, || Some(0), add)).parse(text)
}

/// A duration where nothing else can stand.
pub(super) fn duration(i: In<'_>) -> Res<'_, DurationAt> {
    let at = trivia(i);
    match quantity(at) {
        Ok((rest, Spanned { node: Quantity::Duration(node), span })) => Ok((rest, Spanned { node, span })),
        Ok((_, Spanned { span, .. })) => {
            let found = at.token().rest;
            let problem = Diagnostic::new(
                Code::Syntax,
                span,
                format!("expected a duration, found the number `{found}`"),
            )
            .help(format!("a duration has a unit: `{found}s` or `{found}m`"));
            Err(fault(at, problem))
        }
        Err(Err::Error(_)) => Err(fault(at, not_found(at, "a duration such as `5m`"))),
        Err(other) => Err(other),
    }
}

/// A count: `5` of `5 times`.
pub(super) fn number(i: In<'_>) -> Res<'_, Spanned<f64>> {
    match quantity(i)? {
        (rest, Spanned { node: Quantity::Number(node), span }) => Ok((rest, Spanned { node, span })),
        _ => Err(absent(i)),
    }
}

/// `22:00`, in minutes of the day; digits and a colon are taken for one, good or bad.
pub(super) fn clock(i: In<'_>) -> Res<'_, Spanned<u16>> {
    let (rest, found) = token(recognize((digit1, char(':'), take_while(is_word)))).parse(i)?;
    let (hours, minutes) = found.rest.split_once(':').unwrap_or((found.rest, ""));
    let part = |text: &str, end: u16| match text.len() {
        2 => text.parse().ok().filter(|number: &u16| *number < end),
        _ => None,
    };
    match (part(hours, 24), part(minutes, 60)) {
        (Some(hours), Some(minutes)) => {
            Ok((rest, Spanned { node: hours * 60 + minutes, span: found.span() }))
        }
        _ => {
            let message = format!("`{}` is no time of day", found.rest);
            let help = "it goes from `00:00` to `23:59`, two digits each";
            Err(fault(found, Diagnostic::new(Code::BadClock, found.span(), message).help(help)))
        }
    }
}

/// A run of characters of a kind of token that stands in one place only: tags, resources.
pub(super) fn run_of<'a>(
    first: impl Fn(char) -> bool,
    others: impl Fn(char) -> bool,
) -> impl FnMut(In<'a>) -> Res<'a, In<'a>> {
    move |i| token(recognize(preceded(satisfy(&first), take_while(&others)))).parse(i)
}
