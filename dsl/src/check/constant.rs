//! What can be known while compiling: constants, and what functions make of them.
//!
//! Folding must give what the engine would: only what `docs/semantics.md` fixes without an event is folded, and a constant
//! that cannot be computed is a mistake of the rule rather than an absence.

use crate::ir::{Expr, ExprKind, Function, Literal, Network, Type};
use crate::source::Span;
use crate::syntax::ast::ArithOp;

/// The text of a constant.
pub(crate) fn text(of: &Expr) -> Option<&str> {
    match &of.kind {
        ExprKind::Literal(Literal::Text(text)) => Some(text),
        _ => None,
    }
}

/// The number of a constant.
pub(crate) fn number(of: &Expr) -> Option<f64> {
    match &of.kind {
        ExprKind::Literal(Literal::Number(number)) => Some(*number),
        _ => None,
    }
}

/// A constant as an expression.
pub(crate) fn literal(literal: Literal, span: Span) -> Expr {
    let ty = type_of(&literal);
    Expr { kind: ExprKind::Literal(literal), ty, span }
}

/// The type of a constant.
pub(crate) fn type_of(literal: &Literal) -> Type {
    match literal {
        Literal::Text(_) => Type::Text,
        Literal::Number(_) => Type::Number,
        Literal::Duration(_) => Type::Duration,
        Literal::Bool(_) => Type::Bool,
        Literal::List(items) => {
            let mut types = items.iter().map(type_of);
            let first = types.next().unwrap_or(Type::Any);
            let same = types.all(|ty| ty == first);
            Type::List(std::sync::Arc::new(if same { first } else { Type::Any }))
        }
    }
}

/// Arithmetic of two constants. `None`: not of these, or out of range.
pub(crate) fn arith(op: ArithOp, left: &Literal, right: &Literal) -> Option<Literal> {
    use Literal::{Duration as D, Number as N, Text as T};
    let finite = |number: f64| number.is_finite().then_some(number);
    Some(match (op, left, right) {
        (ArithOp::Add, N(a), N(b)) => N(finite(a + b)?),
        (ArithOp::Sub, N(a), N(b)) => N(finite(a - b)?),
        (ArithOp::Mul, N(a), N(b)) => N(finite(a * b)?),
        (ArithOp::Div, N(a), N(b)) if *b != 0.0 => N(finite(a / b)?),
        (ArithOp::Add, T(a), T(b)) => T(format!("{a}{b}")),
        (ArithOp::Add, D(a), D(b)) => D(a.checked_add(*b)?),
        (ArithOp::Sub, D(a), D(b)) => D(a.checked_sub(*b)?),
        _ => return None,
    })
}

/// What a function makes of a constant.
pub(crate) enum Folded {
    /// This constant.
    Value(Literal),
    /// A value that no literal can hold, or that only the engine computes: the call stays.
    Stays,
    /// Nothing.
    Impossible,
}

/// A function of one constant.
pub(crate) fn call(function: Function, argument: &Literal) -> Folded {
    let number = |value: Option<f64>| value.map_or(Folded::Impossible, |n| Folded::Value(Literal::Number(n)));
    match (function, argument) {
        (Function::Number | Function::Quantity, Literal::Number(value)) => number(Some(*value)),
        (Function::Number, Literal::Text(text)) => number(parse_number(text)),
        (Function::Quantity, Literal::Text(text)) => number(quantity(text)),
        (Function::Time, Literal::Text(text)) if parse_time(text).is_none() => Folded::Impossible,
        _ => Folded::Stays,
    }
}

/// `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let (number, rest) = decimal(text)?;
    let rest = match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            ""
        }
        None => rest,
    };
    if !rest.is_empty() || number.is_empty() {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Kubernetes' quantity.
pub(crate) fn quantity(text: &str) -> Option<f64> {
    let (number, suffix) = decimal(text)?;
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        _ => return parse_number(text),
    };
    // Division by a power of ten is exact where multiplication by its inverse is not.
    let value = match suffix {
        "n" => number / 1e9,
        "u" => number / 1e6,
        "m" => number / 1e3,
        _ => number * factor,
    };
    value.is_finite().then_some(value)
}

/// The decimal number that a text begins with, and the rest.
fn decimal(text: &str) -> Option<(&str, &str)> {
    let digits = |of: &str| of.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = usize::from(text.starts_with('-'));
    let whole = digits(&text[end..]);
    if whole == 0 {
        return None;
    }
    end += whole;
    if text[end..].starts_with('.') {
        let fraction = digits(&text[end + 1..]);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    Some(text.split_at(end))
}

/// Nanoseconds since the Unix epoch of an RFC 3339 text, as the language reads times.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b'T') || text.ends_with('z') || bytes.get(17..19) == Some(b"60") {
        return None;
    }
    // Fractions beyond nanoseconds are cut off, which chrono does not promise.
    let digits = match text.split_once('.') {
        Some((_, fraction)) => fraction.bytes().take_while(u8::is_ascii_digit).count(),
        None => 0,
    };
    let mut cut = text.to_owned();
    if digits > 9
        && let Some(point) = text.find('.')
    {
        cut.replace_range(point + 10..point + 1 + digits, "");
    }
    chrono::DateTime::parse_from_rfc3339(&cut).ok()?.timestamp_nanos_opt()
}

/// `10.0.0.0/8`; what is wrong with it if it is none.
pub(crate) fn network(text: &str) -> Result<Network, String> {
    let Some((address, bits)) = text.split_once('/') else {
        return Err(match text.parse::<std::net::IpAddr>() {
            Ok(address) => {
                format!("write `{text}/{}` for this one address", if address.is_ipv4() { 32 } else { 128 })
            }
            Err(_) => "a network is an address, a slash and how many bits count: `10.0.0.0/8`".to_owned(),
        });
    };
    let address: std::net::IpAddr =
        address.parse().map_err(|_| format!("`{address}` is no IPv4 or IPv6 address"))?;
    let most: u8 = if address.is_ipv4() { 32 } else { 128 };
    let plain = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    let bits: u8 = bits
        .parse()
        .ok()
        .filter(|bits| plain && *bits <= most)
        .ok_or_else(|| format!("a network of this kind has 0 to {most} bits"))?;
    Ok(masked(address, bits))
}

fn masked(address: std::net::IpAddr, bits: u8) -> Network {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            Network { address: IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask)), bits }
        }
        IpAddr::V6(address) => match (address.to_ipv4_mapped(), bits.checked_sub(96)) {
            (Some(inner), Some(bits)) => masked(IpAddr::V4(inner), bits),
            _ => {
                let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
                Network { address: IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask)), bits }
            }
        },
    }
}
