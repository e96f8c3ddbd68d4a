//! From compiled conditions to atoms: which tests there are, and what each rule asks for first.
//!
//! Equal tests of equal values are one atom, whichever rules they are from. Two values are equal if they are read
//! the same way, which their printed form tells. Three spellings are one: `"x" in list`, `list[] == "x"` and
//! `any e in list: (e == "x")`.
//!
//! A step's *gate* is the conjunct that is thought to hold least often: equality before parts of texts, these
//! before numbers and truths, and what must not be last. It is a bet: the answers are the same with any gate.

use std::collections::HashMap;

use super::group::{Group, Kept, ReaderDraft, Test};
use super::logic::{Cost, Logic, cost, only_slot, sort};
use super::memo::few_values;
use super::texts::Ask;
use super::{Atom, Gate, Program};
use crate::eval::text::folded;
use crate::event::row::Slot;
use crate::matches::Value;
use crate::plan::expr::{Compare, Expr, Node, Read, Root, Segment, Set, Turn};

#[derive(Debug)]
struct GroupDraft {
    kept: Option<Kept>,
    readers: Vec<ReaderDraft>,
    /// By the printed reader.
    numbers: HashMap<String, usize>,
    opaque: Vec<(u32, Node)>,
    bits: u32,
}

/// What is known of an atom while rules are read.
#[derive(Clone, Copy, Debug)]
struct Draft {
    group: usize,
    bit: u32,
    cost: Cost,
    /// How often it is thought to hold: the less the better for a gate.
    rank: u32,
}

/// Collects atoms.
#[derive(Debug, Default)]
pub(super) struct Builder {
    groups: Vec<GroupDraft>,
    by_key: HashMap<String, usize>,
    atoms: Vec<Draft>,
    /// By group and printed test.
    seen: HashMap<(usize, String), u32>,
}

/// A value with a question about it: the value, whether of each of its elements, the question.
type Tested<'n> = (&'n Node, bool, Test);

/// Whether it is a value that a reader can read: places of the event, and functions of them.
fn readable(node: &Node) -> bool {
    match node {
        Node::Read(read) => {
            let root = match &read.root {
                Root::Event | Root::RequestObject | Root::ResponseObject(_) | Root::Derived(_) => true,
                Root::Of(base) => readable(base),
                Root::Alert(_) | Root::Undecodable(_) | Root::Element(_) => false,
            };
            root && !read.path.iter().any(|segment| matches!(segment, Segment::Computed(_)))
        }
        Node::Call(_, args) => {
            args.iter().all(|arg| matches!(arg, Node::Const(_)) || readable(arg))
                && args.iter().any(|arg| !matches!(arg, Node::Const(_)))
        }
        _ => false,
    }
}

/// The list of whose elements a node is all: `list` of `list[]`.
fn list_of(node: &Node) -> Option<Node> {
    let Node::Read(read) = node else { return None };
    let (Segment::Each, path) = read.path.split_last()? else { return None };
    let list = Read { root: read.root.clone(), path: path.to_vec(), turn: Turn::Keep };
    (read.turn == Turn::Keep).then(|| Node::Read(Box::new(list)))
}

/// Slots that hardly ever hold what they held before.
fn always_new(slot: Slot) -> bool {
    use Slot::{AuditId, ObjectUid, RequestReceived, ResourceVersion, StageTimestamp};
    matches!(slot, AuditId | ObjectUid | ResourceVersion | RequestReceived | StageTimestamp)
}

/// Equality with a constant.
fn equal(value: &Value, ignoring_case: bool) -> Option<Test> {
    let (mut texts, mut numbers, mut truths) = (Vec::new(), Vec::new(), Vec::new());
    match value {
        Value::Text(text) => texts.push(folded(text, ignoring_case).into()),
        Value::Number(n) if !n.is_nan() => numbers.push(*n),
        Value::Bool(truth) => truths.push(*truth),
        _ => return None,
    }
    Some(Test::Equal { texts, numbers, truths, ignoring_case })
}

fn compared(op: Compare, right: &Value, ignoring_case: bool) -> Option<Test> {
    let text = |ask: fn(Box<str>) -> Ask| match right {
        Value::Text(text) => Some(Test::Text { ask: ask(folded(text, ignoring_case).into()), ignoring_case }),
        _ => None,
    };
    match (op, right) {
        (Compare::Eq, right) => equal(right, ignoring_case),
        (Compare::Lt | Compare::Le | Compare::Gt | Compare::Ge, Value::Number(n)) if !n.is_nan() => {
            Some(Test::Order(op, *n))
        }
        (Compare::Contains, _) => text(Ask::Contains),
        (Compare::StartsWith, _) => text(Ask::Starts),
        (Compare::EndsWith, _) => text(Ask::Ends),
        _ => None,
    }
}

