//! The layout of a sequence: its slots, what its `no` steps forbid and when, and by which values its steps are joined.
//!
//! A join is a condition that reads more than one step. Taken by itself it would cost every pair of matches, so that a
//! hundred thousand that wait make every completing match slow. Most joins however demand that some value of one step
//! *equals* some value of another: `user.username == denied.user.username`, an `in` of another's list, or either of them for
//! an element of a list (`any s in desired.subjects: (s.name == denied.user.username)`, where the one side is every name in
//! the list). Such a demand is an `Equality`; what waits at a step is indexed by its side of it, and a search walks only
//! the matches with the right value.
//!
//! An equality is a filter in front and no more: whatever it lets through is asked the whole condition. It must therefore
//! never be narrower than the condition. `==` that ignores case gives none; lists and maps, which are equal by their
//! parts, are kept apart and looked at whenever the other side is one too. Two equalities over one single value make a
//! third: if `b == a` and `c == a` then only a `b` that equals `c` can be in a choice with it, whatever `a` is.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use dsl::ir::{self, ExprKind};

use super::compile::Compiler;
use super::expr::Node;
use super::{Rule, conjuncts};

/// How many equalities are made of others, at most. Past it searches walk more than they need to.
const EQUALITIES_MAX: usize = 256;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// In the order written; else in any.
    pub ordered: bool,
    /// From the first to the last, in nanoseconds.
    pub within: i64,
    /// In the order written.
    pub steps: Vec<StepLayout>,
    /// The step of each slot.
    pub slots: Vec<usize>,
    /// Conditions that read other steps, those of the first step first.
    pub joins: Vec<JoinLayout>,
    pub(crate) equalities: Vec<Equality>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepLayout {
    /// What it is for.
    pub role: Role,
    /// It takes a request's outcome, at whatever stage that is.
    pub outcome: bool,
    /// By what its waiting matches are indexed.
    pub(crate) columns: Vec<Column>,
}

/// What a step is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It fills these slots.
    Slots {
        /// The first.
        first: usize,
        /// The last, which is the one that others read.
        last: usize,
    },
    /// It forbids.
    No {
        /// Where.
        place: Place,
        /// Its own time.
        within: Option<i64>,
    },
}

/// Where a `no` step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before all positive steps.
    Before,
    /// Between two of them: the last slot of the former and the first of the latter.
    Between(usize, usize),
    /// Behind all of them.
    Behind,
}

/// A condition that reads other steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinLayout {
    /// The step whose condition it is.
    pub owner: usize,
    /// The positive steps that it reads besides, ascending.
    pub reads: Vec<usize>,
}

/// By what the waiting matches of a step are indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Which event it is.
    Identity,
    /// The values of one of its captures.
    Capture(u32),
}

/// One side of an equality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) step: usize,
    pub(crate) slot: u32,
    /// Holds for each slot of its step; else for the last.
    pub(crate) each: bool,
    /// It is one value, never several.
    pub(crate) single: bool,
}

/// Some value of one side equals some value of the other in every choice (in every choice that is forbidden, if one side is
/// of a `no` step).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Equality(pub(crate) Side, pub(crate) Side);

/// What is said of a step in the rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepShape {
    pub(crate) times: u32,
    pub(crate) no: Option<Option<i64>>,
    pub(crate) outcome: bool,
}

impl Layout {
    /// The layout of a compiled rule that is a sequence.
    pub(super) fn of(compiler: &mut Compiler<'_>, ordered: bool, within: i64, steps: &[super::Step]) -> Self {
        let rule = compiler.rule;
        let shapes = rule.steps.iter().map(|step| StepShape {
            times: step.times,
            no: step.no.map(|no| no.within),
            outcome: step.on.events().is_some() && step.on.stage() == ir::StagePick::Outcome,
        });
        let shapes: Vec<StepShape> = shapes.collect();
        let mut joins = Vec::new();
        for (owner, step) in steps.iter().enumerate() {
            for join in &step.joins {
                joins.push((owner, join.reads.iter().map(|read| *read as usize).collect()));
            }
        }
        let mut equalities = Vec::new();
        // What an index passes over would never be asked, and so never counted as false.
        let covering = compiler.covering;
        let indexed = rule.steps.iter().filter(|_| !covering);
        for (number, step) in (0..).zip(indexed) {
            for part in step.condition.iter().flat_map(conjuncts) {
                demands(compiler, part, number, &mut equalities);
            }
        }
        Self::new(ordered, within, &shapes, joins, equalities)
    }

