//! RULES as files, folders and compiled packs become the texts that the language's compiler takes.
//!
//! A folder stands for all `*.rule` below it, in the order of their paths. Folders whose names begin with a dot are
//! passed over, and links to folders are not followed: a mounted ConfigMap has both, and each file would come twice.
//! A byte-order mark is dropped; line ends are left to the language. What is wrong with a file's text as a whole (not UTF-8,
//! too large) is a diagnostic with its place, like every other mistake in rules; what is wrong with getting at it is
//! an [`Error`]. Nothing is cut: a file is read whole or not at all.
//!
//! The files that lists and tables take their values from are read along, from the folder of the rule file that names
//! them; a pack has them with it. That one is missing is a mistake of the rule, and told as such by the compiler.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use dsl::diag::{Code, Diagnostic};
use dsl::limits::{MAXMIND_BYTES_MAX, SOURCE_BYTES_MAX};
use dsl::source::{Attached, SourceId, SourceMap, Span};

use crate::error::reason;
use crate::{Error, pack};

/// The longest file that may be a compiled pack, in bytes.
const PACK_BYTES_MAX: usize = 512 << 20;
const ENDING: &str = "rule";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The texts of a rule set.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All files with their names.
    pub sources: SourceMap,
    /// What is wrong with whole files. If there is any, the others are not worth compiling: what they refer to is missing.
    pub diagnostics: Vec<Diagnostic>,
    /// All of it comes from compiled packs: what there was to be warned of was told when they were made.
    pub packed: bool,
}

impl Loaded {
    fn add(&mut self, name: &str, bytes: &[u8]) -> SourceId {
        if bytes.len() > SOURCE_BYTES_MAX {
            let source = self.sources.add(name, "");
            let size = bytes.len();
            let words =
                format!("the file has at least {size} bytes, and a rule file at most {SOURCE_BYTES_MAX}");
            let found = Diagnostic::new(Code::SourceTooLarge, Span::new(source, 0, 0), words);
            self.diagnostics.push(found.help("split it; a folder of rule files is taken as one set"));
            return source;
        }
        let text = String::from_utf8_lossy(bytes);
        let shown = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        let source = self.sources.add(name, shown);
        if let Err(cause) = std::str::from_utf8(bytes) {
            let at = cause.valid_up_to() - (text.len() - shown.len());
            let byte = bytes.get(cause.valid_up_to()).copied().unwrap_or_default();
            let words = format!("the file is not UTF-8 text: byte 0x{byte:02X} begins no character");
            let span = Span::new(source, at, at + char::REPLACEMENT_CHARACTER.len_utf8());
            self.diagnostics.push(Diagnostic::new(Code::Syntax, span, words).help(advice(bytes)));
        }
        source
    }

    /// Adds texts that are at hand, such as the shipped rules, with the files of values that they name.
    pub fn add_texts(&mut self, files: &[(&str, &str)], values: &[(&str, &[u8])]) {
        let known: BTreeMap<SourceId, &str> =
            files.iter().map(|(name, text)| (self.add(name, text.as_bytes()), *name)).collect();
        for one in dsl::check::wanted(&self.sources) {
            let Some(name) = known.get(&one.source) else { continue };
            let path = plain(&beside(Path::new(name), &one.path));
            let found = values.iter().find(|(name, _)| Path::new(name) == path);
            let what = found.map(|(_, bytes)| (*bytes).into());
            self.sources.attach(one.source, one.path, what.ok_or_else(|| NO_FILE.to_owned()));
        }
    }
}

const NO_FILE: &str = "there is no such file";

/// A path that a rule file names.
fn beside(rules: &Path, path: &str) -> PathBuf {
    rules.parent().unwrap_or(Path::new("")).join(path)
}

/// Without `.` and `..`, of a path that is of no disk.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn advice(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "it looks like UTF-16; save it as UTF-8"
    } else if bytes.contains(&0) {
        "it looks like no text at all; rules are text, or a pack made by `compile -o`"
    } else {
        "it may be Latin-1; save it as UTF-8, for example with `iconv -f latin1 -t utf8`"
    }
}

