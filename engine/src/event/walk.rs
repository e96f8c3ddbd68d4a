//! The walker: one line that is one event, with its keys in any order, and blanks where JSON has them.
//!
//! This is what collectors make of the API server's lines. Of equal keys the last one wins, with all of its parts, and
//! each other one is counted, as on the tape. It knows the keys that have slots and declines a line with any other, with
//! an escape in a key, or with a value of another kind than belongs there; `null` it takes. What it says of bodies is
//! what the scanner says of them.

use crate::matches::Nanos;
use dsl::ir::Stage;

use super::cursor::Cursor;
use super::instant;
use super::row::{Slot, stage_of};
use super::scan::Scanned;
use super::simd::Simd;
use super::slot::Shape;

/// Reads the line, and counts the keys that stood before in the same map.
#[inline(always)]
pub(super) fn walk<S: Simd>(cursor: &mut Cursor<'_, S>, duplicates: &mut u64) -> Scanned {
    let mut found =
        Found { time: None, stage: None, kind: false, version: false, patch: false, duplicates: 0 };
    match event(cursor, &mut found) {
        Some((stage, time)) => {
            *duplicates += found.duplicates;
            Scanned::Event(stage, time)
        }
        None => Scanned::Declined,
    }
}

/// What of the event must be looked at.
struct Found {
    time: Option<Nanos>,
    stage: Option<Stage>,
    kind: bool,
    version: bool,
    patch: bool,
    duplicates: u64,
}

impl<'t, S: Simd> Cursor<'t, S> {
    #[inline(always)]
    fn blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// A bracket or comma with blanks around it.
    #[inline(always)]
    fn sign<const N: usize>(&mut self, sign: &[u8; N]) -> bool {
        self.blanks();
        let there = self.take(sign);
        self.blanks();
        there
    }

    /// A key and its colon.
    #[inline(always)]
    fn key(&mut self) -> Option<&'t str> {
        self.must(b"\"")?;
        let from = self.at;
        let (to, escaped) = self.string()?;
        if escaped || !self.sign(b":") {
            return None;
        }
        std::str::from_utf8(self.text.get(from..to)?).ok()
    }

    /// Behind a value of a list or map: whether another follows.
    #[inline(always)]
    fn more(&mut self, end: u8) -> Option<bool> {
        self.blanks();
        let byte = self.peek()?;
        self.at += 1;
        if byte == b',' {
            self.blanks();
            return Some(true);
        }
        (byte == end).then_some(false)
    }

    #[inline(always)]
    fn spaced_texts(&mut self) -> Option<()> {
        self.must(b"[")?;
        self.blanks();
        if self.take(b"]") {
            return Some(());
        }
        loop {
            self.must(b"\"")?;
            self.string()?;
            if !self.more(b']')? {
                return Some(());
            }
        }
    }

    /// A map of texts, or of lists of texts, with its keys in ascending order: others may be equal.
    #[inline(always)]
    fn spaced_map(&mut self, lists: bool) -> Option<()> {
        self.must(b"{")?;
        self.blanks();
        if self.take(b"}") {
            return Some(());
        }
        let mut before = None;
        loop {
            let key = self.key()?;
            if before.is_some_and(|before| before >= key) {
                return None;
            }
            before = Some(key);
            if lists {
                self.spaced_texts()?;
            } else {
                self.must(b"\"")?;
                self.string()?;
            }
            if !self.more(b'}')? {
                return Some(());
            }
        }
    }
}

