//! One bench a stage, and one end to end, over the same made-up log under the shipped rules.
//!
//! `cargo bench -p auditd-rules-benches`. Each bench asserts what it found, so that a figure is never that of work not done.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dsl::source::SourceMap;
use engine::frame::blocks::{BLOCK_BYTES, Blocks};
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::run::Run;
use generate::{Generator, Options, Profile};

const EVENTS: u64 = 20_000;

fn shipped() -> SourceMap {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    connect::rules::load(&[folder]).expect("the shipped rules can be read").sources
}

fn stages(criterion: &mut Criterion) {
    let sources = shipped();
    let rules = dsl::check::compile(&sources).rules.expect("the shipped rules compile");
    let plan = Arc::new(Plan::new(&rules, Limits::default()));
    let options = Options { events: EVENTS, ..Options::default() };
    let profile = Profile::named("metadata").expect("the profile is there");
    let text = Generator::new(profile, options).text();
    let info = SourceInfo { name: "bench".into(), cluster: None };
    let lines = EVENTS;

    let mut group = criterion.benchmark_group("compile");
    group.bench_function("shipped rules", |b| {
        b.iter(|| black_box(dsl::check::compile(&sources)).rules.is_some())
    });
    group.finish();

    let mut group = criterion.benchmark_group("events");
    group.sample_size(10).throughput(Throughput::Elements(lines));
    group.bench_function("frame", |b| {
        b.iter(|| {
            let mut blocks = Blocks::new(SourceId(0), BLOCK_BYTES, 64 << 20);
            blocks.push(&text);
            blocks.finish();
            let cut = std::iter::from_fn(|| blocks.pop()).count();
            assert!(cut > 10);
        });
    });
    let block = Blocks::whole(SourceId(0), &text);
    let mut scratch = Scratch::default();
    let matched = match_block(&plan, &info, &block, &mut scratch).found.len();
    assert!(matched > 10, "the load has nothing for the rules");
    group.bench_function("decode and match", |b| {
        b.iter(|| assert_eq!(match_block(&plan, &info, &block, &mut scratch).found.len(), matched));
    });
    let run = || {
        let mut run = Run::new(plan.clone(), Limits::default());
        run.add(info.clone(), &text);
        run.finish().alerts.len()
    };
    let alerts = run();
    assert!(alerts > 10, "the load raises no alerts");
    group.bench_function("end to end", |b| b.iter(|| assert_eq!(run(), alerts)));
    group.finish();
}

criterion_group!(all, stages);
criterion_main!(all);
