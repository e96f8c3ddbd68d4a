//! Input cut into blocks of whole documents, so that any thread can match any of them.
//!
//! A block knows where its documents are: framing goes through the input once, in order, and what comes behind it needs
//! no order at all. Lines that surely stand alone are only counted off here (`frame`, "Lines"). Memory is the block at hand and one document.
//! Blocks that come back are used again, so that of a long input no block needs new memory. Bytes are read to where the block has
//! them ([`Blocks::read`]); what stands behind a block's last document, mostly a part of a line, is all that is copied.

use std::collections::VecDeque;

use crate::matches::{Nanos, Reason, SourceId};

use super::{Frame, Framer, Kind};

/// How many bytes of documents a block has, unless told, and if no single one is longer.
pub const BLOCK_BYTES: usize = 256 << 10;
/// Bytes looked at in one go where they are pushed, so that what is left of them is not moved around often.
const PIECE_BYTES: usize = 256 << 10;
/// Read behind a block's size: mostly the end of the line is there, and what is left over behind it is little to copy.
const BEHIND_BYTES: usize = 8 << 10;
/// The least that is asked for, in a document longer than a block.
const READ_BYTES_MIN: usize = 64 << 10;
/// As much memory is kept for later blocks.
const SPARES_MAX: usize = 16;

/// Whole documents of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The source.
    pub source: SourceId,
    /// Of the first byte, in the source.
    pub offset: u64,
    /// What is in it. Of a document that is too large the bytes are missing.
    pub bytes: Vec<u8>,
    /// Bytes of input that the block stands for.
    pub length: u64,
    /// What was found, in order.
    pub parts: Vec<Part>,
    /// Of messages: of each part, when its message was stamped, [`Nanos::MAX`] if it was not. Whatever is in such a part is
    /// then told to be at the part's offset, which is that of its message. Of bytes nothing.
    pub stamps: Vec<Nanos>,
}

/// Something found in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where its bytes begin in [`Block::bytes`].
    pub start: usize,
    /// One past their end.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
    /// Where it begins in its source.
    pub offset: u64,
    /// How many bytes it has there.
    pub length: u64,
}

/// Why bytes are framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    MoreComes,
    /// What there is, since more may be long in coming.
    Now,
    AtTheEnd,
}

/// Whether a line surely stands alone.
enum Lone {
    /// Yes, and the next one begins here.
    Until(usize),
    No,
    /// More bytes will tell.
    Perhaps,
}

/// Cuts a source into blocks.
#[derive(Debug)]
pub struct Blocks {
    source: SourceId,
    block_bytes: usize,
    line_bytes_max: usize,
    framer: Framer,
    /// Room, as long as it has ever been in use, so that nothing need be zeroed to be read into; what is there is `filled`.
    room: Vec<u8>,
    filled: usize,
    /// Of the buffer's first byte, in the source.
    offset: u64,
    /// What of the buffer has been framed.
    framed: usize,
    /// Up to here no line break has been found behind what has been framed.
    searched: usize,
    parts: Vec<Part>,
    ready: VecDeque<Block>,
    /// Memory of blocks that came back.
    spares: Vec<(Vec<u8>, Vec<Part>)>,
}

impl Blocks {
    /// Blocks of about `block_bytes`, from documents no longer than `line_bytes_max`.
    #[must_use]
    pub fn new(source: SourceId, block_bytes: usize, line_bytes_max: usize) -> Self {
        Self {
            source,
            block_bytes,
            line_bytes_max,
            framer: Framer::new(line_bytes_max),
            room: Vec::new(),
            filled: 0,
            offset: 0,
            framed: 0,
            searched: 0,
            parts: Vec::new(),
            ready: VecDeque::new(),
            spares: Vec::new(),
        }
    }

