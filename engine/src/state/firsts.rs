//! When the first event came, of all and of each cluster: from there on rules about silence wait for what never comes.
//!
//! The first event is the one with the lowest effective time, whatever comes first; no event can be earlier once the
//! watermark has passed it. Only a plan with such a rule pays for this, with a look at one table for each event. Clusters are
//! remembered for good, up to a limit: of those past it nothing is waited for, which is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::matches::Nanos;

/// Whose first event it is: of all events, or of those of a cluster, which may have no name.
pub(super) type Whose = Option<Option<Arc<str>>>;

/// The first events.
#[derive(Clone, Debug, Default)]
pub(super) struct Firsts {
    /// The earliest so far; nothing once time has passed it.
    pub(super) earliest: BTreeMap<Whose, Option<Nanos>>,
    /// Those that time has not passed.
    coming: BTreeSet<(Nanos, Whose)>,
    max: usize,
}

impl Firsts {
    pub(super) fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    /// An event at `at`. Gives whether there was room to remember whose it is.
    pub(super) fn see(&mut self, whose: &Whose, at: Nanos) -> bool {
        match self.earliest.get(whose) {
            Some(None) => {}
            Some(Some(earliest)) if *earliest <= at => {}
            Some(Some(earliest)) => {
                self.coming.remove(&(*earliest, whose.clone()));
                self.put(whose.clone(), Some(at));
            }
            None if whose.is_some() && self.clusters() >= self.max => return false,
            None => self.put(whose.clone(), Some(at)),
        }
        true
    }

    fn clusters(&self) -> usize {
        self.earliest.len() - usize::from(self.earliest.contains_key(&None))
    }

    /// Takes over what was saved.
    pub(super) fn put(&mut self, whose: Whose, at: Option<Nanos>) {
        if let Some(at) = at {
            self.coming.insert((at, whose.clone()));
        }
        self.earliest.insert(whose, at);
    }

    pub(super) fn next(&self) -> Option<Nanos> {
        self.coming.first().map(|(at, _)| *at)
    }

    /// Those that time now passes, in their order.
    pub(super) fn take(&mut self, at: Nanos) -> Vec<Whose> {
        let mut passed = Vec::new();
        while self.next().is_some_and(|next| next <= at) {
            let Some((_, whose)) = self.coming.pop_first() else { break };
            self.earliest.insert(whose.clone(), None);
            passed.push(whose);
        }
        passed
    }
}
