//! What a patch asks for: `docs/semantics.md`, "`desired` of a patch".
//!
//! An object tells some keys. A JSON patch is applied, operation by operation, to a value of which nothing is known; what
//! becomes known on the way is the answer.

use std::collections::BTreeMap;

use super::feature::{Feature, Poison};
use super::value::{Extent, V};

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
            let mut all = Node::Unknown;
            for operation in operations {
                // What an operation walked through stays opened, also if it could not go on.
                let _ = apply(&mut all, operation, poison);
            }
            all.value()
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
    /// Elements in order of arrival; a closed one has all its numbers.
    List(Vec<(Option<u64>, Node)>, Extent),
    Map(BTreeMap<String, Node>, Extent),
}

impl Node {
    /// A value that stands in the patch.
    fn closed(value: &V) -> Self {
        match value {
            V::List(items, _) => {
                Self::List((0..).map(Some).zip(items.iter().map(Self::closed)).collect(), Extent::Closed)
            }
            V::Map(map, _) => {
                Self::Map(map.iter().map(|(k, v)| (k.clone(), Self::closed(v))).collect(), Extent::Closed)
            }
            leaf => Self::Leaf(leaf.clone()),
        }
    }

    fn value(&self) -> V {
        match self {
            Self::Unknown => V::Unknown,
            Self::Leaf(leaf) => leaf.clone(),
            Self::List(elements, extent) => {
                let mut sorted: Vec<_> = elements.iter().collect();
                sorted.sort_by_key(|(number, _)| number.unwrap_or(u64::MAX));
                V::List(sorted.into_iter().map(|(_, node)| node.value()).collect(), *extent)
            }
            Self::Map(map, extent) => {
                V::Map(map.iter().map(|(k, v)| (k.clone(), v.value())).collect(), *extent)
            }
        }
    }

    /// What stands at that pointer, without a change; `None` if it cannot be reached.
    fn at(&self, pointer: &[String]) -> Option<&Self> {
        let Some((token, rest)) = pointer.split_first() else { return Some(self) };
        match self {
            Self::Map(map, _) => map.get(token)?.at(rest),
            Self::List(elements, _) => {
                let n = number(token)?;
                elements.iter().find(|(number, _)| *number == Some(n))?.1.at(rest)
            }
            Self::Unknown | Self::Leaf(_) => None,
        }
    }

    /// An unknown value becomes what can have that token; a list becomes open.
    fn prepare(&mut self, token: &str) {
        match self {
            Self::Unknown if token == "-" || number(token).is_some() => {
                *self = Self::List(vec![], Extent::Open)
            }
            Self::Unknown => *self = Self::Map(BTreeMap::new(), Extent::Open),
            Self::List(_, extent) => *extent = Extent::Open,
            Self::Map(..) | Self::Leaf(_) => {}
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
            Self::Map(map, Extent::Open) => map.entry(token.clone()).or_insert(Self::Unknown),
            Self::Map(map, Extent::Closed) => map.get_mut(token)?,
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
            Self::Unknown | Self::Leaf(_) => return None,
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
fn apply(all: &mut Node, operation: &V, poison: &Poison) -> Option<()> {
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
        "move" | "copy" => {
            let from = operation.key("from").as_text().and_then(pointer);
            let taken = from.as_deref().and_then(|from| all.at(from)).cloned().unwrap_or(Node::Unknown);
            if let (Some(from), "move") = (&from, op) {
                let _ = remove(all, from);
            }
            add(all, &path, taken)
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
        (Node::Map(map, _), token) => {
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
        (Node::Map(map, _), token) => {
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
        *all = Node::Leaf(V::Absent);
        return Some(());
    }
    match all.parent(path)? {
        (Node::Map(map, Extent::Closed), token) if !map.contains_key(&token) => {}
        (Node::Map(map, _), token) => {
            map.insert(token, Node::Leaf(V::Absent));
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
