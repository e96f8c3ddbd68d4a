//! Tables, ready to be looked up in.
//!
//! The typed rules have a table's rows in order, so they are searched where they stand, and rules that share a table share
//! its rows. A text is found by halving. So is an address: the last network that begins at it or before either holds
//! it, and is then the longest that does; or else whatever holds the address holds what the two have in common, and
//! the search goes on for that. Every round has fewer bits in common than the one before, so there are at most 33 of
//! them for IPv4 and 129 for IPv6, and mostly one or two. A MaxMind record is decoded when it is asked for.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use dsl::ir::{self, Literal, Network, Rows};
use maxminddb::Reader;

use crate::eval::{Val, address};
use crate::planted::planted;

/// A table.
pub(crate) struct Table {
    of: Arc<ir::Table>,
    /// Of a MaxMind database; nothing if it cannot be read, which the checker rules out.
    reader: Option<Reader<Arc<[u8]>>>,
}

impl fmt::Debug for Table {
    /// Its name, and where its rows are: nodes that print equal are taken for equal (`atoms/build.rs`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table {} at {:p}", self.of.name, Arc::as_ptr(&self.of))
    }
}

impl Table {
    pub(crate) fn new(of: &Arc<ir::Table>) -> Self {
        let reader = match &of.rows {
            Rows::MaxMind(bytes) => Reader::from_source(Arc::clone(bytes)).ok(),
            Rows::Texts(_) | Rows::Networks(_) => None,
        };
        Self { of: Arc::clone(of), reader }
    }

    /// What stands under a key; of a spread of keys under each.
    pub(crate) fn get<'a>(&'a self, key: &Val<'_>) -> Val<'a> {
        match key {
            Val::Unknown => Val::Unknown,
            Val::Text(text) => self.under(text),
            Val::Spread(keys, open) => Val::Spread(keys.iter().map(|key| self.get(key)).collect(), *open),
            _ => Val::Absent,
        }
    }

    fn under<'a>(&'a self, key: &str) -> Val<'a> {
        let found = match &self.of.rows {
            Rows::Texts(rows) => {
                rows.binary_search_by(|(text, _)| text.as_str().cmp(key)).ok().map(|at| &rows[at].1)
            }
            Rows::Networks(rows) => address(key).and_then(|address| longest(rows, address)),
            Rows::MaxMind(_) => {
                // An IPv6 address in a database of IPv4 is an error to it, and to us is in no network.
                let address = address(key).filter(|address| address.is_ipv4() || !planted(64));
                let found = self.reader.as_ref().zip(address).and_then(|(reader, address)| {
                    reader.lookup(address).and_then(|found| found.decode::<record::Record>()).ok().flatten()
                });
                return found.map_or(Val::Absent, |record| record.0);
            }
        };
        match found {
            Some(Literal::Text(text)) => Val::text(text.as_str()),
            Some(Literal::Number(n)) => Val::Number(*n),
            Some(Literal::Bool(b)) => Val::Bool(*b),
            Some(Literal::Duration(n)) => Val::Duration(*n),
            Some(Literal::List(_)) | None => Val::Absent,
        }
    }
}

/// What the longest network has that holds the address. The rows are in the order of addresses, then of bits.
fn longest(rows: &[(Network, Literal)], address: IpAddr) -> Option<&Literal> {
    // Only networks of so many bits or fewer are still looked for.
    let mut bits = if address.is_ipv4() { 32 } else { 128 };
    loop {
        let last = Network { address: masked(address, bits), bits };
        let behind =
            rows.partition_point(|(network, _)| (network.address, network.bits) <= (last.address, last.bits));
        let (network, value) = rows.get(behind.checked_sub(1)?)?;
        let common = common_bits(network.address, address)?;
        if network.bits <= common {
            return Some(value);
        }
        // Were it no less, the network would be one of `bits` or fewer that begins as the address does.
        bits = common;
    }
}

/// The address with all bits behind the first so many cleared.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// With how many equal bits two addresses of a kind begin.
fn common_bits(one: IpAddr, two: IpAddr) -> Option<u8> {
    let bits = match (one, two) {
        (IpAddr::V4(one), IpAddr::V4(two)) => (one.to_bits() ^ two.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(two)) => (one.to_bits() ^ two.to_bits()).leading_zeros(),
        _ => return None,
    };
    u8::try_from(bits).ok()
}

mod record {
    //! A MaxMind record as a value: maps, lists, texts, truths and numbers; bytes, and integers of more than 64 bits,
    //! are absent.

    use std::borrow::Cow;
    use std::fmt;
    use std::rc::Rc;

    use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

    use crate::eval::Val;

    /// See the module.
    pub(super) struct Record(pub(super) Val<'static>);

    impl<'de> Deserialize<'de> for Record {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            from.deserialize_any(Maker).map(Self)
        }
    }

    struct Maker;

    impl<'de> Visitor<'de> for Maker {
        type Value = Val<'static>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a record")
        }

        fn visit_bool<E>(self, of: bool) -> Result<Self::Value, E> {
            Ok(Val::Bool(of))
        }

        fn visit_f64<E>(self, of: f64) -> Result<Self::Value, E> {
            Ok(if of.is_finite() { Val::Number(of) } else { Val::Absent })
        }

        #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
        fn visit_i64<E>(self, of: i64) -> Result<Self::Value, E> {
            Ok(Val::Number(of as f64))
        }

        #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
        fn visit_u64<E>(self, of: u64) -> Result<Self::Value, E> {
            Ok(Val::Number(of as f64))
        }

        fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
            Ok(Val::Absent)
        }

        fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
            Ok(Val::Absent)
        }

        fn visit_str<E>(self, of: &str) -> Result<Self::Value, E> {
            Ok(Val::text(of.to_owned()))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while let Some(Record(item)) = from.next_element()? {
                items.push(item);
            }
            Ok(Val::list(items, false))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Self::Value, A::Error> {
            let mut entries: Vec<(Cow<'static, str>, Val<'static>)> = Vec::new();
            while let Some((key, Record(item))) = from.next_entry::<String, Record>()? {
                entries.push((key.into(), item));
            }
            // The last of equal keys holds, as everywhere.
            entries.reverse();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.dedup_by(|(a, _), (b, _)| a == b);
            Ok(Val::Map(Rc::new(entries), false))
        }
    }
}
