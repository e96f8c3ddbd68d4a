//! Conditions about one value, or about all that one slot holds, found together.
//!
//! A *reader* is a value with questions about it: texts (`texts.rs`), numbers in sorted rows, truths. A group has one reader, or
//! all that read one slot with a few values only (a user, an agent, a namespace, an annotation): what is true of
//! those is a function of the bytes that stand there, and is remembered by them (`memo.rs`). Such a group also holds
//! conditions of any kind that read nothing but its slot (`any g in user.groups: (..)`, `source_ip in cidr ..`): each is asked
//! by the evaluator, once for each value that comes along.
//!
//! What is read is read by the evaluator itself, so that absent and unknown mean here what they mean there.

use regex_automata::PatternSet;

use super::marks::{Marks, set};
use super::texts::{Ask, Texts};
use crate::eval::text::fold;
use crate::eval::{self, Cx, Truth, Val};
use crate::event::row::Slot;
use crate::plan::expr::{Compare, Node};

/// A question about a value.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// One of these, of whatever kind.
    Equal { texts: Vec<Box<str>>, numbers: Vec<f64>, truths: Vec<bool>, ignoring_case: bool },
    /// About a text; folded if case is ignored.
    Text { ask: Ask, ignoring_case: bool },
    /// Against a number, by an order.
    Order(Compare, f64),
}

/// How the answers of a group are remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept {
    /// By the bytes that stand here.
    pub(super) slot: Slot,
    /// Whether what is not there is one value as well: not the name, which is unknown or absent by the verb.
    pub(super) blank: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) kept: Option<Kept>,
    /// Its first word among all.
    pub(super) base: usize,
    pub(super) words: usize,
    readers: Vec<Reader>,
    opaque: Vec<(u32, Node)>,
}

#[derive(Debug)]
struct Reader {
    node: Node,
    /// Each element of the value.
    spread: bool,
    /// The bits of its answers.
    all: Vec<u64>,
    texts: Option<Texts>,
    folded: Option<Texts>,
    numbers: Numbers,
    truths: [Vec<u32>; 2],
}

/// Numbers with the bits of what compares to them, ascending.
#[derive(Debug, Default)]
struct Numbers {
    equal: Vec<(f64, u32)>,
    /// `<`, `<=`, `>`, `>=`
    order: [Vec<(f64, u32)>; 4],
}

impl Numbers {
    fn sort(&mut self) {
        for row in self.order.iter_mut().chain([&mut self.equal]) {
            row.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        }
    }

    fn ask(&self, n: f64, yes: &mut [u64]) {
        let from = self.equal.partition_point(|(c, _)| *c < n);
        for (_, bit) in self.equal.iter().skip(from).take_while(|(c, _)| *c == n) {
            set(yes, *bit);
        }
        let [lt, le, gt, ge] = &self.order;
        // Ascending: what a number is less than stands at the end, what it is more than at the start.
        lt.iter().rev().take_while(|(c, _)| n < *c).for_each(|(_, bit)| set(yes, *bit));
        le.iter().rev().take_while(|(c, _)| n <= *c).for_each(|(_, bit)| set(yes, *bit));
        gt.iter().take_while(|(c, _)| n > *c).for_each(|(_, bit)| set(yes, *bit));
        ge.iter().take_while(|(c, _)| n >= *c).for_each(|(_, bit)| set(yes, *bit));
    }
}

/// What a group needs while it asks.
pub(super) struct Room<'m> {
    pub(super) tried: &'m mut Vec<u64>,
    pub(super) patterns: &'m mut PatternSet,
}

/// A reader before it is ready, with its questions and their bits.
pub(super) type ReaderDraft = (Node, bool, Vec<(u32, Test)>);

impl Group {
    /// Nothing if an automaton would be too large.
    pub(super) fn new(
        (kept, base, words): (Option<Kept>, usize, usize),
        readers: Vec<ReaderDraft>,
        opaque: Vec<(u32, Node)>,
    ) -> Option<Self> {
        let readers = readers.into_iter().map(|reader| Reader::new(reader, words)).collect::<Option<_>>()?;
        Some(Self { kept, base, words, readers, opaque })
    }

