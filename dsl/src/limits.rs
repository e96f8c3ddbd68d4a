//! Every limit of the language, by name and unit. Reaching one is an error with its own code, never a silent cut; of those
//! that a compilation may set it is a warning.

/// The longest rule file, in bytes.
pub const SOURCE_BYTES_MAX: usize = 4 << 20;
/// How deep parentheses, quantifiers, maps and lists may nest. Bounds the recursion of parser, checker and evaluator.
pub const NESTING_MAX: usize = 64;
/// The most nodes a rule's conditions may have after every `let` is put in: a `let` of `let`s doubles quickly.
pub const RULE_NODES_MAX: usize = 100_000;
/// The most nodes that the conditions of all rules of a set may have together.
pub const SET_NODES_MAX: usize = 5_000_000;
/// The longest window of a rule, in nanoseconds: 366 days. Times are 64 bits of nanoseconds, 292 years to each side, so that
/// all windows of a sequence together are far from where they end.
pub const WINDOW_NANOS_MAX: i64 = 366 * DAY_NANOS;
/// A day, in nanoseconds.
pub const DAY_NANOS: i64 = 86_400_000_000_000;
/// The most times that one step of a sequence may ask for.
pub const STEP_TIMES_MAX: u32 = 100;
/// The most events that one test may make.
pub const TEST_EVENTS_MAX: usize = 100_000;
/// The most diagnostics that are reported of one file; one more says that there are others.
pub const DIAGNOSTICS_MAX: usize = 200;
/// How deep a rule's conditions may nest after every `let` is put in. Bounds the recursion of whatever walks the IR.
pub const EXPANDED_DEPTH_MAX: usize = 256;
/// The most values of all lists together, each with those of lists inside of it.
pub const LIST_VALUES_MAX: usize = 1_000_000;
/// The longest file of a list's or table's values that is text, in bytes.
pub const VALUES_BYTES_MAX: usize = 64 << 20;
/// The longest MaxMind database, in bytes.
pub const MAXMIND_BYTES_MAX: usize = 256 << 20;
/// The most rows of all tables together, MaxMind databases aside.
pub const TABLE_ROWS_MAX: usize = 1_000_000;

/// Limits that a compilation may set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For how long whoever runs the rules keeps their state, in nanoseconds: a longer window is warned of.
    pub state_nanos: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { state_nanos: 30 * DAY_NANOS }
    }
}
