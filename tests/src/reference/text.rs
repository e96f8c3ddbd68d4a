//! The words on text, and case: everything that ignores case is put as a regex with `(?i)`, whose folding is Unicode's
//! simple one, so that no table of foldings stands here. Without case, `like` is a walk over both texts.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;

thread_local! {
    /// Compiled once each: random rules repeat themselves.
    static COMPILED: RefCell<HashMap<String, Option<Regex>>> = RefCell::new(HashMap::new());
}

fn found(pattern: &str, text: &str) -> bool {
    COMPILED.with_borrow_mut(|all| {
        if all.len() > 10_000 {
            all.clear();
        }
        let regex = all.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(text))
    })
}

/// Equal but for case.
pub(super) fn equal_folded(a: &str, b: &str) -> bool {
    found(&format!(r"(?i)\A{}\z", regex::escape(b)), a)
}

pub(super) fn contains(text: &str, part: &str, ignoring_case: bool) -> bool {
    if ignoring_case { found(&format!("(?i){}", regex::escape(part)), text) } else { text.contains(part) }
}

pub(super) fn starts_with(text: &str, part: &str, ignoring_case: bool) -> bool {
    if ignoring_case {
        found(&format!(r"(?i)\A{}", regex::escape(part)), text)
    } else {
        text.starts_with(part)
    }
}

pub(super) fn ends_with(text: &str, part: &str, ignoring_case: bool) -> bool {
    if ignoring_case { found(&format!(r"(?i){}\z", regex::escape(part)), text) } else { text.ends_with(part) }
}

pub(super) fn matches(text: &str, pattern: &str, ignoring_case: bool) -> bool {
    if ignoring_case { found(&format!("(?i:{pattern})"), text) } else { found(pattern, text) }
}

/// What stands in a pattern of `like`.
#[derive(Clone, Copy)]
enum Glob {
    Run,
    One,
    Char(char),
}

fn globs(pattern: &str) -> Vec<Glob> {
    let mut chars = pattern.chars();
    let mut globs = Vec::new();
    while let Some(c) = chars.next() {
        globs.push(match c {
            '*' => Glob::Run,
            '?' => Glob::One,
            '\\' => Glob::Char(chars.next().unwrap_or('\\')),
            c => Glob::Char(c),
        });
    }
    globs
}

/// The whole text is like the pattern.
pub(super) fn like(text: &str, pattern: &str, ignoring_case: bool) -> bool {
    let globs = globs(pattern);
    if ignoring_case {
        let mut regex = String::from(r"(?is)\A");
        for glob in globs {
            match glob {
                Glob::Run => regex.push_str(".*"),
                Glob::One => regex.push('.'),
                Glob::Char(c) => regex.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        return found(&(regex + r"\z"), text);
    }
    // at[i]: the pattern so far is like the first i characters.
    let chars: Vec<char> = text.chars().collect();
    let mut at = vec![false; chars.len() + 1];
    at[0] = true;
    for glob in globs {
        let mut next = vec![false; chars.len() + 1];
        for i in 0..=chars.len() {
            next[i] = match glob {
                Glob::Run => at[..=i].contains(&true),
                Glob::One => i > 0 && at[i - 1],
                Glob::Char(c) => i > 0 && at[i - 1] && chars[i - 1] == c,
            };
        }
        at = next;
    }
    at[chars.len()]
}

/// `%XX` to its byte; a bad `%` stays. `plus`: `+` is a space.
pub(super) fn percent_decoded(text: &str, plus: bool) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or(0));
                i += 3;
            }
            (b'+', ..) if plus => {
                decoded.push(b' ');
                i += 1;
            }
            (other, ..) => {
                decoded.push(other);
                i += 1;
            }
        }
    }
    decoded
}

/// Standard base64: padding may be left out, bits behind the end must be 0.
pub(super) fn base64_decoded(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let mut bits: Vec<bool> = Vec::new();
    for c in body.chars() {
        let sextet = match c {
            'A'..='Z' => c as u32 - 'A' as u32,
            'a'..='z' => c as u32 - 'a' as u32 + 26,
            '0'..='9' => c as u32 - '0' as u32 + 52,
            '+' => 62,
            '/' => 63,
            _ => return None,
        };
        bits.extend((0..6).rev().map(|i| sextet >> i & 1 == 1));
    }
    let most = (4 - body.len() % 4) % 4;
    if body.len() % 4 == 1 || padding > most {
        return None;
    }
    let whole = bits.len() / 8 * 8;
    if bits[whole..].contains(&true) {
        return None;
    }
    Some(bits[..whole].chunks(8).map(|byte| byte.iter().fold(0, |n, bit| n << 1 | u8::from(*bit))).collect())
}
