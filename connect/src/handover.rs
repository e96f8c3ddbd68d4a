//! Work handed to threads and taken back in the order in which it was given, whoever was done first.
//!
//! There are so many places in a ring. One thread gives tasks and takes what came of them ([`Giver`]); each task goes to the next
//! place, any thread that has nothing to do ([`Worker`]) claims the oldest that nobody has, and what came of it is left where the
//! task was. So what is under way is bounded, giving takes no memory, and the order needs no sorting: the oldest place is looked
//! at. If all places are taken the giver waits for the oldest; that is how a source is slowed down.
//!
//! Two counters and a state a place decide who owns a place, and nobody waits for a lock while there is something to do: the
//! mutex around a place's content is only ever tried, by its one owner. Who has nothing to do sleeps (`Bell`). A thread that
//! ends in the midst of a task leaves its place as lost, and the giver hears of it instead of waiting for ever.
//!
//! The file is also compiled by `tests/models`, where the types of `sync` are loom's: every order in which threads can run
//! and every value that a weak memory can show is tried there.
//!
//! Cost: an uncontended compare-and-swap or two a task and side, and two fences; tasks are whole blocks.

use crate::sync::{Arc, AtomicBool, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, PoisonError, fence};

/// One that works has ended before it was done: what it had is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// A ring of so many places, at least one.
#[must_use]
pub fn hand_over<T, D>(places: usize) -> (Giver<T, D>, Worker<T, D>) {
    let place = || Place { over: AtomicBool::new(false), content: Mutex::new(Content::Nothing) };
    let ring = Arc::new(Ring {
        places: (0..places.max(1)).map(|_| place()).collect(),
        given: AtomicUsize::new(0),
        claimed: AtomicUsize::new(0),
        closed: AtomicBool::new(false),
        tasks: Bell::new(),
        results: Bell::new(),
    });
    (Giver { ring: Arc::clone(&ring), given: 0, taken: 0 }, Worker { ring })
}

#[derive(Debug)]
enum Content<T, D> {
    Nothing,
    Task(T),
    Done(D),
}

/// Belongs to the giver until a task is given, then to whoever claims that, and to the giver again once it is over.
#[derive(Debug)]
struct Place<T, D> {
    /// The task is done, or lost.
    over: AtomicBool,
    content: Mutex<Content<T, D>>,
}

impl<T, D> Place<T, D> {
    fn put(&self, content: Content<T, D>) -> Content<T, D> {
        std::mem::replace(&mut *self.own(), content)
    }

    fn own(&self) -> MutexGuard<'_, Content<T, D>> {
        let Ok(content) = self.content.try_lock() else {
            unreachable!("a place has one owner at a time, and nothing panics in its hands")
        };
        content
    }
}

#[derive(Debug)]
struct Ring<T, D> {
    places: Box<[Place<T, D>]>,
    /// How many tasks have been given.
    given: AtomicUsize,
    /// How many of them somebody has claimed.
    claimed: AtomicUsize,
    closed: AtomicBool,
    tasks: Bell,
    results: Bell,
}

impl<T, D> Ring<T, D> {
    fn place(&self, number: usize) -> &Place<T, D> {
        &self.places[number % self.places.len()]
    }

    /// The number of a task that nobody has claimed; `Some(None)`: there will be none any more.
    fn claim(&self) -> Option<Option<usize>> {
        // Whoever sees what was claimed sees that so many had been given.
        let mut claimed = self.claimed.load(Ordering::Acquire);
        loop {
            if self.closed.load(Ordering::Acquire) {
                return Some(None);
            }
            // Whoever sees that a task was given sees the task.
            if claimed == self.given.load(Ordering::Acquire) {
                return None;
            }
            let next = claimed.wrapping_add(1);
            match self.claimed.compare_exchange(claimed, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Some(Some(claimed)),
                Err(now) => claimed = now,
            }
        }
    }
}

/// Gives tasks and takes what came of them. When it goes, nothing new is begun.
#[derive(Debug)]
pub struct Giver<T, D> {
    ring: Arc<Ring<T, D>>,
    given: usize,
    taken: usize,
}

