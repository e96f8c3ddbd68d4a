//! One bench for each class of cost that `rules` prints: a hundred rules of the class over the same events, beside none.
//!
//! `cargo bench -p auditd-rules-benches --bench classes`. That the order is as printed is a test (`tests/classes.rs`); this
//! tells by how much.

use benches::classes::{CLASSES, Load};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const EVENTS: usize = 2_000;

fn classes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("classes");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS as u64));
    for class in std::iter::once(None).chain(CLASSES.map(Some)) {
        let load = Load::new(class, EVENTS);
        let name = class.map_or("no rules", |class| class.text());
        group.bench_function(name, |bench| bench.iter(|| load.once()));
    }
    group.finish();
}

criterion_group!(all, classes);
criterion_main!(all);
