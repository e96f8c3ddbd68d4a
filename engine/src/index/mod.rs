//! From one event to the few steps that could take it.
//!
//! A table by verb and resource, over the verbs and resources that the rules name; all others share a row and a column,
//! and requests without a resource have a column of their own. What the table names is then held to the exact selector
//! (subresource, group, path, stage). So the answer is exact, and the table may only ever name too many.
//!
//! The table has a list per named verb and resource: rules times their verbs times their resources, and all of it for a
//! rule that takes any.

pub(crate) mod selector;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use dsl::ir::{Resource, Target, Targets, Verbs};

use crate::atoms::hash::Table;
use crate::event::row::{Row, Slot};
use crate::plan::Rule;

/// A step of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StepId {
    pub(crate) rule: u32,
    pub(crate) step: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Index {
    /// From 1; 0 is every other verb.
    verbs: Table<Box<str>, usize>,
    /// From [`NAMED`].
    resources: Table<Box<str>, usize>,
    /// By verb, then by resource.
    table: Vec<Vec<StepId>>,
    columns: usize,
}

/// The column of requests without a resource.
const NONE: usize = 0;
/// The column of resources that no rule names.
const OTHER: usize = 1;
const NAMED: usize = 2;

impl Index {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let (mut verbs, mut resources) = (BTreeSet::new(), BTreeSet::new());
        for (_, _, on) in steps(rules) {
            let (Verbs::Only(names) | Verbs::AllBut(names)) = &on.verbs;
            verbs.extend(names.iter().map(String::as_str));
            let (Targets::Only(list) | Targets::AllBut(list) | Targets::ResourcesBut(list)) = &on.targets;
            for target in list {
                if let Target::Resource(Resource { name: Some(name), .. }) = target {
                    resources.insert(name.as_str());
                }
            }
        }
        let columns = NAMED + resources.len();
        let mut table = Vec::with_capacity((verbs.len() + 1) * columns);
        for verb in std::iter::once(None).chain(verbs.iter().map(Some)) {
            let named = resources.iter().map(|name| Column::Named(name));
            for column in [Column::None, Column::Other].into_iter().chain(named) {
                let mut cell = Vec::new();
                for (rule, step, on) in steps(rules) {
                    if takes_verb(&on.verbs, verb.copied()) && takes_resource(&on.targets, &column) {
                        cell.push(StepId { rule, step });
                    }
                }
                table.push(cell);
            }
        }
        let number = |names: BTreeSet<&str>, from: usize| -> Table<Box<str>, usize> {
            names.into_iter().zip(from..).map(|(name, n)| (name.into(), n)).collect()
        };
        Self { verbs: number(verbs, 1), resources: number(resources, NAMED), table, columns }
    }

    /// The steps that could take the event, in the order of rules and steps.
    pub(crate) fn candidates(&self, row: &Row<'_>) -> &[StepId] {
        self.listed(self.place(row))
    }

    /// Where in the table the event's steps are.
    #[inline]
    pub(crate) fn place(&self, row: &Row<'_>) -> usize {
        let verb = self.verbs.get(row.verb()).copied().unwrap_or(0);
        let resource = match row.text(Slot::Resource) {
            None => NONE,
            Some(name) => self.resources.get(name).copied().unwrap_or(OTHER),
        };
        verb * self.columns + resource
    }

    /// The steps at a place, in the order of rules and steps.
    #[inline]
    pub(crate) fn listed(&self, place: usize) -> &[StepId] {
        self.table.get(place).map_or(&[], Vec::as_slice)
    }
}

/// All steps that take events.
fn steps(rules: &[Rule]) -> impl Iterator<Item = (u32, u32, &dsl::ir::Selector)> {
    (0..).zip(rules).flat_map(|(r, rule)| {
        (0..).zip(&rule.steps).filter_map(move |(s, step)| Some((r, s, step.on.events()?)))
    })
}

enum Column<'a> {
    None,
    Other,
    Named(&'a str),
}

/// `None` is a verb that no rule names.
fn takes_verb(verbs: &Verbs, verb: Option<&str>) -> bool {
    match verbs {
        Verbs::Only(names) => verb.is_some_and(|verb| names.iter().any(|name| name == verb)),
        Verbs::AllBut(names) => verb.is_none_or(|verb| names.iter().all(|name| name != verb)),
    }
}

/// What is taken out is left to the exact selector.
fn takes_resource(targets: &Targets, column: &Column<'_>) -> bool {
    match (targets, column) {
        (Targets::AllBut(_), _) => true,
        (Targets::ResourcesBut(_), column) => !matches!(column, Column::None),
        (Targets::Only(list), column) => list.iter().any(|target| match (target, column) {
            (Target::NonResource { .. }, column) => matches!(column, Column::None),
            (Target::Resource(_), Column::None) => false,
            (Target::Resource(Resource { name: None, .. }), _) => true,
            (Target::Resource(Resource { name: Some(name), .. }), Column::Named(column)) => name == column,
            (Target::Resource(_), Column::Other) => false,
        }),
    }
}
