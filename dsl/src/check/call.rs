//! Functions and arithmetic.

use super::constant::{self, Folded};
use super::lower::{Lower, Value};
use super::names;
use super::text;
use super::ty::{Facts, Ty, is_single};
use crate::diag::{Code, Diagnostic, nearest};
use crate::ir::{self, ExprKind, Function, Literal, Type};
use crate::schema::{self, Param, Signature};
use crate::source::Span;
use crate::syntax::ast::{self, ArithOp, Call};

impl<'a> Lower<'a, '_> {
    /// A function or an aggregate.
    pub(crate) fn call(&mut self, call: &'a Call, span: Span) -> Value {
        let name = call.name.node.as_str();
        let value = if let Some(signature) = names::aggregate(name) {
            self.aggregate(call, signature, span)
        } else if let Some(signature) = schema::function(name) {
            self.function(call, signature, span)
        } else {
            self.unknown_function(call, span)
        };
        self.below(value, &call.postfix, span)
    }

    fn unknown_function(&mut self, call: &'a Call, span: Span) -> Value {
        let name = call.name.node.as_str();
        let known = schema::FUNCTIONS.iter().map(|one| one.name);
        let near = nearest(name, known.chain(schema::AGGREGATES.iter().map(|one| one.name)));
        let mut diagnostic =
            Diagnostic::new(Code::UnknownFunction, call.name.span, format!("no function is called `{name}`"));
        if let Some(near) = near {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
        } else if self.names.lets.contains_key(name) {
            diagnostic = diagnostic.help(format!("a `let` has no parameters: write `{name}`"));
        }
        self.tell(diagnostic);
        for argument in &call.args {
            self.value(argument);
        }
        if let Some(condition) = &call.condition {
            self.condition(condition);
        }
        Value::poison(span)
    }

    fn function(&mut self, call: &'a Call, signature: &Signature, span: Span) -> Value {
        let mut arguments: Vec<Value> = call.args.iter().map(|argument| self.value(argument)).collect();
        let mut good = !arguments.iter().any(|argument| argument.ty.is_poison());
        if let Some(condition) = &call.condition {
            self.condition(condition);
            let message = format!("`{}` takes no `where`; aggregates do", signature.name);
            self.tell(Diagnostic::new(Code::ArgumentCount, condition.span, message));
            good = false;
        }
        let most = signature.params.len();
        if arguments.len() < signature.required || arguments.len() > most {
            let message = format!(
                "`{}` takes {}, not {}",
                signature.name,
                arguments_said(signature.required, most),
                arguments.len()
            );
            self.tell(Diagnostic::new(Code::ArgumentCount, span, message));
            good = false;
        }
        for (argument, param) in arguments.iter_mut().zip(signature.params) {
            good &= self.argument(signature, argument, *param);
        }
        if !good {
            return Value::poison(span);
        }
        if arguments.len() < most && signature.params[most - 1] == Param::Zone {
            arguments.push(Value::literal(Literal::Text("UTC".to_owned()), span));
        }
        self.called(signature, arguments, span)
    }

    fn called(&mut self, signature: &Signature, arguments: Vec<Value>, span: Span) -> Value {
        let function = signature.function;
        let ty = Ty::from(signature.result());
        if let [Value { expr: ir::Expr { kind: ExprKind::Literal(literal), .. }, .. }] = arguments.as_slice()
        {
            match constant::call(function, literal) {
                Folded::Value(literal) => {
                    return Value::literal(literal, span);
                }
                Folded::Impossible => {
                    let message = format!("`{}` has no value", self.quote(span));
                    self.tell(Diagnostic::new(Code::ImpossibleValue, span, message));
                    return Value::poison(span);
                }
                Folded::Stays => {}
            }
        }
        // `present` of many values asks whether one of them is there, and so is one answer.
        let each = function != Function::Present && arguments.iter().any(|argument| argument.each);
        let values = if function == Function::Weekday { WEEKDAYS } else { &[] };
        let expressions = arguments.into_iter().map(|argument| argument.expr).collect();
        let value = Value::new(ExprKind::Call(function, expressions), ty, span);
        Value { each, facts: Facts { values, ..Facts::default() }, ..value }
    }

    /// Whether a function can take an argument; if not, that is reported.
    fn argument(&mut self, signature: &Signature, argument: &mut Value, param: Param) -> bool {
        if argument.ty.is_poison() {
            return false;
        }
        let map = |ty: &Type| matches!(ty, Type::Map(_) | Type::Object(_));
        let wanted = match param {
            Param::Any => return true,
            Param::Zone => return self.zone(argument),
            Param::Text if argument.ty.may(|ty| *ty == Type::Text) => return true,
            Param::Text => "text",
            Param::TextOrNumber if argument.ty.may(|ty| matches!(ty, Type::Text | Type::Number)) => {
                return true;
            }
            Param::TextOrNumber => "text or a number",
            Param::TextOrTime if argument.ty.may(|ty| matches!(ty, Type::Text | Type::Time)) => return true,
            Param::TextOrTime => "text or a time",
            Param::Time if argument.ty.may(|ty| *ty == Type::Time) && !argument.ty.is_open() => return true,
            Param::Time if argument.ty.may(|ty| *ty == Type::Text) => return self.read_time(argument),
            Param::Time => "a time",
            Param::Measured if argument.ty.may(|ty| map(ty) || matches!(ty, Type::Text | Type::List(_))) => {
                return true;
            }
            Param::Measured => "text, a list or a map",
            Param::Map if argument.ty.may(map) => return true,
            Param::Map => "a map",
        };
        let quote = self.quote(argument.at);
        let message = format!("`{}` takes {wanted}, and `{quote}` is {}", signature.name, argument.ty.says());
        let mut diagnostic = Diagnostic::new(Code::ArgumentType, argument.at, message);
        // Of a list that is no list of what is wanted, its elements may be.
        let elements = argument.ty.element().is_ok_and(|of| of.may(|ty| *ty == Type::Text));
        if elements && param != Param::Map {
            diagnostic = diagnostic.help(format!("say `{}({quote}[])` for each element", signature.name));
        }
        self.tell(diagnostic);
        false
    }

    /// The text of a time where a time is wanted is read as one.
    fn read_time(&mut self, argument: &mut Value) -> bool {
        let span = argument.at;
        if let Some(text) = constant::text(&argument.expr)
            && constant::parse_time(text).is_none()
        {
            let message = format!("`{text}` is no time");
            self.tell_help(Code::ImpossibleValue, span, message, "write it as `2026-01-05T08:00:00Z`");
            return false;
        }
        let text = std::mem::replace(&mut argument.expr, constant::literal(Literal::Bool(false), span));
        argument.expr = ir::Expr { kind: ExprKind::Call(Function::Time, vec![text]), ty: Type::Time, span };
        argument.ty = Type::Time.into();
        true
    }

    fn zone(&mut self, argument: &Value) -> bool {
        let span = argument.at;
        let Some(name) = constant::text(&argument.expr) else {
            let message = format!("a time zone is written down, and `{}` is not", self.quote(span));
            self.tell_help(Code::NotConstant, span, message, "such as `\"Europe/Berlin\"`");
            return false;
        };
        if name.parse::<chrono_tz::Tz>().is_ok() {
            return true;
        }
        let near = nearest(name, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
        let help = match near {
            Some(near) => format!("did you mean `\"{near}\"`?"),
            None => "zones are called as `\"Europe/Berlin\"` and `\"UTC\"` are".to_owned(),
        };
        self.tell_help(Code::BadTimeZone, span, format!("no time zone is called `{name}`"), help);
        false
    }

    /// Whether something is one value; if not, that is reported. `what` begins the sentence.
    pub(crate) fn single(&mut self, value: &Value, what: &str) -> bool {
        if value.ty.is_poison() {
            return false;
        }
        let good = value.ty.may(is_single);
        if !good {
            let quote = self.quote(value.at);
            let message = format!("{what} single values, and `{quote}` is {}", value.ty.says());
            let diagnostic = Diagnostic::new(Code::KeyNotSingle, value.at, message);
            let list = value.ty.members().iter().any(|ty| matches!(ty, Type::List(_)));
            let help = format!("`{quote}[]` is each element, `len({quote})` how many there are");
            self.tell(if list { diagnostic.help(help) } else { diagnostic });
        }
        good
    }

    /// A sum, difference, product or quotient.
    pub(crate) fn arith(
        &mut self,
        op: ArithOp,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
    ) -> Value {
        let left = self.value(left);
        let right = self.value(right);
        if left.ty.is_poison() || right.ty.is_poison() {
            return Value::poison(span);
        }
        let ty = arith_type(op, &left.ty, &right.ty);
        if ty.is_poison() {
            let (a, b) = (self.quote(left.at), self.quote(right.at));
            let word = text::arith_op(op);
            let message = format!(
                "`{a}` is {} and `{b}` is {}, which `{word}` does not join",
                left.ty.says(),
                right.ty.says()
            );
            let swap = !arith_type(op, &right.ty, &left.ty).is_poison();
            let diagnostic = Diagnostic::new(Code::BadArithmetic, span, message);
            self.tell(if swap { diagnostic.help(format!("write `{b} {word} {a}`")) } else { diagnostic });
            return Value::poison(span);
        }
        if let (ExprKind::Literal(a), ExprKind::Literal(b)) = (&left.expr.kind, &right.expr.kind) {
            if let Some(literal) = constant::arith(op, a, b) {
                return Value::literal(literal, span);
            }
            if matches!((a, b), (Literal::Number(_), Literal::Number(_))) {
                let message = format!("`{}` has no value", self.quote(span));
                self.tell(Diagnostic::new(Code::BadArithmetic, span, message));
                return Value::poison(span);
            }
        }
        let each = left.each || right.each;
        let kind = ExprKind::Arith(op, Box::new(left.expr), Box::new(right.expr));
        Value { each, ..Value::new(kind, ty, span) }
    }
}

const WEEKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// How many arguments something takes, in words.
pub(crate) fn arguments_said(least: usize, most: usize) -> String {
    match (least, most) {
        (0, 0) => "nothing".to_owned(),
        (1, 1) => "1 argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    }
}

/// The type of what two values make; poison if they make nothing.
fn arith_type(op: ArithOp, left: &Ty, right: &Ty) -> Ty {
    use Type::{Duration as D, Number as N, Text as T, Time as M};
    let forms: &[(Type, Type, Type)] = match op {
        ArithOp::Add => &[(N, N, N), (T, T, T), (M, D, M), (D, D, D)],
        ArithOp::Sub => &[(N, N, N), (M, M, D), (M, D, M), (D, D, D)],
        ArithOp::Mul => &[(N, N, N), (D, N, D), (N, D, D)],
        ArithOp::Div => &[(N, N, N), (D, N, D), (D, D, N)],
    };
    let fitting = forms.iter().filter(|(a, b, _)| left.may(|ty| ty == a) && right.may(|ty| ty == b));
    let results: Vec<_> = fitting.map(|(_, _, result)| result.clone()).collect();
    match results.as_slice() {
        [] => Ty::poison(),
        [first, rest @ ..] if rest.iter().all(|one| one == first) => first.clone().into(),
        _ => Ty::any(),
    }
}
