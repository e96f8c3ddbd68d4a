//! Constants of the IR as values.

use dsl::ir::{Expr, ExprKind, Literal};

use crate::matches::Value;

pub(crate) fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => Value::Text(text.as_str().into()),
        Literal::Number(n) => Value::Number(*n),
        Literal::Duration(n) => Value::Duration(*n),
        Literal::Bool(b) => Value::Bool(*b),
        Literal::List(items) => Value::List { items: items.iter().map(value).collect(), open: false },
    }
}

pub(crate) fn text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}
