//! Rules of the house that no lint has: every file of code says what it is for, and none grows without end.
//!
//! They run as a test too (`cargo test -p auditd-rules-xtask`), so that no habit is needed to keep them.

use std::path::{Path, PathBuf};

/// The longest file of code. Most are far shorter; what needs more wants to be two.
const LINES_MAX: usize = 800;
/// Folders at the top that hold no code of ours.
const PASSED_OVER: [&str; 3] = ["target", ".git", "node_modules"];
/// What is worth an issue, and nothing in a file.
const LEFT_OVER: [&str; 2] = ["TODO", "FIXME"]; // LEFT_OVER

/// Tells every file that breaks a rule.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut files = Vec::new();
    collect(root, &mut files).map_err(|error| format!("{}: {error}", root.display()))?;
    files.sort();
    let mut wrong = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
        // What tests are for, the module beside them says.
        let told = file.file_name().is_some_and(|name| name == "tests.rs");
        wrong.extend(check(&text, !told).into_iter().map(|what| format!("{name}: {what}")));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

/// What one file does wrong; `essay`: whether it must say what it is for.
fn check(text: &str, essay: bool) -> Vec<String> {
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > LINES_MAX {
        wrong.push(format!("{lines} lines, the most is {LINES_MAX}"));
    }
    // An attribute of the crate may stand before (`#![no_main]`).
    let first = text.lines().find(|line| !line.is_empty() && !line.starts_with("#!["));
    if essay && !first.is_some_and(|line| line.starts_with("//!")) {
        wrong.push("it does not open with `//!` and what it is for".into());
    }
    for (number, line) in text.lines().enumerate() {
        // The list above is itself such a line, and says so.
        if let Some(word) = LEFT_OVER.iter().find(|word| line.contains(**word) && !line.contains("LEFT_OVER"))
        {
            wrong.push(format!("line {}: {word}", number + 1));
        }
    }
    wrong
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    // Folders nest as deep as the repository's own; links are not followed.
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let name = entry.file_name();
        if entry.file_type()?.is_dir() {
            if !PASSED_OVER.iter().any(|passed| name == *passed) {
                collect(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, check, run};

    #[test]
    fn the_repository_is_tidy() {
        run(&crate::root()).expect("tidy");
    }

    #[test]
    fn what_is_untidy_is_told() {
        assert!(check("//! An essay.\nfn main() {}\n", true).is_empty());
        assert!(check("#![no_main]\n//! An essay.\n", true).is_empty());
        assert_eq!(check("fn main() {}\n", true).len(), 1);
        assert_eq!(check(&format!("//! Long.\n{}", "\n".repeat(LINES_MAX)), true).len(), 1);
        let left_over = format!("//! An essay.\n// {}: later\n", ["TO", "DO"].concat());
        assert_eq!(check(&left_over, true).len(), 1);
    }
}
