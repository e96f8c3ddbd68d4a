//! What a patch asks for: `docs/semantics.md`, "`desired` of a patch".
//!
//! An object tells some keys. A JSON patch is applied, operation by operation, to a value of which nothing is known; what
//! becomes known on the way is the answer. Three limits keep a hostile one from making us work without end.

use std::collections::BTreeMap;

use super::feature::{Feature, Poison};
use super::value::{Extent, V};

/// A list or map that an operation opened, and to which so many tokens lead, is unknown.
const KNOWN_DEPTH: usize = 64;
/// A patch of more operations than that is not one that an API server takes.
const OPERATIONS_MAX: usize = 10_000;
/// Values and keys that copies may have in all.
const COPIED_MAX: usize = 1_600_000;
/// Removed keys that come along with copies.
const REMOVED_MAX: usize = 100_000;

/// `desired` of a patch with that body.
pub(super) fn desired(body: &V, poison: &Poison) -> V {
    match body {
        V::Map(..) => {
            if has_directive(body) && poison.hits("patch with $ keys") || poison.hits("patch object") {
                return V::Unknown;
            }
            opened(body)
        }
        V::List(operations, _) => {
            if operations.len() > OPERATIONS_MAX {
                return V::Unknown;
            }
            let mut all = Node::Unknown;
            let mut budget = Budget { values: COPIED_MAX, removed: REMOVED_MAX };
            for operation in operations {
                // What an operation walked through stays opened, also if it could not go on.
                let _ = apply(&mut all, operation, &mut budget, poison);
            }
            all.value(0)
        }
        V::Absent => V::Absent,
        _ => V::Unknown,
    }
}

fn has_directive(body: &V) -> bool {
    match body {
        V::Map(map, _) => map.iter().any(|(key, value)| key.starts_with('$') || has_directive(value)),
        V::List(items, _) => items.iter().any(has_directive),
        _ => false,
    }
}

fn opened(body: &V) -> V {
    match body {
        V::Map(map, _) => {
            let kept = map.iter().filter(|(key, _)| !key.starts_with('$'));
            V::Map(kept.map(|(key, value)| (key.clone(), opened(value))).collect(), Extent::Open)
        }
        V::List(items, _) => V::List(items.iter().map(opened).collect(), Extent::Open),
        scalar => scalar.clone(),
    }
}

/// A value that is being patched.
#[derive(Clone, Debug)]
enum Node {
    Unknown,
    /// A scalar, or absent.
    Leaf(V),
    /// Absent since an operation took it away.
    Removed,
    /// Elements in order of arrival; a closed one has all its numbers, and no operation has walked into it.
    List(Vec<(Option<u64>, Node)>, Extent),
    Map(BTreeMap<String, Node>, Extent, Walked),
}

/// Whether an operation has walked into a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walked {
    No,
    Yes,
}

/// What may still be copied.
struct Budget {
    values: usize,
    removed: usize,
}

impl Budget {
    /// The copy of it, or what of that may be had.
    fn copy(&mut self, node: &Node) -> Node {
        let (values, removed) = node.size();
        if values > self.values {
            self.values = 0;
            return Node::Unknown;
        }
        self.values -= values;
        match self.removed.checked_sub(removed) {
            Some(left) => {
                self.removed = left;
                node.clone()
            }
            None => {
                self.removed = 0;
                node.without_removed()
            }
        }
    }
}

impl Node {
    /// A value that stands in the patch.
    fn closed(value: &V) -> Self {
        match value {
            V::List(items, _) => {
                Self::List((0..).map(Some).zip(items.iter().map(Self::closed)).collect(), Extent::Closed)
            }
            V::Map(map, _) => {
                let map = map.iter().map(|(k, v)| (k.clone(), Self::closed(v))).collect();
                Self::Map(map, Extent::Closed, Walked::No)
            }
            leaf => Self::Leaf(leaf.clone()),
        }
    }

