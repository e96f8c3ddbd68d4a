//! `run --state`: where to begin, what to save, and which alerts have been told before.
//!
//! What is saved is one moment ([`connect::keep::Snapshot`]): the engine's state, up to where each source is in it, how long the
//! files of alerts were when all alerts up to there stood in them. They are on the disk before the snapshot has its name, so it is
//! never ahead of what was written. Whoever begins from it reads the sources on from there and cuts the files back to
//! there, and has done the same as whoever was never interrupted.
//!
//! Behind the turn ([`crate::drive::keeping`]) nothing is saved any more until the end, and then the state of the turn, with the
//! ids of what was told since. If the next run comes to the same alert, it has been told.
//!
//! A snapshot that cannot be written is told, and tried again: the one before is as good as it was. At the end it is an error.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connect::feed::Feed;
use connect::feed::place::{self, Looked, Place};
use connect::keep::{self, Folder, Snapshot};
use connect::source::{self, Source};
use connect::{Error, input};
use engine::alert::Alert;
use engine::matches::SourceId;
use engine::plan::Plan;
use engine::state::State;

use super::summary::{Remembered, Summary};
use crate::drive::keeping::{Keeping, Moment};
use crate::drive::{Drive, fresh, info};
use crate::output;
use crate::sinks::Sinks;

/// At most this part of the time goes into saving: how many times as long as the last save took, until the next.
const PAUSE: u32 = 20;

/// Everything that a run begins with.
pub(super) struct Begun {
    pub(super) feed: Feed,
    /// All sources of the feed are in it, with their numbers.
    pub(super) state: State,
    pub(super) keeping: Keeping,
    /// Files that could not be opened.
    pub(super) errors: Vec<Error>,
    pub(super) sinks: Sinks,
    pub(super) memory: Memory,
}

/// What is saved where, and when.
pub(super) struct Memory {
    folder: Folder,
    plan: Arc<Plan>,
    every: Duration,
    due: Instant,
    /// The sources of this run, without their offsets.
    places: Vec<Place>,
    /// Sources of earlier runs that are not of this one.
    others: Vec<Place>,
    /// Told at the end of the run before, and not come to since.
    told: BTreeSet<[u8; 16]>,
    /// The state of the turn, and the places then.
    turned: Option<(Vec<u8>, Vec<Place>)>,
    /// Told since.
    since: BTreeSet<[u8; 16]>,
    told_before: u64,
    gone_on: bool,
    /// The last one could not be saved, which has been told.
    failing: bool,
    lost: Vec<String>,
}

/// A snapshot as it is gone on from.
struct Taken {
    snapshot: Snapshot,
    /// Of each source the number of its place.
    found: Vec<Option<usize>>,
    state: State,
    dropped: Vec<String>,
}

fn warn(text: &str) {
    output::note(&format!("warning: {text}"));
}

/// Opens the folder, and begins with what is in it.
pub(super) fn begin(
    path: &Path,
    sources: &[Source],
    (plan, sinks): (Arc<Plan>, Sinks),
    live: bool,
) -> Result<Begun, Error> {
    if sources.contains(&Source::Stdin) && input::stdin_is_file() {
        return Err(Error::usage(
            "standard input is a file; name it (--from FILE), so that the next run can go on in it",
        ));
    }
    let (mut folder, notes) = keep::open(path)?;
    notes.iter().for_each(|note| warn(note));
    let (looked, errors) = place::look(sources);
    let kept = folder.newest(|snapshot| take(&plan, &looked, snapshot, live))?;
    for refused in &kept.refused {
        warn(&format!("{refused}; going on from the one before"));
    }
    let gone_on = kept.taken.is_some();
    let taken = kept.taken.unwrap_or_else(|| Taken {
        snapshot: Snapshot::default(),
        found: vec![None; looked.len()],
        state: with_sources(&plan, live, looked.iter().map(Looked::name)),
        dropped: Vec::new(),
    });
    taken.dropped.iter().for_each(|dropped| warn(dropped));
    let Taken { snapshot, found, state, .. } = taken;
    let names = errors.iter().map(|(name, _)| name.as_str()).collect();
    let (others, lost) = others(&snapshot.places, &found, &names);
    for name in &lost {
        warn(&format!("{name} is gone; what was written to it since it was last read has not been read"));
    }
    if let Some(pipe) = looked.iter().find(|source| source.identity().is_none()) {
        let name = match pipe {
            Looked::Stdin => "standard input".to_owned(),
            _ => pipe.name(),
        };
        warn(&format!(
            "{name} cannot be read again: if this process is killed, what came since its last save is lost, unless it is sent again"
        ));
    }
    let (sinks, notes) = sinks.go_on(&snapshot.lengths)?;
    notes.iter().for_each(|note| warn(note));
    let offset =
        |place: &Option<usize>| place.and_then(|at| snapshot.places.get(at)).map_or(0, |at| at.offset);
    let offsets: Vec<u64> = found.iter().map(offset).collect();
    let place = |source: &Looked| Place { name: source.name(), file: source.identity(), ..Place::default() };
    let places: Vec<Place> = looked.iter().map(place).collect();
    let grows = grows(sources, &looked);
    let sources = looked.into_iter().zip(offsets.iter().copied()).collect();
    let feed = Feed::read_on(sources, plan.limits.line_bytes_max, live);
    let memory = Memory {
        folder,
        plan,
        every: Duration::ZERO,
        due: Instant::now(),
        places,
        others,
        told: snapshot.told.into_iter().collect(),
        turned: None,
        since: BTreeSet::new(),
        told_before: 0,
        gone_on,
        failing: false,
        lost,
    };
    let errors = errors.into_iter().map(|(_, error)| error).collect();
    Ok(Begun { feed, state, keeping: Keeping::new(grows, offsets), errors, sinks, memory })
}

