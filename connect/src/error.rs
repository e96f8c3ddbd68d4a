//! What can go wrong outside of rules and events, as one sentence for the person at the terminal.
//!
//! A kind is all that a caller may act upon (it decides the exit status); the words are for people. Words of the
//! operating system are kept at the end in brackets-free form, as in `cannot read audit.log: permission denied`.

use std::io;
use std::path::Path;

/// Which way of failing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command was given something that it does not take.
    Usage,
    /// A file, a pipe or a device did not do as asked.
    Io,
    /// Whoever read our output has gone away; nobody is left to be told.
    Closed,
}

/// A failure with its words.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub struct Error {
    kind: Kind,
    words: String,
}

impl Error {
    /// Something that the command does not take.
    pub fn usage(words: impl Into<String>) -> Self {
        Self { kind: Kind::Usage, words: words.into() }
    }

    /// Something that could not be read or written.
    pub fn failed(words: impl Into<String>) -> Self {
        Self { kind: Kind::Io, words: words.into() }
    }

    /// What the operating system said of doing `what` (such as `read`) to a path.
    #[must_use]
    pub fn io(what: &str, path: &Path, cause: &io::Error) -> Self {
        Self::named(what, &path.display().to_string(), cause)
    }

    /// As [`Error::io`], of something that is no path.
    #[must_use]
    pub fn named(what: &str, name: &str, cause: &io::Error) -> Self {
        let kind = if cause.kind() == io::ErrorKind::BrokenPipe { Kind::Closed } else { Kind::Io };
        Self { kind, words: format!("cannot {what} {name}: {}", reason(cause)) }
    }

    /// Which way of failing it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }
}

/// The operating system's words without its number.
pub(crate) fn reason(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::UnexpectedEof => "it ends too early (cut off?)".to_owned(),
        _ => {
            let text = cause.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut chars = text.chars();
            chars.next().map_or(String::new(), |first| first.to_lowercase().chain(chars).collect())
        }
    }
}
