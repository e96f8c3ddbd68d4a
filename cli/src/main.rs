//! `auditd-rules`: rules over Kubernetes audit events, from the command line.
//!
//! Thin on purpose: arguments become calls of `dsl`, `engine` and `connect`, answers become text and an exit status.
//! One file per command, in `commands/`. What a command prints as its result goes to standard output, everything else
//! to standard error; `docs/cli.md` has the whole of it.

mod args;
mod commands;
mod config;
mod drive;
mod exit;
mod figures;
mod human;
mod load;
mod output;
mod sinks;
mod values;
mod words;

use std::process::ExitCode;

/// Many small values live between a match and its alert, made on one thread and dropped on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match args::read() {
        Ok(command) => command,
        Err(status) => return status,
    };
    exit::status(commands::execute(command))
}