/// Of each source that could be opened whether more may come in it later.
fn grows(sources: &[Source], looked: &[Looked]) -> Vec<bool> {
    let all: Vec<(String, bool)> = sources.iter().map(name_of).zip(source::may_grow(sources)).collect();
    let of = |source: &Looked| {
        let name = source.name();
        all.iter().find(|(of, _)| *of == name).is_none_or(|(_, grows)| *grows)
    };
    looked.iter().map(of).collect()
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Stdin => "-".to_owned(),
        Source::Kafka(_) => "kafka://".to_owned(),
        Source::File(path) => path.display().to_string(),
    }
}

fn with_sources(plan: &Arc<Plan>, live: bool, names: impl Iterator<Item = String>) -> State {
    let mut state = fresh(plan, live);
    for name in names {
        state.add_source(info(&name));
    }
    state
}

/// Makes a state of a snapshot, with the sources of this run. Files are known to the engine by their names: one that has
/// another name now is first called as it was, and one that is new as nothing was.
fn take(plan: &Arc<Plan>, looked: &[Looked], mut snapshot: Snapshot, live: bool) -> Result<Taken, String> {
    let found = place::find(looked, &snapshot.places);
    let then = |(number, place): (usize, &Option<usize>)| match place.and_then(|at| snapshot.places.get(at)) {
        Some(place) => place.known_as().to_owned(),
        None => format!("\0{number}"),
    };
    let mut state = with_sources(plan, live, found.iter().enumerate().map(then));
    let saved = std::mem::take(&mut snapshot.state);
    let dropped = state.restore(&saved).map_err(|why| why.to_string())?;
    let all: Vec<(SourceId, String)> =
        state.sources().map(|(id, info)| (id, info.name.to_string())).collect();
    for (id, name) in all {
        if let Some(source) = looked.get(id.0 as usize) {
            state.rename_source(id, source.name().into());
            continue;
        }
        // Time does not wait for what is not read any more.
        state.end(id);
        if name.ends_with(GONE) {
            continue;
        }
        let mut other = (1_u32..).map(|number| format!("{name} {number}{GONE}"));
        let Some(gone) = other.find(|gone| state.sources().all(|(_, info)| *info.name != **gone)) else {
            continue;
        };
        for place in snapshot.places.iter_mut().zip(0..).filter(|(place, _)| place.known_as() == name) {
            if !found.contains(&Some(place.1)) {
                place.0.known_as = Some(gone.clone());
            }
        }
        state.rename_source(id, gone.into());
    }
    let dropped = dropped.iter().map(ToString::to_string).collect();
    Ok(Taken { snapshot, found, state, dropped })
}

/// Behind the names of sources that are not read any more, so that no other has their clock.
const GONE: &str = " (gone)";
/// So many sources that are gone are remembered, should they come back.
const OTHERS_MAX: usize = 256;

/// The places of sources that are not of this run, and the names of those that are lost with what had not been read of them. One
/// that is there and could not be opened is not gone.
fn others(places: &[Place], found: &[Option<usize>], failed: &BTreeSet<&str>) -> (Vec<Place>, Vec<String>) {
    let mut lost = Vec::new();
    let mut others = Vec::new();
    for (at, place) in places.iter().enumerate() {
        if found.contains(&Some(at)) {
            continue;
        }
        let mut place = place.clone();
        if !failed.contains(place.name.as_str()) {
            if place.file.is_some() && !place.done && !place.missing {
                lost.push(place.name.clone());
            }
            place.missing = true;
        }
        others.push(place);
    }
    let few = others.len().saturating_sub(OTHERS_MAX);
    others.drain(..few);
    (others, lost)
}

