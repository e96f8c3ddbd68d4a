//! What a test says of an event, held to the schema: unknown fields, values that a field cannot have.

use super::bodies::Bodies;
use super::constant;
use super::event::{CLUSTER, DEPTH_MAX, Fields, Kind, Node, Said, lay, says};
use super::report::Report;
use super::text;
use super::ty::{Dead, Facts, Ty};
use crate::diag::{Code, Diagnostic, nearest};
use crate::ir::Type;
use crate::schema;
use crate::source::Span;
use crate::syntax::ast;

/// Holds what a test says of an event to the schema.
pub(crate) struct Checker<'r, 'v> {
    pub report: &'r mut Report,
    /// Verbs that the rule has in quotes: no event is known to have them, and yet this rule's may.
    pub verbs: &'v [String],
}

impl Checker<'_, '_> {
    /// Every field must be one of an event, every value of its field's type; bodies are those of the request.
    pub(crate) fn check(&mut self, said: &Said<'_>) {
        let about = said.about();
        let bodies = match (about.resource, about.verb) {
            (Some(resource), Some(verb)) if schema::is_verb(verb) => {
                Bodies::of_request(resource, about.group.unwrap_or_default(), about.subresource, verb)
            }
            _ => Bodies::untyped(),
        };
        let cut_down = said.text(&["responseObject", "kind"]).is_some_and(is_cut_down);
        for (key, node) in &said.fields {
            if *key == CLUSTER {
                self.node(&Type::Text.into(), Facts::default(), key, node);
                continue;
            }
            let Some(field) = schema::event().field(key) else {
                self.no_field(key, node);
                continue;
            };
            let any = Facts::default();
            let (ty, facts) = match (field.name, &node.kind) {
                ("requestObject", _) => (bodies.request.clone(), any),
                ("responseObject", _) if cut_down => (Ty::any(), any),
                ("responseObject", _) => (Ty::union(bodies.responses().map(|(_, ty)| ty.clone())), any),
                ("verb", Kind::Other(ast::Json::Text(verb))) if self.verbs.contains(verb) => {
                    (Type::Text.into(), any)
                }
                _ => (field.ty.clone().into(), Facts { left_out: false, values: &field.values }),
            };
            self.node(&ty, facts, key, node);
        }
    }

    fn no_field(&mut self, first: &str, node: &Node<'_>) {
        let diagnostic =
            Diagnostic::new(Code::TestField, node.key, format!("an event has no field `{first}`"));
        let below = match &node.kind {
            Kind::Map(fields) => fields.iter().next(),
            Kind::Other(_) | Kind::Null => None,
        };
        let words: Vec<&str> = std::iter::once(first).chain(below.map(|(key, _)| *key)).collect();
        let near = nearest(first, schema::event().fields().map(|field| field.name));
        self.report.add(if let Some(derived) = schema::derived(&words) {
            let whole = derived.path.join(".");
            let message = format!("`{whole}` is computed from an event and is no field of it");
            let last = below.filter(|_| derived.path.len() > 1).map_or(node.key, |(_, node)| node.key);
            let span = if last.start >= node.key.start { node.key.to(last) } else { node.key };
            Diagnostic::new(Code::TestField, span, message).help(source_of(&whole))
        } else if let Some(near) = near {
            diagnostic.help(format!("did you mean `{near}`?"))
        } else if first.contains('.') {
            diagnostic.help(format!("in quotes it is one key; write it without them to go down: `{first}`"))
        } else {
            diagnostic
        });
    }

    fn node(&mut self, ty: &Ty, facts: Facts, front: &str, node: &Node<'_>) {
        match &node.kind {
            Kind::Other(value) => self.value(ty, facts, front, value, node.span, node.depth),
            Kind::Map(fields) => self.fields(ty, front, fields, node.span),
            // Of any type.
            Kind::Null => {}
        }
    }

