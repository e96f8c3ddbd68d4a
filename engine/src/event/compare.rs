//! The decoders of lines held to the tape, for tests and fuzzing; in no shipped binary.
//!
//! The slow twin of every line's decoder is the tape, which shares no code with them. What they may say otherwise is what
//! `docs/performance.md` names: inside bodies, and nowhere else. So of a line that has bodies and is told otherwise, the
//! line without its bodies must be told alike, and one of the bodies must be none that a strict parser takes.

use std::fmt::Write as _;
use std::ops::Range;

use super::document::{Document, Json, Node};
use super::row::{Row, Slot};
use super::simd::Level;
use super::{Decoder, Decoding, Found, Place};
use crate::matches::{Nanos, Reason};

/// What a row says in every slot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) stage: String,
    pub(super) time: Nanos,
    /// As JSON; `None` is absent.
    slots: Vec<Option<String>>,
    texts: Vec<Option<String>>,
    maps: Vec<bool>,
}

/// Something that a decoder has told, and where the bodies of an event are in its line.
#[derive(Clone, Debug)]
pub(super) enum Told {
    Event(Box<Said>, Vec<Range<usize>>),
    Broken(Reason),
    Comment,
}

const BODIES: [Slot; 2] = [Slot::RequestObject, Slot::ResponseObject];

/// A value as JSON, so that no two that differ are written alike.
pub(super) fn write(json: Json<'_>, out: &mut String) {
    // Writing to a String cannot fail.
    let _ = match json.node() {
        Node::Null | Node::DeadKey => write!(out, "null"),
        Node::Bool(b) => write!(out, "{b}"),
        Node::Number(n) => write!(out, "{:x}", n.to_bits()),
        Node::Text { .. } => write!(out, "{:?}", json.as_text()),
        Node::List { len, .. } => {
            let _ = write!(out, "[{len}");
            json.items().for_each(|item| {
                out.push(',');
                write_inner(item, out);
            });
            write!(out, "]")
        }
        Node::Map { len, .. } => {
            let _ = write!(out, "{{{len}");
            json.entries().for_each(|(key, value)| {
                let _ = write!(out, ",{key:?}:");
                write_inner(value, out);
            });
            write!(out, "}}")
        }
    };
}

/// Documents nest no deeper than [`crate::limits::JSON_DEPTH_MAX`].
fn write_inner(json: Json<'_>, out: &mut String) {
    write(json, out);
}

fn said(row: &Row<'_>) -> Said {
    let text = |json| {
        let mut out = String::new();
        write(json, &mut out);
        out
    };
    Said {
        stage: format!("{:?}", row.stage),
        time: row.stage_timestamp,
        slots: Slot::ALL.iter().map(|slot| row.raw(*slot).map(text)).collect(),
        texts: Slot::ALL.iter().map(|slot| row.text(*slot).map(str::to_owned)).collect(),
        maps: Slot::ALL.iter().map(|slot| row.is_map(*slot)).collect(),
    }
}

/// What a decoder tells of lines, with places from `OFFSET` on.
pub(super) fn tell(decoder: &mut Decoder, text: &[u8]) -> Vec<(Place, Told)> {
    let mut out = Vec::new();
    decoder.lines(text, OFFSET, false, &mut |place, found| out.push((place, told(&found))));
    out
}

/// Not 0, so that a forgotten one shows.
pub(super) const OFFSET: u64 = 7;

pub(super) fn told(found: &Found<'_, '_>) -> Told {
    match found {
        Found::Event(row) => {
            Told::Event(Box::new(said(row)), BODIES.iter().filter_map(|slot| row.place(*slot)).collect())
        }
        Found::Broken(reason) => Told::Broken(*reason),
        Found::Comment | Found::Passed(_) => Told::Comment,
    }
}

/// Whether two things say the same.
pub(super) fn same(a: &Told, b: &Told) -> bool {
    match (a, b) {
        (Told::Event(a, _), Told::Event(b, _)) => a == b,
        (Told::Broken(a), Told::Broken(b)) => a == b,
        (Told::Comment, Told::Comment) => true,
        _ => false,
    }
}

pub(super) fn decoders() -> Vec<Decoder> {
    let levels = Level::all().into_iter();
    let each = [Decoding::Auto, Decoding::Scan, Decoding::Walk];
    let with = |level| each.map(|decoding| Decoder { level, decoding, ..Decoder::default() });
    levels.flat_map(with).collect()
}

pub(super) fn tape() -> Decoder {
    Decoder { decoding: Decoding::Tape, ..Decoder::default() }
}

/// Whether a strict parser takes it.
fn is_json(text: &[u8]) -> bool {
    super::TapeDecoder::default().strict(text, &mut Document::default()).is_ok()
}

/// What any decoder says otherwise of a line than the tape does, and may not.
///
/// # Errors
/// In words.
pub fn hold(line: &[u8]) -> Result<(), String> {
    let mut strict = tape();
    let wanted = tell(&mut strict, line);
    for mut decoder in decoders() {
        let got = tell(&mut decoder, line);
        let wrong = |what: &str| {
            let text = String::from_utf8_lossy(line);
            let Decoder { decoding, level, .. } = &decoder;
            Err(format!("{what}: {decoding:?} {level:?}: {text}\n{got:?}\nand on the tape\n{wanted:?}"))
        };
        let equal = got.len() == wanted.len()
            && got.iter().zip(&wanted).all(|((at, a), (other, b))| at == other && same(a, b));
        let bodies = match &got[..] {
            [(_, Told::Event(_, bodies))] => bodies.as_slice(),
            _ => &[],
        };
        if bodies.is_empty() {
            if !equal {
                return wrong("another answer");
            }
            if decoder.duplicate_keys() != strict.duplicate_keys()
                || decoder.tape.mended != strict.tape.mended
            {
                return wrong("another count");
            }
            continue;
        }
        if equal {
            if decoder.duplicate_keys() > strict.duplicate_keys() {
                return wrong("more equal keys");
            }
            continue;
        }
        if bodies.iter().all(|body| line.get(body.clone()).is_some_and(is_json)) {
            return wrong("another answer, and not for a body");
        }
        let mut bare = line.to_vec();
        for body in bodies.iter().rev() {
            bare.splice(body.clone(), *b"null");
        }
        let without = tell(&mut tape(), &bare);
        match (&got[..], &without[..]) {
            ([(_, Told::Event(a, _))], [(_, Told::Event(b, _))]) if but_bodies(a) == but_bodies(b) => {}
            _ => return wrong("another answer, and not in a body alone"),
        }
    }
    Ok(())
}

fn but_bodies(said: &Said) -> Said {
    let mut said = said.clone();
    for slot in BODIES {
        said.slots[slot as usize] = None;
        said.maps[slot as usize] = false;
        said.texts[slot as usize] = None;
    }
    said
}
