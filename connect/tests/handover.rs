//! The hand-over on threads as they are. `tests/models` tries every order of a few of them.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use connect::handover::{Lost, Worker, hand_over};

const TASKS: u64 = 20_000;

/// Works to the end; `each` says what comes of a task.
fn work(worker: &Worker<u64, u64>, each: impl Fn(u64) -> u64) -> u64 {
    let mut done = 0;
    while worker.work(&each) {
        done += 1;
    }
    done
}

#[test]
fn results_come_in_the_order_of_tasks() {
    for (places, threads) in [(1, 1), (1, 3), (3, 2), (16, 4)] {
        let (mut giver, worker) = hand_over(places);
        let (taken, done) = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| {
                    let worker = worker.clone();
                    // Every so often somebody is slow, so that others overtake.
                    let slow = |task: u64| {
                        (0..task % 97 * 10).for_each(|_| std::hint::spin_loop());
                        task * 3
                    };
                    scope.spawn(move || work(&worker, slow))
                })
                .collect();
            let mut taken = Vec::new();
            for task in 0..TASKS {
                if giver.under_way() == places {
                    assert_eq!(giver.give(task), Err(task), "no more than there are places");
                    taken.extend(giver.take());
                }
                giver.give(task).unwrap();
            }
            taken.extend(std::iter::from_fn(|| giver.take()));
            drop(giver);
            (taken, workers.into_iter().map(|worker| worker.join().unwrap()).sum::<u64>())
        });
        assert!(taken.into_iter().eq((0..TASKS).map(|task| Ok(task * 3))));
        assert_eq!(done, TASKS);
    }
}

#[test]
fn a_task_of_which_its_thread_died_is_lost_and_no_other() {
    let (mut giver, worker) = hand_over(8);
    let outcomes = thread::scope(|scope| {
        let worker = worker.clone();
        scope.spawn(move || {
            let dies = |task| if task % 3 == 1 { resume_unwind(Box::new(())) } else { task };
            // A thread that goes on all the same, so that all tasks are met.
            while catch_unwind(AssertUnwindSafe(|| worker.work(dies))).unwrap_or(true) {}
        });
        let mut outcomes = Vec::new();
        for task in 0..8 {
            giver.give(task).unwrap();
        }
        outcomes.extend(std::iter::from_fn(|| giver.take()));
        drop(giver);
        outcomes
    });
    let expected = (0..8_u64).map(|task| if task % 3 == 1 { Err(Lost) } else { Ok(task) });
    assert!(outcomes.into_iter().eq(expected));
}
