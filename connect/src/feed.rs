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
        let mut feed = Self { readers: Vec::new(), names: Vec::new(), progress: Vec::new() };
        let mut errors = Vec::new();
        for source in sources {
            match source {
                Source::Stdin => feed.add_pipe("-".to_owned(), Input::stdin, line_bytes_max, live),
                Source::File(path) if is_pipe(path) => {
                    let (name, path) = (path.display().to_string(), path.clone());
                    feed.add_pipe(name, move || Input::open(&path), line_bytes_max, live);
                }
                Source::Kafka(_) => errors.push(Error::usage("kafka:// is read by `run` alone")),
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
        let reader = Reader::direct(input, self.next_id(), line_bytes_max);
        self.readers.push(reader);
    }

    fn add_pipe<F>(&mut self, name: String, open: F, line_bytes_max: usize, live: bool)
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        self.names.push(name);
        self.progress.push(Progress { size: None, taken: Arc::new(AtomicU64::new(0)) });
        let reader = Reader::behind_a_thread(open, self.next_id(), line_bytes_max, live);
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
