//! What a sliding window had to let go of for want of room, and counts until it would have left by itself.
//!
//! A condition that asks whether there is enough of something must not miss that there was, though the window keeps no more
//! of it. So what goes is still counted, no longer one by one but by stretches of time, each a 64th of the window long: a
//! stretch leaves once the last of it is too old. What is counted is then never less than what there was, and more by at
//! most what came within one stretch.
//!
//! What goes is the oldest, so it comes here in the order of time, and all that is here is older than all that is kept.
//! There are never more than [`SLICES_MAX`] stretches, whatever comes. Where there is no room for so many the oldest two
//! become one.

use std::collections::VecDeque;

use super::aggregate::Total;
use super::spare;
use crate::matches::Nanos;
use crate::plan::cost::SLICE_BYTES;
use crate::planted::planted;

/// Into how many stretches a window is divided.
const SLICES: Nanos = 64;

/// How many stretches there are at most: one more at each end, of which a part is in the window.
pub(crate) const SLICES_MAX: u64 = SLICES.unsigned_abs() + 2;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slices {
    /// Oldest first.
    pub(crate) all: VecDeque<Slice>,
    /// What is in them in all.
    count: u64,
}

/// One stretch of time.
#[derive(Clone, Debug)]
pub(crate) struct Slice {
    /// The latest time of what is in it.
    pub(crate) last: Nanos,
    pub(crate) count: u64,
    /// What its values make together, where they are summed.
    pub(crate) total: Option<Total>,
}

/// How long a stretch of such a window is.
pub(crate) fn slice_of(within: Nanos) -> Nanos {
    (within / SLICES).max(1)
}

impl Slices {
    /// Counts what was let go of and is of that time; gives its stretch.
    pub(crate) fn add(&mut self, at: Nanos, length: Nanos) -> &mut Slice {
        self.add_many(at, 1, length)
    }

    /// Counts so many at once. What never was among what is kept does not come in the order of time.
    pub(crate) fn add_many(&mut self, at: Nanos, many: u64, length: Nanos) -> &mut Slice {
        let length = length.max(1);
        let stretch = at.div_euclid(length);
        let behind =
            self.all.iter().rev().take_while(|slice| slice.last.div_euclid(length) > stretch).count();
        let before = self.all.len() - behind;
        let same = before.checked_sub(1).filter(|n| self.all[*n].last.div_euclid(length) == stretch);
        let place = same.unwrap_or(before);
        if same.is_none() {
            self.all.insert(before, Slice { last: at, count: 0, total: None });
        }
        let slice = &mut self.all[place];
        let more = many.min(u64::MAX - self.count);
        slice.last = slice.last.max(at);
        slice.count += more;
        self.count += more;
        slice
    }

    /// Puts a saved stretch back; the oldest come first. Whether it can be one.
    pub(crate) fn restore(&mut self, slice: Slice) -> bool {
        let Some(count) = self.count.checked_add(slice.count) else { return false };
        let follows = self.all.back().is_none_or(|before| before.last <= slice.last);
        self.count = count;
        self.all.push_back(slice);
        follows
    }

    /// Takes the first stretch out if all of it is of before `from`.
    pub(crate) fn pop(&mut self, from: Nanos) -> Option<Slice> {
        let slice = self.all.pop_front_if(|slice| slice.last < from)?;
        self.count -= slice.count;
        Some(slice)
    }

    pub(crate) fn leave(&mut self, from: Nanos) {
        while self.pop(from).is_some() {}
    }

    /// What of it can go for want of room, in bytes.
    pub(crate) fn spare(&self) -> u64 {
        spare(self.all.len(), SLICE_BYTES)
    }

    /// Makes one of the two oldest stretches: it leaves as late as the later of them, so what is in it counts no less.
    pub(crate) fn squeeze(&mut self) {
        let several = self.all.len() > 1;
        let Some(oldest) = self.all.pop_front_if(|_| several) else { return };
        let Some(next) = self.all.front_mut() else { return };
        next.count += oldest.count;
        if planted(86) {
            next.last = oldest.last;
        }
        match (&mut next.total, oldest.total) {
            (Some(total), Some(oldest)) => total.join(&oldest, false),
            (total, oldest) => *total = total.take().or(oldest),
        }
    }

    pub(crate) fn count(&self) -> u64 {
        if planted(70) { 0 } else { self.count }
    }
}
