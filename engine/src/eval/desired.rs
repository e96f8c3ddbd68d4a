//! What a request asks the object to be. `docs/semantics.md`, "`desired` of a patch".
//!
//! A merge or strategic patch is its own document, read as open maps and lists. A JSON patch is laid over an unknown
//! value, operation by operation; what it puts in is borrowed from the document and whole.
//!
//! A hostile patch could build depth or size that no object has (`copy` into itself doubles), and an operation that makes
//! us give up would hide all others. So nothing is given up that the API server would accept. Values live in an arena and
//! hold each other by number: a move costs nothing, and no walk but the last recurses, which takes what stands deeper than
//! [`PATCH_DEPTH_MAX`] for unknown and no more. What all copies may take is more than the API server lets a patch copy
//! ([`PATCH_COPIED_MAX`]), as is the number of operations ([`PATCH_OPERATIONS_MAX`]).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::event::document::{Json, Node};
use crate::event::row::Row;
use crate::limits::{PATCH_COPIED_MAX, PATCH_DEPTH_MAX, PATCH_OPERATIONS_MAX, PATCH_REMOVED_MAX};
use crate::planted::planted;

use super::unknown;
use super::val::Val;

pub(super) fn desired<'a>(row: &Row<'a>) -> Val<'a> {
    let Ok(body) = unknown::asked(row) else { return Val::Unknown };
    match body.node() {
        Node::Null => Val::Absent,
        Node::List { .. } => json_patch(body),
        _ => Val::Json(Json { merge: row.verb() == "patch", ..body }),
    }
}

/// The number of a value in [`Patched::trees`].
type Id = usize;

/// A value while a patch is laid over it. Each is part of no more than one other.
#[derive(Clone, Debug)]
enum Tree<'a> {
    Unknown,
    /// What an operation took away, or put in without a value.
    Absent,
    /// As the patch gave it: whole. A `null` too.
    Whole(Json<'a>),
    Map {
        entries: BTreeMap<Cow<'a, str>, Id>,
        open: bool,
    },
    /// Open; elements with their numbers in their order, those without behind, in order of arrival.
    List {
        numbered: Vec<(u64, Id)>,
        others: Vec<Id>,
    },
}

/// What a patch makes of an object.
struct Patched<'a> {
    trees: Vec<Tree<'a>>,
    root: Id,
    /// How many values and keys may still be copied.
    copies_left: usize,
    /// And keys that operations took away.
    removed_left: usize,
}

