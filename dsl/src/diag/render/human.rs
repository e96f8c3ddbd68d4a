//! For people: the sentence, the place, the line with the words underlined, other places, help.
//!
//! The drawing is `ariadne`'s. It is kept from two things it would do with hostile text: print a line of any length
//! (each diagnostic would repeat it), and pass control characters on to the terminal. Those are shown as `?`, in as many
//! bytes as they had, so that places stay right; it also keeps the line numbers `ariadne` counts equal to ours, as it would end
//! a line at characters where a rule file does not.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use ariadne::{Color, Config, IndexType, Label, Report, ReportKind, Source};

use super::super::{Diagnostic, Level};
use crate::source::{SourceFile, SourceId, SourceMap, Span};

/// The longest line that is drawn, in bytes.
const LINE_BYTES_MAX: usize = 1_000;

/// All diagnostics as a person reads them, one after the other, with an empty line between. `color` adds the escape
/// sequences of terminals.
#[must_use]
pub fn human(map: &SourceMap, diagnostics: &[Diagnostic], color: bool) -> String {
    let mut drawing = Drawing { map, sources: BTreeMap::new() };
    let mut out = String::new();
    for (i, diagnostic) in super::sorted(diagnostics).into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let drawn = if drawing.fits(diagnostic) { drawing.draw(diagnostic, color) } else { None };
        out += &drawn.unwrap_or_else(|| plain(map, diagnostic));
    }
    out
}

/// The sources that were drawn so far: a file of many mistakes is prepared once.
struct Drawing<'a> {
    map: &'a SourceMap,
    sources: BTreeMap<SourceId, Source<String>>,
}

type At = (SourceId, Range<usize>);

impl Drawing<'_> {
    /// Whether every line that the drawing would show is of a sane length.
    fn fits(&self, diagnostic: &Diagnostic) -> bool {
        let spans =
            std::iter::once(diagnostic.primary).chain(diagnostic.related.iter().map(|(span, _)| *span));
        spans.into_iter().all(|span| {
            let text = &self.map.file(span.source).text;
            let (start, end) = (cut(text, span.start as usize), cut(text, span.end as usize));
            let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
            text[from..to].split('\n').all(|line| line.len() <= LINE_BYTES_MAX)
        })
    }

    fn draw(&mut self, diagnostic: &Diagnostic, color: bool) -> Option<String> {
        let (kind, paint) = match diagnostic.level() {
            Level::Error => (ReportKind::Error, Color::Red),
            Level::Warning => (ReportKind::Warning, Color::Yellow),
        };
        let config = Config::new().with_color(color).with_index_type(IndexType::Byte).with_tab_width(4);
        let mut report = Report::build(kind, self.at(diagnostic.primary))
            .with_config(config)
            .with_code(diagnostic.code.text())
            .with_message(visible(&diagnostic.message))
            .with_label(Label::new(self.at(diagnostic.primary)).with_color(paint).with_message("here"));
        for (span, label) in &diagnostic.related {
            let label = Label::new(self.at(*span)).with_color(Color::Blue).with_message(visible(label));
            report = report.with_label(label);
        }
        if let Some(help) = &diagnostic.help {
            report = report.with_help(visible(help));
        }
        let mut bytes = Vec::new();
        report.finish().write(&mut *self, &mut bytes).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        // ariadne pads empty margins; white space at a line's end helps nobody.
        Some(text.lines().fold(String::new(), |out, line| out + line.trim_end() + "\n"))
    }

    fn at(&self, span: Span) -> At {
        let text = &self.map.file(span.source).text;
        (span.source, cut(text, span.start as usize)..cut(text, span.end as usize))
    }
}

impl ariadne::Cache<SourceId> for &mut Drawing<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &SourceId) -> Result<&Source<String>, impl std::fmt::Debug> {
        let file = self.map.file(*id);
        let source = self.sources.entry(*id).or_insert_with(|| Source::from(drawable(file)));
        Ok::<_, std::convert::Infallible>(&*source)
    }

    fn display<'a>(&self, id: &'a SourceId) -> Option<impl std::fmt::Display + 'a> {
        Some(visible(&self.map.file(*id).name))
    }
}

/// Without a drawing: `error[E201]: message` and the place.
fn plain(map: &SourceMap, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.level() {
        Level::Error => "Error",
        Level::Warning => "Warning",
    };
    let place = |span: Span| {
        let at = map.start(span);
        format!("{}:{}:{}", visible(&map.file(span.source).name), at.line, at.column)
    };
    let mut out = format!("[{}] {level}: {}\n", diagnostic.code.text(), visible(&diagnostic.message));
    let _ = writeln!(out, "   at {}", place(diagnostic.primary));
    for (span, label) in &diagnostic.related {
        let _ = writeln!(out, "   {} at {}", visible(label), place(*span));
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "   Help: {}", visible(help));
    }
    out
}

/// The nearest boundary of a character at or before `at`.
fn cut(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

/// The text of a file with everything that is not for a terminal's eyes replaced, byte for byte.
fn drawable(file: &SourceFile) -> String {
    let mut out = String::with_capacity(file.text.len());
    let mut chars = file.text.chars().peekable();
    while let Some(c) = chars.next() {
        let end_of_line = c == '\r' && chars.peek() == Some(&'\n');
        if c == '\n' || c == '\t' || end_of_line || !hidden(c) {
            out.push(c);
        } else {
            (0..c.len_utf8()).for_each(|_| out.push('?'));
        }
    }
    out
}

fn visible(text: &str) -> String {
    text.chars().map(|c| if hidden(c) && c != '\n' { '?' } else { c }).collect()
}

/// Control characters, the two separators of Unicode that end lines, and what turns the direction of writing around.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
