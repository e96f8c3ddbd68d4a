//! Aggregates: what is counted over a window, of what type it is, and that the same is counted once.
//!
//! An aggregate of the same text as one before is that one, be it in `when`, in the alert or in a test.

use super::call::arguments_said;
use super::constant;
use super::lower::{AggregatesAt, Lower, Role, Scope, Value};
use super::text;
use super::ty::Ty;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Aggregate, AggregateKind, ExprKind, Type};
use crate::schema::{AggregateName, AggregateSignature};
use crate::source::Span;
use crate::syntax::ast::{self, Call};

impl<'a> Lower<'a, '_> {
    /// An aggregate, with what it counts.
    pub(crate) fn aggregate(&mut self, call: &'a Call, signature: &AggregateSignature, span: Span) -> Value {
        let mut good = true;
        if let AggregatesAt::Not(why) = self.scope.aggregates {
            let own = Span { end: call.name.span.end, ..span };
            self.report.error(Code::AggregateHere, own, why);
            good = false;
        }
        let scope = Scope {
            role: Role::Event,
            aggregates: AggregatesAt::Not("an aggregate cannot stand in an aggregate"),
            bound: Vec::new(),
            readable: 0,
            parts: std::rc::Rc::default(),
            ..self.scope.clone()
        };
        let before = self.variables.len();
        let (arguments, filter) = self.within(scope, |lower| {
            let arguments: Vec<Value> = call.args.iter().map(|argument| lower.value(argument)).collect();
            let filter = call.condition.as_deref().map(|condition| lower.condition(condition));
            (arguments, filter)
        });
        let (least, most) = signature.arguments;
        if arguments.len() < least || arguments.len() > most {
            let said =
                if most == usize::MAX { "one value or more".to_owned() } else { arguments_said(least, most) };
            let message = format!("`{}` takes {said}, not {}", signature.name, arguments.len());
            self.tell(Diagnostic::new(Code::ArgumentCount, span, message));
            good = false;
        }
        let counted = if signature.aggregate == AggregateName::Percentile { 1 } else { arguments.len() };
        for argument in arguments.iter().take(counted) {
            good &= self.single(argument, &format!("`{}` counts", signature.name));
        }
        good &= !arguments.iter().any(|argument| argument.ty.is_poison());
        let Some((kind, ty)) = good.then(|| self.counted(signature, arguments)).flatten() else {
            return Value::poison(span);
        };
        let plain = Call { postfix: Vec::new(), ..call.clone() };
        let text = text::expr(&ast::Expr { kind: ast::ExprKind::Call(plain), span });
        let known = self.aggregates.iter().position(|one| one.text == text);
        let number = match known {
            Some(number) => {
                // What was bound in the copy is bound in the first already; numbers stay dense.
                self.variables.truncate(before);
                number
            }
            None if self.scope.aggregates == AggregatesAt::Known => {
                let message = format!("the rule does not count `{text}`");
                self.tell_help(
                    Code::TestExpectation,
                    span,
                    message,
                    "only what stands in its `when` or `alert` can be expected",
                );
                return Value::poison(span);
            }
            None => {
                self.aggregates.push(Aggregate { kind, filter, text, enough: None });
                self.aggregates.len() - 1
            }
        };
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Value::new(ExprKind::Aggregate(number), ty, span)
    }

    /// What an aggregate counts, and the type of what comes of it. `None` if that does not exist; it is reported.
    fn counted(
        &mut self,
        signature: &AggregateSignature,
        arguments: Vec<Value>,
    ) -> Option<(AggregateKind, Ty)> {
        use AggregateName as Name;
        match signature.aggregate {
            Name::Count => return Some((AggregateKind::Count, Type::Number.into())),
            Name::Distinct => {
                let values = arguments.into_iter().map(|argument| argument.expr).collect();
                return Some((AggregateKind::Distinct(values), Type::Number.into()));
            }
            Name::Sum | Name::Avg | Name::Min | Name::Max | Name::Percentile => {}
        }
        let mut arguments = arguments.into_iter();
        let value = arguments.next()?;
        let ty = self.measured(signature, &value)?;
        let value = value.expr;
        let kind = match signature.aggregate {
            Name::Sum => AggregateKind::Sum(value),
            Name::Avg => AggregateKind::Avg(value),
            Name::Min => AggregateKind::Min(value),
            Name::Max => AggregateKind::Max(value),
            _ => AggregateKind::Percentile(value, self.percent(&arguments.next()?)?),
        };
        Some((kind, ty.into()))
    }

    /// The type that a value is summed or ordered as: that of a duration or a time where it surely is one, else a number.
    fn measured(&mut self, signature: &AggregateSignature, value: &Value) -> Option<Type> {
        let times = !matches!(signature.aggregate, AggregateName::Sum | AggregateName::Avg);
        match value.ty.lowered() {
            Type::Duration => return Some(Type::Duration),
            Type::Time if times => return Some(Type::Time),
            _ if value.ty.may(|ty| *ty == Type::Number) => return Some(Type::Number),
            _ => {}
        }
        let quote = self.quote(value.at);
        let what = if times { "numbers, durations or times" } else { "numbers or durations" };
        let message = format!("`{}` is of {what}, and `{quote}` is {}", signature.name, value.ty.says());
        let diagnostic = Diagnostic::new(Code::ArgumentType, value.at, message);
        let text = value.ty.may(|ty| *ty == Type::Text);
        self.tell(match text {
            true => diagnostic.help(format!("write `number({quote})` for the number that a text holds")),
            false => diagnostic,
        });
        None
    }

    /// Which percentile: a constant above 0, at most 100.
    fn percent(&mut self, value: &Value) -> Option<f64> {
        let quote = self.quote(value.at);
        let Some(number) = constant::number(&value.expr) else {
            let message =
                format!("which percentile is meant is written down as a number, and `{quote}` is not");
            self.tell_help(Code::NotConstant, value.at, message, "such as `percentile(x, 99)`");
            return None;
        };
        if number > 0.0 && number <= 100.0 {
            return Some(number);
        }
        let message = format!("there is no percentile `{quote}`");
        self.tell_help(Code::ImpossibleValue, value.at, message, "it is above 0 and at most 100");
        None
    }
}
