//! A tree without its places and parentheses: what is left is what it means.
//!
//! Parentheses can go because the tree itself tells what belongs together. The patterns name every field, so that a new
//! one does not compile until it is thought of here.

use crate::source::{SourceId, Span};
use crate::syntax::ast::{
    Call, Change, ChangeKind, Clause, ClauseKind, Entry, EntryKey, Expected, ExpectedKind, Expr, ExprKind,
    File, Happening, Item, Json, KeyPart, Let, List, ListSource, Literal, Literals, Map, No, Path, Piece,
    Postfix, Rule, Selector, SelectorKind, Set, Spanned, Step, Steps, Table, TableSource, Target, Targets,
    Template, Test, Tune, TuneList, Verb, Verbs, Window, WindowKind,
};

const NOWHERE: Span = Span { source: SourceId(0), start: 0, end: 0 };

pub(super) fn file(file: &mut File) {
    let File { items } = file;
    items.iter_mut().for_each(item);
}

fn at<T>(spanned: &mut Spanned<T>) {
    spanned.span = NOWHERE;
}

fn item(item: &mut Item) {
    match item {
        Item::Let(Let { name, value, span }) => {
            at(name);
            expr(value);
            *span = NOWHERE;
        }
        Item::List(List { cidr: _, name, values, span }) => {
            at(name);
            match values {
                ListSource::Literals(values) => literals(values),
                ListSource::From(path) => at(path),
            }
            *span = NOWHERE;
        }
        Item::Table(Table { cidr: _, name, values, span }) => {
            at(name);
            match values {
                TableSource::Map(values) => map(values),
                TableSource::From(path) => at(path),
            }
            *span = NOWHERE;
        }
        Item::Rule(Rule { name, title, clauses, span }) => {
            at(name);
            at(title);
            clauses.iter_mut().for_each(clause);
            *span = NOWHERE;
        }
        Item::Tune(Tune { name, changes, span }) => {
            at(name);
            changes.iter_mut().for_each(change);
            *span = NOWHERE;
        }
        Item::TuneList(TuneList { name, changes, span }) => {
            at(name);
            changes.iter_mut().for_each(|(_, values)| literals(values));
            *span = NOWHERE;
        }
        Item::Test(item) => test(item),
        Item::Error(span) => *span = NOWHERE,
    }
}

fn literals(list: &mut Literals) {
    let Literals { items, span } = list;
    *span = NOWHERE;
    for item in items {
        match item {
            Literal::Text(text) | Literal::Word(text) => at(text),
            Literal::Number(number) => at(number),
            Literal::Duration(duration) => at(duration),
        }
    }
}

fn clause(clause: &mut Clause) {
    let Clause { kind, span } = clause;
    *span = NOWHERE;
    match kind {
        ClauseKind::Severity(severity) => at(severity),
        ClauseKind::Tags(texts) | ClauseKind::See(texts) => texts.iter_mut().for_each(at),
        ClauseKind::About(text) => at(text),
        ClauseKind::On(on) => selector(on),
        ClauseKind::Where(condition) | ClauseKind::Except(condition) => expr(condition),
        ClauseKind::By(parts) => key(parts),
        ClauseKind::When(when) => window(when),
        ClauseKind::Steps(Steps { ordered: _, within, steps, span }) => {
            at(within);
            steps.iter_mut().for_each(step);
            *span = NOWHERE;
        }
        ClauseKind::Alert(Template { pieces, text }) => {
            at(text);
            for piece in pieces {
                match piece {
                    Piece::Literal(_) => {}
                    Piece::Value(value) => expr(value),
                }
            }
        }
        ClauseKind::Throttle(length) => at(length),
        ClauseKind::Disable | ClauseKind::AcrossClusters | ClauseKind::Error => {}
    }
}

fn key(parts: &mut [KeyPart]) {
    for KeyPart { name, value } in parts {
        name.iter_mut().for_each(at);
        expr(value);
    }
}

fn selector(selector: &mut Selector) {
    let Selector { kind, span } = selector;
    *span = NOWHERE;
    match kind {
        SelectorKind::Events { verbs, targets, stage, including_dry_run } => {
            let Verbs { any, list, span } = verbs;
            any.iter_mut().for_each(|span| *span = NOWHERE);
            list.iter_mut().for_each(|Verb { name, quoted: _ }| at(name));
            *span = NOWHERE;
            let Targets { any: _, list, span } = targets;
            for target in list {
                match target {
                    Target::Resource(name) | Target::NonResource(name) => at(name),
                }
            }
            *span = NOWHERE;
            stage.iter_mut().for_each(at);
            including_dry_run.iter_mut().for_each(|span| *span = NOWHERE);
        }
        SelectorKind::Alert(rules) => rules.iter_mut().flatten().for_each(at),
        SelectorKind::Undecodable | SelectorKind::Error => {}
    }
}

