//! The property test finds errors: each of those that the engine can plant is found within [`CASES_MAX`] random cases.
//!
//! `cargo test -p auditd-rules-tests --features planted-errors --test planted -- --nocapture` prints how many cases each took.
//! `AUDIT_PLANTED=N` looks for those from number N on. The switch is per thread and compiled in by the feature alone; without it this binary is not built.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::bounded;
use tests::generate::{Case, Choices};
use tests::harness::hold;

/// Within so many cases an error must be found; the property test runs 10,000.
const CASES_MAX: u64 = 3_000;

/// After how many cases a property test fails with that error planted. `fails` runs the case of a seed.
fn cases_until_found(error: u8, fails: impl Fn(u64) -> Option<String>) -> Option<u64> {
    engine::planted::plant(error);
    let found = (1..=CASES_MAX).find(|seed| fails(*seed).is_some());
    engine::planted::plant(0);
    // It is the planted error that was found: without it the case holds.
    if let Some(Some(text)) = found.map(fails) {
        panic!("fails with nothing planted: {text}");
    }
    found
}

#[test]
fn every_planted_error_is_found() {
    all_found(engine::planted::LIST, |seed| hold(&Case::new(&mut Choices::seeded(seed))).err());
}

#[test]
fn every_error_past_the_limits_is_found() {
    all_found(engine::planted::BOUNDED, |seed| bounded::hold(&bounded::Case::new(seed)).err());
}

/// Plants one after the other; `AUDIT_PLANTED` says from which number on.
fn all_found(errors: &[(u8, &'static str)], fails: impl Fn(u64) -> Option<String> + Sync) {
    let from = std::env::var("AUDIT_PLANTED").ok().and_then(|from| from.parse().ok()).unwrap_or(0);
    let errors: Vec<(u8, &str)> = errors.iter().copied().filter(|(number, _)| *number >= from).collect();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, about)) = errors.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = cases_until_found(*number, &fails);
                    eprintln!("{number:>3}  {found:?}  {about}");
                    results.lock().unwrap().push((*number, *about, found));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_unstable();
    println!("{:>3}  {:>11}  planted error", "no", "found after");
    for (number, about, found) in &results {
        let found = found.map_or("not found".to_owned(), |cases| cases.to_string());
        println!("{number:>3}  {found:>11}  {about}");
    }
    let missed: Vec<_> = results.iter().filter(|(_, _, found)| found.is_none()).collect();
    assert!(missed.is_empty(), "not found within {CASES_MAX} cases: {missed:?}");
    assert_eq!(results.len(), errors.len());
}
