//! Saving and loading the sequence of a key. What its queues are indexed by is made anew.

use std::sync::Arc;

use super::State;
use super::carry::{Carried, Origin};
use super::decide::seen;
use super::envelope::LoadError;
use super::save::{load_seen, save_pending, save_seen};
use super::sequence::{Chain, Completing, Wait};
use super::wire::{Reader, Result, Writer};
use crate::plan::sequence::Layout;
use crate::window::sequence::Waiting;

pub(super) fn save(chain: &Chain, w: &mut Writer) {
    w.u64(chain.sequence.come);
    for queue in &chain.sequence.steps {
        w.maybe(queue.dropped, Writer::i64);
        w.list(queue.iter(), |w, waiting| {
            save_seen(w, &waiting.seen);
            w.u64(waiting.number);
            w.list(waiting.captures.iter(), Writer::value);
        });
    }
    w.list(chain.waits(), |w, wait| {
        w.i64(wait.until);
        w.u64(wait.tries as u64);
        w.list(wait.completing.places.iter(), |w, (pending, waiting)| {
            save_pending(w, pending);
            w.u64(waiting.number);
        });
    });
}

impl State {
    pub(super) fn load_chain(
        &self,
        origin: &Origin,
        carried: &Carried,
        layout: &Layout,
        r: &mut Reader<'_>,
    ) -> Result<Chain> {
        let mut chain = Chain::new(layout);
        chain.sequence.come = r.u64()?;
        for (step, queue) in (0..).zip(&mut chain.sequence.steps) {
            queue.dropped = r.maybe(Reader::i64)?;
            for waiting in r.list(|r| {
                let (seen, number) = (load_seen(r)?, r.u64()?);
                let captures = carried.captures(step, r.list(Reader::value)?)?;
                Ok(Waiting { seen, number, captures })
            })? {
                queue.push(Arc::new(waiting));
            }
        }
        for wait in r.list(|r| self.load_wait(origin, carried.rule, r))? {
            chain.wait(wait);
        }
        Ok(chain)
    }

    fn load_wait(&self, origin: &Origin, rule: u32, r: &mut Reader<'_>) -> Result<Wait> {
        let until = r.i64()?;
        let tries = usize::try_from(r.u64()?).map_err(|_| LoadError::Corrupt)?;
        let places = r.list(|r| {
            let pending = self.load_pending(origin, r)?;
            let pending = pending.filter(|pending| pending.m.rule == rule).ok_or(LoadError::Corrupt)?;
            let waiting =
                Waiting { seen: seen(&pending), number: r.u64()?, captures: pending.m.captures.clone() };
            Ok((pending, Arc::new(waiting)))
        })?;
        Ok(Wait { completing: Completing { places }, until, tries })
    }
}
