//! Where text came from: files, byte ranges in them, lines and columns.
//!
//! A span is a plain pair of byte offsets with the number of its file, so that syntax and IR stay small; the map turns
//! it into what a person reads. Files longer than [`crate::limits::SOURCE_BYTES_MAX`] never get here.
//!
//! Rules may take values from other files (`list .. from "x.txt"`). Whoever feeds the map reads those and attaches
//! what they hold, or why it could not be had; the crate itself reads nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The number of a source file in its [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// A half-open byte range in one source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range `start..end` of `source`.
    #[must_use]
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let cut = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { source, start: cut(start), end: cut(end) }
    }

    /// The smallest range that holds both; `other` must be of the same file.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { source: self.source, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As indices into the text of its file.
    #[must_use]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// One file of rules.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The name it is shown under, mostly its path.
    pub name: String,
    /// Its text, without a byte-order mark.
    pub text: String,
    line_starts: Vec<u32>,
}

/// A place as people count: line and column from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineColumn {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// What a file of values holds, or why it cannot be had, in words such as `there is no such file`.
pub type Attached = Result<Arc<[u8]>, String>;

/// All files of a rule set.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
    attached: BTreeMap<(SourceId, String), Attached>,
}

impl SourceMap {
    /// Adds a file and gives it its number.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        let id = SourceId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| cut(i + 1)));
        self.files.push(SourceFile { name: name.into(), text, line_starts });
        id
    }

    /// The file of that number.
    ///
    /// # Panics
    /// If the number is of another map: a mistake of the caller, not of a user.
    #[must_use]
    pub fn file(&self, id: SourceId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files with their numbers, in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (SourceId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, file)| (SourceId(cut(i)), file))
    }

    /// Gives a rule file the file of values that it names by this path, as it is written there.
    pub fn attach(&mut self, id: SourceId, path: impl Into<String>, what: Attached) {
        self.attached.insert((id, path.into()), what);
    }

    /// What was attached to a rule file under this path.
    #[must_use]
    pub fn attached(&self, id: SourceId, path: &str) -> Option<&Attached> {
        self.attached.get(&(id, path.to_owned()))
    }

    /// All files of values that could be had, each with the rule file that names it and the path it has there.
    pub fn attachments(&self) -> impl Iterator<Item = (SourceId, &str, &Arc<[u8]>)> {
        let all = self.attached.iter();
        all.filter_map(|((id, path), what)| Some((*id, path.as_str(), what.as_ref().ok()?)))
    }

    /// The text under a span.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        self.file(span.source).text.get(span.range()).unwrap_or("")
    }

    /// Line and column of the start of a span.
    #[must_use]
    pub fn start(&self, span: Span) -> LineColumn {
        self.line_column(span.source, span.start)
    }

    /// Line and column of the end of a span.
    #[must_use]
    pub fn end(&self, span: Span) -> LineColumn {
        self.line_column(span.source, span.end)
    }

    fn line_column(&self, id: SourceId, at: u32) -> LineColumn {
        let file = self.file(id);
        let line = file.line_starts.partition_point(|start| *start <= at).max(1);
        let start = file.line_starts[line - 1] as usize;
        let end = (at as usize).min(file.text.len());
        let column = file.text.get(start..end).map_or(0, |part| part.chars().count());
        LineColumn { line: cut(line), column: cut(column + 1) }
    }
}

fn cut(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
