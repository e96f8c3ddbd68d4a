use super::*;

/// Room for so many keys, spread over the shards as they fall.
const KEYS: usize = 64 * 20;

fn little_room() -> Limits {
    Limits {
        keys_per_rule_max: KEYS,
        requests_told_max: KEYS,
        matches_per_key_max: 640,
        request_table_bytes_max: KEYS * 800,
        ..Limits::default()
    }
}

/// Ten times as many keys as there is room for, with room for hardly any of what is remembered beside them: from where all
/// is full nothing grows, and what must be told is told.
#[test]
fn what_is_remembered_of_a_flood_is_flat_and_what_must_be_told_is() {
    for kind in KINDS {
        let limits = little_room();
        let outcome = run(*kind, 24_000, true, limits, &mut || {});
        assert_told(*kind, &outcome, true);
        let (late, early): (Vec<_>, Vec<_>) =
            (outcome.remembered[5..].to_vec(), outcome.remembered[..5].to_vec());
        let most = |of: &[(usize, usize, usize)]| {
            of.iter().fold((0, 0), |most, now| (most.0.max(now.0), most.1.max(now.1)))
        };
        assert!(most(&late).0 <= most(&early).0, "{}: requests {:?}", kind.name, outcome.remembered);
        assert!(most(&late).1 <= most(&early).1, "{}: groups {:?}", kind.name, outcome.remembered);
        assert!(
            most(&late).1 <= KEYS + engine::limits::VIRTUAL_SHARDS,
            "{}: {:?}",
            kind.name,
            outcome.remembered
        );
        assert!(
            outcome.tally.shed.requests > 0,
            "{}: the flood fills what is remembered of requests",
            kind.name
        );
        let shed = outcome.tally.shed;
        // An id that was forgotten takes no more.
        let forgotten = if kind.name == "auditID" { shed.requests } else { 0 };
        let full = shed.shared + shed.refused + shed.keys + shed.throttles + forgotten;
        assert!(full > 10_000, "{}: the flood fills the keys: {shed:?}", kind.name);
        // What waits for the watermark is what came within the lateness, at most.
        let within = usize::try_from(limits.lateness / 100_000).expect("a few events") + 1_000;
        assert!(
            outcome.remembered.iter().all(|now| now.2 <= within),
            "{}: {:?}",
            kind.name,
            outcome.remembered
        );
    }
}

#[test]
fn of_few_keys_or_with_room_for_all_every_answer_is_exact() {
    for kind in KINDS {
        for each_new in [false, true] {
            let outcome = run(*kind, 12_000, each_new, Limits::default(), &mut || {});
            assert_told(*kind, &outcome, each_new);
            assert_eq!(outcome.tally.shed, engine::state::Shed::default(), "{}", kind.name);
        }
    }
}

/// Few keys of which each brings far more than there is room for: what went is no reason to tell of what never was.
#[test]
fn of_few_keys_with_little_room_each_planted_one_is_told_and_none_else() {
    let sequences = KINDS.iter().filter(|kind| matches!(kind.name, "sequence" | "unordered" | "no between"));
    let of_a_key = Limits { matches_per_key_max: 30, ..Limits::default() };
    let of_a_rule = Limits { window_bytes_per_rule_max: 64 << 20, ..Limits::default() };
    for kind in sequences {
        for limits in [of_a_key, of_a_rule] {
            let outcome = run(*kind, 60_000, false, limits, &mut || {});
            assert!(outcome.tally.shed.window > 10_000, "{}: {:?}", kind.name, outcome.tally.shed);
            let (exact, approximate) = outcome.alerts;
            assert_eq!((exact + approximate, outcome.refusals), (planted(60_000), 0), "{}", kind.name);
        }
    }
}
