//! The patterns of `matches`, built in one place: what the checker accepts is what runs.
//!
//! They are those of the `regex` crate, of which no alternative takes more than linear time, with its limits. Only whether a text
//! has a match is ever asked, so no groups are kept; and what a pattern does with a text is worked out as texts come and not
//! beforehand, since most patterns of a large rule set meet few.

use std::fmt;

use regex_automata::meta::{BuildError, Builder, Config, Regex};
use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::util::syntax;

/// What one pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 10 << 20;
/// What it may keep of what it has worked out, in bytes and for each thread.
const CACHE_BYTES: usize = 2 << 20;

/// A pattern that can be asked of texts.
#[derive(Clone)]
pub struct Pattern {
    regex: Regex,
    text: Box<str>,
    ignoring_case: bool,
}

impl Pattern {
    /// Reads a pattern; with `ignoring_case` as if it began with `(?i)`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(text: &str, ignoring_case: bool) -> Result<Self, String> {
        let config = Config::new()
            .nfa_size_limit(Some(PATTERN_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES)
            .which_captures(WhichCaptures::None)
            .onepass(false)
            .dfa(false);
        let mut builder = Builder::new();
        builder.configure(config).syntax(syntax::Config::new().case_insensitive(ignoring_case));
        let regex = builder.build(text).map_err(|error| why(&error))?;
        Ok(Self { regex, text: text.into(), ignoring_case })
    }

    /// Whether a text has a match of it.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it is read as if it began with `(?i)`.
    #[must_use]
    pub fn ignores_case(&self) -> bool {
        self.ignoring_case
    }
}

/// As it is written: what it was built into is pages long.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern")
            .field("text", &self.text)
            .field("ignoring_case", &self.ignoring_case)
            .finish_non_exhaustive()
    }
}

fn why(error: &BuildError) -> String {
    if let Some(error) = error.syntax_error() {
        let text = error.to_string();
        let line = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
        return line.unwrap_or("it cannot be read").to_owned();
    }
    match error.size_limit() {
        Some(bytes) => format!("it needs more than {bytes} bytes"),
        None => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_anywhere_in_a_text() {
        let of = |text: &str, ignoring_case| Pattern::new(text, ignoring_case).unwrap();
        assert!(of("b+$", false).is_match("abb") && !of("b+$", false).is_match("abba"));
        assert!(!of("^É", false).is_match("été") && of("^É", true).is_match("été"));
        assert!(of("^.$", false).is_match("é"), "characters, not bytes");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let why = |text: &str| Pattern::new(text, false).unwrap_err();
        assert_eq!(why("a("), "unclosed group");
        assert_eq!(why("a{1000}{1000}{1000}"), format!("it needs more than {PATTERN_BYTES_MAX} bytes"));
    }
}
