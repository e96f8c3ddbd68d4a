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
    (26, "the end of a tumbling window is in"),
    (27, "tumbling windows begin with their first match, not at the epoch's multiples"),
    (28, "a match exactly a gap after the last begins a new session"),
    (29, "a session has no longest time"),
    (30, "a session's gap is counted from its start"),
    (31, "a key learns a nanosecond longer"),
    (32, "what was shown exactly a window ago is new again"),
    (33, "seeing a value again does not renew it"),
    (34, "timers fire before the matches of their time"),
    (35, "what is waited for begins with its own first match"),
    (36, "a percentile's rank is rounded down"),
    (37, "what leaves a window stays in its sums"),
    (38, "the lowest and highest know the newest value only"),
    (39, "the cluster is part of the key under `across clusters`"),
    (40, "rules on alerts hear them at the alerts' time, not when they were decided"),
    (41, "a filter of an aggregate that is unknown counts"),
    (42, "windows that are open at the end of input are not judged"),
    (43, "what is no event is dated at the epoch"),
    (44, "the id of a closed window is made of when it was judged"),
    (45, "a closed window's throttle runs from its start"),
    (46, "timers are not set again where a saved state is loaded"),
    (47, "the ends of what a `no` between two steps forbids are in"),
    (48, "a `no` before the first step does not look back to the end"),
    (49, "a `no` behind the last step does not look on to the end"),
    (50, "a `no` between two steps has no `within` of its own"),
    (51, "a choice that is forbidden ends the search"),
    (52, "a `no` forbids whatever its conditions on other steps say"),
    (53, "a repeated step is met one time fewer"),
    (54, "an unordered sequence is completed by what is not its latest"),
    (55, "a choice's own event forbids it"),
    (56, "a request that was answered is forgotten at once"),
    (57, "the first request of an id that comes again does not go on"),
    (58, "what the tables of requests hold is not saved"),
    (59, "what comes from before what silences let pass is not dated up"),
    (60, "silences move time past the wall clock"),
    (61, "half a second is a silence"),
    (62, "what is no event is dated as if its source had not been silent"),
    (63, "a line that is cut in a text is no JSON"),
    (64, "a MaxMind database knows no IPv6 addresses"),
    (65, "a test's `until` is not heeded"),
    (66, "rules that are off are heard in tests"),
    (67, "memory is carried over to the rule that has the same number"),
    (68, "what is unknown is false where conditions are asked together"),
    (69, "what comes after a request went on does not go on"),
    (97, "the time of reading holds no clock back"),
];

/// Errors past the limits, which only what has little room shows.
pub const BOUNDED: &[(u8, &str)] = &[
    (70, "what went from a full window is not counted"),
    (71, "what was refused is not told"),
    (72, "after a flood what a key did without room is taken as nothing"),
    (73, "what went from windows of rules that are not monotone is not told"),
    (74, "rules that more events only make truer refuse keys"),
    (75, "groups that nothing can meet any more keep their room"),
    (76, "a key without room learns again"),
    (77, "of two extreme values that become one the newer stays"),
    (78, "where no request can be remembered all are taken as known"),
    (79, "a throttle without room holds back"),
    (80, "a sequence that let go of a match takes what is left for all"),
    (81, "clusters that cannot be remembered are not counted"),
    (82, "what is refused is counted where time stands, not where its event is"),
    (83, "what a rule has no room for is not counted"),
    (84, "what a rule had no room for is not told"),
    (85, "what a rule had no room for leaves its alerts exact"),
    (86, "a stretch of time that becomes one with the next leaves with the first of it"),
    (87, "what a saved window keeps takes no room"),
    (88, "requests that may count twice leave alerts exact"),
    (89, "requests that may count twice are not told of"),
    (90, "that requests were forgotten is not saved"),
    (91, "what was decided before its time does not say so"),
    (92, "what comes when its time was decided in a hurry is not told of"),
    (93, "how far time was hurried is not saved"),
    (94, "what a match has of tuples past the most is left out in silence"),
    (95, "tuples of a match past the most are not counted"),
    (96, "tuples of a match past the most leave alerts exact"),
    (98, "a long value is told from others by its beginning alone"),
    (99, "a throttle that could not be remembered is not told of"),
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
