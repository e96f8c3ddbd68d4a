//! Random numbers that are the same on every machine: SplitMix64.

/// The dice of one generator.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `sides`, by multiplying and not by dividing.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        let product = u128::from(self.next()) * sides as u128;
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// Whether something happens that happens so often in 2⁶⁴ times.
    pub(crate) fn happens(&mut self, chance: u64) -> bool {
        chance > 0 && self.next() <= chance
    }
}

/// A share of one as what [`Dice::happens`] takes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share between 0 and 1"
)]
pub(crate) fn chance(share: f64) -> u64 {
    (share.clamp(0.0, 1.0) * u64::MAX as f64) as u64
}
