//! Prints the types of Kubernetes' API, as the crate `k8s-openapi` has them, in the form of `dsl/src/schema/kubernetes.txt`.
//!
//! ```text
//! cargo run --features v1_29            > one.txt
//! cargo run --features v1_37 -- one.txt > kubernetes.txt
//! ```
//!
//! Given a table of another release, it prints the union of both. All versions of a kind stand together: the version is
//! dropped from every name (`io.k8s.api.core.v1.PodSpec` is `core.PodSpec`), a field that any version has is there, and
//! one that two versions give different types is `any`. Descriptions, required fields and formats are left out; the
//! checker asks only which fields there are and what they hold. `docs/schema.md` says why it is done this way.

#[cfg(feature = "newer")]
use k8s_openapi_newer as k8s_openapi;
#[cfg(feature = "older")]
use k8s_openapi_older as k8s_openapi;
#[cfg(feature = "newer")]
use schemars_newer as schemars;
#[cfg(feature = "older")]
use schemars_older as schemars;

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

/// What is done with each kind: group, plural (of a subresource: its name), kind, scope, schema.
type Visitor<'a> = dyn FnMut(&str, &str, &str, &str, &Value) + 'a;

/// Fields of one type: name to type, in the words of the table.
type Fields = BTreeMap<String, String>;

/// What a table holds.
#[derive(Default)]
struct Table {
    objects: BTreeMap<String, Fields>,
    /// `resource PLURAL GROUP KIND SCOPE TYPE`, sorted by whole lines.
    resources: BTreeMap<(String, String), String>,
}

fn main() -> std::io::Result<()> {
    let mut table = Table::default();
    let mut generator = SchemaGenerator::default();
    kinds(&mut generator, &mut |group, plural, kind, scope, schema| {
        let name = table_name(schema);
        table.resources.insert((plural.into(), group.into()), format!("{kind} {scope} {name}"));
    });
    for (name, schema) in generator.definitions() {
        if let Some(fields) = fields(&serde_json::to_value(schema)?) {
            merge(table.objects.entry(short(name)).or_default(), fields);
        }
    }
    free(&mut table);
    for path in std::env::args().skip(1) {
        read(&std::fs::read_to_string(path)?, &mut table);
    }
    print!("{}", write(&table));
    Ok(())
}

/// Calls `visit` for each kind of the release; `build.rs` finds them.
fn kinds(generator: &mut SchemaGenerator, visit: &mut Visitor<'_>) {
    generator.subschema_for::<k8s_openapi::apimachinery::pkg::apis::meta::v1::DeleteOptions>();
    include!(concat!(env!("OUT_DIR"), "/kinds.rs"));
}

fn kind<T: k8s_openapi::Resource + JsonSchema>(generator: &mut SchemaGenerator, visit: &mut Visitor<'_>) {
    let schema = serde_json::to_value(generator.subschema_for::<T>()).unwrap_or_default();
    let scope = match std::any::type_name::<T::Scope>().rsplit("::").next() {
        Some("NamespaceResourceScope") => "namespaced",
        Some("ClusterResourceScope") => "cluster",
        _ => "sub",
    };
    let group = if T::GROUP.is_empty() { "core" } else { T::GROUP };
    visit(group, T::URL_PATH_SEGMENT, T::KIND, scope, &schema);
}

/// The fields of an object type; `None` if it is a scalar, a map or free.
fn fields(schema: &Value) -> Option<Fields> {
    let properties = schema.get("properties")?.as_object()?;
    Some(properties.iter().map(|(name, schema)| (name.clone(), words(schema))).collect())
}

/// A type in the words of the table.
fn words(schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return named(reference.rsplit('/').next().unwrap_or(reference));
    }
    match (schema.get("type").and_then(Value::as_str), schema.get("format").and_then(Value::as_str)) {
        (Some("string"), Some("date-time")) => "time".into(),
        (Some("string"), _) => "text".into(),
        (Some("boolean"), _) => "bool".into(),
        (Some("integer" | "number"), _) => "number".into(),
        (Some("array"), _) => format!("list {}", schema.get("items").map_or("any".into(), words)),
        (Some("object"), _) if schema.get("additionalProperties").is_some_and(Value::is_object) => {
            format!("map {}", words(&schema["additionalProperties"]))
        }
        _ => "any".into(),
    }
}

/// A named type: those that JSON writes as a scalar, or in any form, are none of the table's objects.
fn named(name: &str) -> String {
    match short(name).as_str() {
        "meta.Time" | "meta.MicroTime" => "time".into(),
        "meta.Duration" => "text".into(),
        // These say `string`, but JSON may hold a number.
        "util.IntOrString" | "api.Quantity" => "any".into(),
        short => short.into(),
    }
}

/// `io.k8s.api.rbac.v1.PolicyRule` is `rbac.PolicyRule`.
fn short(name: &str) -> String {
    let rest = name.strip_prefix("io.k8s.").unwrap_or(name);
    let rest = rest.split_once(".pkg.").map_or(rest, |(_, rest)| rest);
    let rest = rest.strip_prefix("apis.").or_else(|| rest.strip_prefix("api.")).unwrap_or(rest);
    // Quantity and IntOrString stand in packages that are no API groups: any prefix will do for them.
    let rest = if rest.starts_with("resource.Quantity") { "api.Quantity" } else { rest };
    let group = rest.split('.').next().unwrap_or(rest);
    let last = rest.rsplit('.').next().unwrap_or(rest);
    format!("{group}.{last}")
}

/// What is named but has no fields of its own is free: RawExtension, FieldsV1, JSON and the like.
fn free(table: &mut Table) {
    let names: std::collections::BTreeSet<_> = table.objects.keys().cloned().collect();
    for ty in table.objects.values_mut().flat_map(BTreeMap::values_mut) {
        let last = ty.rsplit(' ').next().unwrap_or(ty);
        if last.contains('.') && !names.contains(last) {
            *ty = ty.replace(last, "any");
        }
    }
}

fn table_name(schema: &Value) -> String {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .map_or("any".into(), |r| short(r.rsplit('/').next().unwrap_or(r)))
}

fn merge(into: &mut Fields, from: Fields) {
    for (name, ty) in from {
        into.entry(name)
            .and_modify(|old| {
                if *old != ty {
                    *old = "any".into()
                }
            })
            .or_insert(ty);
    }
}

fn read(text: &str, table: &mut Table) {
    let mut object = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(resource) = line.strip_prefix("resource ") {
            let mut parts = resource.splitn(3, ' ');
            if let (Some(plural), Some(group), Some(rest)) = (parts.next(), parts.next(), parts.next()) {
                table.resources.entry((plural.into(), group.into())).or_insert_with(|| rest.into());
            }
        } else if let Some((name, ty)) = line.strip_prefix(' ').and_then(|field| field.split_once(' ')) {
            let fields = table.objects.entry(object.clone()).or_default();
            merge(fields, Fields::from([(name.into(), ty.into())]));
        } else {
            object = line.into();
            table.objects.entry(object.clone()).or_default();
        }
    }
}

fn write(table: &Table) -> String {
    let mut out = String::from(
        "# Generated by `cargo xtask schema` from the crate k8s-openapi (Apache-2.0); see docs/schema.md. Not to be edited.\n",
    );
    for ((plural, group), rest) in &table.resources {
        out += &format!("resource {plural} {group} {rest}\n");
    }
    for (name, fields) in &table.objects {
        out += &format!("{name}\n");
        for (field, ty) in fields {
            out += &format!(" {field} {ty}\n");
        }
    }
    out
}
