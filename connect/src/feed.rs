//! From inputs to blocks of whole documents: from the source that is asked for, within bounded memory.
//!
//! Where documents begin and end is the engine's matter ([`engine::frame`]); here bytes are fetched and handed to it. A
//! document longer than the limit is passed over without being held. Memory is a block, a document and a read for each
//! source.
//!
//! Of several sources the one furthest behind is read next (the caller knows which, by the engine's clocks), so that what must wait
//! for other sources stays small. A source that fails midway has given what it had: its error comes once, then it is
//! at its end.
//!
//! Pipes, standard input among them, are read by threads of their own, so that a signal ends the run also while nothing comes.
//!
//! A run that remembers reads its files on from where they had been read to ([`place`]). A block ends where a document does, so
//! a source can be read on from the end of any block that says so as if it began there. What a source gives behind
//! [`Given::Ending`] is read as it is only because nothing stood behind it, such as half a line: of a file that grows it must be read again.

pub mod place;
pub mod range;
mod reader;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use engine::frame::blocks::Block;
use engine::matches::SourceId;

use crate::Error;
use crate::input::Input;
use crate::source::Source;

use place::Looked;
use reader::Reader;

/// What a source gave.
#[derive(Debug)]
pub enum Given {
    /// Whole documents, or what stands for one that is too large.
    Block(Block),
    /// Nothing yet: a pipe that has been silent for so long, by a monotonic clock. Ask again.
    Nothing(Duration),
    /// It could not be read on. What it gave before stands; it will give what is left over, and end.
    Failed(Error),
    /// It has been read to its present end. What it gives from here on is what that end makes of what is left over.
    Ending,
    /// Nothing any more.
    End,
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
        let mut feed = Self::new();
        let mut errors = Vec::new();
        for source in sources {
            match source {
                Source::Stdin => feed.add_stdin(0, line_bytes_max, live),
                Source::File(path) if is_pipe(path) => feed.add_pipe_at(path, 0, line_bytes_max, live),
                Source::Kafka(_) => errors.push(Error::usage("kafka:// is read by `run` alone")),
                Source::File(path) => match Input::open(path) {
                    Ok(input) => feed.add_file(input, 0, line_bytes_max),
                    Err(error) => errors.push(error),
                },
            }
        }
        (feed, errors)
    }

    /// Of sources that were looked at ([`place::look`]), each from an offset on; of a pipe it is only what its bytes are counted
    /// from. One that cannot be read from there says so when its turn comes.
    #[must_use]
    pub fn read_on(sources: Vec<(Looked, u64)>, line_bytes_max: usize, live: bool) -> Self {
        let mut feed = Self::new();
        for (source, offset) in sources {
            match source {
                Looked::Stdin => feed.add_stdin(offset, line_bytes_max, live),
                Looked::Pipe(path) => feed.add_pipe_at(&path, offset, line_bytes_max, live),
                Looked::File(file) => {
                    let name = file.name().to_owned();
                    match file.read_on(offset) {
                        Ok(input) => feed.add_file(input, offset, line_bytes_max),
                        Err(error) => feed.add_failed(name, error),
                    }
                }
            }
        }
        feed
    }

    fn new() -> Self {
        Self { readers: Vec::new(), names: Vec::new(), progress: Vec::new() }
    }

    fn add_file(&mut self, input: Input, offset: u64, line_bytes_max: usize) {
        self.names.push(input.name().to_owned());
        self.progress.push(Progress { size: input.size(), taken: input.taken() });
        let reader = Reader::direct(input, (self.next_id(), offset), line_bytes_max);
        self.readers.push(reader);
    }

    fn add_failed(&mut self, name: String, error: Error) {
        self.names.push(name);
        self.progress.push(Progress { size: Some(0), taken: Arc::new(AtomicU64::new(0)) });
        self.readers.push(Reader::failed(error));
    }

    fn add_stdin(&mut self, offset: u64, line_bytes_max: usize, live: bool) {
        self.add_pipe("-".to_owned(), Input::stdin, offset, (line_bytes_max, live));
    }

    fn add_pipe_at(&mut self, path: &Path, offset: u64, line_bytes_max: usize, live: bool) {
        let (name, path) = (path.display().to_string(), path.to_owned());
        self.add_pipe(name, move || Input::open(&path), offset, (line_bytes_max, live));
    }

    fn add_pipe<F>(&mut self, name: String, open: F, offset: u64, (line_bytes_max, live): (usize, bool))
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        self.names.push(name);
        self.progress.push(Progress { size: None, taken: Arc::new(AtomicU64::new(0)) });
        let reader = Reader::behind_a_thread(open, (self.next_id(), offset), line_bytes_max, live);
        self.readers.push(reader);
    }

    /// Sources have the numbers of their places here.
    fn next_id(&self) -> SourceId {
        SourceId(u32::try_from(self.readers.len()).unwrap_or(u32::MAX))
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

    /// Takes a block back, of which nobody needs anything any more: its memory is used again.
    pub fn take_back(&mut self, block: Block) {
        if let Some(reader) = self.readers.get_mut(block.source.0 as usize) {
            reader.take_back(block);
        }
    }

    /// What a source gives next.
    pub fn next(&mut self, source: SourceId) -> Given {
        self.readers.get_mut(source.0 as usize).map_or(Given::End, Reader::next)
    }
}

/// Whether a path is no ordinary file, so that both opening and reading it may wait for somebody.
#[must_use]
pub fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}
