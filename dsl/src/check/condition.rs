//! Conditions: logic, quantifiers, comparisons.
//!
//! What is negated stands as `Not` of the plain form, so that whoever evaluates the IR has one form of each.

use super::lower::{Lower, Value};
use super::ty::Ty;
use super::{constant, text};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind, Literal, Type};
use crate::pattern::Pattern;
use crate::source::Span;
use crate::syntax::ast::{self, CompareOp, Spanned};

impl<'a> Lower<'a, '_> {
    /// A condition, in the IR.
    pub(crate) fn condition(&mut self, of: &'a ast::Expr) -> ir::Expr {
        let value = self.any_form(of);
        self.as_condition(value)
    }

    /// A value where a condition is wanted: only what is true or false will do.
    fn as_condition(&mut self, value: Value) -> ir::Expr {
        let span = value.at;
        if value.ty.is_poison() || is_logic(&value.expr.kind) {
            return value.expr;
        }
        if !value.ty.may(|ty| *ty == Type::Bool) {
            let message = format!("`{}` is {} and no condition", self.quote(span), value.ty.says());
            let help = match value.ty.members() {
                [Type::List(_) | Type::Map(_) | Type::Object(_)] => {
                    format!("say `present({})`", self.quote(span))
                }
                _ => "compare it with something, or say `present(..)`".to_owned(),
            };
            self.tell_help(Code::NotACondition, span, message, help);
        }
        let kind = match value.expr.kind {
            ExprKind::Literal(Literal::Bool(_)) => return value.expr,
            _ => ExprKind::IsTrue(Box::new(value.expr)),
        };
        ir::Expr { kind, ty: Type::Bool, span }
    }

    /// A condition or a value, as it stands.
    pub(crate) fn any_form(&mut self, of: &'a ast::Expr) -> Value {
        let span = of.span;
        if let Some(part) = self.key_part(of) {
            return part;
        }
        self.deeper(span, |lower| lower.form(of)).unwrap_or_else(|| Value::poison(span))
    }

    /// The part of the key that is written like this, where such a text stands for it.
    fn key_part(&self, of: &ast::Expr) -> Option<Value> {
        if self.scope.parts.is_empty() || !text::depth_is_fine(of) {
            return None;
        }
        let written = text::expr(of);
        let part = self.scope.parts.iter().find(|part| part.text == written)?;
        Some(Value::new(ExprKind::Key(part.number), part.ty.clone(), of.span))
    }

    /// A value; a condition in parentheses is one too.
    pub(crate) fn value(&mut self, of: &'a ast::Expr) -> Value {
        self.any_form(of)
    }

    fn form(&mut self, of: &'a ast::Expr) -> Value {
        let span = of.span;
        match &of.kind {
            ast::ExprKind::Or(parts) => self.joined(parts, span, ExprKind::Or),
            ast::ExprKind::And(parts) => self.joined(parts, span, ExprKind::And),
            ast::ExprKind::Not(inner) => {
                let inner = self.condition(inner);
                logic(ExprKind::Not(Box::new(inner)), span)
            }
            ast::ExprKind::Quantified { all, var, list, body } => {
                self.quantified(*all, var, list, body, span)
            }
            ast::ExprKind::Compare { op, left, right, ignoring_case } => {
                self.compare(op, left, right, *ignoring_case, span)
            }
            ast::ExprKind::In { negated, op, left, set, ignoring_case } => {
                let sides = super::sets::Sides { left, set, op: *op };
                self.membership(&sides, *negated, *ignoring_case, span)
            }
            ast::ExprKind::Arith { op, left, right } => self.arith(op.node, left, right, span),
            ast::ExprKind::Group(inner) => self.any_form(inner),
            ast::ExprKind::Text(text) => Value::literal(Literal::Text(text.clone()), span),
            ast::ExprKind::Number(number) => Value::literal(Literal::Number(*number), span),
            ast::ExprKind::Duration(nanos) => Value::literal(Literal::Duration(*nanos), span),
            ast::ExprKind::Bool(truth) => Value::literal(Literal::Bool(*truth), span),
            ast::ExprKind::Path(path) => self.path(path, span),
            ast::ExprKind::Call(call) => self.call(call, span),
            ast::ExprKind::Error => Value::poison(span),
        }
    }

    fn joined(&mut self, parts: &'a [ast::Expr], span: Span, join: fn(Vec<ir::Expr>) -> ExprKind) -> Value {
        let parts = parts.iter().map(|part| self.condition(part)).collect();
        logic(join(parts), span)
    }

    fn quantified(
        &mut self,
        all: bool,
        name: &'a ast::Name,
        list: &'a ast::Expr,
        body: &'a ast::Expr,
        span: Span,
    ) -> Value {
        let list = self.value(list);
        let element = match list.ty.element() {
            Ok(element) => element,
            Err(_) => {
                let quote = self.quote(list.at);
                let word = if all { "all" } else { "any" };
                let message =
                    format!("`{quote}` is {} and no list, so `{word}` cannot go over it", list.ty.says());
                let maps = list.ty.members().iter().any(|ty| matches!(ty, Type::Map(_) | Type::Object(_)));
                let mut diagnostic = Diagnostic::new(Code::NotAList, list.at, message);
                if maps {
                    diagnostic = diagnostic.help(format!("its keys are a list: `keys({quote})`"));
                }
                self.tell(diagnostic);
                Ty::poison()
            }
        };
        let var = self.bind(name, element);
        self.scope.bound.push(var);
        let body = self.condition(body);
        self.scope.bound.pop();
        logic(ExprKind::Quantified { all, var, list: Box::new(list.expr), body: Box::new(body) }, span)
    }

    fn compare(
        &mut self,
        op: &Spanned<CompareOp>,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        ignoring_case: bool,
        span: Span,
    ) -> Value {
        let left = self.value(left);
        let right = self.value(right);
        let (plain, negated) = plain(op.node);
        if left.ty.is_poison() || right.ty.is_poison() {
            return logic(ExprKind::Literal(Literal::Bool(false)), span);
        }
        if negated && (left.each || right.each) {
            self.each_negated(op, &left, &right);
        }
        match plain {
            CompareOp::Eq => self.check_equal(&left, &right, op.span),
            CompareOp::Lt | CompareOp::Le | CompareOp::Gt | CompareOp::Ge => {
                self.check_order(op, &left, &right);
            }
            _ => self.check_words(op, &left, &right, ignoring_case),
        }
        if ignoring_case {
            self.check_case(&left, &right, span);
        }
        let compare = ExprKind::Compare {
            op: plain,
            left: Box::new(left.expr),
            right: Box::new(right.expr),
            ignoring_case,
        };
        let expr = ir::Expr { kind: compare, ty: Type::Bool, span };
        Value::condition(if negated { not(expr) } else { expr })
    }

    fn each_negated(&mut self, op: &Spanned<CompareOp>, left: &Value, right: &Value) {
        let word = op.node.word();
        let (plain, _) = plain(op.node);
        let message = format!("`{word}` of each element reads two ways: no element, or not every element");
        let (left, right) = (self.quote(left.at), self.quote(right.at));
        let help = format!("write `not {left} {} {right}` if no element may", plain.word());
        self.tell_help(Code::EachNegated, op.span, message, help);
    }

    fn check_equal(&mut self, left: &Value, right: &Value, op: Span) {
        if left.ty.meets(&right.ty) {
            self.check_possible(left, &right.expr);
            self.check_possible(right, &left.expr);
            return;
        }
        let (a, b) = (self.quote(left.at), self.quote(right.at));
        let message =
            format!("`{a}` is {} and `{b}` is {}, so they are never equal", left.ty.says(), right.ty.says());
        let help =
            convert(left, right).or_else(|| convert(right, left)).or_else(|| in_list(left, right, &a, &b));
        let span = left.at.to(op).to(right.at);
        let diagnostic = Diagnostic::new(Code::TypesDiffer, self.joined_span(span, left, right), message);
        self.tell(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// The span of a whole comparison, or of its right side where the left one came from elsewhere.
    fn joined_span(&self, span: Span, left: &Value, right: &Value) -> Span {
        let near = left.at.source == right.at.source && left.at.start <= right.at.start;
        if near { span } else { right.at }
    }

    /// A constant beside a field: it must be a value that the field may have.
    pub(crate) fn check_possible(&mut self, field: &Value, constant: &ir::Expr) {
        if let ExprKind::Literal(literal) = &constant.kind {
            self.check_literal(field, literal, constant.span);
        }
    }

    /// The same, of one value of a list.
    pub(crate) fn check_literal(&mut self, field: &Value, literal: &Literal, span: Span) {
        let Literal::Text(word) = literal else { return };
        let quote = self.quote(field.at);
        if word.is_empty() && field.facts.left_out {
            let message = format!("`{quote}` is never `\"\"`: the server leaves it out when it is empty");
            return self.tell_help(
                Code::ImpossibleValue,
                span,
                message,
                format!("write `not present({quote})`"),
            );
        }
        let values = field.facts.values;
        if values.is_empty() || values.contains(&word.as_str()) {
            return;
        }
        let message = format!("`{quote}` is never `{}`", text::quoted(word));
        let near = crate::diag::nearest(word, values.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => format!("it is one of {}", values.join(", ")),
        };
        self.tell_help(Code::ImpossibleValue, span, message, help);
    }

    fn check_order(&mut self, op: &Spanned<CompareOp>, left: &Value, right: &Value) {
        for side in [left, right] {
            if !side.ty.may(has_order) {
                let quote = self.quote(side.at);
                let message = format!("`{quote}` is {}, which has no order", side.ty.says());
                let other = if std::ptr::eq(side, left) { right } else { left };
                let help = match (side.ty.members(), other.ty.members()) {
                    ([Type::Text], [Type::Time]) => format!("write `time({quote})`"),
                    ([Type::Text], [Type::Number]) => format!("write `number({quote})`"),
                    _ => "order is for numbers, times and durations".to_owned(),
                };
                return self.tell_help(Code::NoOrder, side.at, message, help);
            }
        }
        if !left.ty.meets(&right.ty) {
            let (a, b) = (self.quote(left.at), self.quote(right.at));
            let message = format!(
                "`{a}` is {} and `{b}` is {}, so neither is `{}` than the other",
                left.ty.says(),
                right.ty.says(),
                op.node.word()
            );
            self.tell(Diagnostic::new(Code::TypesDiffer, op.span, message));
        }
    }

    fn check_words(&mut self, op: &Spanned<CompareOp>, left: &Value, right: &Value, ignoring_case: bool) {
        let word = op.node.word();
        for side in [left, right] {
            if side.ty.may(|ty| *ty == Type::Text) {
                continue;
            }
            let quote = self.quote(side.at);
            let message = format!("`{word}` is for text, and `{quote}` is {}", side.ty.says());
            let other = self.quote(right.at);
            let list = side.ty.members().iter().any(|ty| matches!(ty, Type::List(_)));
            let contains = matches!(op.node, CompareOp::Contains { .. });
            let help = match (list, contains) {
                (true, true) => format!("say `{other} in {quote}`"),
                (true, false) => format!("`{quote}[]` is each element of it"),
                (false, _) => "compare it with `==`".to_owned(),
            };
            return self.tell_help(Code::NotText, side.at, message, help);
        }
        if matches!(op.node, CompareOp::Matches { .. }) {
            self.check_regex(right, ignoring_case);
        }
    }

    fn check_regex(&mut self, right: &Value, ignoring_case: bool) {
        let span = right.at;
        let Some(pattern) = constant::text(&right.expr) else {
            let message = format!("a regular expression is written down, and `{}` is not", self.quote(span));
            return self.tell_help(Code::NotConstant, span, message, "for a part of a text say `contains`");
        };
        if let Err(why) = Pattern::new(pattern, ignoring_case) {
            self.tell(Diagnostic::new(Code::BadRegex, span, format!("this is no regular expression: {why}")));
        }
    }

    /// `ignoring case` is for text.
    pub(crate) fn check_case(&mut self, left: &Value, right: &Value, span: Span) {
        for side in [left, right] {
            let text = |ty: &Type| match ty {
                Type::List(of) => matches!(**of, Type::Text | Type::Any),
                ty => *ty == Type::Text,
            };
            if !side.ty.may(text) {
                let message = format!(
                    "`ignoring case` is for text, and `{}` is {}",
                    self.quote(side.at),
                    side.ty.says()
                );
                return self.tell(Diagnostic::new(Code::NotText, span, message));
            }
        }
    }
}

/// Without its `not`, and whether it had one.
fn plain(op: CompareOp) -> (CompareOp, bool) {
    match op {
        CompareOp::Ne => (CompareOp::Eq, true),
        CompareOp::Contains { negated } => (CompareOp::Contains { negated: false }, negated),
        CompareOp::StartsWith { negated } => (CompareOp::StartsWith { negated: false }, negated),
        CompareOp::EndsWith { negated } => (CompareOp::EndsWith { negated: false }, negated),
        CompareOp::Like { negated } => (CompareOp::Like { negated: false }, negated),
        CompareOp::Matches { negated } => (CompareOp::Matches { negated: false }, negated),
        op => (op, false),
    }
}

fn has_order(ty: &Type) -> bool {
    matches!(ty, Type::Number | Type::Time | Type::Duration | Type::TimeOfDay)
}

/// How a constant of the wrong type would be written right.
fn convert(field: &Value, constant: &Value) -> Option<String> {
    match &constant.expr.kind {
        ExprKind::Literal(literal) => convert_literal(field, literal),
        _ => None,
    }
}

/// The same, of one value of a list.
pub(crate) fn convert_literal(field: &Value, literal: &Literal) -> Option<String> {
    match (field.ty.members(), literal) {
        ([Type::Number], Literal::Text(text)) if constant::parse_number(text).is_some() => {
            Some(format!("write `{text}` without quotes"))
        }
        ([Type::Text], Literal::Number(number)) => Some(format!("write `\"{number}\"`")),
        ([Type::Text], Literal::Bool(truth)) => Some(format!("write `\"{truth}\"`")),
        ([Type::Bool], Literal::Text(text)) if text == "true" || text == "false" => {
            Some(format!("write `{text}` without quotes"))
        }
        ([Type::Time], Literal::Text(text)) => Some(format!("write `time({})`", text::quoted(text))),
        _ => None,
    }
}

fn in_list(left: &Value, right: &Value, a: &str, b: &str) -> Option<String> {
    match (left.ty.members(), right.ty.members()) {
        ([Type::List(_)], _) => Some(format!("say `{b} in {a}`")),
        (_, [Type::List(_)]) => Some(format!("say `{a} in {b}`")),
        _ => None,
    }
}

/// Whether it is a condition by itself.
fn is_logic(kind: &ExprKind) -> bool {
    matches!(
        kind,
        ExprKind::Not(_)
            | ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::IsTrue(_)
            | ExprKind::Compare { .. }
            | ExprKind::In { .. }
            | ExprKind::Quantified { .. }
    )
}

fn logic(kind: ExprKind, span: Span) -> Value {
    Value::condition(ir::Expr { kind, ty: Type::Bool, span })
}

/// Kleene's not.
pub(crate) fn not(expr: ir::Expr) -> ir::Expr {
    let span = expr.span;
    ir::Expr { kind: ExprKind::Not(Box::new(expr)), ty: Type::Bool, span }
}
