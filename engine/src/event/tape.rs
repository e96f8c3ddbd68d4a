//! The general decoder: simd-json's tape, copied into a [`Document`].
//!
//! The tape and our nodes stand one to one, so the copy is one loop; then every map is looked through for equal keys
//! (compared unescaped, since the tape's texts are), of which the last one wins and each other one is counted.

use simd_json::{Buffers, ErrorType, INPUT_PADDING, Node as TapeNode, StaticNode, Tape};

use crate::limits::JSON_DEPTH_MAX;
use crate::matches::Reason;
use crate::planted::planted;

use super::document::{Document, Node};
use super::mend;

/// A decoder with its buffers, used again and again.
pub(crate) struct TapeDecoder {
    buffers: Buffers,
    tape: Tape<'static>,
    /// What is decoded, with room behind it that may be read.
    bytes: Vec<u8>,
    keys: Vec<(u32, u32, u32)>,
    /// Keys that stood twice, so far.
    pub(crate) duplicate_keys: u64,
    /// Documents mended, so far.
    pub(crate) mended: u64,
}

impl std::fmt::Debug for TapeDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TapeDecoder").finish_non_exhaustive()
    }
}

impl Default for TapeDecoder {
    fn default() -> Self {
        Self {
            buffers: Buffers::with_max_depth(4096, JSON_DEPTH_MAX),
            tape: Tape(Vec::new()),
            bytes: Vec::new(),
            keys: Vec::new(),
            duplicate_keys: 0,
            mended: 0,
        }
    }
}

impl TapeDecoder {
    /// Fills `doc` with the JSON document that `text` is.
    pub(crate) fn load(&mut self, text: &[u8], doc: &mut Document) -> Result<(), Reason> {
        match self.strict(text, doc) {
            Err(Reason::NotJson) => {}
            result => return result,
        }
        self.bytes = mend::mend(text).ok_or(Reason::NotJson)?;
        self.parse(doc)?;
        self.mended += 1;
        Ok(())
    }

    /// As [`Self::load`], without mending.
    pub(crate) fn strict(&mut self, text: &[u8], doc: &mut Document) -> Result<(), Reason> {
        self.bytes.clear();
        self.bytes.extend_from_slice(text);
        self.parse(doc)
    }

    fn parse(&mut self, doc: &mut Document) -> Result<(), Reason> {
        doc.clear();
        let mut tape = std::mem::replace(&mut self.tape, Tape(Vec::new())).reset();
        let len = self.bytes.len();
        // So that it need not copy them once more.
        self.bytes.extend_from_slice(&[b' '; INPUT_PADDING]);
        let (bytes, buffers) = (&mut self.bytes, &mut self.buffers);
        // simd-json has an answer for everything but nothing at all.
        let result = match len {
            0 => Err(Reason::NotJson),
            _ => simd_json::fill_tape_padded(bytes, len, buffers, &mut tape).map_err(|error| {
                match error.error() {
                    ErrorType::DepthLimitExceeded => Reason::TooDeep,
                    _ => Reason::NotJson,
                }
            }),
        };
        if result.is_ok() {
            copy(&tape, doc);
        }
        self.tape = tape.reset();
        result?;
        self.unite(doc);
        Ok(())
    }

    /// Of equal keys of one map all but the last one die.
    fn unite(&mut self, doc: &mut Document) {
        for at in 0..doc.nodes.len() {
            let Node::Map { len, end } = doc.nodes[at] else { continue };
            if len < 2 {
                continue;
            }
            self.keys.clear();
            let mut entry = cut(at + 1);
            while entry < end {
                if let Node::Text { start, len } = doc.node(entry) {
                    self.keys.push((start, len, entry));
                }
                entry = doc.after(entry + 1);
            }
            let text = |key: &(u32, u32, u32)| doc.text(key.0, key.1);
            if self.keys.len() <= 8 {
                let distinct = self
                    .keys
                    .iter()
                    .enumerate()
                    .all(|(i, a)| self.keys[..i].iter().all(|b| a.1 != b.1 || text(a) != text(b)));
                if distinct {
                    continue;
                }
            }
            self.keys.sort_by(|a, b| text(a).cmp(text(b)).then(a.2.cmp(&b.2)));
            let mut dead = 0;
            let pairs = self.keys.windows(2).filter(|pair| text(&pair[0]) == text(&pair[1]));
            let losers: Vec<u32> = pairs.map(|pair| if planted(8) { pair[1].2 } else { pair[0].2 }).collect();
            for loser in losers {
                doc.nodes[loser as usize] = Node::DeadKey;
                dead += 1;
            }
            self.duplicate_keys += u64::from(dead);
            doc.nodes[at] = Node::Map { len: len - dead, end };
        }
    }
}

fn copy(tape: &Tape<'_>, doc: &mut Document) {
    doc.nodes.reserve(tape.0.len());
    for (at, node) in tape.0.iter().enumerate() {
        doc.nodes.push(match node {
            TapeNode::String(text) => {
                let start = cut(doc.arena.len());
                doc.arena.push_str(text);
                Node::Text { start, len: cut(text.len()) }
            }
            TapeNode::Object { len, count } => Node::Map { len: cut(*len), end: cut(at + 1 + count) },
            TapeNode::Array { len, count } => Node::List { len: cut(*len), end: cut(at + 1 + count) },
            TapeNode::Static(StaticNode::Null) => Node::Null,
            TapeNode::Static(StaticNode::Bool(b)) => Node::Bool(*b),
            #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
            TapeNode::Static(StaticNode::I64(n)) => Node::Number(*n as f64),
            #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
            TapeNode::Static(StaticNode::U64(n)) => Node::Number(*n as f64),
            TapeNode::Static(StaticNode::F64(n)) => Node::Number(*n),
        });
    }
}

fn cut(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
