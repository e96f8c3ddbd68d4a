use super::*;

const LIMIT: usize = 1 << 20;

/// What the block of messages holds: of each part its kind, its text and its offset.
fn parts(messages: &[&[u8]]) -> Vec<(Kind, String, u64)> {
    let mut building = Building::default();
    for (offset, message) in (7_i64..).zip(messages) {
        building.add(message, offset, Some(offset * 10), LIMIT);
    }
    let block = building.cut(|| None).unwrap();
    assert_eq!(block.length, messages.iter().map(|message| message.len() as u64).sum::<u64>());
    assert_eq!(block.parts.len(), block.stamps.len());
    let stamped =
        block.parts.iter().zip(&block.stamps).all(|(part, stamp)| part.offset as i64 * 10_000_000 == *stamp);
    assert!(stamped, "{block:?}");
    let text = |part: &Part| String::from_utf8(part.bytes(&block).to_vec()).unwrap();
    block.parts.iter().map(|part| (part.kind, text(part), part.offset)).collect()
}

#[test]
fn a_message_is_a_line_if_it_looks_like_one() {
    let found = parts(&[b"{\"a\":1}", b"{\"b\":2}\n", b"{\"c\":3}\r\n"]);
    let line = |text: &str, offset| (Kind::Lines, text.to_owned(), offset);
    assert_eq!(found, [line("{\"a\":1}\n", 7), line("{\"b\":2}\n", 8), line("{\"c\":3}\r\n", 9)]);
}

#[test]
fn many_documents_in_a_message_are_all_at_its_offset() {
    let found = parts(&[b"{\"a\":1}\n{\"b\":2}", b" [{\"c\":3},\n{\"d\":4}]\n# x\n{\"e\":", b"{}"]);
    let document = |text: &str, offset| (Kind::Document, text.to_owned(), offset);
    assert_eq!(found[..2], [document("{\"a\":1}", 7), document("{\"b\":2}", 7)]);
    assert_eq!(found[2..4], [document("{\"c\":3}", 8), document("{\"d\":4}", 8)]);
    assert_eq!(found[4].0, Kind::Comment);
    assert_eq!((found[5].0, found[5].2), (Kind::Broken(Reason::CutOff), 8));
    // What was cut off in one message does not go on in the next.
    assert_eq!(found[6..], [(Kind::Lines, "{}\n".to_owned(), 9)]);
}

#[test]
fn a_message_that_is_too_large_is_not_kept() {
    let mut building = Building::default();
    building.add(&vec![b'x'; LIMIT + 1], 3, None, LIMIT);
    let block = building.cut(|| None).unwrap();
    assert_eq!((block.bytes.len(), block.length), (0, LIMIT as u64 + 1));
    assert_eq!(
        (block.parts[0].kind, block.parts[0].length),
        (Kind::Broken(Reason::TooLarge), LIMIT as u64 + 1)
    );
    assert_eq!(block.stamps, [Nanos::MAX]);
}

#[test]
fn memory_is_used_again_and_nothing_is_left_in_it() {
    let mut building = Building::default();
    assert!(building.cut(|| None).is_none());
    building.add(b"{\"a\":1}", 0, None, LIMIT);
    let first = building.cut(|| None).unwrap();
    building.add(b"{\"b\":2}", 1, None, LIMIT);
    let second = building.cut(|| Some(first)).unwrap();
    building.add(b"{\"c\":3}", 2, None, LIMIT);
    let third = building.cut(|| Some(second)).unwrap();
    assert_eq!((third.offset, third.bytes.as_slice(), third.parts.len()), (2, &b"{\"c\":3}\n"[..], 1));
}
