//! `in`: what may stand behind it, and whether what stands in front may be there.

use super::condition::{convert_literal, not};
use super::lists::{self, Values};
use super::lower::{Lower, Value};
use super::ty::Ty;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind, Literal, Set, Type};
use crate::source::Span;
use crate::syntax::ast::{self, Spanned};

/// The parts of an `in`.
pub(crate) struct Sides<'a> {
    pub left: &'a ast::Expr,
    pub set: &'a ast::Set,
    pub op: Span,
}

impl<'a> Lower<'a, '_> {
    /// `left in set`
    pub(crate) fn membership(
        &mut self,
        of: &Sides<'a>,
        negated: bool,
        ignoring_case: bool,
        span: Span,
    ) -> Value {
        let left = self.value(of.left);
        let set = self.set(&left, of, ignoring_case, span);
        let (Some((set, each)), false) = (set, left.ty.is_poison()) else {
            return Value::condition(super::constant::literal(Literal::Bool(false), span));
        };
        if negated && (left.each || each) {
            let message = "`not in` of each element reads two ways: no element, or not every element";
            let help = format!("write `not {} in ..` if no element may", self.quote(left.at));
            self.tell_help(Code::EachNegated, of.op, message, help);
        }
        let kind = ExprKind::In { left: Box::new(left.expr), set, ignoring_case };
        let expr = ir::Expr { kind, ty: Type::Bool, span };
        Value::condition(if negated { not(expr) } else { expr })
    }

    /// The set, and whether `[]` is in it. `None` if something is wrong, which is reported.
    fn set(&mut self, left: &Value, of: &Sides<'a>, ignoring_case: bool, span: Span) -> Option<(Set, bool)> {
        match of.set {
            ast::Set::Literals(literals) => {
                let values = self.lists.put_together(self.names, literals, self.report)?;
                self.literals(left, values, literals.span, Some(literals), ignoring_case)
                    .map(|set| (set, false))
            }
            ast::Set::Cidr(texts, _) => {
                let all: Vec<_> =
                    texts.iter().map(|text| lists::network(&text.node, text.span, self.report)).collect();
                self.networks(left, all.into_iter().collect::<Option<_>>()?).map(|set| (set, false))
            }
            ast::Set::Clock(from, to) => self.clock(left, from, to).map(|set| (set, false)),
            ast::Set::Value(value) => self.set_of_value(left, value, ignoring_case, span),
        }
    }

    fn set_of_value(
        &mut self,
        left: &Value,
        value: &'a ast::Expr,
        ignoring_case: bool,
        span: Span,
    ) -> Option<(Set, bool)> {
        if let Some(name) = self.list_name(value) {
            let set = match self.lists.get(&name.node)? {
                Values::Literals(values) => {
                    self.literals(left, values.clone(), name.span, None, ignoring_case)
                }
                Values::Networks(networks) => self.networks(left, networks.clone()),
                Values::Poison => None,
            };
            return set.map(|set| (set, false));
        }
        let value = self.value(value);
        if value.ty.is_poison() {
            return None;
        }
        let (quote, a) = (self.quote(value.at), self.quote(left.at));
        let Ok(element) = value.ty.element() else {
            let message = format!("`in` is for lists, and `{quote}` is {}", value.ty.says());
            let help = match value.ty.members() {
                [Type::Text] => {
                    format!("say `{quote} contains {a}` for a part of a text, `{a} == {quote}` for the whole")
                }
                [Type::Map(_) | Type::Object(_)] => format!("its keys are a list: `{a} in keys({quote})`"),
                _ => format!("write `{a} in [..]`"),
            };
            self.tell_help(Code::NotASet, value.at, message, help);
            return None;
        };
        if !left.ty.meets(&element) {
            let message = format!(
                "`{a}` is {} and the elements of `{quote}` are {}, so it is never in it",
                left.ty.says(),
                element.says()
            );
            self.tell(Diagnostic::new(Code::TypesDiffer, left.at, message));
            return None;
        }
        if ignoring_case {
            self.check_case(left, &value, span);
        }
        Some((Set::Value(Box::new(value.expr)), value.each))
    }

    /// The name of a list that stands there, unless something nearer has that name.
    fn list_name(&self, value: &'a ast::Expr) -> Option<&'a ast::Name> {
        let mut value = value;
        while let ast::ExprKind::Group(inner) = &value.kind {
            value = inner;
        }
        let ast::ExprKind::Path(path) = &value.kind else { return None };
        let word = path.root.node.as_str();
        let hidden = self.scope.bound.iter().any(|id| self.variables[id.0 as usize].name == word)
            || self.scope.steps.iter().any(|step| step.name.node == word)
            || self.scope.keys.iter().any(|key| key.name == word);
        let list = path.postfix.is_empty() && !hidden && self.names.lists.contains_key(word);
        list.then_some(&path.root)
    }

    fn literals(
        &mut self,
        left: &Value,
        values: Vec<Literal>,
        span: Span,
        written: Option<&ast::Literals>,
        ignoring_case: bool,
    ) -> Option<Set> {
        self.count(span, values.len() / LITERALS_PER_NODE);
        if left.ty.is_poison() {
            return None;
        }
        let mut good = true;
        for (at, value) in values.iter().enumerate() {
            let ty = Ty::from(super::constant::type_of(value));
            // Values of a list that is put in are underlined as a whole.
            let span = written.and_then(|all| place_of(all, at, values.len())).unwrap_or(span);
            if !left.ty.meets(&ty) {
                let a = self.quote(left.at);
                let what = match value {
                    Literal::Text(text) => super::text::quoted(text),
                    Literal::Number(number) => number.to_string(),
                    Literal::Duration(nanos) => super::text::duration(*nanos),
                    Literal::Bool(truth) => truth.to_string(),
                    Literal::List(_) => "a list".to_owned(),
                };
                let message = format!(
                    "`{a}` is {} and `{what}` is {}, so they are never equal",
                    left.ty.says(),
                    ty.says()
                );
                let diagnostic = Diagnostic::new(Code::TypesDiffer, span, message);
                self.tell(match convert_literal(left, value) {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
                good = false;
            } else {
                self.check_literal(left, value, span);
            }
            if ignoring_case && !matches!(value, Literal::Text(_)) && good {
                self.tell(Diagnostic::new(Code::NotText, span, "`ignoring case` is for text"));
                good = false;
            }
        }
        good.then_some(Set::Literals(values))
    }

    fn networks(&mut self, left: &Value, networks: Vec<ir::Network>) -> Option<Set> {
        self.count(left.at, networks.len() / LITERALS_PER_NODE);
        if left.ty.may(|ty| *ty == Type::Text) {
            return Some(Set::Networks(networks));
        }
        let a = self.quote(left.at);
        let message = format!("`{a}` is {}, and only a text may be an address in a network", left.ty.says());
        let list = left.ty.members().iter().any(|ty| matches!(ty, Type::List(_)));
        let diagnostic = Diagnostic::new(Code::TypesDiffer, left.at, message);
        self.tell(if list { diagnostic.help(format!("say `{a}[]` for each of them")) } else { diagnostic });
        None
    }

    fn clock(&mut self, left: &Value, from: &Spanned<u16>, to: &Spanned<u16>) -> Option<Set> {
        if !left.ty.is_poison() && !left.ty.may(|ty| *ty == Type::TimeOfDay) {
            let a = self.quote(left.at);
            let message =
                format!("`{a}` is {}, and only a time of day is between two clocks", left.ty.says());
            let help = if left.ty.may(|ty| matches!(ty, Type::Time | Type::Text)) {
                format!("say `time_of_day({a}, \"UTC\")`")
            } else {
                "say `time_of_day(stageTimestamp, \"UTC\")`".to_owned()
            };
            self.tell_help(Code::TypesDiffer, left.at, message, help);
            return None;
        }
        Some(Set::Clock { from: from.node, to: to.node })
    }
}

/// How many values of a list count as one node of a rule: they cost memory, but neither depth nor much time.
const LITERALS_PER_NODE: usize = 16;

/// Where the value of that number stands, if no list was put in.
fn place_of(written: &ast::Literals, at: usize, all: usize) -> Option<Span> {
    if written.items.len() != all {
        return Some(written.span);
    }
    written.items.get(at).map(|item| match item {
        ast::Literal::Text(text) => text.span,
        ast::Literal::Number(number) => number.span,
        ast::Literal::Duration(nanos) => nanos.span,
        ast::Literal::Word(word) => word.span,
    })
}
