//! From typed rules to what is run: immutable, shared by all threads, swapped whole.
//!
//! A plan knows of each rule which events its steps take, what a match must bring with it for all that is decided after
//! the event is gone ([`late`]: joins of a sequence, the condition of a window, alert text), and what its windows count.
//! Rules that ship off are not in it; [`Rule::ir`] leads back to the rule set.

pub(crate) mod compile;
mod deps;
pub(crate) mod expr;
pub mod late;
mod literal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use dsl::ir;

pub use compile::Leaf;
pub use expr::Expr;

use crate::index::Index;
use crate::limits::Limits;
use compile::Compiler;

/// All rules of a set that are on, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the rule set; [`crate::matches::Match::rule`] is an index into it.
    pub rules: Vec<Rule>,
    /// What the run allows.
    pub limits: Limits,
    pub(crate) index: Index,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its number in [`ir::RuleSet::rules`].
    pub ir: usize,
    /// Its name.
    pub name: Arc<str>,
    /// The rule itself: title, severity, tags and all else that is for people.
    pub source: Arc<ir::Rule>,
    /// One, unless it is a sequence.
    pub steps: Vec<Step>,
    /// 0 if it listens to no alerts, else one more than the highest of the rules that it listens to.
    pub stratum: u32,
    /// What it asks beyond one match.
    pub shape: Shape,
    /// Nanoseconds of silence after an alert; 0 is none.
    pub throttle: i64,
    /// The text of its alert, to be read with [`late::render`].
    pub alert: Vec<Piece>,
    /// What its window counts.
    pub aggregates: Vec<Aggregate>,
    /// More values to be read as in alert text, in the order of [`ir::Rule::probes`].
    pub probes: Vec<Expr>,
    /// Conditions that are counted for coverage, by their numbers.
    pub leaves: Vec<Leaf>,
}

/// What a rule asks for beyond one matching request.
#[derive(Debug)]
pub enum Shape {
    /// Nothing.
    Each,
    /// A condition over the aggregates of a sliding window.
    Sliding {
        /// To be asked with [`late::truth`].
        condition: Expr,
        /// Nanoseconds.
        within: i64,
    },
    /// All steps in order.
    Sequence {
        /// Nanoseconds.
        within: i64,
    },
}

/// What one event must be.
#[derive(Debug)]
pub struct Step {
    /// Its name in a sequence.
    pub name: Option<Arc<str>>,
    /// Which stages it takes; says whether a match is identified by its stage too.
    pub stage: ir::StagePick,
    /// The names of the parts of its key, as alerts show them.
    pub key_names: Vec<Arc<str>>,
    /// Conditions that read an earlier step: asked when a choice is made.
    pub joins: Vec<Join>,
    /// How many values its matches bring with them.
    pub captured: usize,
    pub(crate) on: ir::On,
    pub(crate) conditions: Vec<Expr>,
    pub(crate) excepts: Vec<Expr>,
    pub(crate) key: Vec<Expr>,
    pub(crate) captures: Vec<Expr>,
}

/// A condition of a step that reads earlier steps.
#[derive(Debug)]
pub struct Join {
    /// To be asked with [`late::truth`].
    pub condition: Expr,
    /// The steps that it reads, its own among them if it does; ascending.
    pub reads: Vec<u32>,
}

/// A part of an alert's text.
#[derive(Debug)]
pub enum Piece {
    /// As it stands.
    Literal(Box<str>),
    /// Rendered.
    Value(Expr),
}

/// What a window counts. Whether and what a match adds is in [`crate::matches::Match::counted`].
#[derive(Debug)]
pub struct Aggregate {
    /// In canonical spelling.
    pub text: Arc<str>,
    /// `count`, else `distinct`.
    pub counts: bool,
    /// Has a filter.
    pub filtered: bool,
    /// See [`ir::Aggregate::enough`].
    pub enough: Option<u64>,
    pub(crate) filter: Option<Expr>,
    /// Of `distinct`.
    pub(crate) values: Vec<Expr>,
}

impl Plan {
    /// Compiles the rules of a set that are on.
    #[must_use]
    pub fn new(rules: &ir::RuleSet, limits: Limits) -> Self {
        let on = rules.rules.iter().enumerate().filter(|(_, rule)| !rule.disabled);
        let rules: Vec<Rule> = on.map(|(number, rule)| Rule::new(number, rule)).collect();
        let index = Index::new(&rules);
        Self { rules, limits, index }
    }

    /// The number of the rule of that name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| &*rule.name == name)
    }
}

