//! The configuration file (`--config FILE`): what does not fit an argument, as TOML.
//!
//! All keys stand in one table ([`keys::KEYS`]), each with its kind, its least value and what it means;
//! `docs/configuration.md` is written from that table, and a test holds the two together. A key that is not there, a value of
//! another kind, one that is too small: each is an error with its line and column, all of them told at once, with the
//! nearest key there is. Nothing is accepted and ignored. Where an argument says the same it goes before the file.
//!
//! Cost: none once a run has begun. Refused: files of more than a mebibyte, and what is no UTF-8.

mod keys;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;

use connect::Error;
use dsl::diag::nearest;
use engine::limits::Limits;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use keys::{KEYS, Key};

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

/// What a run is told beside its arguments.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Config {
    /// How much is remembered, and for how long.
    pub(crate) limits: Limits,
    /// Where the admin port is.
    pub(crate) admin: Option<SocketAddr>,
}

/// What is in force without a file, or with this one: what the file does not say is as in `usual`.
///
/// # Errors
/// If the file cannot be read, or something in it is wrong: then all that is, a line each.
pub(crate) fn read_over(usual: Config, path: Option<&Path>) -> Result<Config, Error> {
    let Some(path) = path else { return Ok(usual) };
    let bytes = connect::rules::read(path)?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Error::usage(format!("{} is too long for a configuration file", path.display())));
    }
    let name = path.display().to_string();
    let text = String::from_utf8(bytes).map_err(|_| Error::usage(format!("{name} is no UTF-8 text")))?;
    parse_over(usual, &name, &text).map_err(|wrong| Error::usage(wrong.join("\n")))
}

/// As [`read_over`], of a text under a name for people.
fn parse_over(config: Config, name: &str, text: &str) -> Result<Config, Vec<String>> {
    let mut reader = Reader { name, text, config, wrong: Vec::new() };
    let (all, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        reader.wrong(error.span().unwrap_or_default(), error.message());
    }
    if reader.wrong.is_empty() {
        reader.tables(all.get_ref());
    }
    if reader.wrong.is_empty() { Ok(reader.config) } else { Err(reader.wrong) }
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    config: Config,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// Lines and columns count characters, from 1.
    fn wrong(&mut self, at: Range<usize>, what: &str) {
        let before = self.text.get(..at.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.wrong.push(format!("{}:{line}:{column}: {what}", self.name));
    }

    fn tables(&mut self, all: &DeTable<'_>) {
        for (table, inside) in all {
            let keys = || KEYS.iter().filter(|key| key.table == table.get_ref());
            match inside.get_ref() {
                _ if keys().next().is_none() => {
                    let help = help(table.get_ref(), KEYS.iter().map(|key| key.table));
                    self.wrong(table.span(), &format!("there is no table `[{}]`{help}", table.get_ref()));
                }
                DeValue::Table(inside) => self.keys(table.get_ref(), inside),
                _ => self.wrong(inside.span(), &format!("`{0}` is a table: write `[{0}]`", table.get_ref())),
            }
        }
    }

    fn keys(&mut self, table: &str, inside: &DeTable<'_>) {
        for (name, value) in inside {
            let mut of_table = KEYS.iter().filter(|key| key.table == table);
            match of_table.clone().find(|key| key.name == name.get_ref()) {
                Some(key) => self.key(key, value),
                None => {
                    let help = help(name.get_ref(), of_table.by_ref().map(|key| key.name));
                    let what = format!("there is no key `{}` in `[{table}]`{help}", name.get_ref());
                    self.wrong(name.span(), &what);
                }
            }
        }
    }

    fn key(&mut self, key: &Key, value: &Spanned<DeValue<'_>>) {
        let taken = match value.get_ref() {
            DeValue::Integer(number) => {
                let digits: String = number.as_str().chars().filter(|c| *c != '_').collect();
                let parsed = u64::from_str_radix(&digits, number.radix()).ok();
                parsed
                    .ok_or_else(|| key.kind.takes().to_owned())
                    .and_then(|number| key.kind.of_number(number))
            }
            DeValue::String(text) => key.kind.of_text(text),
            _ => Err(key.kind.takes().to_owned()),
        };
        match taken.and_then(|value| key.check(value)) {
            Ok(value) => (key.set)(&mut self.config, value),
            Err(why) => self.wrong(value.span(), &format!("`{}`: {why}", key.name)),
        }
    }
}

/// The nearest of some words, as a help behind a message.
fn help<'w>(word: &str, all: impl Iterator<Item = &'w str>) -> String {
    nearest(word, all).map_or_else(String::new, |near| format!("; is `{near}` meant?"))
}
