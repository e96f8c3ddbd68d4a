//! `completions SHELL`: a script on standard output that teaches a shell our arguments.

use clap::CommandFactory;
use clap_complete::Shell;
use connect::Error;

use crate::exit::Exit;
use crate::output;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    shell: Shell,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    // Made in memory first: the generator panics where a write fails, and a closed pipe must end quietly.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::args::Args::command(), "auditd-rules", &mut script);
    output::print(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
