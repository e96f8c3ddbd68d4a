//! One instance for a group; what it is when partitions come and go.

use super::client::Seen;
use super::*;

/// Each of so many reads was told once.
#[track_caller]
fn each_once(seen: &[Seen], count: u32) {
    let mut names: Vec<&str> =
        seen.iter().map(|seen| seen.value.split("\"message\":\"").nth(1).unwrap()).collect();
    names.iter_mut().for_each(|text| *text = text.split('"').next().unwrap());
    names.sort_unstable();
    let mut want: Vec<String> = (0..count).map(|n| format!("eve read s{n}")).collect();
    want.sort_unstable();
    assert_eq!(names, want);
}

#[test]
fn ten_times_new_partitions_and_a_stranger_lose_and_repeat_nothing() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts, group) = (fresh("growing"), fresh("alerts"), fresh("group"));
    broker.topic(&topic, 1);
    broker.topic(&alerts, 2);
    let (from, to) = (broker.from(&topic, &group), broker.to(&alerts));
    let mut running = Running::start(&place, &["run", "once.rule", "--from", &from, "--to", &to]);
    let mut told = 0;
    for partitions in 2..12 {
        broker.grow(&topic, usize::try_from(partitions).unwrap());
        // Under load, while the group is asked anew.
        for _ in 0..5 {
            broker.spread(&topic, partitions, &reads(told, 60));
            told += 60;
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    each_once(&broker.until_committed(&alerts, told as usize), told);
    // A stranger gets a part of them, commits nothing, and leaves.
    let stranger = broker.stranger(&group, &topic);
    let deadline = Instant::now() + PATIENCE;
    while rdkafka::consumer::Consumer::assignment(&stranger).unwrap().count() == 0 {
        assert!(Instant::now() < deadline, "the stranger was given nothing");
        let _passed_over = stranger.poll(Duration::from_millis(50));
    }
    running.says("partitions from this instance");
    broker.spread(&topic, 11, &reads(told, 110));
    told += 110;
    drop(stranger);
    each_once(&broker.until_committed(&alerts, told as usize), told);
    running.terminate();
    each_once(&broker.committed(&alerts), told);
    assert_eq!(broker.members(&group), 0, "it left the group when it ended");
}

#[test]
fn a_second_instance_is_refused_in_words_and_the_first_goes_on() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts, group) = (fresh("audit"), fresh("alerts"), fresh("group"));
    broker.topic(&topic, 2);
    broker.topic(&alerts, 1);
    let (from, to) = (broker.from(&topic, &group), broker.to(&alerts));
    let words = ["run", "once.rule", "--from", &from, "--to", &to];
    let first = Running::start(&place, &words);
    broker.spread(&topic, 2, &reads(0, 10));
    broker.until_committed(&alerts, 10);
    place
        .run(&words)
        .ends(4)
        .says("has another member (auditd-rules at 127.0.0.1)")
        .says("only one instance");
    broker.spread(&topic, 2, &reads(10, 10));
    each_once(&broker.until_committed(&alerts, 20), 20);
    first.terminate();
}
