//! A snapshot: the whole state in one piece, its head and then each shard; and the choice among several of them.

use super::envelope::open;
use super::wire::Result;
use super::{Dropped, LoadError, State};
use crate::limits::VIRTUAL_SHARDS;

/// What [`State::restore_first`] found.
#[derive(Debug)]
pub struct Restored {
    /// Goes on from the snapshot that was taken, or has seen nothing.
    pub state: State,
    /// Which of the snapshots was taken, if any.
    pub taken: Option<usize>,
    /// What was wrong with those before it.
    pub refused: Vec<LoadError>,
    /// The rules that begin anew although they are known to the snapshot.
    pub dropped: Vec<Dropped>,
}

impl State {
    /// The whole state. Drain the alerts before: they are not in it.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = self.save_head();
        for shard in 0..VIRTUAL_SHARDS {
            out.extend_from_slice(&self.save(shard));
        }
        out
    }

    /// Takes over a snapshot, on a state that has seen nothing. Sources that were added before are known by their names:
    /// each has the clock of the saved one and the lateness of its own. Saved sources that nobody added come behind
    /// them. Says which rules begin anew although the snapshot knows them.
    ///
    /// # Errors
    /// If the bytes are no whole snapshot. The state is then good for nothing.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<Vec<Dropped>> {
        let (_, mut rest) = open(snapshot)?;
        let dropped = self.load_head(&snapshot[..snapshot.len() - rest.len()])?;
        for shard in 0..VIRTUAL_SHARDS {
            let (_, behind) = open(rest)?;
            self.load(shard, &rest[..rest.len() - behind.len()])?;
            rest = behind;
        }
        if rest.is_empty() { Ok(dropped) } else { Err(LoadError::Corrupt) }
    }

    /// Takes over the first of these snapshots, the newest first, that is whole. `fresh` makes states that have seen
    /// nothing, with the sources of the run.
    pub fn restore_first<'a>(
        mut fresh: impl FnMut() -> Self,
        snapshots: impl IntoIterator<Item = &'a [u8]>,
    ) -> Restored {
        let mut refused = Vec::new();
        for (number, snapshot) in snapshots.into_iter().enumerate() {
            let mut state = fresh();
            match state.restore(snapshot) {
                Ok(dropped) => return Restored { state, taken: Some(number), refused, dropped },
                Err(why) => refused.push(why),
            }
        }
        Restored { state: fresh(), taken: None, refused, dropped: Vec::new() }
    }
}
