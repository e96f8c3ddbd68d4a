//! The reader and the recogniser.
use super::*;

const SMALL: &str = "\
file:  (item | \"end\")*
item:  \"on\" NAME (\"at\" NUMBER)? rest | NAME \":\" word
rest:  (\",\" NAME)+
word:  \"a\" | NAME
NAME:  /[a-z\\/]+/
NUMBER: /[0-9]+/
";

fn ways(text: &str) -> Vec<String> {
    let grammar = Grammar::read(SMALL).unwrap();
    grammar.recognise("file", text).unwrap().into_iter().collect()
}

#[test]
fn ways_are_told() {
    let of = ways("on x at 3 , y, z # a comment\n end");
    for way in ["file: at all", "file: item", "file: \"end\"", "item: (\"at\" NUMBER)? once"] {
        assert!(of.iter().any(|w| w == way), "{way}: {of:?}");
    }
    assert!(of.iter().any(|w| w == "rest: (\",\" NAME)+ several times"), "{of:?}");
    assert!(!of.iter().any(|w| w.starts_with("word")), "{of:?}");
}

#[test]
fn quoted_words_are_sought_first() {
    assert!(ways("k: a").contains(&"word: \"a\"".to_owned()));
    assert!(ways("k: ab").contains(&"word: NAME".to_owned()));
    // `on` may be a name as well, where nothing quoted fits.
    assert!(ways("on: on").contains(&"item: NAME \":\" word".to_owned()));
}

#[test]
fn all_ways_are_listed_once() {
    let all = Grammar::read(SMALL).unwrap().ways();
    assert!(all.contains(&"item: (\"at\" NUMBER)? never".to_owned()), "{all:?}");
    assert!(!all.contains(&"rest: (\",\" NAME)+ never".to_owned()), "{all:?}");
    let distinct: std::collections::BTreeSet<_> = all.iter().collect();
    assert_eq!(distinct.len(), all.len(), "{all:?}");
}

#[test]
fn what_is_wrong_is_told() {
    for (text, about) in
        [("a: b", "b"), ("a: (\"x\"", "not understood"), ("a: \"x\" |", "empty"), (" x", "before")]
    {
        let error = Grammar::read(text).unwrap_err();
        assert!(error.contains(about), "{error}");
    }
    let error = Grammar::read(SMALL).unwrap().recognise("file", "on x ; y").unwrap_err();
    assert!(error.contains("; y"), "{error}");
}

#[test]
fn the_shipped_examples_are_of_the_grammar() {
    let grammar = Grammar::of_the_reference().unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page.split("```rule\n").skip(1).filter_map(|b| b.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        grammar.recognise("file", block).unwrap();
    }
}
