//! The shipped rules over a log, by the engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::ir::RuleSet;
use engine::limits::Limits;
use engine::matches::SourceInfo;
use engine::plan::Plan;
use engine::run::Run;
use engine::trial::Trial;

use super::log;

/// As much of an alert as is measured.
pub(super) struct Told {
    pub(super) rule: String,
    /// The `auditID`s of its evidence.
    pub(super) events: Vec<String>,
}

/// The repository's folder of that name.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// The rules in `rules/`, without an error and without a warning.
pub(super) fn shipped() -> RuleSet {
    let map = connect::rules::load(&[folder("rules")]).expect("the shipped rules can be read").sources;
    let outcome = dsl::check::compile(&map);
    let said = dsl::diag::render::human(&map, &outcome.diagnostics, false);
    assert!(said.is_empty(), "{said}");
    outcome.rules.expect("rules, where nothing was said")
}

/// What the rules tell of the files of a log.
pub(super) fn alerts(rules: &RuleSet, files: &[PathBuf]) -> Vec<Told> {
    let limits = Limits::default();
    let mut run = Run::new(Arc::new(Plan::new(rules, limits)), limits);
    for path in files {
        let mut bytes = Vec::new();
        log::open(path).read_to_end(&mut bytes).expect("a log that can be read");
        run.add(SourceInfo { name: path.display().to_string().into(), cluster: None }, &bytes);
    }
    let answer = run.finish();
    assert!(answer.tally.undecodable.is_empty(), "{:?}", answer.tally.undecodable);
    let told = answer.alerts.into_iter().map(|alert| Told {
        rule: alert.rule.name.to_string(),
        events: alert.events.iter().map(|evidence| evidence.meta.audit_id.to_string()).collect(),
    });
    told.collect()
}

/// Which tests of the rules fail, and how.
pub(super) fn failing(rules: &RuleSet) -> Vec<String> {
    let mut failures = Vec::new();
    for (number, rule) in rules.rules.iter().enumerate() {
        let mut trial = Trial::new(rules, number).expect("the number of a rule");
        if rules.tests.iter().filter(|test| test.rule == number).count() < 2 {
            failures.push(format!("{} has fewer than two tests", rule.name));
        }
        for test in rules.tests.iter().filter(|test| test.rule == number) {
            let outcome = trial.run(test);
            failures.extend(
                outcome.differences.iter().map(|d| {
                    format!("{} {:?}: expected {}, got {}", rule.name, test.title, d.expected, d.got)
                }),
            );
        }
    }
    failures
}
