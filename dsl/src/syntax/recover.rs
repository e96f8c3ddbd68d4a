//! Passing over what did not parse, so that the rest of the file is still read and every mistake told in one run.
//!
//! A mistake costs as little as it can: in a list its value, in a rule its clause. The text is passed over token by
//! token from the start of what failed (so that brackets are counted) to the first place, not before the mistake, where
//! something new begins: a clause's word, a step, a closing brace, or an item. What looks like the head of an item
//! (`rule NAME "…"`) ends everything before it, however many braces are missing.
//!
//! Cost: each token is passed over at most once for each of the few levels that can fail, so a file of nothing but
//! mistakes is still linear.

use super::input::{Fault, In, Run};
use super::lex::{any_word, at_keyword, at_sign, sign, trivia};
use super::token::{self, TokenKind};
use super::words;
use crate::diag::nearest;
use nom::{Err, Input};

/// What is being read, so what may follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    Item,
    Clause,
    Step,
    Change,
    ListChange,
    TestLine,
}

/// Reports a failure and gives the place to go on from, which is after `from` or its end.
pub(super) fn recover<'a>(from: In<'a>, problem: Err<Fault>, level: Level) -> In<'a> {
    let at = report(from, problem);
    skip(from, at, level)
}

/// Reports a failure and gives its place.
pub(super) fn report(from: In<'_>, problem: Err<Fault>) -> usize {
    let (Err::Error(fault) | Err::Failure(fault)) = problem else { return from.at };
    if let Some(diagnostic) = fault.diagnostic {
        from.run.report(*diagnostic);
    }
    fault.at
}

/// The first place, from the byte `at` on, where something new of that level begins.
fn skip(from: In<'_>, at: usize, level: Level) -> In<'_> {
    let mut i = from;
    let mut scan = Scan { braces: 0, others: 0, first_on_line: false, unindented: false, after: "" };
    while let Some((kind, length)) = token::next(i.rest) {
        let found = i.take(length);
        if i.at >= at && i.at > from.at && scan.stops(kind, i, level) {
            return i;
        }
        scan.pass(kind, found.rest);
        i = i.take_from(length);
    }
    i
}

/// What is known while passing over tokens.
struct Scan<'a> {
    braces: usize,
    others: usize,
    first_on_line: bool,
    unindented: bool,
    /// The token before that is no space.
    after: &'a str,
}