impl Rule {
    /// Whether its matches wait for the watermark; those of others are decided as they come.
    #[must_use]
    pub fn waits(&self) -> bool {
        !matches!(self.shape, Shape::Each) || self.throttle > 0
    }

    /// The window's length in nanoseconds, 0 if it has none.
    #[must_use]
    pub fn within(&self) -> i64 {
        match self.shape {
            Shape::Each => 0,
            Shape::Sliding { within, .. } | Shape::Sequence { within } => within,
        }
    }

    fn new(number: usize, rule: &ir::Rule) -> Self {
        let mut compiler = Compiler::new(rule);
        let last = cut(rule.steps.len().saturating_sub(1));
        let mut steps: Vec<Step> = Vec::with_capacity(rule.steps.len());
        for (number, step) in rule.steps.iter().enumerate() {
            steps.push(compile_step(&mut compiler, step, cut(number)));
        }
        let aggregates = rule.aggregates.iter().map(|a| compile_aggregate(&mut compiler, a)).collect();
        let shape = match &rule.shape {
            ir::Shape::Each
            | ir::Shape::Tumbling { .. }
            | ir::Shape::Session { .. }
            | ir::Shape::FirstSeen { .. }
            | ir::Shape::Silent { .. } => Shape::Each,
            ir::Shape::Sliding { condition, within } => {
                Shape::Sliding { condition: compiler.later(condition, last), within: *within }
            }
            ir::Shape::Sequence { within, .. } => Shape::Sequence { within: *within },
        };
        let alert = rule.alert.iter().map(|piece| match piece {
            ir::Piece::Literal(text) => Piece::Literal(text.as_str().into()),
            ir::Piece::Value(value) => Piece::Value(compiler.later(value, last)),
        });
        let alert = alert.collect();
        let probes = rule.probes.iter().map(|probe| compiler.later(probe, last)).collect();
        for (step, captures) in steps.iter_mut().zip(compiler.captures) {
            step.captures = captures.nodes.into_iter().map(Expr).collect();
            step.captured = step.captures.len();
        }
        Self {
            ir: number,
            name: rule.name.as_str().into(),
            source: Arc::new(rule.clone()),
            steps,
            stratum: 0,
            shape,
            throttle: rule.throttle,
            alert,
            aggregates,
            probes,
            leaves: compiler.leaves,
        }
    }
}

fn compile_step(compiler: &mut Compiler<'_>, step: &ir::Step, number: u32) -> Step {
    let (mut conditions, mut joins, mut excepts) = (Vec::new(), Vec::new(), Vec::new());
    for part in step.condition.iter().flat_map(conjuncts) {
        let reads = compiler.deps(part, number, &[]).steps;
        if reads.iter().all(|read| *read == number) {
            conditions.push(compiler.condition(part, number));
        } else {
            let condition = compiler.later(part, number);
            joins.push(Join { condition, reads: reads.into_iter().collect() });
        }
    }
    for except in &step.excepts {
        let reads = compiler.deps(except, number, &[]).steps;
        if reads.iter().all(|read| *read == number) {
            excepts.push(compiler.condition(except, number));
        } else {
            let inner = compiler.later(except, number);
            let condition = Expr(expr::Node::NotTrue(Box::new(inner.0)));
            joins.push(Join { condition, reads: reads.into_iter().collect() });
        }
    }
    Step {
        name: step.name.as_deref().map(Arc::from),
        stage: step.on.stage(),
        key_names: step.key.iter().map(|part| part.name.as_str().into()).collect(),
        joins,
        captured: 0,
        on: step.on.clone(),
        conditions,
        excepts,
        key: step.key.iter().map(|part| compiler.own(&part.value, number)).collect(),
        captures: Vec::new(),
    }
}

/// The parts of a condition under `and`s at its top.
pub(crate) fn conjuncts(condition: &ir::Expr) -> Vec<&ir::Expr> {
    match &condition.kind {
        ir::ExprKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

fn compile_aggregate(compiler: &mut Compiler<'_>, aggregate: &ir::Aggregate) -> Aggregate {
    let values = aggregate.kind.values().iter().map(|v| compiler.own(v, 0)).collect();
    Aggregate {
        text: aggregate.text.as_str().into(),
        counts: matches!(aggregate.kind, ir::AggregateKind::Count),
        filtered: aggregate.filter.is_some(),
        enough: aggregate.enough,
        filter: aggregate.filter.as_ref().map(|f| compiler.condition(f, 0)),
        values,
    }
}

fn cut(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
