//! Which parts of the language decide a case.
//!
//! A property test over random cases is worth as much as the parts of the language that its cases hang on. A part *decides* a
//! case if the reference answers otherwise once that part is poisoned: each of its truths is negated (unknown becomes true),
//! each of its values becomes absent (an absent one some text), a window falls away, a stage is not looked at, and so on;
//! each place says what its poison does. So a part that is merely there, or whose answer another part makes
//! irrelevant, does not count.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::logic::Truth;
use super::value::V;

/// A part of the language, by the name that tables show.
pub type Feature = &'static str;

/// Poisons at most one part, and notes which it met.
#[derive(Debug, Default)]
pub struct Poison {
    what: Option<Feature>,
    met: RefCell<BTreeSet<Feature>>,
}

impl Poison {
    /// Poisons that part.
    #[must_use]
    pub fn of(what: Feature) -> Self {
        Self { what: Some(what), met: RefCell::default() }
    }

    /// The parts that were met so far.
    #[must_use]
    pub fn met(&self) -> BTreeSet<Feature> {
        self.met.borrow().clone()
    }

    /// Notes the part; whether it is poisoned.
    pub(crate) fn hits(&self, part: Feature) -> bool {
        if self.what.is_none() {
            self.met.borrow_mut().insert(part);
        }
        self.what == Some(part)
    }

    pub(super) fn truth(&self, part: Feature, truth: Truth) -> Truth {
        match (self.hits(part), truth) {
            (false, truth) => truth,
            (true, Truth::True) => Truth::False,
            (true, _) => Truth::True,
        }
    }

    pub(super) fn value(&self, part: Feature, value: V) -> V {
        match (self.hits(part), value) {
            (false, value) => value,
            (true, V::Absent) => V::Text("poison".to_owned()),
            (true, _) => V::Absent,
        }
    }
}
