//! Killed, fenced, left with an open transaction: whoever reads what is committed sees each alert once.

use std::collections::BTreeSet;

use rdkafka::producer::{BaseRecord, Producer};

use super::client::Seen;
use super::*;

fn ids(seen: &[Seen]) -> BTreeSet<&str> {
    let ids: BTreeSet<&str> = seen.iter().map(|seen| seen.headers[0].1.as_str()).collect();
    assert_eq!(ids.len(), seen.len(), "an alert was told twice");
    ids
}

/// The alerts that a file with these events gives.
fn wanted(place: &Place, events: &[String]) -> BTreeSet<String> {
    place.write("all.log", events.concat());
    place.run(&["run", "once.rule", "--from", "all.log"]).ends(0).texts("id").into_iter().collect()
}

/// A number below `most` that is another one each time.
fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % most
}

#[test]
fn killed_at_any_instant_each_alert_is_told_once() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts, group) = (fresh("audit"), fresh("alerts"), fresh("group"));
    broker.topic(&topic, 2);
    broker.topic(&alerts, 2);
    let (from, to) = (broker.from(&topic, &group), format!("{}?interval=30ms", broker.to(&alerts)));
    let words = ["run", "once.rule", "--from", &from, "--to", &to];
    const KILLS: u32 = 6;
    const EACH: u32 = 400;
    let all = reads(0, EACH * KILLS);
    let want = wanted(&place, &all);
    for (round, part) in all.chunks(EACH as usize).enumerate() {
        let before = broker.committed(&alerts).len();
        let running = Running::start(&place, &words);
        // Some events at a time, so that it is killed between any two steps.
        for few in part.chunks(20) {
            broker.spread(&topic, 2, few);
        }
        if round > 0 {
            broker.until_committed(&alerts, before + 1);
        }
        std::thread::sleep(Duration::from_millis(random(150)));
        running.signal("KILL");
        assert_eq!(running.ends().0, None);
    }
    let running = Running::start(&place, &words);
    let seen = broker.until_committed(&alerts, want.len());
    assert!(ids(&seen).into_iter().eq(want.iter().map(String::as_str)), "{} of {}", seen.len(), want.len());
    running.terminate();
    assert_eq!(broker.committed(&alerts).len(), want.len());
}

#[test]
fn a_producer_that_was_fenced_is_replaced_and_nothing_is_lost_or_repeated() {
    let Some(broker) = broker() else { return };
    let place = place();
    let (topic, alerts, group) = (fresh("audit"), fresh("alerts"), fresh("group"));
    broker.topic(&topic, 2);
    broker.topic(&alerts, 1);
    // What somebody left behind in the name of this group: open, and never to be committed.
    let id = format!("auditd-rules.{group}");
    let left = broker.producer(&[("transactional.id", &id)]);
    left.init_transactions(PATIENCE).unwrap();
    left.begin_transaction().unwrap();
    left.send(BaseRecord::<str, str>::to(&alerts).payload("never seen")).map_err(|(error, _)| error).unwrap();
    left.flush(PATIENCE).unwrap();
    let (from, to) = (broker.from(&topic, &group), broker.to(&alerts));
    let all = reads(0, 400);
    let want = wanted(&place, &all);
    let mut running = Running::start(&place, &["run", "once.rule", "--from", &from, "--to", &to]);
    for (round, part) in all.chunks(100).enumerate() {
        broker.spread(&topic, 2, part);
        broker.until_committed(&alerts, (round + 1) * 100);
        // In its name, so that it is no longer the one that may write.
        let fence = broker.producer(&[("transactional.id", &id)]);
        fence.init_transactions(PATIENCE).unwrap();
    }
    broker.spread(&topic, 2, &reads(400, 10));
    let seen = broker.until_committed(&alerts, want.len() + 10);
    running.says("did not get through");
    running.terminate();
    assert_eq!(ids(&broker.committed(&alerts)), ids(&seen));
    assert!(want.iter().all(|id| ids(&seen).contains(id.as_str())));
    drop(left);
}
