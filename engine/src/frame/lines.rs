//! Lines that are looked at as a whole: container runtimes' prefixes, a text alone, marks of truncation.

/// Longest prefix that a container runtime writes: a time with nanoseconds and zone, a stream, a tag.
const PREFIX_BYTES_MAX: usize = 64;

/// What a line begins with.
pub(super) enum Prefix {
    None,
    /// `2026-11-22T02:15:30.123456789Z stdout F `, this long.
    Full(usize),
    /// With `P`: the line goes on in the next one.
    Partial,
}

/// Looks at the start of a line. Nothing: more bytes are needed to tell.
pub(super) fn runtime_prefix(text: &[u8], end: bool) -> Option<Prefix> {
    let head = &text[..text.len().min(PREFIX_BYTES_MAX)];
    let line = head.iter().position(|b| *b == b'\n').map_or(head, |line_end| &head[..line_end]);
    for stream in [&b" stdout "[..], b" stderr "] {
        if let Some(found) = memchr::memmem::find(line, stream) {
            let tag = found + stream.len();
            match line.get(tag..tag + 2) {
                Some(b"F ") => return Some(Prefix::Full(tag + 2)),
                Some(b"P ") => return Some(Prefix::Partial),
                _ => {}
            }
        }
    }
    let whole = end || line.len() < head.len() || head.len() == PREFIX_BYTES_MAX;
    whole.then_some(Prefix::None)
}

/// If the line is one JSON string (behind it at most what parts elements of a list): its length.
pub(super) fn only_string(line: &[u8]) -> Option<usize> {
    let behind = |b: &u8| b.is_ascii_whitespace() || matches!(b, b',' | b']');
    let len = line.len() - line.iter().rev().take_while(|b| behind(b)).count();
    let mut inner = line[..len].strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    while let Some(found) = memchr::memchr2(b'"', b'\\', inner) {
        if inner[found] == b'"' {
            return None;
        }
        inner = inner.get(found + 2..)?;
    }
    Some(len)
}

/// Whether a service has marked the line as cut, as EKS does.
pub(super) fn marked_truncated(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b"[Truncated...]")
}
