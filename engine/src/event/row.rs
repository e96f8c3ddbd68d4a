//! An event as evaluation sees it: fixed slots for what every event has, places in the line or the document for the rest.
//!
//! Decoders fill [`Kept`], which is used again for every event and never zeroed but for its bits; nothing behind them
//! looks at JSON. There are two ways to fill it. Of a line that is one event a slot is a range of bytes: texts without
//! escapes are read where they stand, and all else (a text with escapes, a list, a map, a body) is opened on a tape of
//! its own when it is first read, and only then. Of anything else the whole document is on the tape, and a slot is a
//! place there. The fields of v1beta1 are put where those of v1 belong, so that nobody else knows of them.

use std::cell::{Cell, OnceCell, RefCell};

use dsl::ir::Stage;

use crate::matches::{Nanos, Reason};

use super::document::{Document, Json, Node};
use super::instant;
pub(crate) use super::slot::Slot;
use super::slot::{SLOTS, Shape};
use super::tape::TapeDecoder;

/// Where the values of slots are; of absent ones the places mean nothing.
#[derive(Debug)]
pub(super) struct Slots {
    /// From where to where in the line, or the place in the document (and nothing).
    places: [(u32, u32); SLOTS],
    present: u64,
    /// Texts of a line in which escapes are.
    escaped: u64,
    /// `null`, in a line.
    null: u64,
}

impl Default for Slots {
    fn default() -> Self {
        Self { places: [(0, 0); SLOTS], present: 0, escaped: 0, null: 0 }
    }
}

impl Slots {
    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.present = 0;
        self.escaped = 0;
        self.null = 0;
    }

    /// Puts a range of a line under a slot. Lines that decoders of lines take are shorter than 4 GiB.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "lines above 4 GiB are left to the tape")]
    pub(super) fn set(&mut self, slot: Slot, from: usize, to: usize) {
        self.places[slot as usize] = (from as u32, to as u32);
        self.present |= slot.bit();
    }

    #[inline(always)]
    pub(super) fn set_escaped(&mut self, slot: Slot) {
        self.escaped |= slot.bit();
    }

    #[inline(always)]
    pub(super) fn set_null(&mut self, slot: Slot) {
        self.present |= slot.bit();
        self.null |= slot.bit();
    }

    /// Takes out what an equal key before has put in, with all of its parts.
    pub(super) fn unset(&mut self, slots: u64) {
        self.present &= !slots;
        self.escaped &= !slots;
        self.null &= !slots;
    }

    #[inline(always)]
    pub(super) fn has(&self, slot: Slot) -> bool {
        self.present & slot.bit() != 0
    }

    #[inline(always)]
    pub(super) fn is_null(&self, slot: Slot) -> bool {
        self.null & slot.bit() != 0
    }

    #[inline(always)]
    pub(super) fn is_escaped(&self, slot: Slot) -> bool {
        self.escaped & slot.bit() != 0
    }
}

/// What has been opened of an event's line.
#[derive(Debug)]
struct Opened {
    docs: [OnceCell<Document>; SLOTS],
    which: Cell<u64>,
    /// Used before, kept for their memory.
    spare: RefCell<Vec<Document>>,
    tape: RefCell<TapeDecoder>,
}

impl Default for Opened {
    fn default() -> Self {
        Self {
            docs: [const { OnceCell::new() }; SLOTS],
            which: Cell::new(0),
            spare: RefCell::default(),
            tape: RefCell::default(),
        }
    }
}

impl Opened {
    #[inline(always)]
    fn close(&mut self) {
        if self.which.get() != 0 {
            self.close_all();
        }
    }

    #[inline(never)]
    fn close_all(&mut self) {
        let which = self.which.replace(0);
        for (at, doc) in self.docs.iter_mut().enumerate() {
            if which & (1 << at) != 0
                && let Some(doc) = doc.take()
            {
                self.spare.get_mut().push(doc);
            }
        }
    }

