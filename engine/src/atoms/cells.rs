//! What is asked of the events of a class, worked out when the first of them comes.
//!
//! A cell names the steps whose selector takes the class, and of these those that wait behind a gate: by group, the atoms that let
//! them through, as masks of words. To find who is let through takes an `and` for each word that has gates,
//! and nothing for a step whose gate stays shut. How many events a cell has seen is counted once for all its rules.
//!
//! Cells are made from events, so an attacker can have many made: once they hold [`STEPS_MAX`] steps all are
//! thrown away, and made anew as events come.

use super::classes::Class;
use super::hash::Table;
use super::{Atom, Atoms, Rules};
use crate::event::row::Row;
use crate::index::{StepId, selector};
use crate::matches::RuleTally;
use crate::plan::Plan;

/// How many steps all cells of a thread may have, each with its gates.
const STEPS_MAX: usize = if cfg!(test) { 1 << 14 } else { 1 << 20 };
/// What an empty cell counts for.
const CELL_STEPS: usize = 32;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Cell {
    /// Steps by their number among all.
    pub(super) steps: Vec<u32>,
    /// Those that are let through by nothing.
    pub(super) ungated: Vec<u64>,
    /// The groups that have gates here, the cheapest first.
    pub(super) gates: Vec<Gates>,
    /// Where those that an atom lets through begin in `behind`, in the order of the masks' bits.
    starts: Vec<u32>,
    behind: Vec<u32>,
    /// Rules that take these events, without those that take all events.
    rules: Vec<Rules>,
    /// How many events came: others, and dry runs.
    pub(super) counts: [u64; 2],
}

/// The gates of one group.
#[derive(Debug)]
pub(super) struct Gates {
    pub(super) group: usize,
    pub(super) masks: Vec<Mask>,
}

/// The gates of one word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mask {
    pub(super) word: usize,
    pub(super) bits: u64,
    /// Open unless it is false; or, if not set, unless it is true.
    pub(super) wanted: bool,
    first: u32,
}

impl Cell {
    fn new(atoms: &Atoms, plan: &Plan, listed: &[StepId], row: &Row<'_>) -> Self {
        let mut cell = Self::default();
        // Sorted: by cost of the group, by group, by kind, by atom.
        let mut gates: Vec<(usize, bool, u32, u32)> = Vec::new();
        let mut rules: Vec<Rules> = Vec::new();
        for id in listed {
            let step = plan.rules.get(id.rule as usize).and_then(|rule| rule.steps.get(id.step as usize));
            let takes = step.and_then(|step| step.on.events()).is_some_and(|on| selector::takes(on, row));
            let Some(number) = atoms.number(*id).filter(|_| takes) else { continue };
            let Some(program) = atoms.programs.get(number as usize) else { continue };
            let at = u32::try_from(cell.steps.len()).unwrap_or(u32::MAX);
            cell.steps.push(number);
            for Atom { number, wanted } in &program.gate {
                gates.push((atoms.group_of(*number), *wanted, *number, at));
            }
            if program.gate.is_empty() {
                cell.ungated.resize(at as usize / 64 + 1, 0);
                super::marks::set(&mut cell.ungated, at);
            }
            Rules::note(&mut rules, id.rule, program.including_dry_run);
        }
        cell.ungated.resize(cell.steps.len().div_ceil(64), 0);
        let everywhere = atoms.everywhere.get(row.stage as usize).map_or(&[][..], Vec::as_slice);
        for rule in &mut rules {
            if let Ok(at) = everywhere.binary_search_by_key(&rule.rule, |all| all.rule) {
                rule.others &= !everywhere[at].others;
                rule.dry_runs &= !everywhere[at].dry_runs;
            }
        }
        rules.retain(|rule| rule.others || rule.dry_runs);
        cell.rules = rules;
        gates.sort_unstable_by_key(|(group, wanted, atom, at)| {
            (atoms.costs.get(*group).copied(), *group, *wanted, *atom, *at)
        });
        cell.put_up(&gates);
        cell
    }

