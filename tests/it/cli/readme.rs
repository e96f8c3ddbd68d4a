//! The README shows what its first command really prints: here it is held to that.
//!
//! `BLESS=1 cargo test -p auditd-rules-tests --test it readme` writes it anew.

use std::path::Path;

use super::Place;

/// Of each of these rules the README shows the first alert.
const SHOWN: [&str; 5] =
    ["sensitive_host_path", "role_escalates", "bulk_delete", "login_failures", "secret_then_exec"];

#[test]
fn the_readme_shows_what_the_sample_gives() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let place = Place::new();
    let sample = "samples/attack.log.gz";
    place.write(sample, std::fs::read(root.join(sample)).unwrap());
    let ran = place.run(&["run", "--from", sample, "--format", "human"]).ends(0);
    // The README's path and the test's are the same, as both run beside the folder.
    let lines: Vec<&str> = ran.out.lines().collect();
    let alerts: Vec<&[&str]> = lines.chunk_by(|_, next| next.starts_with(' ')).collect();
    let first = |rule: &&str| {
        let of_it = |alert: &&&[&str]| alert[0].split_whitespace().nth(2) == Some(*rule);
        alerts.iter().find(of_it).unwrap_or_else(|| panic!("no alert of {rule}")).join("\n")
    };
    let shown: Vec<String> = SHOWN.iter().map(first).collect();
    let account: Vec<&str> = ran.err.lines().filter(|line| !line.starts_with("took")).collect();

    let path = root.join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let readme_now = with_block(&readme, "<!-- alerts -->", &shown.join("\n"));
    let readme_now = with_block(&readme_now, "<!-- account -->", &account.join("\n"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, readme_now).unwrap();
        return;
    }
    assert!(
        readme == readme_now,
        "the README shows something else; BLESS=1 writes it anew, read the difference"
    );
}

/// The text with another block behind a mark.
fn with_block(text: &str, mark: &str, block: &str) -> String {
    let (before, rest) = text.split_once(mark).unwrap();
    let (_, behind) = rest.split_once("\n```text\n").unwrap();
    let (_, behind) = behind.split_once("\n```\n").unwrap();
    format!("{before}{mark}\n```text\n{block}\n```\n{behind}")
}
