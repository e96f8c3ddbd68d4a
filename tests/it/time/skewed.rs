//! Three API servers, each with a file of its own and a clock of its own.
//!
//! What is promised: each file is a source with its own clock, and of them the one furthest behind is read next. So where
//! nothing comes late within its own file, the answer is that of the one log sorted by the times as the servers wrote them, in
//! whatever order the files are named.

use super::*;

/// How far each server's clock is off.
const SKEWS: [i64; 3] = [0, 40 * SECOND, -90 * SECOND];

/// Twelve thousand events over ten minutes, each with the server that it went to, in the order in which they happened.
fn happened() -> Vec<(usize, i64, Value)> {
    let one = |n: i64| {
        let (server, at) = (mixed(n + 3) % 3, START + n * SECOND / 20);
        (server, at + SKEWS[server], event(n, at + SKEWS[server]))
    };
    (0..12_000).map(one).collect()
}

/// One server's file. Within it an event may come up to two seconds after its time.
fn file(of: usize) -> Vec<Value> {
    let mut all: Vec<_> = happened().into_iter().filter(|(server, ..)| *server == of).collect();
    all.sort_by_key(|(_, at, _)| at + [0, 0, 0, 2 * SECOND][mixed(*at) % 4]);
    all.into_iter().map(|(.., event)| event).collect()
}

/// Alerts without the places of their evidence, which is all that may differ.
fn placeless(mut alerts: Vec<Value>) -> Vec<Value> {
    for alert in &mut alerts {
        for event in alert["events"].as_array_mut().unwrap() {
            let event = event.as_object_mut().unwrap();
            assert!(event.remove("source").is_some() && event.remove("offset").is_some());
        }
    }
    alerts
}

#[test]
fn three_servers_with_skewed_clocks_are_one_log() {
    let files: Vec<Vec<Value>> = (0..3).map(file).collect();
    let mut sorted = happened();
    sorted.sort_by_key(|(_, at, _)| *at);
    let sorted: Vec<Value> = sorted.into_iter().map(|(.., event)| event).collect();

    // By the engine alone, in blocks so small that the sources take turns, and by the reference.
    let (want, _) = told(&[&sorted], 1 << 20);
    let silent = |rule: &&(&str, usize)| rule.1 == 0 && rule.0 != "quiet";
    assert!(!by_rule(&want).iter().any(|rule| silent(&rule)), "{:?}", by_rule(&want));
    assert!(both(&[&files[0], &files[1], &files[2]], 1 << 20).0 == want);
    for order in [[0, 1, 2], [1, 2, 0], [2, 1, 0]] {
        let sources = order.map(|n| files[n].as_slice());
        let (found, tally) = told(&sources, 5_000);
        assert_eq!((found == want, tally.late), (true, 0), "files in the order {order:?}");
    }

    // The same by the command.
    let place = Place::new();
    place.write("set.rule", RULES);
    place.write("sorted.log", bytes(&sorted));
    for (n, events) in files.iter().enumerate() {
        assert!(bytes(events).len() > 3 << 20 >> 1, "each file is more than a block");
        place.write(&format!("server-{n}.log"), bytes(events));
    }
    let run = |more: &[&str]| {
        let words: Vec<&str> = ["run", "set.rule", "--fail-on", "late"].iter().chain(more).copied().collect();
        placeless(place.run(&words).ends(0).json())
    };
    let want = run(&["--from", "sorted.log"]);
    assert!(want.len() > 100);
    for threads in ["1", "2"] {
        for order in [
            ["server-0.log", "server-1.log", "server-2.log"],
            ["server-2.log", "server-0.log", "server-1.log"],
        ] {
            let [a, b, c] = order;
            let found = run(&["--threads", threads, "--from", a, "--from", b, "--from", c]);
            assert!(found == want, "{order:?} on {threads} threads");
        }
    }
}

/// What the test above would miss if skew did not matter: in one file, as they happened, the slow server's events are late.
#[test]
fn the_same_events_in_one_file_are_late() {
    let mixed: Vec<Value> = happened().into_iter().map(|(.., event)| event).collect();
    let slow = mixed.len() as u64 / 3;
    let (_, tally) = both(&[&mixed], 1 << 20);
    assert!(tally.late > slow, "{} of {}", tally.late, mixed.len());
}
