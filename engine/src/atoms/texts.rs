//! Many questions about one text, answered in one pass.
//!
//! Equality and sets are one look into a table. Parts, beginnings and ends are one automaton over all of them (Aho and Corasick's); a
//! pattern that cannot hold without one of a few texts stands there with those, and is asked by itself only where one of them was
//! seen. All other patterns are one automaton too, made lazily and within a bounded cache; if they are too large together,
//! each is asked by itself. So the time is that of the text, of what is found in it and of patterns that were half found,
//! each at most once; not that of the rules.

use aho_corasick::AhoCorasick;
use dsl::pattern::Pattern;
use regex_automata::Input;
use regex_automata::meta;
use regex_syntax::hir::Hir;
use regex_syntax::hir::literal::{ExtractKind, Extractor};

use super::hash::Table;
use super::marks::{Marks, set};
use crate::eval::text::Like;

/// A text that a pattern cannot do without must be this long to be looked for in its place: of a shorter one there are too many.
const NEEDLE_MIN: usize = 3;
/// How many such texts a pattern may have.
const NEEDLES_MAX: usize = 16;
/// How large all patterns may be together, in bytes; beyond it each is asked by itself.
const PATTERNS_BYTES_MAX: usize = 32 << 20;
/// What the automaton of all patterns may keep of itself for a thread, in bytes.
const CACHE_BYTES: usize = 4 << 20;

/// A question about a text.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// Is it one of these?
    Equal(Vec<Box<str>>),
    Contains(Box<str>),
    Starts(Box<str>),
    Ends(Box<str>),
    Like(Like),
    Matches(Pattern),
}

/// What is to be done where a text of the automaton was seen.
#[derive(Clone, Copy, Debug)]
enum Seen {
    Contains(u32),
    Starts(u32),
    Ends(u32),
    /// By number.
    Like(usize),
    Pattern(usize),
}

/// See the module. Bits are those of the group.
#[derive(Debug, Default)]
pub(super) struct Texts {
    equal: Table<Box<str>, Vec<u32>>,
    parts: Option<AhoCorasick>,
    /// By the number of the text in the automaton.
    seen: Vec<Vec<Seen>>,
    /// True of every text.
    always: Vec<u32>,
    likes: Vec<(u32, Like)>,
    /// Those without a text that they cannot do without, by number.
    bare_likes: Vec<usize>,
    patterns: Vec<(u32, Pattern)>,
    /// Patterns in one automaton, with their bits.
    together: Option<(meta::Regex, Vec<u32>)>,
    /// Patterns that are always asked one by one, by number.
    bare_patterns: Vec<usize>,
}

/// A pattern as the one automaton of all of them reads it.
fn hir(of: &Pattern) -> Option<Hir> {
    regex_syntax::ParserBuilder::new().case_insensitive(of.ignores_case()).build().parse(of.text()).ok()
}

/// Texts one of which is in everything that the pattern matches.
fn needles(hir: &Hir) -> Option<Vec<Box<str>>> {
    [ExtractKind::Prefix, ExtractKind::Suffix].into_iter().find_map(|kind| {
        let mut sequence = Extractor::new().kind(kind).extract(hir);
        sequence.minimize_by_preference();
        let literals = sequence.literals()?;
        let fit = (1..=NEEDLES_MAX).contains(&literals.len());
        let texts = literals.iter().filter(|_| fit).map(|literal| {
            let text = std::str::from_utf8(literal.as_bytes()).ok()?;
            (text.len() >= NEEDLE_MIN).then(|| text.into())
        });
        texts.collect::<Option<Vec<Box<str>>>>().filter(|texts| !texts.is_empty())
    })
}