    pub(crate) fn new(
        ordered: bool,
        within: i64,
        shapes: &[StepShape],
        joins: Vec<(usize, Vec<usize>)>,
        equalities: Vec<Equality>,
    ) -> Self {
        let positive = |step: &usize| shapes.get(*step).is_some_and(|shape| shape.no.is_none());
        let mut slots = Vec::new();
        let mut roles = Vec::new();
        for (number, shape) in shapes.iter().enumerate() {
            let first = slots.len();
            roles.push(match shape.no {
                None => {
                    let times =
                        shape.times.saturating_sub(u32::from(crate::planted::planted(53))).max(1) as usize;
                    slots.extend(std::iter::repeat_n(number, times));
                    Role::Slots { first, last: slots.len() - 1 }
                }
                Some(within) => {
                    let behind = !(number..shapes.len()).any(|later| positive(&later));
                    let place = match first.checked_sub(1) {
                        _ if behind => Place::Behind,
                        None => Place::Before,
                        Some(former) => Place::Between(former, first),
                    };
                    Role::No { place, within }
                }
            });
        }
        let join = |(owner, reads): (usize, Vec<usize>)| {
            let reads: BTreeSet<usize> = reads.into_iter().filter(|r| *r != owner && positive(r)).collect();
            JoinLayout { owner, reads: reads.into_iter().collect() }
        };
        let steps = roles.into_iter().zip(shapes);
        let steps =
            steps.map(|(role, shape)| StepLayout { role, outcome: shape.outcome, columns: Vec::new() });
        let mut this = Self {
            ordered,
            within,
            steps: steps.collect(),
            slots,
            joins: joins.into_iter().map(join).collect(),
            equalities,
        };
        this.close();
        this.index();
        this
    }

    /// The slot in which a match that completes at this step stands; none if it cannot complete.
    #[must_use]
    pub fn completes(&self, step: usize) -> Option<usize> {
        let Role::Slots { last, .. } = self.steps.get(step)?.role else { return None };
        (!self.ordered || last + 1 == self.slots.len()).then_some(last)
    }

    /// Whether matches of a step are kept for later ones.
    #[must_use]
    pub fn kept(&self, step: usize) -> bool {
        match self.steps.get(step).map(|step| step.role) {
            Some(Role::Slots { first, last }) => {
                first < last || self.completes(step).is_none() || !self.ordered
            }
            Some(Role::No { .. }) => true,
            None => false,
        }
    }

    /// The last slot of a positive step.
    pub(crate) fn last(&self, step: usize) -> Option<usize> {
        match self.steps.get(step)?.role {
            Role::Slots { last, .. } => Some(last),
            Role::No { .. } => None,
        }
    }

    /// The `no` steps.
    pub(crate) fn noes(&self) -> impl Iterator<Item = (usize, Place, Option<i64>)> {
        self.steps.iter().enumerate().filter_map(|(number, step)| match step.role {
            Role::No { place, within } => Some((number, place, within)),
            Role::Slots { .. } => None,
        })
    }

    /// Whether there is a `no` step.
    #[must_use]
    pub fn forbids(&self) -> bool {
        self.noes().next().is_some()
    }

