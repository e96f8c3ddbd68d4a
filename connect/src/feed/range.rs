//! A part of a file as whole lines, read where it is needed: whoever has a range of the file reads it by itself, in any order.
//!
//! A line belongs to the range in which it begins. So ranges that lie one behind the other give every line once, whatever
//! their size: the byte before a range tells whether a line begins with it, and what goes on past its end is read on. A range
//! in which no line begins gives nothing.
//!
//! Cost: one read a range, four KiB more than it has, into a buffer that is used again; a second one where a line goes on further.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::Error;

/// Read behind a range in the same go: the end of its last line is mostly there.
const BEHIND_BYTES: usize = 4 << 10;

/// A plain file that can be read anywhere.
#[derive(Debug)]
pub struct Plain {
    name: String,
    file: File,
}

/// Bytes of a file that are being used again; never shorter than what was read last.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    /// How many of them are the file's.
    filled: usize,
}

/// Lines of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lines<'b> {
    /// Of their first byte, in the file.
    pub offset: u64,
    /// The lines, each with its line break; the file's last one may have none.
    pub bytes: &'b [u8],
    /// The byte behind them; none: the file ends there.
    pub behind: Option<u8>,
    /// The file ends before the range does: ranges behind have nothing.
    pub last: bool,
    /// The last line is longer than may be read for one range, and is not whole.
    pub cut: bool,
}

impl Plain {
    /// A file under a name for people.
    #[must_use]
    pub fn new(name: String, file: File) -> Self {
        Self { name, file }
    }

    /// The lines that begin in a range. No more than `most` bytes are read for it, or one range's and a bit.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn lines<'b>(
        &self,
        range: Range<u64>,
        most: usize,
        buffer: &'b mut Buffer,
    ) -> Result<Lines<'b>, Error> {
        self.read(range, most, buffer).map_err(|cause| Error::named("read", &self.name, &cause))
    }

    fn read<'b>(&self, range: Range<u64>, most: usize, buffer: &'b mut Buffer) -> io::Result<Lines<'b>> {
        // With the byte before, which tells whether a line begins at the range's first.
        let from = range.start.saturating_sub(1);
        let length = usize::try_from(range.end - from).unwrap_or(usize::MAX);
        buffer.filled = 0;
        let mut ended = self.fill(from, length.saturating_add(BEHIND_BYTES), buffer)?;
        let last = buffer.filled < length;
        let nothing = |last| Lines { offset: range.end, bytes: &[], behind: None, last, cut: false };
        let head = buffer.filled().get(..length.min(buffer.filled)).unwrap_or_default();
        let start = match range.start {
            0 => 0,
            _ => match memchr::memchr(b'\n', head) {
                Some(found) if found + 1 < head.len() => found + 1,
                _ => return Ok(nothing(last)),
            },
        };
        // The line in which the range's last byte stands ends where its lines end.
        let mut looked = length - 1;
        let end = loop {
            let found = buffer.filled().get(looked..).and_then(|rest| memchr::memchr(b'\n', rest));
            if let Some(found) = found {
                break looked + found + 1;
            }
            if ended || buffer.filled >= most.max(length) {
                break buffer.filled;
            }
            looked = buffer.filled;
            ended = self.fill(from, buffer.filled * 2, buffer)?;
        };
        if end == buffer.filled && !ended {
            ended = self.fill(from, buffer.filled + 1, buffer)?;
        }
        let bytes = buffer.filled().get(start..end).unwrap_or_default();
        let behind = buffer.filled().get(end).copied();
        let cut = !bytes.ends_with(b"\n") && (behind.is_some() || !ended);
        Ok(Lines { offset: from + start as u64, bytes, behind, last, cut })
    }

    /// Reads on from what is there up to so many bytes. Gives whether the file ended before.
    fn fill(&self, from: u64, length: usize, buffer: &mut Buffer) -> io::Result<bool> {
        if buffer.bytes.len() < length {
            buffer.bytes.resize(length, 0);
        }
        while buffer.filled < length {
            let at = from + buffer.filled as u64;
            let Some(room) = buffer.bytes.get_mut(buffer.filled..length) else { break };
            match self.file.read_at(room, at) {
                Ok(0) => return Ok(true),
                Ok(got) => buffer.filled += got,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(false)
    }
}

impl Buffer {
    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}
