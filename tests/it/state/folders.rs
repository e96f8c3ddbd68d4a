//! What a state folder may be, and what is said of all else.

use std::fs;
use std::process::Stdio;

use super::{alerts, log, place, undisturbed};
use crate::cli::{Place, Ran};

fn run(place: &Place, folder: &str) -> Ran {
    place.run(&["run", "set.rule", "--from", "audit.log", "--to", "file:alerts.jsonl", "--state", folder])
}

#[test]
fn what_is_no_state_folder_is_refused_and_nothing_is_broken() {
    let place = place();
    place.write("audit.log", log(50, 1).concat());
    place.write("photos/cat.jpg", "x");
    place.write("file", "x");
    run(&place, "photos").ends(4).says("photos holds something else (cat.jpg)");
    run(&place, "file").ends(4).says("file is no folder");
    run(&place, "no/such").ends(4).says("cannot make the folder no/such");
    // Nobody can make a folder there.
    run(&place, "/proc/kept").ends(4).says("cannot make the folder /proc/kept");
    assert!(!place.path().join("alerts.jsonl").exists(), "no alert was told");
    assert_eq!(fs::read_dir(place.path().join("photos")).unwrap().count(), 1);
    run(&place, "kept").ends(0);
    place.run(&["run", "set.rule", "--from", "-", "--state-every", "1s"]).ends(2);
    let to_itself =
        ["run", "set.rule", "--from", "audit.log", "--to", "file:a", "--to", "file:a", "--state", "k"];
    place.run(&to_itself).ends(2).says("named twice");
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let place = place();
    place.write("audit.log", log(50, 1).concat());
    let words = ["run", "set.rule", "--from", "-", "--to", "file:live.jsonl", "--state", "kept"];
    let mut child = place.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    while !place.path().join("kept/000000000001.snapshot").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    run(&place, "kept").ends(4).says("another run is using kept");
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    run(&place, "kept").ends(0);
}

#[test]
fn a_damaged_snapshot_is_told_and_the_one_before_gone_on_from() {
    let place = place();
    let all = log(2_000, 2);
    let want = undisturbed(&place, &all.concat());
    place.write("audit.log", all[..1_000].concat());
    run(&place, "kept").ends(0);
    place.write("audit.log", all.concat());
    run(&place, "kept").ends(0);
    let told = place.read("alerts.jsonl");
    let snapshots = || {
        let all = fs::read_dir(place.path().join("kept")).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<_> =
            all.filter(|path| path.extension().is_some_and(|of| of == "snapshot")).collect();
        all.sort();
        all
    };
    let [_, newest] = &snapshots()[..] else { panic!("{:?}", snapshots()) };
    let whole = fs::read(newest).unwrap();
    fs::write(newest, &whole[..whole.len() / 2]).unwrap();
    let ran = run(&place, "kept").ends(0);
    ran.says("torn or cut off; going on from the one before").says("are cut off; their alerts come again");
    let again = place.read("alerts.jsonl");
    assert_eq!(alerts(&again).keys().collect::<Vec<_>>(), alerts(&told).keys().collect::<Vec<_>>());
    assert_eq!(alerts(&again).keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>());
    for path in snapshots() {
        fs::write(path, "nothing").unwrap();
    }
    run(&place, "kept").ends(4).says("no saved state in kept can be taken").says("To begin anew");
    assert_eq!(place.read("alerts.jsonl"), again);
}

#[test]
fn nothing_is_cut_off_of_a_file_that_is_another() {
    let place = place();
    place.write("audit.log", log(500, 3).concat());
    place.write("alerts.jsonl", "{\"id\":\"of old\"}\n{\"id\":\"half");
    run(&place, "kept").ends(0).says("alerts.jsonl is not empty; alerts go on at its end");
    let told = place.read("alerts.jsonl");
    assert!(told.starts_with("{\"id\":\"of old\"}\n{\"id\":\"half\n{"), "{told}");
    fs::rename(place.path().join("alerts.jsonl"), place.path().join("alerts.jsonl.1")).unwrap();
    let foreign = "x\n".repeat(1_000_000);
    place.write("alerts.jsonl", &foreign);
    run(&place, "kept").ends(0).says("is another file than before");
    assert!(place.read("alerts.jsonl").starts_with(&foreign));
    assert_eq!(place.read("alerts.jsonl.1"), told);
}
