//! Files and their items: `let`, `list`, `table`, `rule`, `tune`. Tests are in `cases.rs`.

use super::ast::{
    Change, ChangeKind, Expr, ExprKind, File, Item, Let, List, ListSource, Literals, Map, Table, TableSource,
    Tune, TuneList, Window, WindowKind,
};
use super::cases::{map, test};
use super::expr::{condition, literals};
use super::input::{Fault, In, Res, fault};
use super::lex::{any_word, at_keyword, duration, keyword, must, must_name, not_found, quoted, sign, trivia};
use super::recover::{Level, nearly_item, recover};
use super::rule::{block, meant, rule, severity, window};
use super::text::must_text;
use super::words;
use crate::diag::{Code, Diagnostic};
use nom::Err;

/// The whole text.
pub(super) fn file(mut i: In<'_>) -> File {
    let mut items = Vec::new();
    loop {
        let at = trivia(i);
        if at.rest.is_empty() {
            return File { items };
        }
        match item(at) {
            Ok((rest, item)) => {
                items.push(item);
                i = rest;
            }
            Err(problem) => {
                i = recover(at, problem, Level::Item);
                items.push(Item::Error(at.to(i)));
            }
        }
        debug_assert!(i.at > at.at, "a file goes on at each turn");
    }
}

