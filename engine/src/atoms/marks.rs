//! Bits of answers, and what is needed while they are found.

use regex_automata::PatternSet;

/// Sets a bit.
#[inline]
pub(super) fn set(words: &mut [u64], bit: u32) {
    if let Some(word) = words.get_mut(bit as usize / 64) {
        *word |= 1 << (bit % 64);
    }
}

/// Whether a bit is set.
#[inline]
pub(super) fn has(words: &[u64], bit: u32) -> bool {
    words.get(bit as usize / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
}

/// The bits of a word.
pub(super) struct Bits(pub(super) u64);

impl Iterator for Bits {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let bit = self.0.trailing_zeros();
        self.0 &= self.0.wrapping_sub(1);
        (bit < 64).then_some(bit as usize)
    }
}

/// Where the answers about one text are put.
pub(super) struct Marks<'m> {
    /// What is true.
    pub(super) yes: &'m mut [u64],
    /// What has been asked of this text and costs too much to be asked again.
    pub(super) tried: &'m mut [u64],
    /// Which patterns of an automaton hold.
    pub(super) patterns: &'m mut PatternSet,
}

impl Marks<'_> {
    /// Whether this is the first time for this text.
    pub(super) fn first_time(&mut self, bit: u32) -> bool {
        let first = !has(self.tried, bit);
        set(self.tried, bit);
        first
    }
}
