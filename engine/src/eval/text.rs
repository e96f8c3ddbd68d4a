//! Texts: simple case folding and `like`.
//!
//! A character is folded to the smallest of its orbit under Unicode's simple case folding, as `docs/semantics.md` says;
//! the orbits are those of `regex-syntax`, so that `ignoring case` means the same of `==` as of `matches`. ASCII needs
//! no table: its letters' smallest are the capitals (the Kelvin sign and the long s are above them).

use std::borrow::Cow;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The text with every character folded.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Folded if asked, else as it is.
pub(crate) fn folded(text: &str, ignoring_case: bool) -> Cow<'_, str> {
    if ignoring_case { Cow::Owned(fold(text)) } else { Cow::Borrowed(text) }
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
    // Fails only if the tables were left out of the build; then the character folds to itself.
    if class.try_case_fold_simple().is_err() {
        return c;
    }
    class.ranges().first().map_or(c, |range| range.start())
}

/// A pattern of `like`, cut into what stands between its stars.
#[derive(Clone, Debug)]
pub(crate) struct Like {
    /// One more than there are stars.
    parts: Vec<Vec<Piece>>,
    ignoring_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Char(char),
    Any,
}

impl Like {
    pub(crate) fn new(pattern: &str, ignoring_case: bool) -> Self {
        let fold = |c: char| if ignoring_case { fold_char(c) } else { c };
        let mut parts = vec![Vec::new()];
        let mut chars = pattern.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                '*' => {
                    parts.push(Vec::new());
                    continue;
                }
                '?' => Piece::Any,
                '\\' => Piece::Char(fold(chars.next().unwrap_or('\\'))),
                c => Piece::Char(fold(c)),
            };
            if let Some(part) = parts.last_mut() {
                part.push(piece);
            }
        }
        Self { parts, ignoring_case }
    }

    /// Whether the pattern is folded, and so must be what is looked for in its place.
    pub(crate) fn ignores_case(&self) -> bool {
        self.ignoring_case
    }

    /// The longest text that must stand in whatever is like it, folded if case is ignored; empty if there is none.
    pub(crate) fn needle(&self) -> String {
        let runs = self.parts.iter().flat_map(|part| part.split(|piece| *piece == Piece::Any));
        let longest = runs.max_by_key(|run| run.len()).unwrap_or_default();
        longest.iter().filter_map(|piece| if let Piece::Char(c) = piece { Some(*c) } else { None }).collect()
    }

    /// Whether the whole text is like it. Every part between two stars is taken at the first place where it stands: a
    /// later one could not help the parts behind it. So this takes text times pattern at worst.
    pub(crate) fn is_match(&self, text: &str) -> bool {
        let text: Vec<char> = match self.ignoring_case {
            true => text.chars().map(fold_char).collect(),
            false => text.chars().collect(),
        };
        let fits = |part: &[Piece], text: &[char]| {
            part.len() <= text.len()
                && part.iter().zip(text).all(|(p, c)| *p == Piece::Any || *p == Piece::Char(*c))
        };
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return false };
        if self.parts.len() == 1 {
            return first.len() == text.len() && fits(first, &text);
        }
        if text.len() < first.len() + last.len()
            || !fits(first, &text)
            || !fits(last, &text[text.len() - last.len()..])
        {
            return false;
        }
        let mut rest = &text[first.len()..text.len() - last.len()];
        for part in &self.parts[1..self.parts.len() - 1] {
            let places = (rest.len() + 1).saturating_sub(part.len());
            match (0..places).find(|at| fits(part, &rest[*at..])) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}
