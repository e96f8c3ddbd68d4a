//! From a document's bytes to rows, whatever it is wrapped in.
//!
//! ```text
//! text --frame--> documents --tape--> Document --unwrap--> the events in it, or texts to begin with again
//! ```
//!
//! A line that surely stands alone is not framed but read where it stands: by the scanner, else by the walker, else
//! it is framed and goes the way above (`compare.rs` holds them to it). So do events in the texts of other records.
//!
//! One document may hold many events (an `EventList`, records with a `message` each); each becomes the row in turn.
//! Texts within texts are framed like input is, at most [`WRAPPINGS_MAX`] deep. What is no event comes out as a
//! reason: nothing is dropped without one. Buffers are kept, so a plain event costs no allocation once warm.

pub mod bare;
#[cfg(any(test, feature = "compare-decoders"))]
pub mod compare;
mod cursor;
pub(crate) mod document;
pub mod identity;
pub mod instant;
mod mend;
mod pasted;
pub(crate) mod row;
mod scan;
mod simd;
mod slot;
mod tape;
mod unwrap;
mod walk;

#[cfg(test)]
mod equal;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::frame::{self, Frame, Framer, Kind};
use crate::limits::WRAPPINGS_MAX;
use crate::matches::{Nanos, Reason};

use cursor::Cursor;
use document::{Document, Json};
use row::{Kept, Row};
use scan::{Pass, Scanned, scan};
use simd::{Level, Simd, Work};
use tape::TapeDecoder;
use unwrap::Item;
use walk::walk;

/// Which decoders read a line that is one event; what they decline is read on the tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Decoding {
    /// The scanner, then the walker.
    #[default]
    Auto,
    /// The scanner.
    Scan,
    /// The walker.
    Walk,
    /// None: the tape alone.
    Tape,
}

/// How many events each decoder has read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DecodedBy {
    /// The scanner.
    pub scan: u64,
    /// The scanner, those passed over by their tail.
    pub passed: u64,
    /// The walker.
    pub walk: u64,
    /// The tape; what was framed, not the events in it.
    pub tape: u64,
}

/// Something found in lines.
#[derive(Debug)]
pub(crate) enum Found<'r, 'l> {
    Event(&'r Row<'l>),
    /// A request received, of this time, of which nobody wants to know more.
    Passed(Nanos),
    Broken(Reason),
    Comment,
}

/// Where it was found: the offset and the length of its document.
pub(crate) type Place = (u64, u64);

/// Takes what is found in lines, one after another.
pub(crate) type LineSink<'s> = dyn FnMut(Place, Found<'_, '_>) + 's;

/// A decoder of events with its buffers.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub(crate) decoding: Decoding,
    pub(crate) level: Level,
    pub(crate) by: DecodedBy,
    pass: Pass,
    /// Keys that stood twice in lines that the walker has read.
    walked_duplicates: u64,
    kept: Kept,
    pub(crate) tape: TapeDecoder,
    /// Lists of what documents hold, one per depth of wrapping; kept for their memory.
    items: Vec<Vec<Item>>,
}

/// Takes the events of a document, one after another.
pub(crate) type Sink<'s> = dyn FnMut(Result<&Row<'_>, Reason>) + 's;

/// Lines that each begin with `{` and end with `}`, and the block loop over them.
struct Lines<'d, 's> {
    decoder: &'d mut Decoder,
    text: &'d [u8],
    /// Of the text in its source.
    offset: u64,
    pass: bool,
    sink: &'d mut LineSink<'s>,
}

impl Work for Lines<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { decoder, text, offset, pass, sink } = self;
        let mut at = 0;
        while at < text.len() {
            let line = simd::line(simd, text, at);
            let place = (offset + at as u64, (line.end - at) as u64);
            // No closure: it would be a function of its own, without the instructions, and each of them a call.
            let scanned = match line.text {
                Some(_) => read(simd, decoder, text, at..line.end, pass),
                None => Scanned::Declined,
            };
            match (line.text, scanned) {
                (Some(said), Scanned::Event(stage, time)) => {
                    sink(place, Found::Event(&decoder.kept.of_line(said, stage, time)));
                }
                (_, Scanned::Passed(time)) => sink(place, Found::Passed(time)),
                _ => {
                    let line = text.get(at..line.next).unwrap_or_default();
                    decoder.odd_line(line, place, pass, sink);
                }
            }
            at = line.next;
        }
    }
}

