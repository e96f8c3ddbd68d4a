use std::io::{Cursor, Read, Write};

use super::reader::Reader;
use super::*;

/// Gives a few bytes at a time, to put the edges of reads everywhere.
struct Drip(Cursor<Vec<u8>>, usize);

impl Read for Drip {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let few = out.len().min(self.1);
        self.0.read(&mut out[..few])
    }
}

fn reader(text: &[u8], drip: usize, max: usize) -> Reader {
    let drip = Drip(Cursor::new(text.to_vec()), drip);
    Reader::direct(Input::from_reader("x".to_owned(), Box::new(drip), None).unwrap(), max)
}

/// The blocks' bytes, with what was passed over in brackets.
fn read(mut reader: Reader) -> Vec<String> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match reader.next() {
            Given::Block(block) => {
                assert_eq!(block.offset, at);
                at += block.bytes.len() as u64;
                out.push(String::from_utf8(block.bytes).unwrap());
            }
            Given::TooLarge { offset, length } => {
                assert_eq!(offset, at);
                at += length;
                out.push(format!("[{length}]"));
            }
            Given::Nothing => {}
            Given::Failed(error) => out.push(error.to_string()),
            Given::End => return out,
        }
    }
}

#[test]
fn cuts_are_between_documents_only() {
    let cut = |text: &str| cut::last(text.as_bytes(), 0).map(|at| text[at..].to_owned());
    assert_eq!(cut("{\"a\":1}\n{\"b\":1}\n"), Some("{\"b\":1}\n".to_owned()));
    assert_eq!(cut("{\"a\":1}\r\n\r\n{\"b\":1}"), Some("{\"b\":1}".to_owned()));
    assert_eq!(
        cut("{\"a\":1,\"b\n{\"b\":1}"),
        Some("{\"b\":1}".to_owned()),
        "behind a line that was cut off"
    );
    assert_eq!(cut("{\n \"a\": [\n {\n }\n ]\n}\n{\n"), Some("{\n".to_owned()));
    for whole in
        ["", "\n", "{\"a\":1}\n", "[\n{\"a\":1},\n{\"b\":1}\n]", "{\"items\":\n{}}", "{\"items\":[\n{}]}"]
    {
        assert_eq!(cut(whole), None, "{whole:?}");
    }
}

#[test]
fn blocks_put_together_are_the_input() {
    let line = |n: usize| format!("{{\"n\":{n},\"pad\":\"{}\"}}\n", "x".repeat(n * 37 % 4000));
    let text: String = (0..2000).map(line).collect();
    assert!(text.len() > 3 * BLOCK_BYTES);
    for drip in [1000, 70_001, usize::MAX] {
        let blocks = read(reader(text.as_bytes(), drip, 64 << 20));
        assert!(
            blocks.len() > 2 && blocks.iter().all(|block| block.starts_with('{') && block.ends_with("}\n"))
        );
        assert_eq!(blocks.concat(), text);
    }
}

#[test]
fn a_long_document_grows_the_block_and_a_longer_one_is_passed_over() {
    let long = format!("{{\"pad\":\"{}\"}}\n", "x".repeat(3 * BLOCK_BYTES));
    let text = format!("{{\"a\":1}}\n{long}{{\"b\":1}}\n");
    assert_eq!(read(reader(text.as_bytes(), usize::MAX, 64 << 20)).concat(), text);
    let max = 2 * BLOCK_BYTES;
    for drip in [100_003, usize::MAX] {
        let want = ["{\"a\":1}\n".to_owned(), format!("[{}]", long.len()), "{\"b\":1}\n".to_owned()];
        assert_eq!(read(reader(text.as_bytes(), drip, max)), want);
    }
    let endless = vec![b'x'; 5 * BLOCK_BYTES];
    assert_eq!(read(reader(&endless, usize::MAX, max)), [format!("[{}]", endless.len())]);
}

#[test]
fn what_was_read_before_a_failure_is_given() {
    struct Broken(bool);
    impl Read for Broken {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(std::io::Error::other("the disk is on fire"));
            }
            out[..4].copy_from_slice(b"{}\n{");
            Ok(4)
        }
    }
    let input = Input::from_reader("x".to_owned(), Box::new(Broken(false)), None).unwrap();
    assert_eq!(read(Reader::direct(input, 1 << 20)), ["cannot read x: the disk is on fire", "{}\n{"]);
}

#[test]
fn a_pipe_gives_whole_lines_at_once_when_live() {
    let (take, mut give) = std::io::pipe().unwrap();
    let open = || Input::from_reader("x".to_owned(), Box::new(take), None);
    let mut reader = Reader::behind_a_thread(open, 1 << 20, true);
    let mut next = || loop {
        match reader.next() {
            Given::Nothing => {}
            Given::Block(block) => return Some(String::from_utf8(block.bytes).unwrap()),
            Given::End => return None,
            other => panic!("{other:?}"),
        }
    };
    // The first bytes tell how it is packed, and are waited for.
    give.write_all(b"{\"a").unwrap();
    give.write_all(b"\":1}\n").unwrap();
    assert_eq!(next().as_deref(), Some("{\"a\":1}\n"));
    give.write_all(b"{\"b\":1}\n{\"c").unwrap();
    assert_eq!(next().as_deref(), Some("{\"b\":1}\n"));
    drop(give);
    assert_eq!(next().as_deref(), Some("{\"c"));
    assert_eq!(next(), None);
}
