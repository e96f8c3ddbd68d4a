//! A snapshot as the bytes of a file: what it is, its three parts with their lengths, and a checksum over all of it.
//!
//! ```text
//! "adr-kept"  form  length of the head  number of ids  length of the state
//! head (JSON: program, places of the sources, lengths of the sinks)  ids, 16 bytes each  state (the engine's own form)
//! BLAKE3 of all before
//! ```
//!
//! The checksum finds damage, not malice: who may write to the folder may write a whole snapshot too.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::feed::place::Place;
use crate::sink::Length;

const MAGIC: &[u8; 8] = b"adr-kept";
/// Raised with each change of the form.
const FORM: u32 = 1;
const FRONT_BYTES: usize = 8 + 4 + 8 + 8 + 8;
const CHECKSUM_BYTES: usize = 32;
const ID_BYTES: usize = 16;

/// Everything that a run needs to be gone on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What the engine remembers (`engine::state::State::snapshot`).
    pub state: Vec<u8>,
    /// Up to where each source has been taken into it.
    pub places: Vec<Place>,
    /// How long each sink that is a file was when it had been given all alerts up to there.
    pub lengths: Vec<Length>,
    /// The ids of alerts that were told already, though this state has not come so far: the end of input had decided them.
    pub told: Vec<[u8; ID_BYTES]>,
}

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// They begin otherwise.
    Foreign,
    /// They are of another form.
    Form(u32),
    /// Their end is missing, or something is behind it.
    Length,
    /// The checksum does not hold.
    Damaged,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("it is no snapshot of this program"),
            Self::Form(form) => {
                let age = if *form > FORM { "a newer" } else { "an older" };
                write!(f, "it was saved by {age} version of the program (form {form}, this one reads {FORM})")
            }
            Self::Length => f.write_str("it is not as long as it says: it was torn or cut off"),
            Self::Damaged => f.write_str("it is damaged: its checksum does not hold"),
        }
    }
}

/// What is written as JSON, to be looked at.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    /// That wrote it.
    program: Cow<'a, str>,
    places: Cow<'a, [Place]>,
    lengths: Cow<'a, [Length]>,
}

impl Snapshot {
    /// As bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let head = Head {
            program: concat!("auditd-rules ", env!("CARGO_PKG_VERSION")).into(),
            places: self.places.as_slice().into(),
            lengths: self.lengths.as_slice().into(),
        };
        // Texts and numbers alone: there is nothing that JSON could not say.
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let ids = self.told.len() * ID_BYTES;
        let mut out = Vec::with_capacity(FRONT_BYTES + head.len() + ids + self.state.len() + CHECKSUM_BYTES);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&FORM.to_le_bytes());
        for length in [head.len(), self.told.len(), self.state.len()] {
            out.extend_from_slice(&(length as u64).to_le_bytes());
        }
        out.extend_from_slice(&head);
        self.told.iter().for_each(|id| out.extend_from_slice(id));
        out.extend_from_slice(&self.state);
        let sum = blake3::hash(&out);
        out.extend_from_slice(sum.as_bytes());
        out
    }

    /// From bytes, whatever they are.
    ///
    /// # Errors
    /// If they are no whole snapshot.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unfit> {
        if !bytes.starts_with(MAGIC) {
            let begun = MAGIC.starts_with(bytes);
            return Err(if begun { Unfit::Length } else { Unfit::Foreign });
        }
        let (front, rest) = bytes.split_at_checked(FRONT_BYTES).ok_or(Unfit::Length)?;
        let mut numbers = [0_u64; 3];
        for (number, bytes) in numbers.iter_mut().zip(front[MAGIC.len() + 4..].chunks_exact(8)) {
            *number = bytes.try_into().map_or(0, u64::from_le_bytes);
        }
        let form = front[MAGIC.len()..MAGIC.len() + 4].try_into().map_or(0, u32::from_le_bytes);
        if form != FORM {
            return Err(Unfit::Form(form));
        }
        let [head, ids, state] = numbers.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let ids = ids.checked_mul(ID_BYTES).ok_or(Unfit::Length)?;
        let (head, rest) = rest.split_at_checked(head).ok_or(Unfit::Length)?;
        let (ids, rest) = rest.split_at_checked(ids).ok_or(Unfit::Length)?;
        let (state, sum) = rest.split_at_checked(state).ok_or(Unfit::Length)?;
        if sum.len() != CHECKSUM_BYTES {
            return Err(Unfit::Length);
        }
        if blake3::hash(&bytes[..bytes.len() - CHECKSUM_BYTES]).as_bytes() != sum {
            return Err(Unfit::Damaged);
        }
        let head: Head<'_> = serde_json::from_slice(head).map_err(|_| Unfit::Damaged)?;
        let told = ids.as_chunks().0.to_vec();
        let (places, lengths) = (head.places.into_owned(), head.lengths.into_owned());
        Ok(Self { state: state.to_vec(), places, lengths, told })
    }
}
