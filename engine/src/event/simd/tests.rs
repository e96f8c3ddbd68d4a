//! Every instruction set against bytes one by one.

use proptest::prelude::*;

use super::*;

struct Masks<'b>(&'b [u8; CHUNK], u8, u64);

impl Work for Masks<'_> {
    type Out = [u64; 5];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        let Self(bytes, byte, bits) = self;
        let chunk = simd.load(bytes);
        [
            simd.equal(chunk, byte),
            simd.equal_or_20(chunk, byte),
            simd.control(chunk),
            simd.not_ascii(chunk),
            simd.prefix_xor(bits),
        ]
    }
}

struct FindLine<'t>(&'t [u8], usize);

impl<'t> Work for FindLine<'t> {
    type Out = Line<'t>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        line(simd, self.0, self.1)
    }
}

fn slow(bytes: &[u8; CHUNK], of: impl Fn(u8) -> bool) -> u64 {
    bytes.iter().enumerate().fold(0, |bits, (at, byte)| bits | u64::from(of(*byte)) << at)
}

proptest! {
    #[test]
    fn masks_are_what_bytes_one_by_one_say(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"{}[]\"\\\n\x1f\x20\x7f\x80".to_vec())], CHUNK),
        byte in prop_oneof![any::<u8>(), prop::sample::select(b"{}\"\\".to_vec())],
        bits in any::<u64>(),
    ) {
        let bytes: [u8; CHUNK] = bytes.try_into().unwrap();
        let mut sum = 0;
        let xor = (0..64).fold(0_u64, |out, at| {
            sum ^= bits >> at & 1;
            out | sum << at
        });
        let wanted = [
            slow(&bytes, |b| b == byte),
            slow(&bytes, |b| b | 0x20 == byte),
            slow(&bytes, |b| b < 0x20),
            slow(&bytes, |b| b >= 0x80),
            xor,
        ];
        for level in Level::all() {
            prop_assert_eq!(level.run(Masks(&bytes, byte, bits)), wanted, "{:?}", level);
        }
    }

    #[test]
    fn lines_end_where_they_end(
        text in prop::collection::vec(prop_oneof![8 => "[a-z]{1,70}", 1 => "[é\u{1}\t]", 2 => Just("\n".to_owned()), 1 => Just("\r\n".to_owned()), 1 => Just("\r".to_owned())], 0..8),
        broken in proptest::option::of(any::<prop::sample::Index>()),
        from in any::<prop::sample::Index>(),
    ) {
        let mut text = text.concat().into_bytes();
        if let Some(at) = broken.filter(|_| !text.is_empty()) {
            let at = at.index(text.len());
            text[at] = 0xff;
        }
        let at = from.index(text.len() + 1);
        let to = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n);
        let next = (to + 1).min(text.len());
        let to = if to < text.len() && to > at && text[to - 1] == b'\r' { to - 1 } else { to };
        let wanted = std::str::from_utf8(&text[at..to]).ok().filter(|line| line.bytes().all(|b| b >= 0x20));
        for level in Level::all() {
            let line = level.run(FindLine(&text, at));
            prop_assert_eq!((line.next, line.text), (next, wanted), "{:?}", level);
            if wanted.is_some() {
                prop_assert_eq!(line.end, to);
            }
        }
    }
}
