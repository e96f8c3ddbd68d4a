//! What matches a step, as far as the event alone can tell: `docs/semantics.md`, "Selectors", "Deciding".

use std::collections::BTreeMap;

use dsl::ir::{Expr, ExprKind, On, Place, Segment, Selector, Shape, Stage, StagePick, Step};

use super::decide::{Judge, Tally};
use super::eval::Scope;
use super::event::Event;
use super::fields;
use super::identity;
use super::logic::Truth;
use super::place::{Moment, Order, Placed};
use super::select;
use super::value::V;

/// The cluster and the key as bytes.
pub(super) type Group = (Option<String>, Vec<Vec<u8>>);

/// What matched a step.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub(super) placed: Placed,
    /// The number of the step.
    pub(super) step: usize,
    /// Its step takes requests' outcomes, so that a request's stages are one.
    pub(super) outcome: bool,
    pub(super) key: Vec<V>,
    pub(super) group: Group,
    /// Notes that go with it.
    pub(super) late: bool,
    pub(super) dry_run_unknown: bool,
}

impl Match {
    pub(super) fn event(&self) -> &Event {
        &self.placed.event
    }

    pub(super) fn at(&self) -> Moment {
        self.placed.at
    }

    /// Its effective time.
    pub(super) fn time(&self) -> i64 {
        self.placed.at.time
    }

    pub(super) fn order(&self) -> Order {
        self.placed.order()
    }

    /// Whether both are the same event: the same request, of the same stage or both by its outcome; the same alert.
    pub(super) fn same_event(&self, other: &Self) -> bool {
        let ((a, of), (b, or)) = (self.event().known_by(), other.event().known_by());
        a == b && (of == or || (self.outcome && other.outcome))
    }
}

impl Judge<'_> {
    /// The matches of a step that take part, in the order in which they are decided, each request once.
    pub(super) fn matches(self, step: &Step, tally: &mut Tally) -> Vec<Match> {
        let number = self.rule.steps.iter().position(|s| std::ptr::eq(s, step)).unwrap_or(0);
        let came: Vec<&Placed> = match &step.on {
            On::Events(_) => self.log.events.iter().collect(),
            On::Undecodable if self.poison.hits("on undecodable") => vec![],
            On::Undecodable => self.log.undecodable.iter().collect(),
            On::Alerts(_) if self.poison.hits("on alert") => vec![],
            On::Alerts(of) => of.iter().flat_map(|rule| &self.told[*rule]).collect(),
        };
        let mut found: Vec<Match> =
            came.into_iter().filter_map(|p| self.matched(step, number, p, tally)).collect();
        if let Some(window) = self.window() {
            found.retain(|m| m.placed.moved <= window);
            let before = found.len();
            found.retain(|m| !m.key.iter().any(V::is_unknown));
            tally.key_unknown += (before - found.len()) as u64;
        }
        if matches!(self.rule.shape, Shape::Sequence { .. }) {
            found.retain(|m| m.key.is_empty() || !m.key.iter().all(V::is_absent));
        }
        if self.waits {
            found.sort_by_key(Match::order);
        }
        self.once(found)
    }

    /// Each request once, by the first match.
    fn once(self, mut found: Vec<Match>) -> Vec<Match> {
        let memory = self.memory().unsigned_abs();
        let mut taken: BTreeMap<([u8; 16], Option<Stage>), i64> = BTreeMap::new();
        found.retain(|m| {
            let (identity, stage) = m.event().known_by();
            let who = (identity, stage.filter(|_| !m.outcome));
            let again = taken.get(&who).is_some_and(|at| m.time().abs_diff(*at) <= memory);
            if again && !self.poison.hits("a request twice") {
                return false;
            }
            taken.insert(who, m.time());
            true
        });
        found
    }

    /// What the event alone tells of a step.
    fn matched(self, step: &Step, number: usize, placed: &Placed, tally: &mut Tally) -> Option<Match> {
        let event = &*placed.event;
        let dry_run_unknown = match &step.on {
            On::Events(selector) => self.selected(selector, event)?,
            On::Alerts(_) | On::Undecodable => false,
        };
        let scope = Scope::of(event, self.poison);
        let own = parts(step.condition.as_ref()).into_iter().filter(|part| !reads_steps(part));
        let condition = Truth::and(own.map(|part| scope.truth(part)));
        let excepts: Vec<&Expr> = step.excepts.iter().filter(|e| !reads_steps(e)).collect();
        let mut except = Truth::or(excepts.iter().map(|e| scope.truth(e)));
        if !excepts.is_empty() {
            except = self.poison.truth("except", except);
        }
        match (condition, except) {
            (Truth::True, Truth::False) => {}
            (Truth::True | Truth::Unknown, Truth::Unknown) | (Truth::Unknown, Truth::False) => {
                tally.unknown_decided += 1;
            }
            _ => {}
        }
        // An except that is unknown does not let go.
        if condition != Truth::True || except == Truth::True {
            return None;
        }
        let part = |value: V| match value {
            V::List(..) | V::Map(..) | V::Spread(..) => V::Absent,
            scalar => scalar,
        };
        let mut key: Vec<V> = step.key.iter().map(|k| part(scope.value(&k.value))).collect();
        if !key.is_empty() && self.poison.hits("by") {
            key.clear();
        }
        let apart = !self.rule.across_clusters || self.poison.hits("across clusters");
        let cluster = event.cluster.clone().filter(|_| apart);
        let group = (cluster, key.iter().map(identity::scalar).collect());
        let carried = event.alert.as_ref().map(|alert| (alert.late, alert.dry_run_unknown));
        let (late, dry_run_unknown) = carried.unwrap_or((placed.moved > 0, dry_run_unknown));
        let pick = step.on.events().map_or(StagePick::Any, |on| select::pick(on, self.poison));
        let outcome = pick == StagePick::Outcome;
        Some(Match { placed: placed.clone(), step: number, outcome, key, group, late, dry_run_unknown })
    }

    /// Whether a selector takes the event; then, whether a dry run could not be excluded.
    fn selected(self, on: &Selector, event: &Event) -> Option<bool> {
        if !select::takes(on, event, self.poison) {
            return None;
        }
        let dry_run = Truth::is_true(&fields::derived(event, dsl::ir::Derived::DryRun, self.poison));
        let including = if on.including_dry_run {
            !self.poison.hits("including dry_run")
        } else {
            dry_run != Truth::False && self.poison.hits("dry runs passed over")
        };
        if dry_run == Truth::True && !including {
            return None;
        }
        Some(dry_run == Truth::Unknown && !on.including_dry_run)
    }
}

