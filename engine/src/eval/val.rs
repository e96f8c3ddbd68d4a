//! A value while a condition is evaluated: borrowed from the row, from the plan or from what a match brought, made new
//! only where something is computed. `docs/semantics.md`, "Values".
//!
//! `Json` and `Held` are only ever lists or maps; their scalars are turned into values as they are read, and a `null` is
//! absent from then on.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use crate::event::document::{Json, Node};
use crate::event::instant;
use crate::event::row::{Row, Slot};
use crate::matches::Value;
use crate::plan::expr::Turn;
use crate::planted::planted;

use super::unknown;

/// The entries of a map in the order of the keys' bytes.
pub(crate) type Entries<'a> = Vec<(Cow<'a, str>, Val<'a>)>;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Val<'a> {
    Unknown,
    Absent,
    Bool(bool),
    Number(f64),
    Text(Cow<'a, str>),
    Time(i64),
    Duration(i64),
    Minute(u16),
    Json(Json<'a>),
    Held(&'a Value),
    List(Rc<Vec<Val<'a>>>, bool),
    /// In the order of the keys' bytes.
    Map(Rc<Entries<'a>>, bool),
    /// Several values; marked if there may be more.
    Spread(Vec<Val<'a>>, bool),
}

impl<'a> Val<'a> {
    pub(crate) fn json(json: Json<'a>) -> Self {
        match json.node() {
            Node::Null | Node::DeadKey if json.merge && planted(7) => Self::Unknown,
            Node::Null | Node::DeadKey => Self::Absent,
            Node::Bool(b) => Self::Bool(b),
            Node::Number(n) => Self::Number(n),
            Node::Text { start, len } => Self::Text(Cow::Borrowed(json.doc.text(start, len))),
            Node::List { .. } | Node::Map { .. } => Self::Json(json),
        }
    }

    /// What is in a slot; nothing if it is empty or `null`. A text is read where it stands.
    pub(crate) fn slot(row: &Row<'a>, slot: Slot) -> Option<Self> {
        match row.text(slot) {
            Some(text) => Some(Self::Text(Cow::Borrowed(text))),
            None => row.get(slot).map(Self::json),
        }
    }

    pub(crate) fn held(value: &'a Value) -> Self {
        match value {
            Value::Unknown => Self::Unknown,
            Value::Absent => Self::Absent,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(*n),
            Value::Text(text) => Self::Text(Cow::Borrowed(text)),
            Value::Time(n) => Self::Time(*n),
            Value::Duration(n) => Self::Duration(*n),
            Value::TimeOfDay(m) => Self::Minute(*m),
            Value::List { .. } | Value::Map { .. } => Self::Held(value),
            Value::Spread { items, open } => Self::Spread(items.iter().map(Val::held).collect(), *open),
        }
    }

    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn option(value: Option<Val<'a>>) -> Self {
        value.unwrap_or(Self::Absent)
    }

    pub(crate) fn list(items: Vec<Val<'a>>, open: bool) -> Self {
        Self::List(Rc::new(items), open)
    }

    /// The elements of a list and whether there may be more; nothing if it is no list.
    pub(crate) fn elements(&self) -> Option<(Vec<Val<'a>>, bool)> {
        match self {
            Self::Json(json) if !json.is_map() => Some((json.items().map(Val::json).collect(), json.merge)),
            Self::Held(Value::List { items, open }) => Some((items.iter().map(Val::held).collect(), *open)),
            Self::List(items, open) => Some((items.to_vec(), *open)),
            _ => None,
        }
    }

    /// The entries of a map in the order of the keys' bytes, and whether there may be more; nothing if it is no map.
    pub(crate) fn entries(&self) -> Option<(Entries<'a>, bool)> {
        match self {
            Self::Json(json) if json.is_map() => {
                let mut entries: Vec<_> =
                    json.entries().map(|(key, value)| (Cow::Borrowed(key), Val::json(value))).collect();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                Some((entries, json.merge))
            }
            Self::Held(Value::Map { entries, open }) => {
                let entries = entries.iter().map(|(k, v)| (Cow::Borrowed(&**k), Val::held(v))).collect();
                Some((entries, *open))
            }
            Self::Map(entries, open) => Some((entries.to_vec(), *open)),
            _ => None,
        }
    }

    /// Whether it is a list or map of which more may be than is known.
    pub(crate) fn open(&self) -> bool {
        match self {
            Self::Json(json) => json.merge,
            Self::Held(Value::List { open, .. } | Value::Map { open, .. }) => *open,
            Self::List(_, open) | Self::Map(_, open) => *open,
            _ => false,
        }
    }

    pub(crate) fn is_map(&self) -> bool {
        match self {
            Self::Json(json) => json.is_map(),
            Self::Held(Value::Map { .. }) | Self::Map(..) => true,
            _ => false,
        }
    }

    pub(crate) fn is_list(&self) -> bool {
        match self {
            Self::Json(json) => !json.is_map(),
            Self::Held(Value::List { .. }) | Self::List(..) => true,
            _ => false,
        }
    }

    /// One step down by a key. `patch`: the value is a part of `desired` of a patch.
    pub(crate) fn key(&self, key: &str, patch: bool) -> Val<'a> {
        let missing = |open: bool| unknown::val(unknown::missing(key, open));
        match self {
            Self::Unknown => Self::Unknown,
            Self::Absent => Self::Absent,
            Self::Json(json) if json.is_map() => match json.get(key) {
                Some(value) => Val::json(value),
                None => missing(json.merge),
            },
            Self::Held(Value::Map { entries, open }) => {
                match entries.binary_search_by(|(k, _)| (**k).cmp(key)) {
                    Ok(at) => Val::held(&entries[at].1),
                    Err(_) => missing(*open),
                }
            }
            Self::Map(entries, open) => match entries.binary_search_by(|(k, _)| (**k).cmp(key)) {
                Ok(at) => entries[at].1.clone(),
                Err(_) => missing(*open),
            },
            Self::Spread(items, open) => {
                Val::Spread(items.iter().map(|v| v.key(key, patch)).collect(), *open)
            }
            _ => unknown::val(unknown::misfit(patch)),
        }
    }

    /// One step down by an index.
    pub(crate) fn index(&self, n: u64, patch: bool) -> Val<'a> {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Absent => Self::Absent,
            Self::Spread(items, open) => {
                Val::Spread(items.iter().map(|v| v.index(n, patch)).collect(), *open)
            }
            list if list.is_list() => {
                if list.open() {
                    return Val::Unknown;
                }
                let n = usize::try_from(n).unwrap_or(usize::MAX);
                match list {
                    Self::Json(json) => Val::option(json.items().nth(n).map(Val::json)),
                    Self::Held(Value::List { items, .. }) => Val::option(items.get(n).map(Val::held)),
                    Self::List(items, _) => Val::option(items.get(n).cloned()),
                    _ => Val::Absent,
                }
            }
            _ => unknown::val(unknown::misfit(patch)),
        }
    }

    /// `[]`
    pub(crate) fn each(self) -> Val<'a> {
        match self {
            Self::Unknown => Val::Spread(Vec::new(), true),
            Self::Spread(values, mut open) => {
                let mut out = Vec::new();
                for value in values {
                    if let Val::Spread(items, more) = value.each() {
                        out.extend(items);
                        open |= more;
                    }
                }
                Val::Spread(out, open)
            }
            other => match other.elements() {
                Some((items, open)) => Val::Spread(items, open),
                None => Val::Spread(Vec::new(), false),
            },
        }
    }

    /// What a read's type makes of it.
    pub(crate) fn turned(self, turn: &Turn) -> Val<'a> {
        match (turn, self) {
            (Turn::Keep, value) => value,
            (turn, Val::Spread(items, open)) => {
                Val::Spread(items.into_iter().map(|item| item.turned(turn)).collect(), open)
            }
            (_, value @ (Val::Unknown | Val::Absent)) => value,
            (Turn::Time, value @ Val::Time(_)) => value,
            (Turn::Time, Val::Text(text)) => Val::option(instant::parse(&text).map(Val::Time)),
            (Turn::Time, _) => Val::Absent,
            (Turn::Inside(turn), value) => {
                if let Some((items, open)) = value.elements() {
                    return Val::list(items.into_iter().map(|item| item.turned(turn)).collect(), open);
                }
                match value.entries() {
                    Some((entries, open)) => {
                        let turned = entries.into_iter().map(|(key, item)| (key, item.turned(turn)));
                        Val::Map(Rc::new(turned.collect()), open)
                    }
                    None => value,
                }
            }
        }
    }

    /// A value that outlives its event.
    pub(crate) fn to_owned(&self) -> Value {
        match self {
            Self::Unknown => Value::Unknown,
            Self::Absent => Value::Absent,
            Self::Bool(b) => Value::Bool(*b),
            Self::Number(n) => Value::Number(*n),
            Self::Text(text) => Value::Text(Arc::from(&**text)),
            Self::Time(n) => Value::Time(*n),
            Self::Duration(n) => Value::Duration(*n),
            Self::Minute(m) => Value::TimeOfDay(*m),
            Self::Held(value) => (*value).clone(),
            Self::Spread(items, open) => {
                Value::Spread { items: items.iter().map(Val::to_owned).collect(), open: *open }
            }
            Self::Json(_) | Self::List(..) | Self::Map(..) => match (self.elements(), self.entries()) {
                (Some((items, open)), _) => {
                    Value::List { items: items.iter().map(Val::to_owned).collect(), open }
                }
                (None, Some((entries, open))) => {
                    let entries = entries.iter().map(|(key, value)| (Arc::from(&**key), value.to_owned()));
                    Value::Map { entries: entries.collect(), open }
                }
                (None, None) => Value::Absent,
            },
        }
    }
}
