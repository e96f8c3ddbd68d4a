//! Diagnostics as text: for people, for programs, for code scanners.
//!
//! All three take the same slice and print it in the same order: by file as it was given, then by place, an error
//! before a warning of the same place. None prints colour unless told, and none fails: what cannot be drawn (a line of
//! a megabyte) is told without the drawing.

mod human;
mod json;
mod sarif;
#[cfg(test)]
mod tests;

pub use human::human;
pub use json::json;
pub use sarif::sarif;

use super::Diagnostic;

/// In the order in which all renderings print them.
#[must_use]
pub fn sorted(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let mut all: Vec<_> = diagnostics.iter().collect();
    // Stable, so that what one place and code says twice stays in the order it was found.
    all.sort_by_key(|d| {
        (d.primary.source, d.primary.start, std::cmp::Reverse(d.level()), d.primary.end, d.code)
    });
    all
}