/// The parts of a condition that all must be true.
pub(super) fn parts(condition: Option<&Expr>) -> Vec<&Expr> {
    match condition {
        None => vec![],
        Some(Expr { kind: ExprKind::And(all), .. }) => all.iter().flat_map(|e| parts(Some(e))).collect(),
        Some(one) => vec![one],
    }
}

/// Whether a condition reads the event of another step.
pub(super) fn reads_steps(expr: &Expr) -> bool {
    !steps_read(expr).is_empty()
}

/// The steps whose events a condition reads.
pub(super) fn steps_read(expr: &Expr) -> Vec<u32> {
    let of = |all: &[Expr]| all.iter().flat_map(steps_read).collect::<Vec<_>>();
    let two = |a: &Expr, b: &Expr| [steps_read(a), steps_read(b)].concat();
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => vec![],
        ExprKind::Read(Place { step, segments, .. }) => {
            step.iter().copied().chain(computed(segments)).collect()
        }
        ExprKind::Part(of, segments) => steps_read(of).into_iter().chain(computed(segments)).collect(),
        ExprKind::Call(_, all) | ExprKind::And(all) | ExprKind::Or(all) => of(all),
        ExprKind::Arith(_, a, b) | ExprKind::Compare { left: a, right: b, .. } => two(a, b),
        ExprKind::Not(of) | ExprKind::IsTrue(of) | ExprKind::Lookup(_, of) => steps_read(of),
        ExprKind::In { left, set: dsl::ir::Set::Value(list), .. } => two(left, list),
        ExprKind::In { left, .. } => steps_read(left),
        ExprKind::Quantified { list, body, .. } => two(list, body),
    }
}

fn computed(segments: &[Segment]) -> Vec<u32> {
    let exprs = segments.iter().filter_map(|s| if let Segment::Computed(e) = s { Some(e) } else { None });
    exprs.flat_map(|e| steps_read(e)).collect()
}
