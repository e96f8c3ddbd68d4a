//! One file per command.

pub(crate) mod bench;
pub(crate) mod compile;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod generate;
pub(crate) mod rules;
pub(crate) mod run;
pub(crate) mod test;

use connect::Error;

use crate::args::Command;
use crate::exit::Exit;

/// Does what was asked.
pub(crate) fn execute(command: Command) -> Result<Exit, Error> {
    match command {
        Command::Bench(args) => bench::execute(&args),
        Command::Compile(args) => compile::execute(&args),
        Command::Run(args) => run::execute(&args),
        Command::Test(args) => test::execute(&args),
        Command::Fmt(args) => fmt::execute(&args),
        Command::Explain(args) => explain::execute(&args),
        Command::Generate(args) => generate::execute(&args),
        Command::Rules(args) => rules::execute(&args),
        Command::Completions(args) => completions::execute(&args),
        Command::Other(_) => Err(Error::usage("there is no such command")),
    }
}

/// What to answer to an argument that `docs/cli.md` names for later.
pub(crate) fn not_built(argument: &str, given: bool) -> Result<(), Error> {
    if given { Err(Error::usage(format!("{argument} is not built yet"))) } else { Ok(()) }
}
