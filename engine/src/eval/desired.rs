//! What a request asks the object to be. `docs/semantics.md`, "`desired` of a patch".
//!
//! A merge or strategic patch is its own document, read as open maps and lists. A JSON patch is laid over an unknown
//! value, operation by operation; what it puts in is borrowed from the document and whole. A hostile patch could build
//! depth or size that no object has (`copy` into itself doubles): past [`PATCH_DEPTH_MAX`], [`PATCH_NODES_MAX`]
//! or [`PATCH_OPERATIONS_MAX`] (at which the API server itself refuses) nothing is known of the object.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::document::{Json, Node};
use crate::event::row::{Row, Slot};
use crate::limits::{PATCH_DEPTH_MAX, PATCH_NODES_MAX, PATCH_OPERATIONS_MAX};
use crate::planted::planted;

use super::val::Val;

pub(super) fn desired<'a>(row: &Row<'a>) -> Val<'a> {
    let Some(body) = row.raw(Slot::RequestObject) else { return Val::Unknown };
    match (row.verb(), body.node()) {
        ("create" | "update" | "patch", Node::Null) => Val::Absent,
        ("create" | "update", Node::Map { .. }) => Val::Json(body),
        ("patch", Node::Map { .. }) => Val::Json(Json { merge: true, ..body }),
        ("patch", Node::List { .. }) => json_patch(body),
        _ => Val::Unknown,
    }
}

