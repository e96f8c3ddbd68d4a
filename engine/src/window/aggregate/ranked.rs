//! Values in their order, any of which can be looked up by its rank: for percentiles.
//!
//! The values lie sorted in pieces of at most [`PIECE_MAX`]; a Fenwick tree over the pieces' lengths finds the piece of a
//! rank. Entering and leaving are two binary searches and a short move of memory; the tree is built anew only when a piece
//! is split or is empty, which is rare enough not to count. No randomness, so nobody can aim at its shape.

/// A piece is split in two when it has grown to so many values.
const PIECE_MAX: usize = 512;

/// A sorted multiset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranked {
    /// None is empty.
    pieces: Vec<Vec<i64>>,
    /// `tree[i]`: how many values are in the pieces `i + 1 - lowbit(i + 1) ..= i`.
    tree: Vec<usize>,
    len: usize,
}

impl Ranked {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn insert(&mut self, value: i64) {
        self.len += 1;
        // The first piece that ends at or after it; what is above all goes to the last one.
        let at = self.pieces.partition_point(|piece| piece.last().is_some_and(|last| *last < value));
        let at = at.min(self.pieces.len().saturating_sub(1));
        let Some(piece) = self.pieces.get_mut(at) else {
            self.pieces.push(vec![value]);
            return self.build();
        };
        piece.insert(piece.partition_point(|other| *other < value), value);
        if piece.len() < PIECE_MAX {
            return self.count(at, 1);
        }
        let upper = piece.split_off(PIECE_MAX / 2);
        self.pieces.insert(at + 1, upper);
        self.build();
    }

    /// Takes one such value out, if there is one.
    pub(crate) fn remove(&mut self, value: i64) {
        let at = self.pieces.partition_point(|piece| piece.last().is_some_and(|last| *last < value));
        let Some(piece) = self.pieces.get_mut(at) else { return };
        let Ok(place) = piece.binary_search(&value) else { return };
        piece.remove(place);
        self.len -= 1;
        if piece.is_empty() {
            self.pieces.remove(at);
            return self.build();
        }
        self.count(at, -1);
    }

    /// The value of that rank, from 0.
    pub(crate) fn get(&self, mut rank: usize) -> Option<i64> {
        let mut before = 0;
        let mut step = self.tree.len().checked_ilog2().map_or(0, |bits| 1 << bits);
        while step > 0 {
            if let Some(count) = self.tree.get(before + step - 1)
                && *count <= rank
            {
                rank -= count;
                before += step;
            }
            step >>= 1;
        }
        self.pieces.get(before)?.get(rank).copied()
    }

    fn count(&mut self, piece: usize, more: isize) {
        let mut at = piece + 1;
        while let Some(count) = self.tree.get_mut(at - 1) {
            *count = count.saturating_add_signed(more);
            at += at & at.wrapping_neg();
        }
    }

    fn build(&mut self) {
        self.tree.clear();
        self.tree.extend(self.pieces.iter().map(Vec::len));
        for at in 1..=self.tree.len() {
            let above = at + (at & at.wrapping_neg());
            let count = self.tree[at - 1];
            if let Some(sum) = self.tree.get_mut(above - 1) {
                *sum += count;
            }
        }
    }
}

/// Which of `len` values in ascending order is the percentile, from 0. `docs/semantics.md`, "Aggregates".
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank that is computed in doubles, then held within bounds"
)]
pub(crate) fn rank(percent: f64, len: usize) -> usize {
    let rank = percent * len as f64 / 100.0;
    let rank = if crate::planted::planted(36) { rank.floor() } else { rank.ceil() } as usize;
    rank.clamp(1, len.max(1)) - 1
}