    /// The first byte that it is given has this offset in its source: where a block ended ([`Block::resumes`]).
    #[must_use]
    pub fn starting_at(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// All of `bytes` as one block; no limit of length but their own.
    #[must_use]
    pub fn whole(source: SourceId, bytes: &[u8]) -> Block {
        let mut blocks = Self::new(source, usize::MAX, bytes.len().max(1));
        blocks.push(bytes);
        blocks.finish();
        blocks.pop().unwrap_or(Block { source, ..Block::default() })
    }

    /// Takes more of the source.
    pub fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE_BYTES) {
            let to = self.filled + piece.len();
            self.make_room(to);
            self.room[self.filled..to].copy_from_slice(piece);
            self.filled = to;
            self.frame(When::MoreComes);
        }
    }

    /// Lets the source be read: `fill` puts what comes next to the front of what it is given and says how much that is, which
    /// is given back.
    ///
    /// # Errors
    /// That of `fill`; nothing is changed then.
    pub fn read<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<usize, E> {
        let most = self.block_bytes.saturating_add(BEHIND_BYTES).max(self.filled + READ_BYTES_MIN);
        self.make_room(most);
        let got = fill(&mut self.room[self.filled..most])?.min(most - self.filled);
        self.filled += got;
        self.frame(When::MoreComes);
        Ok(got)
    }

    fn make_room(&mut self, to: usize) {
        if self.room.len() < to {
            self.room.resize(to, 0);
        }
    }

    /// What is there of the source and in no block yet.
    fn held(&self) -> &[u8] {
        &self.room[..self.filled]
    }

    /// Makes a block of what is complete, however little it is: for a live source, whose next bytes may be long in coming.
    pub fn flush(&mut self) {
        self.frame(When::Now);
        self.cut();
    }

    /// Makes a block of what has been framed so far, and would have been whatever comes behind it.
    pub fn cut_off(&mut self) {
        self.cut();
    }

    /// The source has ended.
    pub fn finish(&mut self) {
        self.frame(When::AtTheEnd);
        self.framed = self.filled;
        self.cut();
    }

    /// The next block that is ready.
    pub fn pop(&mut self) -> Option<Block> {
        self.ready.pop_front()
    }

    /// Takes a block back, of which nobody needs anything any more, for its memory.
    pub fn take_back(&mut self, block: Block) {
        // That of a document much larger than a block would be kept for nothing.
        let usual = block.bytes.capacity() <= self.block_bytes.saturating_mul(4);
        if usual && block.bytes.capacity() > 0 && self.spares.len() < SPARES_MAX {
            self.spares.push((block.bytes, block.parts));
        }
    }

    /// Takes the lines from here on that surely stand alone. Gives whether what is left may be another one, once more
    /// bytes came: then it is waited for, so that it does not hang on the pieces in which a source comes what is framed
    /// and what is not.
    fn lines(&mut self, end: bool) -> bool {
        let blank = |byte: &&u8| matches!(**byte, b'\n' | b'\r');
        let rest = self.held().get(self.framed..).unwrap_or_default();
        let mut from = self.framed + rest.iter().take_while(blank).count();
        let mut at = from;
        let open = loop {
            match self.lone_line(at, end) {
                Lone::Until(next) => at = next,
                Lone::No => break false,
                Lone::Perhaps => break true,
            }
            if at >= self.block_bytes {
                self.found_lines(from, at);
                self.cut();
                (from, at) = (0, 0);
            }
        };
        if at > from {
            self.found_lines(from, at);
        }
        open
    }

    /// Whether the line at `at` surely stands alone.
    fn lone_line(&mut self, at: usize, end: bool) -> Lone {
        let rest = self.room.get(at..self.filled).unwrap_or_default();
        if rest.first() != Some(&b'{') {
            return Lone::No;
        }
        let from = self.searched.saturating_sub(at).min(rest.len());
        let Some(found) = memchr::memchr(b'\n', &rest[from..]) else {
            self.searched = self.filled;
            return if rest.len() < self.line_bytes_max { Lone::Perhaps } else { Lone::No };
        };
        let line = &rest[..from + found];
        let next = at + line.len() + 1;
        if next - at > self.line_bytes_max || !line.strip_suffix(b"\r").unwrap_or(line).ends_with(b"}") {
            return Lone::No;
        }
        match self.held().get(next) {
            Some(b'{') => Lone::Until(next),
            None if end => Lone::Until(next),
            None => Lone::Perhaps,
            Some(_) => Lone::No,
        }
    }

    fn found_lines(&mut self, from: usize, to: usize) {
        self.parts.push(Part {
            start: from,
            end: to,
            kind: Kind::Lines,
            offset: self.offset + from as u64,
            length: (to - from) as u64,
        });
        self.framed = to;
        self.framer.restart();
    }

    fn frame(&mut self, when: When) {
        let end = when == When::AtTheEnd;
        loop {
            if self.framer.is_between() && self.lines(end) && when == When::MoreComes {
                return;
            }
            match self.framer.next(&self.room[self.framed..self.filled], end) {
                Some(frame) => self.found(frame),
                None => {
                    self.let_go();
                    return;
                }
            }
        }
    }

    fn found(&mut self, frame: Frame) {
        let passed = self.framer.passed();
        let begins = self.framed + frame.start;
        self.parts.push(Part {
            start: begins,
            end: self.framed + frame.end,
            kind: frame.kind,
            offset: self.offset + begins as u64 - passed,
            length: (frame.end - frame.start) as u64 + passed,
        });
        self.framed += frame.end;
        if self.framed >= self.block_bytes {
            self.cut();
        }
    }

    /// Drops what the framer passes over, once all before it is in a block.
    fn let_go(&mut self) {
        let gone = self.framer.let_go();
        if gone > 0 {
            self.cut();
            self.room.copy_within(gone..self.filled, 0);
            self.filled -= gone;
            self.searched = 0;
            self.offset += gone as u64;
            self.pass(gone as u64);
        }
    }

    /// Bytes that no block holds still count as read.
    fn pass(&mut self, bytes: u64) {
        self.ready.push_back(Block {
            source: self.source,
            offset: self.offset - bytes,
            length: bytes,
            ..Block::default()
        });
    }

    fn cut(&mut self) {
        if self.framed == 0 && self.parts.is_empty() {
            return;
        }
        let (mut room, mut parts) = self.spares.pop().unwrap_or_default();
        parts.clear();
        let left = self.filled - self.framed;
        if room.len() < left {
            room.resize(left, 0);
        }
        room[..left].copy_from_slice(&self.room[self.framed..self.filled]);
        self.room.truncate(self.framed);
        let bytes = std::mem::replace(&mut self.room, room);
        self.filled = left;
        let length = bytes.len() as u64;
        self.ready.push_back(Block {
            source: self.source,
            offset: self.offset,
            bytes,
            length,
            parts: std::mem::replace(&mut self.parts, parts),
            stamps: Vec::new(),
        });
        self.offset += length;
        self.framed = 0;
        self.searched = 0;
    }
}

