//! Where mistakes are gathered: each once, however often the text that holds it is looked at.
//!
//! A `let` is checked alone and again at every use, as what a path means depends on the rule's `on`. The same mistake
//! at the same characters is kept once; what only shows at a use names the use as a related place.

use std::collections::BTreeSet;

use crate::diag::{Code, Diagnostic, Level};
use crate::limits::{DIAGNOSTICS_MAX, Limits};
use crate::source::Span;

/// The mistakes so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    diagnostics: Vec<Diagnostic>,
    seen: BTreeSet<(Code, Span, String)>,
    /// How many nodes of the IR were made so far, over all rules.
    pub nodes: usize,
    /// What is warned of.
    pub limits: Limits,
}

impl Report {
    /// Keeps a mistake, unless it is known.
    pub(crate) fn add(&mut self, diagnostic: Diagnostic) {
        let known = (diagnostic.code, diagnostic.primary, diagnostic.message.clone());
        if self.seen.insert(known) {
            self.diagnostics.push(diagnostic);
        }
    }

    /// A mistake without help.
    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.add(Diagnostic::new(code, span, message));
    }

    /// A mistake with a likely fix.
    pub(crate) fn error_help(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Diagnostic::new(code, span, message).help(help));
    }

    /// A mistake, with the nearest known word if there is one.
    pub(crate) fn error_near(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        nearest: Option<&str>,
    ) {
        let diagnostic = Diagnostic::new(code, span, message);
        self.add(match nearest {
            Some(word) => diagnostic.help(format!("did you mean `{word}`?")),
            None => diagnostic,
        });
    }

    /// Whether any of them is an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.level() == Level::Error)
    }

    /// All of them, in the order of the text.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        let mut all = self.diagnostics;
        all.sort_by_key(|one| {
            let rest = matches!(one.code, Code::TooManyMistakes | Code::TooManyWarnings);
            (one.primary.source, rest, one.primary.start, one.primary.end, one.code)
        });
        let mut shown = Vec::with_capacity(all.len().min(DIAGNOSTICS_MAX));
        let mut file = None;
        // Of a file, each level by itself: many warnings make no mistake, and hide none.
        let (mut mistakes, mut warnings) = (0, 0);
        for one in all {
            if file.replace(one.primary.source) != Some(one.primary.source) {
                (mistakes, warnings) = (0, 0);
            }
            let (count, code, what) = match one.level() {
                Level::Error => (&mut mistakes, Code::TooManyMistakes, "mistakes"),
                Level::Warning => (&mut warnings, Code::TooManyWarnings, "warnings"),
            };
            *count += 1;
            if *count <= DIAGNOSTICS_MAX {
                shown.push(one);
            } else if *count == DIAGNOSTICS_MAX + 1 {
                let message =
                    format!("this file has more than {DIAGNOSTICS_MAX} {what}; the others are not shown");
                shown.push(Diagnostic::new(code, one.primary, message));
            }
        }
        shown
    }
}