    /// Whether a `no` step makes answers wait.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.noes().any(|(_, place, within)| self.waits_for(place, within))
    }

    /// Whether the answer waits for a `no` step of that place.
    pub(crate) fn waits_for(&self, place: Place, within: Option<i64>) -> bool {
        place == Place::Behind && (self.ordered || within.is_some())
    }

    /// The longest `within` of its `no` steps.
    #[must_use]
    pub fn no_within(&self) -> i64 {
        self.noes().filter_map(|(_, _, within)| within).max().unwrap_or(0)
    }

    /// How far back from a completing match (or from now) a step's matches can matter.
    pub(crate) fn reach(&self, step: usize) -> i64 {
        match self.steps.get(step).map(|step| step.role) {
            Some(Role::No { place: Place::Before, within }) => {
                self.within.saturating_add(within.unwrap_or(0))
            }
            Some(Role::No { place, within }) if self.waits_for(place, within) => 0,
            Some(_) => self.within,
            None => 0,
        }
    }

    /// Adds the equalities that follow from two over one single value.
    fn close(&mut self) {
        loop {
            let known = self.equalities.clone();
            for (n, one) in known.iter().enumerate() {
                known.iter().skip(n + 1).for_each(|other| self.follow(one, other));
            }
            if self.equalities.len() == known.len() {
                return;
            }
        }
    }

    fn follow(&mut self, one: &Equality, other: &Equality) {
        for (far, middle) in [(one.0, one.1), (one.1, one.0)] {
            for (near, end) in [(other.0, other.1), (other.1, other.0)] {
                let joined = middle.single && (middle.step, middle.slot) == (near.step, near.slot);
                // What a `no` step demands is no demand on the choice.
                let positive = |side: Side| self.last(side.step).is_some();
                let of_choice = positive(middle) && (positive(far) || positive(end));
                let apart = far.step != end.step || far.each || end.each;
                if !(joined && of_choice && apart && far.step != middle.step && end.step != middle.step) {
                    continue;
                }
                let new = Equality(far, end);
                let known = self.equalities.iter().any(|e| *e == new || *e == Equality(end, far));
                if !known && self.equalities.len() < EQUALITIES_MAX {
                    self.equalities.push(new);
                }
            }
        }
    }

    /// Works out by what each step is indexed.
    fn index(&mut self) {
        let forbids = self.forbids();
        for number in 0..self.steps.len() {
            if !self.kept(number) {
                continue;
            }
            let sides = self.equalities.iter().flat_map(|Equality(a, b)| [a, b]);
            let slots: BTreeSet<u32> =
                sides.filter(|side| side.step == number).map(|side| side.slot).collect();
            let mut columns: Vec<Column> = slots.into_iter().map(Column::Capture).collect();
            // Whether what forbids could be one of a choice's own events.
            if forbids && self.last(number).is_some() {
                columns.push(Column::Identity);
            }
            if let Some(step) = self.steps.get_mut(number) {
                step.columns = columns;
            }
        }
    }
}

impl Rule {
    /// Its layout, if it is a sequence.
    #[must_use]
    pub fn layout(&self) -> Option<&Layout> {
        match &self.shape {
            super::Shape::Sequence(layout) => Some(layout),
            _ => None,
        }
    }
}

/// The equalities between steps that a condition of `step` demands.
fn demands(compiler: &mut Compiler<'_>, condition: &ir::Expr, step: u32, out: &mut Vec<Equality>) {
    // The nesting of conditions is bounded by the language; this is all that is left to look at, each with the lists of
    // the variables around it.
    let mut left: Vec<(&ir::Expr, Vec<(ir::VarId, ir::Expr)>)> = vec![(condition, Vec::new())];
    while let Some((expr, lists)) = left.pop() {
        match &expr.kind {
            ExprKind::And(parts) => left.extend(parts.iter().map(|part| (part, lists.clone()))),
            ExprKind::Quantified { all: false, var, list, body } => {
                let Some(list) = spread(list, &lists) else { continue };
                let mut lists = lists;
                lists.push((*var, list));
                left.push((body, lists));
            }
            ExprKind::Compare { op: ir::CompareOp::Eq, left: a, right: b, ignoring_case: false } => {
                if let (Some(a), Some(b)) = (spread(a, &lists), spread(b, &lists)) {
                    demand(compiler, &a, &b, step, out);
                }
            }
            ExprKind::In { left: a, set: ir::Set::Value(list), ignoring_case: false } => {
                let element = match &list.ty {
                    ir::Type::List(element) => (**element).clone(),
                    _ => ir::Type::Any,
                };
                if let (Some(a), Some(list)) = (spread(a, &lists), spread(list, &lists)) {
                    let each = ir::Expr { ty: element, ..below(list, &[ir::Segment::Each]) };
                    demand(compiler, &a, &each, step, out);
                }
            }
            _ => {}
        }
    }
}

