//! The tables are whole, and say what is known to be so.

use std::sync::Arc;

use super::{table::parse_field, *};
use crate::ir::{BodyKinds, Derived, Type};

fn walk(from: Type, path: &str) -> Option<Type> {
    path.split('.').try_fold(from, |ty, key| match (key, &ty) {
        ("[]", Type::List(of)) => Some((**of).clone()),
        _ => match field(&ty, key) {
            Lookup::Field(field) => Some(field.ty.clone()),
            Lookup::Key => match ty {
                Type::Map(of) => Some((*of).clone()),
                _ => None,
            },
            Lookup::Any => Some(Type::Any),
            Lookup::Missing(_) | Lookup::NoFields => None,
        },
    })
}

fn texts() -> Type {
    Type::List(Arc::new(Type::Text))
}

#[test]
fn every_line_of_the_type_tables_is_a_field_an_object_or_a_comment() {
    for line in table::EVENT.lines().chain(table::KUBERNETES.lines()) {
        match line.strip_prefix(' ') {
            Some(field) => assert!(parse_field(field).is_some(), "no field: {line}"),
            None if line.starts_with('#') || line.starts_with("resource ") => {}
            None => assert!(!line.is_empty() && !line.contains(' '), "no object: {line}"),
        }
    }
}

#[test]
fn every_type_that_a_field_names_is_there() {
    fn check(ty: &Type) {
        match ty {
            Type::List(of) | Type::Map(of) => check(of),
            Type::Object(name) => assert!(object(name).is_some(), "no object {name}"),
            _ => {}
        }
    }
    for line in table::EVENT.lines().chain(table::KUBERNETES.lines()) {
        if let Some(field) = line.strip_prefix(' ').and_then(parse_field) {
            check(&field.ty);
        }
    }
    for derived in &DERIVED {
        check(&derived.ty());
    }
}

#[test]
fn every_line_of_the_resource_table_is_read_and_its_types_exist() {
    let mut rows = 0;
    for line in resources::TABLE.lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix(' ') {
            Some(sub) => assert!(resources::parse_subresource(sub).is_some(), "no subresource: {line}"),
            None => {
                rows += 1;
                assert!(resources::parse_resource(line).is_some(), "no resource: {line}");
            }
        }
    }
    assert_eq!(built_ins().count(), rows);
    for resource in built_ins() {
        assert_eq!(built_in(resource.plural), Some(resource), "twice in the table");
        let subs = resource.subresources.iter().filter_map(|sub| sub.object);
        for name in resource.kind_types().chain(subs) {
            assert!(object(name).is_some(), "{}: no object {name}", resource.plural);
        }
        let subs = resource.subresources.iter().flat_map(|sub| &sub.verbs);
        for verb in resource.verbs.iter().chain(subs) {
            assert!(RESOURCE_VERBS.contains(verb), "{}: no verb {verb}", resource.plural);
        }
    }
}

#[test]
fn the_resource_table_has_every_kind_of_the_generated_one_with_its_group_scope_and_type() {
    let lines: Vec<_> = table::KUBERNETES.lines().filter_map(|line| line.strip_prefix("resource ")).collect();
    assert!(lines.len() > 80);
    for line in lines {
        let parts: Vec<_> = line.split(' ').collect();
        let &[plural, group, kind, scope, ty] = parts.as_slice() else { panic!("{line}") };
        if scope == "sub" {
            continue;
        }
        let group = if group == "core" { "" } else { group };
        let own = built_in(plural).unwrap_or_else(|| panic!("{plural} is not in resources.txt"));
        assert_eq!(
            (own.kind, own.namespaced, own.object_in(group)),
            (kind, scope == "namespaced", Some(ty)),
            "{plural}"
        );
    }
}

#[test]
fn the_event_has_its_fields() {
    let event = Type::Object("Event".into());
    assert_eq!(walk(event.clone(), "user.extra.k"), Some(texts()));
    assert_eq!(walk(event.clone(), "responseStatus.code"), Some(Type::Number));
    assert_eq!(walk(event.clone(), "responseStatus.details.causes.[].message"), Some(Type::Text));
    assert_eq!(walk(event.clone(), "stageTimestamp"), Some(Type::Time));
    assert_eq!(walk(event.clone(), "annotations.x"), Some(Type::Text));
    assert_eq!(walk(event.clone(), "objectRef.nmae"), None);
    let Lookup::Field(reference) = field(&event, "objectRef") else { panic!("objectRef") };
    let Some(object) = (match &reference.ty {
        Type::Object(name) => object(name),
        _ => None,
    }) else {
        panic!("objectRef is no object")
    };
    assert!(object.fields().all(|field| field.left_out_when_empty));
    assert!(super::event().field("verb").is_some_and(|field| field.values.iter().all(|verb| is_verb(verb))));
}