    /// What is known of it where so many tokens lead to it.
    fn value(&self, depth: usize) -> V {
        let walked = matches!(self, Self::List(_, Extent::Open) | Self::Map(_, _, Walked::Yes));
        if walked && depth >= KNOWN_DEPTH {
            return V::Unknown;
        }
        match self {
            Self::Unknown => V::Unknown,
            Self::Leaf(leaf) => leaf.clone(),
            Self::Removed => V::Absent,
            Self::List(elements, extent) => {
                let mut sorted: Vec<_> = elements.iter().collect();
                sorted.sort_by_key(|(number, _)| number.unwrap_or(u64::MAX));
                V::List(sorted.into_iter().map(|(_, node)| node.value(depth + 1)).collect(), *extent)
            }
            Self::Map(map, extent, _) => {
                let map = map.iter().map(|(k, v)| (k.clone(), v.value(depth + 1)));
                V::Map(map.collect(), *extent)
            }
        }
    }

    /// How many values and keys it has, and how many keys beside them that were removed.
    fn size(&self) -> (usize, usize) {
        let sum = |(a, b): (usize, usize), (c, d): (usize, usize)| (a + c, b + d);
        match self {
            Self::Map(map, ..) => map.values().fold((1, 0), |all, node| match node {
                Self::Removed => sum(all, (0, 1)),
                node => sum(sum(all, (1, 0)), node.size()),
            }),
            Self::List(elements, _) => elements.iter().fold((1, 0), |all, (_, node)| sum(all, node.size())),
            Self::Unknown | Self::Leaf(_) | Self::Removed => (1, 0),
        }
    }

    fn without_removed(&self) -> Self {
        match self {
            Self::Map(map, extent, walked) => {
                let kept = map.iter().filter(|(_, node)| !matches!(node, Self::Removed));
                let kept = kept.map(|(key, node)| (key.clone(), node.without_removed()));
                Self::Map(kept.collect(), *extent, *walked)
            }
            Self::List(elements, extent) => {
                let all = elements.iter().map(|(number, node)| (*number, node.without_removed()));
                Self::List(all.collect(), *extent)
            }
            leaf => leaf.clone(),
        }
    }

    /// What stands at that pointer, without a change; `None` if it cannot be reached.
    fn at(&self, pointer: &[String]) -> Option<&Self> {
        let Some((token, rest)) = pointer.split_first() else { return Some(self) };
        match self {
            Self::Map(map, ..) => map.get(token)?.at(rest),
            Self::List(elements, _) => {
                let n = number(token)?;
                elements.iter().find(|(number, _)| *number == Some(n))?.1.at(rest)
            }
            Self::Unknown | Self::Leaf(_) | Self::Removed => None,
        }
    }

    /// An unknown value becomes what can have that token; a list becomes open.
    fn prepare(&mut self, token: &str) {
        match self {
            Self::Unknown if token == "-" || number(token).is_some() => {
                *self = Self::List(vec![], Extent::Open)
            }
            Self::Unknown => *self = Self::Map(BTreeMap::new(), Extent::Open, Walked::Yes),
            Self::List(_, extent) => *extent = Extent::Open,
            Self::Map(_, _, walked) => *walked = Walked::Yes,
            Self::Leaf(_) | Self::Removed => {}
        }
    }

    /// The parent of what the pointer names, prepared for its last token.
    fn parent(&mut self, path: &[String]) -> Option<(&mut Self, String)> {
        let (token, rest) = path.split_first()?;
        self.prepare(token);
        if rest.is_empty() {
            return Some((self, token.clone()));
        }
        let child = match self {
            Self::Map(map, Extent::Open, _) => map.entry(token.clone()).or_insert(Self::Unknown),
            Self::Map(map, Extent::Closed, _) => map.get_mut(token)?,
            Self::List(elements, _) => {
                let n = number(token)?;
                let place = match elements.iter().position(|(number, _)| *number == Some(n)) {
                    Some(place) => place,
                    None => {
                        elements.push((Some(n), Self::Unknown));
                        elements.len() - 1
                    }
                };
                &mut elements[place].1
            }
            Self::Unknown | Self::Leaf(_) | Self::Removed => return None,
        };
        child.parent(rest)
    }
}