impl Texts {
    /// Of questions with the bits of their answers. Where case is ignored their texts are folded, and so must be what is asked about.
    /// Nothing if the automaton would be too large.
    pub(super) fn new(asks: Vec<(u32, Ask)>) -> Option<Self> {
        let mut this = Self::default();
        let mut looked: Vec<Box<str>> = Vec::new();
        let mut number: Table<Box<str>, usize> = Table::default();
        let mut look = |text: Box<str>, seen: Seen, all: &mut Vec<Vec<Seen>>| {
            let at = *number.entry(text.clone()).or_insert_with(|| {
                looked.push(text);
                all.push(Vec::new());
                all.len() - 1
            });
            all[at].push(seen);
        };
        let mut bare: Vec<(u32, Hir)> = Vec::new();
        for (bit, ask) in asks {
            match ask {
                Ask::Equal(texts) => {
                    texts.into_iter().for_each(|text| this.equal.entry(text).or_default().push(bit));
                }
                Ask::Contains(text) | Ask::Starts(text) | Ask::Ends(text) if text.is_empty() => {
                    this.always.push(bit);
                }
                Ask::Contains(text) => look(text, Seen::Contains(bit), &mut this.seen),
                Ask::Starts(text) => look(text, Seen::Starts(bit), &mut this.seen),
                Ask::Ends(text) => look(text, Seen::Ends(bit), &mut this.seen),
                Ask::Like(like) => {
                    let (needle, at) = (like.needle(), this.likes.len());
                    this.likes.push((bit, like));
                    match needle.is_empty() {
                        true => this.bare_likes.push(at),
                        false => look(needle.into(), Seen::Like(at), &mut this.seen),
                    }
                }
                Ask::Matches(pattern) => {
                    let (parsed, at) = (hir(&pattern), this.patterns.len());
                    this.patterns.push((bit, pattern));
                    match (parsed.as_ref().and_then(needles), parsed) {
                        (Some(texts), _) => {
                            texts.into_iter().for_each(|text| look(text, Seen::Pattern(at), &mut this.seen));
                        }
                        (None, Some(parsed)) => bare.push((bit, parsed)),
                        (None, None) => this.bare_patterns.push(at),
                    }
                }
            }
        }
        if !looked.is_empty() {
            this.parts = Some(AhoCorasick::new(looked.iter().map(|text| text.as_bytes())).ok()?);
        }
        this.put_together(bare);
        Some(this)
    }

    fn put_together(&mut self, bare: Vec<(u32, Hir)>) {
        let (bits, hirs): (Vec<u32>, Vec<Hir>) = bare.into_iter().unzip();
        if bits.is_empty() {
            return;
        }
        let config = meta::Config::new()
            .nfa_size_limit(Some(PATTERNS_BYTES_MAX))
            .hybrid_cache_capacity(CACHE_BYTES)
            .match_kind(regex_automata::MatchKind::All)
            .dfa(false);
        match meta::Builder::new().configure(config).build_many_from_hir(&hirs) {
            Ok(regex) => self.together = Some((regex, bits)),
            Err(_) => {
                let of = |bit: &u32| bits.contains(bit);
                self.bare_patterns
                    .extend((0..).zip(&self.patterns).filter(|(_, (bit, _))| of(bit)).map(|(at, _)| at));
            }
        }
    }

    /// How many patterns the one automaton has.
    pub(super) fn patterns_together(&self) -> usize {
        self.together.as_ref().map_or(0, |(_, bits)| bits.len())
    }

    /// Marks what is true of a text. `whole` is the text as the event has it, where `text` may be folded.
    pub(super) fn ask(&self, text: &str, whole: &str, marks: &mut Marks<'_>) {
        if let Some(bits) = self.equal.get(text) {
            bits.iter().for_each(|bit| set(marks.yes, *bit));
        }
        self.always.iter().for_each(|bit| set(marks.yes, *bit));
        if let Some(parts) = &self.parts {
            for found in parts.find_overlapping_iter(text.as_bytes()) {
                let seen = self.seen.get(found.pattern().as_usize()).map_or(&[][..], Vec::as_slice);
                for seen in seen {
                    match *seen {
                        Seen::Contains(bit) => set(marks.yes, bit),
                        Seen::Starts(bit) if found.start() == 0 => set(marks.yes, bit),
                        Seen::Ends(bit) if found.end() == text.len() => set(marks.yes, bit),
                        Seen::Starts(_) | Seen::Ends(_) => {}
                        Seen::Like(at) => self.like(at, whole, marks),
                        Seen::Pattern(at) => self.pattern(at, whole, marks),
                    }
                }
            }
        }
        self.bare_likes.iter().for_each(|at| self.like(*at, whole, marks));
        self.bare_patterns.iter().for_each(|at| self.pattern(*at, whole, marks));
        if let Some((regex, bits)) = &self.together {
            marks.patterns.clear();
            regex.which_overlapping_matches(&Input::new(whole), marks.patterns);
            for bit in marks.patterns.iter().filter_map(|id| bits.get(id.as_usize())) {
                set(marks.yes, *bit);
            }
        }
    }

    /// Of one text each is asked once, however often what it needs is seen.
    fn like(&self, at: usize, whole: &str, marks: &mut Marks<'_>) {
        if let Some((bit, like)) = self.likes.get(at)
            && marks.first_time(*bit)
            && like.is_match(whole)
        {
            set(marks.yes, *bit);
        }
    }

    fn pattern(&self, at: usize, whole: &str, marks: &mut Marks<'_>) {
        if let Some((bit, regex)) = self.patterns.get(at)
            && marks.first_time(*bit)
            && regex.is_match(whole)
        {
            set(marks.yes, *bit);
        }
    }
}
