use std::io::Write;

use proptest::prelude::*;

use super::*;

fn plain(text: &[u8]) -> Plain {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text).unwrap();
    Plain::new("x".to_owned(), file)
}

/// Ranges one behind the other, with a buffer that is used again, put together; each held to what is said of it.
fn all(text: &[u8], step: u64) -> Vec<u8> {
    let plain = plain(text);
    let mut buffer = Buffer::default();
    let mut out = Vec::new();
    for start in (0..).step_by(usize::try_from(step).unwrap()) {
        let lines = plain.lines(start..start + step, usize::MAX, &mut buffer).unwrap();
        if !lines.bytes.is_empty() {
            assert_eq!(lines.offset, out.len() as u64);
            assert!((start..start + step).contains(&lines.offset), "a line belongs to where it begins");
            out.extend_from_slice(lines.bytes);
            assert_eq!(lines.behind, text.get(out.len()).copied());
            assert!(lines.bytes.ends_with(b"\n") || lines.behind.is_none());
        }
        assert!(!lines.cut);
        if lines.last {
            break;
        }
        assert!(start < text.len() as u64 + 2 * step, "it never ends");
    }
    out
}

proptest! {
    #[test]
    fn ranges_give_every_line_once(
        lines in prop::collection::vec(prop_oneof![4 => 0..90_usize, 1 => 0..12_000_usize], 0..40),
        ends in any::<bool>(),
        step in prop_oneof![1..200_u64, 3_000..9_000_u64],
    ) {
        let mut text: Vec<u8> = lines.iter().flat_map(|line| [vec![b'x'; *line], vec![b'\n']].concat()).collect();
        if !ends {
            text.pop();
        }
        // Many ranges of little text in each are slow and show nothing more.
        let step = step.max(text.len() as u64 / 300);
        prop_assert_eq!(all(&text, step.max(1)), text);
    }
}

#[test]
fn a_line_that_is_too_long_is_cut_and_says_so() {
    let text = [vec![b'x'; 100_000], b"\nnext\n".to_vec()].concat();
    let plain = plain(&text);
    let mut buffer = Buffer::default();
    let lines = plain.lines(0..100, 10_000, &mut buffer).unwrap();
    assert!(lines.cut && lines.behind == Some(b'x') && (10_000..100_000).contains(&lines.bytes.len()));
    let lines = plain.lines(0..100, usize::MAX, &mut buffer).unwrap();
    assert!(!lines.cut && lines.behind == Some(b'n') && lines.bytes.len() == 100_001);
}

#[test]
fn a_file_that_became_shorter_has_nothing_behind_its_end() {
    let mut buffer = Buffer::default();
    let lines = plain(b"a\n").lines(100..200, usize::MAX, &mut buffer).unwrap();
    assert_eq!((lines.bytes, lines.behind, lines.last), (&b""[..], None, true));
}
