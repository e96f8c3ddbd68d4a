use super::*;

fn loaded(bytes: &[u8]) -> (String, Vec<String>) {
    let loaded = from_bytes("a.rule", bytes);
    let text = loaded.sources.files().map(|(_, file)| file.text.clone()).collect();
    let told = |found: &Diagnostic| {
        let place = loaded.sources.start(found.primary);
        format!("{} {}:{} {}", found.code.text(), place.line, place.column, found.message)
    };
    (text, loaded.diagnostics.iter().map(told).collect())
}

#[test]
fn a_byte_order_mark_is_dropped_and_line_ends_stay() {
    assert_eq!(loaded("\u{feff}rule a\r\n".as_bytes()), ("rule a\r\n".to_owned(), vec![]));
}

#[test]
fn what_is_not_utf8_has_a_place_and_advice() {
    let (_, told) = loaded(b"rule a\n  # caf\xe9 au lait\n");
    assert_eq!(told, ["E101 2:8 the file is not UTF-8 text: byte 0xE9 begins no character"]);
    let (_, told) = loaded(b"\xef\xbb\xbf# \xff");
    assert_eq!(told, ["E101 1:3 the file is not UTF-8 text: byte 0xFF begins no character"]);
    let help = |bytes: &[u8]| from_bytes("a", bytes).diagnostics[0].help.clone().unwrap();
    assert!(help(b"caf\xe9").contains("Latin-1"));
    assert!(help(b"\xff\xfer\0u\0").contains("UTF-16"));
    assert!(help(b"\x7fELF\0\xff").contains("no text at all"));
}

#[test]
fn ten_megabytes_are_refused_whole() {
    let (text, told) = loaded(&vec![b'#'; 10 << 20]);
    assert_eq!(text, "");
    assert!(told[0].starts_with("E103 1:1 the file has at least 10485760 bytes"), "{told:?}");
}

#[test]
fn a_folder_is_all_rules_below_it_once_each() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["b.rule", "sub/a.rule", "sub/notes.txt", "..2026/b.rule", ".git/c.rule"] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    std::os::unix::fs::symlink(root.join("sub"), root.join("linked")).unwrap();
    std::os::unix::fs::symlink(root.join("..2026/b.rule"), root.join("mounted.rule")).unwrap();
    let found = files(&[root.to_owned(), root.join("b.rule")]).unwrap();
    let want = ["b.rule", "mounted.rule", "sub/a.rule"].map(|name| root.join(name));
    assert_eq!(found, want);
}

#[test]
fn what_cannot_be_got_at_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let error = files(&[folder.path().to_owned()]).unwrap_err();
    assert_eq!(error.kind(), crate::Kind::Usage);
    assert!(error.to_string().starts_with("there is no *.rule file below "));
    let error = load(&[folder.path().join("none.rule")]).unwrap_err();
    assert_eq!(error.kind(), crate::Kind::Io);
    assert!(error.to_string().ends_with("none.rule: there is no such file"), "{error}");
}

#[test]
fn a_pack_stands_for_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.adrp");
    let mut sources = SourceMap::default();
    sources.add("x.rule", "rule x");
    sources.add("y.rule", "rule y");
    fs::write(&path, pack::write("", &sources)).unwrap();
    let loaded = load(&[path]).unwrap();
    let names: Vec<_> = loaded.sources.files().map(|(_, file)| file.name.clone()).collect();
    assert_eq!(names, ["x.rule", "y.rule"]);
}

#[test]
fn files_of_values_are_read_beside_their_rules_and_travel_in_packs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("names.txt"), "eve\n").unwrap();
    fs::write(root.join("sub/a.rule"), "list a from \"../names.txt\" list b from \"none.txt\"").unwrap();
    let loaded = load(&[root.to_owned()]).unwrap();
    let (id, _) = loaded.sources.files().next().unwrap();
    let at = |sources: &SourceMap, path: &str| sources.attached(id, path).cloned().unwrap();
    assert_eq!(at(&loaded.sources, "../names.txt").unwrap()[..], *b"eve\n");
    assert_eq!(at(&loaded.sources, "none.txt").unwrap_err(), "there is no such file");
    let packed = root.join("set.adrp");
    fs::write(&packed, pack::write("", &loaded.sources)).unwrap();
    fs::remove_file(root.join("names.txt")).unwrap();
    let loaded = load(&[packed]).unwrap();
    assert_eq!(at(&loaded.sources, "../names.txt").unwrap()[..], *b"eve\n");
    assert_eq!(loaded.sources.attached(id, "none.txt"), None);
}

#[test]
fn texts_at_hand_have_their_values_at_hand() {
    let files = [("rules/sub/a.rule", "list a from \"./../b.txt\" list c from \"c.txt\"")];
    let loaded = from_texts(&files, &[("rules/b.txt", b"x")]);
    let (id, _) = loaded.sources.files().next().unwrap();
    assert_eq!(loaded.sources.attached(id, "./../b.txt").unwrap().as_deref(), Ok(b"x".as_slice()));
    assert!(loaded.sources.attached(id, "c.txt").unwrap().is_err());
}
