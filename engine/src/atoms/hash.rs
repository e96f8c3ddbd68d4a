//! A hash of short texts in a few nanoseconds, without a key.
//!
//! What events say is an attacker's choice, so this is only for tables that events cannot make longer: the rules' own texts,
//! which stand when the first event comes, and tables of one place for each hash, where texts that meet push each
//! other out and cost what an unknown text costs.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
const MORE: u64 = 0xD1B5_4A32_D192_ED03;

/// A table by such a hash.
pub(crate) type Table<K, V> = HashMap<K, V, BuildHasherDefault<Fast>>;

/// Both halves of the product, so that every bit of the two counts.
#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
    let low = product as u64;
    low ^ (product >> 64) as u64
}

/// Of bytes.
#[inline]
pub(crate) fn of(bytes: &[u8]) -> u64 {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let mut hash = ODD ^ bytes.len() as u64;
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        if let (Some(a), Some(b)) = (pair.first_chunk(), pair.last_chunk()) {
            hash = fold(hash ^ word(a), MORE ^ word(b));
        }
    }
    let mut last = [0; 16];
    if let Some(last) = last.get_mut(..rest.len()) {
        last.copy_from_slice(rest);
    }
    if let (Some(a), Some(b)) = (last.first_chunk(), last.last_chunk()) {
        hash = fold(hash ^ word(a), MORE ^ word(b));
    }
    fold(hash, ODD)
}

/// See the module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fast(u64);

impl Hasher for Fast {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = fold(self.0 ^ of(bytes), MORE);
    }

    fn write_u8(&mut self, n: u8) {
        // The end of a text.
        self.0 = self.0.wrapping_add(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = fold(self.0 ^ n, MORE);
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
