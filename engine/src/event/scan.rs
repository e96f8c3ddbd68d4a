//! The scanner: one line that is one event as the API server writes it, read once from front to back.
//!
//! It accepts a small language: compact JSON of `audit.k8s.io/v1` `Event` with its keys in the order of the API server's
//! own struct, each at most once; which keys may be left out is known too. Between values it compares whole literals,
//! and the ends of texts it finds sixty-four bytes at a time. It always reads to the closing brace. All else it declines,
//! so that it never has to know better than the general decoder: equal keys are out of order, and so declined.
//!
//! What it accepts means what the tape says it means, with one exception that has a name: inside `requestObject`
//! (never a patch's) and `responseObject` texts and the number of brackets are checked, and nothing else, until a rule
//! opens them. `docs/performance.md` says what that lets through and how often that is.
//!
//! Another shortcut is taken only where the plan says that no rule reads such events: of a `RequestReceived` the front up to
//! its stage is read, and its two times at the very end, which have a fixed form; and that no second stage stands between, so
//! that of two events on one line neither is lost.

use dsl::ir::Stage;
use memchr::memmem;

use crate::matches::Nanos;

use super::cursor::{Cursor, IMPERSONATED, USER, UserSlots};
use super::instant;
use super::row::{Slot, stage_of};
use super::simd::Simd;

/// What a decoder of lines makes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    /// An event, in the slots.
    Event(Stage, Nanos),
    /// A request received, of this time, of which nobody wants to know more.
    Passed(Nanos),
    /// Not known: others decide.
    Declined,
}

const RECEIVED: &[u8; 29] = b",\"requestReceivedTimestamp\":\"";
const AT: &[u8; 19] = b",\"stageTimestamp\":\"";
/// Of a time with microseconds.
const TIME: usize = 27;
/// `,"requestReceivedTimestamp":"…","stageTimestamp":"…"}`
const TAIL: usize = RECEIVED.len() + TIME + 1 + AT.len() + TIME + 2;

