//! What a thread asks of an event, and what it remembers from one event to the next.

use regex_automata::PatternSet;

use super::cells::Cells;
use super::group::Room;
use super::logic::Logic;
use super::marks::{Bits, has, set};
use super::memo::{Key, Memo};
use super::{Atoms, Program};
use crate::eval::{self, Cx, Truth};
use crate::event::row::Row;
use crate::matches::RuleTally;
use crate::matching::Holds;
use crate::plan::Plan;
use crate::planted::planted;

/// See the module.
#[derive(Debug)]
pub(crate) struct Asker {
    /// Whose atoms.
    of: u64,
    answers: Answers,
    cells: Cells,
    /// Steps of the cell that come through, as bits.
    through: Vec<u64>,
}

/// Truth in two bitsets, and from where it is taken.
#[derive(Debug)]
struct Answers {
    yes: Vec<u64>,
    no: Vec<u64>,
    /// By group: the last event of which it was asked.
    asked: Vec<u64>,
    /// The number of the event at hand.
    event: u64,
    memos: Vec<Memo>,
    tried: Vec<u64>,
    patterns: PatternSet,
}

impl Asker {
    /// For the atoms of a plan; what it remembers of another one goes.
    pub(crate) fn new(atoms: &Atoms) -> Self {
        let words = atoms.of_word.len();
        Self {
            of: atoms.id,
            answers: Answers {
                yes: vec![0; words],
                no: vec![0; words],
                asked: vec![0; atoms.groups.len()],
                event: 0,
                memos: atoms.groups.iter().map(|_| Memo::default()).collect(),
                tried: Vec::new(),
                patterns: PatternSet::new(atoms.patterns),
            },
            cells: Cells::default(),
            through: Vec::new(),
        }
    }

    /// Whether it is for these atoms.
    pub(crate) fn is_for(&self, atoms: &Atoms) -> bool {
        self.of == atoms.id
    }

    /// The cell of an event, if some step takes it.
    #[inline]
    pub(crate) fn cell(
        &mut self,
        of: (&Plan, &Atoms),
        row: &Row<'_>,
        rules: &mut [RuleTally],
    ) -> Option<usize> {
        self.cells.of(of, row, rules)
    }

    /// Counts an event of a cell for all its rules.
    pub(crate) fn saw(&mut self, cell: usize, row: &Row<'_>, dry_run: bool) {
        self.cells.saw(cell, row, dry_run);
    }

    /// Hands over what was counted.
    pub(crate) fn count(&mut self, atoms: &Atoms, rules: &mut [RuleTally]) {
        self.cells.count(atoms, rules);
    }

    /// Finds the steps of a cell whose gates are open.
    pub(crate) fn open<'a>(&mut self, atoms: &'a Atoms, cell: usize, row: &Row<'a>, cx: &Cx<'_, 'a>) {
        self.answers.event += 1;
        let cell = &self.cells.cells[cell];
        self.through.clear();
        self.through.extend_from_slice(&cell.ungated);
        for gates in &cell.gates {
            self.answers.ask(atoms, gates.group, row, cx);
            for mask in &gates.masks {
                let shut = if mask.wanted { &self.answers.no } else { &self.answers.yes };
                let open = mask.bits & !shut.get(mask.word).copied().unwrap_or(0);
                for bit in Bits(open) {
                    cell.behind(mask, bit).iter().for_each(|step| set(&mut self.through, *step));
                }
            }
        }
    }

    /// The first of those from a place on, in the order of rules and steps, and the place behind it.
    pub(crate) fn next<'p>(
        &self,
        atoms: &'p Atoms,
        cell: usize,
        from: usize,
    ) -> Option<(&'p Program, usize)> {
        let words = (from / 64..).zip(self.through.get(from / 64..)?);
        let rest =
            |at: usize, word: u64| if at == from / 64 { word & (u64::MAX << (from % 64)) } else { word };
        let (at, word) = words.map(|(at, word)| (at, rest(at, *word))).find(|(_, word)| *word != 0)?;
        let place = at * 64 + word.trailing_zeros() as usize;
        let number = self.cells.cells.get(cell)?.steps.get(place)?;
        Some((atoms.programs.get(*number as usize)?, place + 1))
    }

    /// Whether a step's conditions hold.
    pub(crate) fn holds<'a>(
        &mut self,
        atoms: &'a Atoms,
        program: &'a Program,
        row: &Row<'a>,
        cx: &Cx<'_, 'a>,
    ) -> Holds {
        let condition = self.answers.all(atoms, &program.conditions, row, cx);
        if condition == Truth::False {
            return Holds::of(condition, Truth::False);
        }
        Holds::of(condition, self.answers.any(atoms, &program.excepts, row, cx))
    }
}

