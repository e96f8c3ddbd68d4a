//! Known errors that a test build can plant, one at a time, to show that the property tests would find them.
//!
//! The places that can err ask `planted` with their number. Without the feature `planted-errors` the answer is a
//! constant `false` and the compiler takes the errors out; the feature is never on in a shipped binary.

/// Every error that can be planted: its number and what it does.
pub const LIST: &[(u8, &str)] = &[
    (1, "an absent value equals the empty text"),
    (2, "not of unknown is true"),
    (3, "any over an open list without a match is false, not unknown"),
    (4, "an absent side of == with a text counts as equal, so that != is false"),
    (5, "in over an open list of the event is false, not unknown"),
    (6, "a JSON patch's add at an index replaces the element there"),
    (7, "null in a merge patch is unknown, not absent"),
    (8, "the first of equal keys wins"),
    (9, "the end of a clock range is in"),
    (10, "all over an empty list is false"),
    (11, "a network is a bit wider than it says"),
    (12, "an except that is unknown lets go"),
    (13, "a dry run that is unknown counts as one"),
    (14, "a window leaves out what is exactly as old as it is long"),
    (15, "a throttle holds back an alert exactly its length after the last one"),
    (16, "late events are not dated up"),
    (17, "a clock is the 15th highest time"),
    (18, "duplicates of a request are taken again"),
    (19, "events of one effective time are decided in order of arrival"),
    (20, "a sequence chooses the earliest events"),
    (21, "one request may serve two steps of a sequence"),
    (22, "what was held back is told again with every later alert"),
    (23, "the cluster is no part of the key"),
    (24, "an unknown part of a key is taken as absent"),
    (25, "an alert's id forgets the stage"),
];

#[cfg(feature = "planted-errors")]
mod switch {
    use std::cell::Cell;

    thread_local! {
        static NUMBER: Cell<u8> = const { Cell::new(0) };
    }

    /// Plants the error of that number in this thread; 0 plants none.
    pub fn plant(number: u8) {
        NUMBER.set(number);
    }

    pub(crate) fn planted(number: u8) -> bool {
        NUMBER.get() == number
    }
}

#[cfg(feature = "planted-errors")]
pub use switch::plant;
#[cfg(feature = "planted-errors")]
pub(crate) use switch::planted;

/// Whether the error of that number is planted: never, in this build.
#[cfg(not(feature = "planted-errors"))]
pub(crate) const fn planted(_number: u8) -> bool {
    false
}
