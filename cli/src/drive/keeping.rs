//! What a run that remembers knows beside the engine's state: up to where each source has been taken, and when the state is one
//! that the next run can go on from.
//!
//! The end of a file is not the end of a log. What is decided only because nothing more came (half a line is none, a window
//! is judged before its time, time passes a source that has ended) is right for who reads the alerts now, and wrong for the run that
//! finds the log grown. So there is a *turn*: the last moment at which the state is what it would be in one run over all that will
//! ever come. It is before the first of the sources that may grow has ended; what is saved at the end of the run is the state of
//! the turn, with the ids of the alerts that were told behind it.
//!
//! Rotated files end for good and let time pass. One that may grow and is at its end before them, as a log just begun is, waits
//! at its side, with what its end makes of it unread: time does not wait for it, for what is still to be read is older. Of a live run
//! the turn is when the last pipe ends.

use connect::Error;
use engine::frame::blocks::Block;
use engine::matches::SourceId;

use super::{Drive, Then};

/// What a run that remembers keeps of its sources.
#[derive(Debug)]
pub(crate) struct Keeping {
    /// Of each source whether more may come in it later.
    grows: Vec<bool>,
    /// Of each source the bytes that have been taken, up to where it can be read on.
    pub(crate) offsets: Vec<u64>,
    /// A document that is too large is being passed over: what was counted of it is behind that.
    within: Vec<bool>,
    /// Those that may grow and wait at their end for the turn.
    aside: Vec<SourceId>,
    /// One that may grow is at its end.
    at_end: bool,
    pub(crate) turned: bool,
    pub(crate) moment: Moment,
}

/// Why the caller's turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Some blocks were taken.
    Reading,
    /// The turn: see the module.
    Turn,
    /// A signal came. What waits goes on waiting.
    Stopped,
    /// Everything was decided.
    Finished,
}

impl Keeping {
    /// Of sources that are read from these offsets on.
    pub(crate) fn new(grows: Vec<bool>, offsets: Vec<u64>) -> Self {
        let within = vec![false; offsets.len()];
        let (aside, moment) = (Vec::new(), Moment::Reading);
        Self { grows, offsets, within, aside, at_end: false, turned: false, moment }
    }

    fn grows(&self, source: SourceId) -> bool {
        self.grows.get(source.0 as usize).copied().unwrap_or(true)
    }

    /// Whether every source is at a place from which it can be read on without counting anything twice.
    pub(crate) fn between_documents(&self) -> bool {
        !self.within.contains(&true)
    }
}

impl Drive {
    /// Whether a source is at its end, and nothing more is expected in it.
    pub(crate) fn done(&self, source: SourceId) -> bool {
        let grows = self.keeping.as_ref().is_none_or(|keeping| keeping.grows(source));
        !grows && !self.open.contains(&source)
    }

    /// What a block gave is in the state.
    pub(super) fn took(&mut self, block: &Block) {
        let Some(keeping) = &mut self.keeping else { return };
        let at = block.source.0 as usize;
        if let (Some(offset), Some(within)) = (keeping.offsets.get_mut(at), keeping.within.get_mut(at)) {
            *within = !block.resumes();
            if !*within {
                *offset = block.offset + block.length;
            }
        }
    }

    /// Lets the caller know which moment it is.
    pub(super) fn at(
        &mut self,
        moment: Moment,
        each: &mut impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(keeping) = &mut self.keeping {
            keeping.moment = moment;
        }
        each(self)?;
        if let Some(keeping) = &mut self.keeping {
            keeping.moment = Moment::Reading;
        }
        Ok(())
    }

    /// The turn, unless it has been: those aside are read to their end now.
    pub(super) fn turn(
        &mut self,
        each: &mut impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.keeping.as_ref().is_none_or(|keeping| keeping.turned) {
            return Ok(());
        }
        self.at(Moment::Turn, each)?;
        if let Some(keeping) = &mut self.keeping {
            keeping.turned = true;
            self.open.append(&mut keeping.aside);
        }
        Ok(())
    }

    /// A source has come to what is behind its blocks, all of which have been taken.
    pub(super) fn come_to(
        &mut self,
        then: Then,
        source: SourceId,
        each: &mut impl FnMut(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let others_open = self.open.iter().any(|open| *open != source);
        match then {
            Then::More => return Ok(()),
            Then::Ending if self.live => {
                return if others_open { Ok(()) } else { self.turn(each) };
            }
            Then::Ending => {
                let closed = self.closed_are_open();
                let Some(keeping) = self.keeping.as_mut().filter(|of| !of.turned) else { return Ok(()) };
                if !keeping.grows(source) {
                    // The last of a log that is at rest; should it grow all the same, nothing is lost by it.
                    let last = !others_open && !keeping.at_end;
                    return if last { self.turn(each) } else { Ok(()) };
                }
                keeping.at_end = true;
                if !closed {
                    return self.turn(each);
                }
                keeping.aside.push(source);
            }
            Then::Ended => {}
        }
        self.open.retain(|open| *open != source);
        self.state.end(source);
        each(self)?;
        let at_end = self.keeping.as_ref().is_some_and(|keeping| keeping.at_end);
        if at_end && !self.live && !self.closed_are_open() { self.turn(each) } else { Ok(()) }
    }

    /// Whether a source is not at its end that will not grow behind it.
    fn closed_are_open(&self) -> bool {
        let closed =
            |source: &&SourceId| self.keeping.as_ref().is_some_and(|keeping| !keeping.grows(**source));
        self.open.iter().any(|source| closed(&source))
    }
}
