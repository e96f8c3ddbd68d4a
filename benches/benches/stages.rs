//! Criterion over the stages of `benches::stages`, over compiling the shipped rules, and end to end from bytes to alerts.
//!
//! `cargo bench -p auditd-rules-benches --bench stages`. Each asserts what it found, so that a figure is never that of work not done.

use std::hint::black_box;
use std::sync::Arc;

use benches::shipped;
use benches::stages::{names, stage};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::plan::Plan;
use engine::run::Run;
use generate::{Generator, Options, Profile};

const EVENTS: u64 = 20_000;

fn one_by_one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("stage");
    for name in names() {
        let mut stage = stage(&name);
        group.throughput(Throughput::Elements(stage.events));
        group.bench_function(name, |b| {
            let mut found = None;
            b.iter_batched(|| stage.ready(), |work| found = Some(work()), BatchSize::LargeInput);
            stage.assert_found(found.expect("it ran"));
        });
    }
    group.finish();
}

fn together(criterion: &mut Criterion) {
    let sources = shipped();
    let mut group = criterion.benchmark_group("compile");
    group.bench_function("shipped rules", |b| {
        b.iter(|| black_box(dsl::check::compile(&sources)).rules.is_some())
    });
    group.finish();
    let rules = dsl::check::compile(&sources).rules.expect("the shipped rules compile");
    let plan = Arc::new(Plan::new(&rules, Limits::default()));
    let options = Options { events: EVENTS, ..Options::default() };
    let text = Generator::new(Profile::named("metadata").expect("the profile is there"), options).text();
    let run = || {
        let mut run = Run::new(plan.clone(), Limits::default());
        run.add(SourceInfo { name: "bench".into(), cluster: None }, &text);
        run.finish().alerts.len()
    };
    let alerts = run();
    assert!(alerts > 10, "the load raises no alerts");
    let mut group = criterion.benchmark_group("end to end");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    group.bench_function("shipped rules", |b| b.iter(|| assert_eq!(run(), alerts)));
    group.finish();
}

criterion_group!(all, one_by_one, together);
criterion_main!(all);
