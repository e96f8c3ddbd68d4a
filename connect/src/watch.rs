//! Waiting for files to change: what `test --watch` sleeps in.
//!
//! The operating system tells of changes in the folders that hold the files, not of the files themselves, since editors
//! put a new file in the place of the old one. One save is many events; they are taken as one once nothing has come for
//! a tenth of a second. Looking at a file is no change. Which file changed is not told: whoever waits reads all of them again.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::Error;

/// So long nothing must come for a change to be over.
const QUIET: Duration = Duration::from_millis(100);
/// How often somebody who wants to end the waiting is listened to.
const LISTEN: Duration = Duration::from_millis(100);

/// Files and folders that are watched for as long as this lives.
#[derive(Debug)]
pub struct Watch {
    changes: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Watch {
    /// Watches folders with all that is below them, and the folders in which files are.
    ///
    /// # Errors
    /// If one is missing, or the operating system can watch no more.
    pub fn new(paths: &[PathBuf]) -> Result<Self, Error> {
        let (tell, changes) = mpsc::channel();
        let heard = move |event: notify::Result<notify::Event>| {
            // What the system lost track of may have been a change.
            if event.map_or(true, |event| !matches!(event.kind, EventKind::Access(_))) {
                let _nobody_waits = tell.send(());
            }
        };
        let cannot = |path: &Path, cause: &notify::Error| {
            Error::failed(format!("cannot watch {}: {cause}", path.display()))
        };
        let mut watcher =
            notify::recommended_watcher(heard).map_err(|cause| cannot(Path::new("files"), &cause))?;
        for path in paths {
            let (folder, mode) = match path.parent() {
                _ if path.is_dir() => (path.as_path(), RecursiveMode::Recursive),
                Some(parent) if parent != Path::new("") => (parent, RecursiveMode::NonRecursive),
                _ => (Path::new("."), RecursiveMode::NonRecursive),
            };
            watcher.watch(folder, mode).map_err(|cause| cannot(folder, &cause))?;
        }
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits for a change; false if `stop` was set before there was one.
    #[must_use]
    pub fn wait(&self, stop: &AtomicBool) -> bool {
        loop {
            if stop.load(Ordering::Relaxed) {
                return false;
            }
            match self.changes.recv_timeout(LISTEN) {
                Ok(()) => break,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
        while self.changes.recv_timeout(QUIET).is_ok() {}
        true
    }
}

#[cfg(test)]
mod tests;
