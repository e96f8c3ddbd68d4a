//! What was found of the values that came along last, by their bytes.
//!
//! Users, agents, namespaces, addresses and annotations come again and again, so their tests need not be asked again: a value is
//! hashed, compared with the one that stands at its place, and the answers are copied. There is one place for each
//! hash and nothing grows: values that nobody has seen push others out, and cost what they would cost without this,
//! and a copy. Where most values are new (names, addresses with a query) nothing is remembered for a while. Values that are longer than
//! [`BYTES_MAX`] never are.

use super::hash;
use crate::event::row::{Row, Slot, Standing};

use super::group::Kept;
use dsl::ir::Stage;

/// How many values of a slot are remembered. Their answers take a few words each.
const PLACES: usize = 512;
/// How long a value is at most to be remembered, in bytes: the annotations of a real event have up to 400.
const BYTES_MAX: usize = 512;

/// Answers by value. All of its memory is taken when the first value comes, and none after that.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// By place: how long the value is that stands there; nothing has stood there yet if it is [`UNUSED`].
    lengths: Vec<u16>,
    /// [`BYTES_MAX`] for each place.
    bytes: Vec<u8>,
    /// What is true and what is false, by place.
    answers: Vec<u64>,
    /// How many values came in this trial, and how many of them were known.
    trial: (u32, u32),
    /// How many values are yet to come until the next trial.
    pause: u32,
}

/// How many values make a trial; if less than one in [`WORTH`] of them was known there is a pause of [`PAUSE`].
const TRIAL: u32 = 1 << 10;
const WORTH: u32 = 4;
const PAUSE: u32 = if cfg!(test) { 1 << 8 } else { 1 << 14 };

const UNUSED: u16 = u16::MAX;

/// Under what an event's answers are remembered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'l> {
    Bytes(&'l [u8]),
    /// It is not there; which of the reasons that make it unknown or absent.
    Blank(usize),
}

/// How many blanks there are.
const BLANKS: usize = 4;

impl<'l> Key<'l> {
    /// The bytes decide the value of a slot, if the map is one in which it stands; where there are none the stage
    /// decides, and whether that map is there (`eval/unknown.rs`).
    pub(super) fn of(kept: Kept, row: &Row<'l>) -> Option<Self> {
        let map = kept.slot.map();
        match row.standing(kept.slot) {
            Standing::Bytes(bytes) if bytes.len() <= BYTES_MAX && map.is_none_or(|map| row.is_map(map)) => {
                Some(Self::Bytes(bytes))
            }
            Standing::Nothing if kept.blank => {
                let received = usize::from(row.stage == Stage::RequestReceived);
                Some(Self::Blank(received * 2 + usize::from(map.is_some_and(|map| row.is_map(map)))))
            }
            _ => None,
        }
    }
}

impl Memo {
    /// Whether to look here for the next value.
    #[inline]
    pub(super) fn pays(&mut self) -> bool {
        if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        let (came, known) = &mut self.trial;
        if *came == TRIAL {
            if *known < TRIAL / WORTH {
                self.pause = PAUSE;
            }
            self.trial = (0, 0);
        }
        true
    }

    /// The place of a key, and whether its answers stand there. If not it is taken for them.
    pub(super) fn place(&mut self, key: Key<'_>, words: usize) -> (usize, bool) {
        if self.lengths.is_empty() {
            self.lengths = vec![UNUSED; PLACES + BLANKS];
            self.bytes = vec![0; PLACES * BYTES_MAX];
            self.answers = vec![0; (PLACES + BLANKS) * 2 * words];
        }
        let (at, bytes) = match key {
            #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
            Key::Bytes(bytes) => (hash::of(bytes) as usize % PLACES, bytes),
            Key::Blank(n) => (PLACES + n, &[][..]),
        };
        // What is longer is no key, so that no length is cut here.
        let length = u16::try_from(bytes.len()).unwrap_or(UNUSED);
        let here = at * BYTES_MAX;
        let room = if bytes.is_empty() { &mut [] } else { &mut self.bytes[here..here + bytes.len()] };
        let known = self.lengths[at] == length && *room == *bytes;
        self.trial.0 += 1;
        self.trial.1 += u32::from(known);
        if !known {
            self.lengths[at] = length;
            room.copy_from_slice(bytes);
        }
        (at, known)
    }

    /// What is true and what is false at a place.
    pub(super) fn answers(&mut self, at: usize, words: usize) -> (&mut [u64], &mut [u64]) {
        self.answers[at * 2 * words..(at + 1) * 2 * words].split_at_mut(words)
    }
}

/// How the conditions about a slot are kept: those of which there are few values together.
pub(super) fn few_values(slot: Slot) -> bool {
    matches!(
        slot,
        Slot::Level
            | Slot::Stage
            | Slot::Verb
            | Slot::ImpersonatedUser
            | Slot::SourceIps
            | Slot::UserAgent
            | Slot::Annotations
            | Slot::Username
            | Slot::UserUid
            | Slot::UserGroups
            | Slot::UserExtra
            | Slot::ImpersonatedUsername
            | Slot::ImpersonatedUid
            | Slot::ImpersonatedGroups
            | Slot::ImpersonatedExtra
            | Slot::Resource
            | Slot::Namespace
            | Slot::ApiGroup
            | Slot::ObjectApiVersion
            | Slot::Subresource
            | Slot::Status
            | Slot::StatusReason
            | Slot::Code
    )
}
