//! Lists: their values, with the lists that stand inside of lists put in, and what `tune list` changes.
//!
//! A tune takes its values from the list's own, then adds; so the order of tunes, and of their files, does not matter.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Debug;

use super::names::Names;
use super::report::Report;
use super::tables::Tables;
use super::tune::ListTunes;
use super::{constant, files};
use crate::diag::{Code, Diagnostic, nearest};
use crate::ir::{Literal, Network};
use crate::limits::{LIST_VALUES_MAX, NESTING_MAX};
use crate::source::Span;
use crate::syntax::ast::{self, ListSource};

/// The values of a list.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Literals(Vec<Literal>),
    Networks(Vec<Network>),
    /// Reported.
    Poison,
}

/// The values of all lists, and all tables.
#[derive(Debug, Default)]
pub(crate) struct Lists<'a> {
    /// The tables; they are the same with tunes and without.
    pub tables: Tables<'a>,
    values: BTreeMap<&'a str, Values>,
    tunes: ListTunes<'a>,
    /// How many values all of them have.
    total: usize,
}

/// Works out the values of every list, with these tunes.
pub(crate) fn gather<'a>(
    names: &Names<'a>,
    tables: Tables<'a>,
    tunes: ListTunes<'a>,
    report: &mut Report,
) -> Lists<'a> {
    let mut lists = Lists { tables, tunes, ..Lists::default() };
    for list in names.lists.values() {
        lists.resolve(names, list, &mut Vec::new(), report);
    }
    lists
}

impl<'a> Lists<'a> {
    /// The values of a list that exists.
    pub(crate) fn get(&self, name: &str) -> Option<&Values> {
        self.values.get(name)
    }

    fn resolve(
        &mut self,
        names: &Names<'a>,
        list: &'a ast::List,
        open: &mut Vec<&'a str>,
        report: &mut Report,
    ) {
        let name = list.name.node.as_str();
        if self.values.contains_key(name) {
            return;
        }
        open.push(name);
        let values = match &list.values {
            ListSource::From(file) => from_file(names, file, list.cidr, report),
            ListSource::Literals(literals) if list.cidr => networks(literals, report),
            ListSource::Literals(literals) => {
                let values = self.literals(names, literals, open, report);
                values.map_or(Values::Poison, Values::Literals)
            }
        };
        let values = self.tuned(names, list, values, open, report);
        open.pop();
        let more = match &values {
            Values::Literals(of) => of.len(),
            Values::Networks(of) => of.len(),
            Values::Poison => 0,
        };
        self.total = self.total.saturating_add(more);
        if self.total > LIST_VALUES_MAX {
            let message = format!("all lists together have more than {LIST_VALUES_MAX} values");
            report.error(Code::RuleTooLarge, list.name.span, message);
            self.values.insert(name, Values::Poison);
            return;
        }
        self.values.insert(name, values);
    }

    /// The values of a list with its tunes.
    fn tuned(
        &mut self,
        names: &Names<'a>,
        list: &'a ast::List,
        values: Values,
        open: &mut Vec<&'a str>,
        report: &mut Report,
    ) -> Values {
        let changes = self.tunes.get(list.name.node.as_str()).cloned().unwrap_or_default();
        if changes.is_empty() {
            return values;
        }
        let mut good = true;
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for (add, literals) in changes {
            if !list.cidr {
                good &= self.literals(names, literals, open, report).is_some();
            }
            for item in &literals.items {
                let alone = ast::Literals { items: vec![item.clone()], span: literals.span };
                let values = match list.cidr {
                    true => networks(&alone, report),
                    false => {
                        self.put_together(names, &alone, report).map_or(Values::Poison, Values::Literals)
                    }
                };
                if add { &mut added } else { &mut removed }.push((span_of(item), values));
            }
        }
        match values {
            Values::Literals(own) if good => {
                let part = |(span, values)| match values {
                    Values::Literals(values) => Some((span, values)),
                    _ => None,
                };
                let added = added.into_iter().filter_map(part).collect();
                let removed = removed.into_iter().filter_map(part).collect();
                Values::Literals(change(list, own, added, removed, report))
            }
            Values::Networks(own) if good => {
                let part = |(span, values)| match values {
                    Values::Networks(values) => Some((span, values)),
                    _ => None,
                };
                let added = added.into_iter().filter_map(part).collect();
                let removed = removed.into_iter().filter_map(part).collect();
                Values::Networks(change(list, own, added, removed, report))
            }
            _ => Values::Poison,
        }
    }

    /// The values between brackets. `None` if something is wrong with them, which is reported.
    pub(crate) fn literals(
        &mut self,
        names: &Names<'a>,
        literals: &'a ast::Literals,
        open: &mut Vec<&'a str>,
        report: &mut Report,
    ) -> Option<Vec<Literal>> {
        for item in &literals.items {
            let ast::Literal::Word(word) = item else { continue };
            let Some(list) = names.lists.get(word.node.as_str()) else { continue };
            if open.contains(&word.node.as_str()) {
                report.error(
                    Code::LetCycle,
                    word.span,
                    format!("the list `{}` is made of itself", word.node),
                );
                self.values.insert(&list.name.node, Values::Poison);
            } else if open.len() >= NESTING_MAX {
                report.error(
                    Code::RuleTooLarge,
                    word.span,
                    format!("lists stand more than {NESTING_MAX} deep in lists"),
                );
                self.values.insert(&list.name.node, Values::Poison);
            } else {
                self.resolve(names, list, open, report);
            }
        }
        self.put_together(names, literals, report)
    }

