//! The commands and what they share.
//!
//! Commands that `docs/cli.md` names for later are known by name, so that they answer "not built yet" and not with a
//! guess at what was meant.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};

use crate::commands::{bench, compile, completions, explain, fmt, generate, rules, run, test};

/// Watches Kubernetes audit logs with rules: reads events, runs rules over them, prints alerts.
///
/// RULES are files, folders (all *.rule below them) or compiled packs; without any, the shipped rules are taken.
/// A SOURCE is - for standard input, a path or a glob; .gz and .zst are read as what they hold.
#[derive(Debug, Parser)]
#[command(name = "auditd-rules", version, max_term_width = 110, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// One command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Compile(compile::Args),
    Run(run::Args),
    Test(test::Args),
    Fmt(fmt::Args),
    Explain(explain::Args),
    Rules(rules::Args),
    Generate(generate::Args),
    Bench(bench::Args),
    Completions(completions::Args),
    /// Anything else, for a better answer than "unknown".
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

const LATER: &[&str] = &["policy", "search", "timeline", "report", "import", "top", "lsp"];

/// Reads the command line; what is wrong with it, or help, is printed here.
pub(crate) fn read() -> Result<Command, ExitCode> {
    let told = |error: clap::Error| {
        // Whoever asked for help and went away needs none.
        let _gone = error.print();
        ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
    };
    match Args::try_parse().map_err(told)?.command {
        Command::Other(words) => {
            let name = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
            let words = if LATER.contains(&name.as_str()) {
                format!("`{name}` is not built yet")
            } else {
                format!("there is no command `{name}`; `auditd-rules --help` lists them")
            };
            Err(told(Args::command().error(ErrorKind::InvalidSubcommand, words)))
        }
        command => Ok(command),
    }
}
