//! From a document's bytes to rows, whatever it is wrapped in.
//!
//! ```text
//! text --frame--> documents --tape--> Document --unwrap--> the events in it, or texts to begin with again
//! ```
//!
//! One document may hold many events (an `EventList`, records with a `message` each); each becomes the row in turn.
//! Texts within texts are framed like input is, at most [`WRAPPINGS_MAX`] deep. What is no event comes out as a
//! reason: nothing is dropped without one. Buffers are kept, so a plain event costs no allocation once warm.

pub(crate) mod document;
pub mod identity;
pub mod instant;
mod mend;
mod pasted;
pub(crate) mod row;
mod tape;
mod unwrap;

#[cfg(test)]
mod tests;

use crate::frame::{Frame, Framer, Kind};
use crate::limits::WRAPPINGS_MAX;
use crate::matches::Reason;

use document::{Document, Json};
use row::Row;
use tape::TapeDecoder;
use unwrap::Item;

/// A decoder of events with its buffers.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    row: Row,
    pub(crate) tape: TapeDecoder,
    /// Lists of what documents hold, one per depth of wrapping; kept for their memory.
    items: Vec<Vec<Item>>,
}

/// Takes the events of a document, one after another.
pub(crate) type Sink<'s> = dyn FnMut(Result<&Row, Reason>) + 's;

impl Decoder {
    /// Decodes what a framer found. A comment gives nothing.
    pub(crate) fn frame(&mut self, text: &[u8], kind: Kind, sink: &mut Sink<'_>) {
        self.row.cluster = None;
        self.framed(text, kind, 0, sink);
    }

    fn framed(&mut self, text: &[u8], kind: Kind, depth: usize, sink: &mut Sink<'_>) {
        match kind {
            Kind::Document => self.document(text, depth, sink),
            Kind::Comment => {}
            Kind::Broken(reason) => match pasted::recover(text) {
                Some(pasted) if depth < WRAPPINGS_MAX => {
                    let before = self.row.cluster.clone();
                    if self.tape.load(&pasted.outer, &mut self.row.doc).is_ok() {
                        self.row.cluster = unwrap::cluster(self.row.doc.json(0)).or(self.row.cluster.take());
                    }
                    self.text(&text[pasted.inner], depth + 1, sink);
                    self.row.cluster = before;
                }
                _ => sink(Err(reason)),
            },
        }
    }

    /// A text within a document: framed as input is.
    fn text(&mut self, text: &[u8], depth: usize, sink: &mut Sink<'_>) {
        let mut framer = Framer::new(text.len().max(1));
        let mut found = false;
        let mut at = 0;
        while let Some(Frame { start, end, kind }) = framer.next(&text[at..], true) {
            if kind != Kind::Comment {
                found = true;
                let part = text.get(at + start..at + end).unwrap_or_default();
                match kind {
                    // A line of another log than ours: the record is JSON, but holds no event.
                    Kind::Broken(_) if !part.starts_with(b"{") => sink(Err(Reason::NotAnEvent)),
                    kind => self.framed(part, kind, depth, sink),
                }
            }
            at += end;
        }
        if !found {
            sink(Err(Reason::NotAnEvent));
        }
    }

    fn document(&mut self, text: &[u8], depth: usize, sink: &mut Sink<'_>) {
        if let Err(reason) = self.tape.load(text, &mut self.row.doc) {
            return sink(Err(reason));
        }
        let mut items = self.items.pop().unwrap_or_default();
        items.clear();
        unwrap::collect(self.row.doc.json(0), 0, &mut items);
        if items.iter().any(|item| matches!(item, Item::Text { .. })) {
            self.wrapped(&items, depth, sink);
        } else {
            for item in &items {
                self.plain(item, sink);
            }
        }
        self.items.push(items);
    }

    fn plain(&mut self, item: &Item, sink: &mut Sink<'_>) {
        match item {
            Item::Event { at, record } => {
                let before = self.row.cluster.clone();
                if at != record {
                    self.row.cluster = unwrap::cluster(self.row.doc.json(*record)).or(before.clone());
                }
                match self.row.fill(*at) {
                    Ok(()) => sink(Ok(&self.row)),
                    Err(reason) => sink(Err(reason)),
                }
                self.row.cluster = before;
            }
            Item::Bad(reason) => sink(Err(*reason)),
            Item::Text { .. } => {}
        }
    }

    /// Some of the events are texts: the outer document steps aside while they are decoded.
    fn wrapped(&mut self, items: &[Item], depth: usize, sink: &mut Sink<'_>) {
        let mut outer = std::mem::take(&mut self.row.doc);
        for item in items {
            match item {
                Item::Text { at, record } if depth < WRAPPINGS_MAX => {
                    let before = self.row.cluster.clone();
                    self.row.cluster = unwrap::cluster(outer.json(*record)).or(self.row.cluster.take());
                    let text = outer.json(*at).as_text().unwrap_or("");
                    self.text(text.as_bytes(), depth + 1, sink);
                    self.row.cluster = before;
                }
                Item::Text { .. } => sink(Err(Reason::NotAnEvent)),
                item => {
                    std::mem::swap(&mut self.row.doc, &mut outer);
                    self.plain(item, sink);
                    std::mem::swap(&mut self.row.doc, &mut outer);
                }
            }
        }
        self.row.doc = outer;
    }
}

/// A JSON text as a document of its own; nothing if it is none, or too deep.
pub(crate) fn parse_json(text: &str) -> Option<Document> {
    let mut doc = Document::default();
    TapeDecoder::default().strict(text.as_bytes(), &mut doc).ok()?;
    Some(doc)
}

/// Whether a value is a map with a text under a key that begins like this.
fn has(json: Json<'_>, key: &str, prefix: &str) -> bool {
    json.get(key).and_then(Json::as_text).is_some_and(|text| text.starts_with(prefix))
}
