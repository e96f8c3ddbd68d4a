//! Bad inputs: a clear message each, and the right exit status.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Place, RULES};

#[test]
fn garbage_and_emptiness() {
    let place = Place::new();
    let garbage: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    place.write("garbage", garbage);
    let ran = place.run(&["run", "set.rule", "--from", "garbage", "--fail-on", "undecoded"]).ends(3);
    assert_eq!(ran.out, "");
    ran.says("= 0 decoded + ");
    place.write("empty.log", "");
    place
        .run(&["run", "set.rule", "--from", "empty.log"])
        .ends(0)
        .says("0 read = 0 decoded + 0 passed + 0 undecodable");
    place.run(&["run", "set.rule", "--from", "-"]).ends(0).says("0 read");
}

#[test]
fn what_is_not_there() {
    let place = Place::new();
    place
        .run(&["run", "set.rule", "--from", "none.log"])
        .ends(4)
        .says("cannot open none.log: there is no such file");
    place
        .run(&["run", "none.rule", "--from", "audit.log"])
        .ends(4)
        .says("cannot read none.rule: there is no such file");
    place.run(&["run", "set.rule", "--from", "none*.log"]).ends(4).says("no file fits none*.log");
    place
        .run(&["run", "set.rule", "--from", "."])
        .ends(4)
        .says(". is a folder; say which files in it are logs");
    fs::create_dir(place.path().join("hollow")).unwrap();
    place.run(&["compile", "hollow"]).ends(2).says("there is no *.rule file below hollow");
}

#[test]
fn one_missing_file_does_not_keep_the_others_from_being_read() {
    let place = Place::new();
    let ran = place.run(&["run", "set.rule", "--from", "none.log", "--from", "audit.log"]).ends(4);
    assert_eq!(ran.json().len(), 2);
    ran.says("24 read = 24 decoded").says("failed      cannot open none.log");
}

/// Whether permissions bind us: they do not bind root.
fn bound(place: &Place) -> bool {
    let path = place.write("probe", "");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    let bound = fs::read(&path).is_err();
    if !bound {
        println!("note: run by root, whom permissions do not bind; nothing is tested here");
    }
    bound
}

#[test]
fn what_may_not_be_read() {
    let place = Place::new();
    if !bound(&place) {
        return;
    }
    place.write("shut/audit.log", "");
    place.write("shut/set.rule", RULES);
    let shut = place.path().join("shut");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o000)).unwrap();
    place.run(&["compile", "shut"]).ends(4).says("permission denied");
    place.run(&["run", "set.rule", "--from", "shut/audit.log"]).ends(4).says("permission denied");
    place.run(&["run", "set.rule", "--from", "shut/*.log"]).ends(4).says("permission denied");
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
    let rule = place.path().join("set.rule");
    fs::set_permissions(&rule, fs::Permissions::from_mode(0o000)).unwrap();
    place.run(&["fmt", "set.rule"]).ends(4).says("cannot read set.rule: permission denied");
}

#[test]
fn rule_files_in_other_clothes() {
    let place = Place::new();
    place.write("bom.rule", format!("\u{feff}{RULES}"));
    place.run(&["compile", "bom.rule"]).ends(0).says("2 rules and 3 tests in 1 file");
    place.write("crlf.rule", RULES.replace('\n', "\r\n"));
    place.run(&["compile", "crlf.rule"]).ends(0).says("2 rules and 3 tests in 1 file");
    place.write("latin1.rule", [b"# caf\xe9\n", RULES.as_bytes()].concat());
    let ran = place.run(&["compile", "latin1.rule", "--format", "json"]).ends(1);
    let found = &ran.json()[0];
    assert_eq!((found["line"].as_u64(), found["column"].as_u64()), (Some(1), Some(6)));
    assert_eq!(found["message"], "the file is not UTF-8 text: byte 0xE9 begins no character");
    assert!(found["help"].as_str().unwrap().contains("Latin-1"));
    place.write("large.rule", vec![b'#'; 10 << 20]);
    let ran = place.run(&["compile", "large.rule", "--format", "human"]).ends(1);
    assert!(ran.out.contains("E103") && ran.out.contains("at least 4194305 bytes"), "{ran:#?}");
    place.write("empty.rule", "");
    place.run(&["compile", "empty.rule"]).ends(1).says("there is no rule in empty.rule");
    place.run(&["run", "empty.rule", "--from", "audit.log"]).ends(1).says("there is no rule in empty.rule");
    place.run(&["compile", "audit.log"]).ends(1);
    for command in ["compile", "run", "test", "rules"] {
        place.run(&[command, "latin1.rule"]).ends(1);
    }
}

#[test]
fn packs_that_are_torn_foreign_or_newer() {
    let place = Place::new();
    place.run(&["compile", "set.rule", "-o", "set.adrp"]).ends(0);
    let whole = fs::read(place.path().join("set.adrp")).unwrap();
    let ran = place.run(&["run", "set.adrp", "--from", "audit.log"]).ends(0);
    assert_eq!(ran.json().len(), 2);
    place.run(&["test", "set.adrp"]).ends(0);
    place.write("torn.adrp", &whole[..whole.len() / 2]);
    place.run(&["run", "torn.adrp", "--from", "audit.log"]).ends(4).says("it is cut off or damaged");
    let mut newer = whole;
    newer[4] = 9;
    place.write("newer.adrp", newer);
    place.run(&["rules", "newer.adrp"]).ends(4).says("it has format 9 and was made by a newer auditd-rules");
    place.write("foreign.adrp", b"\x7fELF\0\0\xff\xff");
    place.run(&["rules", "foreign.adrp"]).ends(1).says("it looks like no text at all");
}
