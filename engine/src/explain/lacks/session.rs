//! By how much a match came too late for the session before it, and so began one of its own.

use std::collections::HashMap;

use super::{KEYS_MAX, key_of, length};
use crate::matches::Nanos;
use crate::state::{Outcome, Watched};

/// The latest session of each key.
#[derive(Debug)]
pub(super) struct Sessions {
    gap: Nanos,
    within: Nanos,
    /// Its first match and its last.
    of: HashMap<String, (Nanos, Nanos)>,
}

impl Sessions {
    pub(super) fn new(gap: Nanos, within: Nanos) -> Self {
        Self { gap, within, of: HashMap::new() }
    }

    pub(super) fn late(&mut self, watched: &Watched) -> Option<String> {
        if watched.outcome != Outcome::Counted {
            return None;
        }
        let (key, at) = (key_of(watched), watched.effective);
        let known = self.of.get(&key).copied();
        if known.is_none() && self.of.len() >= KEYS_MAX {
            return None;
        }
        let (gap, within) = (self.gap, self.within);
        let over = |from: Nanos, length: Nanos| at.saturating_sub(from).saturating_sub(length);
        let (began, said) = match known {
            None => (at, None),
            Some((_, last)) if over(last, gap) > 0 => {
                let words = format!("came {} after the gap of {}", length(over(last, gap)), length(gap));
                (at, Some(words))
            }
            Some((first, _)) if over(first, within) > 0 => {
                let words =
                    format!("came {} after the session's {}", length(over(first, within)), length(within));
                (at, Some(words))
            }
            Some((first, _)) => (first, None),
        };
        self.of.insert(key, (began, at));
        said.map(|words| format!("a new session: it {words}"))
    }
}
