//! Copies the repository, writes the changes into the copy and builds its tests. The checkout itself is never touched.
//!
//! Not every change gives code that builds, and which ones do not only the compiler knows: it is asked until it has no more
//! to say, each time without those that it refused. That is one check of a crate each, not one for each change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::find::Mutant;
use super::write::{self, Region};

/// The crate in which changes are made, and its folder.
const CRATE: &str = "auditd-rules-engine";
const FOLDER: &str = "engine";
/// Each round finds what the compiler could not see for the mistakes of the round before; two or three are usual.
const ROUNDS_MAX: usize = 30;

/// The copy, and where it is built.
#[derive(Debug)]
pub(crate) struct Copy {
    repository: PathBuf,
    root: PathBuf,
    target: PathBuf,
    /// The files that may be changed.
    files: Vec<String>,
}

/// A built test binary.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) path: PathBuf,
    pub(crate) folder: PathBuf,
}

impl Copy {
    /// Makes the copy of a repository the same as it.
    pub(crate) fn new(repository: &Path, place: &Path, changed: &[String]) -> Result<Self, String> {
        let copy = Self {
            repository: repository.to_owned(),
            root: place.join("copy"),
            target: place.join("build"),
            files: changed.to_vec(),
        };
        // Changed files are written in `change`, so that what is as it was last time need not be built again.
        let mut kept: BTreeSet<PathBuf> = changed.iter().map(|file| copy.root.join(file)).collect();
        kept.extend(["lib.rs", "mutant.rs"].map(|name| copy.root.join(FOLDER).join("src").join(name)));
        copy_folder(repository, &copy.root, &mut kept)?;
        remove_others(&copy.root, &kept)?;
        Ok(copy)
    }

    /// Writes the changes, `all` of a repository's, without those that do not build; gives the numbers of these.
    pub(crate) fn change(&self, all: &[Mutant], known: BTreeSet<usize>) -> Result<BTreeSet<usize>, String> {
        let mut refused = known;
        for round in 1..=ROUNDS_MAX {
            let regions = self.write(all, &refused)?;
            let more = self.check(&regions)?;
            if more.is_empty() {
                return Ok(refused);
            }
            println!("round {round}: {} more do not build", more.len());
            refused.extend(more);
        }
        Err(format!("after {ROUNDS_MAX} rounds the changed code does not build"))
    }

    fn write(
        &self,
        all: &[Mutant],
        refused: &BTreeSet<usize>,
    ) -> Result<BTreeMap<String, Vec<Region>>, String> {
        let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> =
            self.files.iter().map(|file| (file.as_str(), Vec::new())).collect();
        for (at, mutant) in all.iter().enumerate() {
            let of = files.entry(&mutant.file).or_default();
            if !refused.contains(&(at + 1)) {
                of.push((at + 1, mutant));
            }
        }
        let mut regions = BTreeMap::new();
        for (file, mutants) in files {
            let source = read(&self.repository.join(file))?;
            let (text, of) = write::write(&source, &mutants);
            replace(&self.root.join(file), text.as_bytes())?;
            regions.insert(file.to_owned(), of);
        }
        let lib = self.root.join(FOLDER).join("src/lib.rs");
        let source = read(&self.repository.join(FOLDER).join("src/lib.rs"))?;
        // Changed code has odd parentheses, and sums that the compiler sees overflow.
        let text = format!(
            "#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n{source}\n#[rustfmt::skip]\nmod mutant;\n"
        );
        replace(&lib, text.as_bytes())?;
        replace(&lib.with_file_name("mutant.rs"), write::module(all.len()).as_bytes())?;
        Ok(regions)
    }

