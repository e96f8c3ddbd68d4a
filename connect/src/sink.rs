//! Where alerts go: standard output, or a file.
//!
//! A file is made readable to its owner alone, for alerts name people and what they did; one that is there already keeps its mode.
//! It is written from its start: the alerts of a bounded run are a result and replace those of the run before.
//! A reader that has gone away (`| head`) is [`crate::Kind::Closed`], which callers end on without a word.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::kafka::address::Alerts;

/// A sink as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
    /// A topic of Kafka.
    Kafka(Alerts),
}

/// Reads the name of a sink.
///
/// # Errors
/// If it is of a kind, or asks for a shape, that is not built.
pub fn parse(name: &str) -> Result<Target, Error> {
    if let Some(address) = name.strip_prefix("kafka://") {
        return Ok(Target::Kafka(Alerts::parse(address)?));
    }
    let (place, query) = name.split_once('?').unwrap_or((name, ""));
    for part in query.split('&').filter(|part| !part.is_empty()) {
        match part.split_once('=') {
            Some(("as", "json")) => {}
            Some(("as", shape @ ("ocsf" | "ecs" | "cef"))) => {
                return Err(Error::usage(format!("alerts as {shape} are not built yet")));
            }
            _ => return Err(Error::usage(format!("a sink takes as=json behind its ?, not {part}"))),
        }
    }
    if place == "-" {
        return Ok(Target::Stdout);
    }
    if let Some(path) = place.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            return Err(Error::usage("file: needs a path behind it, such as file:alerts.jsonl"));
        }
        return Ok(Target::File(path.into()));
    }
    let scheme = place.split_once("://").map(|(scheme, _)| scheme);
    match scheme {
        Some("https" | "syslog+tcp" | "syslog+tls" | "alertmanager+http" | "alertmanager+https") => {
            Err(Error::usage(format!("sinks of kind {}:// are not built yet", scheme.unwrap_or_default())))
        }
        Some(scheme) => Err(Error::usage(format!("there is no sink of kind {scheme}://"))),
        None => Err(Error::usage(format!("{place} is no sink; for a file write file:{place}"))),
    }
}

/// An opened sink.
pub struct Sink {
    name: String,
    target: Target,
    writer: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("target", &self.target).finish_non_exhaustive()
    }
}

impl Sink {
    /// Opens it; a file is emptied.
    ///
    /// # Errors
    /// If the file cannot be opened for writing.
    pub fn open(target: &Target) -> Result<Self, Error> {
        let (name, writer): (_, Box<dyn Write + Send>) = match target {
            Target::Stdout => ("standard output".to_owned(), Box::new(io::stdout())),
            Target::File(path) => (path.display().to_string(), Box::new(create(path)?)),
            Target::Kafka(_) => {
                let words =
                    "alerts go to kafka:// from a kafka:// source alone; from others it is not built yet";
                return Err(Error::usage(words));
            }
        };
        Ok(Self { name, target: target.clone(), writer: Box::new(BufWriter::new(writer)) })
    }

    /// Whether it is standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.target == Target::Stdout
    }

    /// Writes a text and a line's end.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn line(&mut self, text: &str) -> Result<(), Error> {
        self.text(text)?;
        self.text("\n")
    }

    /// Writes a text as it is.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn text(&mut self, text: &str) -> Result<(), Error> {
        let written = self.writer.write_all(text.as_bytes());
        written.map_err(|cause| Error::named("write to", &self.name, &cause))
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.writer.flush().map_err(|cause| Error::named("write to", &self.name, &cause))
    }
}

fn create(path: &Path) -> Result<std::fs::File, Error> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .map_err(|cause| Error::io("write to", path, &cause))
}

#[cfg(test)]
mod tests;
