//! Bytes to documents: where each one begins and ends, before anything is decoded.
//!
//! Mostly a document is a line. But lists of events are pretty-printed over many, two stand on one, and lines get cut
//! off in the middle. So the framer follows the structure of JSON lightly (brackets, strings, what may come next) and
//! leaves the rest to the decoder. An array at the top is taken apart: its brackets and commas are blanks between
//! documents, so an array of any size streams, and an error in one element loses that one alone.
//!
//! # What is cut off
//!
//! A line break inside a string, a token that cannot follow, or the end of input makes a document broken, up to the end
//! of that line; the next line begins anew. A cut can also end where the next line's event would be a value of the cut
//! one (`"a":` and then `{…}`). So a line that begins with `{` in its first column never goes on an open document,
//! unless as an element of a list of records just below the top (`"items":[`). Where such a list turns out broken,
//! framing goes back to the first line that could have begun anew. No byte is looked at more than three times.
//!
//! # Lines
//!
//! Mostly a line is a document, and whoever decodes it sees so on the way. So of a line that begins with `{` (between
//! documents), ends with `}` and is followed by a line that begins with `{`, or by nothing, [`blocks`] asks no more:
//! whatever is in it, the framer would be between documents again at the next line's start, and nothing found in it
//! could depend on what stands before or behind. Either a document is complete with the last `}`, or that is text
//! behind one, which goes to the line's end; or the line break is in a string; or a bracket is open, and then the next
//! line's `{` can go on with it only behind a `[` or a comma. Such lines are framed where they are decoded, each
//! [`alone`], and only if a decoder of lines does not know them.
//!
//! # Chunks
//!
//! The answer is a function of the bytes: how they are cut into chunks changes nothing. A document above the limit is
//! passed over up to the line break behind the limit, without being kept.

pub mod blocks;
mod lines;
mod scan;

#[cfg(test)]
mod tests;

use crate::matches::Reason;
use crate::planted::planted;

use scan::{Scan, Stop};

/// Something that a framer has found, as a range of the buffer that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins.
    pub start: usize,
    /// One past its end. The next call wants the buffer from here.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document, complete as far as its structure tells.
    Document,
    /// A comment line.
    Comment,
    /// No document.
    Broken(Reason),
    /// Lines, each of which begins with `{` and ends with `}`: what is in them [`alone`] finds, line by line. Made of
    /// blocks only.
    Lines,
}

/// Frames a line with its line break, as if nothing stood before or behind it.
pub fn alone(line: &[u8], mut found: impl FnMut(Frame)) {
    let mut framer = Framer::new(line.len().max(1));
    let mut at = 0;
    while let Some(frame) = framer.next(line.get(at..).unwrap_or_default(), true) {
        found(Frame { start: at + frame.start, end: at + frame.end, kind: frame.kind });
        at += frame.end;
    }
}

/// See the module.
#[derive(Debug)]
pub struct Framer {
    line_bytes_max: usize,
    mode: Mode,
    /// Where the document at hand begins.
    start: usize,
    /// What has been looked at.
    at: usize,
    /// Bytes of a document that is too large and was let go of.
    passed: u64,
    scan: Scan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Between documents.
    Between,
    /// In a document.
    Open,
    /// Up to the end of the line, which decides what it is.
    Line(Line),
    /// Over a document that is too large.
    Over,
}

/// What a whole line is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Comment,
    /// Not JSON, or a JSON string on its own.
    Text,
    /// A document went wrong in it.
    Broken,
    /// A part of a line that a container runtime has split.
    Partial,
}

