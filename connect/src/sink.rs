//! Where alerts go: standard output, or a file.
//!
//! A file is made readable to its owner alone, for alerts name people and what they did; one that is there already keeps its mode.
//! It is written from its start: the alerts of a run are a result and replace those of the run before. A run that remembers
//! goes on behind what is there, and what was written after its last snapshot is cut off ([`Sink::go_on`]): the same alerts come again.
//! Nothing is cut off of a file that is not the one that was written.
//! A reader that has gone away (`| head`) is [`crate::Kind::Closed`], which callers end on without a word.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::kafka::address::Alerts;
use crate::keep::sync_folder;

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
    /// Of a file that is gone on with.
    kept: Option<Kept>,
}

/// What is needed to know a file again.
struct Kept {
    path: PathBuf,
    file: File,
    /// It may be new, and its name not on the disk.
    named: bool,
}

/// How long a file was, and which one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    path: String,
    device: u64,
    inode: u64,
    bytes: u64,
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
        Ok(Self { name, target: target.clone(), writer: Box::new(BufWriter::new(writer)), kept: None })
    }

    /// Opens it to write on. A file that is known is cut back to the length that it had; any other is written on at its end.
    /// What is no file is written to as ever. Gives what is to be said of that.
    ///
    /// # Errors
    /// If the file cannot be opened for reading and writing, or cut.
    pub fn go_on(target: &Target, known: &[Length]) -> Result<(Self, Option<String>), Error> {
        let Target::File(path) = target else { return Ok((Self::open(target)?, None)) };
        let failed = |cause: &io::Error| Error::io("write to", path, cause);
        if fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Ok((Self::open(target)?, None));
        }
        let mut options = OpenOptions::new();
        let opened = options.read(true).append(true).create(true).mode(0o600).open(path);
        let mut file = opened.map_err(|cause| failed(&cause))?;
        let path = fs::canonicalize(path).map_err(|cause| failed(&cause))?;
        let note = cut_back(&mut file, &path, known).map_err(|cause| failed(&cause))?;
        let writer = file.try_clone().map_err(|cause| failed(&cause))?;
        let name = path.display().to_string();
        let kept = Some(Kept { path, file, named: false });
        Ok((Self { name, target: target.clone(), writer: Box::new(BufWriter::new(writer)), kept }, note))
    }

    /// Hands everything to the operating system, of a file to the disk. Gives the length that it has then.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn settle(&mut self) -> Result<Option<Length>, Error> {
        self.flush()?;
        let Some(kept) = &mut self.kept else { return Ok(None) };
        kept.settle().map(Some).map_err(|cause| Error::named("write to", &self.name, &cause))
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

impl Kept {
    fn settle(&mut self) -> io::Result<Length> {
        self.file.sync_data()?;
        if !self.named {
            if let Some(folder) = self.path.parent() {
                sync_folder(folder)?;
            }
            self.named = true;
        }
        let about = self.file.metadata()?;
        let path = self.path.to_string_lossy().into_owned();
        Ok(Length { path, device: about.dev(), inode: about.ino(), bytes: about.len() })
    }
}

/// Takes away what was written after a file was known to be so long, if it is that file. Gives what is to be said.
fn cut_back(file: &mut File, path: &Path, known: &[Length]) -> io::Result<Option<String>> {
    let about = file.metadata()?;
    let name = path.to_string_lossy();
    let length = known.iter().find(|length| length.path == name);
    let same = length.filter(|length| (length.device, length.inode) == (about.dev(), about.ino()));
    let note = match (length, same) {
        (_, Some(length)) if about.len() > length.bytes => {
            file.set_len(length.bytes)?;
            file.sync_data()?;
            let gone = about.len() - length.bytes;
            Some(format!("{name}: {gone} bytes behind the saved state are cut off; their alerts come again"))
        }
        (_, Some(length)) if about.len() < length.bytes => {
            Some(format!("{name} is shorter than it was left: somebody has cut it. Alerts go on at its end"))
        }
        (_, Some(_)) => None,
        (Some(_), None) => Some(format!("{name} is another file than before; alerts go on in it")),
        (None, None) if about.len() > 0 => Some(format!("{name} is not empty; alerts go on at its end")),
        (None, None) => None,
    };
    // What somebody else has left may end within a line.
    let length = file.metadata()?.len();
    let mut last = *b"\n";
    if length > 0 {
        file.read_exact_at(&mut last, length - 1)?;
    }
    if last != *b"\n" {
        file.write_all(b"\n")?;
    }
    Ok(note)
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
