//! The binary as a person or a script uses it: every command, every exit status, and every bad input with its words.
//!
//! The binary is built once per run of the tests, by cargo, into the same target folder and profile as the tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
mod commands;
mod explain;
mod inputs;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod instructions;
mod readme;
mod run;
mod tunes;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// Two rules, one without and one with a window, and tests that pass.
pub(crate) const RULES: &str = r#"rule secret_get "A secret is read" {
    severity high
    tags     attack.T1552
    on       get of secrets
    where    user.username != "system:admin"
    alert    "{user.username} read {objectRef.name}"
}
test secret_get "told" {
    at 0s { verb: "get", objectRef.resource: "secrets", user.username: "eve" }
    expect alert at 0s { user.username: "eve" }
}
test secret_get "not told" {
    at 0s { verb: "get", objectRef.resource: "secrets", user.username: "system:admin" }
    expect no alert
}

rule many_deletes "Many pods are deleted" {
    severity critical
    on       delete, deletecollection of pods
    by       user.username
    when     count() >= 3 within 1m
    alert    "{user.username} deleted {count()} pods"
}
test many_deletes "three" {
    given { verb: "delete", objectRef.resource: "pods", user.username: "eve" }
    at 0s {}
    at 1s {}
    at 2s {}
    expect alert at 2s { user.username: "eve" }
}
"#;

/// One event as the API server writes it, at a second of a fixed minute.
pub(crate) fn event(second: u32, user: &str, verb: &str, resource: &str, name: &str) -> String {
    let time = format!("2026-11-22T12:{:02}:{:02}.000000Z", second / 60, second % 60);
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"Metadata\",\"auditID\":\"{user}-{second}\",\
         \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/shop/{resource}/{name}\",\"verb\":\"{verb}\",\
         \"user\":{{\"username\":\"{user}\"}},\"sourceIPs\":[\"203.0.113.7\"],\
         \"objectRef\":{{\"resource\":\"{resource}\",\"namespace\":\"shop\",\"name\":\"{name}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"code\":200}},\"requestReceivedTimestamp\":\"{time}\",\"stageTimestamp\":\"{time}\"}}\n"
    )
}

/// A log in which `eve` reads a secret and then deletes three pods, among ordinary reads of pods.
pub(crate) fn log() -> String {
    let quiet = (0..20).map(|second| event(second, "ann", "get", "pods", "web"));
    let loud = [
        event(20, "eve", "get", "secrets", "db"),
        event(21, "eve", "delete", "pods", "a"),
        event(22, "eve", "delete", "pods", "b"),
        event(23, "eve", "delete", "pods", "c"),
    ];
    quiet.chain(loud).collect()
}

/// A folder with `set.rule` and `audit.log` in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("set.rule", RULES);
        place.write("audit.log", log());
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs the binary in this folder, with nothing on standard input.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, b"")
    }

    pub(crate) fn run_with(&self, words: &[&str], stdin: &[u8]) -> Ran {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        // What does not want to read all of it closes the pipe.
        let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
        let ran = Ran::new(child.wait_with_output().unwrap());
        writer.join().unwrap();
        ran
    }

    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.args(words).current_dir(self.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env_remove("NO_COLOR");
        command
    }
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Holds it to an exit status.
    #[track_caller]
    pub(crate) fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self:#?}");
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    /// Holds what it said on standard error to words.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in {self:#?}");
        self
    }

    /// Standard output as JSON, one object a line.
    #[track_caller]
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        let line = |line: &str| serde_json::from_str(line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
        self.out.lines().map(line).collect()
    }

    /// One text of each object of standard output.
    #[track_caller]
    pub(crate) fn texts(&self, key: &str) -> Vec<String> {
        self.json().iter().map(|object| object[key].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// The binary, built once.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        // target/PROFILE/deps/it-HASH
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().and_then(Path::parent).unwrap().to_owned();
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--package", "auditd-rules", "--target-dir"])
            .arg(folder.parent().unwrap());
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(cargo.status().unwrap().success(), "the binary does not build");
        folder.join("auditd-rules")
    })
}
