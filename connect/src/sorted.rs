//! Alerts in order at the end of a bounded run, however many there are.
//!
//! They are kept in memory up to a limit. Beyond it what is held is sorted and laid aside in an unnamed temporary
//! file, and at the end those files are read side by side: an external merge sort, whose memory is the limit and one alert per file. Tens
//! of thousands of alerts fit the limit, so mostly no file is ever made.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use crate::Error;

/// How many bytes of alerts are held before they are laid aside.
const HELD_BYTES_MAX: usize = 64 << 20;
/// What one alert costs besides its texts, roughly, in bytes.
const OVERHEAD_BYTES: usize = 128;

/// An alert on its way to the sinks. The order is that of the fields: time, rule, id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Nanoseconds since the Unix epoch.
    pub time: i64,
    /// The rule's name.
    pub rule: String,
    /// The alert's id.
    pub id: [u8; 16],
    /// What is written.
    pub text: String,
}

/// Takes entries in any order and gives them back sorted.
#[derive(Debug)]
pub struct Sorter {
    held: Vec<Entry>,
    held_bytes: usize,
    held_bytes_max: usize,
    runs: Vec<File>,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::with_limit(HELD_BYTES_MAX)
    }
}

impl Sorter {
    fn with_limit(held_bytes_max: usize) -> Self {
        Self { held: Vec::new(), held_bytes: 0, held_bytes_max, runs: Vec::new() }
    }

    /// Takes one more.
    ///
    /// # Errors
    /// If there is no room for a temporary file.
    pub fn push(&mut self, entry: Entry) -> Result<(), Error> {
        self.held_bytes += OVERHEAD_BYTES + entry.rule.len() + entry.text.len();
        self.held.push(entry);
        if self.held_bytes > self.held_bytes_max {
            self.lay_aside().map_err(|cause| lost(&cause))
        } else {
            Ok(())
        }
    }

    fn lay_aside(&mut self) -> io::Result<()> {
        self.held.sort_unstable();
        let mut writer = BufWriter::new(tempfile::tempfile()?);
        for entry in self.held.drain(..) {
            write_entry(&mut writer, &entry)?;
        }
        let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        self.runs.push(file);
        self.held_bytes = 0;
        Ok(())
    }

    /// Gives all of them, in order.
    ///
    /// # Errors
    /// If `each` fails, or a temporary file cannot be read.
    pub fn finish(mut self, mut each: impl FnMut(Entry) -> Result<(), Error>) -> Result<(), Error> {
        self.held.sort_unstable();
        let mut runs: Vec<Run> = self.runs.into_iter().map(|file| Run::File(BufReader::new(file))).collect();
        runs.push(Run::Held(self.held.into_iter()));
        let mut heads = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next().map_err(|cause| lost(&cause))?.map(|entry| Reverse((entry, number))));
        }
        while let Some(Reverse((entry, number))) = heads.pop() {
            each(entry)?;
            let next = runs.get_mut(number).map_or(Ok(None), Run::next).map_err(|cause| lost(&cause))?;
            heads.extend(next.map(|entry| Reverse((entry, number))));
        }
        Ok(())
    }
}

fn lost(cause: &io::Error) -> Error {
    Error::named("keep alerts in", "a temporary file", cause)
}

/// A sorted row of entries.
enum Run {
    Held(std::vec::IntoIter<Entry>),
    File(BufReader<File>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        match self {
            Self::Held(entries) => Ok(entries.next()),
            Self::File(file) => read_entry(file),
        }
    }
}

fn write_entry(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    out.write_all(&entry.time.to_le_bytes())?;
    out.write_all(&entry.id)?;
    for text in [&entry.rule, &entry.text] {
        out.write_all(&(text.len() as u64).to_le_bytes())?;
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

fn read_entry(file: &mut impl Read) -> io::Result<Option<Entry>> {
    let mut time = [0; 8];
    // Only between two entries may the file end.
    if file.read(&mut time[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut time[1..])?;
    let mut id = [0; 16];
    file.read_exact(&mut id)?;
    let (rule, text) = (read_text(file)?, read_text(file)?);
    Ok(Some(Entry { time: i64::from_le_bytes(time), rule, id, text }))
}

fn read_text(file: &mut impl Read) -> io::Result<String> {
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let mut text = String::new();
    file.take(u64::from_le_bytes(length)).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests;
