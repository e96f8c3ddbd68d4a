//! Audit events like those of a recorded log, any number of them, faster than anything reads them.
//!
//! A profile is a sample of whole requests of a recorded log, chosen so that stages, verbs, levels, sizes, escapes and bodies
//! have their shares (`profile.rs`). A generator copies their lines one after the other and writes a new `auditID` and new
//! times over the old ones (`make.rs`): a copy and three small patches an event, so that it is bound by memory. Around that
//! stand what logs go through on their way: duplicates, disorder, other programs' records (`wrap.rs`).
//!
//! [`describe`] makes a table of shares of any log, ours or another's; a test holds the two to each other.
//!
//! What it is not: users, names and addresses are those of the sample, so there are as many keys as the sample has.

pub mod describe;
mod dice;
mod make;
mod many;
mod profile;
pub mod rules;
mod stamp;
#[cfg(test)]
mod tests;
mod wrap;

pub use make::{Generator, Label, Options};
pub use many::Many;
pub use profile::{NAMES, Profile};
pub use wrap::Form;

/// How much a pipe shall hold: at its usual 64 KiB writer and reader wake each other too often to move a gigabyte a second.
const PIPE_BYTES: usize = 1 << 20;

/// Makes the pipe larger that is written to, where it is one and the kernel allows.
#[cfg(target_os = "linux")]
pub fn widen(out: &impl std::os::fd::AsFd) {
    // What is no pipe, or may not be larger, works as it is.
    let _as_it_is = rustix::pipe::fcntl_setpipe_size(out, PIPE_BYTES);
}

/// Pipes have one size here.
#[cfg(not(target_os = "linux"))]
pub fn widen<T>(_out: &T) {}
