//! `+ - * /`: `docs/semantics.md`, "Arithmetic and functions".

use dsl::ir::ArithOp;

use super::value::V;

pub(super) fn arithmetic(op: ArithOp, a: &V, b: &V) -> V {
    use ArithOp::{Add, Div, Mul, Sub};
    match (op, a, b) {
        (_, V::Unknown, _) | (_, _, V::Unknown) => V::Unknown,
        (Add, V::Text(a), V::Text(b)) => V::Text(format!("{a}{b}")),
        (Add, V::Number(a), V::Number(b)) => number(a + b),
        (Sub, V::Number(a), V::Number(b)) => number(a - b),
        (Mul, V::Number(a), V::Number(b)) => number(a * b),
        (Div, V::Number(a), V::Number(b)) => number(if *b == 0.0 { f64::NAN } else { a / b }),
        (Sub, V::Time(a), V::Time(b)) => a.checked_sub(*b).map_or(V::Absent, V::Duration),
        (Add, V::Time(a), V::Duration(b)) => a.checked_add(*b).map_or(V::Absent, V::Time),
        (Sub, V::Time(a), V::Duration(b)) => a.checked_sub(*b).map_or(V::Absent, V::Time),
        (Add, V::Duration(a), V::Duration(b)) => a.checked_add(*b).map_or(V::Absent, V::Duration),
        (Sub, V::Duration(a), V::Duration(b)) => a.checked_sub(*b).map_or(V::Absent, V::Duration),
        (Mul, V::Duration(d), V::Number(n)) | (Mul, V::Number(n), V::Duration(d)) => duration(*d as f64 * n),
        (Div, V::Duration(_), V::Number(n)) if *n == 0.0 => V::Absent,
        (Div, V::Duration(d), V::Number(n)) => duration(*d as f64 / n),
        (Div, V::Duration(_), V::Duration(0)) => V::Absent,
        (Div, V::Duration(a), V::Duration(b)) => number(*a as f64 / *b as f64),
        _ => V::Absent,
    }
}

pub(super) fn number(n: f64) -> V {
    if n.is_finite() { V::Number(n) } else { V::Absent }
}

fn duration(nanos: f64) -> V {
    let nanos = nanos.round();
    let limit = 2f64.powi(63);
    if nanos >= -limit && nanos < limit { V::Duration(nanos as i64) } else { V::Absent }
}
