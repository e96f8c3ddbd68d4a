//! Eight bytes in a word, for machines without anything better.

use super::{CHUNK, Simd, Work};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Needs nothing, so anybody may have it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// The high bit of each byte that is zero, exactly.
#[inline(always)]
fn zero(word: u64) -> u64 {
    !(((word & !HIGH) + !HIGH) | word | !HIGH)
}

/// The high bits of eight words' bytes, one behind the other.
#[inline(always)]
fn mask(words: [u64; 8]) -> u64 {
    let mut bits = 0;
    for (at, word) in words.into_iter().enumerate() {
        // Brings the high bit of byte n to bit 56 + n: no two products meet.
        let byte = (word & HIGH).wrapping_mul(0x0002_0408_1020_4081) >> 56;
        bits |= byte << (8 * at);
    }
    bits
}

#[inline(always)]
pub(super) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

impl Simd for Portable {
    type Chunk = [u64; 8];

    #[inline(always)]
    fn load(self, bytes: &[u8; CHUNK]) -> Self::Chunk {
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    }

    #[inline(always)]
    fn equal(self, chunk: Self::Chunk, byte: u8) -> u64 {
        mask(chunk.map(|word| zero(word ^ (ONES * u64::from(byte)))))
    }

    #[inline(always)]
    fn equal_or_20(self, chunk: Self::Chunk, byte: u8) -> u64 {
        mask(chunk.map(|word| zero((word | (ONES * 0x20)) ^ (ONES * u64::from(byte)))))
    }

    #[inline(always)]
    fn control(self, chunk: Self::Chunk) -> u64 {
        mask(chunk.map(|word| zero(word & (ONES * 0xe0))))
    }

    #[inline(always)]
    fn not_ascii(self, chunk: Self::Chunk) -> u64 {
        mask(chunk)
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        prefix_xor(bits)
    }

    #[inline(always)]
    fn apart<W: Work>(self, work: W) -> W::Out {
        work.run(self)
    }
}
