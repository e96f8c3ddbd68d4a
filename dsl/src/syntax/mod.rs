//! Text to syntax tree and back, without a byte lost.
//!
//! [`parse`] is total: any text gives a tree, the tokens that it is made of, and the mistakes in it. The parsers are
//! nom's, scannerless, and each production of the grammar is one function named after it. Three promises:
//!
//! * **Every mistake in one run.** A clause, step, entry or item that fails is reported and passed over (`recover.rs`); the
//!   tree has an error node there, so the checker can go on around it.
//! * **Linear time, bounded depth.** What a form is, its first word tells; nothing is parsed twice. Nothing nests deeper
//!   than [`crate::limits::NESTING_MAX`], so recursion over the tree is safe everywhere after.
//! * **No byte lost.** The tokens cover the text; concatenated they are the text.
//!
//! What names mean, and whether types fit, is not asked here.

#[cfg(any(test, feature = "arbitrary"))]
pub mod arbitrary;
pub mod ast;
mod token;

mod cases;
mod expr;
mod input;
mod item;
mod lex;
mod recover;
mod rule;
mod selector;
mod text;
mod words;

#[cfg(test)]
pub(crate) mod tests;

pub use token::{Token, TokenKind};
pub use words::is_reserved;

use crate::diag::{Code, Diagnostic};
use crate::limits::SOURCE_BYTES_MAX;
use crate::source::{SourceId, Span};

/// What a text was read as.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree, with error nodes where something did not parse.
    pub file: ast::File,
    /// Every byte of the text, in order.
    pub tokens: Vec<Token>,
    /// The mistakes, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file of rules.
#[must_use]
pub fn parse(source: SourceId, text: &str) -> Parsed {
    if text.len() > SOURCE_BYTES_MAX {
        return too_large(source, text);
    }
    let tokens = token::tokens(source, text);
    let run = input::Run::file(source);
    tokens.iter().for_each(|token| strange_space(&run, *token, text));
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let file = item::file(input::In::new(text, &run).forward_to(start));
    Parsed { file, tokens, diagnostics: run.into_diagnostics() }
}

fn too_large(source: SourceId, text: &str) -> Parsed {
    let span = Span::new(source, 0, text.len());
    let message =
        format!("this file has {} bytes; a file of rules has at most {SOURCE_BYTES_MAX}", text.len());
    let start = Span { end: span.start, ..span };
    let diagnostic =
        Diagnostic::new(Code::SourceTooLarge, start, message).help("put its parts into several files");
    let tokens = vec![Token { kind: TokenKind::Unknown, span }];
    Parsed { file: ast::File::default(), tokens, diagnostics: vec![diagnostic] }
}

/// Spaces that are none are reported once, here; the parsers then pass over them.
fn strange_space(run: &input::Run<'_>, token: Token, text: &str) {
    if token.kind != TokenKind::Unknown {
        return;
    }
    let found = &text[token.span.range()];
    let Some(c) = found.chars().next().filter(|c| lex::is_strange_space(*c)) else { return };
    let message = format!("a character that cannot be seen, U+{:04X}", u32::from(c));
    let problem = Diagnostic::new(Code::StrangeCharacter, token.span, message);
    run.report(problem.help("write a plain space, or nothing"));
}
