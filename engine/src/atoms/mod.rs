//! Conditions of many rules, asked together: the cost of an event grows with what matches it, not with how many rules there are.
//!
//! ```text
//! rules' conditions --build--> atoms (tests of one value), in groups (all tests of one value); per step a program over atoms, with a gate
//! event --classes--> cell (the steps that its `on` lets in) --gates--> steps that may match --program--> matched, unknown, not
//! ```
//!
//! An *atom* is one test of one value (`user.username startswith "system:"`), shared by all rules that ask it. All atoms of
//! a value are found together, when the first of them is asked: equality and sets by one look into a table,
//! parts of texts and patterns by one automaton, numbers in a sorted row (`group.rs`, `texts.rs`); and what was found of a
//! user, an agent or a namespace is remembered for the next event that has the same (`memo.rs`). Truth is
//! two bitsets, one for true and one for false; what is in neither is unknown, or has not been asked.
//!
//! A step *waits behind a gate*: a set of atoms of which one must not be false (or one that must not be true) for the step to match. The
//! steps that an event's class lets in are known (`cells.rs`); behind which of them the gate is open takes an
//! `and` for each word of gates. Who stays behind a shut gate costs nothing. Who comes through is asked in full, what is cheap first: fields,
//! the request's address, bodies.
//!
//! # What it costs
//!
//! For an event the look-up of its class, for each value that has gates in its cell a look into the memory of that value (or a pass of its
//! automaton), and what comes through. What is kept is bounded: 512 values for each group, cells by their
//! steps, patterns by the size of their automaton.
//!
//! # What it leaves alone
//!
//! Everything that is no test of one value is asked by the evaluator (`eval`), which also reads all values. Coverage wants every
//! condition asked and goes through the evaluator alone, as does what is no event and what comes from alerts. The
//! evaluator alone gives the same answers ([`crate::matching::Scratch::index_conditions`]); tests hold the two to each other.

mod ask;
mod build;
mod cells;
mod classes;
mod group;
pub(crate) mod hash;
mod logic;
mod marks;
mod memo;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use ask::Asker;

use build::Builder;
use classes::Classes;
use dsl::ir::{Stage, StagePick, Targets, Verbs};
use group::Group;
use logic::{Cost, Logic};

use crate::index::StepId;
use crate::plan::Rule;

/// A condition of a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Atom {
    number: u32,
    /// Open unless it is false; or, if not set, unless it is true.
    wanted: bool,
}

/// One of these lets a step through; if there are none nothing holds it back.
type Gate = Vec<Atom>;

/// What a step asks of an event.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) rule: u32,
    pub(crate) step: u32,
    pub(crate) including_dry_run: bool,
    conditions: Vec<Logic>,
    excepts: Vec<Logic>,
    gate: Gate,
}

/// That a rule takes events that are no dry runs, and that it takes dry runs.
#[derive(Clone, Copy, Debug)]
struct Rules {
    rule: u32,
    others: bool,
    dry_runs: bool,
}

impl Rules {
    /// A step of a rule takes such events; rules come in their order.
    fn note(all: &mut Vec<Self>, rule: u32, dry_runs: bool) {
        match all.last_mut().filter(|last| last.rule == rule) {
            Some(last) => last.dry_runs |= dry_runs,
            None => all.push(Self { rule, others: true, dry_runs }),
        }
    }
}

/// The atoms of a plan.
#[derive(Debug)]
pub(crate) struct Atoms {
    /// No other plan has it: what threads remember is of one plan.
    id: u64,
    groups: Vec<Group>,
    costs: Vec<Cost>,
    /// The group that a word of bits belongs to.
    of_word: Vec<u32>,
    /// The most patterns of an automaton.
    patterns: usize,
    /// In the order of rules and steps.
    programs: Vec<Program>,
    /// Where the programs of a rule begin; steps that take no events have one that nobody asks for.
    first: Vec<u32>,
    classes: Classes,
    /// By stage: the rules that take all events of it, ascending.
    everywhere: [Vec<Rules>; 4],
}

impl Atoms {
    /// Nothing if the rules are too many for it; they are then asked one by one.
    pub(crate) fn new(rules: &[Rule]) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut builder = Builder::default();
        let (mut programs, mut first) = (Vec::new(), Vec::new());
        let mut everywhere: [Vec<Rules>; 4] = Default::default();
        for (number, rule) in (0..).zip(rules) {
            first.push(u32::try_from(programs.len()).ok()?);
            for (step_number, step) in (0..).zip(&rule.steps) {
                let on = step.on.events();
                let mut program = match on {
                    Some(_) => builder.program(&step.conditions, &step.excepts),
                    None => builder.program(&[], &[]),
                };
                program.rule = number;
                program.step = step_number;
                program.including_dry_run = on.is_some_and(|on| on.including_dry_run);
                if let Some(on) = on.filter(|on| {
                    on.verbs == Verbs::AllBut(Vec::new()) && on.targets == Targets::AllBut(Vec::new())
                }) {
                    for stage in stages(on.stage) {
                        Rules::note(&mut everywhere[stage as usize], number, on.including_dry_run);
                    }
                }
                programs.push(program);
            }
        }
        let selectors = rules.iter().flat_map(|rule| &rule.steps).filter_map(|step| step.on.events());
        let classes = Classes::new(selectors)?;
        let costs = builder.costs();
        let (groups, places) = builder.finish()?;
        for program in &mut programs {
            program.conditions.iter_mut().chain(&mut program.excepts).for_each(|c| c.renumber(&places));
            for atom in &mut program.gate {
                atom.number = places.get(atom.number as usize).copied()?;
            }
        }
        let of_word =
            (0..).zip(&groups).flat_map(|(at, group)| std::iter::repeat_n(at, group.words)).collect();
        Some(Self {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            patterns: groups.iter().map(Group::patterns).max().unwrap_or(0),
            groups,
            costs,
            of_word,
            programs,
            first,
            classes,
            everywhere,
        })
    }

    /// The group of an atom.
    fn group_of(&self, atom: u32) -> usize {
        self.of_word.get(atom as usize / 64).copied().unwrap_or(0) as usize
    }

    /// The number of a step's program.
    fn number(&self, id: StepId) -> Option<u32> {
        Some(self.first.get(id.rule as usize)? + id.step)
    }
}

fn stages(pick: StagePick) -> Vec<Stage> {
    let outcomes = [Stage::ResponseStarted, Stage::ResponseComplete, Stage::Panic];
    match pick {
        StagePick::Outcome => outcomes.to_vec(),
        StagePick::Only(stage) => vec![stage],
        StagePick::Any => outcomes.into_iter().chain([Stage::RequestReceived]).collect(),
    }
}
