//! Mutation testing of time, windows and sequences: each small change to that code must be found by a test.
//!
//! All changes are built in at once, each behind a question that an environment variable answers ([`mod@write`]), so that one
//! costs the tests that find it and no build. First come the unit tests, then random cases against the reference evaluator.
//! `docs/mutants.md` lists what survives both, each with its reason; anything else that does is a hole, and the command
//! fails.
//!
//! What was found stays in `target/mutants/results` until the changed file itself is edited; what survived is tried again
//! as soon as anything is edited, since the tests may know more. So a run that is cut off goes on where it was.

mod build;
mod find;
mod list;
mod run;
#[cfg(test)]
mod tests;
mod values;
mod write;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use build::{Copy, read};
use find::Mutant;
use run::{Fate, KINDS, Test};

/// The code that is changed; tests are not.
const PLACES: [&str; 13] = [
    "engine/src/time",
    "engine/src/window",
    "engine/src/plan/sequence.rs",
    "engine/src/state/close.rs",
    "engine/src/state/decide.rs",
    "engine/src/state/overflow.rs",
    "engine/src/state/pool.rs",
    "engine/src/state/request.rs",
    "engine/src/state/requests.rs",
    "engine/src/state/sequence.rs",
    "engine/src/state/sight.rs",
    "engine/src/state/silence.rs",
    "engine/src/state/timeline.rs",
];
/// What decides whether a change is found.
const DECIDES: [&str; 5] = ["engine/src", "tests/src", "tests/it", "dsl/src", "connect/src"];

/// What is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Only files whose path has one of these in it, in that order; all, if there are none.
    files: Vec<String>,
    /// Only the change of this number.
    only: Option<usize>,
    /// How many at a time.
    jobs: usize,
    /// Survivors are asked again with so many times as many random cases.
    times: u32,
}

impl Options {
    /// What the words of the command line say, if they are known.
    pub(crate) fn parse(words: &[&str]) -> Option<Self> {
        let mut options = Self { files: Vec::new(), only: None, jobs: 2, times: 1 };
        for pair in words.chunks(2) {
            match pair {
                ["--file", file] => options.files.push((*file).to_owned()),
                ["--only", number] => options.only = Some(number.parse().ok()?),
                ["--jobs", jobs] => options.jobs = jobs.parse().ok().filter(|jobs| *jobs > 0)?,
                ["--times", times] => options.times = times.parse().ok().filter(|times| *times > 0)?,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// Makes each change and tells which of them no test finds.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), String> {
    let place = root.join("target/mutants");
    let mut files = Vec::new();
    for part in PLACES {
        code(root, Path::new(part), &mut files)?;
    }
    let mut all: Vec<Mutant> = Vec::new();
    for file in &files {
        all.extend(find::find(file, &read(&root.join(file))?)?);
    }
    let copy = Copy::new(root, &place, &files)?;
    let mut prints = Prints::new(root)?;
    let refused = refused(&copy, &place, &all, &mut prints)?;
    let tests = run::tests(&copy, &place)?;
    let place_of = |number: usize| {
        let file = &mutant(&all, number).file;
        options.files.iter().position(|part| file.contains(part.as_str()))
    };
    let wanted = |number: &usize| {
        let of_file = options.files.is_empty() || place_of(*number).is_some();
        of_file && options.only.is_none_or(|only| only == *number)
    };
    let (refused, asked): (BTreeSet<usize>, BTreeSet<usize>) =
        (1..=all.len()).filter(wanted).partition(|number| refused.contains(number));
    let mut asked: Vec<usize> = asked.into_iter().collect();
    asked.sort_by_key(|number| place_of(*number));
    let mut fates = prints.known(&place, &all);
    let again = |key: &str| {
        options.only.is_some() || fates.get(key).is_none_or(|fate| *fate == Fate::Lived && options.times > 1)
    };
    let todo: Vec<usize> = asked.iter().copied().filter(|number| again(&mutant(&all, *number).key)).collect();
    println!("{} changes, {} do not build, {} to be run", all.len(), refused.len(), todo.len());
    fates.extend(run_all(&place, &all, &tests, &todo, options, &prints)?);
    tell(root, &all, &asked, &refused, &fates)
}

/// The change of a number, which counts from 1.
fn mutant(all: &[Mutant], number: usize) -> &Mutant {
    &all[number - 1]
}

/// The numbers of what does not build. What was refused last time in a file that is as it was is not asked for again.
fn refused(
    copy: &Copy,
    place: &Path,
    all: &[Mutant],
    prints: &mut Prints,
) -> Result<BTreeSet<usize>, String> {
    let path = place.join("refused");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let old: BTreeSet<&str> = old.lines().collect();
    let line = |mutant: &Mutant| format!("{}\t{}", prints.file(&mutant.file), mutant.key);
    let known = (1..=all.len()).filter(|number| old.contains(line(mutant(all, *number)).as_str()));
    let refused = copy.change(all, known.collect())?;
    let lines: Vec<String> = refused.iter().map(|number| line(mutant(all, *number)) + "\n").collect();
    std::fs::write(&path, lines.concat()).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(refused)
}

/// Runs the changes, some at a time, and writes down what becomes of each.
fn run_all(
    place: &Path,
    all: &[Mutant],
    tests: &[Test],
    todo: &[usize],
    options: &Options,
    prints: &Prints,
) -> Result<BTreeMap<String, Fate>, String> {
    let path = run::results(place);
    let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let file = Mutex::new(file.map_err(|error| format!("{}: {error}", path.display()))?);
    let (next, fates, wrong) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()), Mutex::new(None));
    let work = || -> Result<(), String> {
        while let Some(number) = todo.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mutant = mutant(all, *number);
            let fate = run::fate(tests, *number, options.times)?;
            if fate.survives() {
                println!("{number} {}:{}:{} {}", mutant.file, mutant.line, mutant.column, fate.word());
                println!("    {}", mutant.key);
            }
            let line = format!("{}\t{}\t{}\n", prints.of(&mutant.file, fate), fate.word(), mutant.key);
            let mut file = file.lock().map_err(|_| "a thread failed")?;
            file.write_all(line.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
            fates.lock().map_err(|_| "a thread failed")?.insert(mutant.key.clone(), fate);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                if let Err(error) = work()
                    && let Ok(mut wrong) = wrong.lock()
                {
                    *wrong = Some(error);
                }
            });
        }
    });
    match wrong.into_inner() {
        Ok(None) => fates.into_inner().map_err(|_| "a thread failed".to_owned()),
        Ok(Some(error)) => Err(error),
        Err(_) => Err("a thread failed".into()),
    }
}

