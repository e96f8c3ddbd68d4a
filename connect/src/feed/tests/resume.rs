//! A source read on from the end of any block gives what it gives when it is read whole.

use engine::frame::Kind;
use engine::frame::blocks::{Block, Blocks, Part};
use proptest::prelude::*;

use super::SOURCE;

/// What a document can look like, good and bad, and what stands between documents.
const PIECES: &[&str] = &[
    "{\"a\":1}\n",
    "{\"a\":1}\r\n",
    "{\"a\":1} {\"b\":2}\n",
    "{\n  \"a\": 1,\n  \"b\": [\n    {\"c\": 2}\n  ]\n}\n",
    "[{\"a\":1},{\"b\":2},\n{\"c\":3}]\n",
    "[\n  {\n    \"a\": 1\n  },\n",
    "  {\n    \"b\": 1\n  }\n]\n",
    "{\"kind\":\"EventList\",\"items\":[\n{\"a\":1},\n{\"b\":2}\n]}\n",
    "{\"kind\":\"EventList\",\"items\":[\n{\"a\":1},\n{\"b\":\n",
    "2026-11-22T12:00:00.1Z stdout F {\"a\":1}\n",
    "2026-11-22T12:00:00.1Z stdout P {\"a\":\n",
    "# a comment\n",
    "// another\n",
    "no json at all\n",
    "\"a text\"\n",
    "{\"cut\":\"off\n",
    "{\"cut\":\n",
    "{\"a\":1} trailing\n",
    "\u{feff}{\"a\":1}\n",
    "\n\n",
    "{\"long\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n",
];

/// All that is found from an offset on, and the offsets at which blocks can be gone on behind.
fn found(
    text: &[u8],
    from: usize,
    (block, piece): (usize, usize),
    live: bool,
) -> (Vec<(Kind, u64, u64)>, Vec<u64>) {
    let mut blocks = Blocks::new(SOURCE, block, 100).starting_at(from as u64);
    let (mut parts, mut ends) = (Vec::new(), Vec::new());
    let mut take = |blocks: &mut Blocks, ends: &mut Vec<u64>| {
        while let Some(block) = blocks.pop() {
            block.each(|Part { kind, offset, length, .. }| parts.push((kind, offset, length)));
            if resumes(&block) {
                ends.push(block.offset + block.length);
            }
        }
    };
    for piece in text[from..].chunks(piece) {
        blocks.push(piece);
        if live {
            blocks.flush();
        }
        take(&mut blocks, &mut ends);
    }
    blocks.cut_off();
    take(&mut blocks, &mut ends);
    blocks.finish();
    // What the end alone decided is no place to go on from.
    take(&mut blocks, &mut Vec::new());
    (parts, ends)
}

fn resumes(block: &Block) -> bool {
    block.resumes()
}

proptest! {
    #[test]
    fn a_source_goes_on_from_the_end_of_a_block(
        pieces in prop::collection::vec(0..PIECES.len(), 1..40),
        block in 1..300_usize,
        piece in 1..200_usize,
        grown in 0..8_usize,
    ) {
        let text: String = pieces.iter().map(|n| PIECES[*n]).collect();
        let (whole, _) = found(text.as_bytes(), 0, (block, 64), false);
        // Read when it was shorter; then it grew.
        let few = pieces.len() - grown.min(pieces.len() - 1);
        let then: String = pieces[..few].iter().map(|n| PIECES[*n]).collect();
        for length in [then.len(), then.len() - 1, then.len() / 2] {
            let (_, ends) = found(&text.as_bytes()[..length], 0, (block, piece), false);
            for end in ends {
                let (rest, _) = found(text.as_bytes(), end as usize, (block, piece), false);
                let behind: Vec<_> = whole.iter().filter(|(_, offset, _)| *offset >= end).copied().collect();
                prop_assert_eq!(&rest, &behind, "from {} of {:?}, read when it had {}", end, text, length);
                // Nothing that was found before reaches over it.
                prop_assert!(whole.iter().all(|(_, offset, length)| *offset >= end || offset + length <= end));
            }
        }
    }
}
