//! A place in a line, and the steps that the scanner and the walker both take from it.
//!
//! A step takes what it knows exactly (a text, a list of texts, a map of texts in order, a user) or gives up, and then the
//! line is somebody else's. Nothing here looks back: places only grow, and the caller holds the last one to the line's
//! end. So what lies behind that end may be looked at, and makes no difference.
//!
//! Texts are taken with their escapes checked: a lone surrogate is left to the tape, which mends it. Maps of texts must
//! have their keys in ascending order, as Go writes them, since then no two are equal.

use super::row::{Slot, Slots};
use super::simd::{CHUNK, Simd, Work, chunk};
use super::slot::Shape;

/// See the module.
pub(super) struct Cursor<'t, S> {
    pub(super) simd: S,
    pub(super) text: &'t [u8],
    /// Where the line begins: slots are ranges from there on.
    pub(super) start: usize,
    /// One past the line's last byte.
    pub(super) end: usize,
    pub(super) at: usize,
    pub(super) slots: &'t mut Slots,
}

/// The four slots of a user's map.
pub(super) struct UserSlots {
    pub(super) map: Slot,
    pub(super) name: Slot,
    pub(super) uid: Slot,
    pub(super) groups: Slot,
    pub(super) extra: Slot,
}

pub(super) const USER: UserSlots = UserSlots {
    map: Slot::User,
    name: Slot::Username,
    uid: Slot::UserUid,
    groups: Slot::UserGroups,
    extra: Slot::UserExtra,
};

pub(super) const IMPERSONATED: UserSlots = UserSlots {
    map: Slot::ImpersonatedUser,
    name: Slot::ImpersonatedUsername,
    uid: Slot::ImpersonatedUid,
    groups: Slot::ImpersonatedGroups,
    extra: Slot::ImpersonatedExtra,
};

impl<S: Simd> Cursor<'_, S> {
    #[inline(always)]
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Goes over a literal if it stands here.
    #[inline(always)]
    pub(super) fn take<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        let there = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(literal));
        if there {
            self.at += N;
        }
        there
    }

    /// Goes over a literal that must stand here.
    #[inline(always)]
    pub(super) fn must<const N: usize>(&mut self, literal: &[u8; N]) -> Option<()> {
        self.take(literal).then_some(())
    }

    /// From behind a text's opening quote to behind its closing one. Gives where it ends and whether escapes are in it.
    #[inline(always)]
    pub(super) fn string(&mut self) -> Option<(usize, bool)> {
        let bytes = chunk(self.simd, self.text, self.at);
        let (quotes, backslashes) = (self.simd.equal(bytes, b'"'), self.simd.equal(bytes, b'\\'));
        let (end, escaped) = if quotes != 0 && backslashes & (quotes ^ (quotes - 1)) == 0 {
            (self.at + quotes.trailing_zeros() as usize, false)
        } else {
            self.simd.apart(LongString { text: self.text, at: self.at, end: self.end })?
        };
        self.at = end + 1;
        Some((end, escaped))
    }

    /// A text's content into its slot.
    #[inline(always)]
    pub(super) fn content(&mut self, slot: Slot) -> Option<()> {
        let from = self.at;
        let (end, escaped) = self.string()?;
        self.slots.set(slot, from - self.start, end - self.start);
        if escaped {
            self.slots.set_escaped(slot);
        }
        Some(())
    }

    /// What stands from `from` to here into a slot.
    #[inline(always)]
    pub(super) fn range(&mut self, slot: Slot, from: usize) {
        debug_assert_eq!(slot.shape(), Shape::Json);
        self.slots.set(slot, from - self.start, self.at - self.start);
    }

    /// A list of texts, from its opening bracket on.
    #[inline(always)]
    pub(super) fn texts(&mut self) -> Option<()> {
        self.must(b"[")?;
        if self.take(b"]") {
            return Some(());
        }
        loop {
            self.must(b"\"")?;
            self.string()?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A key and its colon, from behind its opening quote on; above the one before.
    #[inline(always)]
    fn ascending(&mut self, before: &mut (usize, usize)) -> Option<()> {
        let from = self.at;
        let (to, escaped) = self.string()?;
        let (key, last) = (self.text.get(from..to)?, self.text.get(before.0..before.1)?);
        if escaped || before.0 != 0 && key <= last {
            return None;
        }
        *before = (from, to);
        self.must(b":")
    }

    /// A map of texts, from its opening bracket on.
    #[inline(always)]
    pub(super) fn map_of_texts(&mut self) -> Option<()> {
        self.must(b"{")?;
        if self.take(b"}") {
            return Some(());
        }
        let mut before = (0, 0);
        loop {
            self.must(b"\"")?;
            self.ascending(&mut before)?;
            self.must(b"\"")?;
            self.string()?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A map of lists of texts, from its opening bracket on.
    #[inline(always)]
    pub(super) fn map_of_lists(&mut self) -> Option<()> {
        self.must(b"{")?;
        if self.take(b"}") {
            return Some(());
        }
        let mut before = (0, 0);
        loop {
            self.must(b"\"")?;
            self.ascending(&mut before)?;
            self.texts()?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// A whole number that a double holds exactly, into its slot.
    #[inline(always)]
    pub(super) fn number(&mut self, slot: Slot) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        let digits = self.text.get(from..self.at)?;
        // A zero in front of others is no JSON; a fraction or exponent behind ends in the caller's hands.
        if digits.is_empty() || digits.len() > 15 || digits.len() > 1 && digits[0] == b'0' {
            return None;
        }
        self.range(slot, from);
        Some(())
    }

    /// A body: `null`, a list or a map. What is in it is not looked at but for its texts and the number of its brackets.
    #[inline(always)]
    pub(super) fn body(&mut self, slot: Slot) -> Option<()> {
        if self.take(b"null") {
            self.slots.set_null(slot);
            return Some(());
        }
        let from = self.at;
        self.over()?;
        self.range(slot, from);
        Some(())
    }

    /// Over a list or a map, of which no more is looked at.
    #[inline(always)]
    pub(super) fn over(&mut self) -> Option<()> {
        if !matches!(self.peek()?, b'{' | b'[') {
            return None;
        }
        self.at = self.simd.apart(Skip { text: self.text, at: self.at, end: self.end })?;
        Some(())
    }
}

/// The rest of a text that is long or has escapes: where its closing quote is, and whether it has escapes.
struct LongString<'t> {
    text: &'t [u8],
    at: usize,
    end: usize,
}

impl Work for LongString<'_> {
    type Out = Option<(usize, bool)>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        let Self { text, mut at, end } = self;
        let mut escaped = false;
        while at < end {
            let bytes = chunk(simd, text, at);
            let quotes = simd.equal(bytes, b'"');
            let both = quotes | simd.equal(bytes, b'\\');
            if both == 0 {
                at += CHUNK;
                continue;
            }
            let place = both.trailing_zeros();
            at += place as usize;
            if quotes >> place & 1 == 1 {
                return Some((at, escaped));
            }
            escaped = true;
            at = escape(text, at)?;
        }
        None
    }
}

/// Behind the escape that begins at `at`, if it is one that a strict parser takes.
#[inline(always)]
fn escape(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => match unit(text, at)? {
            0xd800..=0xdbff => matches!(unit(text, at + 6)?, 0xdc00..=0xdfff).then_some(at + 12),
            0xdc00..=0xdfff => None,
            _ => Some(at + 6),
        },
        _ => None,
    }
}

