//! Writes MaxMind databases, for tests of tables that come from one: as small as the format is, and no smaller.
//!
//! <https://maxmind.github.io/MaxMind-DB/>: a binary tree over the bits of addresses (nodes of two records of 32 bits),
//! 16 zeros, the records, a marker, a description. The tree is of IPv6, with IPv4 under `::/96`; nothing is shared.

use std::net::IpAddr;

/// A value of a record.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the kinds of the format")]
pub enum Data {
    Text(String),
    Double(f64),
    Float(f32),
    Bytes(Vec<u8>),
    U16(u16),
    U32(u32),
    I32(i32),
    U64(u64),
    U128(u128),
    Bool(bool),
    Map(Vec<(String, Data)>),
    List(Vec<Data>),
}

#[derive(Clone, Copy)]
enum Link {
    Nothing,
    Node(usize),
    /// Where in the records.
    Data(usize),
}

/// A database with a record for each network; of two that hold an address the longer one is found.
#[must_use]
pub fn write(rows: &[(IpAddr, u8, Data)]) -> Vec<u8> {
    let mut rows: Vec<_> = rows
        .iter()
        .map(|(address, bits, data)| match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), bits + 96, data),
            IpAddr::V6(address) => (address.to_bits(), *bits, data),
        })
        .collect();
    // Longer networks come later, so that they stand in the place of a part of the shorter ones.
    rows.sort_by_key(|(_, bits, _)| *bits);
    let mut nodes = vec![[Link::Nothing; 2]];
    let mut records = Vec::new();
    for (address, bits, data) in rows {
        let at = records.len();
        put(&mut records, data);
        insert(&mut nodes, address, bits.max(1), at);
    }
    let mut out = Vec::new();
    for link in nodes.iter().flatten() {
        let record = match link {
            Link::Nothing => nodes.len(),
            Link::Node(at) => *at,
            Link::Data(at) => nodes.len() + 16 + at,
        };
        out.extend(u32::try_from(record).unwrap_or(u32::MAX).to_be_bytes());
    }
    out.extend([0; 16]);
    out.extend(records);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let text = |text: &str| Data::Text(text.to_owned());
    let about = [
        ("binary_format_major_version", Data::U16(2)),
        ("binary_format_minor_version", Data::U16(0)),
        ("build_epoch", Data::U64(1_767_571_200)),
        ("database_type", text("Test")),
        ("description", Data::Map(vec![("en".to_owned(), text("of a test"))])),
        ("ip_version", Data::U16(6)),
        ("languages", Data::List(vec![text("en")])),
        ("node_count", Data::U32(u32::try_from(nodes.len()).unwrap_or(u32::MAX))),
        ("record_size", Data::U16(32)),
    ];
    put(&mut out, &Data::Map(about.map(|(key, value)| (key.to_owned(), value)).into()));
    out
}

fn insert(nodes: &mut Vec<[Link; 2]>, address: u128, bits: u8, data: usize) {
    let side = |depth: u8| usize::from(address >> (127 - depth) & 1 == 1);
    let mut node = 0;
    for depth in 0..bits - 1 {
        let next = match nodes[node][side(depth)] {
            Link::Node(next) => next,
            other => {
                nodes.push([other; 2]);
                nodes[node][side(depth)] = Link::Node(nodes.len() - 1);
                nodes.len() - 1
            }
        };
        node = next;
    }
    nodes[node][side(bits - 1)] = Link::Data(data);
}

fn put(out: &mut Vec<u8>, data: &Data) {
    match data {
        Data::Text(text) => sized(out, 2, text.as_bytes()),
        Data::Double(n) => sized(out, 3, &n.to_be_bytes()),
        Data::Bytes(bytes) => sized(out, 4, bytes),
        Data::U16(n) => sized(out, 5, &n.to_be_bytes()),
        Data::U32(n) => sized(out, 6, &n.to_be_bytes()),
        Data::I32(n) => sized(out, 8, &n.to_be_bytes()),
        Data::U64(n) => sized(out, 9, &n.to_be_bytes()),
        Data::U128(n) => sized(out, 10, &n.to_be_bytes()),
        Data::Float(n) => sized(out, 15, &n.to_be_bytes()),
        Data::Bool(truth) => head(out, 14, usize::from(*truth)),
        Data::Map(entries) => {
            head(out, 7, entries.len());
            for (key, value) in entries {
                sized(out, 2, key.as_bytes());
                put(out, value);
            }
        }
        Data::List(items) => {
            head(out, 11, items.len());
            items.iter().for_each(|item| put(out, item));
        }
    }
}

fn sized(out: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    head(out, kind, bytes.len());
    out.extend(bytes);
}

/// Kind and size: 5 bits of it, and a byte more from 29 on. Nothing in tests is longer than 284.
fn head(out: &mut Vec<u8>, kind: u8, size: usize) {
    let (short, more) = match u8::try_from(size) {
        Ok(size) if size < 29 => (size, None),
        _ => (29, Some(u8::try_from(size - 29).unwrap_or(u8::MAX))),
    };
    if kind < 8 {
        out.push(kind << 5 | short);
    } else {
        out.extend([short, kind - 7]);
    }
    out.extend(more);
}
