//! Matching: what a block gives, and what is left out of it.

use proptest::prelude::*;
use serde_json::{Value as Js, json};

use super::*;
use crate::eval::tests::{event, plan};
use crate::frame::blocks::Blocks;
use crate::matches::Reason;

/// The matches of events, one a line.
pub(crate) fn matches(plan: &Plan, events: &[Js]) -> Matches {
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    of_text(plan, text.as_bytes())
}

fn of_text(plan: &Plan, text: &[u8]) -> Matches {
    let source = SourceInfo { name: "s".into(), cluster: None };
    match_block(plan, &source, &Blocks::whole(SourceId(3), text), &mut Scratch::default())
}

#[test]
fn a_block_is_accounted_for() {
    let plan = plan("rule r \"t\" { severity low on get of pods alert \"x\" }");
    let good = event(json!({})).to_string();
    let text = format!("# c\n{good}\n{{\"a\":\n[{good},{good}]\nnope\n{{\"kind\":0}}\n");
    let got = of_text(&plan, text.as_bytes());
    assert_eq!((got.tally.read, got.tally.decoded, got.tally.comments), (6, 3, 1));
    assert_eq!(got.tally.bytes, text.len() as u64);
    let reasons: Vec<_> = got.tally.undecodable.iter().map(|u| u.reason).collect();
    assert_eq!(reasons, [Reason::CutOff, Reason::NotJson, Reason::NotAnEvent]);
    let second = text.rfind(&good).unwrap() as u64;
    assert_eq!(got.found.iter().map(|m| m.event).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(got.found[2].meta.offset, second);
    assert_eq!(got.times, [1_767_571_201_000_000_000; 3]);
    assert_eq!(got.tally.rules[0].selected, 3);
}

#[test]
fn dry_runs_are_passed_over_where_known() {
    let delete = |body: Js| event(json!({"verb": "delete", "requestObject": body}));
    let events = [
        delete(json!({"dryRun": ["All"]})),
        delete(json!({})),
        event(json!({"verb": "delete"})),
        event(json!({"verb": "delete", "requestURI": "/x?dryRun=All"})),
    ];
    let strict = plan("rule r \"t\" { severity low on delete of pods alert \"x\" }");
    let got = matches(&strict, &events);
    assert_eq!(
        got.found.iter().map(|m| (m.event, m.dry_run_unknown)).collect::<Vec<_>>(),
        [(1, false), (2, true)]
    );
    let loose = plan("rule r \"t\" { severity low on delete of pods including dry_run alert \"x\" }");
    assert!(matches(&loose, &events).found.iter().all(|m| !m.dry_run_unknown));
    assert_eq!(matches(&loose, &events).found.len(), 4);
}

#[test]
fn unknown_answers_are_counted() {
    let text = "rule r \"t\" { severity low on any of pods at any where responseStatus.code == 200
        except annotations[\"x\"] == \"y\" except user.username == \"away\" alert \"x\" }";
    let received = |user: &str| {
        event(json!({"stage": "RequestReceived", "responseStatus": null, "user": {"username": user}}))
    };
    let there = event(json!({"stage": "RequestReceived"}));
    let got = matches(&plan(text), &[received("u"), received("away"), there, event(json!({}))]);
    // The condition unknown; the same, but let go; true with an except unknown, which matches; all known.
    assert_eq!(got.found.iter().map(|m| m.event).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(got.tally.rules[0].unknown_decided, 2);
}

#[test]
fn distinct_counts_tuples() {
    let text = "rule r \"t\" { severity low on any of pods by user.username
        when count() >= 1 and distinct(user.groups[], userAgent) >= 1 and count(where userAgent == \"a\") >= 0 within 5m alert \"x\" }";
    let with = |groups: Js, agent: Js| {
        event(json!({"user": {"username": "u", "groups": groups}, "userAgent": agent}))
    };
    let got = matches(
        &plan(text),
        &[
            with(json!(["a", "b", "a"]), json!("a")),
            with(json!([null]), Js::Null),
            with(json!([]), json!("a")),
            with(json!([{"no": 1}]), json!("a")),
        ],
    );
    let counts = |n: usize, at: usize| match &got.found[n].counted[at] {
        Counted::Values(values) => values.len(),
        Counted::Tuples(tuples) | Counted::Cut(tuples, _) => tuples.len(),
        Counted::One => 1,
        Counted::No => 0,
    };
    assert_eq!((0..4).map(|n| counts(n, 1)).collect::<Vec<_>>(), [2, 0, 0, 1]);
    assert_eq!((0..4).map(|n| counts(n, 2)).collect::<Vec<_>>(), [1, 0, 1, 1]);
    assert_eq!(got.found[0].key, [Value::Text("u".into())]);
}

#[test]
fn a_request_is_known_by_what_the_client_cannot_choose_alone() {
    let plan = plan("rule r \"t\" { severity low on any of any at any alert \"x\" }");
    let one = |over: Js| matches(&plan, &[event(over)]).found[0].meta.request;
    let base = one(json!({}));
    // Stage and spelling of the time make no difference.
    assert_eq!(base, one(json!({"stage": "ResponseStarted", "stageTimestamp": "2026-01-06T00:00:00Z"})));
    assert_eq!(base, one(json!({"requestReceivedTimestamp": "2026-01-05T01:00:00.500+01:00"})));
    for other in [
        json!({"auditID": "b"}),
        json!({"verb": "list"}),
        json!({"requestURI": "/y"}),
        json!({"requestURI": null}),
        json!({"requestReceivedTimestamp": "2026-01-05T00:00:00.500001Z"}),
        json!({"requestReceivedTimestamp": "yesterday"}),
        json!({"requestReceivedTimestamp": null}),
    ] {
        assert_ne!(base, one(other.clone()), "{other}");
    }
    // By the bytes that `docs/semantics.md` fixes.
    let mut bytes = b"request".to_vec();
    bytes.push(0);
    for part in ["a", "1767571200500000000", "get", "/x"] {
        bytes.push(1);
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    assert_eq!(base.0, blake3::hash(&bytes).as_bytes()[..16]);
}

#[test]
fn coverage_says_what_each_condition_was() {
    let text = "rule r \"t\" { severity low on any of pods at any
        where verb == \"get\" or any g in user.groups: (g == \"x\") alert \"x\" }";
    let plan = plan(text);
    let mut scratch = Scratch::default();
    scratch.cover(&plan);
    let source = SourceInfo::default();
    for over in [json!({}), json!({"verb": "list", "user": {"groups": ["x", "y"]}})] {
        let block = Blocks::whole(SourceId(0), event(over).to_string().as_bytes());
        let _ = match_block(&plan, &source, &block, &mut scratch);
    }
    let counts: Vec<[u64; 3]> = scratch.coverage().unwrap()[0]
        .leaves
        .iter()
        .map(|c| c.each_ref().map(std::cell::Cell::get))
        .collect();
    // False, unknown, true: of the comparison of the verb, of the one in `any`, of `any`.
    let mut counts = counts;
    counts.sort_unstable();
    assert_eq!(counts, [[1, 0, 1], [1, 0, 1], [1, 0, 1]]);
}

#[test]
fn blocks_can_be_matched_anywhere() {
    let plan = plan("rule r \"t\" { severity low on get of pods alert \"x\" }");
    let events: String =
        (0..50).map(|n| format!("{}\n", event(json!({"auditID": format!("a{n}")})))).collect();
    let whole = of_text(&plan, events.as_bytes());
    let mut blocks = Blocks::new(SourceId(3), 1000, 1 << 20);
    blocks.push(events.as_bytes());
    blocks.finish();
    let mut offsets = Vec::new();
    let mut scratch = Scratch::default();
    while let Some(block) = blocks.pop() {
        let got = match_block(&plan, &SourceInfo { name: "s".into(), cluster: None }, &block, &mut scratch);
        offsets.extend(got.found.iter().map(|m| m.meta.offset));
    }
    assert_eq!(offsets, whole.found.iter().map(|m| m.meta.offset).collect::<Vec<_>>());
}

/// Lines as the API server writes them: of each request what was received and what became of it.
fn server_lines(requests: usize) -> String {
    let line = |n: usize, stage: &str, micros: usize, rest: &str| {
        format!(
            r#"{{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a{n}","stage":"{stage}","requestURI":"/api/v1/pods","verb":"get","user":{{"username":"u"}},"objectRef":{{"resource":"pods"}}{rest},"requestReceivedTimestamp":"2026-01-05T00:00:00.{n:06}Z","stageTimestamp":"2026-01-05T00:00:00.{micros:06}Z"}}"#
        )
    };
    (0..requests)
        .map(|n| {
            let status = r#","responseStatus":{"metadata":{},"code":200}"#;
            format!(
                "{}\n{}\n",
                line(n, "RequestReceived", n, ""),
                line(n, "ResponseComplete", n + 500, status)
            )
        })
        .collect()
}

#[test]
fn requests_received_that_no_rule_reads_are_passed_over_and_counted() {
    let text = server_lines(20);
    let source = SourceInfo { name: "s".into(), cluster: None };
    let block = Blocks::whole(SourceId(3), text.as_bytes());
    for (on, passed) in
        [("get of pods", 20), ("get of pods at any", 0), ("get of pods at RequestReceived", 0)]
    {
        let plan = plan(&format!("rule r \"t\" {{ severity low on {on} alert \"x\" }}"));
        let with = |decoding| {
            let mut scratch = Scratch::default();
            scratch.decode_with(decoding);
            match_block(&plan, &source, &block, &mut scratch)
        };
        let wanted = with(Decoding::Tape);
        assert_eq!((wanted.tally.decoded, wanted.tally.passed), (40, 0));
        for (decoding, passed) in [(Decoding::Auto, passed), (Decoding::Scan, passed), (Decoding::Walk, 0)] {
            let got = with(decoding);
            assert_eq!(
                (got.tally.read, got.tally.passed, got.tally.decoded),
                (40, passed, 40 - passed),
                "{on}"
            );
            assert_eq!(got.times, wanted.times);
            assert_eq!(got.tally.rules, wanted.tally.rules);
            let told = |all: &Matches| -> Vec<_> {
                all.found.iter().map(|m| (m.event, m.meta.offset, m.meta.request, m.meta.code)).collect()
            };
            assert_eq!(told(&got), told(&wanted));
        }
    }
}

proptest! {
    /// In whatever pieces a log comes, and into whatever blocks it is cut, as many requests are passed over.
    #[test]
    fn pieces_change_no_count(pieces in prop::collection::vec(1_usize..2000, 1..12), block in 1_usize..3000, odd in 0_usize..6) {
        let mut text = server_lines(6);
        text.insert_str(text.match_indices('\n').nth(odd).unwrap().0, ["", " ", "\r", "x", "{}", "}"][odd]);
        let plan = plan("rule r \"t\" { severity low on get of pods alert \"x\" }");
        let source = SourceInfo { name: "s".into(), cluster: None };
        let whole = of_text(&plan, text.as_bytes()).tally;
        let mut blocks = Blocks::new(SourceId(3), block, 1 << 20);
        let mut rest = text.as_bytes();
        for piece in pieces {
            let (piece, behind) = rest.split_at(piece.min(rest.len()));
            blocks.push(piece);
            rest = behind;
        }
        blocks.push(rest);
        blocks.finish();
        let mut scratch = Scratch::default();
        let mut sum = (0, 0, 0, 0);
        while let Some(block) = blocks.pop() {
            let tally = match_block(&plan, &source, &block, &mut scratch).tally;
            sum.0 += tally.read;
            sum.1 += tally.decoded;
            sum.2 += tally.passed;
            sum.3 += tally.undecodable.len();
        }
        prop_assert_eq!(sum, (whole.read, whole.decoded, whole.passed, whole.undecodable.len()));
        prop_assert!(whole.passed >= 5);
    }
}
