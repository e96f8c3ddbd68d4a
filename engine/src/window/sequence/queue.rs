//! What waits at one step, in the order of deciding, and where to find what has a certain value.
//!
//! Positions count all matches that ever waited, so that they stay true while the front leaves. The tables are ordered
//! trees over the bytes of values and not hashes, so that nobody who chooses the values can choose their collisions.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

use super::super::{shrink, weight};
use super::Waiting;
use crate::event::identity;
use crate::matches::{Nanos, Value};
use crate::plan::cost::STEP_BYTES_MAX;
use crate::plan::sequence::Column;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct StepQueue {
    waiting: VecDeque<Arc<Waiting>>,
    /// What they take.
    bytes: u64,
    /// How many have left at the front.
    gone: u64,
    indexes: Vec<Index>,
    /// The latest time at which a match was let go of because there were too many.
    pub(crate) dropped: Option<Nanos>,
}

#[derive(Clone, Debug)]
struct Index {
    column: Column,
    /// Positions by value, each ascending.
    rows: BTreeMap<Box<[u8]>, VecDeque<u64>>,
    /// Positions of lists and maps.
    loose: VecDeque<u64>,
}

/// By what a match is found.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Scalars as bytes, sorted, none twice. What is unknown equals nothing and has none.
    scalars: Vec<Box<[u8]>>,
    /// There is a list or a map among the values.
    loose: bool,
}

impl Keys {
    pub(super) fn of(column: Column, waiting: &Waiting) -> Self {
        let mut keys = Self::default();
        match column {
            Column::Identity => keys.scalars.push(Box::from(*waiting.id())),
            Column::Capture(slot) => match waiting.captures.get(slot as usize) {
                Some(Value::Spread { items, .. }) => items.iter().for_each(|item| keys.add(item)),
                Some(one) => keys.add(one),
                None => keys.add(&Value::Absent),
            },
        }
        keys.scalars.sort_unstable();
        keys.scalars.dedup();
        keys
    }

    pub(super) fn len(&self) -> usize {
        self.scalars.len()
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Unknown => {}
            Value::List { .. } | Value::Map { .. } | Value::Spread { .. } => self.loose = true,
            scalar => {
                let mut bytes = Vec::new();
                identity::scalar(scalar, &mut bytes);
                // Whoever finds one looks whether it is the same.
                self.scalars.push(identity::short(bytes));
            }
        }
    }
}

impl StepQueue {
    pub(super) fn new(columns: &[Column]) -> Self {
        let index =
            |column: &Column| Index { column: *column, rows: BTreeMap::new(), loose: VecDeque::new() };
        let indexes = columns.iter().map(index).collect();
        Self { waiting: VecDeque::new(), bytes: 0, gone: 0, indexes, dropped: None }
    }

    /// Behind all that waits.
    pub(crate) fn push(&mut self, waiting: Arc<Waiting>) {
        let position = self.end();
        for index in &mut self.indexes {
            let keys = Keys::of(index.column, &waiting);
            for key in keys.scalars {
                index.rows.entry(key).or_default().push_back(position);
            }
            if keys.loose {
                index.loose.push_back(position);
            }
        }
        self.bytes = self.bytes.saturating_add(weight::waiting(&waiting));
        self.waiting.push_back(waiting);
    }

    /// The first leaves.
    pub(super) fn pop(&mut self) -> Option<Arc<Waiting>> {
        let first = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(weight::waiting(&first));
        self.gone += 1;
        for index in &mut self.indexes {
            let keys = Keys::of(index.column, &first);
            for key in keys.scalars {
                if let Some(row) = index.rows.get_mut(&key) {
                    row.pop_front();
                    if row.is_empty() {
                        index.rows.remove(&key);
                    }
                }
            }
            if keys.loose {
                index.loose.pop_front();
            }
        }
        Some(first)
    }

    /// The first leaves for want of room. Gives how many did.
    pub(super) fn squeeze(&mut self) -> u64 {
        let gone = self.pop().map(|first| first.at());
        shrink(&mut self.waiting);
        self.dropped = self.dropped.max(gone);
        u64::from(gone.is_some())
    }

