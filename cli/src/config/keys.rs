//! The keys of the configuration file: what each is called, takes and means.

use std::net::{Ipv4Addr, SocketAddr};

use engine::limits::VIRTUAL_SHARDS;

use super::Config;
use crate::values;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number.
    Count,
    /// Bytes, as a number or a text with a unit.
    Size,
    /// Nanoseconds, as a text with units.
    Duration,
    /// Where to listen: a port of the loopback, or an address with one.
    Listen,
}

/// One.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Number(u64),
    /// Nowhere, unless told.
    Listen(Option<SocketAddr>),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) table: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The least that it may be, of a number.
    pub(super) least: u64,
    /// For the reference.
    #[cfg(test)]
    pub(super) about: &'static str,
    #[cfg(test)]
    pub(super) get: fn(&Config) -> Value,
    pub(super) set: fn(&mut Config, Value),
}

impl Kind {
    /// What is said where it is something else.
    pub(super) fn takes(self) -> &'static str {
        match self {
            Self::Count => "this is a whole number, such as 100_000",
            Self::Size => "this is a number of bytes, or a text such as \"64MiB\"",
            Self::Duration => "this is a text with units, such as \"5s\" or \"1h30m\"",
            Self::Listen => {
                "this is a port of this machine alone, such as 9109, or an address with one, such as \"0.0.0.0:9109\""
            }
        }
    }

    pub(super) fn of_number(self, number: u64) -> Result<Value, String> {
        let wrong = || self.takes().to_owned();
        match self {
            Self::Count | Self::Size => Ok(Value::Number(number)),
            Self::Duration => Err(wrong()),
            Self::Listen => {
                let port = u16::try_from(number).map_err(|_| wrong())?;
                Ok(Value::Listen(Some((Ipv4Addr::LOCALHOST, port).into())))
            }
        }
    }

    pub(super) fn of_text(self, text: &str) -> Result<Value, String> {
        let wrong = || self.takes().to_owned();
        match self {
            Self::Count => Err(wrong()),
            Self::Size => Ok(Value::Number(values::size(text)? as u64)),
            Self::Duration => {
                let nanos = u64::try_from(values::duration(text)?).map_err(|_| wrong())?;
                Ok(Value::Number(nanos))
            }
            Self::Listen => Ok(Value::Listen(Some(text.parse().map_err(|_| wrong())?))),
        }
    }

    /// A value as somebody would write it.
    pub(super) fn show(self, value: Value) -> String {
        let value = match value {
            Value::Number(value) => value,
            Value::Listen(Some(address)) => return format!("\"{address}\""),
            Value::Listen(None) => return "nowhere".to_owned(),
        };
        let units: &[(&str, u64)] = match self {
            Self::Count | Self::Listen => &[],
            Self::Size => &[("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)],
            Self::Duration => &[
                ("h", 3_600_000_000_000),
                ("m", 60_000_000_000),
                ("s", 1_000_000_000),
                ("ms", 1_000_000),
                ("ns", 1),
            ],
        };
        let fits = |(_, size): &&(&str, u64)| value.is_multiple_of(*size);
        match units.iter().find(fits) {
            _ if value == 0 && self == Self::Duration => "\"0s\"".to_owned(),
            Some((name, size)) if value > 0 => format!("\"{}{name}\"", value / size),
            _ => value.to_string(),
        }
    }
}

impl Key {
    /// The value, if it is not too small and fits this machine.
    pub(super) fn check(&self, value: Value) -> Result<Value, String> {
        let most = if self.kind == Kind::Duration { i64::MAX as u64 } else { usize::MAX as u64 };
        match value {
            Value::Number(small) if small < self.least => {
                Err(format!("the least is {}", self.kind.show(Value::Number(self.least))))
            }
            Value::Number(large) if large > most => Err("that is too large".to_owned()),
            value => Ok(value),
        }
    }
}

/// Where a limit is divided among the virtual shards each has one at least.
const SHARDS: u64 = VIRTUAL_SHARDS as u64;

macro_rules! limit {
    ($name:ident, $kind:ident, $least:expr, $about:literal) => {
        Key {
            table: "limits",
            name: stringify!($name),
            kind: Kind::$kind,
            least: $least,
            #[cfg(test)]
            about: $about,
            #[cfg(test)]
            get: |config| Value::Number(u64::try_from(config.limits.$name).unwrap_or(u64::MAX)),
            // What does not fit was refused before.
            set: |config, value| {
                if let Value::Number(value) = value
                    && let Ok(value) = value.try_into()
                {
                    config.limits.$name = value;
                }
            },
        }
    };
}

/// All of them, in the order of the reference.
pub(super) const KEYS: &[Key] = &[
    Key {
        table: "admin",
        name: "listen",
        kind: Kind::Listen,
        least: 0,
        #[cfg(test)]
        about: "Where `/metrics`, `/healthz` and `/readyz` are answered: a port, of this machine alone, or an address with one.",
        #[cfg(test)]
        get: |config| Value::Listen(config.admin),
        set: |config, value| {
            if let Value::Listen(address) = value {
                config.admin = address;
            }
        },
    },
    limit!(
        lateness,
        Duration,
        0,
        "How late an event may come, by the clock of its source; `--lateness` goes before it."
    ),
    limit!(
        line_bytes_max,
        Size,
        1_024,
        "The longest event; longer ones are counted and passed over. `--max-line` goes before it."
    ),
    limit!(
        request_memory,
        Duration,
        0,
        "How long a request that matched is known, so that its other events and copies do not count again; at least as long as the rule's window."
    ),
    limit!(
        requests_told_max,
        Count,
        SHARDS,
        "How many such requests are known, over all rules. Past it the oldest are forgotten and may count twice."
    ),
    limit!(
        keys_per_rule_max,
        Count,
        SHARDS,
        "How many keys one rule remembers. Past it new keys share windows, or are refused and told of."
    ),
    limit!(
        matches_per_key_max,
        Count,
        1,
        "How many matches one key of one rule keeps (of a sequence: each step). Past it the oldest goes."
    ),
    limit!(
        window_bytes_per_rule_max,
        Size,
        0,
        "What the windows of one rule keep beside the first thing of each key. Past it the window that keeps most gives way."
    ),
    limit!(
        waiting_matches_max,
        Count,
        1,
        "How many matches wait for their time. Past it time is moved on, and what is decided so is approximate."
    ),
    limit!(waiting_bytes_max, Size, 0, "What those take together; past it the same."),
    limit!(
        request_table_bytes_max,
        Size,
        0,
        "What the table of one rule about requests themselves takes; 0: it has none and remembers requests as other rules do keys."
    ),
    limit!(
        tuples_per_match_max,
        Count,
        1,
        "How many tuples of several `[]` one match may bring to a `distinct` or `first_seen`. Past it each counts as different."
    ),
];

/// The reference, as Markdown.
#[cfg(test)]
pub(super) fn reference() -> String {
    use std::fmt::Write;
    let mut out = String::from("| key | default | least | what it is |\n|---|---|---|---|\n");
    for key in KEYS {
        let default = key.kind.show((key.get)(&Config::default()));
        let default = if default == "nowhere" { default } else { format!("`{default}`") };
        let least = match key.kind {
            Kind::Listen => String::new(),
            _ => format!("`{}`", key.kind.show(Value::Number(key.least))),
        };
        let row = format!("| `{}.{}` | {default} | {least} | {} |", key.table, key.name, key.about);
        let _fits = writeln!(out, "{row}");
    }
    out
}
