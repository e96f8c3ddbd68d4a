//! Tables: a value for a text, or for the network that an address is in.
//!
//! Written down, a table's values are all texts, all numbers or all truths; of a CSV file they are texts; of a MaxMind
//! database whatever its records are, so of no type that is known. Every mistake in a table is an error: a row that is
//! left out would be an absent value where the author sees one. A MaxMind database is looked through whole here, so
//! that the engine need not doubt it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use super::constant;
use super::files::{self, DataFile};
use super::lower::{Lower, Value};
use super::names::Names;
use super::report::Report;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, ExprKind, Literal, Rows, Type};
use crate::limits::TABLE_ROWS_MAX;
use crate::source::Span;
use crate::syntax::ast::{self, EntryKey, Json, Path, Postfix, TableSource};

/// All tables; of one with a mistake nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables<'a> {
    known: BTreeMap<&'a str, Known>,
}

/// A table and the type of its values.
#[derive(Clone, Debug)]
struct Known {
    table: Arc<ir::Table>,
    ty: Type,
}

/// Works out every table.
pub(crate) fn gather<'a>(names: &Names<'a>, report: &mut Report) -> Tables<'a> {
    let mut tables = Tables::default();
    let mut total = 0;
    for of in names.tables.values() {
        let found = match &of.values {
            TableSource::Map(map) => written(of.cidr, map, report),
            TableSource::From(name) => from_file(names, of.cidr, name, report),
        };
        let Some((rows, ty)) = found else { continue };
        total += match &rows {
            Rows::Texts(rows) => rows.len(),
            Rows::Networks(rows) => rows.len(),
            Rows::MaxMind(_) => 0,
        };
        if total > TABLE_ROWS_MAX {
            let message = format!("all tables together have more than {TABLE_ROWS_MAX} rows");
            report.error(Code::ValuesTooLarge, of.name.span, message);
            break;
        }
        let name = of.name.node.as_str();
        tables.known.insert(name, Known { table: Arc::new(ir::Table { name: name.to_owned(), rows }), ty });
    }
    tables
}

/// A key with what is known of its place, for whoever says that it stands twice.
struct Row<P> {
    key: String,
    value: Literal,
    place: P,
}

