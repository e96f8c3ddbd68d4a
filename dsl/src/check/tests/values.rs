//! Files of values and tables: what is read, and what is said of what is not as it should be.

use std::net::IpAddr;

use super::{told, told_with};
use crate::check::compile;
use crate::ir::{ExprKind, Literal, Network, Rows, RuleSet, Set, Type};
use crate::source::SourceMap;

fn set(text: &str, files: &[(&str, &[u8])]) -> RuleSet {
    let mut sources = SourceMap::default();
    let id = sources.add("r.rule", text);
    for (name, bytes) in files {
        sources.attach(id, *name, Ok((*bytes).into()));
    }
    let outcome = compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{text}\n{:#?}", outcome.diagnostics))
}

/// The set that a condition looks in.
fn looked_in(head: &str, condition: &str, file: &[u8]) -> Set {
    let rule =
        format!("{head} rule r \"R\" {{ severity low on get of secrets where {condition} alert \"x\" }}");
    let mut set = set(&rule, &[("x", file)]);
    match set.rules.remove(0).steps.remove(0).condition.unwrap().kind {
        ExprKind::In { set, .. } => set,
        other => panic!("{other:?}"),
    }
}

/// The table that a condition `present(t[..])` looks things up in, and the type of its values.
fn table(head: &str, file: &[u8]) -> (Rows, Type) {
    let rule = format!(
        "{head} rule r \"R\" {{ severity low on get of secrets where present(t[source_ip]) alert \"x\" }}"
    );
    let mut set = set(&rule, &[("x", file)]);
    let condition = set.rules.remove(0).steps.remove(0).condition.unwrap();
    let ExprKind::IsTrue(call) = condition.kind else { panic!("{condition:?}") };
    let ExprKind::Call(_, mut args) = call.kind else { panic!("{call:?}") };
    let of = args.remove(0);
    let ExprKind::Lookup(table, _) = of.kind else { panic!("{of:?}") };
    (table.rows.clone(), of.ty)
}

fn network(address: &str, bits: u8) -> Network {
    Network { address: address.parse::<IpAddr>().unwrap(), bits }
}

fn text(text: &str) -> Literal {
    Literal::Text(text.into())
}

#[test]
fn a_file_has_a_value_a_line() {
    let file = "\u{feff}# who may\r\neve\r\n\r\n  a b\t# two words\n#x\nhttp://x/#y\n42";
    let Set::Literals(values) = looked_in("list l from \"x\"", "user.username in l", file.as_bytes()) else {
        panic!("no texts")
    };
    assert_eq!(values, ["eve", "a b", "http://x/#y", "42"].map(text));
    let file = b"10.1.2.3/8\n# v6\n2001:db8::/32 # documentation\n::ffff:10.0.0.1/128\n";
    let Set::Networks(networks) = looked_in("cidr list l from \"x\"", "source_ip in l", file) else {
        panic!("no networks")
    };
    assert_eq!(networks, [network("10.0.0.0", 8), network("2001:db8::", 32), network("10.0.0.1", 32)]);
    // A list from a file stands in others as any does.
    let Set::Literals(values) =
        looked_in("list l from \"x\" list m = [\"a\", l]", "user.username in m", b"b\nc")
    else {
        panic!()
    };
    assert_eq!(values, ["a", "b", "c"].map(text));
}

#[test]
fn files_that_are_not_as_they_should_be_are_told_with_their_line() {
    let said = |head: &str, file: &[u8]| told_with(head, &[("x", file)]).join("\n");
    assert_eq!(
        told("list l from \"x\""),
        [
            r#"E601 ["x"] `x` cannot be read: it was not handed over with the rules -- it is looked for beside `r.rule`"#
        ]
    );
    let mut sources = SourceMap::default();
    let id = sources.add("sub/r.rule", "table t from '../x.csv'");
    sources.attach(id, "../x.csv", Err("permission denied".into()));
    let found = compile(&sources).diagnostics.remove(0);
    assert_eq!(found.message, "`../x.csv` cannot be read: permission denied");
    assert_eq!(found.help.unwrap(), "it is looked for beside `sub/r.rule`");

    assert_eq!(
        said("list l from \"x\"", b"a\nb\xff\n"),
        r#"E602 ["x"] line 2 of `x`: this is not UTF-8 text -- save it as UTF-8"#
    );
    assert_eq!(
        said("list l from \"x\"", b"a\n\nb\0"),
        r#"E602 ["x"] line 3 of `x`: there is a control character, so this is no list of values"#
    );
    assert_eq!(
        said("cidr list l from \"x\"", b"10.0.0.0/8\n# one\n10.0.0.1\n"),
        r#"E602 ["x"] line 3 of `x`: `10.0.0.1` is no network -- write `10.0.0.1/32` for this one address"#
    );
    let columns = "a table has two, a key and a value; a comma in one of them stands in quotes";
    assert_eq!(
        said("table t from \"x\"", b"# head\na,b\nc\n"),
        format!(r#"E602 ["x"] line 3 of `x`: there is 1 column -- {columns}"#)
    );
    assert_eq!(
        said("table t from \"x\"", b"a,b\n\nc,d,e\n"),
        format!(r#"E602 ["x"] line 3 of `x`: there are 3 columns -- {columns}"#)
    );
    assert_eq!(
        said("table t from \"x\"", b"a,\"b\nc,d\n"),
        r#"E602 ["x"] line 1 of `x`: a quote without its end -- a column goes over no more than one line"#
    );
    assert_eq!(
        said("table t from \"x\"", b"a,\"b\" c\n"),
        r#"E602 ["x"] line 1 of `x`: something stands behind a quote -- a quote in a column in quotes is written twice"#
    );
    assert_eq!(said("table t from \"x\"", b",b\n"), r#"E602 ["x"] line 1 of `x`: the key is empty"#);
    assert_eq!(
        said("table t from \"x\"", b"a,1\nb,2\na,3\nb,4\n"),
        r#"E605 ["x"] `a` stands in line 1 of `x` and again in line 3"#
    );
    assert_eq!(
        said("cidr table t from \"x\"", b"10.0.0.0/8,1\n10.2.0.0/8,2\n"),
        r#"E605 ["x"] `10.2.0.0/8` stands in line 1 of `x` and again in line 2"#
    );
    assert_eq!(
        said("cidr table t from \"x\"", b"10.0.0.0/8,1\neve,2\n"),
        r#"E602 ["x"] line 2 of `x`: `eve` is no network -- a network is an address, a slash and how many bits count: `10.0.0.0/8`"#
    );
    let mmdb = said("cidr table t from \"x\"", b"\0\0\xab\xcd\xefMaxMind.com");
    assert!(mmdb.starts_with(r#"E602 ["x"] `x` is no MaxMind database that can be read: "#), "{mmdb}");
    let mmdb = told_with("cidr table t from \"a.mmdb\"", &[("a.mmdb", b"no database")]).join("\n");
    assert!(mmdb.starts_with(r#"E602 ["a.mmdb"] `a.mmdb` is no MaxMind database"#), "{mmdb}");
}

#[test]
fn tables_are_in_order_and_know_their_type() {
    let (Rows::Texts(rows), ty) = table("table t = { b: 2, \"a/b.c\": 1, }", b"") else { panic!() };
    assert_eq!(rows, [("a/b.c".to_owned(), Literal::Number(1.0)), ("b".to_owned(), Literal::Number(2.0))]);
    assert_eq!(ty, Type::Number);
    let (Rows::Networks(rows), ty) =
        table("cidr table t = { \"10.0.0.0/8\": true, \"::/0\": false, \"10.0.0.0/7\": true }", b"")
    else {
        panic!()
    };
    let (yes, no) = (Literal::Bool(true), Literal::Bool(false));
    assert_eq!(
        rows,
        [(network("10.0.0.0", 7), yes.clone()), (network("10.0.0.0", 8), yes), (network("::", 0), no)]
    );
    assert_eq!(ty, Type::Bool);
    let (Rows::Texts(rows), ty) = table("table t from \"x\"", b"#c\n b , \"x, \"\"y\"\"\" \r\n\r\na,\n")
    else {
        panic!()
    };
    assert_eq!(rows, [("a".to_owned(), text("")), ("b".to_owned(), text("x, \"y\""))]);
    assert_eq!(ty, Type::Text);
    let (Rows::Texts(rows), _) = table("table t = {}", b"") else { panic!() };
    assert_eq!(rows, []);
}

#[test]
fn tables_that_are_not_as_they_should_be_are_told() {
    assert_eq!(
        told("table t = { a.b: 1, c: null, \"d\": [1], e(): 2 }"),
        [
            "E604 [a.b] a table's key is a word or a text -- put it in quotes",
            "E604 [null] a table's value is a text, a number, `true` or `false`",
            "E604 [[1]] a table's value is a text, a number, `true` or `false`",
            "E604 [e()] a table's key is a word or a text -- put it in quotes",
        ]
    );
    assert_eq!(
        told("table t = { a: 1, b: \"2\", c: 3 }"),
        ["E604 [\"2\"] the values of a table are all texts, all numbers or all truths"]
    );
    assert_eq!(
        told("cidr table t = { a: 1, \"10.0.0.1\": 2, \"::/200\": 3 }"),
        [
            "E311 [a] the keys of a `cidr table` are networks -- write `\"10.0.0.0/8\"`",
            "E311 [\"10.0.0.1\"] `10.0.0.1` is no network -- write `10.0.0.1/32` for this one address",
            "E311 [\"::/200\"] `::/200` is no network -- a network of this kind has 0 to 128 bits",
        ]
    );
    assert_eq!(told("table t = { a: 1, \"a\": 2 }"), ["E605 [\"a\"] `a` stands twice in this table"]);
    assert_eq!(
        told("table user = { a: 1 }")[0],
        "E209 [user] `user` is a field of every event and cannot name a `table` -- choose another name"
    );
    assert_eq!(told("table t = {} list t = []"), ["E208 [t] the name `t` is given twice"]);
}

#[test]
fn lookups_are_checked() {
    let rule = |condition: &str| {
        told(&format!(
            "table t = {{ a: \"x\" }} cidr table n = {{ \"10.0.0.0/8\": 1 }} rule r \"R\" {{ severity low on get of secrets where {condition} alert \"x\" }}"
        ))
    };
    assert_eq!(rule("t[user.username] == \"x\" and n[source_ip] > 3 and n[sourceIPs[]] == 4"), [""; 0]);
    assert_eq!(
        rule("t == \"x\""),
        ["E211 [t] `t` is a table and no value -- look something up in it, as in `t[user.username]`"]
    );
    assert_eq!(rule("t.a == \"x\""), ["E211 [t] `t` is a table and no value -- write `t[\"a\"]`"]);
    assert_eq!(
        rule("t[] == \"x\""),
        ["E211 [t] `t` is a table and no value -- look something up in it, as in `t[user.username]`"]
    );
    assert_eq!(
        rule("t[responseStatus.code] == \"x\""),
        ["E315 [responseStatus.code] a table's key is text, and `responseStatus.code` is a number"]
    );
    assert_eq!(
        rule("t[user.groups] == \"x\""),
        [
            "E315 [user.groups] a table's key is text, and `user.groups` is a list -- say `user.groups[]` for each of them"
        ]
    );
    assert_eq!(
        rule("n[\"eve\"] == 1"),
        [
            "E311 [\"eve\"] `eve` is no address, so it is in no network of `n` -- write an address such as `\"10.0.0.1\"`"
        ]
    );
    assert_eq!(
        rule("t[user.username] == 1"),
        [
            "E301 [t[user.username] == 1] `t[user.username]` is text and `1` is a number, so they are never equal -- write `\"1\"`"
        ]
    );
    assert_eq!(
        rule("t[user.username].x == \"y\""),
        ["E308 [x] `t[user.username]` is text and has no field `x`"]
    );
    assert_eq!(rule("not n[sourceIPs[]] != 3").len(), 1);
    assert_eq!(rule("t[user.usernam] == \"x\"").len(), 1);
}
