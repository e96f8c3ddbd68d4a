//! Which events all selectors treat alike: by verb, resource, subresource, group, stage, and of others by path.
//!
//! Verb and resource are told by the place in the index (`index/mod.rs`); events whose place lists no step have no class. Only what some selector names is told apart, so there are few classes, and what takes an event of a class takes all of them.

use dsl::ir::{Groups, Resource, Selector, Subresource, Target, Targets};

use super::hash::Table;
use crate::eval::query;
use crate::event::row::{Row, Slot};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Classes {
    subresources: Names,
    groups: Names,
    paths: Table<Box<[u8]>, u16>,
    prefixes: Prefixes,
}

/// Prefixes of paths. The longest one that a path has tells all that it has: the others are prefixes of that.
#[derive(Debug, Default)]
struct Prefixes {
    /// In order, once [`Prefixes::sort`] has been called.
    all: Vec<Box<[u8]>>,
    /// By number: the longest other one that is a prefix of this.
    parents: Vec<Option<usize>>,
}

impl Prefixes {
    fn sort(&mut self) {
        self.all.sort_unstable();
        self.all.dedup();
        self.parents = Vec::with_capacity(self.all.len());
        for at in 0..self.all.len() {
            let before = at.checked_sub(1);
            let parent = self.up(before, &self.all[at]);
            self.parents.push(parent);
        }
    }

    /// The first one that a path has among this one, its parent, and so on.
    fn up(&self, mut at: Option<usize>, path: &[u8]) -> Option<usize> {
        while let Some(here) = at.filter(|at| !path.starts_with(&self.all[*at])) {
            at = self.parents[here];
        }
        at
    }

    /// The longest that a path has: the last in order that is not behind the path, or one of that one's own prefixes, since
    /// what stands in order between a path and its prefix has that prefix too.
    fn longest(&self, path: &[u8]) -> Option<usize> {
        let behind = self.all.partition_point(|prefix| **prefix <= *path);
        self.up(behind.checked_sub(1), path)
    }
}

/// Names that are told apart, from 2. 0 is none at all, 1 every other.
#[derive(Debug, Default)]
struct Names(Table<Box<str>, u16>);

impl Names {
    fn add(&mut self, name: &str) {
        let next = u16::try_from(self.0.len() + 2).unwrap_or(u16::MAX);
        self.0.entry(name.into()).or_insert(next);
    }

    fn of(&self, name: Option<&str>) -> u32 {
        match name {
            None => 0,
            Some(_) if self.0.is_empty() => 1,
            Some(name) => u32::from(self.0.get(name).copied().unwrap_or(1)),
        }
    }
}

/// A class; equal ones are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    /// In the index: which verb it is, and which resource.
    place: u32,
    /// Subresource and group, or the path of what has no resource.
    names: u32,
    stage: u32,
    /// Of what has no resource: the longest prefix, from 1.
    prefix: u32,
}

impl Classes {
    /// Nothing if there are more names than are told apart.
    pub(super) fn new<'s>(selectors: impl Iterator<Item = &'s Selector>) -> Option<Self> {
        let mut this = Self::default();
        for on in selectors {
            let (Targets::Only(list) | Targets::AllBut(list) | Targets::ResourcesBut(list)) = &on.targets;
            list.iter().for_each(|target| this.target(target));
        }
        this.prefixes.sort();
        let few = [&this.subresources, &this.groups]
            .into_iter()
            .all(|names| names.0.len() < usize::from(u16::MAX) - 2);
        (few && this.paths.len() < usize::from(u16::MAX)).then_some(this)
    }

    fn target(&mut self, target: &Target) {
        match target {
            Target::Resource(Resource { groups, subresource, .. }) => {
                if let Groups::OneOf(groups) = groups {
                    groups.iter().for_each(|group| self.groups.add(group));
                }
                if let Subresource::Only(name) = subresource {
                    self.subresources.add(name);
                }
            }
            Target::NonResource { path, prefix: true } => {
                self.prefixes.all.push(path.as_bytes().into());
            }
            Target::NonResource { path, prefix: false } => {
                let next = u16::try_from(self.paths.len() + 1).unwrap_or(u16::MAX);
                self.paths.entry(path.as_bytes().into()).or_insert(next);
            }
        }
    }

    /// The class of an event at a place of the index.
    #[inline]
    pub(super) fn of(&self, place: usize, row: &Row<'_>) -> Class {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let stage = row.stage as u32;
        if row.text(Slot::Resource).is_none() {
            let (names, prefix) = self.path(row);
            return Class { place, names, stage, prefix };
        }
        let subresource = row.text(Slot::Subresource).filter(|name| !name.is_empty());
        let group = row.text(Slot::ApiGroup).unwrap_or("");
        let names = self.subresources.of(subresource) << 16 | self.groups.of(Some(group));
        Class { place, names, stage, prefix: 0 }
    }

    /// Which path it is, and which prefix it has.
    fn path(&self, row: &Row<'_>) -> (u32, u32) {
        if self.paths.is_empty() && self.prefixes.all.is_empty() {
            return (0, 0);
        }
        let Some(uri) = row.text(Slot::RequestUri) else { return (0, 0) };
        let path = query::path(uri);
        let exact = self.paths.get(&*path).copied().unwrap_or(0);
        let prefix = self.prefixes.longest(&path).map_or(0, |at| u32::try_from(at + 1).unwrap_or(u32::MAX));
        (u32::from(exact), prefix)
    }
}
