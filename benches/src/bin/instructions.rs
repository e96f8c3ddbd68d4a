//! How many instructions each stage of the engine takes for an event, counted by callgrind: `instructions [STAGE]... [--write]`.
//!
//! Each stage runs in a process of its own under valgrind, which counts only inside of [`counted`]. The counts are held to those of
//! `benches/instructions.tsv`: what takes more than a twentieth more than there fails by its name, so that a change that makes a stage
//! slower has to say so by writing the file anew (`--write`). Unlike time they are the same whatever else the machine does; another
//! compiler or C library may move them, and then the file is written anew as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use benches::stages::{Work, names, stage};

/// By how much a stage may take more than what is written, of a hundred.
const MORE_MAX: f64 = 5.0;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [one, name] = args.as_slice()
        && one == "--one"
    {
        let mut stage = stage(name);
        // Once before, so that what is made once is not counted.
        let first = stage.ready()();
        stage.assert_found(first);
        let work = stage.ready();
        stage.assert_found(counted(work));
        println!("{}", stage.events);
        return ExitCode::SUCCESS;
    }
    let write = args.iter().any(|arg| arg == "--write");
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with("--")).collect();
    let stages = names().into_iter().filter(|name| wanted.is_empty() || wanted.contains(&name));
    match measured(stages, write) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What callgrind counts the instructions of, by this name.
#[inline(never)]
fn counted(work: Work<'static>) -> u64 {
    work()
}

fn measured(stages: impl Iterator<Item = String>, write: bool) -> Result<ExitCode, String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.tsv");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let mut written: BTreeMap<String, f64> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let parts = line.split_once('\t').and_then(|(name, count)| Some((name, count.parse().ok()?)));
        let (name, count) = parts.ok_or(format!("{}: cannot read {line:?}", path.display()))?;
        written.insert(name.to_owned(), count);
    }
    let mut dearer = Vec::new();
    println!("{:24} {:>12} {:>12} {:>8}", "stage", "an event", "written", "");
    for name in stages {
        let found = instructions(&name)?;
        let before = written.get(&name).copied();
        let change = before.map(|before| (found / before - 1.0) * 100.0);
        println!(
            "{name:24} {found:>12.0} {:>12} {:>7}",
            before.map_or("-".to_owned(), |before| format!("{before:.0}")),
            change.map_or("new".to_owned(), |change| format!("{change:+.1}%")),
        );
        if change.is_none_or(|change| change > MORE_MAX) {
            dearer.push(name.clone());
        }
        written.insert(name, found);
    }
    if write {
        let mut out = "stage\tinstructions an event\n".to_owned();
        for name in names() {
            if let Some(count) = written.get(&name) {
                let _ = writeln!(out, "{name}\t{count:.0}");
            }
        }
        std::fs::write(&path, out).map_err(|error| format!("{}: {error}", path.display()))?;
        return Ok(ExitCode::SUCCESS);
    }
    for name in &dearer {
        eprintln!("{name} takes more than {MORE_MAX} % more instructions than {} says", path.display());
    }
    Ok(if dearer.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Of one stage, an event.
fn instructions(name: &str) -> Result<f64, String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    let out = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
        .args(["--toggle-collect=*instructions*counted*"])
        .arg(itself)
        .args(["--one", name])
        .output()
        .map_err(|error| format!("valgrind cannot be run ({error}); it is in the package of that name"))?;
    let said = String::from_utf8_lossy(&out.stderr);
    let told = String::from_utf8_lossy(&out.stdout);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")).map(|(_, count)| count.trim());
    let (Some(Ok(count)), Ok(events)) = (count.map(str::parse::<u32>), told.trim().parse::<u32>()) else {
        return Err(format!("{name}: cannot be counted:\n{said}{told}"));
    };
    if count == 0 || events == 0 {
        return Err(format!("{name}: nothing was counted, the function has another name"));
    }
    Ok(f64::from(count) / f64::from(events))
}
