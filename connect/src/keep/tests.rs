mod crashes;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn snapshot(n: u8) -> Snapshot {
    Snapshot {
        state: vec![n; 100 + usize::from(n)],
        told: vec![[n; 16]; usize::from(n % 3)],
        ..Snapshot::default()
    }
}

fn taken(folder: &mut Folder) -> Result<(Option<u8>, Vec<String>), Error> {
    let found = folder.newest(|snapshot| Ok(snapshot.state[0]))?;
    Ok((found.taken, found.refused))
}

fn opened(path: &Path) -> Folder {
    open(path).unwrap().0
}

fn words<T>(result: Result<T, Error>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn the_newest_is_taken_and_the_last_two_are_kept() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    let mut folder = opened(&path);
    assert_eq!(taken(&mut folder).unwrap(), (None, vec![]));
    for n in 1..=4 {
        folder.save(&snapshot(n)).unwrap();
    }
    drop(folder);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["000000000003.snapshot", "000000000004.snapshot", "auditd-rules.state"]);
    let mut folder = opened(&path);
    assert_eq!(folder.newest(Ok).unwrap().taken, Some(snapshot(4)));
}

#[test]
fn a_damaged_one_is_refused_with_the_reason_and_the_one_before_taken() {
    let place = tempfile::tempdir().unwrap();
    let mut folder = opened(place.path());
    folder.save(&snapshot(1)).unwrap();
    folder.save(&snapshot(2)).unwrap();
    let newest = place.path().join(name_of(2, WHOLE));
    let whole = fs::read(&newest).unwrap();
    let mut flipped = whole.clone();
    flipped[60] ^= 1;
    let longer = [whole.as_slice(), b"x"].concat();
    let mut of_form_9 = whole.clone();
    of_form_9[8] = 9;
    for (bytes, why) in [
        (flipped, "damaged"),
        (whole[..whole.len() - 1].to_vec(), "torn"),
        (whole[..5].to_vec(), "torn"),
        (Vec::new(), "torn"),
        (longer, "torn"),
        (of_form_9, "a newer version"),
        (b"something else altogether, and long enough".to_vec(), "no snapshot"),
    ] {
        fs::write(&newest, bytes).unwrap();
        let (n, refused) = taken(&mut folder).unwrap();
        assert_eq!((n, refused.len()), (Some(1), 1));
        assert!(refused[0].starts_with("000000000002.snapshot: ") && refused[0].contains(why), "{refused:?}");
    }
    // What the caller cannot use is refused likewise.
    fs::write(&newest, &whole).unwrap();
    let found = folder.newest(|s| if s.state[0] == 2 { Err("too new".to_owned()) } else { Ok(s.state[0]) });
    assert_eq!(found.unwrap().refused, ["000000000002.snapshot: too new"]);
    // The refused one goes once there are two that are whole.
    folder.save(&snapshot(3)).unwrap();
    assert!(!newest.exists());
    assert!(place.path().join(name_of(1, WHOLE)).exists());
}

#[test]
fn without_a_whole_one_there_is_no_silent_beginning() {
    let place = tempfile::tempdir().unwrap();
    let mut folder = opened(place.path());
    folder.save(&snapshot(1)).unwrap();
    fs::write(place.path().join(name_of(1, WHOLE)), "adr").unwrap();
    let told = words(taken(&mut folder));
    assert!(told.contains("torn") && told.contains("To begin anew"), "{told}");
}

#[test]
fn a_folder_has_one_run() {
    let place = tempfile::tempdir().unwrap();
    let first = opened(place.path());
    assert!(words(open(place.path())).contains("another run is using"));
    drop(first);
    opened(place.path());
}

#[test]
fn what_is_no_folder_of_ours_is_refused_and_left_alone() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fs::write(at("file"), "x").unwrap();
    assert!(words(open(&at("file"))).contains("is no folder"));
    fs::create_dir(at("other")).unwrap();
    fs::write(at("other/photo.jpg"), "x").unwrap();
    assert!(words(open(&at("other"))).contains("something else (photo.jpg)"));
    assert_eq!(fs::read_dir(at("other")).unwrap().count(), 1);
    fs::create_dir(at("newer")).unwrap();
    fs::write(at("newer/auditd-rules.state"), MARKS[0]).unwrap();
    assert!(words(open(&at("newer"))).contains("another version"));
    fs::write(at("newer/auditd-rules.state"), MARKS[1]).unwrap();
    assert!(words(open(&at("newer"))).contains("not a state folder"));
    assert!(words(open(&at("no/such"))).contains("cannot make the folder"));
    fs::create_dir(at("open")).unwrap();
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(words(open(&at("open"))).contains("everybody may write"));
    fs::set_permissions(at("open"), fs::Permissions::from_mode(0o755)).unwrap();
    let (_folder, notes) = open(&at("open")).unwrap();
    assert!(notes[0].contains("others may look into"), "{notes:?}");
}

/// Of another form, and of something else.
const MARKS: [&str; 2] = [
    "state of auditd-rules, form 2; and then something that is about as long as what stands here\n",
    "the state of another program\n",
];

#[test]
fn a_folder_whose_mark_was_cut_off_is_still_ours() {
    let place = tempfile::tempdir().unwrap();
    let mark = place.path().join("auditd-rules.state");
    for begun in ["", "state of aud", "state of auditd-rules, form 1; while"] {
        fs::write(&mark, begun).unwrap();
        drop(opened(place.path()));
        assert!(fs::read_to_string(&mark).unwrap().ends_with("this file\n"));
    }
    fs::create_dir(place.path().join("lost+found")).unwrap();
    fs::remove_file(&mark).unwrap();
    opened(place.path());
}
