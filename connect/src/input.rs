//! One input as plain bytes, whatever it was packed in.
//!
//! What a file holds is told by its first bytes and never by its name: `audit.log.gz` that somebody unpacked in place
//! reads as well as a `.log` that somebody packed. A gzip file may have many members and a Zstandard file many frames
//! (rotation and `cat` make both); they are read one after the other. What was packed twice stays packed once.
//!
//! Cost: of a packed input one buffer of 256 KiB and the window of the decompressor (32 KiB for gzip; for Zstandard at most 128 MiB,
//! where a file asks for more it is refused, since a file could else ask for all memory there is).

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use crate::Error;
use crate::error::reason;

const BUFFER_BYTES: usize = 256 << 10;
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
/// Frames that only carry foreign data begin with one of sixteen numbers, of which this is what they share.
const ZSTD_SKIPPABLE: &[u8] = &[0x2a, 0x4d, 0x18];
/// Base 2 logarithm of the largest window that a Zstandard file may ask for.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// How the bytes of an input were packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Plain,
    /// gzip, one member or many.
    Gzip,
    /// Zstandard, one frame or many.
    Zstd,
}

/// An opened input.
pub struct Input {
    name: String,
    packing: Packing,
    reader: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    size: Option<u64>,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input")
            .field("name", &self.name)
            .field("packing", &self.packing)
            .finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file and looks at what it holds.
    ///
    /// # Errors
    /// If it is missing, may not be read, or is a folder.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|cause| Error::io("open", path, &cause))?;
        let about = file.metadata().map_err(|cause| Error::io("open", path, &cause))?;
        if about.is_dir() {
            return Err(folder(path));
        }
        if !about.is_file() {
            widen(&file);
        }
        let size = about.is_file().then_some(about.len());
        Self::from_reader(path.display().to_string(), Box::new(file), size)
    }

    /// A file that has been opened, from an offset of what it holds, unpacked, on. What is packed is read up to there.
    ///
    /// # Errors
    /// If it cannot be read, or does not reach so far.
    pub fn of_file(name: String, mut file: File, offset: u64) -> Result<Self, Error> {
        let failed = |cause: &io::Error| Error::named("read", &name, cause);
        let size = file.metadata().map_err(|cause| failed(&cause))?.len();
        file.seek(SeekFrom::Start(0)).map_err(|cause| failed(&cause))?;
        let mut head = Vec::new();
        (&file).take(ZSTD.len() as u64).read_to_end(&mut head).map_err(|cause| failed(&cause))?;
        let plain = packing_of(&head) == Packing::Plain;
        let begin = if plain { offset } else { 0 };
        file.seek(SeekFrom::Start(begin)).map_err(|cause| failed(&cause))?;
        if plain {
            if size < offset {
                return Err(shorter(&name, offset));
            }
            let taken = Arc::new(AtomicU64::new(offset));
            let reader = Box::new(Counted { reader: file, taken: Arc::clone(&taken) });
            return Ok(Self { name, packing: Packing::Plain, reader, taken, size: Some(size) });
        }
        let mut input = Self::from_reader(name, Box::new(file), Some(size))?;
        let mut passed = 0;
        let mut room = vec![0; BUFFER_BYTES];
        while passed < offset {
            let most = usize::try_from(offset - passed).map_or(BUFFER_BYTES, |left| left.min(BUFFER_BYTES));
            match input.read_into(&mut room[..most])? {
                0 => return Err(shorter(&input.name, offset)),
                got => passed += got as u64,
            }
        }
        Ok(input)
    }

    /// Standard input, as it is or packed.
    ///
    /// # Errors
    /// If its first bytes cannot be read.
    pub fn stdin() -> Result<Self, Error> {
        widen(&io::stdin());
        Self::from_reader("-".to_owned(), Box::new(io::stdin()), None)
    }

    /// Any reader, under a name for people; `size` is of what it gives, packed as it is, where that is known.
    ///
    /// # Errors
    /// If its first bytes cannot be read.
    pub fn from_reader(name: String, reader: Box<dyn Read + Send>, size: Option<u64>) -> Result<Self, Error> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut reader = Counted { reader, taken: Arc::clone(&taken) };
        let mut head = Vec::with_capacity(ZSTD.len());
        (&mut reader)
            .take(ZSTD.len() as u64)
            .read_to_end(&mut head)
            .map_err(|cause| Error::named("read", &name, &cause))?;
        let packing = packing_of(&head);
        let whole = Cursor::new(head).chain(reader);
        let reader: Box<dyn Read + Send> = match packing {
            // Whoever reads has a buffer.
            Packing::Plain => Box::new(whole),
            Packing::Gzip => Box::new(MultiGzDecoder::new(buffered(whole))),
            Packing::Zstd => {
                Box::new(zstd_decoder(buffered(whole)).map_err(|cause| Error::named("read", &name, &cause))?)
            }
        };
        Ok(Self { name, packing, reader, taken, size })
    }

    /// Its name for people: a path as it was given, or `-`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is packed.
    #[must_use]
    pub fn packing(&self) -> Packing {
        self.packing
    }

    /// The size of the file as it lies there, packed; `None` of a pipe.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// How much of that has been taken so far. It may be read while another thread reads the input.
    #[must_use]
    pub fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }

    /// Reads more, at most `more` bytes, to the end of `buffer`; 0 is the end.
    ///
    /// # Errors
    /// If the input cannot be read or its packing is damaged. What was read before that stands.
    pub fn read_more(&mut self, buffer: &mut Vec<u8>, more: usize) -> Result<usize, Error> {
        let start = buffer.len();
        buffer.resize(start + more, 0);
        let got = self.read_into(&mut buffer[start..]);
        buffer.truncate(start + got.as_ref().copied().unwrap_or(0));
        got
    }

    /// Reads more to the beginning of `room`; 0 is the end.
    ///
    /// # Errors
    /// As of [`Self::read_more`].
    pub fn read_into(&mut self, room: &mut [u8]) -> Result<usize, Error> {
        loop {
            match self.reader.read(room) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                other => return other.map_err(|cause| self.damage(&cause)),
            }
        }
    }

    fn damage(&self, cause: &io::Error) -> Error {
        let name = &self.name;
        let kind = match self.packing {
            Packing::Plain => return Error::named("read", name, cause),
            Packing::Gzip => "gzip",
            Packing::Zstd => "Zstandard",
        };
        Error::failed(format!("cannot unpack {name} ({kind}) to its end: {}", reason(cause)))
    }
}