#[inline(always)]
fn event<S: Simd>(c: &mut Cursor<'_, S>, found: &mut Found) -> Option<(Stage, Nanos)> {
    c.must(b"{")?;
    c.blanks();
    loop {
        let slot = Slot::of_event(c.key()?)?;
        if c.slots.has(slot) {
            found.duplicates += 1;
            c.slots.unset(slot.bit() | slot.parts());
        }
        value(c, slot, found)?;
        if !c.more(b'}')? {
            break;
        }
    }
    c.blanks();
    let there = |slot| c.slots.has(slot) && !c.slots.is_null(slot);
    let whole = c.at == c.end && found.kind && found.version && there(Slot::Verb) && there(Slot::AuditId);
    // A patch's body is as the client sent it: what may be odd in it the tape sees.
    let odd = found.patch && there(Slot::RequestObject);
    if !whole || odd { None } else { Some((found.stage?, found.time?)) }
}

#[inline(always)]
fn value<S: Simd>(c: &mut Cursor<'_, S>, slot: Slot, found: &mut Found) -> Option<()> {
    let from = c.at;
    if c.take(b"null") {
        c.slots.set_null(slot);
        // A `null` there is another event than one that has a value.
        return (!matches!(
            slot,
            Slot::Kind | Slot::ApiVersion | Slot::Stage | Slot::StageTimestamp | Slot::RequestReceived
        ))
        .then_some(());
    }
    match slot {
        _ if slot.shape() == Shape::Text => {
            c.must(b"\"")?;
            let from = c.at;
            c.content(slot)?;
            // What has escapes is equal to none of these, and left to the tape.
            let text = c.text.get(from..c.at - 1)?;
            match slot {
                Slot::Kind => found.kind = text == b"Event",
                Slot::ApiVersion => found.version = text == b"audit.k8s.io/v1",
                Slot::Stage => found.stage = stage_of(text),
                Slot::StageTimestamp => found.time = instant::parse_bytes(text),
                // An escape in a verb could hide a patch.
                Slot::Verb if text.contains(&b'\\') => return None,
                Slot::Verb => found.patch = text == b"patch",
                _ => {}
            }
            return Some(());
        }
        Slot::RequestObject | Slot::ResponseObject => return c.body(slot),
        Slot::SourceIps | Slot::UserGroups | Slot::ImpersonatedGroups => c.spaced_texts()?,
        Slot::Annotations => c.spaced_map(false)?,
        Slot::UserExtra | Slot::ImpersonatedExtra => c.spaced_map(true)?,
        Slot::Code => return c.number(slot),
        Slot::StatusMetadata => {
            c.must(b"{")?;
            c.blanks();
            c.must(b"}")?;
        }
        Slot::Details => c.spaced_map(false)?,
        map => parts(c, map, found)?,
    }
    c.range(slot, from);
    Some(())
}

/// One of the maps whose parts have slots. Its values are none of these maps, so this goes no deeper.
#[inline(always)]
fn parts<S: Simd>(c: &mut Cursor<'_, S>, map: Slot, found: &mut Found) -> Option<()> {
    c.must(b"{")?;
    c.blanks();
    if c.take(b"}") {
        return Some(());
    }
    loop {
        let slot = map.part(c.key()?)?;
        if c.slots.has(slot) {
            found.duplicates += 1;
            c.slots.unset(slot.bit());
        }
        part(c, slot)?;
        if !c.more(b'}')? {
            return Some(());
        }
    }
}

#[inline(always)]
fn part<S: Simd>(c: &mut Cursor<'_, S>, slot: Slot) -> Option<()> {
    let from = c.at;
    if c.take(b"null") {
        c.slots.set_null(slot);
        return Some(());
    }
    match slot {
        _ if slot.shape() == Shape::Text => {
            c.must(b"\"")?;
            return c.content(slot);
        }
        Slot::UserGroups | Slot::ImpersonatedGroups => c.spaced_texts()?,
        Slot::UserExtra | Slot::ImpersonatedExtra => c.spaced_map(true)?,
        Slot::Code => return c.number(slot),
        Slot::StatusMetadata => {
            c.must(b"{")?;
            c.blanks();
            c.must(b"}")?;
        }
        _ => c.spaced_map(false)?,
    }
    c.range(slot, from);
    Some(())
}
