//! Conditions and values in canonical spelling, as keys, aggregates and places are called in alerts.
//!
//! One spelling for one meaning: double quotes, single spaces, parentheses only where the operators ask for them, so that
//! `count(where decision == 'forbid')` in an alert text is the same aggregate as with `"forbid"` in `when`.

use std::fmt::Write as _;

use crate::limits::EXPANDED_DEPTH_MAX;
use crate::syntax::ast::{ArithOp, Call, Expr, ExprKind, Literal, Literals, Path, Postfix, Set};

/// How tightly a form binds, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Term,
    Value,
}

/// A condition or a value.
pub(crate) fn expr(of: &Expr) -> String {
    let mut out = String::new();
    write_expr(&mut out, of, Level::Or);
    out
}

/// Whether an expression nests so little that it can be written by recursion.
pub(crate) fn depth_is_fine(of: &Expr) -> bool {
    let mut rest = vec![(of, 0)];
    while let Some((expr, depth)) = rest.pop() {
        if depth > EXPANDED_DEPTH_MAX {
            return false;
        }
        let mut go = |inner| rest.push((inner, depth + 1));
        match &expr.kind {
            ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter().for_each(go),
            ExprKind::Not(inner) | ExprKind::Group(inner) => go(inner),
            ExprKind::Quantified { list: left, body: right, .. }
            | ExprKind::Compare { left, right, .. }
            | ExprKind::Arith { left, right, .. } => {
                go(left);
                go(right);
            }
            ExprKind::In { left, set, .. } => {
                go(left);
                if let Set::Value(value) = set {
                    go(value);
                }
            }
            ExprKind::Path(path) => indices(&path.postfix).for_each(go),
            ExprKind::Call(call) => {
                call.args.iter().chain(call.condition.as_deref()).chain(indices(&call.postfix)).for_each(go);
            }
            ExprKind::Text(_)
            | ExprKind::Number(_)
            | ExprKind::Duration(_)
            | ExprKind::Bool(_)
            | ExprKind::Error => {}
        }
    }
    true
}

fn indices(postfix: &[Postfix]) -> impl Iterator<Item = &Expr> {
    postfix.iter().filter_map(|part| match part {
        Postfix::Index(index, _) => Some(&**index),
        _ => None,
    })
}

/// A path without its postfix from `end` on.
pub(crate) fn path(of: &Path, end: usize) -> String {
    let mut out = of.root.node.clone();
    postfix(&mut out, &of.postfix[..end.min(of.postfix.len())]);
    out
}

/// What follows a path's first word.
pub(crate) fn postfix(out: &mut String, parts: &[Postfix]) {
    for part in parts {
        match part {
            Postfix::Field(name) => {
                out.push('.');
                out.push_str(&name.node);
            }
            Postfix::Each(_) => out.push_str("[]"),
            Postfix::Index(index, _) => {
                out.push('[');
                write_expr(out, index, Level::Or);
                out.push(']');
            }
        }
    }
}