/// A condition as a test of one value, whatever that is.
fn tested(node: &Node) -> Option<Tested<'_>> {
    match node {
        Node::Leaf(_, inner) => tested(inner),
        Node::Compare { op, left, right, ignoring_case } => match (&**left, &**right) {
            (left, Node::Const(right)) => Some((left, false, compared(*op, right, *ignoring_case)?)),
            (Node::Const(left), right) if *op == Compare::Eq => {
                Some((right, false, equal(left, *ignoring_case)?))
            }
            _ => None,
        },
        Node::Like { left, pattern } => {
            let ask = Ask::Like(pattern.clone());
            Some((left, false, Test::Text { ask, ignoring_case: pattern.ignores_case() }))
        }
        Node::Matches { left, pattern: Some(pattern) } => {
            let ask = Ask::Matches(pattern.clone());
            // The pattern itself knows of case: it is asked of the text as it is.
            Some((left, false, Test::Text { ask, ignoring_case: false }))
        }
        Node::In { left, set: Set::Literals { texts, others }, ignoring_case } => {
            let (mut numbers, mut truths) = (Vec::new(), Vec::new());
            for other in others {
                match other {
                    Value::Number(n) if !n.is_nan() => numbers.push(*n),
                    Value::Bool(truth) => truths.push(*truth),
                    _ => return None,
                }
            }
            let mut texts: Vec<Box<str>> = texts.iter().cloned().collect();
            texts.sort_unstable();
            Some((left, false, Test::Equal { texts, numbers, truths, ignoring_case: *ignoring_case }))
        }
        Node::In { left, set: Set::Value(list), ignoring_case } => match &**left {
            Node::Const(value) => Some((list, true, equal(value, *ignoring_case)?)),
            _ => None,
        },
        Node::Quantified { all: false, var, list, body } => match tested(body)? {
            (Node::Read(read), false, test) => {
                let bare = read.path.is_empty() && read.turn == Turn::Keep;
                let element = matches!(read.root, Root::Element(of) if of == *var);
                (bare && element).then_some((&**list, true, test))
            }
            _ => None,
        },
        Node::IsTrue(inner) => Some((inner, false, equal(&Value::Bool(true), false)?)),
        _ => None,
    }
}

/// How often a test is thought to hold.
fn rank(test: &Test) -> u32 {
    let many = |n: usize| u32::try_from(n.min(10)).unwrap_or(10);
    match test {
        Test::Equal { texts, numbers, truths, .. } => match (texts.len(), numbers.len(), truths.len()) {
            (texts, 0, 0) => 10 + many(texts),
            (_, numbers, 0) => 50 + many(numbers),
            _ => 70,
        },
        Test::Text { ask, .. } => match ask {
            Ask::Contains(text) | Ask::Starts(text) | Ask::Ends(text) if text.len() >= 4 => 20,
            Ask::Like(like) if like.needle().len() >= 4 => 20,
            Ask::Matches(_) => 30,
            _ => 60,
        },
        Test::Order(..) => 75,
    }
}

impl Builder {
    /// What is asked of a step's event, over atoms.
    pub(super) fn logic(&mut self, node: &Node) -> Logic {
        match node {
            Node::Leaf(_, inner) => return self.logic(inner),
            Node::Not(inner) => return Logic::Not(Box::new(self.logic(inner))),
            Node::NotTrue(inner) => return Logic::NotTrue(Box::new(self.logic(inner))),
            Node::And(parts) => return Logic::And(parts.iter().map(|part| self.logic(part)).collect()),
            Node::Or(parts) => return Logic::Or(parts.iter().map(|part| self.logic(part)).collect()),
            _ => {}
        }
        if let Some((reader, spread, test)) = tested(node)
            && readable(reader)
        {
            let list = if spread { None } else { list_of(reader) };
            return Logic::Atom(match list {
                Some(list) => self.test(&list, true, test),
                None => self.test(reader, spread, test),
            });
        }
        match only_slot(node).filter(|slot| few_values(*slot)) {
            Some(slot) => Logic::Atom(self.opaque(slot, node)),
            None => Logic::Rest(cost(node), Box::new(node.clone())),
        }
    }

    fn group(&mut self, key: String, kept: Option<Kept>) -> usize {
        let next = self.groups.len();
        let at = *self.by_key.entry(key).or_insert(next);
        if at == next {
            let (readers, opaque) = (Vec::new(), Vec::new());
            self.groups.push(GroupDraft { kept, readers, numbers: HashMap::new(), opaque, bits: 0 });
        }
        at
    }

    fn new_atom(&mut self, group: usize, cost: Cost, rank: u32) -> (u32, u32) {
        let bit = self.groups[group].bits;
        self.groups[group].bits += 1;
        let number = u32::try_from(self.atoms.len()).unwrap_or(u32::MAX);
        self.atoms.push(Draft { group, bit, cost, rank });
        (number, bit)
    }

