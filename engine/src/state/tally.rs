//! Counts of a run: what its input was, what became of the matches, what was shed.

use std::collections::BTreeMap;

use crate::matches::{Nanos, Reason, SourceId, Tally};

/// Everything that a run counts. Nothing in here grows with the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunTally {
    /// Events that were looked at; `read = decoded + passed + undecodable`.
    pub read: u64,
    /// Events that became rows.
    pub decoded: u64,
    /// Requests received that no rule reads, passed over once their end was checked and their time taken.
    pub passed: u64,
    /// Bytes of input.
    pub bytes: u64,
    /// What was no event, by reason, with the place of the first.
    pub undecodable: BTreeMap<Reason, Undecoded>,
    /// Keys that stood twice in one object.
    pub duplicate_keys: u64,
    /// Events mended as Go's decoder does.
    pub mended: u64,
    /// Comment lines that were passed over.
    pub comments: u64,
    /// Events that came later than the lateness.
    pub late: u64,
    /// The lowest and the highest `stageTimestamp`.
    pub span: Option<(Nanos, Nanos)>,
    /// Per rule of the plan.
    pub rules: Vec<RuleCounts>,
    /// What limits took away.
    pub shed: Shed,
}

/// What was no event, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecoded {
    /// How often.
    pub count: u64,
    /// The source of the first: the source told of first, then the place in it.
    pub source: SourceId,
    /// Where the first begins.
    pub offset: u64,
    /// How many bytes the first has.
    pub length: u64,
}

/// Counts of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCounts {
    /// Events that the rule's selector took.
    pub selected: u64,
    /// Events whose answer an unknown decided.
    pub unknown_decided: u64,
    /// Matches, each step on its own.
    pub matched: u64,
    /// Matches left out since a part of their key was unknown.
    pub key_unknown: u64,
    /// Matches left out since they were dated up by more than the rule's window.
    pub left_out_late: u64,
    /// Matches of a request that had been taken before.
    pub duplicates: u64,
    /// Alerts told.
    pub alerts: u64,
    /// Alerts that the throttle held back.
    pub suppressed: u64,
    /// At the end of input: what waited for a time that did not come (silences, and sequences that end in a `no`).
    pub pending: u64,
}

/// What limits took away, each by its name in `limits`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shed {
    /// Matches decided before the watermark had passed them.
    pub hurried: u64,
    /// Matches that came when their time had been decided by that.
    pub overtaken: u64,
    /// Requests forgotten before their time.
    pub requests: u64,
    /// Requests taken by rules with a window though they may have been taken before and forgotten.
    pub again: u64,
    /// Matches that went to a window that many keys share.
    pub shared: u64,
    /// Matches whose new key was refused.
    pub refused: u64,
    /// Matches whose key could not be remembered, so that what they show counts as new.
    pub keys: u64,
    /// Matches and values that left a window for want of room, where that may change its answer.
    pub window: u64,
    /// Tuples that matches brought beside those that are told apart, at most: each is counted as a different one.
    pub tuples: u64,
    /// Searches of a sequence that were given up.
    pub searches: u64,
    /// Groups whose held-back alerts were forgotten, and alerts told whose throttle could not be remembered.
    pub throttles: u64,
    /// Requests that a rule about requests had no room for while they waited for their answer, so that each was kept as
    /// other rules keep a key. Nothing is missed by it.
    pub early: u64,
}

impl RunTally {
    pub(crate) fn new(rules: usize) -> Self {
        Self { rules: vec![RuleCounts::default(); rules], ..Self::default() }
    }

    /// The counts of a rule; every match names one of the plan.
    pub(crate) fn rule(&mut self, rule: u32) -> &mut RuleCounts {
        let at = rule as usize;
        if self.rules.len() <= at {
            self.rules.resize(at + 1, RuleCounts::default());
        }
        &mut self.rules[at]
    }

    /// Adds the counts of a block.
    pub(crate) fn add(&mut self, source: SourceId, block: &Tally, times: &[Nanos]) {
        self.read += block.read;
        self.decoded += block.decoded;
        self.passed += block.passed;
        self.bytes += block.bytes;
        self.duplicate_keys += block.duplicate_keys;
        self.mended += block.mended;
        self.comments += block.comments;
        for (rule, counts) in (0..).zip(&block.rules) {
            let sum = self.rule(rule);
            sum.selected += counts.selected;
            sum.unknown_decided += counts.unknown_decided;
        }
        for found in &block.undecodable {
            let this = Undecoded { count: 0, source, offset: found.offset, length: found.length };
            let first = self.undecodable.entry(found.reason).or_insert(this);
            let count = first.count + 1;
            if (source, found.offset) < (first.source, first.offset) {
                *first = this;
            }
            first.count = count;
        }
        for t in times {
            let (lowest, highest) = self.span.unwrap_or((*t, *t));
            self.span = Some((lowest.min(*t), highest.max(*t)));
        }
    }
}
