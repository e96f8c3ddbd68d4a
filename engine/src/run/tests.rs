use dsl::ir::{RuleSet, Shape, StagePick};
use proptest::prelude::*;

use super::*;
use crate::testing::{at_least, line, rule, step};

const SECOND: i64 = 1_000_000_000;

fn plan() -> Arc<Plan> {
    let steps = |n: usize| (0..n).map(|n| step(Some(["a", "b"][n]), StagePick::Outcome, 0)).collect();
    let rules = vec![
        rule("each", Shape::Each, 0, steps(1)),
        rule("throttled", Shape::Each, 7 * SECOND, steps(1)),
        rule("sliding", at_least(3.0, 10 * SECOND), 0, steps(1)),
        rule("sequence", Shape::Sequence { ordered: true, within: 5 * SECOND }, 0, steps(2)),
    ];
    Arc::new(Plan::new(&RuleSet { rules, ..RuleSet::default() }, Limits::default()))
}

/// Lines of a log, some of them no events, times out of order by more than the lateness.
fn any_log() -> impl Strategy<Value = Vec<String>> {
    let what = prop_oneof![
        8 => (0..60_i64, 0..30_u32).prop_map(|(at, n)| line(at * SECOND, n, "someone")),
        1 => Just("# a comment".to_owned()),
        1 => Just("{\"kind\":\"Event\",\"auditID\":".to_owned()),
        1 => Just(String::new()),
    ];
    prop::collection::vec(what, 0..80)
}

fn told(answer: &Answer) -> String {
    let mut out = Vec::new();
    for alert in &answer.alerts {
        alert.to_json(&mut out);
        out.push(b'\n');
    }
    String::from_utf8(out).unwrap()
}

fn run(logs: &[&[String]], block_bytes: usize) -> Answer {
    let mut run = Run::new(plan(), Limits::default()).block_bytes(block_bytes);
    for (n, log) in logs.iter().enumerate() {
        let info = SourceInfo { name: format!("log {n}").into(), cluster: None };
        run.add(info, (log.join("\n") + "\n").as_bytes());
    }
    run.finish()
}

#[test]
fn a_log_becomes_alerts() {
    let log: Vec<String> = (0..3).map(|n| line(i64::from(n) * SECOND, n, "someone")).collect();
    let answer = run(&[&log], 1 << 20);
    let told: Vec<_> = answer.alerts.iter().map(|a| (a.time / SECOND, &*a.rule.name)).collect();
    let want = [
        (0, "each"),
        (0, "throttled"),
        (1, "each"),
        (1, "sequence"),
        (2, "each"),
        (2, "sequence"),
        (2, "sliding"),
    ];
    assert_eq!(told, want);
    assert_eq!((answer.tally.read, answer.tally.decoded), (3, 3));
    assert_eq!(answer.tally.span, Some((0, 2 * SECOND)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(100)))]

    #[test]
    fn the_edges_of_blocks_do_not_show(log in any_log(), block_bytes in 1..3000_usize) {
        let whole = run(&[&log], usize::MAX);
        let cut = run(&[&log], block_bytes);
        prop_assert_eq!(told(&cut), told(&whole));
        prop_assert_eq!(&cut.tally, &whole.tally);
        prop_assert_eq!(cut.tally.read, cut.tally.decoded + cut.tally.undecodable.values().map(|u| u.count).sum::<u64>());
    }

    #[test]
    fn the_edges_of_blocks_do_not_show_over_several_sources(a in any_log(), b in any_log(), block_bytes in 1..3000_usize) {
        let mut whole = run(&[&a, &b], usize::MAX);
        let mut cut = run(&[&a, &b], block_bytes);
        // Which of two sources is read first depends on the blocks, and what does not wait is told as it comes.
        whole.alerts.retain(|alert| &*alert.rule.name != "each");
        cut.alerts.retain(|alert| &*alert.rule.name != "each");
        prop_assert_eq!(told(&cut), told(&whole));
    }
}