/// Reads files, folders and compiled packs, in the order given; a file that is named twice comes once.
///
/// # Errors
/// If one is missing or may not be read, a folder has no rule file, or a pack is refused.
pub fn load(paths: &[PathBuf]) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    let mut on_disk: BTreeMap<SourceId, PathBuf> = BTreeMap::new();
    for path in files(paths)? {
        let bytes = read(&path)?;
        let name = path.display().to_string();
        if pack::is_pack(&bytes) {
            let packed = pack::read(&name, &bytes)?;
            let ids: Vec<_> =
                packed.files.iter().map(|(name, text)| loaded.add(name, text.as_bytes())).collect();
            for (file, path, bytes) in packed.values {
                if let Some(id) = ids.get(file) {
                    loaded.sources.attach(*id, path, Ok(bytes.into()));
                }
            }
        } else {
            on_disk.insert(loaded.add(&name, &bytes), path);
        }
    }
    loaded.packed = on_disk.is_empty();
    let mut known: BTreeMap<PathBuf, Attached> = BTreeMap::new();
    for one in dsl::check::wanted(&loaded.sources) {
        let Some(rules) = on_disk.get(&one.source) else { continue };
        let path = beside(rules, &one.path);
        let what = known.entry(path).or_insert_with_key(|path| {
            let bytes = read_at_most(path, MAXMIND_BYTES_MAX + 1);
            bytes.map(Into::into).map_err(|cause| reason(&cause))
        });
        loaded.sources.attach(one.source, one.path, what.clone());
    }
    Ok(loaded)
}

/// Texts that are at hand, such as the shipped rules, and the files of values that they name.
#[must_use]
pub fn from_texts(files: &[(&str, &str)], values: &[(&str, &[u8])]) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add_texts(files, values);
    loaded
}

/// One text under a name, such as standard input.
#[must_use]
pub fn from_bytes(name: &str, bytes: &[u8]) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.add(name, bytes);
    loaded
}

/// The files that paths stand for: themselves, or all `*.rule` below a folder.
///
/// # Errors
/// If a path is missing or may not be read, or a folder has no rule file.
pub fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut add = |path: PathBuf| {
        if !files.contains(&path) {
            files.push(path);
        }
    };
    for path in paths {
        let about = fs::metadata(path).map_err(|cause| Error::io("read", path, &cause))?;
        if about.is_dir() {
            below(path)?.into_iter().for_each(&mut add);
        } else {
            add(path.clone());
        }
    }
    Ok(files)
}

fn below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let unreadable = |cause: &std::io::Error| Error::io("read the folder", &folder, cause);
        for entry in fs::read_dir(&folder).map_err(|cause| unreadable(&cause))? {
            let entry = entry.map_err(|cause| unreadable(&cause))?;
            let kind = entry.file_type().map_err(|cause| unreadable(&cause))?;
            let path = entry.path();
            if kind.is_dir() {
                if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|ending| ending == ENDING) && path.is_file() {
                found.push(path);
            }
        }
    }
    if found.is_empty() {
        return Err(Error::usage(format!("there is no *.{ENDING} file below {}", folder.display())));
    }
    found.sort();
    Ok(found)
}

/// A file's bytes; of one that is too long for anything, its beginning, which is then refused for its length.
///
/// # Errors
/// If it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let told = |cause: io::Error| Error::io("read", path, &cause);
    let beginning = read_at_most(path, SOURCE_BYTES_MAX + 1).map_err(told)?;
    // Only a pack may be longer than a rule file.
    let whole = beginning.len() <= SOURCE_BYTES_MAX || !pack::is_pack(&beginning);
    if whole { Ok(beginning) } else { read_at_most(path, PACK_BYTES_MAX + 1).map_err(told) }
}

fn read_at_most(path: &Path, bytes: usize) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    File::open(path)?.take(bytes as u64).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests;
