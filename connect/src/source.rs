//! What a person may name as a source: `-`, a path, a glob, a topic of Kafka; and in which order files of one log come.
//!
//! A name with a scheme (`kafka://`) is never taken for a path, so that a source that is not built yet is refused
//! and not looked for on the disk. A name that stands for an existing file is that file, even with a `[` in it. A
//! folder is refused with advice: it holds other things than logs, and reading all of them would look like success.
//!
//! Files that a glob finds come in the order of their times, as their names tell them: the API server's own rotation
//! puts the time before the ending (`audit-2026-11-22T02-15-30.123.log`), logrotate a number (`audit.log.2.gz`,
//! higher is older) or a date behind it (`audit.log-20261122`). The name without any of them is the one that is being
//! written, hence the newest. The order only settles which is read first where no event has said so yet.

use std::cmp::Reverse;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::kafka::address::Events;

/// A source as it was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A topic of Kafka.
    Kafka(Events),
}

/// Turns what was named into inputs to open, in the order of the names, each glob's files in the order of their times.
/// A file that was named twice comes once.
///
/// # Errors
/// If a name is of a kind that is not built, or a glob is malformed or finds nothing.
pub fn find(names: &[OsString]) -> Result<Vec<Source>, Error> {
    let mut found: Vec<Source> = Vec::new();
    for name in names {
        for source in find_one(name)? {
            if !found.contains(&source) {
                found.push(source);
            }
        }
    }
    Ok(found)
}

fn find_one(name: &OsStr) -> Result<Vec<Source>, Error> {
    if name == "-" {
        return Ok(vec![Source::Stdin]);
    }
    if name.is_empty() {
        return Err(Error::usage("the name of a source is empty"));
    }
    let text = name.to_string_lossy();
    if let Some(address) = text.strip_prefix("kafka://") {
        return Ok(vec![Source::Kafka(Events::parse(address)?)]);
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(refuse_scheme(scheme));
    }
    let path = Path::new(name);
    if !text.contains(['*', '?', '[']) || path.exists() {
        return Ok(vec![Source::File(path.to_owned())]);
    }
    glob_files(&text)
}

fn refuse_scheme(scheme: &str) -> Error {
    match scheme {
        "webhook" => Error::usage(format!("sources of kind {scheme}:// are not built yet")),
        _ => Error::usage(format!(
            "there is no source of kind {scheme}://; a source is -, a path, a glob or kafka://"
        )),
    }
}

fn glob_files(pattern: &str) -> Result<Vec<Source>, Error> {
    let paths = glob::glob(pattern).map_err(|cause| {
        Error::usage(format!("{pattern} is no glob: {} at character {}", cause.msg, cause.pos + 1))
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|cause| Error::io("read", cause.path(), cause.error()))?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Error::failed(format!("no file fits {pattern}")));
    }
    files.sort_by_cached_key(|path| (age_of(path), path.clone()));
    Ok(files.into_iter().map(Source::File).collect())
}

/// Sorts files of one log from the oldest to the newest, and files of different logs by name.
fn age_of(path: &Path) -> (PathBuf, Age) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (log, age) = split_age(&name);
    (folder.join(log), age)
}

/// For so long after it was written to, a file may be written to again.
const STILL_WRITTEN: Duration = Duration::from_secs(3600);

/// Of each source whether more may come in it later: of a pipe always; of the files of one log that stand here only in the newest, and
/// not if it has not been written to for an hour.
#[must_use]
pub fn may_grow(sources: &[Source]) -> Vec<bool> {
    let age = |source: &Source| match source {
        Source::Stdin | Source::Kafka(_) => None,
        Source::File(path) => Some(age_of(path)),
    };
    let ages: Vec<_> = sources.iter().map(age).collect();
    let newer = |of: &(PathBuf, Age)| ages.iter().flatten().any(|(log, age)| *log == of.0 && *age > of.1);
    let grows = |(source, age): (&Source, &Option<(PathBuf, Age)>)| match (source, age) {
        (Source::File(path), Some(age)) => !newer(age) && !rests(path),
        _ => true,
    };
    sources.iter().zip(&ages).map(grows).collect()
}

/// Whether a file has not been written to for long.
fn rests(path: &Path) -> bool {
    let written = std::fs::metadata(path).and_then(|about| about.modified());
    written.is_ok_and(|at| at.elapsed().is_ok_and(|since| since > STILL_WRITTEN))
}

/// When a file was written, as far as its name tells; in order from old to new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// `audit.log.3`: the higher the older.
    Number(Reverse<u64>),
    /// A date and time, as digits.
    Time(String),
    /// None: it is being written.
    Now,
}

/// The name of the log without its time, and the time.
fn split_age(name: &str) -> (String, Age) {
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    if let Some((log, number)) = name.rsplit_once('.')
        && let (true, Ok(number)) = (number.len() <= 5, number.parse())
    {
        return (log.to_owned(), Age::Number(Reverse(number)));
    }
    let starts = name.match_indices(['-', '.', '_']).map(|(at, _)| at);
    for at in starts {
        if let Some((digits, length)) = time_at(&name[at + 1..]) {
            let rest = &name[at + 1 + length..];
            return (format!("{}{rest}", &name[..at]), Age::Time(digits));
        }
    }
    (name.to_owned(), Age::Now)
}

/// The digits of a date at the start of a text (with a time behind it, or without), and how long it is there.
fn time_at(text: &str) -> Option<(String, usize)> {
    let joins = |b: u8| matches!(b, b'-' | b':' | b'_' | b'T' | b'.');
    let stamp = |b: &u8| b.is_ascii_digit() || joins(*b);
    let mut length = text.bytes().take_while(stamp).count();
    while length > 0 && joins(text.as_bytes()[length - 1]) {
        length -= 1;
    }
    let digits: String = text[..length].chars().filter(char::is_ascii_digit).collect();
    let month = digits.get(4..6)?.parse::<u8>().ok()?;
    let day = digits.get(6..8)?.parse::<u8>().ok()?;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((digits, length))
}

#[cfg(test)]
mod tests;
