//! NEON.

use std::arch::aarch64::{
    uint8x16_t, vaddv_u8, vandq_u8, vceqq_u8, vcgeq_u8, vcltq_u8, vdupq_n_u8, vget_high_u8, vget_low_u8,
    vld1q_u8, vorrq_u8,
};

use super::{CHUNK, Simd, Work, portable};

/// Proof that the machine has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Neon(());

impl Neon {
    pub(super) fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }
}

#[target_feature(enable = "neon")]
fn with_features<W: Work>(simd: Neon, work: W) -> W::Out {
    work.run(simd)
}

/// A weight for each byte, so that the sum of eight is a mask.
const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

/// Of four vectors whose bytes are all ones or all zeroes the bits.
#[inline(always)]
fn mask(vectors: [uint8x16_t; 4]) -> u64 {
    let mut bits = 0;
    for (at, vector) in vectors.into_iter().enumerate() {
        // SAFETY: called with a proof at hand only; the weights are 16 bytes.
        let (low, high) = unsafe {
            let weighted = vandq_u8(vector, vld1q_u8(WEIGHTS.as_ptr()));
            (vaddv_u8(vget_low_u8(weighted)), vaddv_u8(vget_high_u8(weighted)))
        };
        bits |= (u64::from(low) | u64::from(high) << 8) << (16 * at);
    }
    bits
}

impl Simd for Neon {
    type Chunk = [uint8x16_t; 4];

    #[inline(always)]
    fn load(self, bytes: &[u8; CHUNK]) -> Self::Chunk {
        let (a, b) = bytes.split_at(CHUNK / 2);
        let ((a, b), (c, d)) = (a.split_at(CHUNK / 4), b.split_at(CHUNK / 4));
        // SAFETY: `self` is the proof that NEON is there; each quarter is 16 bytes that may be read.
        unsafe { [vld1q_u8(a.as_ptr()), vld1q_u8(b.as_ptr()), vld1q_u8(c.as_ptr()), vld1q_u8(d.as_ptr())] }
    }

    #[inline(always)]
    fn equal(self, chunk: Self::Chunk, byte: u8) -> u64 {
        // SAFETY: `self` is the proof that NEON is there.
        mask(chunk.map(|vector| unsafe { vceqq_u8(vector, vdupq_n_u8(byte)) }))
    }

    #[inline(always)]
    fn equal_or_20(self, chunk: Self::Chunk, byte: u8) -> u64 {
        // SAFETY: `self` is the proof that NEON is there.
        self.equal(chunk.map(|vector| unsafe { vorrq_u8(vector, vdupq_n_u8(0x20)) }), byte)
    }

    #[inline(always)]
    fn control(self, chunk: Self::Chunk) -> u64 {
        // SAFETY: `self` is the proof that NEON is there.
        mask(chunk.map(|vector| unsafe { vcltq_u8(vector, vdupq_n_u8(0x20)) }))
    }

    #[inline(always)]
    fn not_ascii(self, chunk: Self::Chunk) -> u64 {
        // SAFETY: `self` is the proof that NEON is there.
        mask(chunk.map(|vector| unsafe { vcgeq_u8(vector, vdupq_n_u8(0x80)) }))
    }

    #[inline(always)]
    fn prefix_xor(self, bits: u64) -> u64 {
        portable::prefix_xor(bits)
    }

    #[inline(always)]
    fn apart<W: Work>(self, work: W) -> W::Out {
        // SAFETY: `self` is the proof that the feature is there.
        unsafe { with_features(self, work) }
    }
}