/// A text with the language's own escapes.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                let _ = write!(out, "\\u{{{:X}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A duration as it is written: `1h30m`; `0s`.
pub(crate) fn duration(nanos: i64) -> String {
    let units = [
        ("w", 604_800_000_000_000),
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
    ];
    let mut rest = nanos.unsigned_abs();
    let mut out = String::from(if nanos < 0 { "-" } else { "" });
    let empty = out.len();
    for (unit, size) in units {
        if rest >= size {
            let _ = write!(out, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    if out.len() == empty {
        out.push_str("0s");
    }
    out
}

fn level(of: &Expr) -> Level {
    match &of.kind {
        ExprKind::Or(_) => Level::Or,
        ExprKind::And(_) => Level::And,
        // A quantifier ends in parentheses, but stands where `not` does.
        ExprKind::Not(_) | ExprKind::Quantified { .. } => Level::Not,
        ExprKind::Compare { .. } | ExprKind::In { .. } => Level::Comparison,
        ExprKind::Arith { op, .. } if matches!(op.node, ArithOp::Add | ArithOp::Sub) => Level::Sum,
        ExprKind::Arith { .. } => Level::Term,
        ExprKind::Group(inner) => level(inner),
        _ => Level::Value,
    }
}

fn write_expr(out: &mut String, of: &Expr, at_least: Level) {
    if let ExprKind::Group(inner) = &of.kind {
        return write_expr(out, inner, at_least);
    }
    let own = level(of);
    if own < at_least {
        out.push('(');
        write_form(out, of, own);
        out.push(')');
    } else {
        write_form(out, of, own);
    }
}

fn write_form(out: &mut String, of: &Expr, own: Level) {
    match &of.kind {
        ExprKind::Or(parts) => write_joined(out, parts, " or ", Level::And),
        ExprKind::And(parts) => write_joined(out, parts, " and ", Level::Not),
        ExprKind::Not(inner) => {
            out.push_str("not ");
            write_expr(out, inner, Level::Not);
        }
        ExprKind::Quantified { all, var, list, body } => {
            let _ = write!(out, "{} {} in ", if *all { "all" } else { "any" }, var.node);
            write_expr(out, list, Level::Sum);
            out.push_str(": (");
            write_expr(out, body, Level::Or);
            out.push(')');
        }
        ExprKind::Compare { op, left, right, ignoring_case } => {
            write_expr(out, left, Level::Sum);
            let _ = write!(out, " {} ", op.node.word());
            write_expr(out, right, Level::Sum);
            write_case(out, *ignoring_case);
        }
        ExprKind::In { negated, left, set, ignoring_case, .. } => {
            write_expr(out, left, Level::Sum);
            out.push_str(if *negated { " not in " } else { " in " });
            write_set(out, set);
            write_case(out, *ignoring_case);
        }
        ExprKind::Arith { op, left, right } => {
            write_expr(out, left, own);
            let _ = write!(out, " {} ", arith_op(op.node));
            write_expr(out, right, if own == Level::Sum { Level::Term } else { Level::Value });
        }
        ExprKind::Group(inner) => write_expr(out, inner, Level::Or),
        ExprKind::Text(text) => out.push_str(&quoted(text)),
        ExprKind::Number(number) => {
            let _ = write!(out, "{number}");
        }
        ExprKind::Duration(nanos) => out.push_str(&duration(*nanos)),
        ExprKind::Bool(truth) => {
            let _ = write!(out, "{truth}");
        }
        ExprKind::Path(of) => out.push_str(&path(of, of.postfix.len())),
        ExprKind::Call(of) => write_call(out, of),
        ExprKind::Error => out.push('?'),
    }
}

fn write_joined(out: &mut String, parts: &[Expr], between: &str, at_least: Level) {
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        write_expr(out, part, at_least);
    }
}

fn write_case(out: &mut String, ignoring: bool) {
    if ignoring {
        out.push_str(" ignoring case");
    }
}

fn write_call(out: &mut String, of: &Call) {
    out.push_str(&of.name.node);
    out.push('(');
    write_joined(out, &of.args, ", ", Level::Sum);
    if let Some(condition) = &of.condition {
        out.push_str(if of.args.is_empty() { "where " } else { " where " });
        write_expr(out, condition, Level::Or);
    }
    out.push(')');
    postfix(out, &of.postfix);
}

fn write_set(out: &mut String, set: &Set) {
    match set {
        Set::Literals(literals) => write_literals(out, literals),
        Set::Cidr(networks, _) => {
            let texts: Vec<_> = networks.iter().map(|network| quoted(&network.node)).collect();
            let _ = write!(out, "cidr({})", texts.join(", "));
        }
        Set::Clock(from, to) => {
            let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
            let _ = write!(out, "{}..{}", clock(from.node), clock(to.node));
        }
        Set::Value(value) => write_expr(out, value, Level::Sum),
    }
}

fn write_literals(out: &mut String, literals: &Literals) {
    let items: Vec<_> = literals
        .items
        .iter()
        .map(|item| match item {
            Literal::Text(text) => quoted(&text.node),
            Literal::Number(number) => number.node.to_string(),
            Literal::Duration(nanos) => duration(nanos.node),
            Literal::Word(word) => word.node.clone(),
        })
        .collect();
    let _ = write!(out, "[{}]", items.join(", "));
}

/// As it is written.
pub(crate) fn arith_op(op: ArithOp) -> &'static str {
    match op {
        ArithOp::Add => "+",
        ArithOp::Sub => "-",
        ArithOp::Mul => "*",
        ArithOp::Div => "/",
    }
}
