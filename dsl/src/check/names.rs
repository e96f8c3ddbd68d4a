//! The one namespace of a rule set: what each name of a `let`, `list`, `table` or `rule` stands for.
//!
//! Gathered over all files before anything is checked, so that order and files do not matter. The first of two equal
//! names holds, so that what uses it is still checked. Circles of `let`s are found here, without recursion: a chain of
//! them may be as long as a file.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use crate::diag::{Code, Diagnostic, nearest};
use crate::schema;
use crate::source::{SourceMap, Span};
use crate::syntax::ast::{self, Item};

/// What all names of the set stand for.
#[derive(Debug)]
pub(crate) struct Names<'a> {
    /// The text, for what messages quote.
    pub sources: &'a SourceMap,
    pub lets: BTreeMap<&'a str, &'a ast::Let>,
    pub lists: BTreeMap<&'a str, &'a ast::List>,
    pub tables: BTreeMap<&'a str, &'a ast::Table>,
    pub rules: BTreeMap<&'a str, &'a ast::Rule>,
    /// Every word of what did not parse: it may have given the names that are missed elsewhere.
    lost: BTreeSet<&'a str>,
    /// The `let`s, each behind those that it uses.
    pub order: Vec<&'a str>,
}

/// Who gives a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Giver {
    Let,
    List,
    Table,
    Rule,
    Step,
    Key,
    Variable,
}

impl Giver {
    fn says(self) -> &'static str {
        match self {
            Self::Let => "a `let`",
            Self::List => "a `list`",
            Self::Table => "a `table`",
            Self::Rule => "a rule",
            Self::Step => "a step",
            Self::Key => "a key",
            Self::Variable => "an element",
        }
    }
}

/// Gathers the names of all files.
pub(crate) fn gather<'a>(sources: &'a SourceMap, files: &'a [ast::File], report: &mut Report) -> Names<'a> {
    let mut names = Names {
        sources,
        lets: BTreeMap::new(),
        lists: BTreeMap::new(),
        tables: BTreeMap::new(),
        rules: BTreeMap::new(),
        lost: files.iter().flat_map(lost).flat_map(|span| words(sources.text(span))).collect(),
        order: Vec::new(),
    };
    let mut given: BTreeMap<&str, Span> = BTreeMap::new();
    for item in files.iter().flat_map(|file| &file.items) {
        let (giver, name) = match item {
            Item::Let(of) => (Giver::Let, &of.name),
            Item::List(of) => (Giver::List, &of.name),
            Item::Table(of) => (Giver::Table, &of.name),
            Item::Rule(of) => (Giver::Rule, &of.name),
            Item::Tune(_) | Item::TuneList(_) | Item::Test(_) | Item::Error(_) => continue,
        };
        if let Some(first) = given.get(name.node.as_str()) {
            report.add(
                Diagnostic::new(
                    Code::NameTwice,
                    name.span,
                    format!("the name `{}` is given twice", name.node),
                )
                .related(*first, "first given here"),
            );
            continue;
        }
        if !check_free(giver, name, report) && giver != Giver::Rule {
            continue;
        }
        given.insert(&name.node, name.span);
        match item {
            Item::Let(of) => drop(names.lets.insert(&of.name.node, of)),
            Item::List(of) => drop(names.lists.insert(&of.name.node, of)),
            Item::Table(of) => drop(names.tables.insert(&of.name.node, of)),
            Item::Rule(of) => drop(names.rules.insert(&of.name.node, of)),
            Item::Tune(_) | Item::TuneList(_) | Item::Test(_) | Item::Error(_) => {}
        }
    }
    names.order = find_circles(&names, report);
    names
}

/// Whether a name may be given at all; if not, that is reported.
pub(crate) fn check_free(giver: Giver, name: &ast::Name, report: &mut Report) -> bool {
    let word = name.node.as_str();
    let is = if crate::syntax::is_reserved(word) {
        "a word of the language"
    } else if giver == Giver::Rule {
        // A rule's name never stands where a field or a function may.
        return true;
    } else if schema::event().field(word).is_some() || schema::derived(&[word]).is_some() {
        "a field of every event"
    } else if schema::function(word).is_some() || aggregate(word).is_some() {
        "a function"
    } else if matches!(giver, Giver::Step | Giver::Variable) && begins_a_field(word) {
        "the beginning of a field"
    } else {
        return true;
    };
    report.error_help(
        Code::NameTaken,
        name.span,
        format!("`{word}` is {is} and cannot name {}", giver.says()),
        "choose another name",
    );
    false
}

/// The aggregate of that name.
pub(crate) fn aggregate(name: &str) -> Option<&'static schema::AggregateSignature> {
    schema::AGGREGATES.iter().find(|signature| signature.name == name)
}

/// `client` of `client.program`.
pub(crate) fn begins_a_field(word: &str) -> bool {
    schema::DERIVED.iter().any(|field| field.path.len() > 1 && field.path[0] == word)
        || schema::LISTENED.iter().any(|field| field.path[0] == word)
}

