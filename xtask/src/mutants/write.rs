//! Writes all changes into a file at once, each behind a question that is true for one number.
//!
//! `a < b` becomes `(if crate::mutant::is(7) { (a) <= (b) } else { a < b })`. What a change puts in the place of code is
//! that code as it stands, without the changes inside of it, since only one is ever made: so the text grows with the depth
//! of the code and not with its power.

use std::ops::Range;

use super::find::{Form, Mutant};

/// Where in the new text something stands that comes of these changes.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) range: Range<usize>,
    pub(crate) numbers: Vec<usize>,
}

/// The code of the module that knows which change is made; `%` is how many there are.
///
/// `MUTANT` has its number, 0 for none. The first panic ends the process then: the other tests need not run. With
/// `MUTANT_SEEN` the numbers of all that were asked for are written to that file, each once.
const MODULE: &str = r#"//! Which change is made. Written by `cargo xtask mutants`.
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, Once};

const UNKNOWN: u32 = u32::MAX;
const SEES: u32 = u32::MAX - 1;
static MADE: AtomicU32 = AtomicU32::new(UNKNOWN);
static SEEN: [AtomicBool; %] = [const { AtomicBool::new(false) }; %];
static FILE: Mutex<Option<File>> = Mutex::new(None);
static BEGIN: Once = Once::new();

#[inline]
pub(crate) fn is(number: u32) -> bool {
    let made = MADE.load(Relaxed);
    made == number || made >= SEES && first(number)
}

#[cold]
fn first(number: u32) -> bool {
    BEGIN.call_once(begin);
    let made = MADE.load(Relaxed);
    if made == SEES && !SEEN[number as usize].swap(true, Relaxed) {
        if let Some(file) = FILE.lock().unwrap().as_mut() {
            writeln!(file, "{number}").unwrap();
        }
    }
    made == number
}

fn begin() {
    let seen = std::env::var("MUTANT_SEEN").ok();
    let made = std::env::var("MUTANT").ok().and_then(|number| number.parse().ok());
    if made.is_some() {
        std::panic::set_hook(Box::new(|info| {
            let _ = writeln!(std::io::stderr(), "{info}");
            std::process::exit(101);
        }));
    }
    if let Some(path) = &seen {
        *FILE.lock().unwrap() = Some(File::create(path).unwrap());
    }
    MADE.store(if seen.is_some() { SEES } else { made.unwrap_or(0) }, Relaxed);
}
"#;

/// That module, for so many changes.
pub(crate) fn module(mutants: usize) -> String {
    MODULE.replace('%', &(mutants + 1).to_string())
}

/// The text of a file with these changes, each with its number.
pub(crate) fn write(source: &str, mutants: &[(usize, &Mutant)]) -> (String, Vec<Region>) {
    let mut nodes: Vec<Node<'_>> = Vec::new();
    for (number, mutant) in mutants {
        let same = nodes.iter_mut().find(|node| node.form == mutant.form && node.range == mutant.range);
        match same {
            Some(node) => node.changes.push((*number, &mutant.text)),
            None => nodes.push(Node {
                range: mutant.range.clone(),
                form: mutant.form,
                changes: vec![(*number, &mutant.text)],
            }),
        }
    }
    // What is inserted at a place comes before what begins there, what is around before what is inside.
    nodes.sort_by_key(|node| (node.range.start, node.form, std::cmp::Reverse(node.range.end)));
    let mut writer = Writer { source, out: String::new(), regions: Vec::new() };
    writer.part(0..source.len(), &nodes);
    (writer.out, writer.regions)
}

struct Node<'a> {
    range: Range<usize>,
    form: Form,
    changes: Vec<(usize, &'a str)>,
}

struct Writer<'a> {
    source: &'a str,
    out: String,
    regions: Vec<Region>,
}

impl Writer<'_> {
    /// Writes a part of the source with what is changed in it. Goes as deep as expressions nest.
    fn part(&mut self, range: Range<usize>, nodes: &[Node<'_>]) {
        let mut at = range.start;
        let mut rest = nodes;
        while let [node, behind @ ..] = rest {
            self.copy(at..node.range.start);
            let inside = behind.iter().take_while(|other| other.range.end <= node.range.end);
            let inside = if node.form == Form::Expression { inside.count() } else { 0 };
            let (inside, behind) = behind.split_at(inside);
            self.node(node, inside);
            at = node.range.end;
            rest = behind;
        }
        self.copy(at..range.end);
    }

    fn copy(&mut self, range: Range<usize>) {
        self.out.push_str(self.source.get(range).unwrap_or_default());
    }

    fn node(&mut self, node: &Node<'_>, inside: &[Node<'_>]) {
        let from = self.out.len();
        if node.form == Form::Expression {
            self.out.push('(');
        }
        for (number, text) in &node.changes {
            let from = self.out.len();
            let code = match node.form {
                Form::Body => format!(" if crate::mutant::is({number}) {{ {text} }}"),
                Form::Arm => format!(" if !crate::mutant::is({number})"),
                Form::Expression => format!("if crate::mutant::is({number}) {{ {text} }} else "),
            };
            self.out.push_str(&code);
            self.regions.push(Region { range: from..self.out.len(), numbers: vec![*number] });
        }
        if node.form == Form::Expression {
            self.out.push_str("{ ");
            self.part(node.range.clone(), inside);
            self.out.push_str(" })");
        }
        let numbers = node.changes.iter().map(|(number, _)| *number).collect();
        self.regions.push(Region { range: from..self.out.len(), numbers });
    }
}
