//! `docs/diagnostics.md` says what is so: every code has an entry, and its examples give what they promise.

use std::collections::BTreeMap;

use super::{Code, Diagnostic};
use crate::source::SourceMap;

const PAGE: &str = include_str!("../../../docs/diagnostics.md");

/// One entry: its code's text, and the two examples.
#[derive(Default)]
struct Entry {
    title: String,
    bad: Option<String>,
    good: Option<String>,
    /// Files beside them, by their names.
    files: Vec<(String, String)>,
}

fn entries() -> BTreeMap<String, Entry> {
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut code = String::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("### `") {
            let (of, title) = heading.split_once("` ").expect("### `CODE` Title");
            of.clone_into(&mut code);
            let twice = entries.insert(code.clone(), Entry { title: title.into(), ..Entry::default() });
            assert!(twice.is_none(), "{code} has two entries");
        } else if let Some(kind) = line.strip_prefix("```rule ").or_else(|| line.strip_prefix("```file ")) {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            let entry = entries.get_mut(&code).expect("an example stands in an entry");
            let (kind, times) = kind.split_once(" repeat ").unwrap_or((kind, "1"));
            let times: u32 = times.parse().expect("a number");
            let text: String = (0..times).map(|n| text.replace("NUMBER", &n.to_string())).collect();
            if line.starts_with("```file ") {
                entry.files.push((kind.to_owned(), text));
                continue;
            }
            let old = match kind {
                "bad" => entry.bad.replace(text),
                "good" => entry.good.replace(text),
                other => panic!("{code}: an example of kind {other}"),
            };
            assert!(old.is_none(), "{code} has two {kind} examples");
        }
    }
    entries
}

fn compile(text: &str, files: &[(String, String)]) -> Vec<Diagnostic> {
    let mut map = SourceMap::default();
    let id = map.add("example.rule", text);
    for (name, text) in files {
        map.attach(id, name, Ok(text.as_bytes().into()));
    }
    crate::check::compile(&map).diagnostics
}

#[test]
fn every_code_has_an_entry_and_every_entry_is_of_a_code() {
    let entries = entries();
    let codes: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
    for code in &codes {
        assert!(entries.contains_key(*code), "docs/diagnostics.md has no entry for {code}");
    }
    for (code, entry) in &entries {
        assert!(
            codes.contains(&code.as_str()),
            "docs/diagnostics.md has an entry for {code}, which is no code"
        );
        assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{code}: {}", entry.title);
    }
}

#[test]
fn every_bad_example_gives_its_code_and_every_good_one_does_not() {
    let mut wrong = Vec::new();
    for (code, entry) in entries() {
        let found = |text: &str| {
            let all = compile(text, &entry.files).into_iter();
            all.map(|d| (d.code.text(), d.message)).collect::<Vec<_>>()
        };
        let bad = found(entry.bad.as_deref().unwrap_or(""));
        if !bad.iter().any(|(own, _)| *own == code) {
            wrong.push(format!("{code}: the bad example gives {bad:?}"));
        }
        let good = found(entry.good.as_deref().expect("a good example"));
        // A good example may be short of a test, and of nothing else.
        if good.iter().any(|(own, _)| *own == code || own.starts_with('E')) {
            wrong.push(format!("{code}: the good example gives {good:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
