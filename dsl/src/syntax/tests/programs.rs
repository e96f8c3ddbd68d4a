//! What holds for any program, and for any text.

use crate::fmt::format;
use crate::limits::{NESTING_MAX, SOURCE_BYTES_MAX};
use crate::source::SourceId;
use crate::syntax::arbitrary::{Choices, program};
use crate::syntax::{Parsed, TokenKind, parse};
use proptest::prelude::*;
use std::time::{Duration, Instant};

/// That the tokens are the text: no gap, no overlap, nothing empty.
#[track_caller]
fn covers(parsed: &Parsed, text: &str) {
    let mut at = 0;
    for token in &parsed.tokens {
        let range = token.span.range();
        assert_eq!(range.start, at, "in {text:?}");
        assert!(range.end > at, "in {text:?}");
        at = range.end;
    }
    assert_eq!(at, text.len(), "in {text:?}");
}

/// That every span is one of the text.
#[track_caller]
fn spans_are_of(parsed: &Parsed, text: &str) {
    for found in &parsed.diagnostics {
        assert!(text.get(found.primary.range()).is_some(), "{found:?} in {text:?}");
        for (span, _) in &found.related {
            assert!(text.get(span.range()).is_some(), "{found:?} in {text:?}");
        }
    }
}

#[track_caller]
fn round_trip(text: &str) {
    let parsed = parse(SourceId(0), text);
    assert_eq!(parsed.diagnostics, [], "\n{text}");
    covers(&parsed, text);
    // `format` itself compares tree and comments with its output's.
    let once = format(&parsed, text).unwrap_or_else(|refused| panic!("{refused}\n{text}"));
    let again = parse(SourceId(0), &once);
    assert_eq!(format(&again, &once).as_ref(), Ok(&once), "of\n{text}");
}

fn comments(parsed: &Parsed, text: &str) -> Vec<String> {
    let all = parsed.tokens.iter().filter(|token| token.kind == TokenKind::Comment);
    let mut all: Vec<String> = all.map(|token| text[token.span.range()].trim_end().to_owned()).collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn programs_parse_and_keep_their_meaning(seed: u64) {
        round_trip(&program(&mut Choices::from_seed(seed)));
    }

    #[test]
    fn comments_are_kept(seed: u64) {
        let text = program(&mut Choices::from_seed(seed));
        let parsed = parse(SourceId(0), &text);
        let out = format(&parsed, &text).unwrap();
        prop_assert_eq!(comments(&parse(SourceId(0), &out), &out), comments(&parsed, &text));
    }

    #[test]
    fn any_bytes_make_a_program(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        round_trip(&program(&mut Choices::from_bytes(&bytes)));
    }

    #[test]
    fn any_text_is_tokens(text in ".{0,200}") {
        let parsed = parse(SourceId(0), &text);
        covers(&parsed, &text);
        spans_are_of(&parsed, &text);
    }

    #[test]
    fn any_text_of_our_signs_is_read(text in r#"([{}()\[\]"'\\,.:=<>!#/*+\-\n ]|rule a "b" |where |any |in |and |not |x|5m|22:00|alert |test |given |\u{201c}|é){0,60}"#) {
        let parsed = parse(SourceId(0), &text);
        covers(&parsed, &text);
        spans_are_of(&parsed, &text);
    }

    /// A character taken out, put in, or a piece said twice: whatever comes of it is read, and its mistakes have places.
    #[test]
    fn mutated_programs_are_read(seed: u64, edits in proptest::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<char>()), 1..6)) {
        let mut text: Vec<char> = program(&mut Choices::from_seed(seed)).chars().collect();
        for (place, edit, put) in edits {
            if text.is_empty() { break; }
            let at = place.index(text.len());
            match edit {
                0 => drop(text.remove(at)),
                1 => text.insert(at, put),
                2 => text.insert(at, ['"', '\'', '{', '}', '(', ')', '[', ']', ',', '\\', '#'][put as usize % 11]),
                _ => text.truncate(at),
            }
        }
        let text: String = text.into_iter().collect();
        let parsed = parse(SourceId(0), &text);
        covers(&parsed, &text);
        spans_are_of(&parsed, &text);
        if parsed.diagnostics.is_empty() {
            round_trip(&text);
        }
    }
}

/// The generator makes what it says: every word of the grammar, comments, and programs that are long enough to break.
#[test]
fn the_generator_makes_every_form() {
    let all: String = (0..400).map(|seed| program(&mut Choices::from_seed(seed)) + "\n").collect();
    for word in crate::syntax::words::CLAUSES.iter().chain(&crate::syntax::words::OPERATORS) {
        assert!(all.contains(&format!("{word} ")), "{word}");
    }
    let others = [
        "tumbling ",
        "session ",
        "first_seen",
        "silent ",
        "undecodable",
        "nonresource",
        "including ",
        "tuned ",
        "as ",
        "until ",
        "start ",
        "alerts",
        "remove ",
        "enable",
        "cidr list",
        "cidr table",
        "..",
        "times ",
        "# note",
        "\r\n",
    ];
    for word in others {
        assert!(all.contains(word), "{word}");
    }
    let long = (0..400).filter(|seed| {
        let text = program(&mut Choices::from_seed(*seed));
        format(&parse(SourceId(0), &text), &text)
            .unwrap()
            .lines()
            .any(|line| line.trim_start().starts_with("and "))
    });
    assert!(long.count() > 20, "some conditions are long enough to break");
}

