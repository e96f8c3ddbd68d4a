//! The hand-over of blocks under loom: every order in which its threads can run, with every value that memory may show.
//!
//! It is the file that `run` uses, compiled here against loom's types. Orders with at most [`PREEMPTIONS`] preemptions are tried, which
//! takes seconds; `LOOM_MAX_PREEMPTIONS=5 cargo test --release -p auditd-rules-tests --test models` tries more.

#[path = "../../connect/src/handover.rs"]
#[expect(unreachable_pub, reason = "compiled here as it stands there")]
mod handover;

/// What the hand-over is built on.
mod sync {
    pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
    pub(crate) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
    pub(crate) use std::sync::PoisonError;
}

use handover::{Giver, Lost, Worker, hand_over};
use loom::thread::{self, JoinHandle};

/// How often a thread may be stopped where it did not wait.
const PREEMPTIONS: usize = 2;

fn tried(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    if builder.preemption_bound.is_none() {
        builder.preemption_bound = Some(PREEMPTIONS);
    }
    builder.check(model);
}

/// A thread that works to the end and says how many tasks it had.
fn spawn(worker: &Worker<usize, usize>) -> JoinHandle<usize> {
    let worker = worker.clone();
    thread::spawn(move || {
        let mut done = 0;
        while worker.work(|task| task * 10) {
            done += 1;
        }
        done
    })
}

/// Gives as many tasks as there is room for, takes one when there is none, and all in the end.
fn all_through(mut giver: Giver<usize, usize>, tasks: usize) -> Vec<usize> {
    let mut out = Vec::new();
    for task in 0..tasks {
        let mut given = giver.give(task);
        while let Err(task) = given {
            out.extend(giver.take().map(|done| done.expect("no thread dies")));
            given = giver.give(task);
        }
    }
    while let Some(done) = giver.take() {
        out.push(done.expect("no thread dies"));
    }
    assert_eq!(giver.under_way(), 0);
    out
}

#[test]
fn results_come_in_order_each_once() {
    for (places, threads, tasks) in [(1, 1, 2), (2, 1, 3), (2, 2, 2)] {
        tried(move || {
            let (giver, worker) = hand_over(places);
            let workers: Vec<_> = (0..threads).map(|_| spawn(&worker)).collect();
            let out = all_through(giver, tasks);
            assert_eq!(out, (0..tasks).map(|task| task * 10).collect::<Vec<_>>());
            let done: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
            assert_eq!(done, tasks, "none twice");
        });
    }
}

#[test]
fn all_end_when_the_giver_goes() {
    for given in [0, 1] {
        tried(move || {
            let (mut giver, worker) = hand_over(2);
            let workers = [spawn(&worker), spawn(&worker)];
            for task in 0..given {
                giver.give(task).unwrap();
            }
            drop(giver);
            let done: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
            assert!(done <= given);
        });
    }
}

#[test]
fn what_a_thread_takes_with_it_is_told() {
    tried(|| {
        let (mut giver, worker) = hand_over::<usize, usize>(2);
        let other = spawn(&worker);
        // As a panic does, in which loom cannot switch threads.
        let lost = thread::spawn(move || worker.claim().map(drop).is_some());
        giver.give(1).unwrap();
        giver.give(2).unwrap();
        let came = [giver.take().unwrap(), giver.take().unwrap()];
        drop(giver);
        let lost = usize::from(lost.join().unwrap());
        assert_eq!(came.iter().filter(|done| **done == Err(Lost)).count(), lost);
        assert_eq!(other.join().unwrap(), 2 - lost);
    });
}