#[test]
fn bodies_are_typed_by_resource_and_verb() {
    let RequestBody::Object(pod) = request_body("pods", "", None, "create") else { panic!("no body") };
    assert_eq!(walk(pod.clone(), "spec.containers.[].securityContext.capabilities.add"), Some(texts()));
    assert_eq!(walk(pod.clone(), "spec.containers.[].resources.limits.memory"), Some(Type::Any));
    assert_eq!(walk(pod.clone(), "metadata.creationTimestamp"), Some(Type::Time));
    assert_eq!(walk(pod, "spec.container"), None);
    let RequestBody::Patch(binding, operations) =
        request_body("clusterrolebindings", "rbac.authorization.k8s.io", None, "patch")
    else {
        panic!("no body")
    };
    assert_eq!(walk(binding, "roleRef.name"), Some(Type::Text));
    assert_eq!(walk(operations, "[].path"), Some(Type::Text));
    assert_eq!(request_body("pods", "", Some("exec"), "create"), RequestBody::Never);
    assert_eq!(request_body("secrets", "", None, "get"), RequestBody::Never);
    let delete = request_body("deployments", "apps", None, "delete");
    let RequestBody::DeleteOptions(options) = delete else { panic!("{delete:?}") };
    assert_eq!(walk(options, "dryRun"), Some(texts()));
    assert_eq!(request_body("issuers", "cert-manager.io", None, "create"), RequestBody::Object(Type::Any));
    let scale = request_body("deployments", "extensions", Some("scale"), "update");
    let RequestBody::Object(scale) = scale else { panic!("{scale:?}") };
    assert_eq!(walk(scale, "spec.replicas"), Some(Type::Number));
    let token = request_body("serviceaccounts", "", Some("token"), "create");
    let RequestBody::Object(token) = token else { panic!("{token:?}") };
    assert_eq!(walk(token, "spec.boundObjectRef.name"), Some(Type::Text));
}

#[test]
fn answers_are_the_object_its_list_or_a_status() {
    let list = response_bodies("secrets", "", None, "list");
    let kinds: Vec<_> = list.each().map(|(kinds, _)| kinds).collect();
    let none = BodyKinds { object: false, list: false, status: false };
    assert_eq!(kinds, [BodyKinds { list: true, ..none }, BodyKinds { status: true, ..none }]);
    let items = list.list.and_then(|list| walk(list, "items.[].metadata.name"));
    assert_eq!(items, Some(Type::Text));
    assert!(response_bodies("secrets", "", None, "get").object.is_some());
    let events = response_bodies("events", "events.k8s.io", None, "create").object;
    assert_eq!(events.and_then(|event| walk(event, "regarding.kind")), Some(Type::Text));
    assert_eq!(response_bodies("pods", "", Some("eviction"), "create").object, None);
}

#[test]
fn names_lead_to_resources() {
    assert_eq!(long_name("po"), Some("pods"));
    assert_eq!(long_name("Deployment"), Some("deployments"));
    assert_eq!(long_name("clusterrole"), Some("clusterroles"));
    assert_eq!(long_name("gateways"), None);
    assert_eq!(built_in("deployments").map(|d| d.groups.clone()), Some(vec!["apps", "extensions"]));
    assert!(resources_with_subresource("scale").count() >= 4);
    assert!(subresource_names().contains(&"ephemeralcontainers"));
    let namespaces = built_in("namespaces").expect("built in");
    assert!(!namespaces.verbs.contains(&"deletecollection"));
    for (plural, sub) in WORKLOADS {
        let resource = built_in(plural).expect("built in");
        assert!(sub.is_none_or(|sub| resource.subresource(sub).is_some()));
    }
}

#[test]
fn derived_fields_and_functions_are_found_by_name() {
    let program = derived(&["client", "program"]).expect("client.program");
    assert_eq!(program.field, Derived::ClientProgram);
    assert_eq!(derived(&["object", "kind"]).map(|d| d.field), None);
    let containers = derived(&["containers"]).expect("containers").ty();
    assert_eq!(walk(containers, "[].targetContainerName"), Some(Type::Text));
    assert_eq!(function("weekday").map(|f| (f.params.len(), f.required)), Some((2, 1)));
    assert!(FUNCTIONS.iter().all(|f| f.required <= f.params.len()));
}

#[test]
fn no_field_of_an_event_is_a_reserved_word() {
    assert!(event().fields().all(|field| !crate::syntax::is_reserved(field.name)));
}