    fn test(&mut self, reader: &Node, spread: bool, test: Test) -> u32 {
        let printed = format!("{spread} {reader:?}");
        let slot = only_slot(reader);
        let few = slot.filter(|slot| few_values(*slot));
        let kept = slot.filter(|slot| cost(reader) < Cost::Body && !always_new(*slot));
        let kept = kept.map(|slot| Kept { slot, blank: few.is_some() });
        let key = few.map_or_else(|| printed.clone(), |slot| format!("all of {slot:?}"));
        let group = self.group(key, kept);
        let seen = (group, format!("{printed} {test:?}"));
        if let Some(atom) = self.seen.get(&seen) {
            return *atom;
        }
        let cost = if few.is_some() { Cost::Field } else { cost(reader) };
        let rank = rank(&test) + if spread { 25 } else { 0 } + 3 * cost as u32;
        let (atom, bit) = self.new_atom(group, cost, rank);
        let draft = &mut self.groups[group];
        let next = draft.readers.len();
        let at = *draft.numbers.entry(printed).or_insert(next);
        if at == next {
            draft.readers.push((reader.clone(), spread, Vec::new()));
        }
        draft.readers[at].2.push((bit, test));
        self.seen.insert(seen, atom);
        atom
    }

    /// A condition that the evaluator asks, about a slot of few values.
    fn opaque(&mut self, slot: Slot, node: &Node) -> u32 {
        let group = self.group(format!("all of {slot:?}"), Some(Kept { slot, blank: true }));
        let seen = (group, format!("{node:?}"));
        if let Some(atom) = self.seen.get(&seen) {
            return *atom;
        }
        let (atom, bit) = self.new_atom(group, Cost::Field, 65);
        self.groups[group].opaque.push((bit, node.clone()));
        self.seen.insert(seen, atom);
        atom
    }

    /// What a step asks.
    pub(super) fn program(&mut self, conditions: &[Expr], excepts: &[Expr]) -> Program {
        let mut conditions: Vec<Logic> = conditions.iter().map(|c| self.logic(&c.0)).collect();
        let mut excepts: Vec<Logic> = excepts.iter().map(|e| self.logic(&e.0)).collect();
        let atoms = |atom: u32| self.atoms[atom as usize].cost;
        sort(&mut conditions, &atoms);
        sort(&mut excepts, &atoms);
        let holds = conditions.iter().filter_map(|c| self.gate(c, true));
        let fails = excepts.iter().filter_map(|e| self.gate(e, false));
        let gate = holds.chain(fails).min_by_key(|(rank, _)| *rank).map(|(_, gate)| gate);
        Program {
            rule: 0,
            step: 0,
            including_dry_run: false,
            conditions,
            excepts,
            gate: gate.unwrap_or_default(),
        }
    }

    /// Atoms of which one must not be false (or, of the other kind, not be true) for the condition not to be false; or, if
    /// `wanted` is not set, for the condition not to be true. With how often that is thought to be.
    fn gate(&self, logic: &Logic, wanted: bool) -> Option<(u32, Gate)> {
        let any = |parts: &[Logic]| {
            let (mut most, mut all) = (0, Vec::new());
            for part in parts {
                let (rank, gate) = self.gate(part, wanted)?;
                most = most.max(rank);
                all.extend(gate);
            }
            (!all.is_empty()).then_some((most + u32::try_from(all.len()).ok()?, all))
        };
        let best = |parts: &[Logic]| {
            parts.iter().filter_map(|part| self.gate(part, wanted)).min_by_key(|(rank, _)| *rank)
        };
        match logic {
            Logic::Atom(atom) => {
                let draft = self.atoms.get(*atom as usize).filter(|draft| draft.cost < Cost::Body)?;
                let rank = if wanted { draft.rank } else { 200 - draft.rank };
                Some((rank, vec![Atom { number: *atom, wanted }]))
            }
            Logic::Not(inner) | Logic::NotTrue(inner) => self.gate(inner, !wanted),
            Logic::And(parts) if wanted => best(parts),
            Logic::Or(parts) if !wanted => best(parts),
            Logic::And(parts) | Logic::Or(parts) => any(parts),
            Logic::Rest(..) => None,
        }
    }

    /// What asking each group takes, for the order in which gates are asked.
    pub(super) fn costs(&self) -> Vec<Cost> {
        let mut costs = vec![Cost::Field; self.groups.len()];
        for atom in &self.atoms {
            costs[atom.group] = costs[atom.group].max(atom.cost);
        }
        costs
    }

    /// The groups, and where each atom's bit is.
    pub(super) fn finish(self) -> Option<(Vec<Group>, Vec<u32>)> {
        let (mut groups, mut base, mut bases) = (Vec::new(), 0, Vec::new());
        for draft in self.groups {
            let words = (draft.bits as usize).div_ceil(64);
            groups.push(Group::new((draft.kept, base, words), draft.readers, draft.opaque)?);
            bases.push(base);
            base += words;
        }
        let places =
            self.atoms.iter().map(|atom| Some(u32::try_from(bases.get(atom.group)? * 64).ok()? + atom.bit));
        Some((groups, places.collect::<Option<_>>()?))
    }
}
