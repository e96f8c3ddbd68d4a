//! First sights: a match brings a value that its key has not shown.

use super::decide::throttled;
use super::groups::Window;
use super::make::{Raised, Subject};
use super::rules::ShapeSpec;
use super::watch::Outcome;
use super::{Pending, State};
use crate::matches::Counted;
use crate::plan::Rule;
use crate::window::first_seen::Sight;

impl State {
    /// A match shows its values.
    pub(super) fn sight(&mut self, pending: &Pending) {
        let (number, at) = (pending.m.rule as usize, pending.effective());
        let plan = self.plan.clone();
        let Some(rule) = plan.rules.get(number) else { return };
        let Some(place) = self.place(pending) else { return self.unremembered(rule, pending) };
        let Some(spec) = self.rules.get(number) else { return };
        let ShapeSpec::FirstSeen(memory) = &spec.shape else { return };
        let Some(shard) = self.shards.get_mut(place.shard) else { return };
        let group = shard.groups.enter(place.key, spec, at, place.shared);
        let Window::FirstSeen(seen) = &mut group.window else { return };
        let tuples = pending.m.counted.last().and_then(Counted::tuples).unwrap_or_default();
        let (sight, shed) = seen.show(memory, at, tuples);
        self.tally.shed.window += shed;
        self.tally.shed.tuples = self.tally.shed.tuples.saturating_add(tuples.1);
        let told = match sight {
            Sight::New { unsure } => Ok((throttled(group.throttle(), at, spec.throttle), unsure)),
            Sight::Learned => Err(Outcome::Learned),
            Sight::Known => Err(Outcome::Known),
        };
        self.arm(place.key);
        self.squeeze(place.key, at);
        match told {
            Ok((Ok(suppressed), unsure)) => {
                let mut raised = Raised { suppressed, ..Raised::one(pending) };
                raised.notes.cut = unsure;
                let id = self.raise(rule, Subject::of(pending, &[&pending.m.captures]), raised);
                self.watched(pending, Outcome::Fired(id));
            }
            Ok((Err(since), _)) => self.held_back(pending, since),
            Err(outcome) => self.watched(pending, outcome),
        }
    }

    /// There is no room for the key of a match: what it shows may be new, and it may have learned for long.
    fn unremembered(&mut self, rule: &Rule, pending: &Pending) {
        self.tally.shed.keys += 1;
        let number = pending.m.rule as usize;
        let (tuples, more) = pending.m.counted.last().and_then(Counted::tuples).unwrap_or_default();
        let shows = more > 0 || !tuples.is_empty();
        if !shows {
            return self.watched(pending, Outcome::Known);
        }
        let Some(spec) = self.rules.get(number) else { return };
        match throttled(self.overflow.throttle(number), pending.effective(), spec.throttle) {
            Ok(suppressed) => {
                let mut raised = Raised { suppressed, ..Raised::one(pending) };
                raised.notes.unsure = true;
                let id = self.raise(rule, Subject::of(pending, &[&pending.m.captures]), raised);
                self.watched(pending, Outcome::Fired(id));
            }
            Err(since) => self.held_back(pending, since),
        }
    }
}
