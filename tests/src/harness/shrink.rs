//! A failing case, made small: rules, then events, are taken away while it still fails.

use std::time::{Duration, Instant};

use crate::generate::Case;

/// How long a case is shrunk.
const PATIENCE: Duration = Duration::from_secs(20);

/// The smallest case found for which `fails` holds, as it does for `case`.
pub fn shrink(case: &Case, fails: &dyn Fn(&Case) -> bool) -> Case {
    let end = Instant::now() + PATIENCE;
    let mut best = case.clone();
    loop {
        let size = (best.rules.rules.len(), best.arrivals.len(), best.rules.text().len());
        drop_each(&mut best, end, fails, |case| &mut case.rules.rules);
        drop_each(&mut best, end, fails, |case| &mut case.arrivals);
        let mut lines = best.clone();
        for n in 0..lines.rules.rules.len() {
            best = drop_lines(&best, n, end, fails);
            lines = best.clone();
        }
        if (lines.rules.rules.len(), lines.arrivals.len(), lines.rules.text().len()) == size
            || Instant::now() > end
        {
            return lines;
        }
    }
}

/// Drops runs of elements, long ones first.
fn drop_each<T: Clone>(
    best: &mut Case,
    end: Instant,
    fails: &dyn Fn(&Case) -> bool,
    of: impl Fn(&mut Case) -> &mut Vec<T>,
) {
    let mut run = of(best).len() / 2;
    while run > 0 {
        let mut at = 0;
        while at < of(best).len() && Instant::now() < end {
            let mut smaller = best.clone();
            let all = of(&mut smaller);
            let stop = all.len().min(at + run);
            all.drain(at..stop);
            if !of(&mut smaller).is_empty() && fails(&smaller) {
                *best = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
}

/// Drops lines of a rule: clauses.
fn drop_lines(best: &Case, rule: usize, end: Instant, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = best.clone();
    let mut at = 0;
    while at < best.rules.rules[rule].lines().count() && Instant::now() < end {
        let mut smaller = best.clone();
        let kept = best.rules.rules[rule].lines().enumerate().filter(|(n, _)| *n != at);
        smaller.rules.rules[rule] = kept.map(|(_, line)| format!("{line}\n")).collect();
        if fails(&smaller) {
            best = smaller;
        } else {
            at += 1;
        }
    }
    best
}
