//! Object types and their fields, from the two tables of types.
//!
//! A table is lines: a name at the margin begins an object, each line with a blank in front is a field, `NAME TYPE`,
//! then perhaps `!` (the server leaves the text out when it is empty) or `= VALUE…` (the only values there are). A type is
//! `text`, `number`, `bool`, `time`, `any`, `list TYPE`, `map TYPE` or the name of an object. The list of a kind is not in
//! the tables: it is made here for every kind, under the kind's name with `List` behind.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::resources::BuiltIn;
use crate::ir::Type;

/// One field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its key in JSON.
    pub name: &'static str,
    /// What it holds.
    pub ty: Type,
    /// Text that the server leaves out when it is empty, so that it never equals `""`.
    pub left_out_when_empty: bool,
    /// The only values there are; empty if it may be any.
    pub values: Vec<&'static str>,
}

/// An object type: its name and its fields by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object {
    fields: BTreeMap<&'static str, Field>,
}

impl Object {
    /// Its field of that key.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// All fields, in byte order of their keys.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.values()
    }
}

/// What `.name` of a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookup {
    /// A field that the schema has.
    Field(&'static Field),
    /// An object that has no such field: a mistake.
    Missing(&'static Object),
    /// A map: any key goes, values are of the map's type.
    Key,
    /// Nothing is known of the value, nor of what is in it.
    Any,
    /// A scalar or a list, which has no fields.
    NoFields,
}

/// What `.name` of a value of type `ty` is.
#[must_use]
pub fn field(ty: &Type, name: &str) -> Lookup {
    match ty {
        Type::Object(of) => match object(of) {
            Some(object) => object.field(name).map_or(Lookup::Missing(object), Lookup::Field),
            None => Lookup::Any,
        },
        Type::Map(_) => Lookup::Key,
        Type::Any => Lookup::Any,
        _ => Lookup::NoFields,
    }
}

/// The object type of that name, such as `core.PodSpec`.
#[must_use]
pub fn object(name: &str) -> Option<&'static Object> {
    OBJECTS.get(name)
}

/// The event itself: its fields are the roots of paths, besides the derived ones.
#[must_use]
pub fn event() -> &'static Object {
    static NONE: LazyLock<Object> = LazyLock::new(Object::default);
    object("Event").unwrap_or(&NONE)
}

/// The type of a kind's list.
pub(super) fn list_name(kind: &str) -> String {
    format!("{kind}List")
}

pub(super) const EVENT: &str = include_str!("event.txt");
pub(super) const KUBERNETES: &str = include_str!("kubernetes.txt");

static OBJECTS: LazyLock<BTreeMap<String, Object>> = LazyLock::new(|| {
    let mut objects = BTreeMap::new();
    parse(EVENT, &mut objects);
    parse(KUBERNETES, &mut objects);
    add_lists(&mut objects);
    // The elements of `containers`: an ephemeral container has every field of the others, and one more.
    if let Some(any) = objects.get("core.EphemeralContainer").cloned() {
        objects.insert(super::CONTAINER.into(), any);
    }
    objects
});

fn parse(text: &'static str, objects: &mut BTreeMap<String, Object>) {
    let mut current: Option<&'static str> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix(' ') {
            if let (Some(name), Some(field)) = (current, parse_field(rest)) {
                objects.entry(name.into()).or_default().fields.insert(field.name, field);
            }
        } else if !line.is_empty() && !line.starts_with('#') && !line.starts_with("resource ") {
            current = Some(line);
            objects.entry(line.into()).or_default();
        }
    }
}

/// `NAME TYPE [!|= VALUES]`; `None` of anything else, which the tests refuse.
pub(super) fn parse_field(line: &'static str) -> Option<Field> {
    let (name, rest) = line.split_once(' ')?;
    let (rest, values) = match rest.split_once(" = ") {
        Some((ty, values)) => (ty, values.split(' ').collect()),
        None => (rest, Vec::new()),
    };
    let ty = rest.strip_suffix(" !");
    Some(Field { name, ty: parse_type(ty.unwrap_or(rest))?, left_out_when_empty: ty.is_some(), values })
}

fn parse_type(words: &str) -> Option<Type> {
    if words.is_empty() {
        return None;
    }
    // Types nest two deep at most (`map list text`), so this recursion is bounded by the tables.
    if let Some(of) = words.strip_prefix("list ") {
        return Some(Type::List(Arc::new(parse_type(of)?)));
    }
    if let Some(of) = words.strip_prefix("map ") {
        return Some(Type::Map(Arc::new(parse_type(of)?)));
    }
    Some(match words {
        "text" => Type::Text,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "time" => Type::Time,
        "any" => Type::Any,
        name if !name.contains(' ') => Type::Object(name.into()),
        _ => return None,
    })
}

fn add_lists(objects: &mut BTreeMap<String, Object>) {
    let object = |name: &str| Type::Object(name.into());
    let make = |name, ty| (name, Field { name, ty, left_out_when_empty: false, values: Vec::new() });
    let lists: Vec<_> = super::built_ins()
        .flat_map(BuiltIn::kind_types)
        .map(|kind| {
            let fields = [
                make("apiVersion", Type::Text),
                make("kind", Type::Text),
                make("metadata", object("meta.ListMeta")),
                make("items", Type::List(Arc::new(object(kind)))),
            ];
            (list_name(kind), Object { fields: fields.into() })
        })
        .collect();
    objects.extend(lists);
}
