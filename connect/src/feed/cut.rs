//! Where a run of bytes may be cut, so that no document is torn.
//!
//! Events come one a line, or pretty-printed over many lines, or many in an array or an `EventList`. A line's end is
//! between two documents if the next line begins with `{` at its very start and what is in front does not go on: it
//! ends neither in a comma nor in an opening bracket nor in a colon. A line that was cut off is followed by a new
//! document too. JSON has no raw line ends inside of strings, so nothing in a body can look like this.
//!
//! It asks for nothing to be valid and never looks at more than the ends of lines. A document that this cannot end (an
//! array of many megabytes) stays in one piece.

/// The last place where `bytes` may be cut: everything before it is whole documents, what comes behind begins with one.
/// The first `known` bytes have been looked at before, in vain.
pub(crate) fn last(bytes: &[u8], known: usize) -> Option<usize> {
    let from = known.saturating_sub(1);
    let mut end = bytes.len().checked_sub(1)?.max(from);
    while let Some(at) = bytes[from..end].iter().rposition(|b| *b == b'\n') {
        if is_between(bytes, from + at) {
            return Some(from + at + 1);
        }
        end = from + at;
    }
    None
}

/// The first such place.
pub(crate) fn first(bytes: &[u8]) -> Option<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n');
    ends.map(|(at, _)| at).find(|at| is_between(bytes, *at)).map(|at| at + 1)
}

/// Whether all of `bytes` are whole documents one a line, as far as the last line tells: for a pipe, whose next line
/// may be long in coming.
pub(crate) fn ends_whole(bytes: &[u8]) -> bool {
    let Some(text) = bytes.strip_suffix(b"\n") else { return false };
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let start = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    text[start..].starts_with(b"{\"") && text.ends_with(b"}")
}

fn is_between(bytes: &[u8], line_end: usize) -> bool {
    if bytes.get(line_end + 1) != Some(&b'{') {
        return false;
    }
    let before = bytes[..line_end].iter().rev().find(|b| !b.is_ascii_whitespace());
    !matches!(before, Some(b',' | b'[' | b':' | b'{'))
}
