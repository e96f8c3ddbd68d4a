//! Runs the tests with one change after another and says which steps found it.
//!
//! The steps are ordered from what is quick to what is thorough; a change goes on to the next one only while it lives, and
//! only to those that reach it at all. What no step reaches need not be run to be known to survive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::build::{Binary, Copy, read};

/// So much longer than without a change may a step take before it counts as running without end.
const PATIENCE: (u32, Duration) = (4, Duration::from_secs(8));
/// What a test may use of memory, in kibibytes: a loop without end that gathers is over soon.
const MEMORY_MAX: u32 = 4 << 20;

/// Some of the tests.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    binary: Binary,
    arguments: Vec<&'static str>,
    /// The folder of code whose changes it is likely to find at once.
    pub(crate) near: Option<&'static str>,
    /// The numbers of what it reaches.
    reached: BTreeSet<usize>,
    limit: Duration,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The step of that number failed.
    Found(usize),
    /// It ran without end.
    Endless(usize),
    Lived,
    /// No test comes there.
    Unreached,
}

/// The steps, and what each is called, in the order of the table.
const STEPS: [(&str, &[&str], Option<&str>); 6] = [
    ("unit tests of time", &["time::"], Some("engine/src/time/")),
    ("unit tests of windows", &["window::"], Some("engine/src/window/")),
    ("unit tests of the state", &["state::"], Some("engine/src/state/")),
    ("other unit tests", &["run::", "hear::", "trial::", "explain::", "alert::"], None),
    ("random cases against the reference", &["equal::", "limits::", "time::"], None),
    ("random cases with little room", &["bounded::"], None),
];
/// From this step on they are end-to-end tests.
const END_TO_END: usize = 4;

/// Builds what the steps run.
pub(crate) fn steps(copy: &Copy) -> Result<Vec<Step>, String> {
    let unit = copy.build("auditd-rules-engine", "engine", &["--lib"])?;
    let end_to_end = copy.build("auditd-rules-tests", "tests", &["--test", "it"])?;
    let step = |(at, (name, arguments, near)): (usize, &(&'static str, &[&'static str], _))| Step {
        name,
        binary: if at < END_TO_END { unit.clone() } else { end_to_end.clone() },
        arguments: arguments.to_vec(),
        near: *near,
        reached: BTreeSet::new(),
        limit: Duration::ZERO,
    };
    Ok(STEPS.iter().enumerate().map(step).collect())
}

impl Step {
    /// Runs it with no change: notes what it reaches and how long it takes.
    pub(crate) fn record(&mut self, folder: &Path) -> Result<(), String> {
        let seen = folder.join("seen");
        let _ = std::fs::remove_file(&seen);
        let began = Instant::now();
        let status = self.command(0).env("MUTANT_SEEN", &seen).stderr(Stdio::inherit()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("{} fail without any change", self.name));
        }
        let (times, least) = PATIENCE;
        self.limit = began.elapsed() * times + least;
        // A step that comes nowhere near writes no file.
        let text = if seen.exists() { read(&seen)? } else { String::new() };
        self.reached = text.lines().filter_map(|line| line.parse().ok()).collect();
        println!("{}: reaches {}, in {:.1?}", self.name, self.reached.len(), began.elapsed());
        Ok(())
    }

    pub(crate) fn reaches(&self, number: usize) -> bool {
        self.reached.contains(&number)
    }

    fn command(&self, number: usize) -> Command {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -v {MEMORY_MAX}; exec \"$0\" \"$@\"");
        command.arg("-c").arg(limited).arg(&self.binary.path).args(&self.arguments);
        command.args(["--test-threads", "1"]).current_dir(&self.binary.folder);
        command.env("MUTANT", number.to_string());
        // Few cases: most of what a change breaks is not rare. `PROPTEST_*`: the first failure is enough.
        command.env("AUDIT_CASES", "3000").env("AUDIT_BOUNDED", "1500").env("AUDIT_SHRINK", "0");
        command.env("PROPTEST_MAX_SHRINK_ITERS", "0").env("PROPTEST_FAILURE_PERSISTENCE", "off");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Whether it fails with a change; nothing if it runs without end.
    fn finds(&self, number: usize) -> Result<Option<bool>, String> {
        let mut child =
            self.command(number).spawn().map_err(|error| format!("cannot run a test: {error}"))?;
        let until = Instant::now() + self.limit;
        loop {
            let ended = child.try_wait().map_err(|error| format!("cannot wait for a test: {error}"))?;
            match ended {
                Some(status) => return Ok(Some(!status.success())),
                None if Instant::now() > until => {
                    end(&mut child);
                    return Ok(None);
                }
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself meanwhile.
    let _ = child.kill();
    let _ = child.wait();
}

/// What becomes of a change to a file.
pub(crate) fn fate(steps: &[Step], number: usize, file: &str) -> Result<Fate, String> {
    let near = |step: &Step| step.near.is_some_and(|near| file.starts_with(near));
    let order = |wanted: bool| steps.iter().enumerate().filter(move |(_, step)| near(step) == wanted);
    let mut reached = false;
    for (at, step) in order(true).chain(order(false)).filter(|(_, step)| step.reaches(number)) {
        reached = true;
        match step.finds(number)? {
            Some(true) => return Ok(Fate::Found(at)),
            None => return Ok(Fate::Endless(at)),
            Some(false) => {}
        }
    }
    Ok(if reached { Fate::Lived } else { Fate::Unreached })
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