fn json_patch(body: Json<'_>) -> Val<'_> {
    let mut object = Patched {
        trees: vec![Tree::Unknown],
        root: 0,
        copies_left: PATCH_COPIED_MAX,
        removed_left: PATCH_REMOVED_MAX,
    };
    for (number, operation) in body.items().enumerate() {
        if number == PATCH_OPERATIONS_MAX {
            return Val::Unknown;
        }
        let text = |key: &str| operation.get(key).and_then(Json::as_text);
        let (Some(op), Some(path)) = (text("op"), text("path")) else { continue };
        let Some(path) = tokens(path) else { continue };
        let from = || text("from").and_then(tokens);
        match op {
            "add" | "replace" => {
                let value = operation.get("value").map_or(Tree::Absent, Tree::Whole);
                let value = object.new_tree(value);
                object.put(&path, value, op == "add");
            }
            "remove" => _ = object.take(&path),
            "move" => {
                let taken = from().and_then(|from| object.take(&from));
                let value = taken.unwrap_or_else(|| object.new_tree(Tree::Unknown));
                object.put(&path, value, true);
            }
            "copy" => {
                let value = object.copied(from().as_deref());
                object.put(&path, value, true);
            }
            _ => {}
        }
    }
    object.val(object.root, PATCH_DEPTH_MAX)
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

/// What a copy is of.
#[derive(Clone, Copy)]
enum Found<'a> {
    Tree(Id),
    /// A part of what the patch gave.
    Part(Json<'a>),
}

impl<'a> Patched<'a> {
    fn new_tree(&mut self, tree: Tree<'a>) -> Id {
        self.trees.push(tree);
        self.trees.len() - 1
    }

    /// What has become of it; an opened list or map so many tokens down is unknown. Nothing is left behind.
    fn val(&mut self, id: Id, depth: usize) -> Val<'a> {
        match std::mem::replace(&mut self.trees[id], Tree::Unknown) {
            Tree::Unknown => Val::Unknown,
            Tree::Absent => Val::Absent,
            Tree::Whole(json) => Val::json(json),
            Tree::Map { .. } | Tree::List { .. } if depth == 0 => Val::Unknown,
            Tree::Map { entries, open } => {
                let entries = entries.into_iter().map(|(key, id)| (key, self.val(id, depth - 1)));
                Val::Map(Rc::new(entries.collect()), open)
            }
            Tree::List { numbered, others } => {
                let items = numbered.into_iter().map(|(_, id)| id).chain(others);
                Val::list(items.map(|id| self.val(id, depth - 1)).collect(), true)
            }
        }
    }

    /// Makes it something that can be walked through or changed, as `token` wants it. A list is open from then on.
    fn open(&mut self, id: Id, token: &str) {
        let opened = match self.trees[id] {
            Tree::Unknown => match element(token) {
                Element::Other => Tree::Map { entries: BTreeMap::new(), open: true },
                _ => Tree::List { numbered: Vec::new(), others: Vec::new() },
            },
            Tree::Whole(json) if json.is_map() => {
                let entries = json
                    .entries()
                    .map(|(key, value)| (Cow::Borrowed(key), self.new_tree(Tree::Whole(value))));
                Tree::Map { entries: entries.collect(), open: false }
            }
            Tree::Whole(json) if matches!(json.node(), Node::List { .. }) => {
                let numbered = (0..).zip(json.items().map(|item| self.new_tree(Tree::Whole(item)))).collect();
                Tree::List { numbered, others: Vec::new() }
            }
            _ => return,
        };
        self.trees[id] = opened;
    }

    /// One step down, on the way to the parent of a change; nothing if the operation ends there.
    fn step(&mut self, id: Id, token: &str) -> Option<Id> {
        self.open(id, token);
        let new = self.trees.len();
        let next = match &mut self.trees[id] {
            Tree::Map { entries, open: false } => *entries.get(token)?,
            Tree::Map { entries, open: true } => *entries.entry(Cow::Owned(token.to_owned())).or_insert(new),
            Tree::List { numbered, .. } => {
                let Element::Number(n) = element(token) else { return None };
                let at = numbered.binary_search_by_key(&n, |(number, _)| *number).unwrap_or_else(|at| {
                    numbered.insert(at, (n, new));
                    at
                });
                numbered[at].1
            }
            _ => return None,
        };
        if next == new {
            self.trees.push(Tree::Unknown);
        }
        Some(next)
    }

    /// The parent of what a path names, opened for its last token; nothing if the operation ends on the way.
    fn parent(&mut self, front: &[Cow<'a, str>], last: &str) -> Option<Id> {
        let mut at = self.root;
        for token in front {
            at = self.step(at, token)?;
        }
        self.open(at, last);
        Some(at)
    }

    fn put(&mut self, path: &[Cow<'a, str>], value: Id, add: bool) {
        let Some((last, front)) = path.split_last() else {
            self.root = value;
            return;
        };
        let Some(at) = self.parent(front, last) else { return };
        match &mut self.trees[at] {
            Tree::Map { entries, .. } => _ = entries.insert(last.clone(), value),
            Tree::List { numbered, others } => match element(last) {
                Element::Number(n) => match numbered.binary_search_by_key(&n, |(number, _)| *number) {
                    Ok(at) if !add || planted(6) => numbered[at].1 = value,
                    Ok(at) | Err(at) => {
                        if add {
                            let behind = numbered[at..].iter_mut();
                            behind.for_each(|(number, _)| *number = number.saturating_add(1));
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

    /// Takes away what is at a path; gives it if it is known.
    fn take(&mut self, path: &[Cow<'a, str>]) -> Option<Id> {
        let absent = self.new_tree(Tree::Absent);
        let Some((last, front)) = path.split_last() else {
            return Some(std::mem::replace(&mut self.root, absent));
        };
        let at = self.parent(front, last)?;
        match &mut self.trees[at] {
            Tree::Map { entries, open } if *open || entries.contains_key(last) => {
                entries.insert(last.clone(), absent)
            }
            Tree::List { numbered, .. } => {
                let Element::Number(n) = element(last) else { return None };
                let at = numbered.partition_point(|(number, _)| *number < n);
                let there = numbered.get(at).is_some_and(|(number, _)| *number == n);
                let taken = there.then(|| numbered.remove(at).1);
                numbered[at..].iter_mut().for_each(|(number, _)| *number -= 1);
                taken
            }
            _ => None,
        }
    }

    /// What is at a path, without changing anything; nothing if it cannot be reached.
    fn look(&self, path: &[Cow<'a, str>]) -> Option<Found<'a>> {
        let within = |json: Json<'a>, token: &str| match element(token) {
            _ if json.is_map() => json.get(token),
            Element::Number(n) => json.items().nth(usize::try_from(n).unwrap_or(usize::MAX)),
            _ => None,
        };
        path.iter().try_fold(Found::Tree(self.root), |at, token| {
            let Found::Tree(id) = at else {
                let Found::Part(json) = at else { return None };
                return within(json, token).map(Found::Part);
            };
            match (&self.trees[id], element(token)) {
                (Tree::Map { entries, .. }, _) => entries.get(token).copied().map(Found::Tree),
                (Tree::List { numbered, .. }, Element::Number(n)) => {
                    let found = numbered.binary_search_by_key(&n, |(number, _)| *number);
                    found.ok().map(|at| Found::Tree(numbered[at].1))
                }
                (Tree::Whole(json), _) => within(*json, token).map(Found::Part),
                _ => None,
            }
        })
    }

    /// A copy of what is at a path; unknown if that cannot be reached, or is more than may be copied.
    fn copied(&mut self, from: Option<&[Cow<'a, str>]>) -> Id {
        match from.and_then(|from| self.look(from)) {
            Some(Found::Tree(id)) => self.copy(id),
            Some(Found::Part(json)) => {
                let whole = self.new_tree(Tree::Whole(json));
                self.copy(whole)
            }
            None => self.new_tree(Tree::Unknown),
        }
    }

    fn copy(&mut self, id: Id) -> Id {
        let copy = self.new_tree(Tree::Unknown);
        let Some((values, removed)) = self.size(id) else {
            // It may have taken long to find that out: never again.
            self.copies_left = 0;
            return copy;
        };
        self.copies_left -= values;
        let with_removed = removed <= self.removed_left;
        self.removed_left = if with_removed { self.removed_left - removed } else { 0 };
        let mut rest = vec![(id, copy)];
        while let Some((from, to)) = rest.pop() {
            let mut next = self.trees.len();
            let mut part = |of: Id| {
                rest.push((of, next));
                next += 1;
                next - 1
            };
            let made = match &self.trees[from] {
                Tree::Map { entries, open } => {
                    let kept = entries
                        .iter()
                        .filter(|(_, id)| with_removed || !matches!(self.trees[**id], Tree::Absent));
                    Tree::Map {
                        entries: kept.map(|(key, id)| (key.clone(), part(*id))).collect(),
                        open: *open,
                    }
                }
                Tree::List { numbered, others } => Tree::List {
                    numbered: numbered.iter().map(|(number, id)| (*number, part(*id))).collect(),
                    others: others.iter().map(|id| part(*id)).collect(),
                },
                scalar => scalar.clone(),
            };
            self.trees[to] = made;
            self.trees.resize(next, Tree::Unknown);
        }
        copy
    }

    /// How many values and keys a copy of it has, and how many keys that operations took away; nothing if it is more than
    /// may be copied.
    fn size(&self, id: Id) -> Option<(usize, usize)> {
        let (mut values, mut removed) = (0, 0);
        let mut rest = vec![id];
        while let Some(id) = rest.pop() {
            values += match &self.trees[id] {
                Tree::Unknown | Tree::Absent => 1,
                Tree::Whole(json) => (json.doc.after(json.at) - json.at) as usize,
                Tree::Map { entries, .. } => {
                    let kept = |id: &&Id| !matches!(self.trees[**id], Tree::Absent);
                    let before = rest.len();
                    rest.extend(entries.values().filter(kept));
                    let keys = rest.len() - before;
                    removed += entries.len() - keys;
                    1 + keys
                }
                Tree::List { numbered, others } => {
                    rest.extend(numbered.iter().map(|(_, id)| id).chain(others));
                    1
                }
            };
            if values > self.copies_left {
                return None;
            }
        }
        Some((values, removed))
    }
}
