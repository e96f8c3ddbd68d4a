//! Tables: `docs/semantics.md`, "A lookup". Every row is looked at; MaxMind's own reader is asked for records.

use std::collections::BTreeMap;
use std::fmt;

use dsl::ir::{Rows, Table};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::arithmetic::number;
use super::eval::constant;
use super::functions::{address, in_network};
use super::value::{Extent, V};

/// The value under a key that is no spread.
pub(super) fn lookup(table: &Table, key: &V) -> V {
    if key.is_unknown() {
        return V::Unknown;
    }
    let Some(key) = key.as_text() else { return V::Absent };
    let found = match &table.rows {
        Rows::Texts(rows) => rows.iter().find(|(text, _)| text == key).map(|(_, value)| constant(value)),
        Rows::Networks(rows) => address(key).and_then(|ip| {
            let holds = rows.iter().filter(|(network, _)| in_network(ip, network));
            holds.max_by_key(|(network, _)| network.bits).map(|(_, value)| constant(value))
        }),
        Rows::MaxMind(bytes) => address(key).and_then(|ip| {
            let reader = maxminddb::Reader::from_source(&**bytes).ok()?;
            reader.lookup(ip).ok()?.decode::<Record>().ok()?.map(|record| record.0)
        }),
    };
    found.unwrap_or(V::Absent)
}

/// A record, piece by piece.
struct Record(V);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Pieces)
    }
}

struct Pieces;

impl<'de> Visitor<'de> for Pieces {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, b: bool) -> Result<Record, E> {
        Ok(Record(V::Bool(b)))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Record, E> {
        Ok(Record(number(n as f64)))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Record, E> {
        Ok(Record(number(n as f64)))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Record, E> {
        Ok(Record(number(n)))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Record, E> {
        Ok(Record(V::Absent))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Record, E> {
        Ok(Record(V::Absent))
    }

    fn visit_str<E>(self, text: &str) -> Result<Record, E> {
        Ok(Record(V::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Record, A::Error> {
        let mut items = Vec::new();
        while let Some(Record(item)) = from.next_element()? {
            items.push(item);
        }
        Ok(Record(V::List(items, Extent::Closed)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Record, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((key, Record(item))) = from.next_entry::<String, Record>()? {
            map.insert(key, item);
        }
        Ok(Record(V::Map(map, Extent::Closed)))
    }
}
