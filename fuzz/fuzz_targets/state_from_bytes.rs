//! Any bytes as the saved state of a virtual shard: refused with a reason or taken, never a panic, and what is taken can be
//! saved again.

#![no_main]

use std::sync::{Arc, LazyLock};

use dsl::source::SourceMap;
use engine::limits::Limits;
use engine::plan::Plan;
use engine::state::State;
use libfuzzer_sys::fuzz_target;

static PLAN: LazyLock<Arc<Plan>> = LazyLock::new(|| {
    let mut sources = SourceMap::default();
    sources.add(
        "fuzz.rule",
        r#"
        rule many "Many" { severity low on any of any by user.username when count() >= 3 and distinct(verb) >= 2 within 5m alert "{count()}" }
        rule then "Then" { severity low sequence within 5m { a: on get of secrets b: on get of pods where a.verb == verb } alert "x" }
        rule each "Each" { severity low on get of secrets by user.username throttle 5m alert "x" }
        "#,
    );
    Arc::new(Plan::new(&dsl::check::compile(&sources).rules.expect("they compile"), Limits::default()))
});

fuzz_target!(|bytes: &[u8]| {
    let mut state = State::new(PLAN.clone(), Limits::default());
    let shard = usize::from(bytes.first().copied().unwrap_or(0)) % engine::limits::VIRTUAL_SHARDS;
    let _ = state.load(shard, bytes);
    // And behind a true head, under a checksum that holds: else the fuzzer never gets past the door.
    let Some((&cut, rest)) = bytes.get(1..).and_then(<[u8]>::split_first) else { return };
    let mut framed = state.save(shard);
    framed.truncate(framed.len().saturating_sub(16 + usize::from(cut % 64)));
    framed.extend_from_slice(rest);
    let sum = blake3::hash(&framed);
    framed.extend_from_slice(&sum.as_bytes()[..16]);
    if state.load(shard, &framed).is_ok() {
        let saved = state.save(shard);
        state.load(shard, &saved).expect("what was saved loads");
    }
});
