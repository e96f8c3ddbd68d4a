//! The events of a test: what is shared with each block laid over it, held to the schema, written as JSON.
//!
//! An event of a test is what the API server would have written, with little said: its level, stage, id and times have
//! values of their own unless the test says others. Two more stand in for what every real event has, and only where the
//! test names a resource: `objectRef.apiGroup`, the first group of one of Kubernetes' own, and `requestURI`, the path that
//! leads to the object. A `null` takes any of them out, and what `given` says. In a body a `null` where there is nothing to
//! take out is itself: a merge patch takes a field away with it, and recorded bodies have it.
//!
//! `cluster` is the one word of a test that is no field of an event: as in a log that a collector brings together from
//! several clusters, it stands on a record around the event.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::report::Report;
use crate::diag::Code;
use crate::ir::{OF_ITS_PLACE, Written};
use crate::limits::NESTING_MAX;
use crate::schema;
use crate::source::Span;
use crate::syntax::ast::{self, EntryKey, ExprKind, Postfix};

/// What names an event's cluster in a test.
pub(crate) const CLUSTER: &str = "cluster";

/// What a test says of an event: `given` with the event's own block laid over it. It keeps the places, so that only what
/// is left of both is held to the schema; a `null` stays in it, to take out what else would be there.
#[derive(Debug, Default)]
pub(crate) struct Said<'e> {
    pub fields: Fields<'e>,
}

pub(crate) type Fields<'e> = BTreeMap<&'e str, Node<'e>>;

/// A value with its places.
#[derive(Debug)]
pub(crate) struct Node<'e> {
    /// Of its key.
    pub key: Span,
    /// Of its value.
    pub span: Span,
    /// How many keys lead to it.
    pub depth: usize,
    pub kind: Kind<'e>,
}

#[derive(Debug)]
pub(crate) enum Kind<'e> {
    Map(Fields<'e>),
    /// A list or a scalar; a `null` that takes out what was there.
    Other(&'e ast::Json),
    /// A `null` where nothing was: in a body it stands for itself, as a merge patch means it.
    Null,
}

/// The resource, group, subresource and verb that a test says.
#[derive(Debug)]
pub(crate) struct About<'s> {
    pub resource: Option<&'s str>,
    pub group: Option<&'s str>,
    pub group_is_said: bool,
    pub namespace: Option<&'s str>,
    pub name: Option<&'s str>,
    pub subresource: Option<&'s str>,
    pub verb: Option<&'s str>,
}

impl<'e> Said<'e> {
    /// Lays a map over what is said already: maps are merged, all else is replaced.
    pub(crate) fn lay(&mut self, over: &'e ast::Map, report: &mut Report) {
        lay(&mut self.fields, over, 0, report);
    }

    pub(crate) fn text(&self, path: &[&str]) -> Option<&'e str> {
        match &self.node(path)?.kind {
            Kind::Other(ast::Json::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn node<'s>(&'s self, path: &[&str]) -> Option<&'s Node<'e>> {
        let (last, front) = path.split_last()?;
        let mut fields = &self.fields;
        for key in front {
            match &fields.get(*key)?.kind {
                Kind::Map(map) => fields = map,
                Kind::Other(_) | Kind::Null => return None,
            }
        }
        fields.get(*last)
    }

    pub(crate) fn about(&self) -> About<'e> {
        let resource = self.text(&["objectRef", "resource"]);
        let group_is_said = self.node(&["objectRef", "apiGroup"]).is_some();
        let own = || Some(*schema::built_in(resource?)?.groups.first()?);
        About {
            resource,
            group: if group_is_said { self.text(&["objectRef", "apiGroup"]) } else { own() },
            group_is_said,
            namespace: self.text(&["objectRef", "namespace"]),
            name: self.text(&["objectRef", "name"]),
            subresource: self.text(&["objectRef", "subresource"]),
            verb: self.text(&["verb"]),
        }
    }

    /// The event, with what was not said put in, but for what it has of its place.
    pub(crate) fn written(&self) -> Written {
        let about = self.about();
        let mut event = Map::new();
        let mut put =
            |key: &str, value: &str| drop(event.insert(key.to_owned(), Json::String(value.to_owned())));
        put("kind", "Event");
        put("apiVersion", "audit.k8s.io/v1");
        put("level", "RequestResponse");
        put("stage", "ResponseComplete");
        if let Some(uri) = uri(&about) {
            put("requestURI", &uri);
        }
        if let Some(group) = about.group.filter(|group| !about.group_is_said && !group.is_empty()) {
            event.insert("objectRef".to_owned(), serde_json::json!({ "apiGroup": group }));
        }
        write(&self.fields, &mut event, false);
        let says = OF_ITS_PLACE.map(|key| self.fields.contains_key(key));
        Written { cluster: event.remove(CLUSTER), event, says }
    }
}

/// Lays a map over fields; `depth` is how deep these are.
pub(crate) fn lay<'e>(under: &mut Fields<'e>, over: &'e ast::Map, depth: usize, report: &mut Report) {
    for entry in &over.entries {
        let Some(keys) = keys(entry, depth, report) else { continue };
        let Some(((last, key), front)) = keys.split_last() else { continue };
        let mut at = &mut *under;
        let span = entry.value.span;
        for (word, key) in front {
            let empty = || Node { key: *key, span, depth, kind: Kind::Map(Fields::new()) };
            let below = at.entry(word).or_insert_with(empty);
            if !matches!(below.kind, Kind::Map(_)) {
                *below = empty();
            }
            let Kind::Map(map) = &mut below.kind else { return };
            at = map;
        }
        let depth = depth + keys.len();
        let key = *key;
        match (&entry.value.node, at.get_mut(last)) {
            (ast::Json::Map(over), Some(Node { kind: Kind::Map(under), .. })) => {
                lay(under, over, depth, report)
            }
            (ast::Json::Map(over), _) => {
                let mut fields = Fields::new();
                lay(&mut fields, over, depth, report);
                at.insert(last, Node { key, span, depth, kind: Kind::Map(fields) });
            }
            (ast::Json::Null, None) => drop(at.insert(last, Node { key, span, depth, kind: Kind::Null })),
            (other, _) => drop(at.insert(last, Node { key, span, depth, kind: Kind::Other(other) })),
        }
    }
}

