//! Framing: tables of what is found where, and that chunks change nothing.

use proptest::prelude::*;

use super::blocks::{Block, Blocks};
use super::*;
use crate::matches::SourceId;

/// Kind and text of everything found.
fn found(text: &str) -> Vec<(Kind, &str)> {
    let mut framer = Framer::new(1 << 20);
    let mut at = 0;
    let mut out = Vec::new();
    while let Some(frame) = framer.next(&text.as_bytes()[at..], true) {
        out.push((frame.kind, &text[at + frame.start..at + frame.end]));
        at += frame.end;
    }
    out
}

fn documents(text: &str) -> Vec<&str> {
    let all = found(text);
    assert!(all.iter().all(|(kind, _)| matches!(kind, Kind::Document | Kind::Comment)), "{all:?}");
    all.into_iter().filter(|(kind, _)| *kind == Kind::Document).map(|(_, text)| text).collect()
}

const CUT: Kind = Kind::Broken(Reason::CutOff);
const NOT: Kind = Kind::Broken(Reason::NotJson);
const DOC: Kind = Kind::Document;

#[test]
fn documents_however_they_stand() {
    let (a, b) = (r#"{"a":[1,{"b":"}\"{"}]}"#, r#"{"c":{}}"#);
    let pretty = "{\n  \"a\": [\n    1,\n    {\"b\": \"x\"}\n  ]\n}";
    for text in [
        format!("{a}\n{b}\n"),
        format!("{a}\r\n\r\n{b}"),
        format!("{a}{b}"),
        format!("{a} {b}\n"),
        format!("\u{feff}{a}\n{b}"),
        format!("[{a},{b}]"),
        format!("[\n{a},\n{b}\n]\n"),
        format!("# a comment\n{a}\n// {b}\n{b}\n"),
        format!("2026-11-22T02:15:30.123456789Z stdout F {a}\n2026-11-22T02:15:30Z stderr F {b}\n"),
    ] {
        assert_eq!(documents(&text), [a, b], "{text}");
    }
    assert_eq!(documents(&format!("{pretty}\n{a}\n{pretty}")), [pretty, a, pretty]);
    let list = format!("{{\"items\":[\n{a},\n{b}\n]}}");
    assert_eq!(documents(&format!("{list}\n{a}")), [list.as_str(), a]);
}

#[test]
fn comments_are_told() {
    assert_eq!(found("# x\n"), [(Kind::Comment, "# x")]);
    assert_eq!(found("//"), [(Kind::Comment, "//")]);
    assert_eq!(found("/x"), [(NOT, "/x")]);
}

#[test]
fn cut_lines_lose_themselves_alone() {
    let next = r#"{"next":1}"#;
    for cut in [
        r#"{"a":"in a string"#,
        r#"{"a":"in a string[Truncated...]"#,
        r#"{"a":{[Truncated...]"#,
        r#"{"a":"behind a backslash\"#,
        r#"{"a":"#,
        r#"{"a""#,
        r#"{"#,
        r#"{"a":[1,"#,
        r#"{"a":["#,
        r#"{"a":[{"b":["#,
        r#"{"a":tru"#,
        r#"{"a":1"#,
        r#"{"a":1,"#,
        r#"{"a":[1"#,
    ] {
        let text = format!("{cut}\n{next}\n{next}\n");
        let all = found(&text);
        assert_eq!(all[0].0, CUT, "{cut}: {all:?}");
        assert_eq!(all[0].1.trim_end(), cut);
        assert_eq!(all[1..], [(DOC, next), (DOC, next)], "{cut}");
        let list = format!("{cut}\n[{next}]\n{next}\n");
        let all = found(&list);
        assert_eq!(all[1..], [(DOC, next), (DOC, next)], "{cut} before a list: {all:?}");
        let alone = found(cut);
        assert_eq!(alone, [(CUT, cut)], "{cut} at the end");
    }
}

#[test]
fn a_cut_pretty_document_ends_where_an_event_begins() {
    let text = "{\n  \"a\": {\n    \"b\": 1,\n{\"next\":1}\n";
    assert_eq!(found(text), [(CUT, "{\n  \"a\": {\n    \"b\": 1,\n"), (DOC, "{\"next\":1}")]);
}

#[test]
fn a_broken_list_gives_back_its_elements() {
    let text = "{\"items\":[\n{\"a\":1},\n{\"b\":2},\n{\"c\":\n{\"d\":4}\n";
    let all = found(text);
    assert_eq!(all[0], (CUT, "{\"items\":[\n"));
    assert_eq!(all[1..3], [(DOC, "{\"a\":1}"), (DOC, "{\"b\":2}")]);
    assert_eq!(all[3..], [(CUT, "{\"c\":\n"), (DOC, "{\"d\":4}")]);
}

#[test]
fn what_is_no_json_is_told_line_by_line() {
    assert_eq!(found("hello\n\nworld"), [(NOT, "hello"), (NOT, "world")]);
    assert_eq!(found("{\"a\":1,}\n{}"), [(NOT, "{\"a\":1,}"), (DOC, "{}")]);
    assert_eq!(found("{a:1}\n{}"), [(NOT, "{a:1}"), (DOC, "{}")]);
    assert_eq!(found("{\"a\":1} tail\n{}"), [(DOC, "{\"a\":1}"), (NOT, "tail"), (DOC, "{}")]);
    assert_eq!(found("\"a text\"\n"), [(DOC, "\"a text\"")]);
    assert_eq!(found("\"kind\": \"Event\",\n"), [(NOT, "\"kind\": \"Event\",")]);
    assert_eq!(
        found("2026-11-22T02:15:30Z stdout P {\"a\":\n"),
        [(CUT, "2026-11-22T02:15:30Z stdout P {\"a\":")]
    );
    assert_eq!(found(""), []);
    assert_eq!(found(" \n[],"), []);
}

#[test]
fn a_document_of_the_limit_is_kept_and_one_above_is_passed_over() {
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(100));
    let text = format!("{{}}\n{long}\n{{}}\n");
    for (max, kept) in [(long.len(), true), (long.len() - 1, false)] {
        for chunk in [1, 7, 1000] {
            let mut blocks = Blocks::new(SourceId(0), 1, max);
            text.as_bytes().chunks(chunk).for_each(|piece| blocks.push(piece));
            blocks.finish();
            let all: Vec<Block> = std::iter::from_fn(|| blocks.pop()).collect();
            assert_eq!(all.iter().map(|b| b.length).sum::<u64>(), text.len() as u64);
            let mut parts = Vec::new();
            all.iter().for_each(|block| block.each(|part| parts.push(part)));
            let kinds: Vec<_> = parts.iter().map(|p| p.kind).collect();
            let middle = if kept { DOC } else { Kind::Broken(Reason::TooLarge) };
            assert_eq!(kinds, [DOC, middle, DOC]);
            assert_eq!((parts[1].offset, parts[1].length), (3, long.len() as u64));
        }
    }
}

