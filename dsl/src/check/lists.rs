//! Lists: their values, with the lists that stand inside of lists put in.

use std::collections::BTreeMap;

use super::constant;
use super::names::Names;
use super::report::Report;
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

/// The values of all lists.
#[derive(Debug, Default)]
pub(crate) struct Lists<'a> {
    values: BTreeMap<&'a str, Values>,
    /// How many values all of them have.
    total: usize,
}

/// Works out the values of every list.
pub(crate) fn gather<'a>(names: &Names<'a>, report: &mut Report) -> Lists<'a> {
    let mut lists = Lists::default();
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
        let values = match &list.values {
            ListSource::From(file) => {
                report.not_built(file.span, "values from a file are");
                Values::Poison
            }
            ListSource::Literals(literals) if list.cidr => networks(literals, report),
            ListSource::Literals(literals) => {
                open.push(name);
                let values = self.literals(names, literals, open, report);
                open.pop();
                values.map_or(Values::Poison, Values::Literals)
            }
        };
        let values = match values {
            Values::Literals(of) if self.total.saturating_add(of.len()) > LIST_VALUES_MAX => {
                let message = format!("all lists together have more than {LIST_VALUES_MAX} values");
                report.error(Code::RuleTooLarge, list.name.span, message);
                Values::Poison
            }
            values => values,
        };
        if let Values::Literals(of) = &values {
            self.total += of.len();
        }
        self.values.insert(name, values);
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

fn networks(literals: &ast::Literals, report: &mut Report) -> Values {
    let mut values = Vec::new();
    let mut good = true;
    for item in &literals.items {
        let (text, span) = match item {
            ast::Literal::Text(text) => (Some(&text.node), text.span),
            ast::Literal::Number(number) => (None, number.span),
            ast::Literal::Duration(nanos) => (None, nanos.span),
            ast::Literal::Word(word) => (None, word.span),
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
