//! Values: `docs/semantics.md`, "Values".

use std::collections::BTreeMap;

use dsl::ir::Type;

use super::time;

/// A value of the language.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum V {
    Unknown,
    Absent,
    Bool(bool),
    Number(f64),
    Text(String),
    Time(i64),
    Duration(i64),
    Minute(u16),
    List(Vec<V>, Extent),
    Map(BTreeMap<String, V>, Extent),
    /// Several values, of `[]`.
    Spread(Vec<V>, Extent),
}

/// Whether all there is, is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// There is no more.
    Closed,
    /// There may be more.
    Open,
}

impl Extent {
    /// Open if one of the two is.
    pub(super) fn or(self, other: Self) -> Self {
        if self == Self::Open || other == Self::Open { Self::Open } else { Self::Closed }
    }
}

impl V {
    /// A value that an event carries whole.
    pub(super) fn closed(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Absent,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => n.as_f64().map_or(Self::Absent, Self::Number),
            Json::String(s) => Self::Text(s.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::closed).collect(), Extent::Closed),
            Json::Object(map) => {
                Self::Map(map.iter().map(|(k, v)| (k.clone(), Self::closed(v))).collect(), Extent::Closed)
            }
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(t) = self { Some(t) } else { None }
    }

    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// One key down, where the value is not part of a patch.
    pub(super) fn key(&self, key: &str) -> Self {
        self.step(&Step::Key(key.to_owned()), false)
    }

    /// One step down. `patch`: the value is part of `desired` of a patch.
    pub(super) fn step(&self, step: &Step, patch: bool) -> Self {
        let misfit = if patch { Self::Unknown } else { Self::Absent };
        match (self, step) {
            (Self::Unknown, Step::Each) => Self::Spread(vec![], Extent::Open),
            (Self::Unknown, _) => Self::Unknown,
            (Self::Spread(items, extent), _) => {
                let parts: Vec<V> = items.iter().map(|item| item.step(step, patch)).collect();
                flatten(parts, *extent)
            }
            (Self::List(items, extent), Step::Each) => Self::Spread(items.clone(), *extent),
            (_, Step::Each) => Self::Spread(vec![], Extent::Closed),
            (Self::Absent, _) => Self::Absent,
            (_, Step::Nothing(v)) => v.clone(),
            (Self::Map(map, extent), Step::Key(key)) => match (map.get(key), extent) {
                (Some(value), _) => value.clone(),
                // A policy may have had them left out.
                (None, Extent::Closed) if key == "managedFields" => Self::Unknown,
                (None, Extent::Closed) => Self::Absent,
                (None, Extent::Open) => Self::Unknown,
            },
            (Self::List(items, Extent::Closed), Step::Index(n)) => {
                usize::try_from(*n).ok().and_then(|n| items.get(n)).cloned().unwrap_or(Self::Absent)
            }
            (Self::List(_, Extent::Open), Step::Index(_)) => Self::Unknown,
            _ => misfit,
        }
    }

    /// As a read of that type sees it: texts become times where times are wanted.
    pub(super) fn typed(self, ty: &Type) -> Self {
        match (ty, self) {
            (_, Self::Unknown) => Self::Unknown,
            (_, Self::Spread(items, extent)) => {
                Self::Spread(items.into_iter().map(|v| v.typed(ty)).collect(), extent)
            }
            (Type::Time, Self::Text(t)) => time::parse(&t).map_or(Self::Absent, Self::Time),
            (Type::Time, Self::Time(t)) => Self::Time(t),
            (Type::Time, _) => Self::Absent,
            (Type::List(of), Self::List(items, extent)) => {
                Self::List(items.into_iter().map(|v| v.typed(of)).collect(), extent)
            }
            (Type::Map(of), Self::Map(map, extent)) => {
                Self::Map(map.into_iter().map(|(k, v)| (k, v.typed(of))).collect(), extent)
            }
            (_, other) => other,
        }
    }

    /// The values that it stands for, and whether there may be more: of a spread each, else itself.
    pub(super) fn each(self) -> (Vec<Self>, Extent) {
        match self {
            Self::Spread(items, extent) => (items, extent),
            one => (vec![one], Extent::Closed),
        }
    }
}

/// A spread of spreads is one.
fn flatten(parts: Vec<V>, mut extent: Extent) -> V {
    let mut all = Vec::new();
    for part in parts {
        let (items, more) = part.each();
        extent = extent.or(more);
        all.extend(items);
    }
    V::Spread(all, extent)
}

/// A step down, once what stands in brackets is computed.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Key(String),
    Index(u64),
    Each,
    /// What stands in the brackets is no key and no index: the step gives this.
    Nothing(V),
}
