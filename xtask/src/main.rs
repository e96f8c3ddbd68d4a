//! The repository's chores, run as `cargo xtask NAME`: what is done now and then, by hand, and must be done the same
//! way each time. Nothing that builds or runs the program needs them.

mod schema;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask schema [--check] | tidy
  schema   make dsl/src/schema/kubernetes.txt anew from the crate k8s-openapi; with --check only say whether it differs
  tidy     tell files of code that are too long, say not what they are for, or hold left-over notes";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["schema"] => schema::run(&root(), false),
        ["schema", "--check"] => schema::run(&root(), true),
        ["tidy"] => tidy::run(&root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The top of the repository, wherever the command is called from.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}