/// A value while a patch is laid over it.
#[derive(Clone, Debug)]
enum Tree<'a> {
    Unknown,
    Absent,
    /// As the patch gave it: whole.
    Whole(Json<'a>),
    Map {
        entries: BTreeMap<Cow<'a, str>, Tree<'a>>,
        open: bool,
    },
    /// Open; elements with their numbers in their order, those without behind, in order of arrival.
    List {
        numbered: Vec<(u64, Tree<'a>)>,
        others: Vec<Tree<'a>>,
    },
}

fn json_patch(body: Json<'_>) -> Val<'_> {
    let mut root = Tree::Unknown;
    let mut budget = PATCH_NODES_MAX;
    for (number, operation) in body.items().enumerate() {
        if number == PATCH_OPERATIONS_MAX {
            return Val::Unknown;
        }
        let text = |key: &str| operation.get(key).and_then(Json::as_text);
        let (Some(op), Some(path)) = (text("op"), text("path")) else { continue };
        let Some(path) = tokens(path) else { continue };
        if path.len() > PATCH_DEPTH_MAX {
            return Val::Unknown;
        }
        match op {
            "add" | "replace" => {
                let value = operation.get("value").map_or(Tree::Absent, Tree::whole);
                put(&mut root, &path, value, op == "add");
            }
            "remove" => remove(&mut root, &path),
            "move" | "copy" => {
                let from = text("from").and_then(tokens);
                let value = from.as_ref().map_or(Tree::Unknown, |from| look(&root, from));
                let cost = size(&value);
                if cost > budget || path.len() + depth(&value) > PATCH_DEPTH_MAX {
                    return Val::Unknown;
                }
                budget -= cost;
                if let (Some(from), "move") = (&from, op)
                    && from.len() <= PATCH_DEPTH_MAX
                {
                    remove(&mut root, from);
                }
                put(&mut root, &path, value, true);
            }
            _ => {}
        }
    }
    root.val()
}

fn size(tree: &Tree<'_>) -> usize {
    match tree {
        Tree::Map { entries, .. } => 1 + entries.values().map(size).sum::<usize>(),
        Tree::List { numbered, others } => {
            1 + numbered.iter().map(|(_, tree)| size(tree)).sum::<usize>()
                + others.iter().map(size).sum::<usize>()
        }
        _ => 1,
    }
}

fn depth(tree: &Tree<'_>) -> usize {
    let below = match tree {
        Tree::Map { entries, .. } => entries.values().map(depth).max(),
        Tree::List { numbered, others } => {
            numbered.iter().map(|(_, tree)| tree).chain(others).map(depth).max()
        }
        _ => None,
    };
    1 + below.unwrap_or(0)
}

/// The tokens of a JSON pointer; nothing if it is none.
fn tokens(path: &str) -> Option<Vec<Cow<'_, str>>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let token = |token: &'_ str| -> String { token.replace("~1", "/").replace("~0", "~") };
    let rest = path.strip_prefix('/')?;
    Some(
        rest.split('/')
            .map(|t| if t.contains('~') { Cow::Owned(token(t)) } else { Cow::Owned(t.to_owned()) })
            .collect(),
    )
}

/// What a token means in a list.
enum Element {
    Number(u64),
    End,
    Other,
}

fn element(token: &str) -> Element {
    let digits = !token.is_empty() && token.bytes().all(|b| b.is_ascii_digit());
    match token {
        "-" => Element::End,
        _ if digits && (token == "0" || !token.starts_with('0')) => {
            // A number beyond 64 bits is past every list.
            Element::Number(token.parse().unwrap_or(u64::MAX))
        }
        _ => Element::Other,
    }
}

impl<'a> Tree<'a> {
    fn whole(json: Json<'a>) -> Self {
        if json.is_null() { Self::Absent } else { Self::Whole(json) }
    }

    fn val(self) -> Val<'a> {
        match self {
            Self::Unknown => Val::Unknown,
            Self::Absent => Val::Absent,
            Self::Whole(json) => Val::json(json),
            Self::Map { entries, open } => {
                Val::Map(Rc::new(entries.into_iter().map(|(key, tree)| (key, tree.val())).collect()), open)
            }
            Self::List { numbered, others } => Val::list(
                numbered.into_iter().map(|(_, tree)| tree).chain(others).map(Tree::val).collect(),
                true,
            ),
        }
    }

    /// Makes it something that can be walked through or changed, as `token` wants it. A list is open from then on.
    fn opened(&mut self, token: &str) {
        match self {
            Self::Unknown => {
                *self = match element(token) {
                    Element::Other => Self::Map { entries: BTreeMap::new(), open: true },
                    _ => Self::List { numbered: Vec::new(), others: Vec::new() },
                };
            }
            Self::Whole(json) if json.is_map() => {
                let entries = json.entries().map(|(key, value)| (Cow::Borrowed(key), Tree::whole(value)));
                *self = Self::Map { entries: entries.collect(), open: false };
            }
            Self::Whole(json) if matches!(json.node(), Node::List { .. }) => {
                let numbered = (0..).zip(json.items().map(Tree::whole)).collect();
                *self = Self::List { numbered, others: Vec::new() };
            }
            _ => {}
        }
    }

    /// One step down, on the way to the parent of a change; nothing if the operation ends there.
    fn step(&mut self, token: &Cow<'a, str>) -> Option<&mut Tree<'a>> {
        self.opened(token);
        match self {
            Self::Map { entries, open } => match (entries.contains_key(token), *open) {
                (false, false) => None,
                (true, _) => entries.get_mut(token),
                (false, true) => Some(entries.entry(token.clone()).or_insert(Tree::Unknown)),
            },
            Self::List { numbered, .. } => match element(token) {
                Element::Number(n) => {
                    let at = numbered.binary_search_by_key(&n, |(number, _)| *number).unwrap_or_else(|at| {
                        numbered.insert(at, (n, Tree::Unknown));
                        at
                    });
                    Some(&mut numbered[at].1)
                }
                _ => None,
            },
            _ => None,
        }
    }
}

/// The parent of what a path names.
fn parent<'t, 'a>(root: &'t mut Tree<'a>, path: &[Cow<'a, str>]) -> Option<&'t mut Tree<'a>> {
    let mut at = root;
    for token in path {
        at = at.step(token)?;
    }
    Some(at)
}

fn put<'a>(root: &mut Tree<'a>, path: &[Cow<'a, str>], value: Tree<'a>, add: bool) {
    let Some((last, front)) = path.split_last() else {
        *root = value;
        return;
    };
    let Some(at) = parent(root, front) else { return };
    at.opened(last);
    match at {
        Tree::Map { entries, .. } => {
            entries.insert(last.clone(), value);
        }
        Tree::List { numbered, others } => match element(last) {
            Element::Number(n) => match numbered.binary_search_by_key(&n, |(number, _)| *number) {
                Ok(at) if !add || planted(6) => numbered[at].1 = value,
                Ok(at) | Err(at) => {
                    if add {
                        numbered[at..].iter_mut().for_each(|(number, _)| *number = number.saturating_add(1));
                    }
                    numbered.insert(at, (n, value));
                }
            },
            Element::End if add => others.push(value),
            _ => {}
        },
        _ => {}
    }
}

fn remove<'a>(root: &mut Tree<'a>, path: &[Cow<'a, str>]) {
    let Some((last, front)) = path.split_last() else {
        *root = Tree::Absent;
        return;
    };
    let Some(at) = parent(root, front) else { return };
    at.opened(last);
    match at {
        Tree::Map { entries, open } if *open || entries.contains_key(last) => {
            entries.insert(last.clone(), Tree::Absent);
        }
        Tree::List { numbered, .. } => {
            if let Element::Number(n) = element(last) {
                let at = numbered.partition_point(|(number, _)| *number < n);
                if numbered.get(at).is_some_and(|(number, _)| *number == n) {
                    numbered.remove(at);
                }
                numbered[at..].iter_mut().for_each(|(number, _)| *number -= 1);
            }
        }
        _ => {}
    }
}

/// What is at a path, without changing anything; unknown if it cannot be reached.
fn look<'a>(root: &Tree<'a>, path: &[Cow<'a, str>]) -> Tree<'a> {
    let mut at = Cow::Borrowed(root);
    for token in path {
        let next = match (&*at, element(token)) {
            (Tree::Map { entries, .. }, _) => entries.get(token).cloned(),
            (Tree::List { numbered, .. }, Element::Number(n)) => {
                let found = numbered.binary_search_by_key(&n, |(number, _)| *number);
                found.ok().map(|at| numbered[at].1.clone())
            }
            (Tree::Whole(json), _) if json.is_map() => json.get(token).map(Tree::whole),
            (Tree::Whole(json), Element::Number(n)) => {
                json.items().nth(usize::try_from(n).unwrap_or(usize::MAX)).map(Tree::whole)
            }
            _ => None,
        };
        match next {
            Some(next) => at = Cow::Owned(next),
            None => return Tree::Unknown,
        }
    }
    at.into_owned()
}
