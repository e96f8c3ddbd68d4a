//! The compiled pack: one file that holds a rule set and says whether it arrived whole.
//!
//! ```text
//! "ADRP"  version u16  blake3 of the rest, 32 bytes  ||  made_by text  count u32  count x (name text, text)
//! ```
//!
//! Numbers are little endian; a text is its length as u32 and its bytes. It holds the checked texts and not a plan: a
//! plan is an implementation's own matter, texts compile in milliseconds and are compiled anew by whatever version
//! loads them, which also keeps `explain` and diagnostics pointing at real lines.
//!
//! The checksum finds damage, not malice: who can write the pack can write its checksum. What is torn, foreign or of
//! a newer format is refused with its reason, before anything in it is believed. Every length is held against what is
//! there, so a forged one costs nothing.

use crate::Error;

const MAGIC: &[u8; 4] = b"ADRP";
const VERSION: u16 = 1;
const HEAD_BYTES: usize = 4 + 2 + 32;

/// Whether bytes claim to be a compiled pack. No rule file begins like this: no word of the language does.
#[must_use]
pub fn is_pack(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Packs files, each its name and its text.
#[must_use]
pub fn write<'a>(made_by: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<u8> {
    let mut count: u32 = 0;
    let mut texts = Vec::new();
    for (name, text) in files {
        count = count.saturating_add(1);
        put(&mut texts, name);
        put(&mut texts, text);
    }
    let mut body = Vec::with_capacity(texts.len() + 64);
    put(&mut body, made_by);
    body.extend(count.to_le_bytes());
    body.extend(texts);
    let mut out = Vec::with_capacity(HEAD_BYTES + body.len());
    out.extend(MAGIC);
    out.extend(VERSION.to_le_bytes());
    out.extend(blake3::hash(&body).as_bytes());
    out.extend(body);
    out
}

/// Unpacks what [`write()`] made.
///
/// # Errors
/// If the pack is torn, altered, or of a newer format; `name` stands in the words.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<(String, String)>, Error> {
    let refuse = |why: &str| Error::failed(format!("{name} cannot be loaded as a compiled pack: {why}"));
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| refuse("it is none"))?;
    let mut rest = Rest(rest);
    let version = rest.array().map(u16::from_le_bytes).ok_or_else(|| refuse("it is cut off"))?;
    if version > VERSION {
        return Err(refuse(&format!(
            "it has format {version} and was made by a newer auditd-rules; this one reads format {VERSION}"
        )));
    }
    if version != VERSION {
        return Err(refuse(&format!("there is no format {version}")));
    }
    let sum: [u8; 32] = rest.array().ok_or_else(|| refuse("it is cut off"))?;
    if *blake3::hash(rest.0).as_bytes() != sum {
        return Err(refuse("its checksum does not fit; it is cut off or damaged"));
    }
    rest.files()
        .ok_or_else(|| refuse("its checksum fits but its contents do not; it was not made by auditd-rules"))
}

fn put(out: &mut Vec<u8>, text: &str) {
    // Texts are rule files, which are limited to far less than 4 GiB where they are read.
    out.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend(text.as_bytes());
}

/// What of the bytes is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(head).ok()
    }

    fn files(&mut self) -> Option<Vec<(String, String)>> {
        let _made_by = self.text()?;
        let count = u32::from_le_bytes(self.array()?);
        let mut files = Vec::new();
        for _ in 0..count {
            files.push((self.text()?.to_owned(), self.text()?.to_owned()));
        }
        self.0.is_empty().then_some(files)
    }
}

#[cfg(test)]
mod tests;
