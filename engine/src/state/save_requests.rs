//! Saving and loading what rules about requests themselves remember: their tables, and their matches that wait.

use super::carry::{Carried, Origin};
use super::envelope::LoadError;
use super::hash::GroupId;
use super::packed::repack;
use super::requests::{Entry, Held, Table};
use super::wire::{Reader, Result, Writer, stage_number, stage_of};
use super::{Shard, State};
use crate::matches::SourceId;
use crate::planted::planted;
use crate::time::Order;

/// What of one shard was loaded.
pub(super) struct Loaded {
    /// Per rule about requests themselves.
    pub(super) tables: Vec<Table>,
    pub(super) coming: Vec<Held>,
}

impl State {
    /// The tables of a shard, and what waits in it.
    pub(super) fn save_requests(&self, shard: usize, w: &mut Writer) {
        let mut coming: Vec<&Held> = self.coming.iter().filter(|held| held.place.shard() == shard).collect();
        coming.sort_unstable();
        w.list(coming.into_iter(), |w, held| {
            w.u32(held.rule);
            w.framed(|w| save_held(held, w));
        });
        let tables = self.shards.get(shard).map_or(&[][..], |shard| &shard.requests);
        let rules = self.unanswered().map(|(rule, _)| rule);
        w.list(tables.iter().zip(rules.collect::<Vec<_>>()), |w, (table, rule)| {
            w.u32(rule);
            w.framed(|w| {
                w.maybe(table.lost(), Writer::i64);
                let entries: Vec<(GroupId, &Entry)> = table.iter().filter(|_| !planted(58)).collect();
                w.list(entries.into_iter(), |w, (place, entry)| {
                    w.out.extend_from_slice(&place.0);
                    w.maybe(entry.taken, Writer::i64);
                    w.maybe(entry.answered, Writer::i64);
                    w.maybe(entry.held.as_deref(), |w, held| save_held(held, w));
                });
            });
        });
    }

    pub(super) fn load_requests(&self, origin: &Origin, shard: usize, r: &mut Reader<'_>) -> Result<Loaded> {
        let coming = r.list(|r| {
            let rule = r.u32()?;
            let mut framed = r.framed()?;
            let Some(carried) = origin.rule(rule)? else { return Ok(None) };
            let held = self.load_held(origin, carried, shard, &mut framed)?;
            framed.end()?;
            Ok(Some(held))
        })?;
        let tables = self.outstanding.len();
        let mut tables = Shard::new(self.keyed, (0, tables), &self.limits).requests;
        r.list(|r| {
            let rule = r.u32()?;
            let mut framed = r.framed()?;
            let Some(carried) = origin.rule(rule)? else { return Ok(()) };
            let spec = self.rules.get(carried.rule as usize).and_then(|spec| spec.table);
            let table = spec.and_then(|spec| tables.get_mut(spec.slot)).ok_or(LoadError::Corrupt)?;
            if let Some(until) = framed.maybe(Reader::i64)? {
                table.lose(until);
            }
            framed.list(|r| {
                let place = GroupId(r.array()?);
                let (taken, answered) = (r.maybe(Reader::i64)?, r.maybe(Reader::i64)?);
                let held = r.maybe(|r| self.load_held(origin, carried, shard, r).map(Box::new))?;
                let told = held.as_ref().is_none_or(|held| held.place == place && Some(held.at()) == taken);
                if place.shard() != shard || !told {
                    return Err(LoadError::Corrupt);
                }
                table.insert(place, Entry { taken, answered, held });
                Ok(())
            })?;
            framed.end()
        })?;
        Ok(Loaded { tables, coming: coming.into_iter().flatten().collect() })
    }

    fn load_held(
        &self,
        origin: &Origin,
        carried: &Carried,
        shard: usize,
        r: &mut Reader<'_>,
    ) -> Result<Held> {
        let (effective, stage_timestamp) = (r.i64()?, r.i64()?);
        let (request, stage) = (r.array()?, r.maybe(|r| stage_of(r.u8()?))?);
        let (source, offset) = (SourceId(r.u32()?), r.u64()?);
        let place = GroupId(r.array()?);
        let (step, event, dry_run_unknown) = (r.u32()?, r.u32()?, r.truth()?);
        let packed: Box<[u8]> = r.bytes()?.into();
        let packed = match step {
            0 => repack(&packed, |captures| carried.captures(step, captures))?,
            _ => packed,
        };
        let order = Order::new(effective, stage_timestamp, (request, stage, (origin.source(source), offset)));
        let held = Held { order, place, rule: carried.rule, step, event, dry_run_unknown, packed };
        if place.shard() != shard || self.whole(&held).is_none() {
            return Err(LoadError::Corrupt);
        }
        Ok(held)
    }
}

fn save_held(held: &Held, w: &mut Writer) {
    let order = &held.order;
    w.i64(order.effective);
    w.i64(order.stage_timestamp);
    w.out.extend_from_slice(&order.request);
    w.maybe(order.stage, |w, stage| w.u8(stage_number(stage)));
    w.u32(order.source);
    w.u64(order.offset);
    w.out.extend_from_slice(&held.place.0);
    w.u32(held.step);
    w.u32(held.event);
    w.truth(held.dry_run_unknown);
    w.bytes(&held.packed);
}