/// Finds a stage, to pass over requests received that nobody reads.
#[derive(Debug)]
pub(super) struct Pass(memmem::Finder<'static>);

impl Default for Pass {
    fn default() -> Self {
        Self(memmem::Finder::new("\"stage\":"))
    }
}

/// Reads the line. `pass`: nobody reads requests received.
#[inline(always)]
pub(super) fn scan<S: Simd>(cursor: &mut Cursor<'_, S>, pass: Option<&Pass>) -> Scanned {
    match event(cursor, pass) {
        Some(scanned) => scanned,
        None => Scanned::Declined,
    }
}

#[inline(always)]
fn event<S: Simd>(c: &mut Cursor<'_, S>, pass: Option<&Pass>) -> Option<Scanned> {
    let start = c.at - c.start;
    c.must(b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"")?;
    c.slots.set(Slot::Kind, start + 9, start + 14);
    c.slots.set(Slot::ApiVersion, start + 30, start + 45);
    c.content(Slot::Level)?;
    c.must(b",\"auditID\":\"")?;
    c.content(Slot::AuditId)?;
    c.must(b",\"stage\":\"")?;
    let from = c.at;
    c.content(Slot::Stage)?;
    let stage = stage_of(c.text.get(from..c.at - 1)?)?;
    if let Some(pass) = pass
        && stage == Stage::RequestReceived
        && let Some(time) = tail(c.text.get(c.at..c.end)?, pass)
    {
        return Some(Scanned::Passed(time));
    }
    c.must(b",\"requestURI\":\"")?;
    c.content(Slot::RequestUri)?;
    c.must(b",\"verb\":\"")?;
    let from = c.at;
    c.content(Slot::Verb)?;
    // An escape in a verb could hide a patch.
    let patch = c.text.get(from..c.at)? == b"patch\"" || c.slots.is_escaped(Slot::Verb);
    c.must(b",\"user\":")?;
    user(c, &USER)?;
    if c.take(b",\"impersonatedUser\":") {
        if c.take(b"null") {
            c.slots.set_null(Slot::ImpersonatedUser);
        } else {
            user(c, &IMPERSONATED)?;
        }
    }
    if c.take(b",\"sourceIPs\":") {
        let from = c.at;
        c.texts()?;
        c.range(Slot::SourceIps, from);
    }
    if c.take(b",\"userAgent\":\"") {
        c.content(Slot::UserAgent)?;
    }
    if c.take(b",\"objectRef\":") {
        object(c)?;
    }
    if c.take(b",\"responseStatus\":") {
        status(c)?;
    }
    if c.take(b",\"requestObject\":") {
        // The one body that is written as the client sent it: what may be odd in it the tape sees.
        if patch {
            return None;
        }
        c.body(Slot::RequestObject)?;
    }
    if c.take(b",\"responseObject\":") {
        c.body(Slot::ResponseObject)?;
    }
    c.must(RECEIVED)?;
    c.content(Slot::RequestReceived)?;
    c.must(AT)?;
    let from = c.at;
    c.content(Slot::StageTimestamp)?;
    let time = instant::parse_bytes(c.text.get(from..c.at - 1)?)?;
    if c.take(b",\"annotations\":") {
        let from = c.at;
        c.map_of_texts()?;
        c.range(Slot::Annotations, from);
    }
    c.must(b"}")?;
    (c.at == c.end).then_some(Scanned::Event(stage, time))
}

/// The time of an event that ends in its two times, and says no other stage.
#[inline(always)]
fn tail(text: &[u8], pass: &Pass) -> Option<Nanos> {
    let tail = text.last_chunk::<TAIL>()?;
    let behind = tail.strip_prefix(RECEIVED)?;
    let (received, behind) = behind.split_at_checked(TIME)?;
    let (time, end) = behind.strip_prefix(b"\"")?.strip_prefix(AT)?.split_at_checked(TIME)?;
    if end != b"\"}" || !text.starts_with(b",\"requestURI\":\"") {
        return None;
    }
    if pass.0.find(text).is_some() {
        return None;
    }
    instant::parse_bytes(received)?;
    instant::parse_bytes(time)
}

#[inline(always)]
fn user<S: Simd>(c: &mut Cursor<'_, S>, slots: &UserSlots) -> Option<()> {
    let from = c.at;
    // Nobody, as of a request that was not authenticated.
    if c.take(b"{}") {
        c.range(slots.map, from);
        return Some(());
    }
    c.must(b"{\"username\":\"")?;
    c.content(slots.name)?;
    if c.take(b",\"uid\":\"") {
        c.content(slots.uid)?;
    }
    if c.take(b",\"groups\":") {
        let from = c.at;
        c.texts()?;
        c.range(slots.groups, from);
    }
    if c.take(b",\"extra\":") {
        let from = c.at;
        c.map_of_lists()?;
        c.range(slots.extra, from);
    }
    c.must(b"}")?;
    c.range(slots.map, from);
    Some(())
}

#[inline(always)]
fn object<S: Simd>(c: &mut Cursor<'_, S>) -> Option<()> {
    let from = c.at;
    c.must(b"{\"resource\":\"")?;
    c.content(Slot::Resource)?;
    if c.take(b",\"namespace\":\"") {
        c.content(Slot::Namespace)?;
    }
    if c.take(b",\"name\":\"") {
        c.content(Slot::Name)?;
    }
    if c.take(b",\"uid\":\"") {
        c.content(Slot::ObjectUid)?;
    }
    if c.take(b",\"apiGroup\":\"") {
        c.content(Slot::ApiGroup)?;
    }
    if c.take(b",\"apiVersion\":\"") {
        c.content(Slot::ObjectApiVersion)?;
    }
    if c.take(b",\"resourceVersion\":\"") {
        c.content(Slot::ResourceVersion)?;
    }
    if c.take(b",\"subresource\":\"") {
        c.content(Slot::Subresource)?;
    }
    c.must(b"}")?;
    c.range(Slot::ObjectRef, from);
    Some(())
}

#[inline(always)]
fn status<S: Simd>(c: &mut Cursor<'_, S>) -> Option<()> {
    let from = c.at;
    c.must(b"{\"metadata\":{}")?;
    c.slots.set(Slot::StatusMetadata, from + 12 - c.start, from + 14 - c.start);
    if c.take(b",\"status\":\"") {
        c.content(Slot::Status)?;
    }
    if c.take(b",\"message\":\"") {
        c.content(Slot::Message)?;
    }
    if c.take(b",\"reason\":\"") {
        c.content(Slot::StatusReason)?;
    }
    if c.take(b",\"details\":") {
        let from = c.at;
        details(c)?;
        c.range(Slot::Details, from);
    }
    if c.take(b",\"code\":") {
        c.number(Slot::Code)?;
    }
    c.must(b"}")?;
    c.range(Slot::ResponseStatus, from);
    Some(())
}

/// What is said of the object that an error is about, as far as it is texts.
#[inline(always)]
fn details<S: Simd>(c: &mut Cursor<'_, S>) -> Option<()> {
    c.must(b"{")?;
    if c.take(b"}") {
        return Some(());
    }
    let mut any = false;
    // Each behind the one before, and the first without a comma.
    macro_rules! text {
        ($first:literal, $next:literal) => {
            if if any { c.take($next) } else { c.take($first) } {
                c.string()?;
                any = true;
            }
        };
    }
    text!(b"\"name\":\"", b",\"name\":\"");
    text!(b"\"group\":\"", b",\"group\":\"");
    text!(b"\"kind\":\"", b",\"kind\":\"");
    text!(b"\"uid\":\"", b",\"uid\":\"");
    (any && c.take(b"}")).then_some(())
}
