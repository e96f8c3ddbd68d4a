//! Which earlier choices are to blame that a slot finds no match: what tells a search how far it may go back at once.

/// A set of levels of the search, the level of the slot that was filled first being 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Blame(Vec<u64>);

impl Blame {
    pub(super) fn add(&mut self, level: usize) {
        let word = level / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (level % 64);
    }

    pub(super) fn remove(&mut self, level: usize) {
        if let Some(word) = self.0.get_mut(level / 64) {
            *word &= !(1 << (level % 64));
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// The level that was filled last.
    pub(super) fn last(&self) -> Option<usize> {
        let (at, word) = self.0.iter().enumerate().rev().find(|(_, word)| **word != 0)?;
        Some(at * 64 + 63 - word.leading_zeros() as usize)
    }

    /// All levels below one.
    pub(super) fn below(level: usize) -> Self {
        let mut all = Self::default();
        (0..level).for_each(|level| all.add(level));
        all
    }
}