/// Where a file did not parse as an item or a clause.
fn lost(file: &ast::File) -> impl Iterator<Item = Span> {
    file.items.iter().flat_map(|item| match item {
        Item::Error(span) => vec![*span],
        Item::Rule(rule) => {
            let lost = rule.clauses.iter().filter(|clause| matches!(clause.kind, ast::ClauseKind::Error));
            lost.map(|clause| clause.span).collect()
        }
        _ => Vec::new(),
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

impl<'a> Names<'a> {
    /// Whether a name that is missed may be one that did not parse.
    pub(crate) fn is_lost(&self, name: &str) -> bool {
        self.lost.contains(name)
    }

    /// The rule of that name; that there is none is reported.
    pub(crate) fn rule(&self, name: &ast::Name, report: &mut Report) -> Option<&'a ast::Rule> {
        let found = self.rules.get(name.node.as_str()).copied();
        if found.is_none() && !self.is_lost(&name.node) {
            report.error_near(
                Code::UnknownRule,
                name.span,
                format!("no rule is called `{}`", name.node),
                nearest(&name.node, self.rules.keys().copied()),
            );
        }
        found
    }

    /// The text under a span, shortened for a message.
    pub(crate) fn quote(&self, span: Span) -> String {
        let text = self.sources.text(span);
        let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.chars().count() > QUOTE_CHARS_MAX {
            words = words.chars().take(QUOTE_CHARS_MAX).collect();
            words.push('…');
        }
        words
    }

    /// Says of a name of a step, key or element that it hides a `let`, a `list` or a `table`, if it does.
    pub(crate) fn warn_hidden(&self, giver: Giver, name: &ast::Name, report: &mut Report) {
        let word = name.node.as_str();
        let hidden = if let Some(of) = self.lets.get(word) {
            ("`let`", of.name.span)
        } else if let Some(of) = self.lists.get(word) {
            ("`list`", of.name.span)
        } else if let Some(of) = self.tables.get(word) {
            ("`table`", of.name.span)
        } else {
            return;
        };
        report.add(
            Diagnostic::new(
                Code::NameHides,
                name.span,
                format!("`{word}` names {} here and hides the {} of that name", giver.says(), hidden.0),
            )
            .related(hidden.1, "hidden here")
            .help("choose another name"),
        );
    }
}

/// The most characters of the user's text that a message repeats.
const QUOTE_CHARS_MAX: usize = 60;

/// Reports each `let` that is made of itself, once a circle. Gives all of them, each behind those that it uses.
fn find_circles<'a>(names: &Names<'a>, report: &mut Report) -> Vec<&'a str> {
    let mut order = Vec::new();
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Open,
        Done,
    }
    let mut states: BTreeMap<&str, State> = BTreeMap::new();
    for start in names.lets.keys().copied() {
        // The row of `let`s from `start` down, each with those of its uses that are still to be looked at.
        let mut row = vec![(start, uses(names, start))];
        if states.contains_key(start) {
            continue;
        }
        states.insert(start, State::Open);
        while let Some((name, rest)) = row.last_mut() {
            let name = *name;
            let Some(next) = rest.pop() else {
                states.insert(name, State::Done);
                order.push(name);
                row.pop();
                continue;
            };
            match states.get(next) {
                None => {
                    states.insert(next, State::Open);
                    row.push((next, uses(names, next)));
                }
                Some(State::Open) => report_circle(names, &row, next, report),
                Some(State::Done) => {}
            }
        }
    }
    order
}

fn report_circle(names: &Names<'_>, row: &[(&str, Vec<&str>)], at: &str, report: &mut Report) {
    let Some(of) = names.lets.get(at) else { return };
    let circle: Vec<_> = row.iter().map(|(name, _)| *name).skip_while(|name| *name != at).collect();
    let others: Vec<_> = circle.iter().skip(1).map(|name| format!("`{name}`")).collect();
    let through = if others.is_empty() { String::new() } else { format!(" through {}", others.join(", ")) };
    report.error(Code::LetCycle, of.name.span, format!("`{at}` is made of itself{through}"));
}

/// The `let`s that a `let` uses, last first.
fn uses<'a>(names: &Names<'a>, name: &str) -> Vec<&'a str> {
    let Some(of) = names.lets.get(name) else { return Vec::new() };
    let mut found = Vec::new();
    let mut rest = vec![&of.value];
    while let Some(expr) = rest.pop() {
        use ast::ExprKind as E;
        let postfix = match &expr.kind {
            E::Or(parts) | E::And(parts) => {
                rest.extend(parts.iter().rev());
                continue;
            }
            E::Not(inner) | E::Group(inner) => {
                rest.push(inner);
                continue;
            }
            E::Quantified { list, body, .. } => {
                rest.extend([&**body, &**list]);
                continue;
            }
            E::Compare { left, right, .. } | E::Arith { left, right, .. } => {
                rest.extend([&**right, &**left]);
                continue;
            }
            E::In { left, set, .. } => {
                if let ast::Set::Value(value) = set {
                    rest.push(value);
                }
                rest.push(left);
                continue;
            }
            E::Path(path) => {
                if let Some((name, _)) = names.lets.get_key_value(path.root.node.as_str()) {
                    found.push(*name);
                }
                &path.postfix
            }
            E::Call(call) => {
                rest.extend(call.condition.as_deref());
                rest.extend(call.args.iter().rev());
                &call.postfix
            }
            E::Text(_) | E::Number(_) | E::Duration(_) | E::Bool(_) | E::Error => continue,
        };
        rest.extend(postfix.iter().rev().filter_map(|part| match part {
            ast::Postfix::Index(index, _) => Some(&**index),
            _ => None,
        }));
    }
    found.reverse();
    found
}
