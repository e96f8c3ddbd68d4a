//! Up to where a source has been read, and the same file found again.
//!
//! A log is rotated while nobody reads it: `audit.log` has another name, perhaps is packed, and another file stands in its
//! place. So a file is known by what it begins with, unpacked, up to a kilobyte: an audit log begins with times and ids
//! that no other has. Device and inode decide where that is too little (a file that was empty), and between copies; the
//! name only between copies. A file under its old name that begins otherwise is another file.
//!
//! A place is a number of bytes of what a file holds, unpacked, so that it stays true when the file is packed.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::is_pipe;
use crate::Error;
use crate::input::{Input, folder};
use crate::source::Source;

/// As much of a file tells it from others.
const HEAD_BYTES: usize = 1 << 10;
/// Less than this may be what many files begin with.
const HEAD_BYTES_ENOUGH: usize = 128;

/// Up to where a source has been taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its name then, for people.
    pub name: String,
    /// The bytes of it that have been taken, unpacked; of what is not read in bytes, where to go on.
    pub offset: u64,
    /// Which file it was; nothing of what is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Identity>,
    /// It was read to its end, and nothing more is expected in it.
    #[serde(default)]
    pub done: bool,
    /// It was looked for and not found, and that has been told.
    #[serde(default)]
    pub missing: bool,
    /// The name that the engine knows it by, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_as: Option<String>,
}

impl Place {
    /// The name that the engine knows it by.
    #[must_use]
    pub fn known_as(&self) -> &str {
        self.known_as.as_deref().unwrap_or(&self.name)
    }
}

/// What a file is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
    /// How many bytes it began with, unpacked, up to [`HEAD_BYTES`].
    head_bytes: usize,
    /// Their BLAKE3 hash.
    head: String,
}

/// A source that was opened to see which one it is.
#[derive(Debug)]
pub enum Looked {
    /// Standard input.
    Stdin,
    /// A pipe with a name; it is opened when it is read, for that may wait.
    Pipe(PathBuf),
    /// A file.
    File(LookedFile),
}

/// A file that was opened to see which one it is. It stays open, so that it is that one which is read.
#[derive(Debug)]
pub struct LookedFile {
    name: String,
    file: File,
    device: u64,
    inode: u64,
    /// What it begins with, unpacked.
    head: Vec<u8>,
}

/// Opens sources and looks what they are. Gives an error, with the name, for each file that cannot be read.
#[must_use]
pub fn look(sources: &[Source]) -> (Vec<Looked>, Vec<(String, Error)>) {
    let (mut looked, mut errors) = (Vec::new(), Vec::new());
    for source in sources {
        match source {
            Source::Stdin => looked.push(Looked::Stdin),
            Source::Kafka(_) => {
                let error = Error::usage("kafka:// is read by itself, and keeps its place in its group");
                errors.push(("kafka://".to_owned(), error));
            }
            Source::File(path) if is_pipe(path) => looked.push(Looked::Pipe(path.clone())),
            Source::File(path) => match LookedFile::open(path) {
                Ok(file) => looked.push(Looked::File(file)),
                Err(error) => errors.push((path.display().to_string(), error)),
            },
        }
    }
    (looked, errors)
}

impl LookedFile {
    fn open(path: &std::path::Path) -> Result<Self, Error> {
        let failed = |cause: &std::io::Error| Error::io("open", path, cause);
        let mut file = File::open(path).map_err(|cause| failed(&cause))?;
        let about = file.metadata().map_err(|cause| failed(&cause))?;
        if about.is_dir() {
            return Err(folder(path));
        }
        let name = path.display().to_string();
        let again = file.try_clone().map_err(|cause| failed(&cause))?;
        let mut input = Input::from_reader(name.clone(), Box::new(again), None)?;
        let mut head = Vec::new();
        // What is damaged so early is told when it is read.
        loop {
            let more = HEAD_BYTES - head.len();
            if more == 0 || !matches!(input.read_more(&mut head, more), Ok(1..)) {
                break;
            }
        }
        file.seek(SeekFrom::Start(0)).map_err(|cause| failed(&cause))?;
        Ok(Self { name, file, device: about.dev(), inode: about.ino(), head })
    }

    /// What it will be known by.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let Self { device, inode, head, .. } = self;
        Identity { device: *device, inode: *inode, head_bytes: head.len(), head: hash(head) }
    }

    /// Whether the bytes that it begins with allow it to be a file that was known.
    fn begins_as(&self, known: &Identity) -> bool {
        self.head.get(..known.head_bytes).is_some_and(|head| hash(head) == known.head)
    }

    fn is_where(&self, known: &Identity) -> bool {
        (self.device, self.inode) == (known.device, known.inode)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn read_on(self, offset: u64) -> Result<Input, Error> {
        Input::of_file(self.name, self.file, offset)
    }
}

impl Looked {
    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::Pipe(path) => path.display().to_string(),
            Self::File(file) => file.name.clone(),
        }
    }

    /// What it will be known by, if it is a file.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        match self {
            Self::File(file) => Some(file.identity()),
            Self::Stdin | Self::Pipe(_) => None,
        }
    }
}

/// Whether a source is what a place is of.
type Same<'a> = dyn Fn(&Looked, &Place) -> bool + 'a;

/// Of each source the number of the place at which it had been left, if it has been read before.
#[must_use]
pub fn find(sources: &[Looked], places: &[Place]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; sources.len()];
    let by_head =
        |file: &LookedFile, known: &Identity| known.head_bytes >= HEAD_BYTES_ENOUGH && file.begins_as(known);
    // The surest first; each place and each source once.
    let passes: [&Same; 4] = [
        &|source, place| match (source, &place.file) {
            (Looked::File(file), Some(known)) => file.is_where(known) && file.begins_as(known),
            (Looked::Stdin | Looked::Pipe(_), None) => source.name() == place.name,
            _ => false,
        },
        &|source, place| match (source, &place.file) {
            (Looked::File(file), Some(known)) => file.name == place.name && by_head(file, known),
            _ => false,
        },
        &|source, place| match (source, &place.file) {
            (Looked::File(file), Some(known)) => !place.missing && by_head(file, known),
            _ => false,
        },
        &|source, place| match (source, &place.file) {
            (Looked::File(file), Some(known)) => by_head(file, known),
            _ => false,
        },
    ];
    for same in passes {
        for (source, at) in sources.iter().zip(0..) {
            let taken = |place: usize| found.contains(&Some(place));
            if found[at].is_none() {
                found[at] = (0..places.len()).find(|place| !taken(*place) && same(source, &places[*place]));
            }
        }
    }
    found
}

fn hash(head: &[u8]) -> String {
    blake3::hash(head).to_hex().as_str()[..32].to_owned()
}

#[cfg(test)]
mod tests;