/// Rows in order, by their keys or networks. A key that is none, or stands twice, goes to `wrong`.
fn sorted<P: Copy>(cidr: bool, rows: Vec<Row<P>>, mut wrong: impl FnMut(P, Wrong<'_, P>)) -> Option<Rows> {
    let mut good = true;
    if cidr {
        let mut first: HashMap<(IpAddr, u8), P> = HashMap::new();
        let mut out = Vec::new();
        for row in rows {
            match constant::network(&row.key) {
                Ok(network) => match first.get(&(network.address, network.bits)) {
                    Some(first) => {
                        wrong(row.place, Wrong::Twice(&row.key, *first));
                        good = false;
                    }
                    None => {
                        first.insert((network.address, network.bits), row.place);
                        out.push((network, row.value));
                    }
                },
                Err(why) => {
                    wrong(row.place, Wrong::NoNetwork(&row.key, why));
                    good = false;
                }
            }
        }
        out.sort_by_key(|(network, _)| (network.address, network.bits));
        return good.then_some(Rows::Networks(out));
    }
    let mut out: BTreeMap<String, (Literal, P)> = BTreeMap::new();
    for row in rows {
        if let Some((_, first)) = out.get(&row.key) {
            wrong(row.place, Wrong::Twice(&row.key, *first));
            good = false;
        } else {
            out.insert(row.key, (row.value, row.place));
        }
    }
    good.then(|| Rows::Texts(out.into_iter().map(|(key, (value, _))| (key, value)).collect()))
}

/// What is wrong with a key.
enum Wrong<'k, P> {
    NoNetwork(&'k str, String),
    /// The place of the first.
    Twice(&'k str, P),
}

/// `{ key: value, .. }`
fn written(cidr: bool, map: &ast::Map, report: &mut Report) -> Option<(Rows, Type)> {
    let mut good = true;
    let mut rows = Vec::new();
    let mut kind: Option<(Type, Span)> = None;
    for entry in &map.entries {
        let key = key(cidr, &entry.key, report);
        let value = literal(&entry.value, report);
        if let Some(value) = &value {
            let ty = constant::type_of(value);
            match &kind {
                Some((first, span)) if *first != ty => {
                    let message = "the values of a table are all texts, all numbers or all truths";
                    let found = Diagnostic::new(Code::BadTable, entry.value.span, message);
                    report.add(found.related(*span, "the first value"));
                    good = false;
                }
                Some(_) => {}
                None => kind = Some((ty, entry.value.span)),
            }
        }
        match (key, value) {
            (Some((key, place)), Some(value)) => rows.push(Row { key, value, place }),
            _ => good = false,
        }
    }
    let rows = sorted(cidr, rows, |span, wrong| match wrong {
        Wrong::Twice(key, first) => {
            let message = format!("`{key}` stands twice in this table");
            report.add(Diagnostic::new(Code::TableKeyTwice, span, message).related(first, "first here"));
        }
        Wrong::NoNetwork(key, why) => {
            report.error_help(Code::BadNetwork, span, format!("`{key}` is no network"), why);
        }
    })?;
    // Of a table without rows every value is absent, whatever its type.
    good.then_some((rows, kind.map_or(Type::Any, |(ty, _)| ty)))
}

fn key(cidr: bool, key: &EntryKey, report: &mut Report) -> Option<(String, Span)> {
    let expr = match key {
        EntryKey::Text(text) => return Some((text.node.clone(), text.span)),
        EntryKey::Value(expr) => expr,
    };
    match &expr.kind {
        ast::ExprKind::Path(path) if path.postfix.is_empty() && !cidr => {
            Some((path.root.node.clone(), expr.span))
        }
        ast::ExprKind::Error => None,
        _ if cidr => {
            let message = "the keys of a `cidr table` are networks";
            report.error_help(Code::BadNetwork, expr.span, message, "write `\"10.0.0.0/8\"`");
            None
        }
        _ => {
            let message = "a table's key is a word or a text";
            report.error_help(Code::BadTable, expr.span, message, "put it in quotes");
            None
        }
    }
}

fn literal(value: &ast::Spanned<Json>, report: &mut Report) -> Option<Literal> {
    match &value.node {
        Json::Text(text) => Some(Literal::Text(text.clone())),
        Json::Number(number) => Some(Literal::Number(*number)),
        Json::Bool(truth) => Some(Literal::Bool(*truth)),
        Json::Null | Json::Map(_) | Json::List(_) => {
            let message = "a table's value is a text, a number, `true` or `false`";
            report.error(Code::BadTable, value.span, message);
            None
        }
    }
}

fn from_file(names: &Names<'_>, cidr: bool, name: &ast::Text, report: &mut Report) -> Option<(Rows, Type)> {
    let file = files::find(names.sources, name, report)?;
    if file.is_maxmind() { maxmind(&file, cidr, report) } else { csv(&file, cidr, report) }
}

fn maxmind(file: &DataFile<'_>, cidr: bool, report: &mut Report) -> Option<(Rows, Type)> {
    if !file.fits(report) {
        return None;
    }
    let name = &file.name.node;
    let checked = maxminddb::Reader::from_source(&**file.bytes).and_then(|reader| reader.verify());
    if let Err(cause) = checked {
        let message = format!("`{name}` is no MaxMind database that can be read: {cause}");
        report.error(Code::ValuesMalformed, file.name.span, message);
        return None;
    }
    if !cidr {
        let message = format!("`{name}` is a MaxMind database, whose keys are networks");
        report.error_help(Code::BadTable, file.name.span, message, "write `cidr table`");
        return None;
    }
    Some((Rows::MaxMind(Arc::clone(file.bytes)), Type::Any))
}

fn csv(file: &DataFile<'_>, cidr: bool, report: &mut Report) -> Option<(Rows, Type)> {
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(file.text(report)?.lines()) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = match columns(text) {
            Ok((key, _)) if key.is_empty() => {
                report.add(file.wrong(line, "the key is empty"));
                return None;
            }
            Ok(columns) => columns,
            Err((what, help)) => {
                report.add(file.wrong(line, what).help(help));
                return None;
            }
        };
        if rows.len() >= TABLE_ROWS_MAX {
            let message = format!("`{}` has more than {TABLE_ROWS_MAX} rows", file.name.node);
            report.error(Code::ValuesTooLarge, file.name.span, message);
            return None;
        }
        rows.push(Row { key, value: Literal::Text(value), place: line });
    }
    let mut told = false;
    let rows = sorted(cidr, rows, |line, wrong| {
        // One is enough: of a wrong file all lines may be.
        if std::mem::replace(&mut told, true) {
            return;
        }
        report.add(match wrong {
            Wrong::Twice(key, first) => Diagnostic::new(
                Code::TableKeyTwice,
                file.name.span,
                format!("`{key}` stands in line {first} of `{}` and again in line {line}", file.name.node),
            ),
            Wrong::NoNetwork(key, why) => file.wrong(line, format!("`{key}` is no network")).help(why),
        });
    })?;
    Some((rows, Type::Text))
}

/// The two columns of a line of CSV; what is wrong with it, and what helps, if it has not two. Blanks around a column
/// are no part of it; in quotes a column may hold commas, and a quote written twice.
fn columns(line: &str) -> Result<(String, String), (String, &'static str)> {
    let mut columns = Vec::new();
    let mut rest = Some(line);
    while let Some(text) = rest.take() {
        let text = text.trim_start();
        let (column, behind) = match text.strip_prefix('"') {
            Some(inside) => quoted(inside)?,
            None => {
                let (column, behind) = text.split_at(text.find(',').unwrap_or(text.len()));
                (column.trim_end().to_owned(), behind)
            }
        };
        columns.push(column);
        rest = match behind.trim_start() {
            "" => None,
            behind => Some(behind.strip_prefix(',').ok_or((
                "something stands behind a quote".to_owned(),
                "a quote in a column in quotes is written twice",
            ))?),
        };
    }
    match <[String; 2]>::try_from(columns) {
        Ok([key, value]) => Ok((key, value)),
        Err(columns) => {
            let n = columns.len();
            let many = if n == 1 { "is 1 column".to_owned() } else { format!("are {n} columns") };
            let help = "a table has two, a key and a value; a comma in one of them stands in quotes";
            Err((format!("there {many}"), help))
        }
    }
}

/// What stands in quotes, from behind the first one, and what is behind the last.
fn quoted(inside: &str) -> Result<(String, &str), (String, &'static str)> {
    let mut column = String::new();
    let mut rest = inside;
    loop {
        let Some((part, behind)) = rest.split_once('"') else {
            return Err(("a quote without its end".to_owned(), "a column goes over no more than one line"));
        };
        column.push_str(part);
        match behind.strip_prefix('"') {
            Some(more) => {
                column.push('"');
                rest = more;
            }
            None => return Ok((column, behind)),
        }
    }
}

impl<'a> Lower<'a, '_> {
    /// `table[key]`, and what stands below it.
    pub(crate) fn lookup(&mut self, path: &'a Path, span: Span) -> Value {
        let word = &path.root;
        let Some((Postfix::Index(key, brackets), rest)) = path.postfix.split_first() else {
            let message = format!("`{}` is a table and no value", word.node);
            let help = match path.postfix.first() {
                Some(Postfix::Field(name)) => format!("write `{}[\"{}\"]`", word.node, name.node),
                _ => format!("look something up in it, as in `{}[user.username]`", word.node),
            };
            self.tell_help(Code::NotHere, word.span, message, help);
            self.downs(&path.postfix);
            return Value::poison(span);
        };
        let key_value = self.value(key);
        let known = self.lists.tables.known.get(word.node.as_str());
        let (Some(known), false) = (known, key_value.ty.is_poison()) else {
            self.downs(rest);
            return Value::poison(span);
        };
        let (table, ty) = (Arc::clone(&known.table), known.ty.clone());
        if !key_value.ty.may(|ty| *ty == Type::Text) {
            let quote = self.quote(key.span);
            let message = format!("a table's key is text, and `{quote}` is {}", key_value.ty.says());
            let found = Diagnostic::new(Code::ArgumentType, key.span, message);
            let list = key_value.ty.members().iter().any(|ty| matches!(ty, Type::List(_)));
            self.tell(if list { found.help(format!("say `{quote}[]` for each of them")) } else { found });
            self.downs(rest);
            return Value::poison(span);
        }
        if let (Some(text), Rows::Networks(_) | Rows::MaxMind(_)) =
            (constant::text(&key_value.expr), &table.rows)
            && text.parse::<IpAddr>().is_err()
        {
            let message = format!("`{text}` is no address, so it is in no network of `{}`", word.node);
            self.tell_help(Code::BadNetwork, key.span, message, "write an address such as `\"10.0.0.1\"`");
        }
        let whole = word.span.to(*brackets);
        let each = key_value.each;
        let kind = ExprKind::Lookup(table, Box::new(key_value.expr));
        let value = Value { each, ..Value::new(kind, ty.into(), whole) };
        self.below(value, rest, span)
    }
}