    /// The JSON of a range; nothing if it is none, which a line's decoders let through in bodies only.
    fn open(&self, slot: Slot, text: &str) -> Option<Json<'_>> {
        let doc = self.docs[slot as usize].get_or_init(|| {
            self.which.set(self.which.get() | slot.bit());
            let mut doc = self.spare.borrow_mut().pop().unwrap_or_default();
            if self.tape.borrow_mut().load(text.as_bytes(), &mut doc).is_err() {
                doc.clear();
            }
            doc
        });
        (!doc.nodes.is_empty()).then(|| doc.json(0))
    }
}

/// Where a decoder puts an event; used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(super) doc: Document,
    /// Where the event's map begins in the document.
    event: u32,
    pub(super) slots: Slots,
    opened: Opened,
    /// What the wrapping says of the cluster.
    pub(super) cluster: Option<String>,
}

/// One event: a view of what is kept of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'l> {
    kept: &'l Kept,
    /// What the slots are ranges of; nothing: they are places in the document.
    line: Option<&'l str>,
    pub(crate) stage: Stage,
    pub(crate) stage_timestamp: Nanos,
    pub(crate) cluster: Option<&'l str>,
}

impl Kept {
    /// Begins an event that is a line.
    #[inline(always)]
    pub(super) fn begin(&mut self) -> &mut Slots {
        self.opened.close();
        self.slots.clear();
        &mut self.slots
    }

    /// The event that a line's decoder has just put in the slots.
    #[inline(always)]
    pub(super) fn of_line<'l>(&'l self, line: &'l str, stage: Stage, stage_timestamp: Nanos) -> Row<'l> {
        Row { kept: self, line: Some(line), stage, stage_timestamp, cluster: self.cluster.as_deref() }
    }

    /// Makes the map at `event` of the document the row's event.
    pub(super) fn fill(&mut self, event: u32) -> Result<Row<'_>, Reason> {
        self.event = event;
        let Self { doc, slots, .. } = self;
        slots.clear();
        let mut beta = None;
        for (key, value) in doc.json(event).entries() {
            match Slot::of_event(key) {
                Some(slot) => slots.set(slot, value.at as usize, 0),
                None if key == "timestamp" => beta = Some(value.at as usize),
                None => {}
            }
        }
        for slot in [Slot::StageTimestamp, Slot::RequestReceived] {
            if !slots.has(slot) || doc.node(slots.places[slot as usize].0) == Node::Null {
                slots.unset(slot.bit());
                if let Some(beta) = beta {
                    slots.set(slot, beta, 0);
                }
            }
        }
        for map in Slot::MAPS {
            if !slots.has(map) {
                continue;
            }
            for (key, value) in doc.json(slots.places[map as usize].0).entries() {
                if let Some(slot) = map.part(key) {
                    slots.set(slot, value.at as usize, 0);
                }
            }
        }
        let cluster = self.cluster.as_deref();
        let mut row = Row { kept: self, line: None, stage: Stage::Panic, stage_timestamp: 0, cluster };
        let (Some(stage), Some(_), Some(_)) =
            (row.text(Slot::Stage), row.text(Slot::Verb), row.text(Slot::AuditId))
        else {
            return Err(Reason::BadEvent);
        };
        row.stage = stage_of(stage.as_bytes()).ok_or(Reason::BadEvent)?;
        let time = row.text(Slot::StageTimestamp).and_then(instant::parse);
        row.stage_timestamp = time.ok_or(Reason::NoTime)?;
        Ok(row)
    }
}

/// See [`Row::standing`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing<'l> {
    /// A text, or the JSON of anything else.
    Bytes(&'l [u8]),
    /// The line does not have it.
    Nothing,
    /// Ask for the value.
    Other,
}

/// The stage that a text names.
#[inline(always)]
pub(super) fn stage_of(text: &[u8]) -> Option<Stage> {
    Some(match text {
        b"ResponseComplete" => Stage::ResponseComplete,
        b"RequestReceived" => Stage::RequestReceived,
        b"ResponseStarted" => Stage::ResponseStarted,
        b"Panic" => Stage::Panic,
        _ => return None,
    })
}

