//! What Go's decoder takes and strict ones refuse, made strict.
//!
//! The API server writes the bodies of patches as they came. Go reads a lone surrogate escape and a byte that is no
//! UTF-8 as U+FFFD each, and so do we: otherwise either would be a way past every rule. A number beyond what a double
//! can hold (`1e400`) becomes the text of itself: it is neither lost nor taken for another number, and the rest of its
//! event is kept. All else that is no JSON stays so. Runs only over what a strict decoder has refused.

/// The document mended, or nothing if there is nothing to mend.
pub(super) fn mend(text: &[u8]) -> Option<Vec<u8>> {
    let mut mender = Mender { text, at: 0, out: Vec::with_capacity(text.len() + 16), changed: false };
    while let Some(&byte) = text.get(mender.at) {
        match byte {
            b'"' => mender.string(),
            b'-' | b'0'..=b'9' => mender.number(),
            _ => mender.copy(1),
        }
    }
    mender.changed.then_some(mender.out)
}

struct Mender<'t> {
    text: &'t [u8],
    at: usize,
    out: Vec<u8>,
    changed: bool,
}

const REPLACEMENT: &str = "\u{fffd}";

impl Mender<'_> {
    fn copy(&mut self, bytes: usize) {
        let end = (self.at + bytes).min(self.text.len());
        self.out.extend_from_slice(&self.text[self.at..end]);
        self.at = end;
    }

    fn replace(&mut self, bytes: usize, by: &str) {
        self.out.extend_from_slice(by.as_bytes());
        self.at = (self.at + bytes).min(self.text.len());
        self.changed = true;
    }

    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let part = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let len = rest.iter().take_while(|b| part(b)).count();
        let value = std::str::from_utf8(&rest[..len]).ok().and_then(|t| t.parse::<f64>().ok());
        if value.is_some_and(f64::is_infinite) {
            self.out.push(b'"');
            self.copy(len);
            self.out.push(b'"');
            self.changed = true;
        } else {
            self.copy(len);
        }
    }

    fn string(&mut self) {
        self.copy(1);
        loop {
            let rest = &self.text[self.at..];
            let plain = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
            self.plain(plain);
            match self.text.get(self.at) {
                None => return,
                Some(b'"') => return self.copy(1),
                Some(_) => self.escape(),
            }
        }
    }

    /// Bytes without escapes: those that are no UTF-8 are replaced one by one.
    fn plain(&mut self, len: usize) {
        for chunk in self.text[self.at..self.at + len].utf8_chunks() {
            self.out.extend_from_slice(chunk.valid().as_bytes());
            for _ in chunk.invalid() {
                self.out.extend_from_slice(REPLACEMENT.as_bytes());
                self.changed = true;
            }
        }
        self.at += len;
    }

    fn escape(&mut self) {
        match self.unit(self.at) {
            Some(0xd800..=0xdbff) => match self.unit(self.at + 6) {
                Some(0xdc00..=0xdfff) => self.copy(12),
                _ => self.replace(6, REPLACEMENT),
            },
            Some(0xdc00..=0xdfff) => self.replace(6, REPLACEMENT),
            _ => self.copy(2),
        }
    }

    /// The number of a `\uXXXX` that begins at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let escape = self.text.get(at..at + 6)?;
        let digits = escape.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |n, d| char::from(*d).to_digit(16).map(|d| n * 16 + d))
    }
}
