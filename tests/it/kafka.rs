//! Kafka as source and sink, against a real broker: one for all of these tests, started by the first and gone with the process.
//!
//! It is Apache's own, from Maven Central, so Java and Maven are needed. Where they are not there the tests say so and pass, but for
//! a machine with `CI` set, where they must not pass unseen.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod answers;
mod client;
mod group;
mod kills;
mod trouble;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::cli::{Place, event};

/// One rule that answers at once, about every event of `secrets`.
const AT_ONCE: &str = r#"rule secret_get "A secret is read" {
    severity high
    on       get of secrets
    alert    "{user.username} read {objectRef.name}"
}
"#;

/// So long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(120);

struct Broker {
    bootstrap: String,
    sasl: String,
    mtls: String,
    folder: PathBuf,
    /// It runs the broker as long as its standard input is open, which is until this process ends.
    holder: Child,
}

/// The broker, if this machine can run one.
fn broker() -> Option<&'static Broker> {
    static BROKER: OnceLock<Option<Broker>> = OnceLock::new();
    let broker = BROKER.get_or_init(|| {
        let there = |tool: &str| {
            let known =
                Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            known.is_ok_and(|status| status.success())
        };
        let missing = ["java", "mvn"].into_iter().find(|tool| !there(tool));
        let started = missing.map_or_else(start, |tool| Err(format!("`{tool}` is not there")));
        started
            .inspect_err(|why| assert!(std::env::var_os("CI").is_none(), "no broker to test with: {why}"))
            .ok()
    });
    if broker.is_none() {
        println!("passed over: there is no broker to test with");
    }
    broker.as_ref()
}

fn start() -> Result<Broker, String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("kafka/kafka.sh");
    let folder = tempfile::tempdir().unwrap().keep();
    let holder = |folder: &Path| {
        let mut command = Command::new(&script);
        command.arg("hold").arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    };
    let mut broker = Broker {
        bootstrap: String::new(),
        sasl: String::new(),
        mtls: String::new(),
        holder: holder(&folder).spawn().unwrap(),
        folder,
    };
    let mut said = BufReader::new(broker.holder.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut value = |key: &str| {
        let line = said.next().ok_or("the broker did not start; what it said stands above")?;
        line.strip_prefix(key).map(str::to_owned).ok_or(line)
    };
    broker.bootstrap = value("bootstrap=")?;
    broker.sasl = value("sasl=")?;
    broker.mtls = value("mtls=")?;
    value("ready")?;
    Ok(broker)
}

/// A name that no other test has.
fn fresh(word: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{word}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A folder with the rule, and a file of properties that make groups and partitions change fast.
fn place() -> Place {
    let place = Place::new();
    place.write("once.rule", AT_ONCE);
    place.write(
        "quick.properties",
        "session.timeout.ms=2000\nheartbeat.interval.ms=300\ntopic.metadata.refresh.interval.ms=1000\n",
    );
    place
}

impl Broker {
    fn from(&self, topic: &str, group: &str) -> String {
        format!("kafka://{}/{topic}?group={group}&properties=quick.properties", self.bootstrap)
    }

    fn to(&self, topic: &str) -> String {
        format!("kafka://{}/{topic}", self.bootstrap)
    }
}

/// A run that goes on, whose words on standard error are looked at while it does.
struct Running {
    child: Child,
    said: std::sync::mpsc::Receiver<String>,
    all: Vec<String>,
}

impl Running {
    fn start(place: &Place, words: &[&str]) -> Self {
        let mut child = place.command(words).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (give, said) = std::sync::mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).all(|line| give.send(line).is_ok()));
        Self { child, said, all: Vec::new() }
    }

    /// Waits until it says that.
    #[track_caller]
    fn says(&mut self, words: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left);
            let Ok(line) = line else { panic!("{words:?} was not said: {:#?}", self.all) };
            self.all.push(line);
            if self.all.last().unwrap().contains(words) {
                return;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end; gives its status and what it said.
    #[track_caller]
    fn ends(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("it does not end: {:#?}", self.all);
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        self.all.extend(self.said.iter());
        (status.code(), self.all.join("\n"))
    }

    /// Asks it to end and holds it to ending well.
    #[track_caller]
    fn terminate(self) -> String {
        self.signal("TERM");
        let (status, said) = self.ends();
        assert_eq!(status, Some(0), "{said}");
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Reads of secrets, one a second, numbered from there on.
fn reads(from: u32, count: u32) -> Vec<String> {
    (from..from + count).map(|n| event(n, "eve", "get", "secrets", &format!("s{n}"))).collect()
}