    /// What of it can go for want of room, in bytes: all but the newest, and that too if it is of no usual size.
    pub(super) fn spare(&self) -> u64 {
        let newest = self.back().map_or(0, |newest| weight::waiting(newest).min(STEP_BYTES_MAX));
        self.bytes.saturating_sub(newest)
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Waiting>> {
        self.waiting.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn front(&self) -> Option<&Arc<Waiting>> {
        self.waiting.front()
    }

    pub(super) fn back(&self) -> Option<&Arc<Waiting>> {
        self.waiting.back()
    }

    pub(super) fn get(&self, position: u64) -> Option<&Arc<Waiting>> {
        self.waiting.get(usize::try_from(position.checked_sub(self.gone)?).ok()?)
    }

    /// The position behind the last.
    pub(super) fn end(&self) -> u64 {
        self.gone + self.waiting.len() as u64
    }

    /// The position of the first that is not before a time.
    pub(super) fn not_before(&self, at: Nanos) -> u64 {
        self.gone + self.waiting.partition_point(|w| w.at() < at) as u64
    }

    /// The position of the first that is after a time.
    pub(super) fn after(&self, at: Nanos) -> u64 {
        self.gone + self.waiting.partition_point(|w| w.at() <= at) as u64
    }

    /// The position of the first whose number is not below one.
    pub(super) fn numbered(&self, number: u64) -> u64 {
        self.gone + self.waiting.partition_point(|w| w.number < number) as u64
    }

    /// All of a range of positions, the last first.
    pub(super) fn all(&self, first: u64, until: u64) -> Cursor<'_> {
        Cursor { first, next: until, rows: None, heads: BinaryHeap::new() }
    }

    /// Those of a range that may have a value in common, the last first.
    pub(super) fn having(&self, column: Column, keys: &Keys, first: u64, until: u64) -> Cursor<'_> {
        let Some(index) = self.indexes.iter().find(|index| index.column == column) else {
            return self.all(first, until);
        };
        let rows = keys.scalars.iter().filter_map(|key| index.rows.get(key));
        let loose = keys.loose.then_some(&index.loose);
        let mut cursor = Cursor {
            first,
            next: until,
            rows: Some(rows.chain(loose).map(|row| Row { row, left: 0 }).collect()),
            heads: BinaryHeap::new(),
        };
        cursor.cut(until);
        cursor
    }
}

/// A walk through positions, backwards.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    first: u64,
    /// All positions that come are below it.
    next: u64,
    /// Without: every position of the range.
    rows: Option<Vec<Row<'a>>>,
    /// Of each row that goes on, where it does, and its number.
    heads: BinaryHeap<(u64, usize)>,
}

#[derive(Debug)]
struct Row<'a> {
    row: &'a VecDeque<u64>,
    /// How many of it are still to come, of those in front of its head.
    left: usize,
}

impl Row<'_> {
    fn head(&mut self, first: u64) -> Option<u64> {
        self.left = self.left.checked_sub(1)?;
        self.row.get(self.left).copied().filter(|position| *position >= first)
    }
}

impl Cursor<'_> {
    /// Passes over all from a position on.
    pub(super) fn cut(&mut self, until: u64) {
        self.next = self.next.min(until);
        let Some(rows) = &mut self.rows else { return };
        self.heads.clear();
        for (number, row) in rows.iter_mut().enumerate() {
            row.left = row.row.partition_point(|position| *position < self.next);
            if let Some(head) = row.head(self.first) {
                self.heads.push((head, number));
            }
        }
    }

    /// How many there are at most, from here on. Of a whole range that is not asked.
    pub(super) fn len(&self) -> u64 {
        let Some(rows) = &self.rows else { return u64::MAX };
        self.heads.iter().map(|(_, number)| rows[*number].left as u64 + 1).sum()
    }

    pub(super) fn next(&mut self) -> Option<u64> {
        let Some(rows) = &mut self.rows else {
            if self.next <= self.first {
                return None;
            }
            self.next -= 1;
            return Some(self.next);
        };
        while let Some((position, number)) = self.heads.pop() {
            if let Some(head) = rows[number].head(self.first) {
                self.heads.push((head, number));
            }
            // One that has several of the values comes once.
            if position < self.next {
                self.next = position;
                return Some(position);
            }
        }
        None
    }
}
