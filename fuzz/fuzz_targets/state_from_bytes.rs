//! Any bytes as a saved state, whole or of one virtual shard, under the rules it was saved under and under others: refused
//! with a reason or taken, never a panic, and what is taken can be saved again.

#![no_main]

use std::sync::{Arc, LazyLock};

use dsl::source::SourceMap;
use engine::limits::Limits;
use engine::plan::Plan;
use engine::state::State;
use libfuzzer_sys::fuzz_target;

const RULES: &str = r#"
        rule many "Many" { severity low on any of any by user.username when count() >= 3 and distinct(verb) >= 2 within 5m alert "{count()}" }
        rule then "Then" { severity low sequence within 5m { a: on get of secrets b: on get of pods where a.verb == verb } alert "x" }
        rule each "Each" { severity low on get of secrets by user.username throttle 5m alert "x" }
        rule told "Told" { severity low on alert of each, many by user.username when count() >= 2 tumbling 5m alert "x" }
        rule quiet "Quiet" { severity low on list of nodes across clusters when silent for 5m alert "x" }
        rule fresh "Fresh" { severity low on get of secrets by user.username when first_seen(verb) within 5m learning 0s alert "x" }
"#;

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| plan(RULES));

/// One is gone, one means something else, one reads less; all stand elsewhere.
static OTHER: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let (each, rest) = RULES.rsplit_once("rule quiet").expect("it is there");
    let other = format!("rule quiet{rest}{each}");
    plan(
        &other
            .replace("rule then", "rule thence")
            .replace("tumbling 5m", "tumbling 6m")
            .replace("{count()}", "x"),
    )
});

fn plan(text: &str) -> Arc<Plan> {
    let mut sources = SourceMap::default();
    sources.add("fuzz.rule", text);
    Arc::new(Plan::new(&dsl::check::compile(&sources).rules.expect("they compile"), Limits::default()))
}

/// Puts these bytes into a part of a saved state in place of its last ones, under a length and a checksum that hold: else
/// the fuzzer never gets past the door.
fn framed(mut part: Vec<u8>, cut: u8, rest: &[u8]) -> Vec<u8> {
    let header = 88;
    part.truncate(part.len().saturating_sub(16 + usize::from(cut)).max(header));
    part.extend_from_slice(rest);
    let len = (part.len() - header) as u64;
    part[header - 8..header].copy_from_slice(&len.to_le_bytes());
    let sum = blake3::hash(&part);
    part.extend_from_slice(&sum.as_bytes()[..16]);
    part
}

fuzz_target!(|bytes: &[u8]| {
    let fresh = |plan: &Arc<Plan>| State::new(plan.clone(), Limits::default());
    let mut state = fresh(&PLAN);
    let shard = usize::from(bytes.first().copied().unwrap_or(0)) % engine::limits::VIRTUAL_SHARDS;
    let _ = state.load(shard, bytes);
    let _ = fresh(&PLAN).restore(bytes);
    let Some((&cut, rest)) = bytes.get(1..).and_then(<[u8]>::split_first) else { return };
    let (head, part) = (state.save_head(), framed(state.save(shard), cut, rest));
    let mut other = fresh(&OTHER);
    other.load_head(&head).expect("what was saved loads");
    if other.load(shard, &part).is_ok() {
        let snapshot = other.snapshot();
        fresh(&OTHER).restore(&snapshot).expect("what was saved loads");
    }
    if state.load(shard, &part).is_ok() {
        let saved = state.save(shard);
        state.load(shard, &saved).expect("what was saved loads");
    }
    let mut third = fresh(&OTHER);
    if third.load_head(&framed(head, cut, rest)).is_ok() {
        let snapshot = third.snapshot();
        fresh(&OTHER).restore(&snapshot).expect("what was saved loads");
    }
});
