//! The random cases go every way through the grammar of `docs/language.md`.
//!
//! A grammar that gains a production, an alternative or an option fails here until the generator makes it. Only what cases are made of counts:
//! a form that the syntax's own generator makes, and no case, was never held to the reference.

use std::collections::BTreeMap;

use tests::generate::{Case, Choices};
use tests::grammar::Grammar;

/// So many cases; a way that fewer than one in a hundred of them takes is as good as not made.
const CASES: u64 = 1_000;

/// Ways that cases do not take yet. None may be in here that they do.
const NOT_YET: &[&str] = &[
    r#"by: ("," (WORD "=")? sum)* several times"#,
    r#"change: "disable""#,
    r#"change: "enable""#,
    r#"change: "severity" SEVERITY"#,
    r#"change: "throttle" DURATION"#,
    r#"change: "when" window"#,
    r#"change: "within" DURATION"#,
    r#"change: at all"#,
    r#"change: except"#,
    r#"clause: "across" "clusters""#,
    r#"conjunction: ("and" negation)* several times"#,
    r#"entry: STRING"#,
    r#"entry: at all"#,
    r#"entry: call"#,
    r#"entry: path"#,
    r#"expected: "alert" ("at" DURATION)? map?"#,
    r#"expected: "no" "alert""#,
    r#"expected: ("at" DURATION)? never"#,
    r#"expected: ("at" DURATION)? once"#,
    r#"expected: NUMBER "alerts""#,
    r#"expected: at all"#,
    r#"expected: map? never"#,
    r#"expected: map? once"#,
    r#"file: (let | list | table | rule | tune | tune_list | test)* never"#,
    r#"file: (let | list | table | rule | tune | tune_list | test)* once"#,
    r#"file: table"#,
    r#"file: test"#,
    r#"file: tune"#,
    r#"file: tune_list"#,
    r#"happening: "at" DURATION (NUMBER "times" "every" DURATION)? ("as" WORD)? map"#,
    r#"happening: "until" DURATION"#,
    r#"happening: ("as" WORD)? never"#,
    r#"happening: ("as" WORD)? once"#,
    r#"happening: (NUMBER "times" "every" DURATION)? never"#,
    r#"happening: (NUMBER "times" "every" DURATION)? once"#,
    r#"happening: at all"#,
    r#"json: ","? never"#,
    r#"json: ","? once"#,
    r#"json: "-"? NUMBER"#,
    r#"json: "-"? never"#,
    r#"json: "-"? once"#,
    r#"json: "[" (json ("," json)* ","?)? "]""#,
    r#"json: "false""#,
    r#"json: "null""#,
    r#"json: "true""#,
    r#"json: ("," json)* never"#,
    r#"json: ("," json)* once"#,
    r#"json: ("," json)* several times"#,
    r#"json: (json ("," json)* ","?)? never"#,
    r#"json: (json ("," json)* ","?)? once"#,
    r#"json: STRING"#,
    r#"json: at all"#,
    r#"json: map"#,
    r#"list: "from" STRING"#,
    r#"literal: "-"? once"#,
    r#"literal: DURATION"#,
    r#"literal: WORD"#,
    r#"literals: ","? once"#,
    r#"literals: (literal ("," literal)* ","?)? never"#,
    r#"map: ","? never"#,
    r#"map: ","? once"#,
    r#"map: ("," entry)* never"#,
    r#"map: ("," entry)* once"#,
    r#"map: ("," entry)* several times"#,
    r#"map: (entry ("," entry)* ","?)? never"#,
    r#"map: (entry ("," entry)* ","?)? once"#,
    r#"map: at all"#,
    r#"rule: clause* never"#,
    r#"rule: clause* once"#,
    r#"selector: "alert" "of" ("any" | WORD ("," WORD)*)"#,
    r#"selector: "any""#,
    r#"selector: "undecodable""#,
    r#"selector: ("," WORD)* never"#,
    r#"selector: ("," WORD)* once"#,
    r#"selector: ("," WORD)* several times"#,
    r#"selector: WORD ("," WORD)*"#,
    r#"set: ("," STRING)* several times"#,
    r#"step: "no" WORD ("within" DURATION)? ":""#,
    r#"step: ("within" DURATION)? never"#,
    r#"step: ("within" DURATION)? once"#,
    r#"step: (NUMBER "times")? once"#,
    r#"step: by? once"#,
    r#"steps: "unordered""#,
    r#"steps: step+ once"#,
    r#"table: "=" map"#,
    r#"table: "cidr"? never"#,
    r#"table: "cidr"? once"#,
    r#"table: "from" STRING"#,
    r#"table: at all"#,
    r#"term: (("*" | "/") value)* several times"#,
    r#"test: "tuned"? never"#,
    r#"test: "tuned"? once"#,
    r#"test: ("given" map)? never"#,
    r#"test: ("given" map)? once"#,
    r#"test: ("start" STRING)? never"#,
    r#"test: ("start" STRING)? once"#,
    r#"test: at all"#,
    r#"test: expected+ once"#,
    r#"test: expected+ several times"#,
    r#"test: happening* never"#,
    r#"test: happening* once"#,
    r#"test: happening* several times"#,
    r#"tune: at all"#,
    r#"tune: change* never"#,
    r#"tune: change* once"#,
    r#"tune: change* several times"#,
    r#"tune_list: "add" literals"#,
    r#"tune_list: "remove" literals"#,
    r#"tune_list: ("add" literals | "remove" literals)* never"#,
    r#"tune_list: ("add" literals | "remove" literals)* once"#,
    r#"tune_list: ("add" literals | "remove" literals)* several times"#,
    r#"tune_list: at all"#,
    r#"value: "false""#,
    r#"window: "first_seen" "(" sum ("," sum)* ")" "within" DURATION "learning" DURATION"#,
    r#"window: "session" "gap" DURATION "within" DURATION"#,
    r#"window: "silent" "for" DURATION ("among" WORD)?"#,
    r#"window: "tumbling" DURATION"#,
    r#"window: ("," sum)* never"#,
    r#"window: ("," sum)* once"#,
    r#"window: ("," sum)* several times"#,
    r#"window: ("among" WORD)? never"#,
    r#"window: ("among" WORD)? once"#,
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
    let excused = |way: &String| NOT_YET.contains(&way.as_str());
    let missing: Vec<_> = counts.iter().filter(|(way, n)| **n < CASES / 100 && !excused(way)).collect();
    let lines: String = missing.iter().map(|(way, n)| format!("{n:>5}  {way}\n")).collect();
    assert!(missing.is_empty(), "of {CASES} cases so few go these ways:\n{lines}");
    for way in NOT_YET {
        assert!(counts.get(*way).is_some_and(|n| *n < CASES / 100), "`{way}` is made, or is no way");
    }
}