/// Prints the table, and what `docs/mutants.md` does not say.
fn tell(
    root: &Path,
    all: &[Mutant],
    asked: &[usize],
    refused: &BTreeSet<usize>,
    fates: &BTreeMap<String, Fate>,
) -> Result<(), String> {
    let listed = list::listed(&read(&root.join("docs/mutants.md"))?);
    let of = |number: &usize| fates.get(&mutant(all, *number).key).copied();
    let count = |what: &dyn Fn(Fate) -> bool| asked.iter().filter_map(of).filter(|fate| what(*fate)).count();
    let row = |name: &str, n: usize| println!("{name:<50} {n:>5}");
    row("changes", asked.len() + refused.len());
    row("do not build", refused.len());
    for (at, kind) in KINDS.iter().enumerate() {
        row(&format!("found by {kind}"), count(&|fate| fate == Fate::Found(at)));
    }
    row("run without end", count(&|fate| matches!(fate, Fate::Endless(_))));
    row("survive", count(&Fate::survives));
    row("of them no test comes there", count(&|fate| fate == Fate::Unreached));

    let keys: BTreeSet<&str> = all.iter().map(|mutant| mutant.key.as_str()).collect();
    for key in listed.iter().filter(|key| !keys.contains(key.as_str())) {
        println!("docs/mutants.md lists what is no change any more: {key}");
    }
    let mut holes = Vec::new();
    for number in asked {
        let Some(fate) = of(number) else { continue };
        let mutant = mutant(all, *number);
        match (fate.survives(), listed.contains(&mutant.key)) {
            (true, false) => holes.push(format!(
                "{number} {}:{}:{} {}\n    {}",
                mutant.file,
                mutant.line,
                mutant.column,
                fate.word(),
                mutant.key
            )),
            (false, true) => println!("docs/mutants.md lists what a test finds: {}", mutant.key),
            _ => {}
        }
    }
    match holes.len() {
        0 => Ok(()),
        n => Err(format!("{n} survive that docs/mutants.md does not list:\n{}", holes.join("\n"))),
    }
}

/// What tells whether something was edited since.
struct Prints {
    root: PathBuf,
    files: BTreeMap<String, u64>,
    all: u64,
}

impl Prints {
    fn new(root: &Path) -> Result<Self, String> {
        let mut files = Vec::new();
        for part in DECIDES {
            everything(&root.join(part), &mut files)?;
        }
        files.sort();
        let mut prints = Self { root: root.to_owned(), files: BTreeMap::new(), all: 0 };
        let mut whole = DefaultHasher::new();
        for file in files {
            let bytes = std::fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let mut hasher = DefaultHasher::new();
            bytes.hash(&mut hasher);
            let print = hasher.finish();
            print.hash(&mut whole);
            let name = file.strip_prefix(&prints.root).unwrap_or(&file).display().to_string();
            prints.files.insert(name, print);
        }
        prints.all = whole.finish();
        Ok(prints)
    }

    fn file(&self, file: &str) -> u64 {
        self.files.get(file).copied().unwrap_or(0)
    }

    /// What must be as it is now for a result to hold.
    fn of(&self, file: &str, fate: Fate) -> u64 {
        if fate.survives() { self.all } else { self.file(file) }
    }

    /// The results of former runs that hold.
    fn known(&self, place: &Path, all: &[Mutant]) -> BTreeMap<String, Fate> {
        let text = std::fs::read_to_string(run::results(place)).unwrap_or_default();
        let files: BTreeMap<&str, &str> =
            all.iter().map(|mutant| (mutant.key.as_str(), mutant.file.as_str())).collect();
        let mut known = BTreeMap::new();
        for line in text.lines() {
            let mut parts = line.splitn(3, '\t');
            let (Some(print), Some(word), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
                continue;
            };
            let (Some(fate), Some(file)) = (Fate::parse(word), files.get(key)) else { continue };
            if print == self.of(file, fate).to_string() {
                known.insert(key.to_owned(), fate);
            }
        }
        known
    }
}

/// The files of code in a place, without tests.
fn code(root: &Path, part: &Path, files: &mut Vec<String>) -> Result<(), String> {
    let mut all = Vec::new();
    let place = root.join(part);
    if place.is_dir() {
        everything(&place, &mut all)?;
    } else {
        all.push(place);
    }
    let named = |path: &Path, name: &str| path.components().any(|part| part.as_os_str() == name);
    all.retain(|path| !named(path, "tests.rs") && !named(path, "tests") && path.extension().is_some());
    all.sort();
    files.extend(all.iter().filter_map(|path| path.strip_prefix(root).ok()?.to_str().map(str::to_owned)));
    Ok(())
}

/// The files of code and tests in a folder.
fn everything(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.is_dir() {
            everything(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
