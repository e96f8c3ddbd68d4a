//! Paths: what the first word stands for, and where the rest leads.
//!
//! The first word is sought from the nearest to the farthest: an element of a quantifier, a step, a derived field of two
//! words, a key, a field, a `let`, a list, a table. What follows goes down by type; the first part that leads nowhere is
//! underlined, with the nearest name that would lead somewhere.

use super::lower::{AggregatesAt, KeyScope, Lower, Role, Scope, Value};
use super::names::{self, Giver};
use super::ty::{Facts, Ty};
use super::walk::{Down, walk, walk_response};
use super::{constant, text};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, BodyKinds, Derived, ExprKind, Place, Root, Segment};
use crate::schema;
use crate::source::Span;
use crate::syntax::ast::{self, Path, Postfix};

/// Where a path begins, with the type that it begins with.
struct Begin {
    step: Option<u32>,
    root: Root,
    /// `user`, for a field of the event itself.
    first: Option<&'static str>,
    ty: Ty,
    facts: Facts,
    /// As people write it.
    text: String,
    /// Of which resources the body is, for messages; empty: no body.
    of: String,
}

impl<'a> Lower<'a, '_> {
    /// A path as a value.
    pub(crate) fn path(&mut self, path: &'a Path, span: Span) -> Value {
        let word = path.root.node.as_str();
        let variables = &self.variables;
        let bound = self.scope.bound.iter().rev().find(|id| variables[id.0 as usize].name == word);
        if let Some(id) = bound.copied() {
            self.check_lent_once(word, path.root.span);
            let ty = self.variables[id.0 as usize].ty.clone();
            let begin = Begin {
                step: None,
                root: Root::Element(id),
                first: None,
                ty,
                facts: Facts::default(),
                text: word.to_owned(),
                of: String::new(),
            };
            return self.go_on(begin, &path.postfix, span);
        }
        if let Some(at) = self.scope.steps.iter().position(|step| step.name.node == word) {
            return self.step_path(at, path, span);
        }
        let dotted =
            two_words(&path.root, &path.postfix).is_some_and(|words| schema::derived(&words).is_some());
        if !dotted && let Some(at) = self.scope.keys.iter().position(|key| key.name == word) {
            return self.key_path(at, path, span);
        }
        if let Some(value) = self.event_path(None, &path.root, &path.postfix, span) {
            return value;
        }
        if let Some(of) = self.names.lets.get(word).copied() {
            let value = self.put_in(of, path.root.span);
            return self.below(value, &path.postfix, span);
        }
        if self.names.lists.contains_key(word) {
            let value = self.list_value(&path.root);
            return self.below(value, &path.postfix, span);
        }
        if self.names.tables.contains_key(word) {
            return self.lookup(path, span);
        }
        self.downs(&path.postfix);
        self.unknown_word(path);
        Value::poison(span)
    }

    /// In an alert the variables of all its `any`s hold at once.
    fn check_lent_once(&mut self, word: &str, span: Span) {
        let ids: Vec<_> =
            self.scope.bound.iter().filter(|id| self.variables[id.0 as usize].name == word).collect();
        if let (Role::Alert, [first, second, ..]) = (self.scope.role, ids.as_slice()) {
            let first = self.variables[first.0 as usize].span;
            let second = self.variables[second.0 as usize].span;
            let message = format!("`{word}` may be the element of either of two `any`s");
            let diagnostic = Diagnostic::new(Code::NameTwice, span, message);
            self.tell(
                diagnostic
                    .related(first, "the first")
                    .related(second, "the second")
                    .help("give the elements different names"),
            );
        }
    }

    /// `read.objectRef.name`
    fn step_path(&mut self, at: usize, path: &'a Path, span: Span) -> Value {
        let steps = std::rc::Rc::clone(&self.scope.steps);
        let step = &steps[at];
        let word = &step.name.node;
        let own = self.scope.own == Some(at);
        let wrong = if self.scope.role == Role::Key {
            Some((
                format!("a key cannot read the step `{word}`"),
                "a key reads its own step's event alone".to_owned(),
            ))
        } else if step.no && !own {
            Some((
                format!("`{word}` is a `no` step, of which there is nothing to read"),
                "only events that came can be read".to_owned(),
            ))
        } else if own || at >= self.scope.readable {
            let (what, help) = match self.scope.own {
                Some(_) if own => ("is this step itself", "a bare field is this step's own"),
                Some(_) => ("is a later step", "a step can read the steps above it"),
                None => (
                    "is a step",
                    "what the rule says of all steps cannot read one; say it in a step's own `where`",
                ),
            };
            Some((format!("`{word}` {what} and cannot be read here"), help.to_owned()))
        } else if !matches!(path.postfix.first(), Some(Postfix::Field(_))) {
            Some((
                format!("`{word}` is a step and no value"),
                format!("say which field: `{word}.user.username`"),
            ))
        } else {
            None
        };
        if let Some((message, help)) = wrong {
            self.tell_help(Code::NotHere, path.root.span, message, help);
            self.downs(&path.postfix);
            return Value::poison(span);
        }
        let Some((Postfix::Field(name), rest)) = path.postfix.split_first() else {
            return Value::poison(span);
        };
        let Some(number) = step.number else {
            self.downs(rest);
            return Value::poison(span);
        };
        if let Some(value) = self.event_path(Some((number, at)), name, rest, span) {
            return value;
        }
        self.downs(rest);
        if self.names.lets.contains_key(name.node.as_str()) {
            let message = format!("`{}` is a `let`, which speaks of the event it is used on", name.node);
            self.tell_help(
                Code::NotHere,
                name.span,
                message,
                format!("say which field of `{word}` is meant"),
            );
        } else {
            self.unknown_field(name, rest.first(), &format!("{word}."));
        }
        Value::poison(span)
    }

    /// A key's name: in alerts the key itself, in conditions what it is computed from.
    fn key_path(&mut self, at: usize, path: &'a Path, span: Span) -> Value {
        let keys = std::rc::Rc::clone(&self.scope.keys);
        let KeyScope { value, number, ty, .. } = &keys[at];
        let value = if self.scope.role == Role::Alert {
            Value::new(ExprKind::Key(*number), ty.clone(), span)
        } else {
            let scope = Scope {
                keys: std::rc::Rc::default(),
                bound: Vec::new(),
                role: if self.scope.role == Role::Window { Role::Window } else { Role::Key },
                aggregates: AggregatesAt::Not("an aggregate cannot stand in a key"),
                ..self.scope.clone()
            };
            self.within(scope, |lower| lower.value(value))
        };
        self.below(value, &path.postfix, span)
    }

    /// A path that begins with a field of an event; `None` if the word is none.
    fn event_path(
        &mut self,
        step: Option<(u32, usize)>,
        name: &'a ast::Name,
        rest: &'a [Postfix],
        span: Span,
    ) -> Option<Value> {
        let (begin, rest) = match two_words(name, rest).and_then(schema::listened) {
            Some(field) => (self.begin_listened(step, field), &rest[1..]),
            None => self.begin(step, name, rest)?,
        };
        if !self.is_heard(step, &begin, name) {
            self.downs(rest);
            return Some(Value::poison(span));
        }
        let role = self.scope.role;
        if role == Role::Window {
            let field = self.quote(span);
            let message = format!("`{field}` is a field of one event, and `when` is about many");
            let help = format!("count its values, as in `distinct({field})`, or test it in `where`");
            let at = self.site(span);
            self.report.error_help(Code::FieldInWindow, at, message, help);
            self.downs(rest);
            return Some(Value::poison(span));
        }
        if !self.body_is_there(step, &begin, name.span) {
            self.downs(rest);
            return Some(Value::poison(span));
        }
        Some(self.go_on(begin, rest, span))
    }

    /// `alert.rule`, `undecodable.reason`
    fn begin_listened(&self, step: Option<(u32, usize)>, field: &'static schema::ListenedField) -> Begin {
        let prefix = step.map(|(_, at)| format!("{}.", self.scope.steps[at].name.node)).unwrap_or_default();
        Begin {
            step: step.map(|(number, _)| number),
            root: field.root,
            first: None,
            ty: field.ty().into(),
            facts: Facts { values: field.values, ..Facts::default() },
            text: format!("{prefix}{}", field.path.join(".")),
            of: String::new(),
        }
    }

    /// Whether what is listened to has such a field; if not, that is reported.
    fn is_heard(&mut self, step: Option<(u32, usize)>, begin: &Begin, name: &ast::Name) -> bool {
        let hears = step.map_or(self.scope.hears, |(_, at)| self.scope.steps[at].hears);
        let refused = match begin.root {
            Root::Alert(_) | Root::Undecodable(_) => {
                hears.refuses_listened(&begin.text, begin.root, name.span)
            }
            _ => hears.refuses_field(&name.node, name.span),
        };
        let heard = refused.is_none();
        refused.into_iter().for_each(|diagnostic| self.tell(diagnostic));
        heard
    }

    fn begin<'p>(
        &self,
        step: Option<(u32, usize)>,
        name: &ast::Name,
        rest: &'p [Postfix],
    ) -> Option<(Begin, &'p [Postfix])> {
        let bodies = step.map_or(&*self.scope.bodies, |(_, at)| &self.scope.steps[at].bodies);
        let prefix = step.map(|(_, at)| format!("{}.", self.scope.steps[at].name.node)).unwrap_or_default();
        let words: Vec<&str> = std::iter::once(name.node.as_str())
            .chain(rest.iter().map_while(|part| match part {
                Postfix::Field(name) => Some(name.node.as_str()),
                _ => None,
            }))
            .take(2)
            .collect();
        let mut begin = Begin {
            step: step.map(|(number, _)| number),
            root: Root::Event,
            first: None,
            ty: Ty::any(),
            facts: Facts::default(),
            text: format!("{prefix}{}", name.node),
            of: String::new(),
        };
        if let Some(derived) = schema::derived(&words) {
            begin.root = Root::Derived(derived.field);
            begin.facts.values = derived.values;
            begin.ty = derived.ty().into();
            begin.text = format!("{prefix}{}", derived.path.join("."));
            if derived.field == Derived::Desired {
                begin.ty = bodies.desired.clone();
                begin.of.clone_from(&bodies.of);
            }
            return Some((begin, &rest[derived.path.len() - 1..]));
        }
        let field = schema::event().field(&name.node)?;
        match field.name {
            "requestObject" => {
                begin.root = Root::RequestObject;
                begin.ty = bodies.request.clone();
                begin.of.clone_from(&bodies.of);
            }
            "responseObject" => {
                begin.root = Root::ResponseObject(BodyKinds { object: true, list: true, status: true });
                begin.ty = Ty::union(bodies.responses().map(|(_, ty)| ty.clone()));
                begin.of.clone_from(&bodies.of);
            }
            _ => {
                begin.first = Some(field.name);
                begin.ty = field.ty.clone().into();
                begin.facts = Facts { left_out: field.left_out_when_empty, values: &field.values };
            }
        }
        Some((begin, rest))
    }

    /// Whether a derived field of a body may ever be there; if not, that is reported.
    fn body_is_there(&mut self, step: Option<(u32, usize)>, begin: &Begin, span: Span) -> bool {
        let steps = std::rc::Rc::clone(&self.scope.steps);
        let bodies = std::rc::Rc::clone(&self.scope.bodies);
        let bodies = step.map_or(&*bodies, |(_, at)| &steps[at].bodies);
        let (there, what) = match begin.root {
            Root::Derived(Derived::PodSpec | Derived::Containers) => (bodies.pod_spec, "what makes pods"),
            Root::Derived(Derived::CsrCommonName | Derived::CsrOrganizations) => {
                (bodies.csr, "`certificatesigningrequests`")
            }
            _ => (true, ""),
        };
        if !there {
            let message = format!("`{}` is of {what}, which `on` does not name", begin.text);
            let help = match begin.root {
                Root::Derived(Derived::PodSpec | Derived::Containers) => "say `of workloads`",
                _ => "say `of certificatesigningrequests`",
            };
            self.tell_help(Code::UnknownPath, span, message, help);
        }
        there
    }

    /// What stands below a beginning.
    fn go_on(&mut self, begin: Begin, postfix: &'a [Postfix], span: Span) -> Value {
        let downs = self.downs(postfix);
        self.read(begin, downs, postfix, span)
    }

    fn read(&mut self, begin: Begin, downs: Option<Vec<Down>>, postfix: &[Postfix], span: Span) -> Value {
        let Some(downs) = downs else { return Value::poison(span) };
        let mut root = begin.root;
        let walked = match (root, downs.is_empty()) {
            (Root::ResponseObject(_), false) => {
                let bodies = std::rc::Rc::clone(&self.scope.bodies);
                let steps = std::rc::Rc::clone(&self.scope.steps);
                let number = begin.step;
                let of = steps.iter().find(|step| number.is_some() && step.number == number);
                let (kinds, walked) = walk_response(of.map_or(&*bodies, |step| &step.bodies), &downs);
                root = Root::ResponseObject(kinds);
                walked
            }
            _ => walk(begin.ty.clone(), begin.facts, &downs),
        };
        let mut place_text = begin.text.clone();
        text::postfix(&mut place_text, postfix);
        match walked {
            Err(stuck) => {
                self.stuck(&begin.text, &begin.of, &downs, &stuck);
                Value::poison(span)
            }
            Ok((ty, facts)) if ty.is_poison() => Value { facts, ..Value::poison(span) },
            Ok((ty, facts)) => {
                let each = downs.iter().any(|down| matches!(down.segment, Segment::Each));
                let first = begin.first.map(|name| Segment::Key(name.to_owned()));
                let segments = first.into_iter().chain(downs.into_iter().map(|down| down.segment)).collect();
                let place = Place { step: begin.step, root, segments, text: place_text };
                Value { each, facts, ..Value::new(ExprKind::Read(place), ty, span) }
            }
        }
    }

    /// What stands below a value: of a `let` that is a place the place goes on, else it is a part.
    pub(crate) fn below(&mut self, value: Value, postfix: &'a [Postfix], span: Span) -> Value {
        let Some(downs) = self.downs(postfix) else { return Value::poison(span) };
        if downs.is_empty() || value.ty.is_poison() {
            return Value { at: span, ..value };
        }
        let each = value.each || downs.iter().any(|down| matches!(down.segment, Segment::Each));
        if let ExprKind::Read(place) = value.expr.kind {
            let begin = Begin {
                step: place.step,
                root: place.root,
                first: None,
                ty: value.ty,
                facts: value.facts,
                text: place.text,
                of: String::new(),
            };
            let is_body = matches!(begin.root, Root::ResponseObject(_));
            let (before, after) =
                if is_body { (place.segments, Vec::new()) } else { (Vec::new(), place.segments) };
            let mut all: Vec<Down> = before.into_iter().map(|segment| again(segment, span)).collect();
            all.extend(downs);
            let mut value = self.read(begin, Some(all), postfix, span);
            if let ExprKind::Read(place) = &mut value.expr.kind {
                place.segments.splice(0..0, after);
            }
            return Value { each, ..value };
        }
        match walk(value.ty, Facts::default(), &downs) {
            Err(stuck) => {
                let head = Span { end: postfix.first().map_or(span.end, start_of), ..span };
                let quote = self.quote(head);
                self.stuck(quote.trim_end_matches('.'), "", &downs, &stuck);
                Value::poison(span)
            }
            Ok((ty, facts)) => {
                let segments = downs.into_iter().map(|down| down.segment).collect();
                let kind = ExprKind::Part(Box::new(value.expr), segments);
                Value { each, facts, ..Value::new(kind, ty, span) }
            }
        }
    }

    /// Checks what stands in brackets. `None` if something in them is wrong, which is reported.
    pub(crate) fn downs(&mut self, postfix: &'a [Postfix]) -> Option<Vec<Down>> {
        let mut downs = Vec::new();
        let mut good = true;
        for part in postfix {
            match part {
                Postfix::Field(name) => downs.push(plain(Segment::Key(name.node.clone()), name.span)),
                Postfix::Each(span) => downs.push(plain(Segment::Each, *span)),
                Postfix::Index(index, span) => match self.index(index, *span) {
                    Some(down) => downs.push(down),
                    None => good = false,
                },
            }
        }
        good.then_some(downs)
    }

    fn index(&mut self, index: &'a ast::Expr, span: Span) -> Option<Down> {
        let value = self.value(index);
        if value.ty.is_poison() {
            return None;
        }
        if let Some(key) = constant::text(&value.expr) {
            return Some(plain(Segment::Key(key.to_owned()), span));
        }
        if let Some(number) = constant::number(&value.expr) {
            let whole = number.fract() == 0.0 && (0.0..9e15).contains(&number);
            if !whole {
                let message = format!("`{}` is no place in a list", self.quote(index.span));
                self.tell_help(Code::ImpossibleValue, index.span, message, "places count from 0");
                return None;
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and in range")]
            let at = number as u64;
            return Some(plain(Segment::Index(at), span));
        }
        let single = value.ty.may(|ty| matches!(ty, ir::Type::Text | ir::Type::Number));
        if value.each || !single {
            let what = if value.each { "each element of a list".to_owned() } else { value.ty.says() };
            let message = format!("`{}` is {what}, which is no key and no place", self.quote(index.span));
            self.tell_help(
                Code::ArgumentType,
                index.span,
                message,
                "a key is text, a place in a list a number",
            );
            return None;
        }
        Some(Down { segment: Segment::Computed(Box::new(value.expr)), span, key: value.ty })
    }
    fn list_value(&mut self, name: &ast::Name) -> Value {
        match self.lists.get(&name.node) {
            Some(super::lists::Values::Literals(values)) => {
                self.count(name.span, values.len() / 16);
                Value::literal(ir::Literal::List(values.clone()), name.span)
            }
            Some(super::lists::Values::Networks(_)) => {
                let message = format!("`{}` holds networks and is no value", name.node);
                self.tell_help(Code::NotHere, name.span, message, format!("say `.. in {}`", name.node));
                Value::poison(name.span)
            }
            Some(super::lists::Values::Poison) | None => Value::poison(name.span),
        }
    }

    /// Gives a variable its number, if its name is free.
    pub(crate) fn bind(&mut self, name: &'a ast::Name, ty: Ty) -> ir::VarId {
        let word = name.node.as_str();
        if names::check_free(Giver::Variable, name, self.report) {
            let taken = self.scope.bound.iter().rev().map(|id| &self.variables[id.0 as usize]);
            let variable = taken.into_iter().find(|one| one.name == word).map(|one| one.span);
            let step = self.scope.steps.iter().find(|step| step.name.node == word).map(|step| step.name.span);
            let key = self.scope.keys.iter().find(|key| key.name == word).map(|key| key.value.span);
            if let Some(first) = variable.or(step).or(key) {
                let diagnostic = Diagnostic::new(
                    Code::NameTwice,
                    name.span,
                    format!("`{word}` already has a meaning here"),
                );
                self.tell(diagnostic.related(first, "given here").help("choose another name"));
            } else {
                self.names.warn_hidden(Giver::Variable, name, self.report);
            }
        }
        let id = u32::try_from(self.variables.len()).unwrap_or(u32::MAX);
        self.variables.push(super::lower::Variable { name: word, ty, span: name.span });
        ir::VarId(id)
    }
}

fn plain(segment: Segment, span: Span) -> Down {
    Down { segment, span, key: Ty::any() }
}

/// A step down that was checked before.
fn again(segment: Segment, span: Span) -> Down {
    let key = match &segment {
        Segment::Computed(expr) => expr.ty.clone().into(),
        _ => Ty::any(),
    };
    Down { segment, span, key }
}

fn start_of(part: &Postfix) -> u32 {
    match part {
        Postfix::Field(name) => name.span.start,
        Postfix::Each(span) | Postfix::Index(_, span) => span.start,
    }
}

fn two_words<'p>(name: &'p ast::Name, rest: &'p [Postfix]) -> Option<[&'p str; 2]> {
    match rest.first() {
        Some(Postfix::Field(next)) => Some([&name.node, &next.node]),
        _ => None,
    }
}
