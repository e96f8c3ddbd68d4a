//! The generators themselves.
use super::*;

#[test]
fn a_case_is_a_function_of_its_seed() {
    let case = |seed| format!("{:?}", Case::new(&mut Choices::seeded(seed)));
    assert_eq!(case(7), case(7));
    assert_ne!(case(7), case(8));
}

#[test]
fn bytes_make_cases_too() {
    for bytes in [&[][..], b"a", b"some bytes of a fuzzer, far too few for a case"] {
        let case = Case::new(&mut Choices::bytes(bytes));
        assert!(!case.rules.rules.is_empty());
    }
}

#[test]
fn rule_sets_parse() {
    for seed in 0..2_000 {
        let case = Case::new(&mut Choices::seeded(seed));
        let parsed = dsl::syntax::parse(dsl::source::SourceId(0), &case.rules.text());
        assert!(parsed.diagnostics.is_empty(), "{}\n{:#?}", case.rules.text(), parsed.diagnostics);
    }
}

#[test]
fn rule_sets_compile() {
    let mut wrong = std::collections::BTreeSet::new();
    for seed in 0..1_000 {
        let case = Case::new(&mut Choices::seeded(seed));
        let lines: Vec<String> = case.rules.text().lines().map(str::to_owned).collect();
        for error in crate::harness::compile(&case).err().iter().flat_map(|errors| errors.lines()) {
            let line = error.split(':').next().and_then(|n| n.parse::<usize>().ok());
            let line = line.and_then(|n| lines.get(n - 1)).map_or("", |line| line.trim());
            wrong.insert(format!("{error}\n    {line}"));
        }
    }
    let some: Vec<_> = wrong.iter().take(20).cloned().collect();
    assert!(wrong.is_empty(), "{}\n({} in all)", some.join("\n"), wrong.len());
}
