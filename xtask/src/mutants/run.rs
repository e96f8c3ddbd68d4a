//! Runs the tests with one change after another and says which of them found it.
//!
//! Each unit test is run alone once without a change, which tells what it reaches and how long it takes. A change is then
//! put to those that reach it, the quick ones first, and only while it lives to what is more thorough: random cases end to
//! end. What no test reaches need not be run to be known to survive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::build::{Binary, Copy, read};

/// So much longer than without a change may tests take before they count as running without end.
const PATIENCE: (u32, Duration) = (4, Duration::from_secs(8));
/// Tests that take less than this are run together.
const QUICK: Duration = Duration::from_millis(120);
/// What a test may use of memory, in kibibytes: a loop without end that gathers is over soon.
const MEMORY_MAX: u32 = 4 << 20;

/// What finds changes, in the order in which they are asked.
pub(crate) const KINDS: [&str; 4] = [
    "unit tests",
    "random cases against the reference",
    "random cases with little room",
    "more random cases",
];
/// The last of them, which is not a test of its own.
const MORE: usize = 3;
/// Unit tests that come near the changed code, by their module.
const MODULES: [&str; 9] =
    ["time::", "plan::", "window::", "state::", "run::", "hear::", "trial::", "explain::", "alert::"];
/// The end-to-end tests: their kind, and what they are called.
const END_TO_END: [(usize, &str); 3] = [(1, "equal::"), (1, "limits::"), (2, "bounded::")];

/// A test, or several that are run as one.
#[derive(Debug)]
pub(crate) struct Test {
    kind: usize,
    binary: Binary,
    arguments: Vec<String>,
    /// The numbers of what it reaches.
    reached: BTreeSet<usize>,
    took: Duration,
    /// It fails without any change.
    fails: bool,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A test of that kind failed.
    Found(usize),
    /// It ran without end.
    Endless(usize),
    Lived,
    /// No test comes there.
    Unreached,
}

/// Builds the tests and runs each without a change.
pub(crate) fn tests(copy: &Copy, place: &Path) -> Result<Vec<Test>, String> {
    let unit = copy.build("auditd-rules-engine", "engine", &["--lib"])?;
    let end_to_end = copy.build("auditd-rules-tests", "tests", &["--test", "it"])?;
    let list = Command::new(&unit.path).args(["--list", "--format", "terse"]).output();
    let list = list.map_err(|error| format!("cannot run the unit tests: {error}"))?.stdout;
    let list = String::from_utf8_lossy(&list);
    let test = |kind, binary: &Binary, arguments| Test {
        kind,
        binary: binary.clone(),
        arguments,
        reached: BTreeSet::new(),
        took: Duration::ZERO,
        fails: false,
    };
    let names = list.lines().filter_map(|line| line.strip_suffix(": test"));
    let names = names.filter(|name| MODULES.iter().any(|module| name.starts_with(module)));
    let mut tests: Vec<Test> =
        names.map(|name| test(0, &unit, vec!["--exact".to_owned(), name.to_owned()])).collect();
    tests.extend(END_TO_END.iter().map(|(kind, name)| test(*kind, &end_to_end, vec![(*name).to_owned()])));
    for test in &mut tests {
        test.record(place)?;
    }
    // One that fails already would find every change: without it more survive.
    tests.retain(|test| !test.reached.is_empty() && !test.fails);
    tests.sort_by_key(|test| (test.kind, test.took));
    println!("{} tests reach what is changed", tests.len());
    Ok(tests)
}

impl Test {
    /// Runs it with no change: notes what it reaches and how long it takes.
    fn record(&mut self, place: &Path) -> Result<(), String> {
        let seen = place.join("seen");
        let _ = std::fs::remove_file(&seen);
        let began = Instant::now();
        let status = command(&[&*self], 0, 1).env("MUTANT_SEEN", &seen).stderr(Stdio::inherit()).status();
        self.fails = !status.is_ok_and(|status| status.success());
        if self.fails {
            println!("without any change this fails, and is left out: {}", self.arguments.join(" "));
        }
        self.took = began.elapsed();
        // One that comes nowhere near writes no file.
        let text = if seen.exists() { read(&seen)? } else { String::new() };
        self.reached = text.lines().filter_map(|line| line.parse().ok()).collect();
        if self.kind > 0 {
            println!("{} reaches {}, in {:.1?}", self.arguments.join(" "), self.reached.len(), self.took);
        }
        Ok(())
    }
}

