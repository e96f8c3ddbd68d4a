//! The layout, by example; and that it changes nothing, for the rules that there are. For any program at all see the
//! property tests in `syntax/tests/programs.rs`.

use super::{FormatRefused, format};
use crate::source::SourceId;
use crate::syntax::parse;

#[track_caller]
fn formatted(text: &str) -> String {
    let parsed = parse(SourceId(0), text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    let out = format(&parsed, text).unwrap();
    assert_eq!(format(&parse(SourceId(0), &out), &out).as_ref(), Ok(&out), "formatted twice is the same");
    out
}

#[track_caller]
fn check(text: &str, want: &str) {
    let got = formatted(text);
    assert_eq!(got, want, "\n--- got\n{got}--- want\n{want}");
}

#[test]
fn the_words_of_clauses_stand_in_a_column() {
    check(
        "rule a 'A  title' {severity low tags x.y,z\non get,list of secrets,\n\n pods/exec at any including dry_run\n\n\nwhere a.b==1 alert 'x'}",
        "rule a \"A  title\" {\n    severity low\n    tags     x.y, z\n    on       get, list of secrets, pods/exec at any including dry_run\n\n    where    a.b == 1\n    alert    \"x\"\n}\n",
    );
}

#[test]
fn parentheses_stand_where_and_is_beside_or() {
    check("let a = x or y and not z or (p or q)", "let a = x or (y and not z) or (p or q)\n");
    check("let a = (x and y)", "let a = (x and y)\n");
}

#[test]
fn quotes_are_double_where_that_needs_no_escape() {
    check(
        r#"let a = x == 'y' and x matches 'y' and x == 'a"b' and x == 'a\b' and x == "it's" and x == "a\"b""#,
        "let a = x == \"y\" and x matches 'y' and x == 'a\"b' and x == 'a\\b' and x == \"it's\" and x == \"a\\\"b\"\n",
    );
}

#[test]
fn a_long_condition_breaks_before_its_loosest_operators() {
    let long = "responseObject.metadata.annotations[\"a/b\"]";
    check(
        &format!(
            "let a = {long} == 1 and {long} == 2 and any x in {long}: (x.{long} == 3 or x.{long} == 4 and y)"
        ),
        &format!(
            "let a = {long} == 1
        and {long} == 2
        and any x in {long}: (
            x.{long} == 3
            or (x.{long} == 4 and y)
        )
"
        ),
    );
}

#[test]
fn a_long_list_has_one_value_a_line() {
    let item = "\"a-name-that-is-quite-long\"";
    check(
        &format!("list a=[{item},{item},\n\n{item}, {item}]"),
        &format!("list a = [\n    {item},\n    {item},\n\n    {item},\n    {item},\n]\n"),
    );
}

#[test]
fn lines_of_one_kind_are_aligned() {
    check(
        "let a=1\nlet long=2\n\nlet b=3\nlist x=[1,]\ncidr list yy from 'f'\ntable t={a:'b'}",
        "let a    = 1\nlet long = 2\n\nlet b = 3\nlist x       = [1]\ncidr list yy from \"f\"\ntable t      = { a: \"b\" }\n",
    );
}

#[test]
fn blocks_have_blank_lines_around_them() {
    check(
        "let a=1\n# of r\nrule r \"r\" { disable }\n# of s\n\n\n\nrule s \"s\" {}\ntune r { disable }\ntune s { disable severity low }\n",
        "let a = 1\n\n# of r\nrule r \"r\" {\n    disable\n}\n\n# of s\n\nrule s \"s\" {\n}\n\ntune r { disable }\n\ntune s {\n    disable\n    severity low\n}\n",
    );
}

#[test]
fn steps_are_aligned_and_break_before_where() {
    check(
        "rule a \"b\" { by x sequence within 1m { a: on get of pods where x == 1 by y
            no c within 5m: on any of any
            long: 5 times on get of pods, secrets where xxxxxxxxxxxxxxxxxxxxxxxxxxx == 1 and yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy == 2 by z } alert \"x\" }",
        "rule a \"b\" {
    by x
    sequence within 1m {
        a:    on get of pods where x == 1 by y
        no c within 5m: on any of any
        long: 5 times on get of pods, secrets
              where xxxxxxxxxxxxxxxxxxxxxxxxxxx == 1 and yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy == 2
              by z
    }
    alert \"x\"
}
",
    );
}

#[test]
fn comments_stay_where_they_are() {
    check(
        "# top

# of a
let a = x # why x
  and # after and
  y == 1 # end
list l = [ # open
  1, # one

  # own
  2 # two
  # last
]
rule r \"r\" { # head
  # first
  where z # z

  # before the end
} # after the end
# the very end",
        "# top

# of a
let a = x  # why x
        # after and
        and y == 1  # end
list l = [  # open
    1,  # one

    # own
    2,  # two
    # last
]

rule r \"r\" {  # head
    # first
    where z  # z

    # before the end
}  # after the end
# the very end
",
    );
}

#[test]
fn only_line_ends_of_one_kind_and_no_mark_at_the_start() {
    check("\u{feff}let a = 1 # x\r\n\r\nlet b = 2\r\n", "let a = 1  # x\n\nlet b = 2\n");
    check("", "");
    check("\n\n  # only a comment\n\n", "# only a comment\n");
}

#[test]
fn a_file_with_mistakes_is_refused() {
    let text = "let a = ";
    assert_eq!(format(&parse(SourceId(0), text), text), Err(FormatRefused::Mistakes));
}

#[test]
fn the_design_examples_keep_their_meaning() {
    let Some(text) = crate::syntax::tests::design_examples() else { return };
    let out = formatted(&text);
    assert_ne!(out, text);
}

#[test]
fn the_shipped_rules_keep_their_meaning() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules");
    let mut files = 0;
    for entry in std::fs::read_dir(rules).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "rule") {
            formatted(&std::fs::read_to_string(&path).unwrap());
            files += 1;
        }
    }
    assert!(files > 0, "there are shipped rules");
}
