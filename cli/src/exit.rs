//! What the process ends with. People script these numbers: they are fixed.

use std::process::ExitCode;

use connect::{Error, Kind};

/// How a command ended that could do what it was asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done,
    /// The answer is no: rules do not compile, a test failed, a check found something.
    No,
    /// Done, but something that `--fail-on` names took place.
    Noticed,
    /// Something could not be read or written; it has been told already.
    CouldNotGoOn,
}

const USAGE: u8 = 2;

/// Tells what went wrong, unless nobody is left to be told, and gives the number.
pub(crate) fn status(result: Result<Exit, Error>) -> ExitCode {
    let number = match result {
        Ok(Exit::Done) => 0,
        Ok(Exit::No) => 1,
        Ok(Exit::Noticed) => 3,
        Ok(Exit::CouldNotGoOn) => 4,
        Err(error) => match error.kind() {
            Kind::Closed => 0,
            Kind::Usage => {
                tell(&error);
                USAGE
            }
            Kind::Io => {
                tell(&error);
                4
            }
        },
    };
    ExitCode::from(number)
}

/// Says on standard error what went wrong.
pub(crate) fn tell(error: &Error) {
    crate::output::note(&format!("error: {error}"));
}
