//! What stands around each part of a saved state: what it is, of which moment, under which rules, and a checksum.
//!
//! A part says how long it is, so that what was cut off is told from what was changed, and parts can stand behind one
//! another. Parts of different moments, or saved under different rules, do not go together: files that were mixed up are
//! refused. Loading never panics, whatever the bytes.

use std::fmt;

use super::wire::{Reader, Result};

const MAGIC: &[u8; 8] = b"adrstate";
/// Of the form of the bytes, and of what the engine makes of the rules' meaning: what a version remembers differently from the
/// one before raises it.
const VERSION: u32 = 10;
const CHECKSUM_BYTES: usize = 16;
const HEADER_BYTES: usize = 8 + 4 + 4 + 16 + 16 + 32 + 8;
/// What stands where a shard's number is, in the head.
pub(super) const HEAD: u32 = u32::MAX;

/// Why a saved state was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// It is no saved state.
    NotAState,
    /// It was saved in a form that this program does not read.
    Version(u32),
    /// Its end is missing.
    Truncated,
    /// Its checksum does not hold, or its contents contradict themselves.
    Corrupt,
    /// Its parts are of different moments, or were saved under different rules.
    Torn,
    /// Its hash key is not that of the head that was loaded.
    OtherKey,
    /// It is another shard, or a head where a shard is expected.
    WrongShard,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAState => f.write_str("this is no saved state"),
            Self::Version(version) => {
                let age = if *version > VERSION { "a newer" } else { "an older" };
                write!(f, "saved by {age} version of the program (form {version}, this one reads {VERSION})")
            }
            Self::Truncated => f.write_str("the saved state is cut short: its end is missing"),
            Self::Corrupt => f.write_str("the saved state is damaged"),
            Self::Torn => f.write_str("the parts of the saved state are not of one moment"),
            Self::OtherKey => f.write_str("the shard does not belong to this head"),
            Self::WrongShard => f.write_str("the saved state is of another shard"),
        }
    }
}

impl std::error::Error for LoadError {}

/// One part of a saved state.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// A shard, or [`HEAD`].
    pub(super) number: u32,
    /// Of the rules that it was saved under.
    pub(super) rules: [u8; 16],
    /// Of how far the run had come.
    pub(super) moment: [u8; 16],
    /// Of keyed hashes.
    pub(super) key: [u8; 32],
    pub(super) payload: &'a [u8],
}

pub(super) fn seal(part: &Part<'_>) -> Vec<u8> {
    let Part { number, rules, moment, key, payload } = part;
    let mut out = Vec::with_capacity(HEADER_BYTES + payload.len() + CHECKSUM_BYTES);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&VERSION.to_le_bytes());
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(rules);
    out.extend_from_slice(moment);
    out.extend_from_slice(key);
    out.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    out.extend_from_slice(payload);
    let sum = blake3::hash(&out);
    out.extend_from_slice(&sum.as_bytes()[..CHECKSUM_BYTES]);
    out
}

/// Takes the first part off, and gives what is behind it.
pub(super) fn open(bytes: &[u8]) -> Result<(Part<'_>, &[u8])> {
    let begun = &bytes[..bytes.len().min(MAGIC.len())];
    if begun != &MAGIC[..begun.len()] {
        return Err(LoadError::NotAState);
    }
    let short = |_| LoadError::Truncated;
    let mut r = Reader::new(bytes.get(MAGIC.len()..).ok_or(LoadError::Truncated)?);
    let version = r.u32().map_err(short)?;
    if version != VERSION {
        return Err(LoadError::Version(version));
    }
    let number = r.u32().map_err(short)?;
    let rules = r.array().map_err(short)?;
    let moment = r.array().map_err(short)?;
    let key = r.array().map_err(short)?;
    let len = usize::try_from(r.u64().map_err(short)?).map_err(|_| LoadError::Corrupt)?;
    let end = HEADER_BYTES.checked_add(len).ok_or(LoadError::Corrupt)?;
    let (sealed, rest) = bytes.split_at_checked(end).ok_or(LoadError::Truncated)?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM_BYTES).ok_or(LoadError::Truncated)?;
    if blake3::hash(sealed).as_bytes()[..CHECKSUM_BYTES] != *sum {
        return Err(LoadError::Corrupt);
    }
    Ok((Part { number, rules, moment, key, payload: &sealed[HEADER_BYTES..] }, rest))
}

/// The only part there is.
pub(super) fn open_only(bytes: &[u8]) -> Result<Part<'_>> {
    match open(bytes)? {
        (part, []) => Ok(part),
        _ => Err(LoadError::Corrupt),
    }
}
