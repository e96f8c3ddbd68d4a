//! Programs made from the grammar, every production of it, with odd spacing and comments, for tests and fuzzing.
//!
//! What is made is decided by a row of choices, which come from a seed or from a fuzzer's bytes; when these are used up
//! every choice is the first, so the programs end. They parse without a mistake, but mean nothing: names are not
//! defined, types do not fit. A program that does not parse, or that `fmt` changes, is a bug of the parser or of `fmt`
//! (or of this).

mod rules;
mod values;

use std::fmt::Write as _;

/// A row of choices.
#[derive(Debug)]
pub struct Choices<'b> {
    source: Source<'b>,
    /// How many more are made; it bounds the size of what they make.
    left: usize,
}

#[derive(Debug)]
enum Source<'b> {
    Bytes(std::slice::Iter<'b, u8>),
    Seed(u64),
}

/// So many choices make a program of a few kilobytes.
const CHOICES_MAX: usize = 4_000;

impl<'b> Choices<'b> {
    /// One choice a byte.
    #[must_use]
    pub fn from_bytes(bytes: &'b [u8]) -> Self {
        Self { source: Source::Bytes(bytes.iter()), left: CHOICES_MAX }
    }

    /// All choices follow from a number.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        Self { source: Source::Seed(seed), left: CHOICES_MAX }
    }

    /// A number below `end`; 0 when there are no more choices.
    pub fn below(&mut self, end: usize) -> usize {
        let Some(left) = self.left.checked_sub(1) else { return 0 };
        self.left = left;
        let made = match &mut self.source {
            Source::Bytes(bytes) => bytes.next().copied().map_or(0, usize::from),
            Source::Seed(state) => split_mix(state),
        };
        made % end.max(1)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// True once in `n` times, never when there are no more choices.
    fn once_in(&mut self, n: usize) -> bool {
        self.below(n) + 1 == n
    }
}

/// Steele, Lea and Flood's SplitMix64: short, and good enough to choose with.
fn split_mix(state: &mut u64) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 33).unwrap_or(0)
}

/// A file of rules that parses.
pub fn program(choices: &mut Choices<'_>) -> String {
    let mut maker = Maker::new(choices, Space::File);
    let items = maker.choices.below(8);
    for _ in 0..items {
        maker.item();
    }
    if maker.choices.once_in(3) {
        maker.space(true);
    }
    maker.out
}

/// What may stand between tokens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    /// Line ends and comments too.
    File,
    /// Within the braces of an alert's text.
    Line,
}

/// Names that are no word of the language where a name stands, but are elsewhere.
const NAMES: [&str; 30] = [
    "a", "b2", "user", "x_y", "_z", "of", "but", "at", "within", "tumbling", "session", "gap", "for",
    "among", "learning", "times", "every", "one", "resource", "given", "start", "until", "expect", "tuned",
    "And", "Not", "IN", "is", "there", "rules",
];

struct Maker<'c, 'b> {
    choices: &'c mut Choices<'b>,
    out: String,
    between: Space,
    /// The last token goes on with any character of a resource's name, so what follows must stand apart.
    run: bool,
    depth: usize,
    comments: usize,
}

impl<'c, 'b> Maker<'c, 'b> {
    fn new(choices: &'c mut Choices<'b>, between: Space) -> Self {
        Self { choices, out: String::new(), between, run: false, depth: 0, comments: 0 }
    }

    /// A token, apart from the one before where it must be, and sometimes where it need not.
    fn token(&mut self, token: &str) {
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
        let glued = self.run || self.out.ends_with(word);
        let must =
            glued && token.starts_with(|c| word(c) || (self.run && matches!(c, '*' | '.' | '-' | '/')));
        self.space(must);
        self.out.push_str(token);
        self.run = false;
    }

    /// A tag or resource.
    fn run_token(&mut self, token: &str) {
        self.token(token);
        self.run = true;
    }

    fn space(&mut self, must: bool) {
        if self.between == Space::Line {
            if must || self.choices.once_in(4) {
                self.out.push(' ');
            }
            return;
        }
        let spaces = match self.choices.below(16) {
            0..=8 => " ",
            9 => "\n",
            10 => "  \t",
            11 => "\r\n",
            12 => "\n\n\n    ",
            13 => return self.comment(),
            _ if must => " ",
            _ => "",
        };
        self.out.push_str(spaces);
    }

    fn comment(&mut self) {
        self.comments += 1;
        let lead = self.choices.pick(&["  ", "\n", "\n\n  ", ""]);
        let text = self.choices.pick(&["# note", "#", "# \"open", "# let a = 'b' { [ (", "## é… \t"]);
        let end = self.choices.pick(&["\n", "\n\n", "\r\n", "\n    "]);
        // Without the number a comment that is lost and one that is told twice would make up for each other.
        let _ = write!(self.out, "{lead}{text}{}{end}", self.comments);
    }

    fn tokens(&mut self, tokens: &[&str]) {
        tokens.iter().for_each(|token| self.token(token));
    }

    fn name(&mut self) {
        let name = self.choices.pick(&NAMES);
        self.token(name);
    }

    fn maybe(&mut self, make: impl FnOnce(&mut Self)) {
        if self.choices.once_in(3) {
            make(self);
        }
    }

    /// One to four, with commas between them.
    fn commas(&mut self, mut make: impl FnMut(&mut Self)) {
        make(self);
        for _ in 0..self.choices.below(4) {
            self.token(",");
            make(self);
        }
    }

    /// None to three in brackets, with a comma after the last sometimes.
    fn bracketed(&mut self, open: &str, close: &str, mut make: impl FnMut(&mut Self)) {
        self.token(open);
        let count = self.choices.below(4);
        for n in 0..count {
            make(self);
            if n + 1 < count || self.choices.once_in(4) {
                self.token(",");
            }
        }
        self.token(close);
    }
}
