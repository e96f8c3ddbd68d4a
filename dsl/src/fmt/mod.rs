//! The one layout of rules: text in, the same rules out, laid out as everybody's.
//!
//! The tree is printed anew; comments and blank lines come from the tokens, by position (`page.rs`). What is a matter of
//! taste is decided here once: lines of up to 110 characters, four spaces, the words of clauses padded into a column, a
//! long condition broken before each `and` or `or` of its loosest level, a long list or map one entry a line, parentheses
//! where `and` stands beside `or`, a blank line around every block.
//!
//! # The promises
//!
//! * **Nothing changes its meaning.** The output is parsed again and its tree compared with the input's, spans and
//!   parentheses aside (without the latter the trees still tell what belongs together). A difference is a bug here, and
//!   refuses the file rather than touch it.
//! * **What is formatted stays as it is.** Printing is repeated until it changes nothing: a comment in the middle of
//!   something that is not broken moves behind it, which may let the line fit the next time.
//! * **No comment is lost**: they are counted.
//!
//! Files with mistakes in their syntax are refused, as what they mean is not known.

mod erase;
mod expr;
mod item;
mod page;

#[cfg(test)]
mod tests;

use crate::diag::Level;
use crate::source::SourceId;
use crate::syntax::ast::File;
use crate::syntax::{Parsed, TokenKind, parse};
use page::Page;
use std::fmt;

/// How often a text is printed before it is given up that it settles; two or three are what it takes.
const ROUNDS_MAX: usize = 8;

/// Why a file was not formatted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatRefused {
    /// It has mistakes in its syntax; they are in its diagnostics.
    Mistakes,
    /// What was printed did not say the same: a bug of the formatter.
    MeaningChanged,
    /// What was printed did not have the same comments: a bug of the formatter.
    CommentsChanged,
    /// Printing it again and again goes on to change it: a bug of the formatter.
    Unsettled,
}

impl fmt::Display for FormatRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mistakes => "the file has mistakes",
            Self::MeaningChanged => {
                "formatting would change what the file means: this is a bug of the formatter"
            }
            Self::CommentsChanged => "formatting would lose a comment: this is a bug of the formatter",
            Self::Unsettled => "formatting does not settle: this is a bug of the formatter",
        })
    }
}

impl std::error::Error for FormatRefused {}

/// The text of a file in the one layout.
///
/// # Errors
/// If the file has mistakes in its syntax, or if the formatter is at fault, which it finds by itself.
pub fn format(parsed: &Parsed, text: &str) -> Result<String, FormatRefused> {
    if parsed.diagnostics.iter().any(|found| found.level() == Level::Error) {
        return Err(FormatRefused::Mistakes);
    }
    let mut printed = print(parsed, text);
    for _ in 0..ROUNDS_MAX {
        let again = parse(SourceId(0), &printed);
        if !again.diagnostics.is_empty() || meaning(&again) != meaning(parsed) {
            return Err(FormatRefused::MeaningChanged);
        }
        if comments(&again, &printed) != comments(parsed, text) {
            return Err(FormatRefused::CommentsChanged);
        }
        let next = print(&again, &printed);
        if next == printed {
            return Ok(printed);
        }
        printed = next;
    }
    Err(FormatRefused::Unsettled)
}

fn print(parsed: &Parsed, text: &str) -> String {
    let mut page = Page::new(parsed, text);
    page.file(&parsed.file);
    page.finish()
}

/// The tree as far as it means something.
fn meaning(parsed: &Parsed) -> File {
    let mut file = parsed.file.clone();
    erase::file(&mut file);
    file
}

/// The comments of a text, in the order of the alphabet: their own order changes where one stood inside of a value.
fn comments<'t>(parsed: &Parsed, text: &'t str) -> Vec<&'t str> {
    let comments = parsed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
    let mut out: Vec<&str> = comments.map(|token| text[token.span.range()].trim_end()).collect();
    out.sort_unstable();
    out
}
