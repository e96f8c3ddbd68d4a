//! The loads as files, in a folder that goes with the run.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use connect::Error;
use connect::input::Input;
use generate::{Generator, Options, Profile};

/// Made, or copied, in one go.
const PIECE_BYTES: usize = 4 << 20;

/// The folder.
#[derive(Debug)]
pub(super) struct Files(tempfile::TempDir);

/// A log, which is removed when it is let go of.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) path: PathBuf,
}

impl Drop for Log {
    fn drop(&mut self) {
        // What is left goes with the folder.
        let _left = std::fs::remove_file(&self.path);
    }
}

impl Files {
    pub(super) fn new() -> Result<Self, Error> {
        let made = tempfile::Builder::new().prefix("auditd-rules-bench").tempdir();
        made.map(Self).map_err(|cause| Error::named("make", "a temporary folder", &cause))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A file with these bytes.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<Log, Error> {
        let path = self.path(name);
        std::fs::write(&path, bytes).map_err(|cause| Error::io("write", &path, &cause))?;
        Ok(Log { path })
    }

    /// A file of made-up events.
    pub(super) fn make(&self, name: &str, profile: Profile, options: Options) -> Result<Log, Error> {
        let mut generator = Generator::new(profile, options);
        self.pieces(name, |piece| Ok(generator.fill(piece, PIECE_BYTES)))
    }

    /// A file of one event.
    pub(super) fn one_event(&self) -> Result<Log, Error> {
        let profile = Profile::named("metadata").map_err(|cause| Error::failed(cause.to_string()))?;
        let options = Options { events: 1, received: 0.0, ..Options::default() };
        self.make("one", profile, options)
    }

    /// An unpacked copy of a log.
    pub(super) fn copy(&self, from: &Path) -> Result<Log, Error> {
        let mut input = Input::open(from)?;
        self.pieces("log", |piece| Ok(input.read_more(piece, PIECE_BYTES)? > 0))
    }

    /// A file of pieces, as long as there are more.
    fn pieces(
        &self,
        name: &str,
        mut next: impl FnMut(&mut Vec<u8>) -> Result<bool, Error>,
    ) -> Result<Log, Error> {
        let path = self.path(name);
        let failed = |cause| Error::io("write", &path, &cause);
        let mut file = File::create(&path).map_err(failed)?;
        let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
        loop {
            piece.clear();
            let more = next(&mut piece)?;
            file.write_all(&piece).map_err(failed)?;
            if !more {
                break;
            }
        }
        drop(file);
        Ok(Log { path })
    }
}