impl<'a> Scan<'a> {
    fn pass(&mut self, kind: TokenKind, text: &'a str) {
        match kind {
            TokenKind::White => {
                self.first_on_line |= text.contains('\n');
                self.unindented = text.ends_with('\n');
            }
            TokenKind::Comment => {}
            _ => {
                self.first_on_line = false;
                self.unindented = false;
                self.after = text;
                match text {
                    "{" => self.braces += 1,
                    "}" => self.braces = self.braces.saturating_sub(1),
                    "(" | "[" => self.others += 1,
                    ")" | "]" => self.others = self.others.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }

    fn stops(&self, kind: TokenKind, i: In<'_>, level: Level) -> bool {
        if kind == TokenKind::Punctuation && i.starts("}") {
            return self.braces == 0 && level != Level::Item;
        }
        // Asked of words alone: whoever looks for one passes over comments first, and before each that adds up.
        if kind != TokenKind::Word || self.after == "." {
            return false;
        }
        let item = || words::ITEMS.iter().any(|word| at_keyword(i, word)) || nearly_item(i).is_some();
        if starts_item(i) || (self.unindented && item()) {
            return true;
        }
        let outside = self.braces == 0 && self.others == 0;
        (outside || self.first_on_line)
            && !matches!(self.after, ":" | ",")
            && starts(i, level, self.first_on_line)
    }
}

/// Whether the head of an item stands here. One word is not enough, as `list` is a verb too.
pub(super) fn starts_item(i: In<'_>) -> bool {
    let Ok((rest, word)) = any_word(i) else { return false };
    let named = |rest| any_word(rest).map(|(rest, _)| rest);
    let valued = |rest| (at_sign(rest, "=") && !at_sign(rest, "==")) || at_keyword(rest, "from");
    let quoted = |rest| at_sign(rest, "\"") || at_sign(rest, "'");
    match word.rest {
        "let" => named(rest).is_ok_and(|rest| at_sign(rest, "=") && !at_sign(rest, "==")),
        "list" | "table" => named(rest).is_ok_and(valued),
        "cidr" => at_keyword(rest, "list") || at_keyword(rest, "table"),
        "rule" => named(rest).is_ok_and(|rest| quoted(rest) || at_sign(rest, "{")),
        "tune" => named(rest).is_ok_and(|rest| at_sign(rest, "{") || named(rest).is_ok()),
        "test" => named(rest).is_ok_and(|rest| quoted(rest) || named(rest).is_ok_and(quoted)),
        _ => false,
    }
}

/// The word that was meant, if a misspelt head of an item stands here. Only what goes on as an item does is taken for
/// one: anything else would be one mistake told many times.
pub(super) fn nearly_item(at: In<'_>) -> Option<&'static str> {
    let (rest, found) = any_word(at).ok()?;
    let near = nearest(found.rest, words::ITEMS).filter(|_| !words::is_reserved(found.rest))?;
    let line = rest.rest.split('\n').next().unwrap_or("");
    let text = format!("{near}{line}");
    let run = Run::file(found.span().source);
    starts_item(In::new(&text, &run)).then_some(near)
}

/// Whether something new of that level begins with the word here.
fn starts(i: In<'_>, level: Level, first_on_line: bool) -> bool {
    let Ok((rest, word)) = any_word(i) else { return false };
    let plain = !at_sign(rest, ":") && !at_sign(rest, ".");
    match level {
        Level::Item => false,
        Level::Clause if word.rest == "alert" => at_sign(rest, "\"") || at_sign(rest, "'"),
        Level::Clause => plain && known(word.rest, &words::CLAUSES, first_on_line),
        Level::Change => plain && known(word.rest, &words::CHANGES, first_on_line),
        Level::ListChange => plain && known(word.rest, &["add", "remove"], first_on_line),
        Level::TestLine => plain && known(word.rest, &words::TEST_LINES, first_on_line),
        Level::Step if word.rest == "no" => any_word(rest).is_ok(),
        Level::Step => sign(":")(rest)
            .is_ok_and(|(after, _)| at_keyword(after, "on") || (first_on_line && !trivia(after).starts("("))),
    }
}

/// Whether it is one of the words, or at the start of a line nearly one.
fn known(word: &str, all: &[&str], first_on_line: bool) -> bool {
    let near = || !words::is_reserved(word) && nearest(word, all.iter().copied()).is_some();
    all.contains(&word) || (first_on_line && near())
}

/// Reports what failed in a list or map and goes on at the next `,` or at its end; or passes the failure on, if a clause
/// or an item begins before.
pub(super) fn skip_in_list<'a>(from: In<'a>, problem: Err<Fault>, end: &str) -> Result<In<'a>, Err<Fault>> {
    let Err::Failure(Fault { at, diagnostic: Some(_) }) = &problem else { return Err(problem) };
    let mut depth = 0_usize;
    let mut i = trivia(from);
    while let Some((kind, length)) = token::next(i.rest) {
        let found = i.take(length).rest;
        let clause = words::CLAUSES.contains(&found) || words::TEST_LINES.contains(&found);
        let begins =
            kind == TokenKind::Word && (starts_item(i) || (clause && !at_sign(i.take_from(length), ":")));
        if begins || (depth == 0 && matches!(found, "]" | "}" | ")") && found != end) {
            break;
        }
        if i.at >= *at && depth == 0 && (found == "," || found == end) {
            report(from, problem);
            return Ok(i);
        }
        match found {
            "[" | "{" | "(" => depth += 1,
            "]" | "}" | ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        i = i.take_from(length);
    }
    Err(problem)
}
