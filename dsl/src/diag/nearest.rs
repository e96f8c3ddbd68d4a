//! "Did you mean …?": the known word nearest to one that is not known.
//!
//! The distance is Damerau-Levenshtein's with adjacent transpositions (optimal string alignment), over lower-cased
//! characters, so `nmae` is one step from `name` and `Username` none from `username`. The longer the word, the more
//! slips it may hold; beyond that nothing is offered, as a far-fetched guess costs the reader more than none.
//!
//! Cost: the product of both lengths for each candidate whose length is near enough to matter, in one reused row set.

/// Words longer than this are no slips of anything; it also bounds the work on hostile text.
const WORD_CHARS_MAX: usize = 128;

/// The candidate with the fewest slips from `word`, the first of equal ones, or none that is near enough.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word = fold(word);
    if word.len() > WORD_CHARS_MAX {
        return None;
    }
    let limit = slips_allowed(word.len());
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let allowed = best.map_or(limit + 1, |(distance, _)| distance);
        let folded = fold(candidate);
        if folded.len().abs_diff(word.len()) >= allowed {
            continue;
        }
        let distance = slips(&word, &folded);
        if distance < allowed {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// In a word of that many characters.
fn slips_allowed(length: usize) -> usize {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    }
}

fn fold(word: &str) -> Vec<char> {
    word.chars().take(WORD_CHARS_MAX + 1).flat_map(char::to_lowercase).collect()
}

/// Insertions, removals, replacements and swaps of neighbours that lead from one to the other.
fn slips(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[track_caller]
    fn check(word: &str, want: Option<&str>) {
        let known = ["name", "namespace", "username", "where", "when", "severity", "startswith", "by"];
        assert_eq!(nearest(word, known), want, "{word}");
    }

    #[test]
    fn a_slip_is_found() {
        check("nmae", Some("name"));
        check("wher", Some("where"));
        check("whne", Some("when"));
        check("usernmae", Some("username"));
        check("sevreity", Some("severity"));
        check("startsWith", Some("startswith"));
        check("namspaces", Some("namespace"));
        check("BY", Some("by"));
    }

    #[test]
    fn a_far_word_is_not() {
        check("bo", None);
        check("nodes", None);
        check("", None);
        check("completely_else", None);
        check(&"n".repeat(100_000), None);
    }

    #[test]
    fn of_equal_ones_the_first() {
        assert_eq!(nearest("xab", ["ab", "xa"]), Some("ab"));
        assert_eq!(nearest("abd", ["abc", "abe", "abd"]), Some("abd"));
    }
}
