//! The state folder of a run: snapshots that no accident leaves half written, and one run at a time.
//!
//! ```text
//! save:    write NUMBER.part  sync it  rename it to NUMBER.snapshot  sync the folder  remove all but the last two
//! newest:  the highest number that is whole, and of those before it why they were refused
//! ```
//!
//! A snapshot is never changed once it has its name. It has its name only when all of it is on the disk, so whatever ends
//! the process or the machine, between any two of these steps or within one, leaves the one before whole. Two are kept, so that
//! one that the disk has damaged since does not end it all. What is refused is told with the reason; where nothing whole
//! is left the caller must not begin anew by himself: what had been told would be told again, what waited would be lost.
//!
//! The folder is its owner's alone: it is made with 0700, its files with 0600. It is known by a file of ours, on which a lock is held
//! for as long as the run lasts; a folder with other things in it is refused. The lock is the operating system's, so that
//! nothing is left behind by a process that was killed.
//!
//! Cost: a snapshot is held in memory whole while it is written.

mod claim;
mod disk;
mod envelope;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

pub use claim::open;
pub use envelope::{Snapshot, Unfit};

use crate::Error;
use crate::error::reason;
pub(crate) use disk::sync_folder;
use disk::{Disk, Real};

const WHOLE: &str = ".snapshot";
const PART: &str = ".part";
/// How many snapshots are kept.
const KEPT: usize = 2;

/// A state folder that this process holds.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    rows: Row<Real>,
    /// Locked for as long as it is open.
    _lock: File,
}

/// What was found in a folder.
#[derive(Debug)]
pub struct Found<T> {
    /// The newest snapshot that is whole, as it was taken.
    pub taken: Option<T>,
    /// Those that are newer, and why each was refused.
    pub refused: Vec<String>,
}

impl Folder {
    fn new(path: &Path, lock: File) -> Self {
        Self { path: path.to_owned(), rows: Row::new(Real::new(path)), _lock: lock }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the newest snapshot that is whole to `take`, and if that refuses it, the one before.
    ///
    /// # Errors
    /// If the folder cannot be read, or holds snapshots and none was taken.
    pub fn newest<T>(&mut self, take: impl FnMut(Snapshot) -> Result<T, String>) -> Result<Found<T>, Error> {
        let found = self.rows.newest(take).map_err(|cause| Error::io("read", &self.path, &cause))?;
        if found.taken.is_none() && !found.refused.is_empty() {
            let (path, why) = (self.path.display(), found.refused.join("; "));
            return Err(Error::failed(format!(
                "no saved state in {path} can be taken: {why}. To begin anew give another folder, or empty this one; \
                 what was told may then be told again"
            )));
        }
        Ok(found)
    }

    /// Keeps a snapshot, which takes the place of those before.
    ///
    /// # Errors
    /// If it cannot be written; those before are as they were.
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        self.rows.save(&snapshot.encode()).map_err(|cause| Error::io("save the state in", &self.path, &cause))
    }
}

/// Snapshots by number, on a disk.
#[derive(Debug)]
struct Row<D> {
    disk: D,
    /// The numbers of those that are known to be whole, oldest first.
    whole: Vec<u64>,
    /// Above all that are there.
    next: u64,
}

impl<D: Disk> Row<D> {
    fn new(disk: D) -> Self {
        Self { disk, whole: Vec::new(), next: 1 }
    }

    fn newest<T>(&mut self, mut take: impl FnMut(Snapshot) -> Result<T, String>) -> io::Result<Found<T>> {
        let names = self.disk.list()?;
        let of = |kind: &'static str| names.iter().filter_map(move |name| number_of(name, kind));
        // What a process that was killed had begun to write is below the next, and goes with it.
        self.next = of(WHOLE).chain(of(PART)).max().map_or(1, |last| last.saturating_add(1));
        let mut numbers: Vec<u64> = of(WHOLE).collect();
        numbers.sort_unstable();
        let mut refused = Vec::new();
        for number in numbers.into_iter().rev() {
            let name = name_of(number, WHOLE);
            let read = self.disk.read(&name).map_err(|cause| reason(&cause));
            let whole = read.and_then(|bytes| Snapshot::decode(&bytes).map_err(|unfit| unfit.to_string()));
            match whole.and_then(&mut take) {
                Ok(taken) => {
                    self.whole = vec![number];
                    return Ok(Found { taken: Some(taken), refused });
                }
                Err(why) => refused.push(format!("{name}: {why}")),
            }
        }
        Ok(Found { taken: None, refused })
    }

    fn save(&mut self, bytes: &[u8]) -> io::Result<()> {
        let number = self.next;
        self.next = number.saturating_add(1);
        let (part, whole) = (name_of(number, PART), name_of(number, WHOLE));
        let written = self.disk.write(&part, bytes).and_then(|()| self.disk.sync(&part));
        if let Err(cause) = written.and_then(|()| self.disk.rename(&part, &whole)) {
            // Half a file only takes room.
            let _gone = self.disk.remove(&part);
            return Err(cause);
        }
        self.disk.sync_folder()?;
        self.whole.push(number);
        self.let_go(number);
        Ok(())
    }

    /// Removes what is not needed any more, up to this number. What cannot be removed now can be the next time.
    fn let_go(&mut self, last: u64) {
        let few = self.whole.len().saturating_sub(KEPT);
        self.whole.drain(..few);
        for name in self.disk.list().unwrap_or_default() {
            let snapshot = number_of(&name, WHOLE).filter(|number| !self.whole.contains(number));
            let number = snapshot.or_else(|| number_of(&name, PART));
            if number.is_some_and(|number| number < last) {
                let _next_time = self.disk.remove(&name);
            }
        }
    }
}

/// Names sort as their numbers do, for whoever looks into the folder.
fn name_of(number: u64, kind: &str) -> String {
    format!("{number:012}{kind}")
}

fn number_of(name: &str, kind: &str) -> Option<u64> {
    let digits = name.strip_suffix(kind)?;
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}
