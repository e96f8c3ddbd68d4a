//! Conditions over atoms: what is left of a condition where its tests are taken out of it.
//!
//! The same tree, with the same three-valued tables (`eval`). What is no test of one value stays as it is and is asked by the
//! evaluator. Parts of an `and` or `or` may be asked in any order, so they are sorted by what asking takes: fields, the
//! request's address, bodies.

use std::ops::ControlFlow;

use dsl::ir::Derived;

use crate::event::row::Slot;
use crate::plan::expr::{Node, Read, Root, Segment, Set};

/// What asking takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// A field of few values, or nothing.
    Field,
    /// Any other field.
    Event,
    /// The request's address has to be taken apart.
    Address,
    /// A body has to be opened.
    Body,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) enum Logic {
    /// By its number, from which its bit follows.
    Atom(u32),
    Not(Box<Logic>),
    /// True unless it is true.
    NotTrue(Box<Logic>),
    And(Vec<Logic>),
    Or(Vec<Logic>),
    Rest(Cost, Box<Node>),
}

/// Goes through a node and all below it, until told to stop.
pub(super) fn visit<'n>(node: &'n Node, f: &mut impl FnMut(&'n Node) -> ControlFlow<()>) -> ControlFlow<()> {
    f(node)?;
    match node {
        Node::Const(_) | Node::Capture { .. } | Node::IsPatch | Node::Aggregate(_) | Node::Key(_) => {}
        Node::Read(read) => {
            if let Root::Of(base) = &read.root {
                visit(base, f)?;
            }
            for segment in &read.path {
                if let Segment::Computed(inner) = segment {
                    visit(inner, f)?;
                }
            }
        }
        Node::Call(_, parts) | Node::And(parts) | Node::Or(parts) => {
            parts.iter().try_for_each(|part| visit(part, f))?;
        }
        Node::Lookup(_, inner)
        | Node::Not(inner)
        | Node::IsTrue(inner)
        | Node::NotTrue(inner)
        | Node::Leaf(_, inner)
        | Node::Like { left: inner, .. }
        | Node::Matches { left: inner, .. } => visit(inner, f)?,
        Node::Arith(_, left, right) | Node::Compare { left, right, .. } => {
            visit(left, f)?;
            visit(right, f)?;
        }
        Node::In { left, set, .. } => {
            visit(left, f)?;
            if let Set::Value(list) = set {
                visit(list, f)?;
            }
        }
        Node::Find { list, body, .. } | Node::Quantified { list, body, .. } => {
            visit(list, f)?;
            visit(body, f)?;
        }
    }
    ControlFlow::Continue(())
}

/// What asking a node takes.
pub(super) fn cost(node: &Node) -> Cost {
    let mut cost = Cost::Event;
    let _ = visit(node, &mut |node| {
        if let Node::Read(read) = node {
            cost = cost.max(read_cost(read));
        }
        ControlFlow::Continue(())
    });
    cost
}

fn read_cost(read: &Read) -> Cost {
    use Derived::{
        Containers, CsrCommonName, CsrOrganizations, Desired, DryRun, ExecArgs, ExecCommand, ExecContainer,
        ObjectName, PodSpec,
    };
    match &read.root {
        Root::RequestObject
        | Root::ResponseObject(_)
        | Root::Derived(
            Desired | PodSpec | Containers | CsrCommonName | CsrOrganizations | ObjectName | DryRun,
        ) => Cost::Body,
        Root::Derived(ExecArgs | ExecCommand | ExecContainer) => Cost::Address,
        Root::Event => match slot(read) {
            Some(Slot::RequestUri) => Cost::Address,
            Some(Slot::RequestObject | Slot::ResponseObject) => Cost::Body,
            _ => Cost::Event,
        },
        _ => Cost::Event,
    }
}

/// The slot that a read of the event reads, and nothing else.
fn slot(read: &Read) -> Option<Slot> {
    let key = |at: usize| match read.path.get(at) {
        Some(Segment::Key(key)) => Some(&**key),
        _ => None,
    };
    let first = Slot::of_event(key(0)?)?;
    Some(key(1).and_then(|key| first.part(key)).unwrap_or(first))
}

/// The one slot whose bytes decide what a node says. Nothing if it reads something else too.
pub(super) fn only_slot(node: &Node) -> Option<Slot> {
    let mut only: Option<Slot> = None;
    let mut bound: Vec<u32> = Vec::new();
    let _ = visit(node, &mut |node| {
        if let Node::Quantified { var, .. } = node {
            bound.push(*var);
        }
        ControlFlow::Continue(())
    });
    let walked = visit(node, &mut |node| {
        let read = match node {
            Node::Read(read) => read,
            Node::Find { .. } | Node::Capture { .. } | Node::IsPatch | Node::Aggregate(_) | Node::Key(_) => {
                return ControlFlow::Break(());
            }
            _ => return ControlFlow::Continue(()),
        };
        let slot = match &read.root {
            Root::Element(var) if bound.contains(var) => return ControlFlow::Continue(()),
            Root::Of(_) => return ControlFlow::Continue(()),
            Root::Event => slot(read),
            Root::Derived(Derived::SourceIp | Derived::PeerIp) => Some(Slot::SourceIps),
            Root::Derived(Derived::ClientProgram | Derived::ClientVersion) => Some(Slot::UserAgent),
            Root::Derived(Derived::CredentialId | Derived::CredentialNode | Derived::CredentialPod) => {
                Some(Slot::UserExtra)
            }
            Root::Derived(Derived::Decision) => Some(Slot::Annotations),
            Root::Derived(Derived::ExecArgs | Derived::ExecCommand | Derived::ExecContainer) => {
                Some(Slot::RequestUri)
            }
            _ => None,
        };
        match slot {
            Some(slot) if only.is_none_or(|only| only == slot) => {
                only = Some(slot);
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Break(()),
        }
    });
    only.filter(|_| walked.is_continue())
}

impl Logic {
    /// Changes the number of each atom.
    pub(super) fn renumber(&mut self, places: &[u32]) {
        match self {
            Self::Atom(atom) => *atom = places.get(*atom as usize).copied().unwrap_or(u32::MAX),
            Self::Not(inner) | Self::NotTrue(inner) => inner.renumber(places),
            Self::And(parts) | Self::Or(parts) => parts.iter_mut().for_each(|part| part.renumber(places)),
            Self::Rest(..) => {}
        }
    }

    /// Puts what is cheap first, everywhere; returns what the whole takes.
    pub(super) fn sort(&mut self, atoms: &impl Fn(u32) -> Cost) -> Cost {
        match self {
            Self::Atom(atom) => atoms(*atom),
            Self::Rest(cost, _) => *cost,
            Self::Not(inner) | Self::NotTrue(inner) => inner.sort(atoms),
            Self::And(parts) | Self::Or(parts) => sort(parts, atoms),
        }
    }
}

/// Sorts conditions by what they take, and says what the dearest does.
pub(super) fn sort(parts: &mut Vec<Logic>, atoms: &impl Fn(u32) -> Cost) -> Cost {
    let taken = std::mem::take(parts);
    let mut costs: Vec<(Cost, Logic)> = taken.into_iter().map(|mut part| (part.sort(atoms), part)).collect();
    costs.sort_by_key(|(cost, part)| (*cost, matches!(part, Logic::Rest(..))));
    let most = costs.last().map_or(Cost::Field, |(cost, _)| *cost);
    parts.extend(costs.into_iter().map(|(_, part)| part));
    most
}
