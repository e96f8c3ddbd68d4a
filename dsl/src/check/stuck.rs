//! What is said of a path that leads nowhere, with the nearest word that would lead somewhere.

use std::collections::BTreeSet;

use super::lower::{Lower, Role};
use super::names;
use super::text;
use super::ty::Dead;
use super::walk::{Down, Stuck};
use crate::diag::{Code, Diagnostic, nearest};
use crate::ir::Segment;
use crate::schema;
use crate::syntax::ast::{self, Path, Postfix};

impl Lower<'_, '_> {
    /// Reports where a path stops.
    pub(crate) fn stuck(&mut self, begin: &str, of: &str, downs: &[Down], (at, ty, dead): &Stuck) {
        let mut front = begin.to_owned();
        for down in &downs[..*at] {
            match &down.segment {
                Segment::Key(name) if is_word(name) => front.push_str(&format!(".{name}")),
                Segment::Key(name) => front.push_str(&format!("[{}]", text::quoted(name))),
                Segment::Index(at) => front.push_str(&format!("[{at}]")),
                Segment::Computed(_) => front.push_str("[..]"),
                Segment::Each => front.push_str("[]"),
            }
        }
        let down = &downs[*at];
        let name = match &down.segment {
            Segment::Key(name) => name.clone(),
            _ => String::new(),
        };
        match dead {
            Dead::Field(others) => {
                let (code, of) = if of.is_empty() {
                    (Code::UnknownField, String::new())
                } else {
                    (Code::UnknownPath, format!(" in the bodies of {of}"))
                };
                let near =
                    nearest(&name, others.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                let mut diagnostic =
                    Diagnostic::new(code, down.span, format!("`{front}` has no field `{name}`{of}"));
                if let Some(help) = near.or_else(|| few(others)) {
                    diagnostic = diagnostic.help(help);
                }
                self.tell(diagnostic);
            }
            Dead::NoFields(true) => {
                let message = format!("`{front}` is a list and has no field{}", named(&name));
                let element = if name.is_empty() { String::new() } else { format!(".{name}") };
                let help =
                    format!("`{front}[]{element}` is that of each element; or say `any x in {front}: (..)`");
                self.tell_help(Code::NoFields, down.span, message, help);
            }
            Dead::NoFields(false) => {
                let message = format!("`{front}` is {} and has no field{}", ty.says(), named(&name));
                self.tell(Diagnostic::new(Code::NoFields, down.span, message));
            }
            Dead::NoList => {
                let message = format!("`{front}` is {} and no list", ty.says());
                self.tell(Diagnostic::new(Code::NotAList, down.span, message));
            }
        }
    }
    pub(crate) fn unknown_word(&mut self, path: &Path) {
        let word = &path.root;
        let name = word.node.as_str();
        if self.names.is_lost(name) {
            return;
        }
        if schema::function(name).is_some() || names::aggregate(name).is_some() {
            let message = format!("`{name}` is a function");
            return self.tell_help(Code::UnknownName, word.span, message, format!("write `{name}(..)`"));
        }
        if let Some(id) = self.variables.iter().rev().find(|variable| variable.name == name) {
            let at = id.span;
            let message = format!("`{name}` does not hold here");
            let help = if self.scope.role == Role::Alert {
                "only an `any` of the last `where`, under no `not`, `or`, `any` or `all`, lends its name to the alert"
            } else {
                "the name of an element holds in the parentheses behind it"
            };
            let diagnostic =
                Diagnostic::new(Code::NotHere, word.span, message).related(at, "given here").help(help);
            return self.tell(diagnostic);
        }
        if names::begins_a_field(name) || !path.postfix.is_empty() {
            return self.unknown_field(word, path.postfix.first(), "");
        }
        if self.names.rules.contains_key(name) {
            let message = format!("`{name}` is a rule and no value");
            return self.tell(Diagnostic::new(Code::NotHere, word.span, message));
        }
        let help = match (nearest(name, self.known_words()), renamed(name)) {
            (_, Some(help)) => help.to_owned(),
            (Some(near), None) => format!("did you mean `{near}`?"),
            (None, None) => format!("a text stands in quotes: `\"{name}\"`"),
        };
        self.tell_help(Code::UnknownName, word.span, format!("`{name}` stands for nothing"), help);
    }

    fn known_words(&self) -> impl Iterator<Item = &str> {
        let fields = schema::event().fields().map(|field| field.name);
        let derived = schema::DERIVED.iter().filter(|field| field.path.len() == 1).map(|field| field.path[0]);
        let bound = self.scope.bound.iter().map(|id| self.variables[id.0 as usize].name);
        let keys = self.scope.keys.iter().map(|key| key.name);
        let lets = self.names.lets.keys().copied();
        fields.chain(derived).chain(bound).chain(keys).chain(lets).chain(self.names.lists.keys().copied())
    }

    /// Says that no event has a field, with the nearest one: of one word or of two.
    pub(crate) fn unknown_field(&mut self, name: &ast::Name, next: Option<&Postfix>, prefix: &str) {
        let word = name.node.as_str();
        let mut span = name.span;
        let mut whole = word.to_owned();
        if names::begins_a_field(word)
            && let Some(Postfix::Field(next)) = next
        {
            whole = format!("{word}.{}", next.node);
            span = span.to(next.span);
        }
        let derived = schema::DERIVED.iter().map(|field| field.path.join("."));
        let dotted: Vec<String> =
            derived.chain(schema::LISTENED.iter().map(|field| field.path.join("."))).collect();
        let steps = self.scope.steps.iter().map(|step| step.name.node.as_str());
        let near = nearest(&whole, dotted.iter().map(String::as_str).chain(self.known_words()).chain(steps));
        let mut diagnostic =
            Diagnostic::new(Code::UnknownField, span, format!("an event has no field `{whole}`"));
        if let Some(near) = near {
            diagnostic = diagnostic.help(format!("did you mean `{prefix}{near}`?"));
        } else if names::begins_a_field(word) {
            let own = dotted.iter().filter(|field| field.starts_with(&format!("{word}.")));
            let own: Vec<_> = own.map(|field| format!("`{prefix}{field}`")).collect();
            diagnostic = diagnostic.help(format!("there is {}", own.join(", ")));
        } else if let Some(near) = renamed(word) {
            diagnostic = diagnostic.help(near);
        }
        self.tell(diagnostic);
    }
}

/// The other common names of fields, for help.
fn renamed(word: &str) -> Option<&'static str> {
    Some(match word {
        "username" => "say `user.username`",
        "namespace" => "say `objectRef.namespace`",
        "resource" => "say `objectRef.resource`",
        "name" => "say `object.name` or `objectRef.name`",
        "code" | "status" => "say `responseStatus.code`",
        "groups" => "say `user.groups`",
        _ => return None,
    })
}
/// The fields that there are, if they are few.
fn few(fields: &BTreeSet<&'static str>) -> Option<String> {
    let all: Vec<_> = fields.iter().map(|field| format!("`{field}`")).collect();
    (!all.is_empty() && all.len() <= 8).then(|| format!("it has {}", all.join(", ")))
}

fn named(name: &str) -> String {
    if name.is_empty() { "s".to_owned() } else { format!(" `{name}`") }
}

fn is_word(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'))
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
