//! The reference of the language says what is so: its examples compile, and the tests in them pass.

use dsl::source::SourceMap;
use engine::trial::Trial;

/// What fails in the examples of a page, one line each; and how many tests there were.
fn failing(page: &str) -> (Vec<String>, usize) {
    let mut failures = Vec::new();
    let mut tests = 0;
    let mut lines = page.lines();
    while lines.any(|line| line == "```rule") {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let mut sources = SourceMap::default();
        sources.add("language.md", block.join("\n"));
        let outcome = dsl::check::compile(&sources);
        let rules =
            outcome.rules.unwrap_or_else(|| panic!("{}\n{:#?}", block.join("\n"), outcome.diagnostics));
        for test in &rules.tests {
            tests += 1;
            let ran = Trial::new(&rules, test.rule).expect("the number of a rule").run(test);
            for difference in ran.differences {
                let rule = &rules.rules[test.rule].name;
                failures.push(format!(
                    "{rule} {:?}: expected {}, got {}",
                    test.title, difference.expected, difference.got
                ));
            }
        }
    }
    (failures, tests)
}

#[test]
fn the_tests_in_the_reference_of_the_language_pass() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/language.md");
    let (failures, tests) = failing(&std::fs::read_to_string(path).unwrap());
    assert_eq!(failures, [""; 0]);
    assert!(tests >= 10, "{tests}");
}
