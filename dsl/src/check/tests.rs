//! Whole rule sets: what compiles, and what is said of what does not.

use std::collections::BTreeSet;

use super::{compile, wanted};
use crate::diag::Code;
use crate::source::SourceMap;

/// The design's examples beside the repository, where they are.
#[test]
fn the_examples_compile() {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("AUDIT_DATA").map_or(beside, std::path::PathBuf::from);
    let path = data.join("../design/examples.rule");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("not there: {}", path.display());
        return;
    };
    let rules = text.lines().filter(|line| line.starts_with("rule ")).count();
    let mut sources = SourceMap::default();
    let id = sources.add("examples.rule", text);
    for one in wanted(&sources) {
        let bytes: &[u8] = match () {
            () if one.path.ends_with(".csv") => b"203.0.113.0/24,AS64500\n",
            () if one.path.contains("ranges") => b"203.0.113.0/24\n",
            () => b"a\nb\n",
        };
        sources.attach(id, one.path, Ok(bytes.into()));
    }
    let outcome = compile(&sources);
    for one in &outcome.diagnostics {
        let at = sources.start(one.primary);
        println!(
            "{}:{} {} {} [{}] {:?}",
            at.line,
            at.column,
            one.code.text(),
            one.message,
            sources.text(one.primary),
            one.help
        );
    }
    // What they are warned of is each time what the rule is an example of.
    let warned: BTreeSet<_> = outcome.diagnostics.iter().map(|one| one.code.text()).collect();
    assert_eq!(outcome.rules.map(|set| set.rules.len()), Some(rules));
    assert_eq!(warned.into_iter().collect::<Vec<_>>(), ["W109", "W113", "W114", "W115", "W116", "W120"]);
}

#[test]
fn the_shipped_rules_compile() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut sources = SourceMap::default();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "rule")) {
        sources.add(file.display().to_string(), std::fs::read_to_string(file).unwrap());
    }
    let outcome = compile(&sources);
    for one in &outcome.diagnostics {
        let at = sources.start(one.primary);
        println!(
            "{}:{}:{} {} {} [{}] {:?}",
            sources.file(one.primary.source).name,
            at.line,
            at.column,
            one.code.text(),
            one.message,
            sources.text(one.primary),
            one.help
        );
    }
    assert!(outcome.rules.is_some());
}

/// What is said of a text: code, underlined text, message, help; warnings of rules without tests left out.
fn told(text: &str) -> Vec<String> {
    told_with(text, &[])
}

/// The same of a text with files beside it.
fn told_with(text: &str, files: &[(&str, &[u8])]) -> Vec<String> {
    let mut sources = SourceMap::default();
    let id = sources.add("r.rule", text);
    for (name, bytes) in files {
        sources.attach(id, *name, Ok((*bytes).into()));
    }
    let outcome = compile(&sources);
    let told = outcome.diagnostics.iter().filter(|one| one.code != Code::NoTest);
    let line = |one: &crate::diag::Diagnostic| {
        let help = one.help.as_ref().map(|help| format!(" -- {help}")).unwrap_or_default();
        format!("{} [{}] {}{help}", one.code.text(), sources.text(one.primary), one.message)
    };
    told.map(line).collect()
}

#[test]
fn many_warnings_are_no_mistake() {
    let rule = |n: u32| {
        format!(
            "rule r{n} \"A rule\" {{ severity low on get of secrets where user.username == \"{n}\" alert \"it is so\" }}\n"
        )
    };
    let mut sources = SourceMap::default();
    for name in ["one.rule", "other.rule"] {
        let from = if name == "one.rule" { 0 } else { 1_000 };
        sources.add(name, (from..from + 250).map(rule).collect::<String>());
    }
    let outcome = compile(&sources);
    assert_eq!(outcome.rules.map(|set| set.rules.len()), Some(500));
    let count = |code| outcome.diagnostics.iter().filter(|one| one.code == code).count();
    assert_eq!((count(Code::NoTest), count(Code::TooManyWarnings), outcome.diagnostics.len()), (400, 2, 402));
}

/// What is said of a condition of a rule that is otherwise well.
fn in_condition(on: &str, condition: &str) -> Vec<String> {
    told(&format!("rule r \"A rule\" {{ severity low on {on} where {condition} alert \"it is so\" }}"))
}

mod bounds;
mod conditions;
mod listening;
mod lowering;
mod reference;
mod rules;
mod sequences;
mod tunes;
mod values;
mod windows;
