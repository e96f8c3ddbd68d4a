//! The words of the language, by where they stand.

/// They begin an item. (`list` is before `let`, as of equally near words the first is offered: `lst`.)
pub(super) const ITEMS: [&str; 7] = ["list", "let", "cidr", "table", "rule", "tune", "test"];
/// They begin a clause of a rule.
pub(super) const CLAUSES: [&str; 15] = [
    "severity",
    "tags",
    "about",
    "see",
    "disable",
    "on",
    "where",
    "except",
    "by",
    "across",
    "when",
    "sequence",
    "unordered",
    "alert",
    "throttle",
];
/// They begin a change of a tune.
pub(super) const CHANGES: [&str; 7] =
    ["except", "severity", "within", "when", "throttle", "disable", "enable"];
/// They begin a line of a test.
pub(super) const TEST_LINES: [&str; 5] = ["start", "given", "at", "until", "expect"];
/// They compare, or join conditions.
pub(super) const OPERATORS: [&str; 12] = [
    "or",
    "and",
    "not",
    "any",
    "all",
    "in",
    "contains",
    "startswith",
    "endswith",
    "like",
    "matches",
    "ignoring",
];

/// Whether no value and no list goes on with this word.
pub(super) fn ends_value(word: &str) -> bool {
    CLAUSES.contains(&word) || ITEMS.contains(&word)
}

/// Whether a word cannot be a name: it begins an item, a clause, a step that is forbidden or an operator, or is a value.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    ITEMS.contains(&word)
        || CLAUSES.contains(&word)
        || OPERATORS.contains(&word)
        || matches!(word, "no" | "true" | "false")
}
