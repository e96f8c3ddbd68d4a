//! Functions and arithmetic. `docs/semantics.md`, "Arithmetic and functions".
//!
//! Unknown if an argument is, else absent if one is absent, of the wrong type, or without an answer. Of a spread each is
//! taken, of two every pair, as long as they are no more than fit into memory.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use chrono::{DateTime, Datelike, Timelike};
use dsl::ir::{ArithOp, Function as F};

use crate::event::{self, instant};
use crate::limits::PAIRS_MAX;
use crate::plan::expr::Function;

use super::compare::address;
use super::val::Val;
use super::{Truth, compare, image, query};

/// The standard alphabet; padding may be there or not; bits beyond the last byte must be 0.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A function of one argument, of a spread for each.
pub(super) fn each<'a>(arg: Val<'a>, function: Function) -> Val<'a> {
    if function == Function::Plain(F::Present) {
        return compare::any(&arg, |val| match val {
            Val::Unknown => Truth::Unknown,
            Val::Absent => Truth::False,
            _ => Truth::True,
        })
        .val();
    }
    match arg {
        Val::Spread(items, open) => {
            Val::Spread(items.into_iter().map(|v| call(function, &[v])).collect(), open)
        }
        one => call(function, &[one]),
    }
}

/// Something of two values, of spreads for every pair; of two long ones for the first [`PAIRS_MAX`], and then there may be others.
pub(super) fn pairs<'a>(left: Val<'a>, right: Val<'a>, f: &dyn Fn(&Val<'a>, &Val<'a>) -> Val<'a>) -> Val<'a> {
    match (&left, &right) {
        (Val::Spread(a, x), Val::Spread(b, y)) => {
            let all = a.iter().flat_map(|a| b.iter().map(move |b| f(a, b)));
            let more = a.len().saturating_mul(b.len()) > PAIRS_MAX;
            Val::Spread(all.take(PAIRS_MAX).collect(), *x || *y || more)
        }
        (Val::Spread(a, open), b) => Val::Spread(a.iter().map(|a| f(a, b)).collect(), *open),
        (a, Val::Spread(b, open)) => Val::Spread(b.iter().map(|b| f(a, b)).collect(), *open),
        (a, b) => f(a, b),
    }
}

/// A function of values that are no spreads.
pub(crate) fn call<'a>(function: Function, args: &[Val<'a>]) -> Val<'a> {
    if args.iter().any(|arg| matches!(arg, Val::Unknown)) {
        return Val::Unknown;
    }
    let function = match function {
        Function::Plain(function) => function,
        Function::TimeOfDay(zone) => {
            let Some(local) = local(args, zone) else { return Val::Absent };
            return Val::Minute(u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0));
        }
        Function::Weekday(zone) => {
            const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
            let Some(local) = local(args, zone) else { return Val::Absent };
            return Val::text(DAYS[local.weekday().num_days_from_monday() as usize % 7]);
        }
    };
    match args {
        [Val::Text(text)] => of_text(function, text),
        [Val::Text(text), Val::Text(separator)] if function == F::Split && !separator.is_empty() => {
            Val::list(text.split(&**separator).map(|part| Val::text(part.to_owned())).collect(), false)
        }
        [Val::Number(_)] if matches!(function, F::Number | F::Quantity) => args[0].clone(),
        [Val::Time(_)] if function == F::Time => args[0].clone(),
        [one] if function == F::Len => len(one),
        [one] if function == F::Keys => match one.entries() {
            Some((entries, open)) => {
                Val::list(entries.into_iter().map(|(key, _)| Val::Text(key)).collect(), open)
            }
            None => Val::Absent,
        },
        _ => Val::Absent,
    }
}

