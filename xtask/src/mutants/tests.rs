use super::*;
use crate::mutants::write::{module, write};

const SAMPLE: &str = r#"
#[path = "mutant.rs"]
mod mutant;

fn small(n: i64) -> bool {
    n < 3 && n != 1
}

fn name(n: i64) -> Option<&'static str> {
    match n {
        0 => Some("none"),
        1..=4 if small(n + 1) => Some("few"),
        _ => None,
    }
}

fn sum(all: &[i64]) -> i64 {
    let mut sum = 0;
    for n in 0..all.len() {
        if !all[n..].is_empty() {
            sum += all[n].max(2);
        }
    }
    sum
}

const fn fixed() -> i64 {
    3 + 4
}

fn main() {
    let bits: Vec<bool> = [1, 2, 3, 4].iter().map(|n| small(*n)).collect();
    println!("{bits:?} {:?} {} {}", [0, 1, 2, 3].map(name), sum(&[1, 2, 3]), fixed());
}
"#;

/// Builds the sample with all changes in it, and gives what it prints with each, first without.
#[test]
fn every_change_to_a_sample_changes_what_it_does() {
    let all = find::find("sample.rs", SAMPLE).expect("the sample is code");
    assert!(all.len() > 15, "{}", all.len());
    assert!(all.iter().all(|mutant| !mutant.key.contains("fixed")), "no code runs there");
    let numbered: Vec<(usize, &Mutant)> =
        all.iter().enumerate().map(|(at, mutant)| (at + 1, mutant)).collect();
    let (text, regions) = write(SAMPLE, &numbered);
    assert!(regions.iter().all(|region| text.get(region.range.clone()).is_some()));

    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("sample.rs"), text).expect("written");
    std::fs::write(path("mutant.rs"), module(all.len())).expect("written");
    let built = std::process::Command::new("rustc")
        .args(["--edition", "2024", "-Awarnings", "-Cdebug-assertions=on", "-o"])
        .args([path("sample"), path("sample.rs")])
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the sample builds");
    let told = |number: usize| {
        let output = std::process::Command::new(path("sample"))
            .env("MUTANT", number.to_string())
            .output()
            .expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let without = told(0);
    assert_eq!(without.0, Some(0));
    let same: Vec<&str> =
        numbered.iter().filter(|(number, _)| told(*number) == without).map(|(_, m)| m.key.as_str()).collect();
    // The list has nothing to skip where its length would be the next.
    assert_eq!(same, ["sample.rs sum: all.len() => (all.len()) + 1"]);
}

#[test]
fn what_survives_is_read_from_the_list() {
    let text = "# Mutants\n\n* `a.rs f: x < y => <=` only costs time\nand\n* `a.rs g: body => ()`: never\n";
    let listed: Vec<String> = list::listed(text).into_iter().collect();
    assert_eq!(listed, ["a.rs f: x < y => <=", "a.rs g: body => ()"]);
}

#[test]
fn unknown_words_are_refused() {
    assert!(Options::parse(&["--jobs", "1", "--file", "time"]).is_some());
    assert!(Options::parse(&["--jobs", "0"]).is_none());
    assert!(Options::parse(&["--only"]).is_none());
}
