//! The tests that stand beside the shipped rules, and beside the examples, show each condition of their rule in both its halves.
//!
//! What `on` decides is no condition there (the compiler proves it), so that a `let` that speaks for many rules asks for nothing
//! that cannot be.

use engine::trial::Trial;

use super::labels::run::folder;

/// Each condition that no test makes true, or false; and how many conditions there are.
fn gaps(of: &str) -> (Vec<String>, usize) {
    let sources = connect::rules::load(&[folder(of)]).unwrap().sources;
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let (mut gaps, mut all) = (Vec::new(), 0);
    for (number, rule) in rules.rules.iter().enumerate() {
        let mut trial = Trial::new(&rules, number).unwrap();
        for test in rules.tests.iter().filter(|test| test.rule == number) {
            let outcome = trial.run(test);
            assert!(outcome.passed(), "{} {:?}: {:?}", rule.name, test.title, outcome.differences);
        }
        for condition in trial.conditions() {
            all += 1;
            if condition.trues > 0 && condition.falses > 0 {
                continue;
            }
            let word = if condition.trues == 0 { "true" } else { "false" };
            let step = rule.steps[condition.step as usize].name.clone().unwrap_or_default();
            gaps.push(format!("{} {step}: never {word}: {}", rule.name, sources.text(condition.span)));
        }
    }
    (gaps, all)
}

#[test]
fn the_shipped_rules_are_covered() {
    let (gaps, all) = gaps("rules");
    assert!(all > 150, "{all} conditions");
    assert!(gaps.is_empty(), "{} of {all}:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn the_examples_are_covered() {
    let (gaps, all) = gaps("examples");
    assert!(all > 200, "{all} conditions");
    assert!(gaps.is_empty(), "{} of {all}:\n{}", gaps.len(), gaps.join("\n"));
}