    /// The most patterns that one automaton of it has.
    pub(super) fn patterns(&self) -> usize {
        let texts = self.readers.iter().flat_map(|reader| reader.texts.iter().chain(&reader.folded));
        texts.map(Texts::patterns_together).max().unwrap_or(0)
    }

    /// Finds which of its conditions are true of an event and which are false; both begin empty.
    pub(super) fn ask<'a>(&'a self, cx: &Cx<'_, 'a>, (yes, no): (&mut [u64], &mut [u64]), room: Room<'_>) {
        let Room { tried, patterns } = room;
        for reader in &self.readers {
            let value = eval::value(&reader.node, cx);
            let value = if reader.spread { value.each() } else { value };
            tried.clear();
            tried.resize(self.words, 0);
            if reader.ask(&value, &mut Marks { yes, tried, patterns }) {
                continue;
            }
            for ((no, yes), all) in no.iter_mut().zip(yes.iter()).zip(&reader.all) {
                *no |= all & !yes;
            }
        }
        for (bit, condition) in &self.opaque {
            match eval::truth(condition, cx) {
                Truth::True => set(yes, *bit),
                Truth::False => set(no, *bit),
                Truth::Unknown => {}
            }
        }
    }
}

impl Reader {
    fn new((node, spread, tests): ReaderDraft, words: usize) -> Option<Self> {
        let mut all = vec![0; words];
        let (mut asks, mut folded) = (Vec::new(), Vec::new());
        let mut numbers = Numbers::default();
        let mut truths = [Vec::new(), Vec::new()];
        for (bit, test) in tests {
            set(&mut all, bit);
            match test {
                Test::Equal { texts, numbers: equal, truths: equal_truths, ignoring_case } => {
                    numbers.equal.extend(equal.into_iter().map(|n| (n, bit)));
                    equal_truths.into_iter().for_each(|truth| truths[usize::from(truth)].push(bit));
                    if !texts.is_empty() {
                        let to = if ignoring_case { &mut folded } else { &mut asks };
                        to.push((bit, Ask::Equal(texts)));
                    }
                }
                Test::Text { ask, ignoring_case } => {
                    let to = if ignoring_case { &mut folded } else { &mut asks };
                    to.push((bit, ask));
                }
                Test::Order(by, n) => {
                    let row = match by {
                        Compare::Lt => 0,
                        Compare::Le => 1,
                        Compare::Gt => 2,
                        _ => 3,
                    };
                    numbers.order[row].push((n, bit));
                }
            }
        }
        numbers.sort();
        let texts = |asks: Vec<_>| if asks.is_empty() { Some(None) } else { Texts::new(asks).map(Some) };
        Some(Self { node, spread, all, texts: texts(asks)?, folded: texts(folded)?, numbers, truths })
    }

    /// Marks what is true, and says whether the rest is unknown.
    fn ask(&self, value: &Val<'_>, marks: &mut Marks<'_>) -> bool {
        match value {
            Val::Spread(items, open) => {
                items.iter().fold(*open, |unknown, item| self.one(item, marks) | unknown)
            }
            one => self.one(one, marks),
        }
    }

    fn one(&self, value: &Val<'_>, marks: &mut Marks<'_>) -> bool {
        match value {
            Val::Unknown => return true,
            Val::Text(text) => {
                if let Some(texts) = &self.texts {
                    marks.tried.fill(0);
                    texts.ask(text, text, marks);
                }
                if let Some(texts) = &self.folded {
                    marks.tried.fill(0);
                    texts.ask(&fold(text), text, marks);
                }
            }
            Val::Number(n) => self.numbers.ask(*n, marks.yes),
            Val::Bool(truth) => self.truths[usize::from(*truth)].iter().for_each(|bit| set(marks.yes, *bit)),
            _ => {}
        }
        false
    }
}
