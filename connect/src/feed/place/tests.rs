use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;

fn text(seed: u32) -> String {
    (0..40).map(|n| format!("{{\"auditID\":\"{seed}-{n}\",\"stage\":\"ResponseComplete\"}}\n")).collect()
}

fn looked(folder: &Path, names: &[&str]) -> Vec<Looked> {
    let sources: Vec<Source> = names.iter().map(|name| Source::File(folder.join(name))).collect();
    let (looked, errors) = look(&sources);
    assert!(errors.is_empty(), "{errors:?}");
    looked
}

/// As if all of it had been read.
fn places(sources: &[Looked]) -> Vec<Place> {
    let place = |source: &Looked| Place {
        name: source.name(),
        offset: 100,
        file: source.identity(),
        ..Place::default()
    };
    sources.iter().map(place).collect()
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_that_was_rotated_is_found_under_its_new_name() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("audit.log"), text(1)).unwrap();
    let before = places(&looked(folder.path(), &["audit.log"]));
    fs::rename(at("audit.log"), at("audit-1.log")).unwrap();
    fs::write(at("audit.log"), text(2)).unwrap();
    assert_eq!(find(&looked(folder.path(), &["audit.log", "audit-1.log"]), &before), [None, Some(0)]);
    // It grew before, and was packed since: it has another inode.
    fs::write(at("audit-1.log.gz"), packed(&(text(1) + &text(3)))).unwrap();
    fs::remove_file(at("audit-1.log")).unwrap();
    assert_eq!(find(&looked(folder.path(), &["audit.log", "audit-1.log.gz"]), &before), [None, Some(0)]);
    fs::remove_file(at("audit-1.log.gz")).unwrap();
    assert_eq!(find(&looked(folder.path(), &["audit.log"]), &before), [None], "its name is not it");
}

#[test]
fn a_file_that_was_copied_and_emptied_is_found_as_its_copy() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("audit.log"), text(1)).unwrap();
    let before = places(&looked(folder.path(), &["audit.log"]));
    fs::copy(at("audit.log"), at("audit.log.1")).unwrap();
    // As long as both are there the file itself is the one.
    assert_eq!(find(&looked(folder.path(), &["audit.log.1", "audit.log"]), &before), [None, Some(0)]);
    fs::write(at("audit.log"), "").unwrap();
    assert_eq!(find(&looked(folder.path(), &["audit.log", "audit.log.1"]), &before), [None, Some(0)]);
    fs::write(at("audit.log"), text(2)).unwrap();
    assert_eq!(find(&looked(folder.path(), &["audit.log", "audit.log.1"]), &before), [None, Some(0)]);
}

#[test]
fn a_file_that_says_little_of_itself_is_known_by_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["a.log", "b.log"] {
        fs::write(at(name), "").unwrap();
    }
    let before = places(&looked(folder.path(), &["a.log", "b.log"]));
    for (name, seed) in [("a.log", 1), ("b.log", 2)] {
        let mut file = fs::OpenOptions::new().append(true).open(at(name)).unwrap();
        file.write_all(text(seed).as_bytes()).unwrap();
    }
    assert_eq!(find(&looked(folder.path(), &["b.log", "a.log"]), &before), [Some(1), Some(0)]);
    fs::write(at("c.log"), text(1)).unwrap();
    assert_eq!(find(&looked(folder.path(), &["c.log"]), &before), [None]);
}

#[test]
fn what_is_no_file_is_known_by_its_name() {
    let pipe = [Looked::Stdin];
    assert_eq!(find(&pipe, &places(&pipe)), [Some(0)]);
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), text(1)).unwrap();
    assert_eq!(find(&pipe, &places(&looked(folder.path(), &["a.log"]))), [None]);
}

fn rest(folder: &Path, name: &str, offset: u64) -> Result<String, String> {
    let Some(Looked::File(file)) = looked(folder, &[name]).pop() else { panic!() };
    let mut input = file.read_on(offset).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    while input.read_more(&mut out, 1000).unwrap() > 0 {}
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn a_file_is_read_on_in_unpacked_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let whole = text(1);
    fs::write(folder.path().join("plain"), &whole).unwrap();
    fs::write(folder.path().join("gz"), packed(&whole)).unwrap();
    fs::write(folder.path().join("zst"), zstd::encode_all(whole.as_bytes(), 3).unwrap()).unwrap();
    for name in ["plain", "gz", "zst"] {
        for offset in [0, 1, 57, whole.len()] {
            assert_eq!(rest(folder.path(), name, offset as u64).as_deref(), Ok(&whole[offset..]));
        }
        let told = rest(folder.path(), name, whole.len() as u64 + 1).unwrap_err();
        assert!(told.contains("is shorter than the"), "{told}");
    }
}