/// Time for an input of a megabyte in a test build; linear parsing takes a small part of it, quadratic much more.
/// (Measured: at most 2 s of the hostile texts; quadratic ones took 40 minutes.)
const MEGABYTE_TIME_MAX: Duration = Duration::from_secs(20);
/// How long each hostile text is: many times what would hide in the noise were it quadratic.
const HOSTILE_BYTES: usize = 60_000;

#[test]
fn hostile_text_is_read_in_linear_time() {
    let pieces = [
        "(",
        "[",
        "{",
        "not ",
        "any x in y: (",
        "a + ",
        "a and ",
        "a or b and ",
        "a.",
        "a[",
        "f(",
        "\"",
        "'",
        "\\",
        "-",
        "rule a \"b\" { ",
        "rule a \"b\" { where ( ",
        "where ",
        "let a = ",
        "let a = (\n",
        "let ",
        "list a = [\n",
        "list a = [\"x\" ",
        "test a \"b\" { given { a: [ ",
        "test a \"b\" { at 0s {} ",
        "#",
        "# a\n",
        "rule # a\n",
        "}",
        ")",
        ",",
        "x ",
        "5m ",
        "\u{a0}",
        "“",
        "alert \"{\" ",
        "rule a \"b\" { alert \"{a[\"",
        "tune a { when ",
        "tune list a { add [ ",
        "sequence within 5m { a: on ",
        "a: [",
        "1 ",
        "\"\" ",
        "wher x = 1\n",
        "rul a \"b\" {\n",
        "list a = [@, ",
        "given { x @, ",
    ];
    for prefix in [
        "",
        "rule a \"b\" { where ",
        "rule a \"b\" { sequence within 5m {",
        "list a = [",
        "test a \"b\" { given {",
        "rule a \"b\" { alert \"{",
    ] {
        for piece in pieces {
            let text = prefix.to_owned() + &piece.repeat(HOSTILE_BYTES / piece.len());
            let start = Instant::now();
            let parsed = parse(SourceId(0), &text);
            let took = start.elapsed() * (1 << 20) / HOSTILE_BYTES as u32;
            assert!(took < MEGABYTE_TIME_MAX, "{took:?} for a megabyte of {piece:?} after {prefix:?}");
            covers(&parsed, &text);
        }
    }
}

#[test]
fn a_megabyte_of_rules_is_read_and_formatted() {
    let one = "rule a \"b\" {\n    severity low\n    on get of pods\n    where x == 1 and (y or z)\n    alert \"{a} b\"\n}\n\n";
    let text = one.repeat((1 << 20) / one.len());
    let start = Instant::now();
    let parsed = parse(SourceId(0), &text);
    assert_eq!(parsed.diagnostics, []);
    assert!(format(&parsed, &text).is_ok());
    assert!(start.elapsed() < MEGABYTE_TIME_MAX, "{:?}", start.elapsed());
}

#[test]
fn nesting_is_allowed_up_to_its_limit() {
    let nested = |open: &str, inner: &str, close: &str, depth: usize| {
        format!("let a = {}{inner}{}", open.repeat(depth), close.repeat(depth))
    };
    let forms = [("(", "1", ")"), ("not ", "a", ""), ("a[", "1", "]"), ("f(", "1", ")"), ("1 + ", "1", "")];
    for (open, inner, close) in forms {
        round_trip(&nested(open, inner, close, NESTING_MAX));
        let parsed = parse(SourceId(0), &nested(open, inner, close, NESTING_MAX + 1));
        let codes: Vec<&str> = parsed.diagnostics.iter().map(|found| found.code.text()).collect();
        assert_eq!(codes, ["E102"], "{open}");
    }
    // The parentheses that `fmt` adds count from the start: what is allowed can be formatted.
    round_trip(&nested("(x or y and ", "1", ")", NESTING_MAX / 2));
    let parsed = parse(SourceId(0), &nested("(x or y and ", "1", ")", NESTING_MAX / 2 + 1));
    assert_eq!(parsed.diagnostics.len(), 1);
}

#[test]
fn too_large_a_file_is_refused() {
    let text = " ".repeat(SOURCE_BYTES_MAX + 1);
    let parsed = parse(SourceId(0), &text);
    assert_eq!(parsed.diagnostics[0].code.text(), "E103");
    covers(&parsed, &text);
    assert_eq!(parse(SourceId(0), &text[1..]).diagnostics, []);
}
