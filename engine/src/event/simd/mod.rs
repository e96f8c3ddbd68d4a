//! Sixty-four bytes at a time, in whatever instructions the machine has.
//!
//! What works on blocks of bytes is written once, generic over [`Simd`], and compiled once per instruction set: a
//! [`Work`] is run under one `#[target_feature]` with all that it calls inlined into it. A call out of such a function
//! into one without the feature makes every instruction a call, four times slower than bytes one by one; so all that is
//! on the way is `#[inline(always)]`, and what shall stand on its own goes through [`Simd::apart`].
//!
//! A value of a type that implements [`Simd`] is the proof that its instructions are there: `detect` alone makes one
//! (the portable one needs none), so nothing can be called on a machine that lacks it. All unsafe code of the engine is
//! in this folder: intrinsics behind those proofs, and texts of bytes that were just seen to be ASCII.
#![expect(unsafe_code, reason = "intrinsics; each use says what makes it sound")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;

/// Bytes in a chunk: one for each bit of a mask.
pub(super) const CHUNK: usize = 64;

/// Instructions that work on a chunk. Bit `n` of a mask is about byte `n`.
pub(super) trait Simd: Copy {
    type Chunk: Copy;

    fn load(self, bytes: &[u8; CHUNK]) -> Self::Chunk;
    /// The bytes that are this one.
    fn equal(self, chunk: Self::Chunk, byte: u8) -> u64;
    /// The bytes that are this one once their bit 0x20 is set: of `{` also `[`, of `}` also `]`.
    fn equal_or_20(self, chunk: Self::Chunk, byte: u8) -> u64;
    /// The bytes below 0x20.
    fn control(self, chunk: Self::Chunk) -> u64;
    /// The bytes above 0x7f.
    fn not_ascii(self, chunk: Self::Chunk) -> u64;
    /// Each bit becomes the exclusive or of itself and all below.
    fn prefix_xor(self, bits: u64) -> u64;
    /// Does some work in a function of its own that may use these instructions.
    fn apart<W: Work>(self, work: W) -> W::Out;
}

/// Something to be done with whatever instructions there are.
pub(super) trait Work {
    type Out;

    /// Must be `#[inline(always)]`, and all that it calls on chunks too.
    fn run<S: Simd>(self, simd: S) -> Self::Out;
}

/// The instructions that a machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
    Portable(portable::Portable),
}

impl Default for Level {
    /// The best that there is.
    fn default() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(proof) = avx2::Avx2::detect() {
            return Self::Avx2(proof);
        }
        #[cfg(target_arch = "aarch64")]
        if let Some(proof) = neon::Neon::detect() {
            return Self::Neon(proof);
        }
        Self::Portable(portable::Portable)
    }
}

impl Level {
    /// All that this machine has.
    #[cfg(any(test, feature = "compare-decoders"))]
    pub(crate) fn all() -> Vec<Self> {
        vec![Self::default(), Self::Portable(portable::Portable)]
    }

    pub(super) fn run<W: Work>(self, work: W) -> W::Out {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => simd.apart(work),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => simd.apart(work),
            Self::Portable(simd) => simd.apart(work),
        }
    }
}

/// The chunk that begins at `at`; behind the text's end it is zeroes.
#[inline(always)]
pub(super) fn chunk<S: Simd>(simd: S, text: &[u8], at: usize) -> S::Chunk {
    match text.get(at..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => simd.load(bytes),
        None => simd.load(&last_chunk(text, at)),
    }
}

#[cold]
#[inline(never)]
fn last_chunk(text: &[u8], at: usize) -> [u8; CHUNK] {
    let mut bytes = [0; CHUNK];
    let rest = text.get(at..).unwrap_or_default();
    bytes[..rest.len()].copy_from_slice(rest);
    bytes
}

/// A line, as far as one look at its bytes tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'t> {
    /// One past its last byte: where its line break (or carriage return and line break) begins, or the text ends.
    pub(super) end: usize,
    /// Where the next line begins.
    pub(super) next: usize,
    /// What it says, if that is UTF-8 without control characters.
    pub(super) text: Option<&'t str>,
}

/// Finds the end of the line that begins at `at`, in one pass with the checks of its bytes.
#[inline(always)]
pub(super) fn line<S: Simd>(simd: S, text: &[u8], at: usize) -> Line<'_> {
    let mut here = at;
    let mut high = 0;
    loop {
        let bytes = chunk(simd, text, here);
        let control = simd.control(bytes);
        if control == 0 {
            high |= simd.not_ascii(bytes);
            here += CHUNK;
            continue;
        }
        let place = control.trailing_zeros();
        high |= simd.not_ascii(bytes) & ((1 << place) - 1);
        let end = (here + place as usize).min(text.len());
        let next = match text.get(end..) {
            None | Some([]) => end,
            Some([b'\n', ..]) => end + 1,
            Some([b'\r', b'\n', ..]) => end + 2,
            Some(rest) => {
                let rest = memchr::memchr(b'\n', rest).map_or(text.len(), |found| end + found + 1);
                return Line { end, next: rest, text: None };
            }
        };
        let bytes = text.get(at..end).unwrap_or_default();
        let text = if high == 0 {
            debug_assert!(bytes.is_ascii());
            // SAFETY: no byte from `at` to `end` is above 0x7f, since every chunk's mask of such went into `high`, of
            // the last one the bits below `end`; and what is ASCII is UTF-8.
            Some(unsafe { std::str::from_utf8_unchecked(bytes) })
        } else {
            simdutf8::basic::from_utf8(bytes).ok()
        };
        return Line { end, next, text };
    }
}
