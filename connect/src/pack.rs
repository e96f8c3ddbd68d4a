//! The compiled pack: one file that holds a rule set and says whether it arrived whole.
//!
//! ```text
//! "ADRP"  version u16  blake3 of the rest, 32 bytes  ||
//!     made_by text  count u32  count x (name text, text)  count u32  count x (file u32, path text, bytes)
//! ```
//!
//! Numbers are little endian; a text, as a row of bytes, is its length as u32 and its bytes. First come the rule files,
//! then the files that lists and tables take their values from, each with the number of the rule file that names it. Format
//! 1 ended with the rule files, and is still read. A pack holds the checked texts and not a plan: a
//! plan is an implementation's own matter, texts compile in milliseconds and are compiled anew by whatever version
//! loads them, which also keeps `explain` and diagnostics pointing at real lines.
//!
//! The checksum finds damage, not malice: who can write the pack can write its checksum. What is torn, foreign or of
//! a newer format is refused with its reason, before anything in it is believed. Every length is held against what is
//! there, so a forged one costs nothing.

use dsl::source::SourceMap;

use crate::Error;

const MAGIC: &[u8; 4] = b"ADRP";
const VERSION: u16 = 2;
/// Before files of values.
const VERSION_TEXTS: u16 = 1;
const HEAD_BYTES: usize = 4 + 2 + 32;

/// Whether bytes claim to be a compiled pack. No rule file begins like this: no word of the language does.
#[must_use]
pub fn is_pack(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// What is in a pack.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Packed {
    /// The rule files, each its name and its text.
    pub files: Vec<(String, String)>,
    /// The files of values: the number of the rule file that names it, the path that it has there, what it holds.
    pub values: Vec<(usize, String, Vec<u8>)>,
}

/// Packs rule files and what is attached to them.
#[must_use]
pub fn write(made_by: &str, sources: &SourceMap) -> Vec<u8> {
    let mut body = Vec::new();
    put(&mut body, made_by.as_bytes());
    body.extend(length(sources.files().count()));
    for (_, file) in sources.files() {
        put(&mut body, file.name.as_bytes());
        put(&mut body, file.text.as_bytes());
    }
    body.extend(length(sources.attachments().count()));
    for (source, path, bytes) in sources.attachments() {
        body.extend(source.0.to_le_bytes());
        put(&mut body, path.as_bytes());
        put(&mut body, bytes);
    }
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
pub fn read(name: &str, bytes: &[u8]) -> Result<Packed, Error> {
    let refuse = |why: &str| Error::failed(format!("{name} cannot be loaded as a compiled pack: {why}"));
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| refuse("it is none"))?;
    let mut rest = Rest(rest);
    let version = rest.array().map(u16::from_le_bytes).ok_or_else(|| refuse("it is cut off"))?;
    if version > VERSION {
        return Err(refuse(&format!(
            "it has format {version} and was made by a newer auditd-rules; this one reads format {VERSION}"
        )));
    }
    if version < VERSION_TEXTS {
        return Err(refuse(&format!("there is no format {version}")));
    }
    let sum: [u8; 32] = rest.array().ok_or_else(|| refuse("it is cut off"))?;
    if *blake3::hash(rest.0).as_bytes() != sum {
        return Err(refuse("its checksum does not fit; it is cut off or damaged"));
    }
    rest.packed(version)
        .ok_or_else(|| refuse("its checksum fits but its contents do not; it was not made by auditd-rules"))
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(length(bytes.len()));
    out.extend(bytes);
}

/// Files are limited to far less than 4 GiB where they are read.
fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

/// What of the bytes is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn number(&mut self) -> Option<usize> {
        Some(u32::from_le_bytes(self.array()?) as usize)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn packed(&mut self, version: u16) -> Option<Packed> {
        let mut packed = Packed::default();
        let _made_by = self.text()?;
        for _ in 0..self.number()? {
            packed.files.push((self.text()?, self.text()?));
        }
        if version > VERSION_TEXTS {
            for _ in 0..self.number()? {
                let file = self.number().filter(|file| *file < packed.files.len())?;
                packed.values.push((file, self.text()?, self.bytes()?.to_vec()));
            }
        }
        self.0.is_empty().then_some(packed)
    }
}

#[cfg(test)]
mod tests;