impl Answers {
    /// Asks all conditions of a group, once an event.
    #[inline]
    fn ask<'a>(&mut self, atoms: &'a Atoms, number: usize, row: &Row<'a>, cx: &Cx<'_, 'a>) {
        if self.asked[number] == self.event {
            return;
        }
        self.asked[number] = self.event;
        let group = &atoms.groups[number];
        let words = group.words;
        let bits = group.base..group.base + words;
        let (yes, no) = (&mut self.yes[bits.clone()], &mut self.no[bits]);
        let room = Room { tried: &mut self.tried, patterns: &mut self.patterns };
        let memo = &mut self.memos[number];
        let Some(key) = group.kept.filter(|_| memo.pays()).and_then(|kept| Key::of(kept, row)) else {
            yes.fill(0);
            no.fill(0);
            group.ask(cx, (yes, no), room);
            return;
        };
        let (place, known) = memo.place(key, words);
        let (kept_yes, kept_no) = memo.answers(place, words);
        if !known {
            kept_yes.fill(0);
            kept_no.fill(0);
            group.ask(cx, (kept_yes, kept_no), room);
        }
        yes.copy_from_slice(kept_yes);
        no.copy_from_slice(kept_no);
    }

    fn truth<'a>(&mut self, atoms: &'a Atoms, logic: &'a Logic, row: &Row<'a>, cx: &Cx<'_, 'a>) -> Truth {
        match logic {
            Logic::Atom(atom) => {
                self.ask(atoms, atoms.group_of(*atom), row, cx);
                match (has(&self.yes, *atom), has(&self.no, *atom)) {
                    (true, _) => Truth::True,
                    (_, true) => Truth::False,
                    _ if planted(68) => Truth::False,
                    _ => Truth::Unknown,
                }
            }
            Logic::Not(inner) => self.truth(atoms, inner, row, cx).not(),
            Logic::NotTrue(inner) => Truth::of(self.truth(atoms, inner, row, cx) != Truth::True),
            Logic::And(parts) => self.all(atoms, parts, row, cx),
            Logic::Or(parts) => self.any(atoms, parts, row, cx),
            Logic::Rest(_, node) => eval::truth(node, cx),
        }
    }

    /// The least true of these, as far as that has to be asked.
    fn all<'a>(&mut self, atoms: &'a Atoms, parts: &'a [Logic], row: &Row<'a>, cx: &Cx<'_, 'a>) -> Truth {
        let mut result = Truth::True;
        for part in parts {
            result = result.min(self.truth(atoms, part, row, cx));
            if result == Truth::False {
                break;
            }
        }
        result
    }

    /// The most true of these, as far as that has to be asked.
    fn any<'a>(&mut self, atoms: &'a Atoms, parts: &'a [Logic], row: &Row<'a>, cx: &Cx<'_, 'a>) -> Truth {
        let mut result = Truth::False;
        for part in parts {
            result = result.max(self.truth(atoms, part, row, cx));
            if result == Truth::True {
                break;
            }
        }
        result
    }
}
