//! With little room nothing is missed in silence, whoever chooses the names.
//!
//! `AUDIT_BOUNDED=N` runs N cases, `AUDIT_SEED=S` other ones, `AUDIT_BOUNDED_CASE=SEED` one alone,
//! `AUDIT_SHRINK=0` leaves a case that fails as it is.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::bounded::{Case, hold};

/// Kinds of rules of which hardly a window keeps more than the first match of a key.
const KEEPS_LITTLE: &[&str] =
    &["silence", "silence among", "silence of each cluster", "throttle", "tumbling count", "session"];

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn explained(seed: u64) -> String {
    if variable("AUDIT_SHRINK") == Some(0) {
        return format!("case {seed}");
    }
    let small = Case::new(seed).shrunk();
    let text = hold(&small).err().unwrap_or_default();
    format!(
        "case {seed} (AUDIT_BOUNDED_CASE={seed} runs it alone), {}\n{}\n{text}",
        small.kind(),
        small.text()
    )
}

#[test]
fn with_little_room_the_promises_hold_against_the_reference() {
    if let Some(seed) = variable("AUDIT_BOUNDED_CASE") {
        assert!(hold(&Case::new(seed)).is_ok(), "{}", explained(seed));
        return;
    }
    let cases = variable("AUDIT_BOUNDED").unwrap_or(6_000);
    let first = variable("AUDIT_SEED").unwrap_or(0) * 1_000_000;
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None));
    // Of each kind: cases, those with an alert, those in which something did not fit, and those in which something did not fit
    // into what the rule may keep in all.
    let census: Mutex<BTreeMap<&str, [u64; 4]>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while failed.lock().unwrap().is_none() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let seed = first + number;
                    if number >= cases {
                        return;
                    }
                    let case = Case::new(seed);
                    match hold(&case) {
                        Ok(held) => {
                            let mut census = census.lock().unwrap();
                            let of = census.entry(case.kind()).or_default();
                            let more = [true, held.alerts > 0, held.shed, held.crowded].map(u64::from);
                            of.iter_mut().zip(more).for_each(|(n, more)| *n += more);
                        }
                        Err(_) => *failed.lock().unwrap() = Some(seed),
                    }
                }
            });
        }
    });
    let failed = *failed.lock().unwrap();
    assert!(failed.is_none(), "{}", failed.map(explained).unwrap_or_default());
    println!("{:28} {:>7} {:>7} {:>7} {:>7}", "kind", "cases", "alerted", "shed", "crowded");
    let census = census.into_inner().unwrap();
    for (kind, [all, alerted, shed, crowded]) in &census {
        println!("{kind:28} {all:>7} {alerted:>7} {shed:>7} {crowded:>7}");
    }
    // A test of limits that are seldom reached shows little.
    for (kind, [all, alerted, shed, crowded]) in &census {
        // Of what is only counted until it closes, a silence and a throttle hardly more is kept than there always is room for.
        let few = KEEPS_LITTLE.contains(kind);
        assert!(
            cases < 1_000 || alerted * 5 > *all && shed * 3 > *all && (few || crowded * 25 > *all),
            "{kind}: {alerted} alerted, {shed} shed, {crowded} crowded of {all}"
        );
    }
}