    fn put_up(&mut self, gates: &[(usize, bool, u32, u32)]) {
        let mut last = None;
        for (group, wanted, atom, at) in gates {
            if self.gates.last().is_none_or(|gates| gates.group != *group) {
                self.gates.push(Gates { group: *group, masks: Vec::new() });
            }
            let Some(gates) = self.gates.last_mut() else { continue };
            let word = *atom as usize / 64;
            if gates.masks.last().is_none_or(|mask| mask.word != word || mask.wanted != *wanted) {
                let first = u32::try_from(self.starts.len()).unwrap_or(u32::MAX);
                gates.masks.push(Mask { word, bits: 0, wanted: *wanted, first });
            }
            if last != Some((*wanted, *atom)) {
                last = Some((*wanted, *atom));
                self.starts.push(u32::try_from(self.behind.len()).unwrap_or(u32::MAX));
                if let Some(mask) = gates.masks.last_mut() {
                    mask.bits |= 1 << (atom % 64);
                }
            }
            self.behind.push(*at);
        }
        self.starts.push(u32::try_from(self.behind.len()).unwrap_or(u32::MAX));
    }

    /// Those behind the gate of a bit of a mask.
    pub(super) fn behind(&self, mask: &Mask, bit: usize) -> &[u32] {
        let rank = (mask.bits & ((1 << bit) - 1)).count_ones() + mask.first;
        let starts = self.starts.get(rank as usize..).unwrap_or_default();
        let [from, to, ..] = *starts else { return &[] };
        self.behind.get(from as usize..to as usize).unwrap_or_default()
    }

    fn size(&self) -> usize {
        CELL_STEPS + self.steps.len() + self.behind.len() + self.rules.len()
    }
}

/// The cells of a thread.
#[derive(Debug, Default)]
pub(super) struct Cells {
    by_class: Table<Class, u32>,
    pub(super) cells: Vec<Cell>,
    /// Those that have counted something.
    counted: Vec<u32>,
    /// Events of all classes, by stage: others, and dry runs.
    of_stage: [[u64; 2]; 4],
    size: usize,
}

impl Cells {
    /// The number of the cell of an event, if some step takes it.
    #[inline]
    pub(super) fn of(
        &mut self,
        (plan, atoms): (&Plan, &Atoms),
        row: &Row<'_>,
        rules: &mut [RuleTally],
    ) -> Option<usize> {
        let place = plan.index.place(row);
        let listed = plan.index.listed(place);
        if listed.is_empty() {
            return None;
        }
        let class = atoms.classes.of(place, row);
        let number = match self.by_class.get(&class) {
            Some(number) => *number as usize,
            None => self.add(class, Cell::new(atoms, plan, listed, row), atoms, rules),
        };
        self.cells.get(number).is_some_and(|cell| !cell.steps.is_empty()).then_some(number)
    }

    fn add(&mut self, class: Class, cell: Cell, atoms: &Atoms, rules: &mut [RuleTally]) -> usize {
        if self.size > STEPS_MAX {
            self.count(atoms, rules);
            *self = Self::default();
        }
        self.size += cell.size();
        let number = self.cells.len();
        self.by_class.insert(class, u32::try_from(number).unwrap_or(u32::MAX));
        self.cells.push(cell);
        number
    }

    /// Counts an event, for every rule whose selector takes it.
    pub(super) fn saw(&mut self, number: usize, row: &Row<'_>, dry_run: bool) {
        let cell = &mut self.cells[number];
        if cell.counts == [0, 0] {
            self.counted.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
        cell.counts[usize::from(dry_run)] += 1;
        self.of_stage[row.stage as usize][usize::from(dry_run)] += 1;
    }

    /// Hands over what was counted.
    pub(super) fn count(&mut self, atoms: &Atoms, rules: &mut [RuleTally]) {
        let mut add = |all: &[Rules], [others, dry_runs]: [u64; 2]| {
            for one in all {
                if let Some(tally) = rules.get_mut(one.rule as usize) {
                    tally.selected += u64::from(one.others) * others + u64::from(one.dry_runs) * dry_runs;
                }
            }
        };
        for number in self.counted.drain(..) {
            if let Some(cell) = self.cells.get_mut(number as usize) {
                add(&cell.rules, std::mem::take(&mut cell.counts));
            }
        }
        for (all, counts) in atoms.everywhere.iter().zip(&mut self.of_stage) {
            add(all, std::mem::take(counts));
        }
    }
}
