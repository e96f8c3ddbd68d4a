//! A key that must not fall silent: the last that was heard of it, and when that is too long ago.

use super::{Owner, Seen};
use crate::matches::Nanos;

/// A silence of one key; over once it was told, until the key is heard of again.
#[derive(Clone, Debug)]
pub(crate) struct Silence {
    /// From where it counts: the last match, else the first event.
    pub(crate) since: Nanos,
    /// When it is told.
    pub(crate) deadline: Nanos,
    /// The last match, if there was one.
    pub(crate) last: Option<Seen>,
    pub(crate) owner: Owner,
}

impl Silence {
    /// Heard of, or waited for, at `at`.
    pub(crate) fn new(at: Nanos, after: Nanos, last: Option<Seen>, owner: Owner) -> Self {
        Self { since: at, deadline: at.saturating_add(after), last, owner }
    }
}