/// What is said of a file that does not reach as far as it has been read.
fn shorter(name: &str, offset: u64) -> Error {
    Error::failed(format!(
        "{name} is shorter than the {offset} bytes that had been read of it: somebody has cut it or written it anew. \
         It is left out; to read it from its start begin anew with another --state folder"
    ))
}

/// What is said where a file was meant and a folder was given.
pub(crate) fn folder(path: &Path) -> Error {
    let path = path.display();
    Error::usage(format!("{path} is a folder; say which files in it are logs, such as `{path}/*.log*`"))
}

/// Whether standard input is somebody at a keyboard, who would wait for us while we wait for them.
#[must_use]
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// How much a pipe shall hold: at its usual 64 KiB writer and reader wake each other for every few events.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Makes a pipe larger, where it is one and the kernel allows.
#[cfg(target_os = "linux")]
fn widen(pipe: &impl std::os::fd::AsFd) {
    // What is no pipe, is larger, or may not be made larger, works as it is.
    if rustix::pipe::fcntl_getpipe_size(pipe).is_ok_and(|bytes| bytes < PIPE_BYTES) {
        let _as_it_is = rustix::pipe::fcntl_setpipe_size(pipe, PIPE_BYTES);
    }
}

/// Pipes have one size here.
#[cfg(not(target_os = "linux"))]
fn widen<T>(_pipe: &T) {}

/// Whether standard input is a file (`< audit.log`), which has an end from the start.
#[must_use]
pub fn stdin_is_file() -> bool {
    // The kernel's own name for the descriptor, which needs no unsafe call; elsewhere it counts as a pipe.
    fs::metadata("/dev/stdin").is_ok_and(|about| about.is_file())
}

fn packing_of(head: &[u8]) -> Packing {
    if head.starts_with(GZIP) {
        Packing::Gzip
    } else if head.starts_with(ZSTD)
        || (head.get(1..) == Some(ZSTD_SKIPPABLE) && head.first().is_some_and(|b| b & 0xf0 == 0x50))
    {
        Packing::Zstd
    } else {
        Packing::Plain
    }
}

fn buffered<R: Read>(packed: R) -> BufReader<R> {
    BufReader::with_capacity(BUFFER_BYTES, packed)
}

fn zstd_decoder<R: BufRead>(reader: R) -> io::Result<zstd::stream::read::Decoder<'static, R>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Counts what goes through, for the progress bar: of a packed file only the packed size is known beforehand.
struct Counted<R> {
    reader: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.read(buffer)?;
        self.taken.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

#[cfg(test)]
mod tests;
