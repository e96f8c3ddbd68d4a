use super::*;

#[test]
fn made_up_times_open_so_many_windows_and_no_more() {
    let mut open = BTreeMap::new();
    let mut put = |start: Nanos| {
        let of = counted_in(&open, start);
        open.entry(of).or_insert(Refused { end: of + 1, count: 0, gone: 0, again: 0, overtaken: 0 }).count +=
            1;
        (of, open.len())
    };
    assert_eq!(put(1_000_000), (1_000_000, 1));
    // Each earlier than all before.
    let most = WINDOWS_MAX as Nanos;
    for n in 1..most {
        assert_eq!(put(900_000 - n), (900_000 - n, WINDOWS_MAX.min(1 + n as usize)));
    }
    // In between, earlier than all, later than all, and in one that is open.
    assert_eq!(put(950_000), (1_000_000, WINDOWS_MAX));
    assert_eq!(put(5), (900_000 - most + 1, WINDOWS_MAX));
    assert_eq!(put(2_000_000), (1_000_000, WINDOWS_MAX));
    assert_eq!(put(899_000), (899_000, WINDOWS_MAX));
    assert_eq!(open.values().map(|of| of.count).sum::<u64>(), WINDOWS_MAX as u64 + 4);
}