impl<T, D> Giver<T, D> {
    /// How many tasks have been given whose results have not been taken.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.given.wrapping_sub(self.taken)
    }

    /// Gives a task to whoever is free first.
    ///
    /// # Errors
    /// Gives it back if all places are taken.
    pub fn give(&mut self, task: T) -> Result<(), T> {
        if self.under_way() == self.ring.places.len() {
            return Err(task);
        }
        self.ring.place(self.given).put(Content::Task(task));
        self.given = self.given.wrapping_add(1);
        self.ring.given.store(self.given, Ordering::Release);
        self.ring.tasks.ring();
        Ok(())
    }

    /// Waits for the oldest task and gives what came of it; nothing if none is under way.
    ///
    /// # Errors
    /// If who worked on it has ended.
    pub fn take(&mut self) -> Option<Result<D, Lost>> {
        if self.under_way() == 0 {
            return None;
        }
        let place = self.ring.place(self.taken);
        self.ring.results.wait(|| place.over.load(Ordering::Acquire).then_some(()));
        place.over.store(false, Ordering::Relaxed);
        self.taken = self.taken.wrapping_add(1);
        Some(match place.put(Content::Nothing) {
            Content::Done(done) => Ok(done),
            Content::Nothing | Content::Task(_) => Err(Lost),
        })
    }
}

impl<T, D> Drop for Giver<T, D> {
    fn drop(&mut self) {
        self.ring.closed.store(true, Ordering::Release);
        self.ring.tasks.ring_for_all();
    }
}

/// Takes tasks up; every thread that works has one.
#[derive(Debug)]
pub struct Worker<T, D> {
    ring: Arc<Ring<T, D>>,
}

impl<T, D> Clone for Worker<T, D> {
    fn clone(&self) -> Self {
        Self { ring: Arc::clone(&self.ring) }
    }
}

impl<T, D> Worker<T, D> {
    /// Waits for a task and does it; false: there are none any more.
    pub fn work(&self, job: impl FnOnce(T) -> D) -> bool {
        self.claim().map(|claim| claim.carry_out(job)).is_some()
    }

    /// Waits for a task; nothing: there are none any more.
    pub(crate) fn claim(&self) -> Option<Claim<'_, T, D>> {
        let number = self.ring.tasks.wait(|| self.ring.claim())?;
        Some(Claim { place: self.ring.place(number), results: &self.ring.results })
    }
}

/// The place of a task. When this goes it is the giver's again, with the result or without.
pub(crate) struct Claim<'r, T, D> {
    place: &'r Place<T, D>,
    results: &'r Bell,
}

impl<T, D> Claim<'_, T, D> {
    /// If the job panics the task is lost.
    fn carry_out(self, job: impl FnOnce(T) -> D) {
        if let Content::Task(task) = self.place.put(Content::Nothing) {
            let done = job(task);
            self.place.put(Content::Done(done));
        }
    }
}

impl<T, D> Drop for Claim<'_, T, D> {
    fn drop(&mut self) {
        self.place.over.store(true, Ordering::Release);
        self.results.ring();
    }
}

/// Where those sleep who wait for something that others do.
///
/// Either the one who sleeps sees what was done, or the one who did it sees a sleeper: both put a fence between what they say and
/// what they look at.
#[derive(Debug)]
struct Bell {
    sleepers: AtomicUsize,
    lock: Mutex<()>,
    rung: Condvar,
}

impl Bell {
    fn new() -> Self {
        Self { sleepers: AtomicUsize::new(0), lock: Mutex::new(()), rung: Condvar::new() }
    }

    /// Sleeps until there is something.
    fn wait<R>(&self, look: impl Fn() -> Option<R>) -> R {
        if let Some(found) = look() {
            return found;
        }
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.sleepers.fetch_add(1, Ordering::Relaxed);
        loop {
            fence(Ordering::SeqCst);
            if let Some(found) = look() {
                self.sleepers.fetch_sub(1, Ordering::Relaxed);
                return found;
            }
            lock = self.rung.wait(lock).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Wakes one, after something was done that it may wait for.
    fn ring(&self) {
        if self.anybody() {
            self.rung.notify_one();
        }
    }

    fn ring_for_all(&self) {
        if self.anybody() {
            self.rung.notify_all();
        }
    }

    fn anybody(&self) -> bool {
        fence(Ordering::SeqCst);
        let sleeps = self.sleepers.load(Ordering::Relaxed) > 0;
        if sleeps {
            // Who has said that it sleeps holds this until it does.
            drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        }
        sleeps
    }
}
