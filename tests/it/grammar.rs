//! The random cases go every way through the grammar of `docs/language.md`.
//!
//! A grammar that gains a production, an alternative or an option fails here until the generator makes it. Only what cases are made of counts:
//! a form that the syntax's own generator makes, and no case, was never held to the reference.

use std::collections::BTreeMap;

use tests::generate::{Case, Choices};
use tests::grammar::Grammar;

/// So many cases; a way that fewer than one in a hundred of them takes is as good as not made.
const CASES: u64 = 1_000;

/// Ways that no case takes, for what it would be about is nothing: a case has rules and lists, and a rule has a `severity`, an
/// `on` or steps, and an `alert`.
const NOT_MADE: &[&str] = &[
    "file: (let | list | table | rule | tune | tune_list | test)* never",
    "file: (let | list | table | rule | tune | tune_list | test)* once",
    "rule: clause* never",
    "rule: clause* once",
];

#[test]
fn cases_go_every_way_through_the_grammar() {
    let grammar = Grammar::of_the_reference().unwrap();
    let mut counts: BTreeMap<String, u64> = grammar.ways().into_iter().map(|way| (way, 0)).collect();
    for seed in 0..CASES {
        let case = Case::new(&mut Choices::seeded(seed));
        let text = case.rules.text();
        let ways = grammar.recognise("file", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for way in ways {
            *counts.get_mut(&way).unwrap() += 1;
        }
    }
    let excused = |way: &String| NOT_MADE.contains(&way.as_str());
    let missing: Vec<_> = counts.iter().filter(|(way, n)| **n < CASES / 100 && !excused(way)).collect();
    let lines: String = missing.iter().map(|(way, n)| format!("{n:>5}  {way}\n")).collect();
    assert!(missing.is_empty(), "of {CASES} cases so few go these ways:\n{lines}");
    for way in NOT_MADE {
        assert!(counts.get(*way).is_some_and(|n| *n < CASES / 100), "`{way}` is made, or is no way");
    }
}
