//! What of a rule is compiled step by step and aggregate by aggregate: which parts of a step's conditions are asked of its
//! event and which beside other steps, and what a match adds to each aggregate.
//!
//! The same is compiled of events at hand and of alerts that are told; where these differ the functions are told so.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::ir;

use super::compile::Compiler;
use super::{Aggregate, AggregateKind, Expr, Join, Measure, Step, expr};

pub(super) fn compile_step(compiler: &mut Compiler<'_>, step: &ir::Step, number: u32) -> Step {
    let (own, joined) = parted(compiler, step, number);
    let join = |(part, reads): (&ir::Expr, BTreeSet<u32>), compiler: &mut Compiler<'_>| Join {
        condition: compiler.later_condition(part, number),
        reads: reads.into_iter().collect(),
    };
    let mut joins: Vec<Join> = joined.conditions.into_iter().map(|part| join(part, compiler)).collect();
    joins.extend(joined.excepts.into_iter().map(|part| {
        let Join { condition, reads } = join(part, compiler);
        Join { condition: Expr(expr::Node::NotTrue(Box::new(condition.0))), reads }
    }));
    // What is asked of alerts is compiled for each rule that tells them.
    let alerts = matches!(step.on, ir::On::Alerts(_));
    let asked = |parts: Vec<&ir::Expr>, compiler: &mut Compiler<'_>| -> Vec<Expr> {
        let parts = parts.into_iter().filter(|_| !alerts);
        parts.map(|part| compiler.condition(part, number)).collect()
    };
    Step {
        name: step.name.as_deref().map(Arc::from),
        key_names: step.key.iter().map(|part| part.name.as_str().into()).collect(),
        joins,
        captured: 0,
        on: step.on.clone(),
        conditions: asked(own.conditions, compiler),
        excepts: asked(own.excepts, compiler),
        key: step.key.iter().map(|part| compiler.own(&part.value, number)).collect(),
        captures: Vec::new(),
        meanings: Vec::new(),
        hears: Vec::new(),
        told: Vec::new(),
    }
}

/// Parts of a step's conditions.
pub(super) struct Parts<T> {
    pub(super) conditions: Vec<T>,
    pub(super) excepts: Vec<T>,
}

/// A step's conditions parted: those that read what comes to the step alone, and those that read other steps, each with
/// the steps that it reads.
pub(super) fn parted<'s>(
    compiler: &Compiler<'_>,
    step: &'s ir::Step,
    number: u32,
) -> (Parts<&'s ir::Expr>, Parts<(&'s ir::Expr, BTreeSet<u32>)>) {
    let part = |parts: Vec<&'s ir::Expr>| {
        let (mut own, mut joined) = (Vec::new(), Vec::new());
        for part in parts {
            let reads = compiler.deps(part, number, &[]).steps;
            if reads.iter().all(|read| *read == number) {
                own.push(part);
            } else {
                joined.push((part, reads));
            }
        }
        (own, joined)
    };
    let conditions = part(step.condition.iter().flat_map(conjuncts).collect());
    let excepts = part(step.excepts.iter().collect());
    (
        Parts { conditions: conditions.0, excepts: excepts.0 },
        Parts { conditions: conditions.1, excepts: excepts.1 },
    )
}

/// The conditions of a rule that read other steps, in the order of the joins of its layout: each with whether it is an
/// `except`.
pub(crate) fn joins(rule: &ir::Rule) -> Vec<(bool, &ir::Expr)> {
    let compiler = Compiler::new(rule);
    let mut out = Vec::new();
    for (number, step) in (0..).zip(&rule.steps) {
        let (_, joined) = parted(&compiler, step, number);
        out.extend(joined.conditions.into_iter().map(|(part, _)| (false, part)));
        out.extend(joined.excepts.into_iter().map(|(part, _)| (true, part)));
    }
    out
}

/// The steps whose matches can complete the rule.
pub(super) fn completing(rule: &ir::Rule) -> Vec<usize> {
    let mut positive =
        (0..rule.steps.len()).filter(|step| rule.steps.get(*step).is_some_and(|s| s.no.is_none()));
    match rule.shape {
        ir::Shape::Sequence { ordered: false, .. } => positive.collect(),
        _ => positive.next_back().into_iter().collect(),
    }
}

/// The parts of a condition under `and`s at its top.
pub(crate) fn conjuncts(condition: &ir::Expr) -> Vec<&ir::Expr> {
    match &condition.kind {
        ir::ExprKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![condition],
    }
}

/// Compiles an aggregate, of alerts that are told or of events at hand.
pub(super) fn compile_aggregate(
    compiler: &mut Compiler<'_>,
    aggregate: &ir::Aggregate,
    told: bool,
) -> Aggregate {
    let mut value = |value: &ir::Expr| if told { compiler.told(value, 0) } else { compiler.own(value, 0) };
    let values = aggregate.kind.values().iter().map(&mut value).collect();
    let filter = aggregate.filter.as_ref();
    let measure = match aggregate.kind.values().first().map(|value| &value.ty) {
        Some(ir::Type::Duration) => Measure::Duration,
        Some(ir::Type::Time) => Measure::Time,
        _ => Measure::Number,
    };
    Aggregate {
        text: aggregate.text.as_str().into(),
        kind: match aggregate.kind {
            ir::AggregateKind::Count => AggregateKind::Count,
            ir::AggregateKind::Distinct(_) => AggregateKind::Distinct,
            ir::AggregateKind::Sum(_) => AggregateKind::Sum,
            ir::AggregateKind::Avg(_) => AggregateKind::Avg,
            ir::AggregateKind::Min(_) => AggregateKind::Min,
            ir::AggregateKind::Max(_) => AggregateKind::Max,
            ir::AggregateKind::Percentile(_, p) => AggregateKind::Percentile(p),
        },
        measure,
        filtered: aggregate.filter.is_some(),
        enough: aggregate.enough,
        filter: filter.map(|f| if told { compiler.told_condition(f, 0) } else { compiler.condition(f, 0) }),
        values,
        tuples_max: usize::MAX,
    }
}

/// Compiles what a rule takes of each match, of alerts that are told or of events at hand: its aggregates, and behind them
/// what makes the tuples of a rule about first sights.
pub(super) fn compile_aggregates(compiler: &mut Compiler<'_>, told: bool) -> Vec<Aggregate> {
    let rule = compiler.rule;
    let mut all: Vec<Aggregate> =
        rule.aggregates.iter().map(|of| compile_aggregate(compiler, of, told)).collect();
    if let ir::Shape::FirstSeen { values, .. } = &rule.shape {
        all.push(tuples(compiler, values, told));
    }
    all
}

pub(super) fn tuples(compiler: &mut Compiler<'_>, values: &[ir::Expr], told: bool) -> Aggregate {
    let value = |value: &ir::Expr| if told { compiler.told(value, 0) } else { compiler.own(value, 0) };
    Aggregate {
        text: "first_seen".into(),
        kind: AggregateKind::Distinct,
        measure: Measure::Number,
        filtered: false,
        enough: None,
        filter: None,
        values: values.iter().map(value).collect(),
        tuples_max: usize::MAX,
    }
}
