//! Records as people paste them: the event stands in `message` as it is, its quotes not escaped.
//!
//! `{"message":"{"kind":"Event",…}","verb":"get",…}` is no JSON. The event in it is, and ends where its braces say, so
//! it can be taken out; what is left with an empty `message` is the record. Looked for only in what is no JSON.

use std::ops::Range;

/// A pasted record.
#[derive(Debug, PartialEq)]
pub(super) struct Pasted {
    /// Where the event's JSON is.
    pub(super) inner: Range<usize>,
    /// The record without it.
    pub(super) outer: Vec<u8>,
}

pub(super) fn recover(text: &[u8]) -> Option<Pasted> {
    [&b"\"message\""[..], b"\"log\""].iter().find_map(|key| after_key(text, key))
}

fn after_key(text: &[u8], key: &[u8]) -> Option<Pasted> {
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text[from..], key) {
        let mut at = blank(text, from + found + key.len());
        if text.get(at) == Some(&b':') {
            at = blank(text, at + 1);
            if text.get(at) == Some(&b'"') && text.get(blank(text, at + 1)) == Some(&b'{') {
                let start = blank(text, at + 1);
                let end = start + object(&text[start..])?;
                // Collectors leave the line break of the line in the text, as it is or escaped.
                let mut close = end;
                while text[close..].starts_with(b"\\n")
                    || text.get(close).is_some_and(u8::is_ascii_whitespace)
                {
                    close += if text[close] == b'\\' { 2 } else { 1 };
                }
                if text.get(close) != Some(&b'"') {
                    return None;
                }
                let outer = [&text[..=at], &text[close..]].concat();
                return Some(Pasted { inner: start..end, outer });
            }
        }
        from += found + key.len();
    }
    None
}

fn blank(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// The length of the object that `text` begins with, by its braces; texts in it may hold any.
fn object(text: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(found) = memchr::memchr3(b'"', b'{', b'}', &text[at..]) {
        at += found;
        match text[at] {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => at = string_end(text, at)?,
        }
        at += 1;
    }
    None
}

/// Where the closing quote of the text that opens at `at` is.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
