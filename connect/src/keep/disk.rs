//! What a folder of snapshots does to a disk, step by step, so that a test can stop it at any of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// One folder. Names are those of files in it.
pub(super) trait Disk {
    /// The names of all files.
    fn list(&self) -> io::Result<Vec<String>>;
    /// All of a file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>>;
    /// Makes a file of these bytes; they may not be on the disk yet.
    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()>;
    /// The bytes of a file that was just written are on the disk.
    fn sync(&mut self, name: &str) -> io::Result<()>;
    /// Gives a file another name; it may not be on the disk yet.
    fn rename(&mut self, from: &str, to: &str) -> io::Result<()>;
    /// The names of the files are on the disk.
    fn sync_folder(&mut self) -> io::Result<()>;
    /// Takes a file away.
    fn remove(&mut self, name: &str) -> io::Result<()>;
}

/// The operating system's.
#[derive(Debug)]
pub(super) struct Real {
    path: PathBuf,
    /// What was written last. An error that writing back meets is told to whoever had the file open then.
    written: Option<File>,
}

impl Real {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), written: None }
    }
}

impl Disk for Real {
    fn list(&self) -> io::Result<Vec<String>> {
        names(&self.path)
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path.join(name))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        self.written = Some(file);
        Ok(())
    }

    fn sync(&mut self, _name: &str) -> io::Result<()> {
        self.written.take().map_or(Ok(()), |file| file.sync_all())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        sync_folder(&self.path)
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }
}

/// The names of what is in a folder; what has no name in UTF-8 is not ours, and comes with marks in its place.
pub(super) fn names(path: &Path) -> io::Result<Vec<String>> {
    fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

/// The names of the files of a folder are on the disk.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
