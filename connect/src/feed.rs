//! From inputs to blocks of whole documents: at any time from the source that is asked for, within bounded memory.
//!
//! A block ends where a document does, and holds as many as fit; one that is larger than a block makes the block
//! grow, up to the limit of a line. What is longer still is passed over up to the next document and reported with its
//! place and length. Where documents end is [`cut`]'s business.
//!
//! Of several sources the one furthest behind is read next (the caller knows which, by the engine's clocks), so that what must wait
//! for other sources stays small. A source that fails midway has given what it had: its error comes once, then it is
//! at its end.
//!
//! Pipes, standard input among them, are read by threads of their own, so that a signal ends the run also while nothing comes.

mod cut;
mod reader;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::Error;
use crate::input::Input;
use crate::source::Source;

use reader::Reader;

/// How many bytes of documents a block has, if no single one is longer.
pub const BLOCK_BYTES: usize = 1 << 20;

/// What a source gave.
#[derive(Debug)]
pub enum Given {
    /// Whole documents.
    Block(Block),
    /// A document that is longer than the limit, passed over.
    TooLarge {
        /// Where it begins.
        offset: u64,
        /// How long it is, as far as it could be followed.
        length: u64,
    },
    /// Nothing yet: a pipe that is silent. Ask again.
    Nothing,
    /// It could not be read on. What it gave before stands; it will give what is left over, and end.
    Failed(Error),
    /// Nothing any more.
    End,
}

/// Whole documents of one source.
#[derive(Debug)]
pub struct Block {
    /// Of the first byte in its source, unpacked.
    pub offset: u64,
    /// The documents.
    pub bytes: Vec<u8>,
}

/// How far a source has been read, for a progress bar.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The size of the file; `None` of a pipe.
    pub size: Option<u64>,
    /// How much of it has been read.
    pub taken: Arc<AtomicU64>,
}

/// All sources of a run, opened.
#[derive(Debug)]
pub struct Feed {
    readers: Vec<Reader>,
    names: Vec<String>,
    progress: Vec<Progress>,
}

impl Feed {
    /// Opens all sources. `line_bytes_max` is the longest document; `live` gives what a pipe has so far and does not
    /// wait until a block is full.
    ///
    /// Gives an error for every source that cannot be opened; the others are in the feed.
    #[must_use]
    pub fn open(sources: &[Source], line_bytes_max: usize, live: bool) -> (Self, Vec<Error>) {
        let mut feed = Self { readers: Vec::new(), names: Vec::new(), progress: Vec::new() };
        let mut errors = Vec::new();
        for source in sources {
            match source {
                Source::Stdin => feed.add_pipe("-".to_owned(), Input::stdin, line_bytes_max, live),
                Source::File(path) if is_pipe(path) => {
                    let (name, path) = (path.display().to_string(), path.clone());
                    feed.add_pipe(name, move || Input::open(&path), line_bytes_max, live);
                }
                Source::File(path) => match Input::open(path) {
                    Ok(input) => feed.add_file(input, line_bytes_max),
                    Err(error) => errors.push(error),
                },
            }
        }
        (feed, errors)
    }

    fn add_file(&mut self, input: Input, line_bytes_max: usize) {
        self.names.push(input.name().to_owned());
        self.progress.push(Progress { size: input.size(), taken: input.taken() });
        self.readers.push(Reader::direct(input, line_bytes_max));
    }

    fn add_pipe<F>(&mut self, name: String, open: F, line_bytes_max: usize, live: bool)
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        self.names.push(name);
        self.progress.push(Progress { size: None, taken: Arc::new(AtomicU64::new(0)) });
        self.readers.push(Reader::behind_a_thread(open, line_bytes_max, live));
    }

    /// The names of the sources, which are numbered from 0.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How far each has been read.
    #[must_use]
    pub fn progress(&self) -> &[Progress] {
        &self.progress
    }

    /// What the source of that number gives next.
    pub fn next(&mut self, source: usize) -> Given {
        self.readers.get_mut(source).map_or(Given::End, Reader::next)
    }
}

/// Whether a path is no ordinary file, so that both opening and reading it may wait for somebody.
#[must_use]
pub fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}