impl<'l> Row<'l> {
    /// The value in a slot, a `null` too.
    pub(crate) fn raw(&self, slot: Slot) -> Option<Json<'l>> {
        let Kept { doc, slots, opened, .. } = self.kept;
        if slots.present & slot.bit() == 0 {
            return None;
        }
        let (from, to) = slots.places[slot as usize];
        let Some(line) = self.line else { return Some(doc.json(from)) };
        if slots.null & slot.bit() != 0 {
            return opened.open(slot, "null");
        }
        let (from, to) = match slot.shape() {
            Shape::Text => (from as usize - 1, to as usize + 1),
            Shape::Json => (from as usize, to as usize),
        };
        opened.open(slot, line.get(from..to)?)
    }

    /// What stands in a slot, as far as bytes say it: two events of which the same is said here have the same value there.
    #[inline]
    pub(crate) fn standing(&self, slot: Slot) -> Standing<'l> {
        let slots = &self.kept.slots;
        let there = slots.present & slot.bit() != 0;
        match (self.line, slot.shape()) {
            (Some(_), _) if !there => Standing::Nothing,
            (Some(line), Shape::Json) if slots.null & slot.bit() == 0 => {
                let (from, to) = slots.places[slot as usize];
                line.as_bytes().get(from as usize..to as usize).map_or(Standing::Other, Standing::Bytes)
            }
            (_, Shape::Text) if there => {
                self.text(slot).map_or(Standing::Other, |text| Standing::Bytes(text.as_bytes()))
            }
            _ => Standing::Other,
        }
    }

    /// The value in a slot; `null` is none.
    pub(crate) fn get(&self, slot: Slot) -> Option<Json<'l>> {
        self.raw(slot).filter(|json| !json.is_null())
    }

    /// The value of a slot if it is a text.
    #[inline]
    pub(crate) fn text(&self, slot: Slot) -> Option<&'l str> {
        let slots = &self.kept.slots;
        if slots.present & slot.bit() == 0 {
            return None;
        }
        if let Some(line) = self.line
            && (slots.escaped | slots.null) & slot.bit() == 0
        {
            let (from, to) = slots.places[slot as usize];
            return match slot.shape() {
                Shape::Text => line.get(from as usize..to as usize),
                // Decoders of lines take no text there.
                Shape::Json => None,
            };
        }
        self.raw(slot)?.as_text()
    }

    /// A field of the event by a key that no slot has; `null` is none. Lines with such keys are on the tape.
    pub(crate) fn other(&self, key: &str) -> Option<Json<'l>> {
        match self.line {
            Some(_) => None,
            None => self.kept.doc.json(self.kept.event).get(key).filter(|json| !json.is_null()),
        }
    }

    /// Whether the value in a slot is a map whose parts have slots.
    pub(crate) fn is_map(&self, slot: Slot) -> bool {
        let slots = &self.kept.slots;
        let there = slots.present & !slots.null & slot.bit() != 0 && Slot::MAPS.contains(&slot);
        // Decoders of lines take maps alone there.
        there && (self.line.is_some() || self.kept.doc.json(slots.places[slot as usize].0).is_map())
    }

    /// The whole event, on the tape or in its line.
    #[cfg(test)]
    pub(crate) fn event(&self) -> Result<Json<'l>, &'l str> {
        self.line.map_or_else(|| Ok(self.kept.doc.json(self.kept.event)), Err)
    }

    /// Where a slot's value is in its line.
    #[cfg(any(test, feature = "compare-decoders"))]
    pub(super) fn place(&self, slot: Slot) -> Option<std::ops::Range<usize>> {
        let slots = &self.kept.slots;
        let (from, to) = slots.places[slot as usize];
        (self.line.is_some() && slots.has(slot)).then_some(from as usize..to as usize)
    }

    pub(crate) fn verb(&self) -> &'l str {
        self.text(Slot::Verb).unwrap_or("")
    }
}