fn window(window: &mut Window) {
    let Window { kind, span } = window;
    *span = NOWHERE;
    match kind {
        WindowKind::Within { condition, within: length } | WindowKind::Tumbling { condition, length } => {
            expr(condition);
            at(length);
        }
        WindowKind::Session { condition, gap, within } => {
            expr(condition);
            at(gap);
            at(within);
        }
        WindowKind::FirstSeen { values, within, learning } => {
            values.iter_mut().for_each(expr);
            at(within);
            at(learning);
        }
        WindowKind::Silent { length, among } => {
            at(length);
            among.iter_mut().for_each(at);
        }
        WindowKind::Error => {}
    }
}

fn step(step: &mut Step) {
    let Step { name, no, times, on, condition, by, span } = step;
    at(name);
    for No { span, within } in no.iter_mut() {
        *span = NOWHERE;
        within.iter_mut().for_each(at);
    }
    times.iter_mut().for_each(at);
    selector(on);
    condition.iter_mut().for_each(expr);
    by.iter_mut().for_each(|parts| key(parts));
    *span = NOWHERE;
}

fn expr(expr: &mut Expr) {
    while let ExprKind::Group(inner) = &mut expr.kind {
        let nothing = Expr { kind: ExprKind::Error, span: NOWHERE };
        *expr = std::mem::replace(inner, nothing);
    }
    let Expr { kind, span } = expr;
    *span = NOWHERE;
    match kind {
        ExprKind::Or(parts) | ExprKind::And(parts) => parts.iter_mut().for_each(self::expr),
        ExprKind::Not(inner) | ExprKind::Group(inner) => self::expr(inner),
        ExprKind::Quantified { all: _, var, list, body } => {
            at(var);
            self::expr(list);
            self::expr(body);
        }
        ExprKind::Compare { op, left, right, ignoring_case: _ } => {
            at(op);
            self::expr(left);
            self::expr(right);
        }
        ExprKind::In { negated: _, op, left, set, ignoring_case: _ } => {
            *op = NOWHERE;
            self::expr(left);
            self::set(set);
        }
        ExprKind::Arith { op, left, right } => {
            at(op);
            self::expr(left);
            self::expr(right);
        }
        ExprKind::Path(Path { root, postfix }) => {
            at(root);
            self::postfix(postfix);
        }
        ExprKind::Call(Call { name, args, condition, postfix }) => {
            at(name);
            args.iter_mut().for_each(self::expr);
            condition.iter_mut().for_each(|condition| self::expr(condition));
            self::postfix(postfix);
        }
        ExprKind::Text(_)
        | ExprKind::Number(_)
        | ExprKind::Duration(_)
        | ExprKind::Bool(_)
        | ExprKind::Error => {}
    }
}

fn set(set: &mut Set) {
    match set {
        Set::Literals(list) => literals(list),
        Set::Cidr(networks, span) => {
            networks.iter_mut().for_each(at);
            *span = NOWHERE;
        }
        Set::Clock(from, to) => {
            at(from);
            at(to);
        }
        Set::Value(value) => expr(value),
    }
}

fn postfix(parts: &mut [Postfix]) {
    for part in parts {
        match part {
            Postfix::Field(name) => at(name),
            Postfix::Each(span) => *span = NOWHERE,
            Postfix::Index(key, span) => {
                expr(key);
                *span = NOWHERE;
            }
        }
    }
}

fn change(change: &mut Change) {
    let Change { kind, span } = change;
    *span = NOWHERE;
    match kind {
        ChangeKind::Except(condition) => expr(condition),
        ChangeKind::Severity(severity) => at(severity),
        ChangeKind::When(when) => window(when),
        ChangeKind::Within(length) | ChangeKind::Throttle(length) => at(length),
        ChangeKind::Disable | ChangeKind::Enable | ChangeKind::Error => {}
    }
}

fn test(test: &mut Test) {
    let Test { tuned: _, rule, title, start, given, happenings, expected, span } = test;
    at(rule);
    at(title);
    start.iter_mut().for_each(at);
    given.iter_mut().for_each(map);
    for happening in happenings {
        match happening {
            Happening::At { at: time, repeat, as_one, map, span } => {
                at(time);
                for (times, every) in repeat.iter_mut() {
                    at(times);
                    at(every);
                }
                as_one.iter_mut().for_each(at);
                self::map(map);
                *span = NOWHERE;
            }
            Happening::Until(until) => at(until),
        }
    }
    for Expected { kind, span } in expected {
        *span = NOWHERE;
        match kind {
            ExpectedKind::Alerts(count) => at(count),
            ExpectedKind::Alert { at: time, map } => {
                time.iter_mut().for_each(at);
                map.iter_mut().for_each(self::map);
            }
            ExpectedKind::NoAlert | ExpectedKind::Error => {}
        }
    }
    *span = NOWHERE;
}

fn map(map: &mut Map) {
    let Map { entries, span } = map;
    *span = NOWHERE;
    for Entry { key, value } in entries {
        match key {
            EntryKey::Value(key) => expr(key),
            EntryKey::Text(text) => at(text),
        }
        json(value);
    }
}

fn json(value: &mut Spanned<Json>) {
    value.span = NOWHERE;
    match &mut value.node {
        Json::Map(entries) => map(entries),
        Json::List(values) => values.iter_mut().for_each(json),
        Json::Text(_) | Json::Number(_) | Json::Bool(_) | Json::Null => {}
    }
}