    fn fields(&mut self, ty: &Ty, front: &str, fields: &Fields<'_>, span: Span) {
        if !ty.may(|ty| matches!(ty, Type::Map(_) | Type::Object(_))) {
            let first = fields.values().next();
            let span = first.filter(|node| node.key.start < span.start).map_or(span, |node| node.key);
            let message = format!("`{front}` is {}, not a map", ty.says());
            return self.report.error(Code::TestValue, span, message);
        }
        for (key, node) in fields {
            // What is taken out need not be there.
            if matches!(node.kind, Kind::Other(ast::Json::Null)) {
                continue;
            }
            match ty.field(key) {
                Ok((ty, facts)) => self.node(&ty, facts, &format!("{front}.{key}"), node),
                Err(Dead::Field(others)) => {
                    let near = nearest(key, others.iter().copied());
                    let message = format!("`{front}` has no field `{key}`");
                    self.report.error_near(Code::TestField, node.key, message, near);
                }
                Err(_) => {
                    let message = format!("`{front}` is {} and has no field `{key}`", ty.says());
                    self.report.error(Code::TestField, node.key, message);
                }
            }
        }
    }

    fn value(&mut self, ty: &Ty, facts: Facts, front: &str, value: &ast::Json, span: Span, depth: usize) {
        if depth > DEPTH_MAX {
            let message = format!("this event nests more than {DEPTH_MAX} deep");
            return self.report.error(Code::NestingTooDeep, span, message);
        }
        let good = match value {
            ast::Json::Null => true,
            ast::Json::Text(word) => return self.text(ty, facts, front, word, span),
            ast::Json::Number(_) => ty.may(|ty| *ty == Type::Number),
            ast::Json::Bool(_) => ty.may(|ty| *ty == Type::Bool),
            ast::Json::List(items) => match ty.element() {
                Ok(element) => {
                    let front = format!("{front}[]");
                    for item in items {
                        self.value(&element, Facts::default(), &front, &item.node, item.span, depth + 1);
                    }
                    true
                }
                Err(_) => false,
            },
            ast::Json::Map(map) => {
                let mut fields = Fields::new();
                lay(&mut fields, map, depth, self.report);
                self.fields(ty, front, &fields, span);
                true
            }
        };
        if !good {
            let message = format!("`{front}` is {}, not {}", ty.says(), says(value));
            self.report.error(Code::TestValue, span, message);
        }
    }

    fn text(&mut self, ty: &Ty, facts: Facts, front: &str, word: &str, span: Span) {
        if ty.may(|ty| *ty == Type::Text) {
            if facts.values.is_empty() || facts.values.contains(&word) {
                return;
            }
            let message = format!("`{front}` is never `{}`", text::quoted(word));
            let help = match nearest(word, facts.values.iter().copied()) {
                Some(near) => format!("did you mean `\"{near}\"`?"),
                None => format!("it is one of {}", facts.values.join(", ")),
            };
            return self.report.error_help(Code::TestValue, span, message, help);
        }
        if ty.may(|ty| *ty == Type::Time) {
            if constant::parse_time(word).is_none() {
                let message = format!("`{front}` is a time, and `{word}` is none");
                self.report.error_help(
                    Code::TestValue,
                    span,
                    message,
                    "write it as `\"2026-01-05T08:00:00Z\"`",
                );
            }
            return;
        }
        self.report.error(Code::TestValue, span, format!("`{front}` is {}, not text", ty.says()));
    }
}

/// Whether a response is a table or only metadata, which the schema of the resource does not have.
fn is_cut_down(kind: &str) -> bool {
    kind == "Table" || kind.starts_with("PartialObjectMetadata")
}

/// What to set so that a derived field has a value.
fn source_of(derived: &str) -> &'static str {
    match derived {
        "desired" | "pod_spec" | "containers" | "csr_common_name" | "csr_organizations" => {
            "set `requestObject`"
        }
        "object.name" => "set `objectRef.name`",
        "source_ip" | "peer_ip" => "set `sourceIPs`",
        "client.program" | "client.version" => "set `userAgent`",
        "credential.id" | "credential.node" | "credential.pod" => "set `user.extra`",
        "exec_args" | "exec_command" | "exec_container" | "dry_run" => "set `requestURI`",
        "decision" => "set `annotations[\"authorization.k8s.io/decision\"]`",
        _ => "it cannot be set in a test",
    }
}
