//! Formats, colour, and the two streams.
//!
//! On a terminal people read, elsewhere programs do: `--format` overrules it. Colour is for terminals alone, and not
//! even there if `NO_COLOR` is set to anything. A line to standard error that cannot be written is let go: there is
//! nobody to tell.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use connect::Error;
use connect::sink::{Sink, Target};
use serde::Serialize;

/// For people, or one JSON object a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Human,
    /// One JSON object a line
    Json,
}

impl Format {
    /// What was asked for, else what the reader of standard output is likely to want.
    pub(crate) fn or_default(asked: Option<Self>) -> Self {
        asked.unwrap_or(if io::stdout().is_terminal() { Self::Human } else { Self::Json })
    }
}

/// Whether to colour what goes to standard output.
pub(crate) fn colour_out() -> bool {
    io::stdout().is_terminal() && colour_wanted()
}

/// Whether to colour what goes to standard error.
pub(crate) fn colour_err() -> bool {
    io::stderr().is_terminal() && colour_wanted()
}

fn colour_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Standard output, for results.
pub(crate) fn stdout() -> Result<Sink, Error> {
    Sink::open(&Target::Stdout)
}

/// Writes a text to standard output, with a line's end.
pub(crate) fn print(text: &str) -> Result<(), Error> {
    let mut out = stdout()?;
    out.line(text)?;
    out.flush()
}

/// An object as one line of JSON.
pub(crate) fn json(object: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(object).map_err(|cause| Error::failed(format!("cannot write JSON: {cause}")))
}

/// Writes a line to standard error.
pub(crate) fn note(text: &str) {
    let mut err = io::stderr().lock();
    let _gone = writeln!(err, "{text}");
}
