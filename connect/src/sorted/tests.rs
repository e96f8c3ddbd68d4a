use super::*;

fn entry(n: u64) -> Entry {
    // Neither the times nor the rules are in order, and times repeat.
    let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mixed.to_be_bytes());
    Entry {
        time: (mixed % 50) as i64 - 25,
        rule: format!("r{}", mixed % 3),
        id,
        text: format!("text {n}\n…"),
    }
}

#[test]
fn the_order_does_not_depend_on_what_fits_into_memory() {
    let mut want: Vec<Entry> = (0..1000).map(entry).collect();
    want.sort();
    for limit in [0, 1_000, 30_000, usize::MAX] {
        let mut sorter = Sorter::with_limit(limit);
        (0..1000).try_for_each(|n| sorter.push(entry(n))).unwrap();
        assert_eq!(sorter.runs.is_empty(), limit == usize::MAX);
        let mut got = Vec::new();
        sorter
            .finish(|entry| {
                got.push(entry);
                Ok(())
            })
            .unwrap();
        assert_eq!(got, want, "limit {limit}");
    }
}

#[test]
fn nothing_gives_nothing() {
    Sorter::default().finish(|entry| Err(Error::failed(entry.text))).unwrap();
}
