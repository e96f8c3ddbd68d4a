//! What the parsers read: the rest of the text, where it is, and the run that it belongs to.
//!
//! The input carries a reference to its [`Run`] (diagnostics so far, depth of nesting), so that every nom combinator
//! hands it on and a parser is a plain function of its input. Two kinds of failure are kept apart, as nom has them:
//! `Err::Error` is "this is not here", cheap, and lets an alternative try; `Err::Failure` is a mistake of the user that
//! has its diagnostic, and goes up to the nearest place that knows how to skip over it.
//!
//! The grammar is predictive: after the first word of a form nothing else is tried. That is what makes parsing linear
//! and diagnostics certain.

use super::token;
use crate::diag::{Code, Diagnostic};
use crate::limits::{DIAGNOSTICS_MAX, NESTING_MAX};
use crate::source::{SourceId, Span};
use nom::error::{ErrorKind, ParseError};
use nom::{Compare, CompareResult, Err, IResult, Input, Needed, Offset, Parser};
use std::cell::{Cell, RefCell};
use std::str::{CharIndices, Chars};

/// What every parser here returns.
pub(super) type Res<'a, O> = IResult<In<'a>, O, Fault>;

/// A place in the text and all that follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct In<'a> {
    pub(super) rest: &'a str,
    /// Of `rest` in the text of the run.
    pub(super) at: usize,
    pub(super) run: &'a Run<'a>,
}

/// One text that is parsed: a file, or the text of an alert.
#[derive(Debug)]
pub(super) struct Run<'a> {
    source: SourceId,
    /// For each byte of an alert's text (and one past its end) where it stands in the file; a file has none.
    places: Option<&'a [u32]>,
    depth: Cell<usize>,
    deepest: Cell<usize>,
    found: RefCell<Vec<Diagnostic>>,
}

/// Why a parser did not succeed.
#[derive(Debug)]
pub(super) struct Fault {
    /// Where in the text of the run; skipping begins here.
    pub(super) at: usize,
    /// What to tell; `None` if it is just not here.
    pub(super) diagnostic: Option<Box<Diagnostic>>,
}

impl<'a> Run<'a> {
    pub(super) fn file(source: SourceId) -> Self {
        Self::new(source, None)
    }

    /// Of the text of an alert, whose bytes came from those places.
    pub(super) fn alert(source: SourceId, places: &'a [u32]) -> Self {
        Self::new(source, Some(places))
    }

    fn new(source: SourceId, places: Option<&'a [u32]>) -> Self {
        Self { source, places, depth: Cell::new(0), deepest: Cell::new(0), found: RefCell::default() }
    }

    /// `#` is a comment in a file only: in an alert's text it is text.
    pub(super) fn has_comments(&self) -> bool {
        self.places.is_none()
    }

    /// A range of the run's text as one of the file.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let place = |at: usize| match self.places {
            None => at,
            Some(places) => places.get(at).or(places.last()).map_or(0, |place| *place as usize),
        };
        Span::new(self.source, place(start), place(end))
    }

    pub(super) fn report(&self, diagnostic: Diagnostic) {
        let mut found = self.found.borrow_mut();
        if found.len() < DIAGNOSTICS_MAX {
            found.push(diagnostic);
        } else if found.len() == DIAGNOSTICS_MAX {
            let message =
                format!("this file has more than {DIAGNOSTICS_MAX} mistakes; the others are not shown");
            found.push(Diagnostic::new(Code::TooManyMistakes, diagnostic.primary, message));
        }
    }

    /// All that was reported, in the order of the text.
    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|diagnostic| (diagnostic.code == Code::TooManyMistakes, diagnostic.primary.start));
        found
    }

    /// How deep the tree is here.
    pub(super) fn depth(&self) -> usize {
        self.depth.get()
    }

    /// Runs `parse` and tells, apart, how deep the tree got in it.
    pub(super) fn measured<O>(&self, parse: impl FnOnce() -> O) -> (O, usize) {
        let outer = self.deepest.replace(self.depth.get());
        let out = parse();
        let reached = self.deepest.get();
        self.deepest.set(outer.max(reached));
        (out, reached)
    }

    /// Tells that what was parsed is part of a tree of that depth; false if that is too deep.
    pub(super) fn reaches(&self, depth: usize) -> bool {
        self.deepest.set(self.deepest.get().max(depth));
        depth <= NESTING_MAX
    }
}

