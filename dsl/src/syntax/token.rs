//! The text as tokens, every byte in one: what the tree leaves out (comments, white space) is here, by position.
//!
//! The parser does not read these. It is scannerless, as what a token is depends on where it stands (`list` is a verb
//! in one place and begins an item in another, `pods/exec` is one word there and a division here). What both must agree
//! on is where texts and comments begin and end, so both use [`text_extent`] for that; the rest is a coarse view, good
//! for laying out comments, for skipping over what did not parse, and for quoting what was found.
//!
//! Cost: one pass. Any text at all is tokens, and their concatenation is the text.

use super::lex::{is_digit, is_strange_space, is_white, is_word, is_word_start};
use crate::source::{SourceId, Span};
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{anychar, char, satisfy};
use nom::combinator::{opt, recognize, value};
use nom::error::Error;
use nom::{IResult, Parser};

/// What a token is, as far as that can be told without the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Spaces, tabs, line ends; a byte-order mark at the start.
    White,
    /// `#` to the end of its line, the line end not in it.
    Comment,
    /// A name or a word of the language.
    Word,
    /// A text with both of its quotes.
    Text,
    /// What begins with a digit: a number, a duration.
    Number,
    /// An operator, bracket or separator.
    Punctuation,
    /// Anything else: a quote without its end up to the end of the line, characters that the language does not have.
    Unknown,
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it is.
    pub span: Span,
}

/// All of the text, in order.
pub(super) fn tokens(source: SourceId, text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut at = 0;
    if text.starts_with('\u{feff}') {
        at = '\u{feff}'.len_utf8();
        out.push(Token { kind: TokenKind::White, span: Span::new(source, 0, at) });
    }
    while let Some((kind, length)) = next(&text[at..]) {
        out.push(Token { kind, span: Span::new(source, at, at + length) });
        at += length;
    }
    out
}

/// The first token of a text that is not empty, and its length, which is never zero.
pub(super) fn next(text: &str) -> Option<(TokenKind, usize)> {
    if text.starts_with(['"', '\'']) {
        let (length, closed) = text_extent(text);
        return Some((if closed { TokenKind::Text } else { TokenKind::Unknown }, length));
    }
    let (rest, kind) = kind(text).ok()?;
    Some((kind, text.len() - rest.len()))
}

fn kind(text: &str) -> IResult<&str, TokenKind> {
    let white = value(TokenKind::White, take_while1(is_white));
    let comment = value(TokenKind::Comment, recognize((char('#'), take_while(|c| c != '\n'))));
    let word =
        value(TokenKind::Word, recognize((satisfy(|c| is_word_start(c) || c == '$'), take_while(is_word))));
    let number = value(TokenKind::Number, number);
    let pair = alt((tag("=="), tag("!="), tag("<="), tag(">="), tag(".."), tag("&&"), tag("||"), tag("=~")));
    let single = recognize(satisfy(|c| c.is_ascii_punctuation()));
    let punctuation = value(TokenKind::Punctuation, alt((pair, single)));
    let strange = value(TokenKind::Unknown, take_while1(is_strange_space));
    let unknown = value(TokenKind::Unknown, recognize(anychar::<&str, Error<&str>>));
    alt((white, comment, word, number, punctuation, strange, unknown)).parse(text)
}

fn number(text: &str) -> IResult<&str, &str> {
    let run = || recognize((satisfy(is_digit), take_while(is_word)));
    recognize((run(), opt((char('.'), run())))).parse(text)
}

/// How far the text at the start of `text` goes, which begins with its quote, and whether it has its end. One without
/// goes to the end of the line.
pub(super) fn text_extent(text: &str) -> (usize, bool) {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return (0, false) };
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return (at, false),
            '\\' if quote == '"' => match chars.clone().next() {
                Some((_, '\n')) | None => {}
                Some(_) => drop(chars.next()),
            },
            _ if c == quote => return (at + c.len_utf8(), true),
            _ => {}
        }
    }
    (text.len(), false)
}