/// The number of the `\uXXXX` that begins at `at`.
#[inline(always)]
fn unit(text: &[u8], at: usize) -> Option<u32> {
    let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let mut unit = 0;
    for digit in digits {
        unit = unit << 4 | char::from(*digit).to_digit(16)?;
    }
    Some(unit)
}

/// How deep a list or map may nest that is passed over unread: well below where the tape refuses it.
const SKIPPED_DEPTH_MAX: u64 = 128;

/// One past the list or map that begins at `at`: its brackets are counted, whatever their kind, and its texts have
/// escapes that a strict parser takes.
struct Skip<'t> {
    text: &'t [u8],
    at: usize,
    end: usize,
}

impl Work for Skip<'_> {
    type Out = Option<usize>;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> Self::Out {
        let Self { text, mut at, end } = self;
        // Whether the first byte of a chunk is escaped; all ones while in a text; brackets that are open.
        let (mut carried, mut inside, mut depth) = (0, 0, 0);
        while at < end {
            let bytes = chunk(simd, text, at);
            let (mut quotes, backslashes) = (simd.equal(bytes, b'"'), simd.equal(bytes, b'\\'));
            let mut escapes = 0;
            if backslashes | carried != 0 {
                escapes = escaped(backslashes, &mut carried);
                quotes &= !escapes;
            }
            let texts = simd.prefix_xor(quotes) ^ inside;
            inside = 0_u64.wrapping_sub(texts >> 63);
            if escapes != 0 {
                if end - at < CHUNK {
                    escapes &= (1 << (end - at)) - 1;
                }
                if escapes & !texts != 0 {
                    return None;
                }
                while escapes != 0 {
                    escaped_well(text, at + escapes.trailing_zeros() as usize)?;
                    escapes &= escapes - 1;
                }
            }
            let opening = simd.equal_or_20(bytes, b'{') & !texts;
            let mut closing = simd.equal_or_20(bytes, b'}') & !texts;
            let closings = u64::from(closing.count_ones());
            if depth <= closings {
                let mut closed = 0;
                while closing != 0 {
                    let bit = closing & closing.wrapping_neg();
                    closed += 1;
                    if depth + u64::from((opening & (bit - 1)).count_ones()) == closed {
                        let after = at + bit.trailing_zeros() as usize + 1;
                        return (after <= end).then_some(after);
                    }
                    closing &= closing - 1;
                }
            }
            depth += u64::from(opening.count_ones());
            if depth > SKIPPED_DEPTH_MAX {
                return None;
            }
            depth -= closings;
            at += CHUNK;
        }
        None
    }
}

/// Which bytes stand behind a backslash that is not itself escaped; odd and even runs are told apart by an addition whose carry
/// runs through those that begin at an odd place (as simdjson does it).
#[inline(always)]
fn escaped(backslashes: u64, carried: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslashes = backslashes & !*carried;
    let follows = backslashes << 1 | *carried;
    let odd = backslashes & !EVEN & !follows;
    let (sum, overflow) = odd.overflowing_add(backslashes);
    *carried = u64::from(overflow);
    (EVEN ^ (sum << 1)) & follows
}

/// Whether the byte at `at` makes an escape with the backslash before it. Of a surrogate nothing is known: the tape decides.
#[inline(always)]
fn escaped_well(text: &[u8], at: usize) -> Option<()> {
    match text.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
        b'u' => (!matches!(unit(text, at - 1)?, 0xd800..=0xdfff)).then_some(()),
        _ => None,
    }
}