impl<'a> In<'a> {
    pub(super) fn new(text: &'a str, run: &'a Run<'a>) -> Self {
        Self { rest: text, at: 0, run }
    }

    /// From here to where `end` begins.
    pub(super) fn to(self, end: In<'_>) -> Span {
        self.run.span(self.at, end.at)
    }

    /// All of this.
    pub(super) fn span(self) -> Span {
        self.run.span(self.at, self.at + self.rest.len())
    }

    /// The token that begins here; nothing at the end.
    pub(super) fn token(self) -> In<'a> {
        self.take(token::next(self.rest).map_or(0, |(_, length)| length))
    }

    pub(super) fn starts(self, with: &str) -> bool {
        self.rest.starts_with(with)
    }

    pub(super) fn first(self) -> Option<char> {
        self.rest.chars().next()
    }

    /// From that byte of the text on; it must not be before this.
    pub(super) fn forward_to(self, at: usize) -> Self {
        self.take_from(at.saturating_sub(self.at).min(self.rest.len()))
    }
}

/// A mistake that ends the parser it is in.
pub(super) fn fault(at: In<'_>, diagnostic: Diagnostic) -> Err<Fault> {
    Err::Failure(Fault { at: at.at, diagnostic: Some(Box::new(diagnostic)) })
}

/// Not here.
pub(super) fn absent(i: In<'_>) -> Err<Fault> {
    Err::Error(Fault { at: i.at, diagnostic: None })
}

/// Runs `parser` one level deeper.
pub(super) fn nested<'a, O>(
    mut parser: impl Parser<In<'a>, Output = O, Error = Fault>,
) -> impl FnMut(In<'a>) -> Res<'a, O> {
    move |i| {
        let depth = i.run.depth() + 1;
        if !i.run.reaches(depth) {
            return Err(too_deep(i));
        }
        i.run.depth.set(depth);
        let out = parser.parse(i);
        i.run.depth.set(depth - 1);
        out
    }
}

pub(super) fn too_deep(i: In<'_>) -> Err<Fault> {
    let message = format!("this nests more than {NESTING_MAX} levels deep");
    let help = "give a part of it a name with `let`";
    fault(i, Diagnostic::new(Code::NestingTooDeep, i.token().span(), message).help(help))
}

impl ParseError<In<'_>> for Fault {
    fn from_error_kind(input: In<'_>, _: ErrorKind) -> Self {
        Self { at: input.at, diagnostic: None }
    }

    fn append(_: In<'_>, _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl<'a> Input for In<'a> {
    type Item = char;
    type Iter = Chars<'a>;
    type IterIndices = CharIndices<'a>;

    fn input_len(&self) -> usize {
        self.rest.len()
    }

    fn take(&self, index: usize) -> Self {
        Self { rest: &self.rest[..index], ..*self }
    }

    fn take_from(&self, index: usize) -> Self {
        Self { rest: &self.rest[index..], at: self.at + index, run: self.run }
    }

    fn take_split(&self, index: usize) -> (Self, Self) {
        (self.take_from(index), self.take(index))
    }

    fn position<P: Fn(char) -> bool>(&self, predicate: P) -> Option<usize> {
        self.rest.find(predicate)
    }

    fn iter_elements(&self) -> Self::Iter {
        self.rest.chars()
    }

    fn iter_indices(&self) -> Self::IterIndices {
        self.rest.char_indices()
    }

    fn slice_index(&self, count: usize) -> Result<usize, Needed> {
        self.rest.slice_index(count)
    }
}

impl Compare<&str> for In<'_> {
    fn compare(&self, other: &str) -> CompareResult {
        self.rest.compare(other)
    }

    fn compare_no_case(&self, other: &str) -> CompareResult {
        self.rest.compare_no_case(other)
    }
}

impl Offset for In<'_> {
    fn offset(&self, second: &Self) -> usize {
        second.at - self.at
    }
}