fn item(at: In<'_>) -> Res<'_, Item> {
    let Ok((_, word)) = any_word(at) else { return Err(fault(at, stray(at))) };
    let mut meant = word.rest;
    if !words::ITEMS.contains(&meant) {
        let Some(near) = nearly_item(at) else { return Err(fault(at, stray(at))) };
        let problem = not_found(word, "an item").help(format!("did you mean `{near}`?"));
        at.run.report(problem);
        meant = near;
    }
    match meant {
        "let" => let_item(at),
        "list" => list(at, false).map(|(i, list)| (i, Item::List(list))),
        "table" => table(at, false).map(|(i, table)| (i, Item::Table(table))),
        "cidr" => networks(at),
        "rule" => rule(at).map(|(i, rule)| (i, Item::Rule(rule))),
        "tune" => tune(at),
        _ => test(at).map(|(i, test)| (i, Item::Test(test))),
    }
}

/// What is told of text outside of every item.
fn stray(at: In<'_>) -> Diagnostic {
    let found = at.token();
    if at.starts("}") {
        return Diagnostic::new(Code::Syntax, found.span(), "this `}` closes nothing");
    }
    if words::CLAUSES.contains(&found.rest) {
        let message = format!("{} stands outside of a rule", quoted(found));
        return Diagnostic::new(Code::Syntax, found.span(), message)
            .help("is there a `}` too many before it?");
    }
    not_found(at, "`let`, `list`, `table`, `rule`, `tune` or `test`")
}

fn let_item(start: In<'_>) -> Res<'_, Item> {
    let (i, _) = any_word(start)?;
    let (i, name) = must_name("a name")(i)?;
    let (i, _) = must(sign("="), "`=`")(i)?;
    let (i, value) = match must(condition, "a condition or a value")(i).and_then(ends) {
        Ok(found) => found,
        Err(problem) => {
            let i = recover(start, problem, Level::Item);
            (i, Expr { kind: ExprKind::Error, span: name.span })
        }
    };
    Ok((i, Item::Let(Let { name, value, span: start.to(i) })))
}

/// After an item without braces comes another or the end: what else stands there is part of its mistake.
fn ends<O>((i, out): (In<'_>, O)) -> Res<'_, O> {
    let at = trivia(i);
    let item =
        any_word(at).is_ok_and(|(_, word)| words::ITEMS.contains(&word.rest)) || nearly_item(at).is_some();
    if item || at.rest.is_empty() {
        Ok((i, out))
    } else {
        Err(fault(at, not_found(at, "an operator or the next item")))
    }
}

fn networks(start: In<'_>) -> Res<'_, Item> {
    let (i, _) = any_word(start)?;
    if at_keyword(i, "table") {
        return table(i, true).map(|(i, table)| (i, Item::Table(Table { span: start.to(i), ..table })));
    }
    if at_keyword(i, "list") {
        return list(i, true).map(|(i, list)| (i, Item::List(List { span: start.to(i), ..list })));
    }
    let at = trivia(i);
    Err(fault(at, not_found(at, "`list` or `table` after `cidr`")))
}

fn list(start: In<'_>, cidr: bool) -> Res<'_, List> {
    let start = trivia(start);
    let (i, _) = any_word(start)?;
    let (i, name) = must_name("the name of a list")(i)?;
    let found = source(i, must(literals, "`[` and the values of the list"));
    let (i, values) = match found {
        Ok((i, Source::Written(values))) => (i, ListSource::Literals(values)),
        Ok((i, Source::From(path))) => (i, ListSource::From(path)),
        Err(problem) => {
            let i = recover(start, problem, Level::Item);
            (i, ListSource::Literals(Literals { items: Vec::new(), span: name.span }))
        }
    };
    Ok((i, List { cidr, name, values, span: start.to(i) }))
}

fn table(start: In<'_>, cidr: bool) -> Res<'_, Table> {
    let start = trivia(start);
    let (i, _) = any_word(start)?;
    let (i, name) = must_name("the name of a table")(i)?;
    let found = source(i, must(map, "`{` and the entries of the table"));
    let (i, values) = match found {
        Ok((i, Source::Written(values))) => (i, TableSource::Map(values)),
        Ok((i, Source::From(path))) => (i, TableSource::From(path)),
        Err(problem) => {
            let i = recover(start, problem, Level::Item);
            (i, TableSource::Map(Map { entries: Vec::new(), span: name.span }))
        }
    };
    Ok((i, Table { cidr, name, values, span: start.to(i) }))
}

enum Source<O> {
    Written(O),
    From(super::ast::Text),
}

/// `= values` or `from "file"`, and nothing more.
fn source<'a, O>(i: In<'a>, mut written: impl FnMut(In<'a>) -> Res<'a, O>) -> Res<'a, Source<O>> {
    if let Ok((i, _)) = keyword("from")(i) {
        return must_text("the name of a file in quotes")(i)
            .map(|(i, path)| (i, Source::From(path)))
            .and_then(ends);
    }
    let (i, _) = must(sign("="), "`=` or `from`")(i)?;
    written(i).map(|(i, values)| (i, Source::Written(values))).and_then(ends)
}

fn tune(start: In<'_>) -> Res<'_, Item> {
    let (i, _) = any_word(start)?;
    if let Ok((i, _)) = keyword("list")(i) {
        let (i, name) = must_name("the name of a list")(i)?;
        let (i, changes) = block(i, "`add`, `remove` or `}`", Level::ListChange, list_change)?;
        return Ok((i, Item::TuneList(TuneList { name, changes, span: start.to(i) })));
    }
    let (i, name) = must_name("the name of a rule")(i)?;
    let (i, changes) = block(i, "a change or `}`", Level::Change, change)?;
    Ok((i, Item::Tune(Tune { name, changes, span: start.to(i) })))
}

fn list_change(i: In<'_>) -> Res<'_, (bool, Literals)> {
    let (rest, word) = must(any_word, "`add`, `remove` or `}`")(i)?;
    let meant = meant(word, "the tune of a list", "change", &["add", "remove"])?;
    let (rest, values) = must(literals, "`[` and values")(rest)?;
    Ok((rest, (meant == "add", values)))
}

fn change(start: In<'_>) -> Res<'_, Change> {
    let (rest, word) = must(any_word, "a change or `}`")(start)?;
    let meant = meant(word, "a tune", "change", &words::CHANGES)?;
    match change_kind(rest, meant) {
        Ok((i, kind)) => Ok((i, Change { kind, span: start.to(i) })),
        Err(problem) => {
            let i = recover(start, problem, Level::Change);
            let span = word.span();
            let kind = match meant {
                "except" => ChangeKind::Except(Expr { kind: ExprKind::Error, span }),
                "when" => ChangeKind::When(Window { kind: WindowKind::Error, span }),
                _ => ChangeKind::Error,
            };
            Ok((i, Change { kind, span }))
        }
    }
}

fn change_kind<'a>(i: In<'a>, word: &str) -> Result<(In<'a>, ChangeKind), Err<Fault>> {
    Ok(match word {
        "except" => must(condition, "a condition")(i).map(|(i, value)| (i, ChangeKind::Except(value)))?,
        "severity" => severity(i).map(|(i, level)| (i, ChangeKind::Severity(level)))?,
        "within" => duration(i).map(|(i, length)| (i, ChangeKind::Within(length)))?,
        "when" => window(i).map(|(i, window)| (i, ChangeKind::When(window)))?,
        "throttle" => duration(i).map(|(i, length)| (i, ChangeKind::Throttle(length)))?,
        "disable" => (i, ChangeKind::Disable),
        _ => (i, ChangeKind::Enable),
    })
}