/// A time, or a text of one, in a zone.
fn local(args: &[Val<'_>], zone: chrono_tz::Tz) -> Option<DateTime<chrono_tz::Tz>> {
    let nanos = match args {
        [Val::Time(t)] => *t,
        [Val::Text(text)] => instant::parse(text)?,
        _ => return None,
    };
    Some(DateTime::from_timestamp_nanos(nanos).with_timezone(&zone))
}

#[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
fn len<'a>(val: &Val<'a>) -> Val<'a> {
    if val.open() {
        return Val::Unknown;
    }
    match (val.elements(), val.entries()) {
        (Some((items, _)), _) => Val::Number(items.len() as f64),
        (None, Some((entries, _))) => Val::Number(entries.len() as f64),
        (None, None) => Val::Absent,
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
fn of_text<'a>(function: F, text: &str) -> Val<'a> {
    let owned = |text: String| Val::Text(Cow::Owned(text));
    match function {
        F::Len => Val::Number(text.chars().count() as f64),
        F::Lower => owned(text.to_lowercase()),
        F::Base64 => {
            let bytes = BASE64.decode(text).ok();
            Val::option(bytes.and_then(|b| String::from_utf8(b).ok()).map(owned))
        }
        F::UrlDecode => Val::option(String::from_utf8(query::unescape(text, true)).ok().map(owned)),
        F::ParseJson => Val::option(event::parse_json(text).as_ref().map(rebuilt)),
        F::Number => Val::option(number(text).map(Val::Number)),
        F::Quantity => Val::option(quantity(text).map(Val::Number)),
        F::Time => Val::option(instant::parse(text).map(Val::Time)),
        F::CleanPath => owned(clean_path(text)),
        F::PublicIp => Val::option(address(text).map(|a| Val::Bool(public(a)))),
        F::ImageRegistry | F::ImageRepository | F::ImageTag | F::ImageDigest => {
            let Some(image) = image::parse(text) else { return Val::Absent };
            Val::option(match function {
                F::ImageRegistry => Some(owned(image.registry)),
                F::ImageRepository => Some(owned(image.repository)),
                F::ImageTag => image.tag.map(owned),
                _ => image.digest.map(owned),
            })
        }
        F::Present | F::Keys | F::Split | F::TimeOfDay | F::Weekday => Val::Absent,
    }
}

/// An owned document as a value that borrows nothing of it.
fn rebuilt<'a>(doc: &event::document::Document) -> Val<'a> {
    own(&Val::json(doc.json(0)))
}

fn own<'a>(val: &Val<'_>) -> Val<'a> {
    match val {
        Val::Unknown => Val::Unknown,
        Val::Bool(b) => Val::Bool(*b),
        Val::Number(n) => Val::Number(*n),
        Val::Text(text) => Val::Text(Cow::Owned(text.clone().into_owned())),
        other => match (other.elements(), other.entries()) {
            (Some((items, open)), _) => Val::list(items.iter().map(own).collect(), open),
            (None, Some((entries, open))) => {
                let entries = entries.iter().map(|(key, v)| (Cow::Owned(key.clone().into_owned()), own(v)));
                Val::Map(std::rc::Rc::new(entries.collect()), open)
            }
            (None, None) => Val::Absent,
        },
    }
}

/// `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`, finite.
fn number(text: &str) -> Option<f64> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let rest = strip_digits(rest)?;
    let rest = match rest.strip_prefix('.') {
        Some(fraction) => strip_digits(fraction)?,
        None => rest,
    };
    let rest = match rest.strip_prefix(['e', 'E']) {
        Some(exponent) => strip_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?,
        None => rest,
    };
    if !rest.is_empty() {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// What follows one or more digits.
fn strip_digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

/// Kubernetes' quantity, as `docs/semantics.md` computes it: with an exponent as one number, else in doubles.
fn quantity(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = body.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(body.len());
    let (digits, suffix) = body.split_at(end);
    if digits.matches('.').count() > 1 || !digits.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: f64 = text[..text.len() - suffix.len()].parse().ok()?;
    let result = match suffix {
        "" => number,
        "n" => number / 1e9,
        "u" => number / 1e6,
        "m" => number / 1e3,
        "k" => number * 1e3,
        "M" => number * 1e6,
        "G" => number * 1e9,
        "T" => number * 1e12,
        "P" => number * 1e15,
        "E" => number * 1e18,
        "Ki" => number * 2f64.powi(10),
        "Mi" => number * 2f64.powi(20),
        "Gi" => number * 2f64.powi(30),
        "Ti" => number * 2f64.powi(40),
        "Pi" => number * 2f64.powi(50),
        "Ei" => number * 2f64.powi(60),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            let after = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            strip_digits(after).filter(|rest| rest.is_empty())?;
            text.parse().ok()?
        }
    };
    Some(result).filter(|n| n.is_finite())
}

