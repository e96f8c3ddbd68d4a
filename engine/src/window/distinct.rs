//! Different values within a sliding window: each value with the last time it was seen.
//!
//! A value is in the window exactly if its last sighting is, so one time a value is enough, however often it comes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Cap, spare};
use crate::matches::Nanos;
use crate::plan::cost::{NUMBER_BYTES, VALUE_BYTES};

/// A set of values that forgets by time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Distinct {
    /// The number of each value's last sighting.
    last: HashMap<Arc<[u8]>, u64>,
    /// By that number, so oldest first.
    sightings: BTreeMap<u64, (Nanos, Arc<[u8]>)>,
    next: u64,
    /// The latest time at which a value was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
}

impl Distinct {
    pub(crate) fn len(&self) -> usize {
        self.sightings.len()
    }

    pub(crate) fn contains(&self, value: &[u8]) -> bool {
        self.last.contains_key(value)
    }

    /// A value is seen; gives the time of the one that had to go for it.
    pub(crate) fn enter(&mut self, at: Nanos, value: &[u8], cap: Cap) -> Option<Nanos> {
        let number = self.next;
        self.next += 1;
        let value = match self.last.get_mut(value) {
            Some(last) => {
                let before = std::mem::replace(last, number);
                self.sightings.remove(&before).map_or_else(|| Arc::from(value), |(_, value)| value)
            }
            None => {
                let value: Arc<[u8]> = Arc::from(value);
                self.last.insert(value.clone(), number);
                value
            }
        };
        self.sightings.insert(number, (at, value));
        if self.sightings.len() <= cap.kept_max {
            return None;
        }
        self.squeeze()
    }

    /// Lets go of the oldest value for want of room; gives its time.
    pub(crate) fn squeeze(&mut self) -> Option<Nanos> {
        let (_, (t, value)) = self.sightings.pop_first()?;
        self.last.remove(&value);
        self.dropped = self.dropped.max(Some(t));
        Some(t)
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        spare(self.len(), NUMBER_BYTES + VALUE_BYTES)
    }

    /// Puts a saved value back; the oldest come first.
    pub(crate) fn restore(&mut self, at: Nanos, value: &[u8]) {
        self.enter(at, value, Cap::whole(usize::MAX));
    }

    /// Forgets all values last seen before `from`.
    pub(crate) fn leave(&mut self, from: Nanos) {
        while let Some(first) = self.sightings.first_entry() {
            if first.get().0 >= from {
                break;
            }
            let (_, value) = first.remove();
            self.last.remove(&value);
        }
    }

    /// Values with the time of their last sighting, oldest first.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (Nanos, &[u8])> {
        self.sightings.values().map(|(t, value)| (*t, &**value))
    }
}
