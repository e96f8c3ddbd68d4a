use std::io::{Cursor, Read, Write};

use engine::frame::blocks::BLOCK_BYTES;

use super::reader::Reader;
use super::*;

mod resume;

const SOURCE: SourceId = SourceId(0);

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
    Reader::direct(Input::from_reader("x".to_owned(), Box::new(drip), None).unwrap(), (SOURCE, 0), max)
}

/// The blocks' bytes, with what was passed over in brackets.
fn read(mut reader: Reader) -> Vec<String> {
    let mut out = Vec::new();
    let mut at = 0;
    loop {
        match reader.next() {
            Given::Block(block) => {
                assert_eq!(block.offset, at);
                at += block.length;
                out.push(String::from_utf8(block.bytes.clone()).unwrap());
                reader.take_back(block);
            }
            Given::Nothing(_) | Given::Ending => {}
            Given::Failed(error) => out.push(error.to_string()),
            Given::End => return out,
        }
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
            blocks.len() > 2
                && blocks.iter().all(|block| block.trim().starts_with('{') && block.trim().ends_with('}'))
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
        let read = read(reader(text.as_bytes(), drip, max)).concat();
        assert!(read.len() < max && read.starts_with("{\"a\":1}") && read.trim_end().ends_with("{\"b\":1}"));
    }
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
    assert_eq!(
        read(Reader::direct(input, (SOURCE, 0), 1 << 20)),
        ["cannot read x: the disk is on fire", "{}\n{"]
    );
}

#[test]
fn a_pipe_gives_whole_lines_at_once_when_live() {
    let (take, mut give) = std::io::pipe().unwrap();
    let open = || Input::from_reader("x".to_owned(), Box::new(take), None);
    let mut reader = Reader::behind_a_thread(open, (SOURCE, 0), 1 << 20, true);
    let mut next = || loop {
        match reader.next() {
            Given::Nothing(_) | Given::Ending => {}
            Given::Block(block) => return Some(String::from_utf8(block.bytes).unwrap().trim().to_owned()),
            Given::End => return None,
            other => panic!("{other:?}"),
        }
    };
    // The first bytes tell how it is packed, and are waited for.
    give.write_all(b"{\"a").unwrap();
    give.write_all(b"\":1}\n").unwrap();
    assert_eq!(next().as_deref(), Some("{\"a\":1}"));
    give.write_all(b"{\"b\":1}\n{\"c").unwrap();
    assert_eq!(next().as_deref(), Some("{\"b\":1}"));
    drop(give);
    assert_eq!(next().as_deref(), Some("{\"c"));
    assert_eq!(next(), None);
}
