//! The bound that decoding is held to: a scan of one line at a time that finds fifteen fields and does nothing else.
//!
//! No rules, no checks of bytes, no slots for the other fields, no time made of a text, nothing passed over: what a scanner
//! of this kind costs at the least. `auditd-rules bench` runs it beside the product over the same file. It is no decoder:
//! what it does not know it counts as declined.

use std::hint::black_box;

use super::cursor::Cursor;
use super::row::Slots;
use super::simd::{Level, Simd, Work};

/// How many fields are found.
const FIELDS: usize = 15;

/// Scans lines, on one thread.
#[derive(Debug, Default)]
pub struct Bare {
    level: Level,
    slots: Slots,
    /// Lines that were understood to their end.
    pub scanned: u64,
    /// Lines that were not.
    pub declined: u64,
}

impl Bare {
    /// Scans lines.
    pub fn lines(&mut self, text: &[u8]) {
        let level = self.level;
        level.run(Lines { bare: self, text });
    }
}

struct Lines<'b> {
    bare: &'b mut Bare,
    text: &'b [u8],
}

impl Work for Lines<'_> {
    type Out = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { bare, text } = self;
        let mut start = 0;
        while start < text.len() {
            let rest = text.get(start..).unwrap_or_default();
            let end = memchr::memchr(b'\n', rest).map_or(text.len(), |found| start + found);
            let mut cursor = Cursor { simd, text, start, end, at: start, slots: &mut bare.slots };
            let mut fields = [0; FIELDS];
            if event(&mut cursor, &mut fields).is_some() {
                bare.scanned += 1;
            } else {
                bare.declined += 1;
            }
            black_box(&fields);
            start = end + 1;
        }
    }
}

#[inline(always)]
fn event<S: Simd>(c: &mut Cursor<'_, S>, fields: &mut [usize; FIELDS]) -> Option<()> {
    c.must(b"{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"")?;
    fields[0] = c.string()?.0;
    c.must(b",\"auditID\":\"")?;
    fields[1] = c.string()?.0;
    c.must(b",\"stage\":\"")?;
    fields[2] = c.string()?.0;
    c.must(b",\"requestURI\":\"")?;
    c.string()?;
    c.must(b",\"verb\":\"")?;
    fields[3] = c.string()?.0;
    c.must(b",\"user\":")?;
    (fields[4], fields[5]) = user(c)?;
    if c.take(b",\"impersonatedUser\":") && !c.take(b"null") {
        user(c)?;
    }
    if c.take(b",\"sourceIPs\":") {
        c.texts()?;
        fields[6] = c.at;
    }
    if c.take(b",\"userAgent\":\"") {
        fields[7] = c.string()?.0;
    }
    if c.take(b",\"objectRef\":{\"resource\":\"") {
        object(c, fields)?;
    }
    if c.take(b",\"responseStatus\":{\"metadata\":{}") {
        fields[13] = status(c)?;
    }
    for body in 0..2 {
        if if body == 0 { c.take(b",\"requestObject\":") } else { c.take(b",\"responseObject\":") } {
            c.over()?;
        }
    }
    c.must(b",\"requestReceivedTimestamp\":\"")?;
    c.string()?;
    c.must(b",\"stageTimestamp\":\"")?;
    fields[14] = c.string()?.0;
    if c.take(b",\"annotations\":") {
        c.map_of_texts()?;
    }
    c.must(b"}")?;
    (c.at == c.end).then_some(())
}

/// Where the name ends, and where the groups do.
#[inline(always)]
fn user<S: Simd>(c: &mut Cursor<'_, S>) -> Option<(usize, usize)> {
    if c.take(b"{}") {
        return Some((0, 0));
    }
    c.must(b"{\"username\":\"")?;
    let name = c.string()?.0;
    if c.take(b",\"uid\":\"") {
        c.string()?;
    }
    let mut groups = 0;
    if c.take(b",\"groups\":") {
        c.texts()?;
        groups = c.at;
    }
    if c.take(b",\"extra\":") {
        c.map_of_lists()?;
    }
    c.must(b"}")?;
    Some((name, groups))
}

#[inline(always)]
fn object<S: Simd>(c: &mut Cursor<'_, S>, fields: &mut [usize; FIELDS]) -> Option<()> {
    fields[8] = c.string()?.0;
    if c.take(b",\"namespace\":\"") {
        fields[9] = c.string()?.0;
    }
    if c.take(b",\"name\":\"") {
        fields[10] = c.string()?.0;
    }
    if c.take(b",\"uid\":\"") {
        c.string()?;
    }
    if c.take(b",\"apiGroup\":\"") {
        fields[11] = c.string()?.0;
    }
    if c.take(b",\"apiVersion\":\"") {
        c.string()?;
    }
    if c.take(b",\"resourceVersion\":\"") {
        c.string()?;
    }
    if c.take(b",\"subresource\":\"") {
        fields[12] = c.string()?.0;
    }
    c.must(b"}")
}

/// Where the code ends.
#[inline(always)]
fn status<S: Simd>(c: &mut Cursor<'_, S>) -> Option<usize> {
    if c.take(b",\"status\":\"") {
        c.string()?;
    }
    if c.take(b",\"message\":\"") {
        c.string()?;
    }
    if c.take(b",\"reason\":\"") {
        c.string()?;
    }
    if c.take(b",\"details\":") {
        c.over()?;
    }
    if c.take(b",\"code\":") {
        while c.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            c.at += 1;
        }
    }
    let end = c.at;
    c.must(b"}")?;
    Some(end)
}
