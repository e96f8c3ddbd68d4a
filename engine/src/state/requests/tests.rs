//! What the table of a rule about requests remembers, in which order it forgets, and what that takes.

use super::*;
use crate::limits::{REQUEST_BYTES, REQUEST_HELD_BYTES};

/// The match of a request at a time, with ten bytes packed.
fn held(request: u8, at: Nanos) -> Held {
    Held {
        order: Order::new(at, at, ([request; 16], None, (SourceId(0), 0))),
        place: place(request),
        rule: 0,
        step: 0,
        event: 0,
        dry_run_unknown: false,
        packed: Box::from([0; 10]),
    }
}

const HELD: usize = REQUEST_HELD_BYTES + 10;

fn place(request: u8) -> GroupId {
    GroupId([request; 16])
}

fn table() -> Table {
    Table::new(Keyed::new(&[3; 32]), usize::MAX)
}

fn remembered(table: &Table) -> Vec<GroupId> {
    table.iter().map(|(place, _)| place).collect()
}

#[test]
fn matches_are_equal_as_they_are_ordered() {
    assert!(held(1, 0) == held(1, 0));
    assert!(held(1, 0) != held(2, 0));
}

#[test]
fn what_was_touched_longest_ago_is_forgotten() {
    let mut table = table();
    assert_eq!(table.answered(place(1), 0, 5), Answered::Alone);
    assert_eq!(table.answered(place(2), 1, 5), Answered::Alone);
    assert_eq!(table.asked(held(1, 2), 5), Asked::Waits);
    assert_eq!((table.len(), table.bytes), (2, 2 * REQUEST_BYTES + HELD));
    assert_eq!(remembered(&table), [place(2), place(1)]);
    table.max = table.bytes;
    assert!(table.too_much().is_none());
    table.max -= 1;
    assert_eq!(table.too_much().unwrap().answered, Some(1));
    assert_eq!((table.len(), table.bytes), (1, REQUEST_BYTES + HELD));
    assert!(table.too_much().is_none());
}

#[test]
fn what_is_gone_already_makes_no_room() {
    let mut table = table();
    for request in 1..4 {
        table.first(held(request, i64::from(request)));
    }
    assert!(table.overdue(place(1), 1).is_some());
    assert!(
        matches!(table.repeated(held(1, 3), 5), Repeated::New(_)),
        "of its id no request is known any more"
    );
    assert_eq!((table.len(), table.bytes), (2, 2 * (REQUEST_BYTES + HELD)));
    table.max = table.bytes - 1;
    assert_eq!(table.too_much().unwrap().taken, Some(2));
    assert_eq!(remembered(&table), [place(3)]);
}

#[test]
fn what_takes_the_place_of_another_takes_no_more() {
    let mut table = table();
    assert_eq!(table.asked(held(1, 0), 5), Asked::Waits);
    assert_eq!(table.asked(held(1, 5), 5), Asked::Duplicate);
    assert_eq!(table.asked(held(1, 6), 5), Asked::Waits, "it is taken anew");
    assert_eq!(table.bytes, REQUEST_BYTES + HELD);
    table.first(held(1, 7));
    assert_eq!((table.len(), table.bytes), (1, REQUEST_BYTES + HELD));
    assert_eq!(table.answered(place(1), 8, 5), Answered::Settled);
    assert_eq!(table.bytes, REQUEST_BYTES);
}

#[test]
fn what_no_match_can_meet_is_forgotten() {
    let mut table = table();
    table.answered(place(1), 0, 10);
    table.answered(place(2), 0, 10);
    table.answered(place(3), 5, 10);
    assert_eq!(table.asked(held(2, 8), 10), Asked::Waits);
    table.forget(10, 10);
    assert_eq!((table.len(), table.order.len()), (3, 4));
    table.forget(11, 10);
    assert_eq!((remembered(&table), table.order.len()), (vec![place(3), place(2)], 2));
    table.forget(16, 10);
    assert_eq!(remembered(&table), [place(2)]);
}
