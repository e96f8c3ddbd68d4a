//! What is printed so far, and the comments that wait to be.
//!
//! Comments are not in the tree. Whoever begins a new line says where in the text what follows stands, and all comments
//! before that place are printed first: one that stood behind something at the end of the line, one that had its own
//! line on its own. So every place where a line may begin can hold a comment, and no printer has to think of them but
//! by asking [`Page::has_comments`], as what holds one cannot stay on one line.

use crate::source::Span;
use crate::syntax::{Parsed, Token, TokenKind};

/// The longest line, in characters, as far as it can be broken.
const LINE_CHARS_MAX: usize = 110;

/// How far what is inside of brackets stands to the right of them.
pub(super) const INDENT: usize = 4;

/// What becomes of blank lines where a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// None.
    Never,
    /// One, if there was one or more.
    Keep,
    /// As `Keep`, but none before the first line: it follows an opening brace.
    Open,
    /// As `Keep`, but none before the last line: it is a closing brace, and comments belong to what it closes.
    Close,
    /// At least one, the first before the comments.
    Force,
    /// At least one, before the comments unless there was one further on.
    ForceOnce,
}

struct Comment<'a> {
    at: usize,
    text: &'a str,
    /// Nothing but space stands before it on its line.
    own_line: bool,
}

/// A text being printed.
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    tokens: &'a [Token],
    comments: Vec<Comment<'a>>,
    /// The first comment that is not printed yet.
    next: usize,
    out: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(parsed: &'a Parsed, text: &'a str) -> Self {
        let mut comments = Vec::new();
        let mut own_line = true;
        for token in &parsed.tokens {
            let found = &text[token.span.range()];
            match token.kind {
                TokenKind::White => own_line |= found.contains('\n'),
                TokenKind::Comment => {
                    comments.push(Comment { at: token.span.range().start, text: found.trim_end(), own_line });
                }
                _ => own_line = false,
            }
        }
        Self { text, tokens: &parsed.tokens, comments, next: 0, out: String::with_capacity(text.len()) }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Spaces up to that width, and one at least.
    pub(super) fn pad(&mut self, printed: usize, width: usize) {
        self.out.extend(std::iter::repeat_n(' ', width.saturating_sub(printed).max(1)));
    }

    /// Characters on the line that is being printed.
    pub(super) fn column(&self) -> usize {
        let start = self.out.rfind('\n').map_or(0, |at| at + 1);
        self.out[start..].chars().count()
    }

    /// Whether that many characters more stay within the line.
    pub(super) fn fits(&self, chars: usize) -> bool {
        self.column() + chars <= LINE_CHARS_MAX
    }

    /// Whether a comment stands inside of something that was not printed yet.
    pub(super) fn has_comments(&self, span: Span) -> bool {
        let range = span.range();
        let first = self.comments.partition_point(|comment| comment.at < range.start);
        self.comments.get(first).is_some_and(|comment| comment.at < range.end)
    }

    /// Whether a comment waits that stands before that place.
    pub(super) fn comment_waits(&self, before: usize) -> bool {
        self.comments.get(self.next).is_some_and(|comment| comment.at < before)
    }

    /// Ends the line, prints the comments that stand before `at` and begins a line for what stands there.
    pub(super) fn line(&mut self, at: usize, indent: usize, blank: Blank) {
        // A comment takes the rest of its line; one at the end of a line leaves what follows the first line of its own.
        let (mut taken, mut first) = (self.out.is_empty(), true);
        let inside = if blank == Blank::Close { indent + INDENT } else { indent };
        let mut forced = match blank {
            Blank::Force => true,
            Blank::ForceOnce => !self.blank_in_gap(at),
            _ => false,
        };
        while self.comment_waits(at) {
            let Comment { at: place, text, own_line } = self.comments[self.next];
            self.next += 1;
            if !own_line && !taken {
                self.push("  ");
            } else {
                let kept =
                    self.blank_before(place) && !(first && blank == Blank::Open) && blank != Blank::Never;
                self.begin(inside, kept | std::mem::take(&mut forced));
                first = false;
            }
            self.push(text);
            taken = true;
        }
        let kept = match blank {
            Blank::Never | Blank::Close => false,
            Blank::Open => !first && self.blank_before(at),
            _ => self.blank_before(at),
        };
        self.begin(indent, kept || forced);
    }

    fn begin(&mut self, indent: usize, blank: bool) {
        let printed = self.out.trim_end_matches(' ').len();
        self.out.truncate(printed);
        if !self.out.is_empty() {
            self.push(if blank { "\n\n" } else { "\n" });
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Whether the text has a blank line right before that place.
    fn blank_before(&self, at: usize) -> bool {
        let after = self.tokens.partition_point(|token| token.span.range().start < at);
        let Some(before) = after.checked_sub(1).map(|n| self.tokens[n]) else { return false };
        before.kind == TokenKind::White
            && self.text[before.span.range()].bytes().filter(|b| *b == b'\n').count() > 1
    }

    /// Whether a blank line stands anywhere among the waiting comments before that place.
    fn blank_in_gap(&self, at: usize) -> bool {
        let mut waiting = self.comments[self.next..].iter().take_while(|comment| comment.at < at);
        self.blank_before(at) || waiting.any(|comment| self.blank_before(comment.at))
    }

    /// Whether a blank line stands between two places.
    pub(super) fn blank_between(&self, from: usize, to: usize) -> bool {
        let first = self.tokens.partition_point(|token| token.span.range().start < from);
        let gap = self.tokens[first..].iter().take_while(|token| token.span.range().start < to);
        gap.map(|token| token.span.range().end).any(|end| self.blank_before(end))
    }

    /// An empty page about the same text, to try on it what fits.
    pub(super) fn aside(&self) -> Self {
        Self { text: self.text, tokens: self.tokens, comments: Vec::new(), next: 0, out: String::new() }
    }

    /// All that was printed, if that is one line.
    pub(super) fn on_one_line(self) -> Option<String> {
        (!self.out.contains('\n') && self.fits(0)).then_some(self.out)
    }

    /// Where the word before that place begins: of `given {…}`, whose tree knows the brace alone.
    pub(super) fn word_before(&self, at: usize) -> usize {
        let end = self.tokens.partition_point(|token| token.span.range().start < at);
        let before = self.tokens[..end].iter().rev().find(|token| token.kind == TokenKind::Word);
        before.map_or(at, |token| token.span.range().start)
    }

    /// Ends the page with what comments are left.
    pub(super) fn finish(mut self) -> String {
        self.line(self.text.len(), 0, Blank::Keep);
        let printed = self.out.trim_end().len();
        self.out.truncate(printed);
        if !self.out.is_empty() {
            self.push("\n");
        }
        self.out
    }
}
