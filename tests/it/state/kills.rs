//! Killed at any instant and started again: the same alerts, with the same ids, each once.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use super::{Chance, alerts, log, place, undisturbed};
use crate::cli::Place;

/// Of each way of killing how many runs of the program, unless told.
const KILLS: u64 = 25;

fn kills() -> u64 {
    std::env::var("STATE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS)
}

fn start(place: &Place, chance: &mut Chance) -> Child {
    let threads = (1 + chance.below(3)).to_string();
    // After each block, or now and then, or at the end alone.
    let every = ["0s", "0s", "5ms", "10s"][chance.below(4) as usize];
    let words = ["run", "set.rule", "--from", "audit.log", "--to", "file:alerts.jsonl", "--state", "kept"];
    let mut command = place.command(&[&words[..], &["--threads", &threads, "--state-every", every]].concat());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets it live for a while. Gives whether it has ended by itself.
fn kill(mut child: Child, after: Duration) -> bool {
    thread::sleep(after);
    if let Some(status) = child.try_wait().unwrap() {
        assert_eq!(status.code(), Some(0));
        return true;
    }
    child.kill().unwrap();
    let status = child.wait().unwrap();
    assert!(status.code().is_none() || status.code() == Some(0), "{status:?}");
    status.code().is_some()
}

/// What the folder says of where a kill fell.
fn fell(place: &Place) -> &'static str {
    let names = |kind: &str| {
        let all = fs::read_dir(place.path().join("kept"));
        all.map_or(0, |all| {
            all.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().ends_with(kind)).count()
        })
    };
    match (names(".part"), names(".snapshot")) {
        (1.., _) => "while a snapshot was written",
        (0, 0) => "before the first snapshot",
        (0, 3..) => "before an old snapshot was taken away",
        (0, _) => "between snapshots",
    }
}

#[test]
fn killed_at_any_instant_it_tells_the_same_alerts_each_once() {
    let (mut census, mut left) = (BTreeMap::<&str, u64>::new(), kills());
    let mut seed = 0;
    while left > 0 {
        seed += 1;
        let place = place();
        let whole = log(12_000, seed).concat();
        let want = undisturbed(&place, &whole);
        place.write("audit.log", &whole);
        let mut chance = Chance(seed + 1000);
        // Each lives a little longer than the one before, so that it ends at some time.
        for life in 1.. {
            let child = start(&place, &mut chance);
            if kill(child, Duration::from_millis(chance.below(20 + life * 10))) {
                break;
            }
            *census.entry(fell(&place)).or_default() += 1;
            left = left.saturating_sub(1);
        }
        assert!(alerts(&place.read("alerts.jsonl")) == want, "seed {seed}: other alerts than undisturbed");
    }
    println!("kills fell {census:?}");
}

#[test]
fn killed_while_the_log_grows_it_tells_the_same_alerts_each_once() {
    let mut left = kills() / 2;
    let mut seed = 50;
    while left > 0 {
        seed += 1;
        let place = place();
        let whole = log(8_000, seed).concat();
        let want = undisturbed(&place, &whole);
        place.write("audit.log", "");
        let mut chance = Chance(seed);
        let mut file = OpenOptions::new().append(true).open(place.path().join("audit.log")).unwrap();
        let mut at = 0;
        for life in 1.. {
            let child = start(&place, &mut chance);
            // It grows while it is read, in the middle of lines too.
            let to = (at + chance.below(whole.len() as u64 / 5) as usize).min(whole.len());
            file.write_all(&whole.as_bytes()[at..to]).unwrap();
            at = to;
            if kill(child, Duration::from_millis(chance.below(20 + life * 10))) {
                if at == whole.len() {
                    break;
                }
            } else {
                left = left.saturating_sub(1);
            }
        }
        // The last run may have begun before the last bytes came.
        let mut last = start(&place, &mut chance);
        assert_eq!(last.wait().unwrap().code(), Some(0));
        let told: Vec<String> = alerts(&place.read("alerts.jsonl")).into_keys().collect();
        assert!(told == want.into_keys().collect::<Vec<_>>(), "seed {seed}: other alerts than undisturbed");
    }
}
