//! Every choice there is, tried as `docs/semantics.md` says it, with no thought for what it costs.

use super::*;

/// A match per slot, by number.
type Choice = Vec<usize>;

pub(super) fn answers(case: &Case) -> Answers {
    let mut answers = Answers::new();
    let slots: Vec<usize> = case
        .shapes
        .iter()
        .enumerate()
        .filter(|(_, shape)| shape.no.is_none())
        .flat_map(|(step, shape)| std::iter::repeat_n(step, shape.times as usize))
        .collect();
    for (completing, ev) in case.events.iter().enumerate() {
        let Some(slot) = slots.iter().rposition(|step| *step == ev.step) else { continue };
        if case.ordered && slot + 1 != slots.len() {
            continue;
        }
        let mut all = Vec::new();
        fill(case, &slots, (slot, completing), &mut Vec::new(), &mut all);
        // The later in the slot nearer to the end, the better.
        all.sort_by_key(|choice| {
            let mut back: Vec<usize> = choice.iter().rev().copied().collect();
            back.remove(slots.len() - 1 - slot);
            std::cmp::Reverse(back)
        });
        let mut decided = ev.at;
        for choice in all {
            let wait = wait(case, &choice, ev.at);
            decided = wait.map_or(decided, |wait| decided.max(wait));
            if !forbidden(case, &slots, &choice, ev.at) {
                answers.insert(completing, (choice, wait, decided));
                break;
            }
        }
    }
    answers
}

fn fill(case: &Case, slots: &[usize], fixed: (usize, usize), chosen: &mut Choice, all: &mut Vec<Choice>) {
    if chosen.len() == slots.len() {
        if stands(case, slots, fixed.1, chosen) {
            all.push(chosen.clone());
        }
        return;
    }
    for (number, ev) in case.events.iter().enumerate() {
        let fits = if chosen.len() == fixed.0 { number == fixed.1 } else { ev.step == slots[chosen.len()] };
        if fits {
            chosen.push(number);
            fill(case, slots, fixed, chosen, all);
            chosen.pop();
        }
    }
}

fn same(case: &Case, a: usize, b: usize) -> bool {
    let (one, other) = (&case.events[a], &case.events[b]);
    let outcomes = case.shapes[one.step].outcome && case.shapes[other.step].outcome;
    one.id == other.id && (one.stage == other.stage || outcomes)
}

/// The captures of each step's last slot.
fn captures(case: &Case, slots: &[usize], choice: &[usize]) -> Vec<Vec<Value>> {
    let mut captures = vec![Vec::new(); case.shapes.len()];
    for (slot, number) in choice.iter().enumerate() {
        captures[slots[slot]] = of(case, *number);
    }
    captures
}

fn of(case: &Case, number: usize) -> Vec<Value> {
    let (one, several) = case.events[number].values.clone();
    vec![one, several]
}

/// Whether the conditions of a step hold for one of its matches, beside a choice.
fn holds(case: &Case, slots: &[usize], choice: &[usize], own: usize) -> bool {
    let step = case.events[own].step;
    let mut captures = captures(case, slots, choice);
    captures[step] = of(case, own);
    let captures: Vec<&[Value]> = captures.iter().map(Vec::as_slice).collect();
    case.conds.iter().filter(|cond| cond.owner == step).all(|cond| cond.holds(&captures))
}

fn stands(case: &Case, slots: &[usize], completing: usize, choice: &[usize]) -> bool {
    let at = |slot: usize| case.events[choice[slot]].at;
    let z = case.events[completing].at;
    let pairs = || (0..choice.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    let apart = pairs().all(|(a, b)| !same(case, choice[a], choice[b]));
    let in_row = pairs().all(|(a, b)| slots[a] != slots[b] || choice[a] < choice[b]);
    let in_order = if case.ordered {
        (1..choice.len()).all(|slot| at(slot - 1) <= at(slot))
    } else {
        choice.iter().all(|number| *number <= completing)
    };
    let inside = (0..choice.len()).all(|slot| at(slot) >= z - case.within);
    apart && in_row && in_order && inside && choice.iter().all(|own| holds(case, slots, choice, *own))
}

/// Where a `no` step stands: whether there are positive steps before and behind it, with the nearest slots.
fn around(case: &Case, step: usize) -> (Option<usize>, Option<usize>) {
    let slots = |steps: &[StepShape]| -> usize {
        steps.iter().filter(|shape| shape.no.is_none()).map(|shape| shape.times as usize).sum()
    };
    let (before, all) = (slots(&case.shapes[..step]), slots(&case.shapes));
    (before.checked_sub(1), (before < all).then_some(before))
}

fn wait(case: &Case, choice: &[usize], z: Nanos) -> Option<Nanos> {
    let ends = case.shapes.iter().enumerate().filter_map(|(step, shape)| {
        let within = shape.no?;
        let behind = around(case, step).1.is_none();
        match within {
            _ if !behind => None,
            Some(within) => Some(z + within),
            None if case.ordered => Some(case.events[choice[0]].at + case.within),
            None => None,
        }
    });
    ends.max()
}

fn forbidden(case: &Case, slots: &[usize], choice: &[usize], z: Nanos) -> bool {
    let first = choice.iter().map(|number| case.events[*number].at).min().unwrap();
    case.events.iter().enumerate().any(|(number, ev)| {
        let Some(within) = case.shapes[ev.step].no else { return false };
        let x = ev.at;
        let at = |slot: usize| case.events[choice[slot]].at;
        let inside = match (case.ordered, around(case, ev.step), within) {
            (true, (Some(p), Some(q)), within) => {
                at(p) < x && x < at(q) && within.is_none_or(|within| x <= at(p) + within)
            }
            (true, (None, Some(_)), within) => at(0) - within.unwrap() <= x && x <= at(0),
            (true, (_, None), Some(within)) => z <= x && x <= z + within,
            (true, (_, None), None) => z <= x && x <= at(0) + case.within,
            (false, _, None) => first < x && x < z,
            (false, (None, _), Some(within)) => first - within <= x && x <= first,
            (false, (_, None), Some(within)) => z <= x && x <= z + within,
            (false, _, Some(within)) => first < x && x < z && x <= first + within,
        };
        let own = choice.iter().any(|chosen| same(case, number, *chosen));
        inside && !own && holds(case, slots, choice, number)
    })
}
