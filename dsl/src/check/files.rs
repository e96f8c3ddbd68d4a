//! Files of values: `list .. from "x.txt"`, `table .. from "x.csv"`.
//!
//! The crate reads no files: [`wanted`] says which ones rule files name, whoever reads them attaches what they hold to
//! the [`SourceMap`], and from then on they are a part of the text like any other. A file that is missing, or that has
//! anything in it that is no value, is an error of the rule that names it, with the line in words: half a list is
//! worse than none, as nobody would notice. Cost: one pass over each file.
//!
//! A list's file has one value a line. Blanks around it are no part of it; a `#` at the beginning of a line, or behind
//! a blank, begins a comment. A table's file is CSV of two columns without a head; a line that begins with `#` is a
//! comment.

use super::report::Report;
use crate::diag::{Code, Diagnostic};
use crate::limits::{MAXMIND_BYTES_MAX, VALUES_BYTES_MAX};
use crate::source::{SourceId, SourceMap, Span};
use crate::syntax::ast::{self, Item, ListSource, TableSource};

/// A file that a rule file takes values from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The rule file that names it.
    pub source: SourceId,
    /// The path, as it is written there: it is meant relative to the folder of that rule file.
    pub path: String,
    /// Where it is named.
    pub span: Span,
}

/// The files that the rule files of a map name, in the order of the text.
#[must_use]
pub fn wanted(sources: &SourceMap) -> Vec<Wanted> {
    let mut all = Vec::new();
    // Parsing twice is cheap, and most files need not be.
    for (id, file) in sources.files().filter(|(_, file)| file.text.contains("from")) {
        for item in crate::syntax::parse(id, &file.text).file.items {
            let name = match item {
                Item::List(ast::List { values: ListSource::From(name), .. })
                | Item::Table(ast::Table { values: TableSource::From(name), .. }) => name,
                _ => continue,
            };
            all.push(Wanted { source: id, path: name.node, span: name.span });
        }
    }
    all
}

/// A file of values that is there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataFile<'a> {
    /// Where it is named.
    pub name: &'a ast::Text,
    /// What it holds.
    pub bytes: &'a std::sync::Arc<[u8]>,
}

/// The file of that name; that it could not be had is reported.
pub(crate) fn find<'a>(
    sources: &'a SourceMap,
    name: &'a ast::Text,
    report: &mut Report,
) -> Option<DataFile<'a>> {
    let why = match sources.attached(name.span.source, &name.node) {
        Some(Ok(bytes)) => return Some(DataFile { name, bytes }),
        Some(Err(why)) => why.as_str(),
        None => "it was not handed over with the rules",
    };
    let message = format!("`{}` cannot be read: {why}", name.node);
    let help = format!("it is looked for beside `{}`", sources.file(name.span.source).name);
    report.error_help(Code::ValuesMissing, name.span, message, help);
    None
}

impl<'a> DataFile<'a> {
    /// Says that a line is wrong.
    pub(crate) fn wrong(&self, line: u64, what: impl std::fmt::Display) -> Diagnostic {
        let message = format!("line {line} of `{}`: {what}", self.name.node);
        Diagnostic::new(Code::ValuesMalformed, self.name.span, message)
    }

    /// Whether it claims to be a MaxMind database, which ends with a description of itself.
    pub(crate) fn is_maxmind(&self) -> bool {
        const MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";
        const WITHIN: usize = 128 << 10;
        let tail = &self.bytes[self.bytes.len().saturating_sub(WITHIN)..];
        self.name.node.ends_with(".mmdb") || tail.windows(MARK.len()).any(|part| part == MARK)
    }

    /// Whether it is no longer than it may be; else that is reported.
    pub(crate) fn fits(&self, report: &mut Report) -> bool {
        let most = if self.is_maxmind() { MAXMIND_BYTES_MAX } else { VALUES_BYTES_MAX };
        if self.bytes.len() > most {
            let message = format!("`{}` has more than {most} bytes", self.name.node);
            report.error(Code::ValuesTooLarge, self.name.span, message);
        }
        self.bytes.len() <= most
    }

    /// Its text, without a byte-order mark; that it is none is reported.
    pub(crate) fn text(&self, report: &mut Report) -> Option<&'a str> {
        if !self.fits(report) {
            return None;
        }
        let text = match std::str::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(cause) => {
                let line = 1 + self.bytes[..cause.valid_up_to()].iter().filter(|b| **b == b'\n').count();
                report.add(self.wrong(line as u64, "this is not UTF-8 text").help("save it as UTF-8"));
                return None;
            }
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let strange = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        if let Some(at) = text.find(strange) {
            let line = 1 + text[..at].matches('\n').count();
            report.add(self.wrong(line as u64, "there is a control character, so this is no list of values"));
            return None;
        }
        Some(text)
    }

    /// The values of a list with the numbers of their lines.
    pub(crate) fn lines(
        &self,
        report: &mut Report,
    ) -> Option<impl Iterator<Item = (u64, &'a str)> + use<'a>> {
        let lines = (1..).zip(self.text(report)?.lines());
        Some(lines.map(|(line, text)| (line, value(text))).filter(|(_, value)| !value.is_empty()))
    }
}

/// What of a line is its value.
fn value(line: &str) -> &str {
    let comment = line.char_indices().find(|(at, c)| *c == '#' && blank_before(line, *at));
    line[..comment.map_or(line.len(), |(at, _)| at)].trim()
}

fn blank_before(line: &str, at: usize) -> bool {
    line[..at].chars().next_back().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_begins_a_line_or_stands_behind_a_blank() {
        assert_eq!(value("  eve # from Berlin"), "eve");
        assert_eq!(value("# all of it"), "");
        assert_eq!(value(" \t# all of it"), "");
        assert_eq!(value("https://x/#part\t#two"), "https://x/#part");
        assert_eq!(value("two words\r"), "two words");
    }

    #[test]
    fn files_are_wanted_as_they_are_named() {
        let mut sources = SourceMap::default();
        sources.add("a.rule", "list a = [1]");
        let b = sources.add("b.rule", "list b from 'x.txt' list c = ['from'] cidr table d from \"../y.csv\"");
        let all = wanted(&sources);
        let told: Vec<_> =
            all.iter().map(|one| (one.source, one.path.as_str(), sources.text(one.span))).collect();
        assert_eq!(told, [(b, "x.txt", "'x.txt'"), (b, "../y.csv", "\"../y.csv\"")]);
    }
}