    /// The numbers of what the compiler refuses.
    fn check(&self, regions: &BTreeMap<String, Vec<Region>>) -> Result<BTreeSet<usize>, String> {
        let output = self
            .cargo(&["check", "--package", CRATE, "--lib", "--message-format=json"])
            .output()
            .map_err(|error| format!("cannot run cargo: {error}"))?;
        let mut refused = BTreeSet::new();
        let mut unknown = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
            let message = &value["message"];
            let spans = message["spans"].as_array().map(Vec::as_slice).unwrap_or_default();
            if message["level"] != "error" || spans.is_empty() {
                continue;
            }
            let blamed = blamed(spans, regions);
            if blamed.is_empty() {
                unknown.push(message["rendered"].as_str().unwrap_or_default().to_owned());
            }
            refused.extend(blamed);
        }
        match () {
            () if output.status.success() => Ok(BTreeSet::new()),
            () if !refused.is_empty() => Ok(refused),
            () => Err(format!(
                "the changed code does not build, for a reason that lies in none of the changes:\n{}{}",
                unknown.concat(),
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target).args(arguments);
        command
    }

    /// Builds the tests of a package.
    pub(crate) fn build(&self, package: &str, folder: &str, target: &[&str]) -> Result<Binary, String> {
        let mut arguments = vec!["test", "--no-run", "--message-format=json", "--package", package];
        arguments.extend(target);
        let output = self.cargo(&arguments).stderr(std::process::Stdio::inherit()).output();
        let output = output.map_err(|error| format!("cannot run cargo: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let values = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let tests = values.filter(|value| value["profile"]["test"] == true);
        let path = tests.filter_map(|value| value["executable"].as_str().map(PathBuf::from)).next_back();
        let path =
            path.filter(|_| output.status.success()).ok_or(format!("the tests of {package} do not build"))?;
        Ok(Binary { path, folder: self.root.join(folder) })
    }
}

/// Which changes a compiler's error is about: those in whose code it points, else those around it, else those on its way.
fn blamed(spans: &[Value], regions: &BTreeMap<String, Vec<Region>>) -> BTreeSet<usize> {
    let mut single: Option<&Region> = None;
    let mut around: Option<&Region> = None;
    let mut inside = BTreeSet::new();
    for span in spans {
        let name = span["file_name"].as_str().unwrap_or_default();
        let Some((_, of)) =
            regions.iter().find(|(file, _)| name == *file || file.ends_with(&format!("/{name}")))
        else {
            continue;
        };
        let byte =
            |key: &str| span[key].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or(usize::MAX);
        let (start, end) = (byte("byte_start"), byte("byte_end"));
        for region in of {
            if region.range.start <= start && end <= region.range.end {
                let best = if region.numbers.len() == 1 { &mut single } else { &mut around };
                if best.is_none_or(|best| region.range.len() < best.range.len()) {
                    *best = Some(region);
                }
            } else if start <= region.range.start && region.range.end <= end {
                inside.extend(&region.numbers);
            }
        }
    }
    let smaller = match (single, around) {
        (Some(single), Some(around)) if around.range.len() < single.range.len() => Some(around),
        (single, around) => single.or(around),
    };
    smaller.map_or(inside, |region| region.numbers.iter().copied().collect())
}

pub(crate) fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Writes a file if it is not so already: what did not change is not built again.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), String> {
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// What no build needs.
const PASSED_OVER: [&str; 4] = ["target", ".git", "node_modules", "fuzz"];

fn copy_folder(from: &Path, to: &Path, kept: &mut BTreeSet<PathBuf>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(wrong)?;
    for entry in std::fs::read_dir(from).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if PASSED_OVER.iter().any(|passed| entry.file_name() == *passed) {
            continue;
        }
        if kept.contains(&target) {
            continue;
        }
        if entry.file_type().map_err(wrong)?.is_dir() {
            copy_folder(&path, &target, kept)?;
        } else {
            let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            replace(&target, &bytes)?;
            kept.insert(target);
        }
    }
    Ok(())
}

/// What is gone from the repository goes from the copy.
fn remove_others(folder: &Path, kept: &BTreeSet<PathBuf>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() {
            remove_others(&path, kept)?;
        } else if !kept.contains(&path) {
            std::fs::remove_file(&path).map_err(wrong)?;
        }
    }
    Ok(())
}