impl Memory {
    /// How often it saves, in nanoseconds.
    pub(super) fn every(&mut self, nanos: i64) {
        self.every = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        self.due = Instant::now() + self.every;
    }

    pub(super) fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan)
    }

    /// A run that begins with nothing saves that: whoever goes on from there knows which of the files of alerts were how long.
    pub(super) fn begin(&mut self, drive: &Drive, sinks: &mut Sinks) -> Result<(), Error> {
        if self.gone_on { Ok(()) } else { self.save_now(drive, sinks) }
    }

    /// Takes away alerts that the run before had told.
    pub(super) fn leave_out_told(&mut self, drive: &Drive, alerts: &mut Vec<Alert>) {
        let turned = drive.keeping.as_ref().is_some_and(|keeping| keeping.turned);
        alerts.retain(|alert| {
            if turned {
                self.since.insert(alert.id);
            }
            let told = self.told.remove(&alert.id);
            self.told_before += u64::from(told);
            !told
        });
    }

    /// Saves what there is to save at this moment. All alerts so far have been given to the sinks.
    pub(super) fn keep(&mut self, drive: &Drive, sinks: &mut Sinks) -> Result<(), Error> {
        let Some(keeping) = &drive.keeping else { return Ok(()) };
        match keeping.moment {
            Moment::Turn => {
                self.turned = Some((drive.state.snapshot(), self.places(drive)));
                Ok(())
            }
            Moment::Reading
                if keeping.turned || !keeping.between_documents() || Instant::now() < self.due =>
            {
                Ok(())
            }
            Moment::Reading => self.save(drive, sinks),
            Moment::Stopped => self.save_now(drive, sinks),
            Moment::Finished => {
                // What an earlier run told and this one came to in no way is not thought of again.
                self.told.clear();
                self.save_now(drive, sinks)
            }
        }
    }

    /// Saves, and says so if that cannot be.
    fn save(&mut self, drive: &Drive, sinks: &mut Sinks) -> Result<(), Error> {
        let begun = Instant::now();
        let snapshot = self.snapshot(drive, sinks)?;
        match self.folder.save(&snapshot) {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                warn(&format!("{error}; what was saved before stands, and it is tried again"));
                self.failing = true;
            }
            Err(_) => {}
        }
        let took = begun.elapsed();
        self.due = Instant::now() + self.every.max(took.saturating_mul(PAUSE)).min(self.longest());
        Ok(())
    }

    /// With no time between saves there is none; for tests, and for those who would rather wait than send again.
    fn longest(&self) -> Duration {
        if self.every.is_zero() { Duration::ZERO } else { Duration::MAX }
    }

    fn save_now(&mut self, drive: &Drive, sinks: &mut Sinks) -> Result<(), Error> {
        let snapshot = self.snapshot(drive, sinks)?;
        self.folder.save(&snapshot)
    }

    fn snapshot(&mut self, drive: &Drive, sinks: &mut Sinks) -> Result<Snapshot, Error> {
        // First the alerts: the snapshot is never ahead of them.
        let lengths = sinks.settle()?;
        let turned = self.turned.take();
        let (state, places) = turned.unwrap_or_else(|| (drive.state.snapshot(), self.places(drive)));
        let told = self.told.union(&self.since).copied().collect();
        Ok(Snapshot { state, places, lengths, told })
    }

    fn places(&self, drive: &Drive) -> Vec<Place> {
        let offsets = drive.keeping.as_ref().map_or(&[][..], |keeping| &keeping.offsets);
        let now = self.places.iter().zip(offsets).zip(0..).map(|((place, offset), number)| Place {
            offset: *offset,
            done: drive.done(SourceId(number)),
            ..place.clone()
        });
        now.chain(self.others.iter().cloned()).collect()
    }

    /// What of the counts is of earlier runs.
    pub(super) fn account(&self, before: &Summary) -> Remembered {
        Remembered {
            folder: self.folder.path().display().to_string(),
            gone_on: self.gone_on,
            events_before: before.events.read,
            bytes_before: before.bytes,
            alerts_before: before.alerts.total,
            told_before: self.told_before,
            lost: self.lost.clone(),
        }
    }
}