/// Go's `path.Clean`.
fn clean_path(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match kept.last() {
                Some(&last) if last != ".." => {
                    kept.pop();
                }
                _ if rooted => {}
                _ => kept.push(".."),
            },
            part => kept.push(part),
        }
    }
    match (rooted, kept.is_empty()) {
        (true, _) => format!("/{}", kept.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => kept.join("/"),
    }
}

fn public(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(a) => {
            let [first, second, ..] = a.octets();
            !(first == 0
                || first == 10
                || first == 127
                || first >= 224
                || first == 100 && second & 0xc0 == 64
                || first == 169 && second == 254
                || first == 172 && second & 0xf0 == 16
                || first == 192 && second == 168)
        }
        std::net::IpAddr::V6(a) => {
            let first = a.segments()[0];
            !(a.is_unspecified()
                || a.is_loopback()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || first & 0xff00 == 0xff00)
        }
    }
}

/// Arithmetic of two values that are no spreads.
pub(super) fn arith<'a>(op: ArithOp, left: &Val<'a>, right: &Val<'a>) -> Val<'a> {
    use ArithOp::{Add, Div, Mul, Sub};
    let number = |n: f64| if n.is_finite() { Val::Number(n) } else { Val::Absent };
    match (left, op, right) {
        (Val::Unknown, _, _) | (_, _, Val::Unknown) => Val::Unknown,
        (Val::Number(_), Div, Val::Number(b)) if *b == 0.0 => Val::Absent,
        (Val::Number(a), op, Val::Number(b)) => number(match op {
            Add => a + b,
            Sub => a - b,
            Mul => a * b,
            Div => a / b,
        }),
        (Val::Text(a), Add, Val::Text(b)) => Val::Text(Cow::Owned(format!("{a}{b}"))),
        (Val::Time(a), Sub, Val::Time(b)) => Val::option(a.checked_sub(*b).map(Val::Duration)),
        (Val::Time(a), Add, Val::Duration(b)) | (Val::Duration(b), Add, Val::Time(a)) => {
            Val::option(a.checked_add(*b).map(Val::Time))
        }
        (Val::Time(a), Sub, Val::Duration(b)) => Val::option(a.checked_sub(*b).map(Val::Time)),
        (Val::Duration(a), Add, Val::Duration(b)) => Val::option(a.checked_add(*b).map(Val::Duration)),
        (Val::Duration(a), Sub, Val::Duration(b)) => Val::option(a.checked_sub(*b).map(Val::Duration)),
        (Val::Duration(a), Mul, Val::Number(b)) | (Val::Number(b), Mul, Val::Duration(a)) => {
            scaled(*a, |a| a * b)
        }
        (Val::Duration(_), Div, Val::Number(b)) if *b == 0.0 => Val::Absent,
        (Val::Duration(a), Div, Val::Number(b)) => scaled(*a, |a| a / b),
        (Val::Duration(_), Div, Val::Duration(0)) => Val::Absent,
        #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
        (Val::Duration(a), Div, Val::Duration(b)) => number(*a as f64 / *b as f64),
        _ => Val::Absent,
    }
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "checked to be in range")]
fn scaled<'a>(duration: i64, f: impl Fn(f64) -> f64) -> Val<'a> {
    // `round` goes away from 0 at ties. 2^63 is the first double beyond.
    let result = f(duration as f64).round();
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&result) {
        return Val::Duration(result as i64);
    }
    Val::Absent
}
