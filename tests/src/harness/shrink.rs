//! A failing case, made small: rules, events, lines of rules and of what stands above them are taken away while it still fails.
//!
//! A rule set that does not compile shrinks too, but only to sets with nothing but mistakes that it had: without its beginning
//! it would be none for reasons of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::compile;
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
        best = drop_silences(&best, end, fails);
        best = drop_head(&best, end, fails);
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

/// Drops what is known of silences, and of when events were read.
fn drop_silences(best: &Case, end: Instant, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = best.clone();
    let mut none = best.clone();
    none.arrivals.iter_mut().for_each(|arrival| arrival.read = None);
    if fails(&none) {
        best = none;
    }
    for at in 0..best.arrivals.len() {
        let mut kept = 0;
        while kept < best.arrivals[at].silences.len() && Instant::now() < end {
            let mut smaller = best.clone();
            smaller.arrivals[at].silences.remove(kept);
            if fails(&smaller) {
                best = smaller;
            } else {
                kept += 1;
            }
        }
    }
    best
}

/// Drops lines above the rules, long runs of them first.
fn drop_head(best: &Case, end: Instant, fails: &dyn Fn(&Case) -> bool) -> Case {
    let mut best = best.clone();
    let lines = |case: &Case| case.rules.head.lines().map(str::to_owned).collect::<Vec<String>>();
    let mut run = lines(&best).len().max(1);
    while run > 0 {
        let mut at = 0;
        while at < lines(&best).len() && Instant::now() < end {
            let mut all = lines(&best);
            all.drain(at..all.len().min(at + run));
            let mut smaller = best.clone();
            smaller.rules.head = all.iter().map(|line| format!("{line}\n")).collect();
            if fails(&smaller) {
                best = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    best
}

/// The smallest rule set found that has a mistake of this one's, and no other.
#[must_use]
pub fn shrink_rules(case: &Case) -> Case {
    // Without its place, which moves.
    let mistakes = |case: &Case| -> BTreeSet<String> {
        let all = compile(case).err().unwrap_or_default();
        all.lines().filter_map(|line| line.splitn(3, ':').nth(2).map(str::to_owned)).collect()
    };
    let had = mistakes(case);
    let fails = |case: &Case| {
        let has = mistakes(case);
        !has.is_empty() && has.is_subset(&had)
    };
    let mut case = case.clone();
    // It is about no events.
    case.arrivals.truncate(1);
    shrink(&case, &fails)
}
