//! Every code, in one place.
//!
//! People search for codes and put them into suppressions: a code is never reused and never changes its meaning.
//! E1xx syntax; E2xx names; E3xx types; E4xx the shape of rules; E5xx tests; E9xx not built yet; W1xx warnings.
//! `docs/diagnostics.md` has an entry for each, with an example that a test compiles.

use super::Level;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// The stable name of a kind of mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is printed: `E101`, `W101`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One line on what it is about, for SARIF and lists.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)*),)* }
            }
        }
    };
}

impl Code {
    /// Errors begin with `E`, warnings with `W`.
    #[must_use]
    pub fn level(self) -> Level {
        if self.text().starts_with('E') { Level::Error } else { Level::Warning }
    }
}

codes! {
    /// Text that the grammar does not have here.
    Syntax = "E101",
    /// Parentheses, maps or conditions nest too deeply.
    NestingTooDeep = "E102",
    /// The file is larger than a rule file may be.
    SourceTooLarge = "E103",
    /// A form of the language that this version does not build yet.
    NotBuilt = "E901",
}
