//! Diagnostics as data, and their three renderings.
//!
//! A diagnostic is one mistake: a stable [`Code`], one plain sentence (lower case, no full stop, the user's own text in
//! backticks), the span it underlines, and help where there is a likely fix. Rendering is apart, so that checking needs
//! to know nothing of terminals.

mod codes;
mod nearest;
pub mod render;
#[cfg(test)]
mod tests;

pub use codes::Code;
pub use nearest::nearest;

use crate::source::Span;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The rules run, but probably not as meant.
    Warning,
    /// The rules do not run.
    Error,
}

/// One problem in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its stable name.
    pub code: Code,
    /// One sentence.
    pub message: String,
    /// What to underline.
    pub primary: Span,
    /// Other places that explain it.
    pub related: Vec<(Span, String)>,
    /// A likely fix.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without help and without other places.
    pub fn new(code: Code, primary: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), primary, related: Vec::new(), help: None }
    }

    /// With a likely fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With another place that explains it.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Whether it is an error or a warning.
    #[must_use]
    pub fn level(&self) -> Level {
        self.code.level()
    }
}