/// What the decoders of lines make of the line at `place`, which is UTF-8 without control characters.
#[inline(always)]
fn read<S: Simd>(simd: S, decoder: &mut Decoder, text: &[u8], place: Range<usize>, pass: bool) -> Scanned {
    let Decoder { decoding, kept, by, pass: passing, .. } = decoder;
    let Range { start, end } = place;
    if u32::try_from(end - start).is_err() {
        return Scanned::Declined;
    }
    let mut scanned = Scanned::Declined;
    if matches!(decoding, Decoding::Auto | Decoding::Scan) {
        let mut cursor = Cursor { simd, text, start, end, at: start, slots: kept.begin() };
        scanned = scan(&mut cursor, pass.then_some(passing));
    }
    match scanned {
        Scanned::Event(..) => by.scan += 1,
        Scanned::Passed(_) => by.passed += 1,
        Scanned::Declined if matches!(decoding, Decoding::Auto | Decoding::Walk) => {
            scanned = simd.apart(Walk { decoder, text, start, end });
            decoder.by.walk += u64::from(scanned != Scanned::Declined);
        }
        Scanned::Declined => {}
    }
    scanned
}

/// One document that is a line, if it is.
struct Whole<'d, 't> {
    decoder: &'d mut Decoder,
    text: &'t [u8],
    pass: bool,
}

impl<'t> Work for Whole<'_, 't> {
    type Out = Option<(&'t str, Scanned)>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        let Self { decoder, text, pass } = self;
        let line = simd::line(simd, text, 0);
        let said = line.text.filter(|_| line.end == text.len())?;
        Some((said, read(simd, decoder, text, 0..line.end, pass)))
    }
}

/// One line for the walker.
struct Walk<'d> {
    decoder: &'d mut Decoder,
    text: &'d [u8],
    start: usize,
    end: usize,
}

impl Work for Walk<'_> {
    type Out = Scanned;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Scanned {
        let Self { decoder, text, start, end } = self;
        let slots = decoder.kept.begin();
        let mut cursor = Cursor { simd, text, start, end, at: start, slots };
        walk(&mut cursor, &mut decoder.walked_duplicates)
    }
}

impl Decoder {
    /// Decodes lines that each begin with `{` and end with `}`; `offset` is that of the first. `pass`: requests received
    /// may be passed over.
    pub(crate) fn lines(&mut self, text: &[u8], offset: u64, pass: bool, sink: &mut LineSink<'_>) {
        self.kept.cluster = None;
        self.level.run(Lines { decoder: self, text, offset, pass, sink });
    }

    /// A line that no decoder of lines knows. Mostly it is one document, as the tape sees by itself; if it is none, it is framed
    /// alone, which finds what framing the whole would have found.
    #[inline(never)]
    fn odd_line(&mut self, line: &[u8], (offset, length): Place, pass: bool, sink: &mut LineSink<'_>) {
        let blanks =
            line.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
        let said = line.get(..line.len() - blanks).unwrap_or_default();
        if self.tape.strict(said, &mut self.kept.doc).is_ok() {
            self.kept.cluster = None;
            self.by.tape += 1;
            return self.loaded(0, &mut placed((offset, said.len() as u64), sink));
        }
        frame::alone(line, |Frame { start, end, kind }| {
            let place = (offset + start as u64, (end - start) as u64);
            let part = line.get(start..end).unwrap_or_default();
            if place == (offset, length) {
                self.general(part, kind, place, sink);
            } else {
                self.found(part, kind, place, pass, sink);
            }
        });
    }

    /// Decodes what a framer found, by the decoders of lines if they know it.
    pub(crate) fn found(
        &mut self,
        text: &[u8],
        kind: Kind,
        place: Place,
        pass: bool,
        sink: &mut LineSink<'_>,
    ) {
        self.kept.cluster = None;
        match if kind == Kind::Document { self.whole(text, pass) } else { None } {
            Some((said, Scanned::Event(stage, time))) => {
                sink(place, Found::Event(&self.kept.of_line(said, stage, time)));
            }
            Some((_, Scanned::Passed(time))) => sink(place, Found::Passed(time)),
            Some((_, Scanned::Declined)) | None => self.general(text, kind, place, sink),
        }
    }