/// Runs tests of one binary.
fn command(tests: &[&Test], number: usize, times: u32) -> Command {
    let mut command = Command::new("sh");
    let limited = format!("ulimit -v {MEMORY_MAX}; exec \"$0\" \"$@\"");
    command.arg("-c").arg(limited);
    if let Some(Test { binary, .. }) = tests.first() {
        command.arg(&binary.path).current_dir(&binary.folder);
    }
    for test in tests {
        command.args(&test.arguments);
    }
    command.args(["--test-threads", "1"]).env("MUTANT", number.to_string());
    // Few cases: most of what a change breaks is not rare. And the first failure is enough.
    let cases = if tests.first().is_some_and(|test| test.kind > 0) { 600 } else { 400 };
    let (cases, bounded, own) = (cases * times, 500 * times, 256 * times);
    command.env("AUDIT_CASES", cases.to_string()).env("AUDIT_BOUNDED", bounded.to_string());
    command.env("PROPTEST_CASES", own.to_string()).env("AUDIT_SHRINK", "0");
    command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_FAILURE_PERSISTENCE", "off");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Whether one of the tests fails with a change; nothing if they run without end.
fn finds(tests: &[&Test], number: usize, times: u32) -> Result<Option<bool>, String> {
    let mut child =
        command(tests, number, times).spawn().map_err(|error| format!("cannot run a test: {error}"))?;
    let (patience, least) = PATIENCE;
    let took: Duration = tests.iter().map(|test| test.took).sum();
    let until = Instant::now() + took * patience * times + least;
    loop {
        let ended = child.try_wait().map_err(|error| format!("cannot wait for a test: {error}"))?;
        match ended {
            Some(status) => return Ok(Some(!status.success())),
            None if Instant::now() > until => {
                end(&mut child);
                return Ok(None);
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

/// What becomes of a change. What lives is asked again with `more` times as many random cases, if that is more than once.
pub(crate) fn fate(tests: &[Test], number: usize, more: u32) -> Result<Fate, String> {
    let reaching: Vec<&Test> = tests.iter().filter(|test| test.reached.contains(&number)).collect();
    if reaching.is_empty() {
        return Ok(Fate::Unreached);
    }
    let quick = reaching.iter().take_while(|test| test.kind == 0 && test.took < QUICK).count();
    let (quick, others) = reaching.split_at(quick);
    let rounds = std::iter::once(quick).chain(others.chunks(1)).filter(|tests| !tests.is_empty());
    let rounds = rounds.map(|tests| (tests, tests.first().map_or(0, |test| test.kind), 1));
    // What is rare may need more: again with all that takes its time, since that is what makes cases up.
    let again = others.chunks(1).filter(|_| more > 1).map(|tests| (tests, MORE, more));
    for (tests, kind, times) in rounds.chain(again) {
        match finds(tests, number, times)? {
            Some(true) => return Ok(Fate::Found(kind)),
            None => return Ok(Fate::Endless(kind)),
            Some(false) => {}
        }
    }
    Ok(Fate::Lived)
}

impl Fate {
    /// As it stands in the file of results.
    pub(crate) fn word(self) -> String {
        match self {
            Self::Found(step) => format!("found {step}"),
            Self::Endless(step) => format!("endless {step}"),
            Self::Lived => "lived".into(),
            Self::Unreached => "unreached".into(),
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        let (name, step) = word.split_once(' ').unwrap_or((word, "0"));
        let step = step.parse().ok()?;
        match name {
            "found" => Some(Self::Found(step)),
            "endless" => Some(Self::Endless(step)),
            "lived" => Some(Self::Lived),
            "unreached" => Some(Self::Unreached),
            _ => None,
        }
    }

    pub(crate) fn survives(self) -> bool {
        matches!(self, Self::Lived | Self::Unreached)
    }
}

/// The file of results.
pub(crate) fn results(place: &Path) -> PathBuf {
    place.join("results")
}