impl Block {
    /// Whether a source can be read on from its end as if it began there: the framer stands between documents. If not, a
    /// document that is too large goes on behind it.
    #[must_use]
    pub fn resumes(&self) -> bool {
        !(self.bytes.is_empty() && self.parts.is_empty())
    }

    /// Each document of it, each comment and each thing broken, in order.
    pub fn each(&self, mut found: impl FnMut(Part)) {
        for part in &self.parts {
            if part.kind != Kind::Lines {
                found(*part);
                continue;
            }
            let lines = self.bytes.get(part.start..part.end).unwrap_or_default();
            let mut at = 0;
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                super::alone(line, |frame| {
                    let begins = at + frame.start;
                    found(Part {
                        start: part.start + begins,
                        end: part.start + at + frame.end,
                        kind: frame.kind,
                        offset: part.offset + begins as u64,
                        length: (frame.end - frame.start) as u64,
                    });
                });
                at += line.len();
            }
        }
    }
}

impl Part {
    /// Its bytes; nothing of a document that is too large.
    #[must_use]
    pub fn bytes<'b>(&self, block: &'b Block) -> &'b [u8] {
        match self.kind {
            Kind::Broken(Reason::TooLarge) => &[],
            _ => block.bytes.get(self.start..self.end).unwrap_or_default(),
        }
    }
}