    fn whole<'t>(&mut self, text: &'t [u8], pass: bool) -> Option<(&'t str, Scanned)> {
        if self.decoding == Decoding::Tape || !text.starts_with(b"{") {
            return None;
        }
        let level = self.level;
        level.run(Whole { decoder: self, text, pass })
    }

    /// Decodes what a framer found with the general decoder.
    fn general(&mut self, text: &[u8], kind: Kind, place: Place, sink: &mut LineSink<'_>) {
        if kind == Kind::Comment {
            return sink(place, Found::Comment);
        }
        self.by.tape += 1;
        self.frame(text, kind, &mut placed(place, sink));
    }

    /// Keys that stood twice, so far.
    pub(crate) fn duplicate_keys(&self) -> u64 {
        self.tape.duplicate_keys + self.walked_duplicates
    }

    /// Decodes what a framer found. A comment gives nothing.
    pub(crate) fn frame(&mut self, text: &[u8], kind: Kind, sink: &mut Sink<'_>) {
        self.kept.cluster = None;
        self.framed(text, kind, 0, sink);
    }

    fn framed(&mut self, text: &[u8], kind: Kind, depth: usize, sink: &mut Sink<'_>) {
        match kind {
            Kind::Document => self.document(text, depth, sink),
            // Lines are told apart before they come here.
            Kind::Comment | Kind::Lines => {}
            Kind::Broken(reason) => match pasted::recover(text) {
                Some(pasted) if depth < WRAPPINGS_MAX => {
                    let before = self.kept.cluster.clone();
                    if self.tape.load(&pasted.outer, &mut self.kept.doc).is_ok() {
                        self.kept.cluster =
                            unwrap::cluster(self.kept.doc.json(0)).or(self.kept.cluster.take());
                    }
                    self.text(&text[pasted.inner], depth + 1, sink);
                    self.kept.cluster = before;
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
        // An event that something was wrapped around is mostly a line as the API server wrote it.
        if depth > 0
            && let Some((said, Scanned::Event(stage, time))) = self.whole(text, false)
        {
            return sink(Ok(&self.kept.of_line(said, stage, time)));
        }
        match self.tape.load(text, &mut self.kept.doc) {
            Ok(()) => self.loaded(depth, sink),
            Err(reason) => sink(Err(reason)),
        }
    }

    /// The document that has just been loaded.
    fn loaded(&mut self, depth: usize, sink: &mut Sink<'_>) {
        let mut items = self.items.pop().unwrap_or_default();
        items.clear();
        unwrap::collect(self.kept.doc.json(0), 0, &mut items);
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
                let before = self.kept.cluster.clone();
                if at != record {
                    self.kept.cluster = unwrap::cluster(self.kept.doc.json(*record)).or(before.clone());
                }
                match self.kept.fill(*at) {
                    Ok(row) => sink(Ok(&row)),
                    Err(reason) => sink(Err(reason)),
                }
                self.kept.cluster = before;
            }
            Item::Bad(reason) => sink(Err(*reason)),
            Item::Text { .. } => {}
        }
    }

    /// Some of the events are texts: the outer document steps aside while they are decoded.
    fn wrapped(&mut self, items: &[Item], depth: usize, sink: &mut Sink<'_>) {
        let mut outer = std::mem::take(&mut self.kept.doc);
        for item in items {
            match item {
                Item::Text { at, record } if depth < WRAPPINGS_MAX => {
                    let before = self.kept.cluster.clone();
                    self.kept.cluster = unwrap::cluster(outer.json(*record)).or(self.kept.cluster.take());
                    let text = outer.json(*at).as_text().unwrap_or("");
                    self.text(text.as_bytes(), depth + 1, sink);
                    self.kept.cluster = before;
                }
                Item::Text { .. } => sink(Err(Reason::NotAnEvent)),
                item => {
                    std::mem::swap(&mut self.kept.doc, &mut outer);
                    self.plain(item, sink);
                    std::mem::swap(&mut self.kept.doc, &mut outer);
                }
            }
        }
        self.kept.doc = outer;
    }
}

/// Says of what is found where it was.
fn placed(place: Place, sink: &mut LineSink<'_>) -> impl FnMut(Result<&Row<'_>, Reason>) {
    move |event| match event {
        Ok(row) => sink(place, Found::Event(row)),
        Err(reason) => sink(place, Found::Broken(reason)),
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