#[test]
fn a_failure_to_read_changes_nothing() {
    let mut blocks = Blocks::new(SourceId(0), 1, 100);
    blocks.push(b"{\"a\":");
    assert_eq!(blocks.read(|_| Err("gone")), Err("gone"));
    read(&mut blocks, b"1}\n");
    blocks.finish();
    assert_eq!(blocks.pop().unwrap().bytes, b"{\"a\":1}\n");
}

#[test]
fn what_is_longer_than_a_block_is_read_on() {
    let long = format!("{{\"a\":\"{}\"}}\n", "x".repeat(1 << 20));
    let mut blocks = Blocks::new(SourceId(0), 1 << 10, 2 << 20);
    read(&mut blocks, format!("{long}{long}").as_bytes());
    blocks.finish();
    let found: Vec<Block> = std::iter::from_fn(|| blocks.pop()).collect();
    assert!(found.len() == 2 && found.iter().all(|block| block.bytes == long.as_bytes()));
}

/// Lets blocks read a piece, in as many goes as they want.
fn read(blocks: &mut Blocks, mut piece: &[u8]) {
    while !piece.is_empty() {
        let got = blocks.read(|room| {
            let few = room.len().min(piece.len());
            room[..few].copy_from_slice(&piece[..few]);
            Ok::<_, ()>(few)
        });
        piece = &piece[got.unwrap()..];
    }
}