    /// The values between brackets, all lists known.
    pub(crate) fn put_together(
        &self,
        names: &Names<'a>,
        literals: &ast::Literals,
        report: &mut Report,
    ) -> Option<Vec<Literal>> {
        let mut values = Vec::new();
        let mut good = true;
        for item in &literals.items {
            match item {
                ast::Literal::Text(text) => values.push(Literal::Text(text.node.clone())),
                ast::Literal::Number(number) => values.push(Literal::Number(number.node)),
                ast::Literal::Duration(nanos) => values.push(Literal::Duration(nanos.node)),
                ast::Literal::Word(word) => match word.node.as_str() {
                    "true" => values.push(Literal::Bool(true)),
                    "false" => values.push(Literal::Bool(false)),
                    _ => good &= self.put_list(names, word, &mut values, report),
                },
            }
            if values.len() > LIST_VALUES_MAX {
                report.error(
                    Code::RuleTooLarge,
                    literals.span,
                    format!("a list has more than {LIST_VALUES_MAX} values"),
                );
                return None;
            }
        }
        good.then_some(values)
    }

    fn put_list(
        &self,
        names: &Names<'a>,
        word: &ast::Name,
        values: &mut Vec<Literal>,
        report: &mut Report,
    ) -> bool {
        match self.values.get(word.node.as_str()) {
            Some(Values::Literals(of)) if values.len() + of.len() <= LIST_VALUES_MAX => {
                values.extend(of.iter().cloned());
                true
            }
            Some(Values::Literals(_)) => {
                report.error(
                    Code::RuleTooLarge,
                    word.span,
                    format!("a list has more than {LIST_VALUES_MAX} values"),
                );
                false
            }
            Some(Values::Networks(_)) => {
                report.error_help(
                    Code::TypesDiffer,
                    word.span,
                    format!("`{}` holds networks, which are no values of a list", word.node),
                    format!("say `in {}`", word.node),
                );
                false
            }
            Some(Values::Poison) => false,
            None if names.is_lost(&word.node) => false,
            None => {
                let message = format!("no list is called `{}`", word.node);
                let near = nearest(&word.node, names.lists.keys().copied());
                let mut diagnostic = Diagnostic::new(Code::UnknownName, word.span, message);
                if let Some(near) = near {
                    diagnostic = diagnostic.help(format!("did you mean `{near}`?"));
                } else if !names.tables.contains_key(word.node.as_str()) {
                    diagnostic = diagnostic.help(format!("a text stands in quotes: `\"{}\"`", word.node));
                }
                report.add(diagnostic);
                false
            }
        }
    }
}

/// Where a value of a list stands.
pub(crate) fn span_of(item: &ast::Literal) -> Span {
    match item {
        ast::Literal::Text(text) => text.span,
        ast::Literal::Number(number) => number.span,
        ast::Literal::Duration(nanos) => nanos.span,
        ast::Literal::Word(word) => word.span,
    }
}

/// A list's own values without what is removed, then what is added and not there.
fn change<T: Debug>(
    list: &ast::List,
    mut own: Vec<T>,
    added: Vec<(Span, Vec<T>)>,
    removed: Vec<(Span, Vec<T>)>,
    report: &mut Report,
) -> Vec<T> {
    // Values have no hash, as numbers have none; equal ones print equal.
    let print = |value: &T| format!("{value:?}");
    let mut known: HashSet<String> = own.iter().map(print).collect();
    for (span, values) in &removed {
        if !values.iter().all(|value| known.contains(&print(value))) {
            let message = format!("the list `{}` has no such value to remove", list.name.node);
            let found = Diagnostic::new(Code::NothingRemoved, *span, message);
            report.add(found.related(list.name.span, "the list"));
        }
    }
    for value in removed.iter().flat_map(|(_, values)| values) {
        known.remove(&print(value));
    }
    own.retain(|value| known.contains(&print(value)));
    for value in added.into_iter().flat_map(|(_, values)| values) {
        if known.insert(print(&value)) {
            own.push(value);
        }
    }
    own
}

/// The values of a file, which are texts; or networks.
fn from_file(names: &Names<'_>, name: &ast::Text, cidr: bool, report: &mut Report) -> Values {
    let lines = files::find(names.sources, name, report).and_then(|file| Some((file, file.lines(report)?)));
    let Some((file, lines)) = lines else { return Values::Poison };
    if !cidr {
        let texts = lines.take(LIST_VALUES_MAX + 1).map(|(_, text)| Literal::Text(text.to_owned()));
        return Values::Literals(texts.collect());
    }
    let mut values = Vec::new();
    for (line, text) in lines.take(LIST_VALUES_MAX + 1) {
        match constant::network(text) {
            Ok(network) => values.push(network),
            Err(why) => {
                report.add(file.wrong(line, format!("`{text}` is no network")).help(why));
                return Values::Poison;
            }
        }
    }
    Values::Networks(values)
}

fn networks(literals: &ast::Literals, report: &mut Report) -> Values {
    let mut values = Vec::new();
    let mut good = true;
    for item in &literals.items {
        let span = span_of(item);
        let text = match item {
            ast::Literal::Text(text) => Some(&text.node),
            _ => None,
        };
        match text {
            Some(text) => match network(text, span, report) {
                Some(network) => values.push(network),
                None => good = false,
            },
            None => {
                good = false;
                report.error_help(
                    Code::BadNetwork,
                    span,
                    "a `cidr list` holds networks only",
                    "write `\"10.0.0.0/8\"`",
                );
            }
        }
    }
    if good { Values::Networks(values) } else { Values::Poison }
}

/// A network; that it is none is reported.
pub(crate) fn network(text: &str, span: Span, report: &mut Report) -> Option<Network> {
    match constant::network(text) {
        Ok(network) => Some(network),
        Err(why) => {
            report.error_help(Code::BadNetwork, span, format!("`{text}` is no network"), why);
            None
        }
    }
}
