//! Any bytes in any pieces: cutting lines off without framing them finds what framing all of it finds.

#![no_main]

use engine::frame::blocks::{Block, Blocks};
use engine::frame::{Framer, Kind};
use engine::matches::{Reason, SourceId};
use libfuzzer_sys::fuzz_target;

const LINE_BYTES_MAX: usize = 64;

type Found = (Kind, u64, Vec<u8>);

/// By the framer alone, which has all of it at hand.
fn framed(text: &[u8]) -> Vec<Found> {
    let mut framer = Framer::new(LINE_BYTES_MAX);
    let (mut at, mut out) = (0, Vec::new());
    while let Some(frame) = framer.next(&text[at..], true) {
        let bytes = match frame.kind {
            Kind::Broken(Reason::TooLarge) => &[],
            _ => &text[at + frame.start..at + frame.end],
        };
        out.push((frame.kind, (at + frame.start) as u64, bytes.to_vec()));
        at += frame.end;
    }
    out
}

fn in_blocks(text: &[u8], piece: usize, block: usize) -> Vec<Found> {
    let mut blocks = Blocks::new(SourceId(0), block, LINE_BYTES_MAX);
    text.chunks(piece).for_each(|piece| blocks.push(piece));
    blocks.finish();
    let mut out = Vec::new();
    std::iter::from_fn(|| blocks.pop()).for_each(|block: Block| {
        block.each(|part| out.push((part.kind, part.offset, part.bytes(&block).to_vec())));
    });
    out
}

fuzz_target!(|bytes: &[u8]| {
    let [piece, block, text @ ..] = bytes else { return };
    let wanted = framed(text);
    assert_eq!(in_blocks(text, usize::from(*piece).max(1), usize::from(*block).max(1)), wanted);
    assert_eq!(in_blocks(text, text.len().max(1), usize::MAX), wanted);
});
