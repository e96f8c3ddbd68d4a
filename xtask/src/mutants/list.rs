//! Reads `docs/mutants.md`: what survives and has a reason to.

use std::collections::BTreeSet;

/// The changes that are listed: each is the first code of an item.
pub(crate) fn listed(text: &str) -> BTreeSet<String> {
    let items = text.lines().filter_map(|line| line.strip_prefix("* `"));
    items.filter_map(|item| item.split_once('`')).map(|(key, _)| key.to_owned()).collect()
}
