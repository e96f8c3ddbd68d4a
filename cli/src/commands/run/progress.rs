//! The progress bar: for files, on a terminal, on standard error.
//!
//! It counts packed bytes as they are taken from the disk, since of a packed file nothing else is known beforehand. With a pipe among
//! the sources there is no end to come nearer to, and no bar.

use std::io::{self, IsTerminal};
use std::sync::atomic::Ordering;

use connect::feed::Progress;
use indicatif::{ProgressBar, ProgressStyle};

const TEMPLATE: &str = "{bar:30} {percent:>3}% {bytes}/{total_bytes} {bytes_per_sec} {eta} left  {msg}";

/// A bar, or nothing.
pub(crate) struct Bar {
    bar: Option<ProgressBar>,
    files: Vec<Progress>,
}

impl Bar {
    pub(crate) fn new(files: &[Progress]) -> Self {
        let size: Option<u64> = files.iter().map(|file| file.size).sum();
        let size = size.filter(|_| io::stderr().is_terminal() && !files.is_empty());
        let bar = size.map(|size| {
            let bar = ProgressBar::new(size);
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, files: files.to_vec() }
    }

    /// Shows how far it is; cheap enough for every block.
    pub(crate) fn show(&self, alerts: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.files.iter().map(|file| file.taken.load(Ordering::Relaxed)).sum());
            bar.set_message(format!("{alerts} alerts"));
        }
    }

    /// Takes the bar away while something else is written, as both may be on the same terminal.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
