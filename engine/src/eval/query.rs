//! `requestURI`: its decoded path and the values of its query.
//!
//! The query begins after the first `?` and ends before `#`; its parts are parted by `&`. A `%` that no two hexadecimal
//! digits follow stays as it is.

use std::borrow::Cow;

/// `%XX` decoded; `+` as a space if `plus`.
pub(crate) fn unescape(text: &str, plus: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |i: usize| bytes.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                at += 3;
                continue;
            }
            (b'+', _, _) if plus => out.push(b' '),
            (byte, _, _) => out.push(byte),
        }
        at += 1;
    }
    out
}

/// The path, decoded.
pub(crate) fn path(uri: &str) -> Cow<'_, [u8]> {
    let end = uri.find(['?', '#']).unwrap_or(uri.len());
    let path = &uri[..end];
    if path.contains('%') { Cow::Owned(unescape(path, false)) } else { Cow::Borrowed(path.as_bytes()) }
}

/// The decoded values of a key, in order.
pub(crate) fn values<'u>(uri: &'u str, key: &'u str) -> impl Iterator<Item = Cow<'u, str>> {
    let query = uri.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').filter_map(move |part| {
        if part.is_empty() {
            return None;
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        is_key(name, key).then(|| decoded(value))
    })
}

/// Whether a name is a key once it is decoded. Every event is asked for `dryRun`, so nothing is made of a name that stands for itself.
fn is_key(name: &str, key: &str) -> bool {
    name == key
        || name.bytes().any(|byte| matches!(byte, b'%' | b'+')) && *unescape(name, true) == *key.as_bytes()
}

fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains(['%', '+']) {
        return Cow::Borrowed(value);
    }
    let bytes = unescape(value, true);
    Cow::Owned(
        String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()),
    )
}
