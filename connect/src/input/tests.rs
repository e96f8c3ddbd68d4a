use std::io::Write;

use super::*;

fn read_all(bytes: Vec<u8>) -> (Packing, Vec<u8>, Option<String>) {
    let mut input = Input::from_reader("x".to_owned(), Box::new(Cursor::new(bytes)), None).unwrap();
    let mut out = Vec::new();
    loop {
        match input.read_more(&mut out, 7) {
            Ok(0) => return (input.packing(), out, None),
            Ok(_) => {}
            Err(error) => return (input.packing(), out, Some(error.to_string())),
        }
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn plain_bytes_come_as_they_are() {
    for text in [&b""[..], b"a", b"abc", b"{\"kind\":\"Event\"}\n"] {
        assert_eq!(read_all(text.to_vec()), (Packing::Plain, text.to_vec(), None));
    }
}

#[test]
fn members_and_frames_are_read_one_after_the_other() {
    let two = [gzip(b"one\n"), gzip(b"two\n")].concat();
    assert_eq!(read_all(two), (Packing::Gzip, b"one\ntwo\n".to_vec(), None));
    let frame = |text: &[u8]| zstd::encode_all(text, 1).unwrap();
    let two = [frame(b"one\n"), frame(b"two\n")].concat();
    assert_eq!(read_all(two), (Packing::Zstd, b"one\ntwo\n".to_vec(), None));
    let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, b'h', b'i'][..], &frame(b"three\n")].concat();
    assert_eq!(read_all(skipped), (Packing::Zstd, b"three\n".to_vec(), None));
}

#[test]
fn a_cut_archive_gives_what_it_has_and_then_says_so() {
    let text = (0..10_000u32).map(|n| format!("line {n}\n")).collect::<String>();
    let whole = gzip(text.as_bytes());
    let (_, got, error) = read_all(whole[..whole.len() / 2].to_vec());
    assert!(!got.is_empty() && text.as_bytes().starts_with(&got));
    assert_eq!(error.as_deref(), Some("cannot unpack x (gzip) to its end: it ends too early (cut off?)"));
    let whole = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let (_, _, error) = read_all(whole[..whole.len() - 3].to_vec());
    assert!(error.unwrap().starts_with("cannot unpack x (Zstandard) to its end: "));
}

#[test]
fn a_folder_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let error = Input::open(folder.path()).unwrap_err();
    assert_eq!(error.kind(), crate::Kind::Usage);
    assert!(error.to_string().contains("/*.log*`"), "{error}");
}

#[test]
fn what_was_taken_is_counted_packed() {
    let packed = gzip(&[b'a'; 100_000]);
    let size = packed.len() as u64;
    let mut input = Input::from_reader("x".to_owned(), Box::new(Cursor::new(packed)), Some(size)).unwrap();
    let taken = input.taken();
    let mut out = Vec::new();
    while input.read_more(&mut out, 4096).unwrap() > 0 {}
    assert_eq!((out.len(), taken.load(Ordering::Relaxed)), (100_000, size));
}
