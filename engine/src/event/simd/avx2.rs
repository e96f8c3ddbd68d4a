//! AVX2, and carry-less multiplication for the prefix.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

use super::{CHUNK, Simd, Work};

/// Proof that the machine has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(super) fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("pclmulqdq")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        all.then_some(Self(()))
    }
}

#[target_feature(enable = "avx2,pclmulqdq,bmi1,bmi2,lzcnt,popcnt")]
fn with_features<W: Work>(simd: Avx2, work: W) -> W::Out {
    work.run(simd)
}

#[inline(always)]
#[expect(clippy::cast_sign_loss, reason = "bits")]
fn mask(low: __m256i, high: __m256i) -> u64 {
    // SAFETY: called with a proof at hand only.
    let (low, high) = unsafe { (_mm256_movemask_epi8(low), _mm256_movemask_epi8(high)) };
    u64::from(low as u32) | u64::from(high as u32) << 32
}

#[expect(clippy::cast_possible_wrap, reason = "bits")]
impl Simd for Avx2 {
    type Chunk = (__m256i, __m256i);

    #[inline(always)]
    fn load(self, bytes: &[u8; CHUNK]) -> Self::Chunk {
        let (low, high) = bytes.split_at(CHUNK / 2);
        // SAFETY: `self` is the proof that AVX2 is there; each half is 32 bytes that may be read, at any alignment.
        unsafe { (_mm256_loadu_si256(low.as_ptr().cast()), _mm256_loadu_si256(high.as_ptr().cast())) }
    }

    #[inline(always)]
    fn equal(self, (low, high): Self::Chunk, byte: u8) -> u64 {
        // SAFETY: `self` is the proof that AVX2 is there.
        let (low, high) = unsafe {
            let byte = _mm256_set1_epi8(byte as i8);
            (_mm256_cmpeq_epi8(low, byte), _mm256_cmpeq_epi8(high, byte))
        };
        mask(low, high)
    }

    #[inline(always)]
    fn equal_or_20(self, (low, high): Self::Chunk, byte: u8) -> u64 {
        // SAFETY: `self` is the proof that AVX2 is there.
        let chunk = unsafe {
            let bit = _mm256_set1_epi8(0x20);
            (_mm256_or_si256(low, bit), _mm256_or_si256(high, bit))
        };
        self.equal(chunk, byte)
    }

    #[inline(always)]
    fn control(self, (low, high): Self::Chunk) -> u64 {
        // SAFETY: `self` is the proof that AVX2 is there.
        let (low, high) = unsafe {
            let last = _mm256_set1_epi8(0x1f);
            (
                _mm256_cmpeq_epi8(_mm256_max_epu8(low, last), last),
                _mm256_cmpeq_epi8(_mm256_max_epu8(high, last), last),
            )
        };
        mask(low, high)
    }

    #[inline(always)]
    fn not_ascii(self, (low, high): Self::Chunk) -> u64 {
        mask(low, high)
    }

    #[inline(always)]
    #[expect(clippy::cast_sign_loss, reason = "bits")]
    fn prefix_xor(self, bits: u64) -> u64 {
        // SAFETY: `self` is the proof that carry-less multiplication is there.
        unsafe {
            let product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(bits as i64), _mm_set1_epi8(-1), 0);
            _mm_cvtsi128_si64(product) as u64
        }
    }

    #[inline(always)]
    fn apart<W: Work>(self, work: W) -> W::Out {
        // SAFETY: `self` is the proof that all the features are there.
        unsafe { with_features(self, work) }
    }
}
