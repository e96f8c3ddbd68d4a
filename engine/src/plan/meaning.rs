//! What rules mean, as hashes that a later run can compare: of each rule what its remembered matches were made by, of each
//! capture which value it is.
//!
//! The hash is over a canonical form of the IR: every field that decides which matches there are and what becomes of them,
//! in a fixed order, each with its tag and its lengths; no spans, no names of steps or key parts, no texts for people. A
//! value that is lent stands as the `any` that lends it, a bound variable as how far out it is bound, a bare field as that
//! of its step: so neither the place of a rule in its file, nor other rules, nor a numbering show. It errs on the safe side:
//! what is written in another way (`a and b`, `b and a`) counts as another meaning.
//!
//! Cost: once per plan and capture, by the size of the rule; a table is hashed where it is looked up.

use dsl::ir::{
    Aggregate, AggregateKind, Expr, ExprKind, Groups, Literal, On, Place, Root, Rows, Rule, Segment,
    Selector, Set, Shape, StagePick, Step, Subresource, Table, Target, Targets, Type, VarId, Verbs,
};

use super::compile::lent;
use crate::event::identity;

/// A hash of what something means.
pub(crate) type Meaning = [u8; 16];

/// The meaning of a rule's parts. What its alert says is no part of it, whom it hears neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RuleMeaning {
    /// Its shape, with its lengths of time and its condition.
    pub(crate) shape: Meaning,
    /// Its throttle.
    pub(crate) throttle: Meaning,
    /// What its steps take.
    pub(crate) steps: Meaning,
    /// Its key, and whether clusters are told apart.
    pub(crate) key: Meaning,
    /// What its window counts, or is new of its first sights.
    pub(crate) counted: Meaning,
}

impl RuleMeaning {
    pub(crate) fn of(rule: &Rule) -> Self {
        let part = |write: &dyn Fn(&mut Canon<'_>)| {
            let mut canon = Canon::new(rule, 0);
            write(&mut canon);
            canon.hash()
        };
        Self {
            shape: part(&|c| c.shape(&rule.shape)),
            throttle: part(&|c| c.i64(rule.throttle)),
            steps: part(&|c| c.steps(Canon::step)),
            key: part(&|c| {
                c.truth(rule.across_clusters);
                c.steps(|c, step| c.all(&step.key, |c, part| c.expr(&part.value)));
            }),
            counted: part(&|c| {
                c.all(&rule.aggregates, Canon::aggregate);
                if let Shape::FirstSeen { values, .. } = &rule.shape {
                    c.all(values, Canon::expr);
                }
            }),
        }
    }
}

/// Which value an expression is of the event of that step; nothing: whether the event is a patch.
pub(crate) fn value(rule: &Rule, step: u32, expr: Option<&Expr>) -> Meaning {
    let mut canon = Canon { home: Some(step), ..Canon::new(rule, step) };
    canon.maybe(expr, Canon::expr);
    canon.hash()
}

/// Writes the canonical form.
struct Canon<'r> {
    out: Vec<u8>,
    rule: &'r Rule,
    /// Whose event bare fields are of.
    step: u32,
    /// Of a value of one event: the step that it is of, whose number is no part of the meaning.
    home: Option<u32>,
    bound: Vec<VarId>,
}

impl<'r> Canon<'r> {
    fn new(rule: &'r Rule, step: u32) -> Self {
        Self { out: Vec::new(), rule, step, home: None, bound: Vec::new() }
    }

    fn hash(&self) -> Meaning {
        identity::hash(&self.out)
    }

    fn tag(&mut self, tag: u8) {
        self.out.push(tag);
    }

    fn truth(&mut self, b: bool) {
        self.tag(u8::from(b));
    }

    fn u64(&mut self, n: u64) {
        self.out.extend_from_slice(&n.to_le_bytes());
    }

