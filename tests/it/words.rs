//! Words that two crates write down, each for itself, are the same.

use engine::matches::Reason;

/// Every reason; that none is missing is the compiler's to say.
fn reasons() -> Vec<Reason> {
    let mut all = vec![Reason::CutOff];
    while let Some(last) = all.last() {
        all.push(match last {
            Reason::CutOff => Reason::NotJson,
            Reason::NotJson => Reason::NotAnEvent,
            Reason::NotAnEvent => Reason::NoTime,
            Reason::NoTime => Reason::BadEvent,
            Reason::BadEvent => Reason::TooLarge,
            Reason::TooLarge => Reason::TooDeep,
            Reason::TooDeep => Reason::GoogleCloudEntry,
            Reason::GoogleCloudEntry => break,
        });
    }
    all
}

#[test]
fn the_language_knows_every_reason_why_something_is_no_event() {
    let texts: Vec<_> = reasons().into_iter().map(Reason::text).collect();
    assert_eq!(texts, dsl::schema::UNDECODABLE_REASONS);
}
