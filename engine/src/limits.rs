//! Every limit of the engine, by name and unit. Reaching one is counted and visible.

use crate::matches::Nanos;

/// `auditID` is the client's choice and may be long: this much of it is kept for people.
pub const AUDIT_ID_CHARS_MAX: usize = 64;
/// Of a text that an alert or a window keeps of an event for people (a user name, an agent, an object's name) this much is
/// kept, in bytes; `…` stands behind what was cut.
pub const EVENT_TEXT_BYTES_MAX: usize = 512;
/// Of a list of them (groups, addresses) so many are kept; `…` stands for the others.
pub const EVENT_LIST_MAX: usize = 32;
/// And so many bytes of all of them together, as far as they are not the first.
pub const EVENT_LIST_BYTES_MAX: usize = 1024;
/// How deep JSON may nest before a document is undecodable.
pub const JSON_DEPTH_MAX: usize = 512;
/// Wrappings around wrappings (a string in a record in a list) that are opened, at most.
pub const WRAPPINGS_MAX: usize = 4;
/// How deep the lists and maps that a JSON patch opens are known in what it makes of an object; deeper ones are unknown.
pub const PATCH_DEPTH_MAX: usize = 64;
/// How many operations of a JSON patch are followed: the API server refuses more.
pub const PATCH_OPERATIONS_MAX: usize = 10_000;
/// How many values and keys one JSON patch may copy in all; what else is copied is unknown. The API server refuses a patch
/// that copies more than 3 MiB in all, which is less: of all its values but the outermost each takes two bytes and more.
pub const PATCH_COPIED_MAX: usize = 1_600_000;
/// How many keys that operations of a JSON patch took away come along with copies, as absent; others are unknown there.
pub const PATCH_REMOVED_MAX: usize = 100_000;
/// Of two spreads that are calculated with so many pairs are made: who writes two lists of a million items into one event shall not
/// have a billion.
pub const PAIRS_MAX: usize = 1_000_000;
/// State lives in this many virtual shards.
pub const VIRTUAL_SHARDS: usize = 64;
/// The newest requests (values, of `distinct`) that a window keeps at least, where only a lower bound is asked.
pub const WINDOW_KEPT_MIN: u64 = 1_000;
/// How many characters of a value stand in an alert's text.
pub const VALUE_CHARS_MAX: usize = 256;
/// Evidence that an alert shows at the front and at the back of very many events.
pub const EVIDENCE_EDGE: usize = 10;
/// What values that a rule reads later may take for each match that a key may always have, in bytes: of the last of a session, a
/// tumbling window and a silence, and of the newest of a step. More counts, and goes where there is no room.
pub const LATER_BYTES_MAX: usize = 4 << 10;
/// What a session, a tumbling window or a silence keeps of such values at most, in bytes, though there is room.
pub const LATER_HELD_BYTES_MAX: usize = 64 << 10;
/// What a key may take, in bytes, that a session, a tumbling window or a silence must keep; a longer one has no window of its own.
pub const KEPT_KEY_BYTES_MAX: usize = 4 << 10;
/// How many matches a sequence tries for one completing match before it gives up the search.
pub const SEQUENCE_TRIES_MAX: usize = 200_000;
/// What a request takes in the table of a rule about requests themselves, with its share of the queues, in bytes.
pub const REQUEST_BYTES: usize = 160;
/// What it takes besides while its match is held, and not counting what that brings along, in bytes.
pub const REQUEST_HELD_BYTES: usize = 144;

/// Keys of one rule in a test: fewer than a run may have, so that a test can show what comes of too many.
pub const TEST_KEYS_PER_RULE_MAX: usize = 1 << 14;

/// Limits that a run may set.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest line or document, in bytes.
    pub line_bytes_max: usize,
    /// How late an event may be, in nanoseconds.
    pub lateness: Nanos,
    /// How long a request that matched is remembered, in event time (at least the rule's window).
    pub request_memory: Nanos,
    /// Requests remembered at most, over all rules, divided among the virtual shards.
    pub requests_told_max: usize,
    /// Keys of one rule at most, divided among the virtual shards.
    pub keys_per_rule_max: usize,
    /// Matches that one key of one rule (one step, of a sequence) keeps at most.
    pub matches_per_key_max: usize,
    /// Bytes that the windows of one rule keep at most beside the first match (value, stretch of time) of each key, divided
    /// among the virtual shards and counted as [`crate::plan::cost`] counts them: a match as what it takes, and at least as 2
    /// KiB, which is about twice what one of real logs takes.
    pub window_bytes_per_rule_max: usize,
    /// Matches that wait for the watermark at most, beside those of the event at hand. Past it the earliest are decided as if
    /// time had passed them, as approximate, and what comes too late by that is told of.
    pub waiting_matches_max: usize,
    /// Bytes of matches that wait for the watermark at most, with the same meaning.
    pub waiting_bytes_max: usize,
    /// Bytes of the table of one rule about requests themselves at most, divided among the virtual shards. 0: no table,
    /// so that such a rule remembers each request as other rules remember a key.
    pub request_table_bytes_max: usize,
    /// Tuples that one match may bring to one `distinct` or `first_seen` of several `[]`: every pair of two long lists is
    /// many. What it has more of is counted as if each were different from all others.
    pub tuples_per_match_max: usize,
}

impl Limits {
    /// Matches that a step keeps of one key, or of what many keys share. Shared windows are there to lean to the side of
    /// telling, which they do as well with few: all shards of a rule together keep no more than one key may.
    pub(crate) fn matches_of(&self, shared: bool) -> usize {
        let most = if shared { self.matches_per_key_max / VIRTUAL_SHARDS } else { self.matches_per_key_max };
        most.max(1)
    }

    /// Bytes that the windows of one rule keep in one virtual shard, beside the first of each key.
    pub(crate) fn window_bytes_per_shard(&self) -> u64 {
        (self.window_bytes_per_rule_max / VIRTUAL_SHARDS) as u64
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_bytes_max: 64 << 20,
            lateness: 5_000_000_000,
            request_memory: 3_600_000_000_000,
            requests_told_max: 1 << 22,
            keys_per_rule_max: 1 << 20,
            matches_per_key_max: 100_000,
            window_bytes_per_rule_max: 2 << 30,
            waiting_matches_max: 1 << 20,
            waiting_bytes_max: 2 << 30,
            request_table_bytes_max: 256 << 20,
            tuples_per_match_max: 100_000,
        }
    }
}
