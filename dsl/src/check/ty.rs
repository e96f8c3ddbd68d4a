//! Types as the checker needs them: a value may be of several, and a mistake has none.
//!
//! A rule on `deployments, statefulsets` reads bodies of two kinds, a patch's body is an object or a list: so a type here is
//! a row of the IR's types, and a path is right if it is in one of them. The empty row is the type of what has been
//! reported already; everything goes with it, so one mistake is told once. [`Type::Any`] swallows all others: where
//! nothing is known, nothing can be refused.

use std::collections::BTreeSet;

use crate::ir::Type;
use crate::schema::{self, Lookup};

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ty {
    members: Vec<Type>,
    /// It may stand in a strategic merge patch, whose objects and maps have keys of their own that begin with `$` and say
    /// how to merge: `$patch`, `$retainKeys`, `$setElementOrder/containers`.
    directed: bool,
}

/// What is known of a text beyond its type.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    /// The server leaves it out when it is empty, so it never equals `""`.
    pub left_out: bool,
    /// The only values there are; empty if it may be any.
    pub values: &'static [&'static str],
}

/// Why a path goes nowhere.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dead {
    /// Objects, none of which has such a field; those that they have.
    Field(BTreeSet<&'static str>),
    /// What stands in front has no fields: a scalar or, `true`, a list.
    NoFields(bool),
    /// What stands in front is no list.
    NoList,
}

impl Ty {
    /// Of what has been reported.
    pub(crate) fn poison() -> Self {
        Self { members: Vec::new(), directed: false }
    }

    /// As it stands in a patch.
    pub(crate) fn of_patch(self) -> Self {
        Self { directed: true, ..self }
    }

    pub(crate) fn any() -> Self {
        Type::Any.into()
    }

    pub(crate) fn is_poison(&self) -> bool {
        self.members.is_empty()
    }

    /// Whether nothing is known of it, be it for a mistake.
    pub(crate) fn is_open(&self) -> bool {
        self.is_poison() || self.members.contains(&Type::Any)
    }

    pub(crate) fn members(&self) -> &[Type] {
        &self.members
    }

    /// All that any of them may be.
    pub(crate) fn union(all: impl IntoIterator<Item = Self>) -> Self {
        let (mut members, mut directed) = (Vec::new(), false);
        for ty in all {
            directed |= ty.directed;
            for member in ty.members {
                if !members.contains(&member) {
                    members.push(member);
                }
            }
        }
        if members.contains(&Type::Any) { Self::any() } else { Self { members, directed } }
    }

    /// Whether it may be what `is` says; what is open may.
    pub(crate) fn may(&self, is: impl Fn(&Type) -> bool) -> bool {
        self.is_open() || self.members.iter().any(is)
    }