/// Everything found by pushing chunks, every second one by having it read: kind, offset, length, and the bytes that were kept. Blocks go back for their memory.
fn pushed(text: &[u8], cuts: &[usize], block: usize, max: usize) -> Vec<(Kind, u64, u64, Vec<u8>)> {
    let mut blocks = Blocks::new(SourceId(1), block, max);
    let mut out = Vec::new();
    let mut offset = 0;
    let mut take = |blocks: &mut Blocks| {
        while let Some(block) = blocks.pop() {
            assert_eq!(block.offset, offset, "blocks follow one another");
            offset += block.length;
            block.each(|part| out.push((part.kind, part.offset, part.length, part.bytes(&block).to_vec())));
            blocks.take_back(block);
        }
    };
    let mut rest = text;
    for (number, cut) in cuts.iter().enumerate() {
        let (piece, behind) = rest.split_at((*cut).min(rest.len()));
        match number % 2 {
            0 => blocks.push(piece),
            _ => read(&mut blocks, piece),
        }
        take(&mut blocks);
        rest = behind;
    }
    blocks.push(rest);
    blocks.finish();
    take(&mut blocks);
    assert_eq!(offset, text.len() as u64, "no byte is left out");
    out
}

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("{\"a\":1}"),
        Just("{\"a\":[{\"b\":\"x\"}],"),
        Just("\"c\":{\"d\":null}}"),
        Just("{\n  \"a\": [\n    1\n  ]\n}"),
        Just("{\"items\":["),
        Just("]}"),
        Just("\n"),
        Just("\r\n"),
        Just(" "),
        Just(","),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just("\""),
        Just("\\"),
        Just("# c\n"),
        Just("//"),
        Just("\u{feff}"),
        Just("tru"),
        Just("é"),
        Just("2026-11-22T02:15:30Z stdout F "),
        Just("[Truncated...]\n"),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn chunks_change_nothing(
        text in pieces(),
        cuts in prop::collection::vec(0_usize..20, 0..20),
        block in 1_usize..100,
        max in prop_oneof![Just(5_usize), Just(20), Just(1000)],
    ) {
        let whole = pushed(text.as_bytes(), &[], usize::MAX, max);
        let chunked = pushed(text.as_bytes(), &cuts, block, max);
        prop_assert_eq!(&whole, &chunked);
        // In order, none over another, none longer than the limit.
        for pair in whole.windows(2) {
            prop_assert!(pair[0].1 + pair[0].2 <= pair[1].1);
        }
        for (kind, _, length, _) in &whole {
            prop_assert!(*kind == Kind::Broken(Reason::TooLarge) || *length <= max as u64 + 1);
        }
    }

    #[test]
    fn any_bytes_are_framed(bytes in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(0_usize..9, 0..30)) {
        prop_assert_eq!(pushed(&bytes, &[], usize::MAX, 50), pushed(&bytes, &cuts, 10, 50));
    }

    /// A good line behind anything is found, whatever was cut off before it.
    #[test]
    fn a_whole_line_is_never_lost(text in pieces()) {
        let line = "{\"kind\":\"Event\",\"whole\":true}";
        let text = format!("{text}\n{line}\n{line}\n{line}\n");
        let docs = found(&text).into_iter().filter(|(kind, part)| *kind == DOC && part.contains(line)).count();
        prop_assert!(docs >= 1, "{:?}", found(&text));
    }
}
