//! The functions: `docs/semantics.md`, "Arithmetic and functions".

use std::collections::BTreeMap;
use std::net::IpAddr;

use dsl::ir::{Function, Network};

use super::arithmetic::number;
use super::feature::Feature;
use super::image;
use super::text;
use super::time;
use super::value::{Extent, V};

/// A function, by its name in tables.
pub(super) fn name(function: Function) -> Feature {
    match function {
        Function::Present => "present()",
        Function::Len => "len()",
        Function::Keys => "keys()",
        Function::Lower => "lower()",
        Function::Split => "split()",
        Function::Base64 => "base64()",
        Function::UrlDecode => "url_decode()",
        Function::ParseJson => "parse_json()",
        Function::Number => "number()",
        Function::Quantity => "quantity()",
        Function::Time => "time()",
        Function::TimeOfDay => "time_of_day()",
        Function::Weekday => "weekday()",
        Function::CleanPath => "clean_path()",
        Function::PublicIp => "public_ip()",
        Function::ImageRegistry => "image_registry()",
        Function::ImageRepository => "image_repository()",
        Function::ImageTag => "image_tag()",
        Function::ImageDigest => "image_digest()",
    }
}

/// Of single values, all but `present`.
pub(super) fn call(function: Function, args: &[V]) -> V {
    if args.iter().any(V::is_unknown) {
        return V::Unknown;
    }
    compute(function, args).unwrap_or(V::Absent)
}

fn compute(function: Function, args: &[V]) -> Option<V> {
    let first = args.first()?;
    let text = || first.as_text();
    let at = || if let V::Time(at) = first { Some(*at) } else { time::parse(first.as_text()?) };
    let zone = || args.get(1).map_or(Some("UTC"), V::as_text);
    Some(match function {
        Function::Present => V::Bool(!first.is_absent()),
        Function::Len => match first {
            V::Text(t) => V::Number(t.chars().count() as f64),
            V::List(items, Extent::Closed) => V::Number(items.len() as f64),
            V::Map(map, Extent::Closed) => V::Number(map.len() as f64),
            V::List(..) | V::Map(..) => V::Unknown,
            _ => return None,
        },
        Function::Keys => match first {
            V::Map(map, extent) => V::List(map.keys().cloned().map(V::Text).collect(), *extent),
            _ => return None,
        },
        Function::Lower => V::Text(text()?.to_lowercase()),
        Function::Split => {
            let by = args.get(1)?.as_text().filter(|by| !by.is_empty())?;
            V::List(text()?.split(by).map(|part| V::Text(part.to_owned())).collect(), Extent::Closed)
        }
        Function::Base64 => V::Text(String::from_utf8(text::base64_decoded(text()?)?).ok()?),
        Function::UrlDecode => V::Text(String::from_utf8(text::percent_decoded(text()?, true)).ok()?),
        Function::ParseJson => V::closed(&serde_json::from_str(text()?).ok()?),
        Function::Number => match first {
            V::Number(n) => V::Number(*n),
            _ => number(decimal(text()?)?),
        },
        Function::Quantity => match first {
            V::Number(n) => V::Number(*n),
            _ => number(quantity(text()?)?),
        },
        Function::Time => match first {
            V::Time(t) => V::Time(*t),
            _ => V::Time(time::parse(text()?)?),
        },
        Function::TimeOfDay => V::Minute(time::minute_of_day(at()?, zone()?)?),
        Function::Weekday => V::Text(time::weekday(at()?, zone()?)?.to_owned()),
        Function::CleanPath => V::Text(clean_path(text()?)),
        Function::PublicIp => V::Bool(is_public(address(text()?)?)),
        Function::ImageRegistry => V::Text(image::parse(text()?)?.registry),
        Function::ImageRepository => {
            let image = image::parse(text()?)?;
            V::Text(format!("{}/{}", image.registry, image.repository))
        }
        Function::ImageTag => V::Text(image::parse(text()?)?.tag?),
        Function::ImageDigest => V::Text(image::parse(text()?)?.digest?),
    })
}

fn decimal(text: &str) -> Option<f64> {
    let whole = text::matches(text, r"\A-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", false);
    if whole { text.parse().ok() } else { None }
}

fn quantity(text: &str) -> Option<f64> {
    let digits = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)";
    if text::matches(text, &format!(r"\A{digits}([eE][+-]?[0-9]+)?\z"), false) {
        return text.parse().ok();
    }
    if !text::matches(text, &format!(r"\A{digits}([numkMGTPE]|[KMGTPE]i)\z"), false) {
        return None;
    }
    let suffix = text.trim_start_matches(|c: char| !c.is_ascii_alphabetic());
    let amount: f64 = text[..text.len() - suffix.len()].parse().ok()?;
    let times = |base: f64, letters: &str| {
        let power = letters.find(&suffix[..1]).map_or(0, |at| at + 1);
        amount * base.powi(i32::try_from(power).unwrap_or(0))
    };
    Some(match suffix {
        "n" => amount / 1e9,
        "u" => amount / 1e6,
        "m" => amount / 1e3,
        _ if suffix.ends_with('i') => times(1024.0, "KMGTPE"),
        _ => times(1000.0, "kMGTPE"),
    })
}

/// Go's `path.Clean`, by its four rules.
fn clean_path(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// An address; an IPv4 one that is mapped is IPv4.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Its first bits.
fn within(ip: IpAddr, network: &str, bits: u32) -> bool {
    let (bytes, of): (Vec<u8>, IpAddr) = match (ip, network.parse()) {
        (IpAddr::V4(ip), Ok(of @ IpAddr::V4(_))) => (ip.octets().to_vec(), of),
        (IpAddr::V6(ip), Ok(of @ IpAddr::V6(_))) => (ip.octets().to_vec(), of),
        _ => return false,
    };
    let of = match of {
        IpAddr::V4(of) => of.octets().to_vec(),
        IpAddr::V6(of) => of.octets().to_vec(),
    };
    let bit = |bytes: &[u8], i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    (0..bits as usize).all(|i| bit(&bytes, i) == bit(&of, i))
}

/// Whether the network has the address.
pub(super) fn in_network(ip: IpAddr, network: &Network) -> bool {
    within(ip, &network.address.to_string(), u32::from(network.bits))
}

fn is_public(ip: IpAddr) -> bool {
    let private: BTreeMap<&str, u32> = [
        ("0.0.0.0", 8),
        ("10.0.0.0", 8),
        ("100.64.0.0", 10),
        ("127.0.0.0", 8),
        ("169.254.0.0", 16),
        ("172.16.0.0", 12),
        ("192.168.0.0", 16),
        ("224.0.0.0", 4),
        ("240.0.0.0", 4),
        ("::", 128),
        ("::1", 128),
        ("fc00::", 7),
        ("fe80::", 10),
        ("ff00::", 8),
    ]
    .into();
    !private.iter().any(|(network, bits)| within(ip, network, *bits))
}