    /// Whether `==` between them may ever be true.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.may(|one| other.may(|two| alike(one, two)))
    }

    /// As the IR has it: what is of several types is of none that is known.
    pub(crate) fn lowered(&self) -> Type {
        match self.members.as_slice() {
            [one] => one.clone(),
            _ => Type::Any,
        }
    }

    /// As people say it: `text`, `a number`.
    pub(crate) fn says(&self) -> String {
        let mut words: Vec<&str> = Vec::new();
        for member in &self.members {
            let word = says(member);
            if !words.contains(&word) {
                words.push(word);
            }
        }
        words.join(" or ")
    }

    /// Of an element.
    pub(crate) fn element(&self) -> Result<Self, Dead> {
        if self.is_open() {
            return Ok(self.clone());
        }
        let of = self.members.iter().filter_map(|member| match member {
            Type::List(of) => Some(Self::from((**of).clone())),
            _ => None,
        });
        let element = Self::union(of);
        if element.is_poison() { Err(Dead::NoList) } else { Ok(element.below(self)) }
    }

    /// Of `.name` or `["name"]`.
    pub(crate) fn field(&self, name: &str) -> Result<(Self, Facts), Dead> {
        if self.is_open() {
            return Ok((self.clone(), Facts::default()));
        }
        if self.directed && name.starts_with('$') && self.members.iter().any(is_directed) {
            return Ok((Self::any(), Facts::default()));
        }
        let mut found = Vec::new();
        let mut facts: Option<Facts> = None;
        let mut others = BTreeSet::new();
        for member in &self.members {
            let these = match schema::field(member, name) {
                Lookup::Field(field) => {
                    found.push(Self::from(field.ty.clone()));
                    Facts { left_out: field.left_out_when_empty, values: &field.values }
                }
                Lookup::Missing(object) => {
                    others.extend(object.fields().map(|field| field.name));
                    continue;
                }
                Lookup::Key => {
                    found.push(self.value_of_maps());
                    Facts::default()
                }
                Lookup::Any => {
                    found.push(Self::any());
                    Facts::default()
                }
                Lookup::NoFields => continue,
            };
            facts = Some(facts.map_or(these, |all| if all == these { all } else { Facts::default() }));
        }
        if !found.is_empty() {
            return Ok((Self::union(found).below(self), facts.unwrap_or_default()));
        }
        if others.is_empty() {
            return Err(Dead::NoFields(self.members.iter().any(|member| matches!(member, Type::List(_)))));
        }
        Err(Dead::Field(others))
    }

    /// Of `[sum]`, where the sum is of type `key`.
    pub(crate) fn computed(&self, key: &Self) -> Result<Self, Dead> {
        if self.is_open() {
            return Ok(self.clone());
        }
        let mut found = Vec::new();
        if key.may(|ty| *ty == Type::Text) {
            found.push(self.value_of_maps());
            if self.members.iter().any(|member| matches!(member, Type::Object(_))) {
                found.push(Self::any());
            }
        }
        if key.may(|ty| *ty == Type::Number) {
            found.extend(self.element());
        }
        let value = Self::union(found);
        if !value.is_poison() {
            return Ok(value.below(self));
        }
        let list = self.members.iter().any(|member| matches!(member, Type::List(_)));
        if list || !key.may(|ty| *ty == Type::Text) {
            return Err(if list { Dead::NoFields(true) } else { Dead::NoList });
        }
        Err(Dead::NoFields(false))
    }

    /// As a part of that.
    fn below(self, whole: &Self) -> Self {
        Self { directed: whole.directed, ..self }
    }

    fn value_of_maps(&self) -> Self {
        Self::union(self.members.iter().filter_map(|member| match member {
            Type::Map(of) => Some(Self::from((**of).clone())),
            _ => None,
        }))
    }
}

impl From<Type> for Ty {
    fn from(ty: Type) -> Self {
        Self { members: vec![ty], directed: false }
    }
}

/// Whether it may hold directives where it stands in a patch: an operation of a JSON patch has none.
fn is_directed(ty: &Type) -> bool {
    match ty {
        Type::Object(name) => &**name != schema::OPERATION,
        Type::Map(_) => true,
        _ => false,
    }
}

/// Whether values of the two may be equal.
fn alike(one: &Type, two: &Type) -> bool {
    match (one, two) {
        (Type::Any, _) | (_, Type::Any) => true,
        // The schema nests lists and maps two deep at most.
        (Type::List(one), Type::List(two)) | (Type::Map(one), Type::Map(two)) => alike(one, two),
        (Type::Map(_) | Type::Object(_), Type::Map(_) | Type::Object(_)) => true,
        _ => one == two,
    }
}

fn says(ty: &Type) -> &'static str {
    match ty {
        Type::Bool => "true or false",
        Type::Number => "a number",
        Type::Text => "text",
        Type::Time => "a time",
        Type::Duration => "a duration",
        Type::TimeOfDay => "a time of day",
        Type::List(_) => "a list",
        Type::Map(_) => "a map",
        Type::Object(_) => "an object",
        Type::Any => "untyped",
    }
}

/// One value, for a key, an order or a text: no list, no map, no object.
pub(crate) fn is_single(ty: &Type) -> bool {
    !matches!(ty, Type::List(_) | Type::Map(_) | Type::Object(_))
}