fn demand(compiler: &mut Compiler<'_>, a: &ir::Expr, b: &ir::Expr, step: u32, out: &mut Vec<Equality>) {
    let steps = |expr: &ir::Expr| {
        let deps = compiler.deps(expr, step, &[]);
        let one = !deps.window && !deps.outer && deps.steps.len() == 1;
        deps.steps.first().copied().filter(|_| one)
    };
    let (Some(of_a), Some(of_b)) = (steps(a), steps(b)) else { return };
    let no = |step: u32| compiler.rule.steps.get(step as usize).is_some_and(|step| step.no.is_some());
    // What a `no` step demands of the choice alone is no demand on it.
    let of_this = [of_a, of_b].into_iter().all(|of| of == step || !no(of))
        && (!no(step) || of_a == step || of_b == step);
    if of_a == of_b || !of_this {
        return;
    }
    let mut side = |expr: &ir::Expr| match compiler.later(expr, step).0 {
        Node::Capture { step: of, slot, .. } => {
            Some(Side { step: of as usize, slot, each: of == step, single: !spreads(expr) })
        }
        _ => None,
    };
    if let (Some(a), Some(b)) = (side(a), side(b)) {
        out.push(Equality(a, b));
    }
}

/// The expression with every element of a list in place of the element of a quantifier. None if it has a form in which
/// that would say less.
fn spread(expr: &ir::Expr, lists: &[(ir::VarId, ir::Expr)]) -> Option<ir::Expr> {
    let parts = |parts: &[ir::Expr]| parts.iter().map(|part| spread(part, lists)).collect::<Option<Vec<_>>>();
    let kind = match &expr.kind {
        ExprKind::Literal(_) => return Some(expr.clone()),
        ExprKind::Read(place) => {
            let mut place = place.clone();
            if reads_any(&place.segments, lists) {
                return None;
            }
            if let ir::Root::Element(var) = place.root
                && let Some((_, list)) = lists.iter().rev().find(|(of, _)| *of == var)
            {
                let mut segments = vec![ir::Segment::Each];
                segments.append(&mut place.segments);
                let below = below(list.clone(), &segments);
                return Some(ir::Expr { ty: expr.ty.clone(), ..below });
            }
            ExprKind::Read(place)
        }
        // Of several values `present` is one answer, and not one of each.
        ExprKind::Call(ir::Function::Present, _) => return None,
        ExprKind::Call(function, args) => ExprKind::Call(*function, parts(args)?),
        ExprKind::Part(base, segments) => {
            if reads_any(segments, lists) {
                return None;
            }
            ExprKind::Part(Box::new(spread(base, lists)?), segments.clone())
        }
        ExprKind::Lookup(table, key) => ExprKind::Lookup(table.clone(), Box::new(spread(key, lists)?)),
        ExprKind::Arith(op, a, b) => {
            ExprKind::Arith(*op, Box::new(spread(a, lists)?), Box::new(spread(b, lists)?))
        }
        _ => return None,
    };
    Some(ir::Expr { kind, ..expr.clone() })
}

/// Whether a computed segment may read an element: a key that is several values is none.
fn reads_any(segments: &[ir::Segment], lists: &[(ir::VarId, ir::Expr)]) -> bool {
    !lists.is_empty() && segments.iter().any(|segment| matches!(segment, ir::Segment::Computed(_)))
}

/// What stands below a value.
fn below(expr: ir::Expr, more: &[ir::Segment]) -> ir::Expr {
    let kind = match expr.kind {
        ExprKind::Read(mut place) => {
            place.segments.extend_from_slice(more);
            ExprKind::Read(place)
        }
        ExprKind::Part(base, mut segments) => {
            segments.extend_from_slice(more);
            ExprKind::Part(base, segments)
        }
        kind => {
            let base = ir::Expr { kind, ty: expr.ty.clone(), span: expr.span };
            ExprKind::Part(Box::new(base), more.to_vec())
        }
    };
    ir::Expr { kind, ty: ir::Type::Any, span: expr.span }
}

/// Whether an expression may give several values.
fn spreads(expr: &ir::Expr) -> bool {
    let mut left = vec![expr];
    while let Some(expr) = left.pop() {
        let segments: &[ir::Segment] = match &expr.kind {
            ExprKind::Read(place) => &place.segments,
            ExprKind::Part(base, segments) => {
                left.push(base);
                segments
            }
            ExprKind::Call(_, args) => {
                left.extend(args);
                &[]
            }
            ExprKind::Lookup(_, key) => {
                left.push(key);
                &[]
            }
            ExprKind::Arith(_, a, b) => {
                left.extend([&**a, &**b]);
                &[]
            }
            ExprKind::Literal(_) => &[],
            _ => return true,
        };
        for segment in segments {
            match segment {
                ir::Segment::Each => return true,
                ir::Segment::Computed(inner) => left.push(inner),
                ir::Segment::Key(_) | ir::Segment::Index(_) => {}
            }
        }
    }
    false
}
