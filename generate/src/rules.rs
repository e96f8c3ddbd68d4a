//! Rules that loads are measured with. They stand beside the events so that the bench, and the test that holds it to the
//! reference evaluator, have the same.

/// Ten rules: seven without a window, two counts, a sequence. Most of them match something of what the profiles make.
pub const TEN: &str = include_str!("../rules/ten.rule");

/// Rules of which every match is an alert, to measure how long it is in coming: one that answers at once, one that waits.
pub const LATENCY: &str = include_str!("../rules/latency.rule");

/// One rule that keeps something for each user it has seen, and never tells.
pub const KEYS: &str = include_str!("../rules/keys.rule");
