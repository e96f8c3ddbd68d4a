//! A disk that is full.

use std::fs;
use std::process::{Command, Stdio};

use super::{alerts, log, place, undisturbed};
use crate::cli::{Place, Ran};

const RUN: [&str; 8] =
    ["run", "set.rule", "--from", "audit.log", "--to", "file:disk/alerts.jsonl", "--state", "disk/kept"];

/// The program under a limit of how many KiB a file may have, which it meets as an error.
fn limited(place: &Place, kib: u32) -> Ran {
    let command = place.command(&RUN);
    let program = command.get_program().to_string_lossy().into_owned();
    let mut shell = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$0\" \"$@\"");
    shell.arg("-c").arg(script).arg(program).args(RUN).args(["--state-every", "0s"]);
    shell.current_dir(place.path()).stdin(Stdio::null());
    Ran::new(shell.output().unwrap())
}

#[test]
fn a_file_that_may_not_grow_ends_the_run_and_breaks_nothing() {
    let place = place();
    let whole = log(6_000, 1).concat();
    let want = undisturbed(&place, &whole);
    place.write("audit.log", &whole);
    fs::create_dir(place.path().join("disk")).unwrap();
    // Not even the first snapshot has room.
    limited(&place, 1).ends(4).says("cannot save the state in disk/kept");
    let longest = want.values().map(String::len).sum::<usize>() as u32 / 1024;
    assert!(longest > 400, "{longest}");
    for kib in [longest / 4, longest / 2, longest - 100] {
        limited(&place, kib).ends(4).says("cannot write to");
    }
    place.run(&RUN).ends(0);
    assert!(alerts(&place.read("disk/alerts.jsonl")) == want, "other alerts than undisturbed");
}

/// A small file system, if we may mount one; taken away at the end.
struct Disk(std::path::PathBuf);

impl Disk {
    fn mount(place: &Place, kib: u32) -> Option<Self> {
        let path = place.path().join("disk");
        fs::create_dir(&path).unwrap();
        let options = format!("size={kib}k,mode=700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then_some(Self(path))
    }

    fn resize(&self, kib: u32) {
        let options = format!("remount,size={kib}k");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _gone = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_ends_the_run_and_breaks_nothing() {
    let place = place();
    let whole = log(6_000, 2).concat();
    let want = undisturbed(&place, &whole);
    place.write("audit.log", &whole);
    let Some(disk) = Disk::mount(&place, 64) else {
        println!("no small disk may be mounted here: not tried");
        return;
    };
    let every = ["--state-every", "0s"];
    let mut full = 0;
    for kib in (64..).step_by(96) {
        disk.resize(kib);
        let ran = place.run(&[&RUN[..], &every[..]].concat());
        match ran.status {
            Some(0) => break,
            _ => ran.ends(4).says("no space left on device"),
        };
        full += 1;
    }
    assert!(full > 3, "{full}");
    assert!(alerts(&place.read("disk/alerts.jsonl")) == want, "other alerts than undisturbed");
}

#[test]
fn a_device_that_takes_nothing_ends_the_run() {
    let place = place();
    place.write("audit.log", log(500, 3).concat());
    let words = ["run", "set.rule", "--from", "audit.log", "--to", "file:/dev/full", "--state", "kept"];
    place.run(&words).ends(4).says("cannot write to /dev/full: no space left on device");
    place.run(&["run", "set.rule", "--from", "audit.log", "--to", "-", "--state", "kept"]).ends(0);
}
