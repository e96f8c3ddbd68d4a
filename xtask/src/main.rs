//! The repository's chores, run as `cargo xtask NAME`: what is done now and then, by hand, and must be done the same
//! way each time. Nothing that builds or runs the program needs them.

mod mutants;
mod schema;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask mutants [--file TEXT]... [--only N] [--jobs N] [--times N] | schema [--check] | tidy
  mutants  make every small change to the code of time, windows and sequences, and tell which no test finds;
           --file: only in files whose path has TEXT in it (several are taken in that order), --only: the change of that number, --jobs: how many at a time,
           --times: what survives is asked again with so many times as many random cases
  schema   make dsl/src/schema/kubernetes.txt anew from the crate k8s-openapi; with --check only say whether it differs
  tidy     tell files of code that are too long, say not what they are for, or hold left-over notes";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["schema"] => schema::run(&root(), false),
        ["schema", "--check"] => schema::run(&root(), true),
        ["mutants", options @ ..] => match mutants::Options::parse(options) {
            Some(options) => mutants::run(&root(), &options),
            None => return usage(),
        },
        ["tidy"] => tidy::run(&root()),
        _ => return usage(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// The top of the repository, wherever the command is called from.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