impl Framer {
    /// A framer that keeps no document longer than that.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self { line_bytes_max, mode: Mode::Between, start: 0, at: 0, passed: 0, scan: Scan::default() }
    }

    /// The next thing in the buffer; nothing: it needs more bytes behind it, or, at the end, there is nothing more.
    ///
    /// After a frame the buffer must be given again from its end on; after nothing, from the same place on, with more
    /// behind it, or less the bytes that [`Self::let_go`] gives back.
    pub fn next(&mut self, buf: &[u8], end: bool) -> Option<Frame> {
        loop {
            let frame = match self.mode {
                Mode::Between => match self.between(buf, end)? {
                    true => continue,
                    false => return None,
                },
                Mode::Open => self.open(buf, end),
                Mode::Line(line) => self.line(buf, end, line),
                Mode::Over => self.over(buf, end),
            };
            match frame {
                Step::Again => {}
                Step::More => return None,
                Step::Found(to, kind) => {
                    let frame = Frame { start: self.start, end: to, kind };
                    self.mode = Mode::Between;
                    self.start = 0;
                    self.at = 0;
                    return Some(frame);
                }
            }
        }
    }

    /// Whether it is between documents, so that it may be left out over bytes that are framed otherwise.
    fn is_between(&self) -> bool {
        self.mode == Mode::Between && self.passed == 0
    }

    /// Begins anew, between documents.
    fn restart(&mut self) {
        self.mode = Mode::Between;
        self.start = 0;
        self.at = 0;
    }

    /// How many bytes at the front of the buffer are no longer needed; they must be taken away then. Not 0 only in a
    /// document that is too large.
    pub fn let_go(&mut self) -> usize {
        if self.mode != Mode::Over {
            return 0;
        }
        let gone = self.at;
        // Nothing before is needed: the document goes on at the buffer's new start.
        self.passed += (gone - self.start) as u64;
        self.start = 0;
        self.at = 0;
        gone
    }

    /// How many bytes the frame just found had that were let go of; they are before its start. Asked once.
    pub fn passed(&mut self) -> u64 {
        std::mem::take(&mut self.passed)
    }

    /// Looks for the start of a document. True: found one.
    fn between(&mut self, buf: &[u8], end: bool) -> Option<bool> {
        while let Some(&byte) = buf.get(self.at) {
            let rest = &buf[self.at..];
            let begin = match byte {
                // A list's brackets and commas at the top are blanks.
                b' ' | b'\t' | b'\r' | b'\n' | b',' | b'[' | b']' => {
                    self.at += 1;
                    continue;
                }
                0xef if rest.len() < 3 && !end => return None,
                0xef if rest.starts_with(b"\xef\xbb\xbf") => {
                    self.at += 3;
                    continue;
                }
                b'{' => {
                    self.scan = Scan::default();
                    Mode::Open
                }
                b'#' => Mode::Line(Line::Comment),
                b'/' if rest.len() < 2 && !end => return None,
                b'/' if rest.starts_with(b"//") => Mode::Line(Line::Comment),
                b'0'..=b'9' => match lines::runtime_prefix(rest, end)? {
                    lines::Prefix::None => Mode::Line(Line::Text),
                    lines::Prefix::Partial => Mode::Line(Line::Partial),
                    lines::Prefix::Full(len) => {
                        self.at += len;
                        continue;
                    }
                },
                _ => Mode::Line(Line::Text),
            };
            self.start = self.at;
            self.mode = begin;
            return Some(true);
        }
        Some(false)
    }

    fn open(&mut self, buf: &[u8], end: bool) -> Step {
        let stop = self.scan.go_on(buf, &mut self.at, self.start);
        let limit = self.start.saturating_add(self.line_bytes_max);
        // Lines that could begin anew lead back to them, but only those before the limit.
        let anew = self.scan.anew.filter(|at| *at <= limit);
        if self.at > limit && (self.at <= buf.len()) {
            if let Some(anew) = anew {
                return Step::Found(anew, Kind::Broken(Reason::CutOff));
            }
            self.at = limit;
            self.mode = Mode::Over;
            return Step::Again;
        }
        match (stop, anew) {
            (Stop::Complete, _) => Step::Found(self.at, Kind::Document),
            (Stop::End, _) if !end => Step::More,
            (Stop::NewLine(at), None) => Step::Found(at, Kind::Broken(Reason::CutOff)),
            (Stop::InString, None) if planted(63) => Step::Found(self.at, Kind::Broken(Reason::NotJson)),
            (Stop::InString, None) => Step::Found(self.at, Kind::Broken(Reason::CutOff)),
            (Stop::End, None) => Step::Found(buf.len(), Kind::Broken(Reason::CutOff)),
            (Stop::Illegal, None) => {
                self.mode = Mode::Line(Line::Broken);
                Step::Again
            }
            (_, Some(anew)) => Step::Found(anew, Kind::Broken(Reason::CutOff)),
        }
    }

    fn line(&mut self, buf: &[u8], end: bool, line: Line) -> Step {
        let line_end = match memchr::memchr(b'\n', &buf[self.at..]) {
            Some(found) => Some(self.at + found),
            None => end.then_some(buf.len()),
        };
        let limit = self.start.saturating_add(self.line_bytes_max);
        if line_end.unwrap_or(buf.len()) > limit {
            self.at = limit;
            self.mode = Mode::Over;
            return Step::Again;
        }
        let Some(to) = line_end else {
            self.at = buf.len();
            return Step::More;
        };
        let text = &buf[self.start..to];
        match line {
            Line::Comment => Step::Found(to, Kind::Comment),
            Line::Text => match lines::only_string(text) {
                Some(len) => Step::Found(self.start + len, Kind::Document),
                None => Step::Found(to, Kind::Broken(Reason::NotJson)),
            },
            Line::Broken if lines::marked_truncated(text) => Step::Found(to, Kind::Broken(Reason::CutOff)),
            Line::Broken => Step::Found(to, Kind::Broken(Reason::NotJson)),
            Line::Partial => Step::Found(to, Kind::Broken(Reason::CutOff)),
        }
    }

    fn over(&mut self, buf: &[u8], end: bool) -> Step {
        match memchr::memchr(b'\n', buf.get(self.at..).unwrap_or_default()) {
            Some(found) => Step::Found(self.at + found, Kind::Broken(Reason::TooLarge)),
            None => {
                self.at = self.at.max(buf.len());
                if end { Step::Found(buf.len(), Kind::Broken(Reason::TooLarge)) } else { Step::More }
            }
        }
    }
}

enum Step {
    Again,
    More,
    Found(usize, Kind),
}
