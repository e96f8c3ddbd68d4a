//! What waits for its time, the earliest first, and how much it takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Pending;
use super::requests::Held;
use crate::window::weight;

/// What it takes that something waits.
pub(super) trait Weighs {
    /// In bytes.
    fn weight(&self) -> u64;
}

impl Weighs for Pending {
    fn weight(&self) -> u64 {
        weight::undecided(&self.m).saturating_add(size_of::<Self>() as u64)
    }
}

impl Weighs for Held {
    fn weight(&self) -> u64 {
        self.bytes() as u64
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Queue<T> {
    heap: BinaryHeap<Reverse<T>>,
    bytes: u64,
}

impl<T: Ord + Weighs> Queue<T> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, of: T) {
        self.bytes = self.bytes.saturating_add(of.weight());
        self.heap.push(Reverse(of));
    }

    pub(super) fn peek(&self) -> Option<&T> {
        self.heap.peek().map(|Reverse(first)| first)
    }

    pub(super) fn pop(&mut self) -> Option<T> {
        let Reverse(first) = self.heap.pop()?;
        self.bytes = self.bytes.saturating_sub(first.weight());
        Some(first)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// In no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.heap.iter().map(|Reverse(of)| of)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// What all of it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}
