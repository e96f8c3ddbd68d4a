//! Rules on the alerts of other rules: who hears whom, in which stratum, and what must be kept of the events for it.
//!
//! A rule's stratum is one more than the highest of those it hears. Rules are compiled from the highest stratum down:
//! what a listener reads of an alert's event is *wanted* of the rule that tells it, which captures it when that event is
//! matched; if that rule hears others itself, it wants the same of them in turn. So no event is kept, whatever the number
//! of strata, and an event pays for the captures of all that may rest on it.
//!
//! What a listener asks is compiled once for each rule that it hears, since each brings its values in slots of its own.
//! The checker refuses rules in a circle; here a circle is cut, so that whoever is in one does not hear the others.

use dsl::ir;

use std::collections::HashMap;

use super::compile::{Captures, Compiler};
use super::parts::{compile_aggregates, parted};
use super::{Aggregate, Expr};
use crate::matching::Asked;
use crate::planted::planted;

/// What a step asks of the alerts of one rule.
#[derive(Debug)]
pub struct Hearing {
    /// The rule that listens, by its number in the plan.
    pub rule: u32,
    /// Which of its steps.
    pub step: u32,
    pub(crate) conditions: Vec<Expr>,
    pub(crate) excepts: Vec<Expr>,
    pub(crate) key: Vec<Expr>,
    pub(crate) captures: Vec<Expr>,
    pub(crate) aggregates: Vec<Aggregate>,
}

impl Hearing {
    pub(crate) fn asked(&self) -> Asked<'_> {
        let Self { conditions, excepts, key, captures, aggregates, .. } = self;
        Asked { conditions, excepts, key, captures, aggregates }
    }

    /// Compiles a step for the alerts of a rule, of whose events `told` is wanted. What the step's matches bring along
    /// must be known: the compiler has been asked for all else of the rule.
    pub(super) fn new<'r>(
        compiler: &mut Compiler<'r>,
        (rule, step): (u32, u32),
        told: &mut Captures<'r>,
    ) -> Option<Self> {
        let source = compiler.rule;
        let at = source.steps.get(step as usize)?;
        std::mem::swap(&mut compiler.told, told);
        let own = parted(compiler, at, step).0;
        let conditions = own.conditions.iter().map(|part| compiler.told_condition(part, step)).collect();
        let excepts = own.excepts.iter().map(|part| compiler.told_condition(part, step)).collect();
        let key = at.key.iter().map(|part| compiler.told(&part.value, step)).collect();
        let aggregates = compile_aggregates(compiler, true);
        std::mem::swap(&mut compiler.told, told);
        let captures = compiler.captures.get(step as usize);
        let captures = captures.map_or(&[][..], |captures| &captures.wanted);
        let captures = captures.iter().map(|wanted| Compiler::wanted(wanted, told)).collect();
        Some(Self { rule, step, conditions, excepts, key, captures, aggregates })
    }
}

/// Whom each step of each rule hears, and the rules' strata.
#[derive(Debug)]
pub(super) struct Strata {
    /// Per rule and step, by numbers in the plan, ascending.
    pub(super) hears: Vec<Vec<Vec<u32>>>,
    /// Per rule.
    pub(super) stratum: Vec<u32>,
}

impl Strata {
    /// Of the rules that are on, each with its number in the rule set.
    pub(super) fn new(rules: &[(usize, &ir::Rule)]) -> Self {
        let numbers: HashMap<usize, u32> = rules.iter().zip(0..).map(|((ir, _), n)| (*ir, n)).collect();
        let hears = |step: &ir::Step| match &step.on {
            ir::On::Alerts(heard) => heard.iter().filter_map(|ir| numbers.get(ir).copied()).collect(),
            ir::On::Events(_) | ir::On::Undecodable => Vec::new(),
        };
        let hears = rules.iter().map(|(_, rule)| rule.steps.iter().map(hears).collect()).collect();
        let mut strata = Self { hears, stratum: vec![0; rules.len()] };
        strata.climb();
        strata
    }

    /// Rules from the lowest stratum up.
    pub(super) fn upwards(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.stratum.len()).collect();
        order.sort_by_key(|rule| self.stratum.get(*rule).copied());
        order
    }

    /// Finds the strata from below: a rule has its own once all that it hears have theirs.
    fn climb(&mut self) {
        let mut listeners: Vec<Vec<usize>> = vec![Vec::new(); self.hears.len()];
        let mut left: Vec<usize> = vec![0; self.hears.len()];
        for (rule, steps) in self.hears.iter().enumerate() {
            for heard in steps.iter().flatten() {
                listeners[*heard as usize].push(rule);
                left[rule] += 1;
            }
        }
        let mut ready: Vec<usize> = (0..left.len()).filter(|rule| left[*rule] == 0).collect();
        while let Some(heard) = ready.pop() {
            for rule in std::mem::take(&mut listeners[heard]) {
                self.stratum[rule] = self.stratum[rule].max(self.stratum[heard] + 1);
                left[rule] -= 1;
                if left[rule] == 0 {
                    ready.push(rule);
                }
            }
        }
        // What is left is in a circle, or above one.
        for (rule, steps) in self.hears.iter_mut().enumerate().filter(|(rule, _)| left[*rule] > 0) {
            steps.iter_mut().for_each(|step| step.retain(|heard| left[*heard as usize] == 0));
            let below = steps.iter().flatten().map(|heard| self.stratum[*heard as usize] + 1);
            self.stratum[rule] = below.max().unwrap_or(0);
        }
    }
}

/// Which rules must run for one to run as in its set: itself, also if it ships off, and all that it hears, whatever lies
/// between.
#[must_use]
pub fn with_all_heard(rules: &[ir::Rule], rule: usize) -> Vec<bool> {
    let mut active = vec![false; rules.len()];
    let mut left = vec![rule];
    while let Some(next) = left.pop() {
        let Some(seen) = active.get_mut(next).filter(|seen| !**seen) else { continue };
        *seen = true;
        for step in rules.get(next).into_iter().flat_map(|rule| &rule.steps) {
            if let ir::On::Alerts(heard) = &step.on {
                let on =
                    |heard: &&usize| rules.get(**heard).is_some_and(|rule| !rule.disabled || planted(66));
                left.extend(heard.iter().filter(on));
            }
        }
    }
    active
}
