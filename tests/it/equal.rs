//! The property: the engine gives the alerts that the reference gives, on random rule sets and logs.
//!
//! `AUDIT_CASES=N` runs N cases, `AUDIT_MINUTES=M` as many as go into M minutes, `AUDIT_SEED=S` other ones than last time. A case
//! that fails is made small and printed with its seed; `AUDIT_CASE=SEED` runs that one alone, `AUDIT_SHRINK=0` leaves it as it is. The
//! test must be able to fail in the other direction too: it counts which cases end in an alert and which parts of the
//! language decided them ([`tests::harness::Census`]), prints the table, and fails below the quotas.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tests::generate::{Case, Choices};
use tests::harness::{Census, hold, print_case, shrink, shrink_rules};

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// How the answer begins where the generator made rules that are none.
const NO_RULES: &str = "the rules do not compile";

/// A part that decided so many cases is shown to matter, however many there are; so is one that decided its hundredth.
const MEASURED_MAX: u64 = 4_000;

/// Seeds of cases that a run begins with.
fn seed(of: u64, run: u64) -> u64 {
    run.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(of)
}

fn case(seed: u64) -> Case {
    Case::new(&mut Choices::seeded(seed))
}

#[test]
fn engine_and_reference_agree() {
    if let Some(only) = variable("AUDIT_CASE") {
        let case = case(only);
        if let Err(text) = hold(&case) {
            panic!("{}", explained(only, &case, &text));
        }
        return;
    }
    let run = variable("AUDIT_SEED").unwrap_or(1);
    let until = variable("AUDIT_MINUTES").map(|minutes| Instant::now() + Duration::from_mins(minutes));
    let cases = variable("AUDIT_CASES").unwrap_or(if until.is_some() { u64::MAX } else { 10_000 });
    let census = Census::until((cases / 100).min(MEASURED_MAX));
    let next = AtomicU64::new(0);
    let failed: OnceLock<(u64, String)> = OnceLock::new();
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failed.get().is_none() {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= cases || until.is_some_and(|until| Instant::now() > until) {
                        return;
                    }
                    let seed = seed(n, run);
                    let case = case(seed);
                    match hold(&case) {
                        Ok(held) => census.count(&case, &held),
                        Err(text) => {
                            let _ = failed.set((seed, text));
                        }
                    }
                }
            });
        }
    });
    if let Some((seed, text)) = failed.get() {
        panic!("{}", explained(*seed, &case(*seed), text));
    }
    let (table, short) = census.report();
    println!("{table}");
    assert!(cases < 1_000 || short.is_empty(), "the cases decide too little:\n{}", short.join("\n"));
}

/// The failing case, made small, with both answers.
fn explained(seed: u64, case: &Case, text: &str) -> String {
    if variable("AUDIT_SHRINK") == Some(0) {
        return format!("case {seed}: {text}");
    }
    if text.starts_with(NO_RULES) {
        let small = shrink_rules(case);
        let text = hold(&small).err().unwrap_or_default();
        return format!("case {seed} (AUDIT_CASE={seed} runs it alone)\n{}\n{text}", small.rules.text());
    }
    let small = shrink(case, &|case| hold(case).is_err_and(|text| !text.starts_with(NO_RULES)));
    let small_text = hold(&small).err().unwrap_or_default();
    format!("case {seed} (AUDIT_CASE={seed} runs it alone)\n{}\n{small_text}", print_case(&small))
}