    fn i64(&mut self, n: i64) {
        self.out.extend_from_slice(&n.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.truth(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn all<'a, T>(&mut self, items: &'a [T], mut write: impl FnMut(&mut Self, &'a T)) {
        self.u64(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    /// All steps, each with its own bare fields.
    fn steps(&mut self, mut write: impl FnMut(&mut Self, &Step)) {
        let steps = &self.rule.steps;
        self.u64(steps.len() as u64);
        for (number, step) in (0..).zip(steps) {
            self.step = number;
            write(self, step);
        }
        self.step = 0;
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Each => self.tag(0),
            Shape::Sliding { condition, within } => {
                self.tag(1);
                self.expr(condition);
                self.i64(*within);
            }
            Shape::Tumbling { condition, length } => {
                self.tag(2);
                self.expr(condition);
                self.i64(*length);
            }
            Shape::Session { condition, gap, within } => {
                self.tag(3);
                self.expr(condition);
                self.i64(*gap);
                self.i64(*within);
            }
            // The values are what it counts.
            Shape::FirstSeen { values: _, within, learning } => {
                self.tag(4);
                self.i64(*within);
                self.i64(*learning);
            }
            Shape::Silent { after, among } => {
                self.tag(5);
                self.i64(*after);
                self.maybe(among.as_deref(), |c, among| c.all(among, Self::literal));
            }
            Shape::Sequence { ordered, within } => {
                self.tag(6);
                self.truth(*ordered);
                self.i64(*within);
            }
        }
    }

    fn step(&mut self, step: &Step) {
        // The key is a part of its own; what is lent shows where it is read.
        let Step { name: _, on, times, no, condition, excepts, key: _, lent: _ } = step;
        match on {
            On::Events(selector) => {
                self.tag(0);
                self.selector(selector);
            }
            // Whose is compared by name.
            On::Alerts(_) => self.tag(1),
            On::Undecodable => self.tag(2),
        }
        self.u64(u64::from(*times));
        self.maybe(no.as_ref(), |c, no| c.maybe(no.within, Self::i64));
        self.maybe(condition.as_ref(), Self::expr);
        self.all(excepts, Self::expr);
    }

    fn selector(&mut self, selector: &Selector) {
        let Selector { verbs, targets, stage, including_dry_run } = selector;
        let (tag, verbs) = match verbs {
            Verbs::AllBut(verbs) => (0, verbs),
            Verbs::Only(verbs) => (1, verbs),
        };
        self.tag(tag);
        self.all(verbs, |c, verb| c.text(verb));
        let (tag, targets) = match targets {
            Targets::AllBut(targets) => (0, targets),
            Targets::ResourcesBut(targets) => (1, targets),
            Targets::Only(targets) => (2, targets),
        };
        self.tag(tag);
        self.all(targets, Self::target);
        match stage {
            StagePick::Outcome => self.tag(0),
            StagePick::Only(stage) => {
                self.tag(1);
                self.text(crate::alert::stage_name(*stage));
            }
            StagePick::Any => self.tag(2),
        }
        self.truth(*including_dry_run);
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Resource(resource) => {
                self.tag(0);
                self.maybe(resource.name.as_deref(), Self::text);
                match &resource.groups {
                    Groups::Any => self.tag(0),
                    Groups::OneOf(groups) => {
                        self.tag(1);
                        self.all(groups, |c, group| c.text(group));
                    }
                }
                match &resource.subresource {
                    Subresource::None => self.tag(0),
                    Subresource::Only(name) => {
                        self.tag(1);
                        self.text(name);
                    }
                    Subresource::Any => self.tag(2),
                }
            }
            Target::NonResource { path, prefix } => {
                self.tag(1);
                self.text(path);
                self.truth(*prefix);
            }
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) {
        let Aggregate { kind, filter, text: _, enough } = aggregate;
        self.tag(match kind {
            AggregateKind::Count => 0,
            AggregateKind::Distinct(_) => 1,
            AggregateKind::Sum(_) => 2,
            AggregateKind::Avg(_) => 3,
            AggregateKind::Min(_) => 4,
            AggregateKind::Max(_) => 5,
            AggregateKind::Percentile(..) => 6,
        });
        self.all(kind.values(), Self::expr);
        if let AggregateKind::Percentile(_, p) = kind {
            self.u64(p.to_bits());
        }
        self.maybe(filter.as_ref(), Self::expr);
        self.maybe(*enough, Self::u64);
    }

    fn expr(&mut self, expr: &Expr) {
        self.ty(&expr.ty);
        match &expr.kind {
            ExprKind::Literal(literal) => {
                self.tag(0);
                self.literal(literal);
            }
            ExprKind::Read(place) => {
                self.tag(1);
                self.place(place);
            }
            ExprKind::Call(function, args) => {
                self.tag(2);
                self.text(&format!("{function:?}"));
                self.all(args, Self::expr);
            }
            ExprKind::Part(base, segments) => {
                self.tag(3);
                self.expr(base);
                self.all(segments, Self::segment);
            }
            ExprKind::Lookup(table, key) => {
                self.tag(4);
                self.table(table);
                self.expr(key);
            }
            ExprKind::Arith(op, left, right) => {
                self.tag(5);
                self.text(&format!("{op:?}"));
                self.expr(left);
                self.expr(right);
            }
            ExprKind::Aggregate(n) => {
                self.tag(6);
                self.u64(u64::from(*n));
            }
            ExprKind::Key(n) => {
                self.tag(7);
                self.u64(u64::from(*n));
            }
            ExprKind::Not(inner) => {
                self.tag(8);
                self.expr(inner);
            }
            ExprKind::And(parts) => {
                self.tag(9);
                self.all(parts, Self::expr);
            }
            ExprKind::Or(parts) => {
                self.tag(10);
                self.all(parts, Self::expr);
            }
            ExprKind::IsTrue(inner) => {
                self.tag(11);
                self.expr(inner);
            }
            ExprKind::Compare { op, left, right, ignoring_case } => {
                self.tag(12);
                self.text(&format!("{op:?}"));
                self.expr(left);
                self.expr(right);
                self.truth(*ignoring_case);
            }
            ExprKind::In { left, set, ignoring_case } => {
                self.tag(13);
                self.expr(left);
                self.set(set);
                self.truth(*ignoring_case);
            }
            ExprKind::Quantified { all, var, list, body } => {
                self.tag(14);
                self.truth(*all);
                self.quantified(*var, list, body);
            }
        }
    }

    fn quantified(&mut self, var: VarId, list: &Expr, body: &Expr) {
        self.expr(list);
        self.bound.push(var);
        self.expr(body);
        self.bound.pop();
    }

    fn set(&mut self, set: &Set) {
        match set {
            Set::Literals(literals) => {
                self.tag(0);
                self.all(literals, Self::literal);
            }
            Set::Networks(networks) => {
                self.tag(1);
                self.all(networks, |c, network| c.text(&format!("{}/{}", network.address, network.bits)));
            }
            Set::Clock { from, to } => {
                self.tag(2);
                self.u64(u64::from(*from));
                self.u64(u64::from(*to));
            }
            Set::Value(list) => {
                self.tag(3);
                self.expr(list);
            }
        }
    }

    fn place(&mut self, place: &Place) {
        let Place { step, root, segments, text: _ } = place;
        let step = step.unwrap_or(self.step);
        match *root {
            Root::Element(var) => match self.bound.iter().rev().position(|bound| *bound == var) {
                Some(out) => {
                    self.tag(0);
                    self.u64(out as u64);
                }
                None => {
                    self.tag(1);
                    self.whose(step);
                    self.maybe(lent(self.rule, step, var), |c, (list, body)| {
                        let around = std::mem::replace(&mut c.step, step);
                        c.quantified(var, list, body);
                        c.step = around;
                    });
                }
            },
            Root::Event => self.root(2, step, ""),
            Root::RequestObject => self.root(3, step, ""),
            Root::ResponseObject(kinds) => self.root(4, step, &format!("{kinds:?}")),
            Root::Derived(derived) => self.root(5, step, &format!("{derived:?}")),
            Root::Alert(field) => self.root(6, step, &format!("{field:?}")),
            Root::Undecodable(field) => self.root(7, step, &format!("{field:?}")),
        }
        self.all(segments, Self::segment);
    }

    fn root(&mut self, tag: u8, step: u32, which: &str) {
        self.tag(tag);
        self.whose(step);
        self.text(which);
    }

    fn whose(&mut self, step: u32) {
        self.maybe(Some(step).filter(|step| self.home != Some(*step)), |c, step| c.u64(u64::from(step)));
    }

    fn segment(&mut self, segment: &Segment) {
        match segment {
            Segment::Key(key) => {
                self.tag(0);
                self.text(key);
            }
            Segment::Index(n) => {
                self.tag(1);
                self.u64(*n);
            }
            Segment::Computed(inner) => {
                self.tag(2);
                self.expr(inner);
            }
            Segment::Each => self.tag(3),
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Text(text) => {
                self.tag(0);
                self.text(text);
            }
            Literal::Number(n) => {
                self.tag(1);
                self.u64(n.to_bits());
            }
            Literal::Duration(d) => {
                self.tag(2);
                self.i64(*d);
            }
            Literal::Bool(b) => {
                self.tag(3);
                self.truth(*b);
            }
            Literal::List(items) => {
                self.tag(4);
                self.all(items, Self::literal);
            }
        }
    }

    /// By what is in it: its name is for people.
    fn table(&mut self, table: &Table) {
        match &table.rows {
            Rows::Texts(rows) => {
                self.tag(0);
                self.all(rows, |c, (key, value)| {
                    c.text(key);
                    c.literal(value);
                });
            }
            Rows::Networks(rows) => {
                self.tag(1);
                self.all(rows, |c, (network, value)| {
                    c.text(&format!("{}/{}", network.address, network.bits));
                    c.literal(value);
                });
            }
            Rows::MaxMind(bytes) => {
                self.tag(2);
                self.bytes(&identity::hash(bytes));
            }
        }
    }

    /// As far as values depend on it: what is known of an object's fields is for the checker.
    fn ty(&mut self, ty: &Type) {
        match ty {
            Type::Bool => self.tag(0),
            Type::Number => self.tag(1),
            Type::Text => self.tag(2),
            Type::Time => self.tag(3),
            Type::Duration => self.tag(4),
            Type::TimeOfDay => self.tag(5),
            Type::List(inner) => {
                self.tag(6);
                self.ty(inner);
            }
            Type::Map(inner) => {
                self.tag(7);
                self.ty(inner);
            }
            Type::Object(_) | Type::Any => self.tag(8),
        }
    }
}