/// A decimal number without leading zeros.
fn number(token: &str) -> Option<u64> {
    let plain = token.bytes().all(|b| b.is_ascii_digit()) && (token == "0" || !token.starts_with('0'));
    if plain { token.parse().ok() } else { None }
}

fn pointer(text: &str) -> Option<Vec<String>> {
    match text.strip_prefix('/') {
        Some(rest) => Some(rest.split('/').map(|t| t.replace("~1", "/").replace("~0", "~")).collect()),
        None if text.is_empty() => Some(vec![]),
        None => None,
    }
}

fn form(op: &str) -> Feature {
    match op {
        "add" => "json patch add",
        "replace" => "json patch replace",
        "remove" => "json patch remove",
        "move" => "json patch move",
        "copy" => "json patch copy",
        "test" => "json patch test",
        _ => "json patch other",
    }
}

/// `None`: it has no effect.
fn apply(all: &mut Node, operation: &V, budget: &mut Budget, poison: &Poison) -> Option<()> {
    let op = operation.key("op");
    let op = op.as_text()?;
    let path = pointer(operation.key("path").as_text()?)?;
    let poisoned = poison.hits(form(op));
    if path.last().is_some_and(|t| t == "-") && poison.hits("json patch to -") {
        return None;
    }
    let value = Node::closed(&operation.key("value"));
    match op {
        // Poison: a test would be taken for an add, anything else for nothing.
        "test" if poisoned => add(all, &path, value),
        _ if poisoned => None,
        "add" => add(all, &path, value),
        "replace" => replace(all, &path, value),
        "remove" => remove(all, &path),
        "move" => {
            let from = operation.key("from").as_text().and_then(pointer);
            let taken = from.as_deref().and_then(|from| all.at(from)).cloned().unwrap_or(Node::Unknown);
            if let Some(from) = &from {
                let _ = remove(all, from);
            }
            add(all, &path, taken)
        }
        "copy" => {
            let from = operation.key("from").as_text().and_then(pointer);
            let copied = from.as_deref().and_then(|from| all.at(from));
            let copied = copied.map_or(Node::Unknown, |node| budget.copy(node));
            add(all, &path, copied)
        }
        _ => None,
    }
}

fn add(all: &mut Node, path: &[String], value: Node) -> Option<()> {
    if path.is_empty() {
        *all = value;
        return Some(());
    }
    match all.parent(path)? {
        (Node::Map(map, ..), token) => {
            map.insert(token, value);
        }
        (Node::List(elements, _), token) if token == "-" => elements.push((None, value)),
        (Node::List(elements, _), token) => {
            let n = number(&token)?;
            for m in elements.iter_mut().filter_map(|(number, _)| number.as_mut()) {
                *m += u64::from(*m >= n);
            }
            elements.push((Some(n), value));
        }
        _ => return None,
    }
    Some(())
}

fn replace(all: &mut Node, path: &[String], value: Node) -> Option<()> {
    if path.is_empty() {
        *all = value;
        return Some(());
    }
    match all.parent(path)? {
        (Node::Map(map, ..), token) => {
            map.insert(token, value);
        }
        (Node::List(elements, _), token) => {
            let n = number(&token)?;
            elements.retain(|(number, _)| *number != Some(n));
            elements.push((Some(n), value));
        }
        _ => return None,
    }
    Some(())
}

fn remove(all: &mut Node, path: &[String]) -> Option<()> {
    if path.is_empty() {
        *all = Node::Removed;
        return Some(());
    }
    match all.parent(path)? {
        (Node::Map(map, Extent::Closed, _), token) if !map.contains_key(&token) => {}
        (Node::Map(map, ..), token) => {
            map.insert(token, Node::Removed);
        }
        (Node::List(elements, _), token) => {
            let n = number(&token)?;
            elements.retain(|(number, _)| *number != Some(n));
            for m in elements.iter_mut().filter_map(|(number, _)| number.as_mut()) {
                *m -= u64::from(*m > n);
            }
        }
        _ => return None,
    }
    Some(())
}
