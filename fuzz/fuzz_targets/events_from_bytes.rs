//! Any bytes as a log, under the shipped rules: no panic, every event accounted for, and the same alerts whatever blocks the
//! log is cut into.

#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::plan::Plan;
use engine::run::{Answer, Run};
use libfuzzer_sys::fuzz_target;

/// Small, so that the fuzzer finds lines that are too long.
const LIMITS: fn() -> Limits = || Limits { line_bytes_max: 4 << 10, ..Limits::default() };

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let sources = connect::rules::load(&[folder]).expect("the shipped rules can be read").sources;
    Arc::new(Plan::new(&dsl::check::compile(&sources).rules.expect("the shipped rules compile"), LIMITS()))
});

fn run(bytes: &[u8], block: usize) -> Answer {
    let mut run = Run::new(PLAN.clone(), LIMITS()).block_bytes(block);
    run.add(SourceInfo { name: "fuzz".into(), cluster: None }, bytes);
    run.finish()
}

fuzz_target!(|bytes: &[u8]| {
    let whole = run(bytes, 1 << 20);
    let undecodable: u64 = whole.tally.undecodable.values().map(|found| found.count).sum();
    assert_eq!(whole.tally.read, whole.tally.decoded + whole.tally.passed + undecodable, "an event is not accounted for");
    let cut = run(bytes, 64);
    let ids = |answer: &Answer| answer.alerts.iter().map(|alert| (alert.id, alert.count)).collect::<Vec<_>>();
    assert_eq!(ids(&whole), ids(&cut), "a block's edge changed an answer");
});