/// How deep an event of a test may nest: two maps of [`NESTING_MAX`], for dotted keys nest too.
pub(crate) const DEPTH_MAX: usize = 2 * NESTING_MAX;

/// The keys that an entry's key goes down by. `None` if it is no row of keys, or goes too deep; that is reported.
fn keys<'e>(entry: &'e ast::Entry, depth: usize, report: &mut Report) -> Option<Vec<(&'e str, Span)>> {
    let path = match &entry.key {
        EntryKey::Text(text) => return Some(vec![(&text.node, text.span)]),
        EntryKey::Value(ast::Expr { kind: ExprKind::Path(path), .. }) => path,
        EntryKey::Value(expr) => {
            if !matches!(expr.kind, ExprKind::Error) {
                report.error(Code::TestField, expr.span, "a test sets fields by their names");
            }
            return None;
        }
    };
    let mut keys = vec![(path.root.node.as_str(), path.root.span)];
    for part in &path.postfix {
        keys.push(match part {
            Postfix::Field(name) => (&name.node, name.span),
            Postfix::Index(index, span) if matches!(index.kind, ExprKind::Text(_)) => match &index.kind {
                ExprKind::Text(text) => (text.as_str(), *span),
                _ => return None,
            },
            Postfix::Each(span) | Postfix::Index(_, span) => {
                let help = "write a list whole, as in `sourceIPs: [\"10.0.0.1\"]`";
                report.error_help(Code::TestField, *span, "a test sets no single elements", help);
                return None;
            }
        });
    }
    if keys.len() + depth > DEPTH_MAX {
        let message = format!("this goes down more than {DEPTH_MAX} times");
        report.error(Code::NestingTooDeep, path.root.span, message);
        return None;
    }
    Some(keys)
}

/// Writes fields into a map; `null` takes out, but in a body where there is nothing to take out.
fn write(fields: &Fields<'_>, into: &mut Map<String, Json>, body: bool) {
    for (key, node) in fields {
        match &node.kind {
            Kind::Null if body => drop(into.insert((*key).to_owned(), Json::Null)),
            Kind::Null | Kind::Other(ast::Json::Null) => drop(into.remove(*key)),
            Kind::Other(other) => drop(into.insert((*key).to_owned(), json(other, node.depth))),
            Kind::Map(fields) => {
                let mut map = match into.remove(*key) {
                    Some(Json::Object(map)) => map,
                    _ => Map::new(),
                };
                write(fields, &mut map, body || matches!(*key, "requestObject" | "responseObject"));
                into.insert((*key).to_owned(), Json::Object(map));
            }
        }
    }
}

/// A value as it is written in a test. What goes deeper than an event may is left out; that is reported with the types.
pub(crate) fn json(of: &ast::Json, depth: usize) -> Json {
    match of {
        ast::Json::Text(text) => Json::String(text.clone()),
        ast::Json::Number(number) => json_number(*number),
        ast::Json::Bool(truth) => Json::Bool(*truth),
        ast::Json::Null => Json::Null,
        _ if depth > DEPTH_MAX => Json::Null,
        ast::Json::List(items) => Json::Array(items.iter().map(|item| json(&item.node, depth + 1)).collect()),
        ast::Json::Map(map) => {
            let mut fields = Fields::new();
            lay(&mut fields, map, depth, &mut Report::default());
            let mut out = Map::new();
            write(&fields, &mut out, true);
            Json::Object(out)
        }
    }
}

fn json_number(number: f64) -> Json {
    // Whole numbers are written without a fraction, as the API server does.
    if number.fract() == 0.0 && number.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
        return Json::from(number as i64);
    }
    serde_json::Number::from_f64(number).map_or(Json::Null, Json::Number)
}

/// The path of a request for a resource.
fn uri(about: &About<'_>) -> Option<String> {
    let resource = about.resource?;
    let mut path = match about.group {
        None | Some("") => "/api/v1".to_owned(),
        Some(group) => format!("/apis/{}/v1", escape(group)),
    };
    let mut add = |part: &str| {
        path.push('/');
        path.push_str(&escape(part));
    };
    if let Some(namespace) = about.namespace
        && resource != "namespaces"
    {
        add("namespaces");
        add(namespace);
    }
    add(resource);
    let whole = matches!(about.verb, Some("list" | "watch" | "create" | "deletecollection"));
    if let Some(name) = about.name
        && (!whole || about.subresource.is_some())
    {
        add(name);
    }
    if let Some(subresource) = about.subresource {
        add(subresource);
    }
    Some(path)
}

fn escape(part: &str) -> String {
    let mut out = String::new();
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:{}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// As people say it.
pub(crate) fn says(value: &ast::Json) -> &'static str {
    match value {
        ast::Json::Text(_) => "text",
        ast::Json::Number(_) => "a number",
        ast::Json::Bool(_) => "true or false",
        ast::Json::Null => "nothing",
        ast::Json::Map(_) => "a map",
        ast::Json::List(_) => "a list",
    }
}
