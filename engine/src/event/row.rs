//! An event as evaluation sees it: fixed slots for what every event has, places in the document for the rest.
//!
//! Decoders fill rows; nothing behind them looks at JSON. A slot is the place of a value in the document, or empty; a
//! body, a list or a map is not opened until a candidate rule reads it. The fields of v1beta1 are put where those of v1
//! belong, so that nobody else knows of them.

use dsl::ir::Stage;

use crate::matches::{Nanos, Reason};

use super::document::{Document, Json, Node};
use super::instant;

/// The fields that every event may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Slot {
    Level,
    AuditId,
    Stage,
    RequestUri,
    Verb,
    User,
    ImpersonatedUser,
    SourceIps,
    UserAgent,
    ObjectRef,
    ResponseStatus,
    RequestObject,
    ResponseObject,
    RequestReceived,
    StageTimestamp,
    Annotations,
    Username,
    Resource,
    Namespace,
    Name,
    ApiGroup,
    Subresource,
}

const SLOTS: usize = Slot::Subresource as usize + 1;
const EMPTY: u32 = u32::MAX;

impl Slot {
    /// The slot of a key of the event itself.
    pub(crate) fn of_event(key: &str) -> Option<Self> {
        Some(match key {
            "level" => Self::Level,
            "auditID" => Self::AuditId,
            "stage" => Self::Stage,
            "requestURI" => Self::RequestUri,
            "verb" => Self::Verb,
            "user" => Self::User,
            "impersonatedUser" => Self::ImpersonatedUser,
            "sourceIPs" => Self::SourceIps,
            "userAgent" => Self::UserAgent,
            "objectRef" => Self::ObjectRef,
            "responseStatus" => Self::ResponseStatus,
            "requestObject" => Self::RequestObject,
            "responseObject" => Self::ResponseObject,
            "requestReceivedTimestamp" => Self::RequestReceived,
            "stageTimestamp" => Self::StageTimestamp,
            "annotations" => Self::Annotations,
            _ => return None,
        })
    }

    fn of_object(key: &str) -> Option<Self> {
        Some(match key {
            "resource" => Self::Resource,
            "namespace" => Self::Namespace,
            "name" => Self::Name,
            "apiGroup" => Self::ApiGroup,
            "subresource" => Self::Subresource,
            _ => return None,
        })
    }
}

/// One event of a document. Used again for the next one.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) doc: Document,
    /// Where the event's map begins.
    event: u32,
    slots: [u32; SLOTS],
    pub(crate) stage: Stage,
    pub(crate) stage_timestamp: Nanos,
    /// What the wrapping says of the cluster: a text of the document.
    pub(crate) cluster: Option<String>,
}

impl Default for Row {
    fn default() -> Self {
        Self {
            doc: Document::default(),
            event: 0,
            slots: [EMPTY; SLOTS],
            stage: Stage::RequestReceived,
            stage_timestamp: 0,
            cluster: None,
        }
    }
}

impl Row {
    /// Makes the map at `event` of the document the row's event.
    pub(crate) fn fill(&mut self, event: u32) -> Result<(), Reason> {
        self.event = event;
        self.slots = [EMPTY; SLOTS];
        let mut beta = EMPTY;
        let mut slots = self.slots;
        for (key, value) in self.doc.json(event).entries() {
            match Slot::of_event(key) {
                Some(slot) => slots[slot as usize] = value.at,
                None if key == "timestamp" => beta = value.at,
                None => {}
            }
        }
        for slot in [Slot::StageTimestamp, Slot::RequestReceived] {
            let at = &mut slots[slot as usize];
            if *at == EMPTY || self.doc.node(*at) == Node::Null {
                *at = beta;
            }
        }
        if slots[Slot::ObjectRef as usize] != EMPTY {
            for (key, value) in self.doc.json(slots[Slot::ObjectRef as usize]).entries() {
                if let Some(slot) = Slot::of_object(key) {
                    slots[slot as usize] = value.at;
                }
            }
        }
        if slots[Slot::User as usize] != EMPTY
            && let Some(name) = self.doc.json(slots[Slot::User as usize]).get("username")
        {
            slots[Slot::Username as usize] = name.at;
        }
        self.slots = slots;
        let (Some(stage), Some(_), Some(_)) =
            (self.text(Slot::Stage), self.text(Slot::Verb), self.text(Slot::AuditId))
        else {
            return Err(Reason::BadEvent);
        };
        self.stage = match stage {
            "RequestReceived" => Stage::RequestReceived,
            "ResponseStarted" => Stage::ResponseStarted,
            "ResponseComplete" => Stage::ResponseComplete,
            "Panic" => Stage::Panic,
            _ => return Err(Reason::BadEvent),
        };
        let time = self.text(Slot::StageTimestamp).and_then(instant::parse);
        self.stage_timestamp = time.ok_or(Reason::NoTime)?;
        Ok(())
    }

    /// The whole event.
    #[cfg(test)]
    pub(crate) fn event(&self) -> Json<'_> {
        self.doc.json(self.event)
    }

    /// The value in a slot, a `null` too.
    pub(crate) fn raw(&self, slot: Slot) -> Option<Json<'_>> {
        let at = self.slots[slot as usize];
        (at != EMPTY).then(|| self.doc.json(at))
    }

    /// The value in a slot; `null` is none.
    pub(crate) fn get(&self, slot: Slot) -> Option<Json<'_>> {
        self.raw(slot).filter(|json| !json.is_null())
    }

    /// The value of a slot if it is a text.
    pub(crate) fn text(&self, slot: Slot) -> Option<&str> {
        self.raw(slot)?.as_text()
    }

    /// A field of the event by its key; `null` is none.
    pub(crate) fn field(&self, key: &str) -> Option<Json<'_>> {
        match Slot::of_event(key) {
            Some(slot) => self.get(slot),
            None => self.doc.json(self.event).get(key).filter(|json| !json.is_null()),
        }
    }

    pub(crate) fn verb(&self) -> &str {
        self.text(Slot::Verb).unwrap_or("")
    }
}
