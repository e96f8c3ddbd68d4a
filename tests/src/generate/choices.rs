//! Where randomness comes from: bytes, so that a seed and a fuzzer drive the same generators.

/// A stream of choices.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    from: From<'a>,
}

#[derive(Clone, Debug)]
enum From<'a> {
    /// SplitMix64.
    Seed(u64),
    /// Once they are used up, all choices are the last, so that nothing goes on for ever.
    Bytes(&'a [u8]),
}

impl<'a> Choices<'a> {
    /// Endless, the same for the same seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { from: From::Seed(seed) }
    }

    /// What a fuzzer made.
    #[must_use]
    pub fn bytes(bytes: &'a [u8]) -> Self {
        Self { from: From::Bytes(bytes) }
    }

    /// A number below `n` (0 if `n` is 0).
    pub fn below(&mut self, n: usize) -> usize {
        let drawn = match &mut self.from {
            From::Seed(state) => {
                *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut z = *state;
                z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                (z ^ (z >> 31)) as usize >> 1
            }
            From::Bytes(bytes) => {
                if bytes.is_empty() {
                    return n.saturating_sub(1);
                }
                let wide = if n > 256 { 4 } else { 1 };
                let (now, rest) = bytes.split_at(bytes.len().min(wide));
                *bytes = rest;
                now.iter().fold(0, |n, byte| n << 8 | usize::from(*byte))
            }
        };
        drawn.checked_rem(n).unwrap_or(0)
    }

    /// So many times of a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    ///
    /// # Panics
    /// If there is none: a mistake of a generator.
    pub fn pick<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        &all[self.below(all.len())]
    }

    /// One of these texts.
    pub fn word(&mut self, all: &[&'static str]) -> &'static str {
        all[self.below(all.len())]
    }
}
