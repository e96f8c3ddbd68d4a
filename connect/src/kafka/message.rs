//! One message as part of a block: its value is what a file could hold, one document or many.
//!
//! Mostly it is one event on one line, and stands in the block as a line does, so that the decoders of lines read it. Anything
//! else is framed here as a whole, at its own beginning and end. Whatever is in it is told to be at the message's offset.

use engine::frame::Framer;
use engine::frame::Kind;
use engine::frame::blocks::{BLOCK_BYTES, Block, Part};
use engine::matches::{Nanos, Reason};

const NANOS_PER_MS: i64 = 1_000_000;

/// Messages of a partition that become a block.
#[derive(Debug, Default)]
pub(super) struct Building {
    block: Block,
}

impl Building {
    /// Adds a message; `stamp` is in milliseconds since the Unix epoch.
    pub(super) fn add(&mut self, value: &[u8], offset: i64, stamp: Option<i64>, line_bytes_max: usize) {
        let offset = u64::try_from(offset).unwrap_or_default();
        let block = &mut self.block;
        if block.parts.is_empty() {
            block.offset = offset;
        }
        block.length += value.len() as u64;
        let stamp = stamp.map_or(Nanos::MAX, |ms| ms.saturating_mul(NANOS_PER_MS));
        let start = block.bytes.len();
        let part = |start, end, kind, length: usize| Part { start, end, kind, offset, length: length as u64 };
        if value.len() > line_bytes_max {
            block.parts.push(part(start, start, Kind::Broken(Reason::TooLarge), value.len()));
            block.stamps.push(stamp);
            return;
        }
        block.bytes.extend_from_slice(value);
        if is_a_line(value) {
            if !value.ends_with(b"\n") {
                block.bytes.push(b'\n');
            }
            block.parts.push(part(start, block.bytes.len(), Kind::Lines, value.len()));
            block.stamps.push(stamp);
            return;
        }
        let mut framer = Framer::new(line_bytes_max);
        let mut at = 0;
        while let Some(frame) = framer.next(value.get(at..).unwrap_or_default(), true) {
            let (from, to) = (start + at + frame.start, start + at + frame.end);
            block.parts.push(part(from, to, frame.kind, to - from));
            block.stamps.push(stamp);
            at += frame.end;
        }
    }

    /// Whether it is as large as a block should be.
    pub(super) fn is_full(&self) -> bool {
        self.block.bytes.len() >= BLOCK_BYTES
    }

    /// What was added, if anything was. The next messages come into the memory of a spare block, if there is one.
    pub(super) fn cut(&mut self, spare: impl FnOnce() -> Option<Block>) -> Option<Block> {
        if self.block.length == 0 {
            return None;
        }
        let mut next = spare().unwrap_or_default();
        next.bytes.clear();
        next.parts.clear();
        next.stamps.clear();
        next.length = 0;
        Some(std::mem::replace(&mut self.block, next))
    }
}

/// Whether a value is a line that begins with `{` and ends with `}`, with or without its line break.
fn is_a_line(value: &[u8]) -> bool {
    let line = value.strip_suffix(b"\n").unwrap_or(value);
    let said = line.strip_suffix(b"\r").unwrap_or(line);
    said.starts_with(b"{") && said.ends_with(b"}") && memchr::memchr(b'\n', line).is_none()
}

#[cfg(test)]
mod tests;
