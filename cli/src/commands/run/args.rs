//! The arguments of `run`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;
use connect::Error;
use engine::limits::Limits;
use engine::matching::Decoding;

use crate::commands::not_built;
use crate::config::{self, Config};
use crate::output::Format;
use crate::values;

/// Read events, run rules over them, print alerts
///
/// Files are read to their end, and their alerts come sorted. A pipe is read until it closes, and each of its alerts comes as soon as
/// it is certain; with `--until end` sorted, at the end. The summary on standard error accounts for every event.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs [default: the shipped rules]
    pub(super) rules: Vec<PathBuf>,
    /// Where events come from: -, a path or a glob, which may be given again, or one
    /// kafka://HOST:PORT/TOPIC?group=G [default: - if it is no terminal]
    #[arg(long, value_name = "SOURCE")]
    pub(super) from: Vec<OsString>,
    /// Where alerts go: -, file:PATH or kafka://HOST:PORT/TOPIC; may be given again [default: -]
    #[arg(long, value_name = "SINK")]
    pub(super) to: Vec<String>,
    /// How many threads match events [default: one for each CPU]; the alerts are the same for any number
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// How late an event may come, such as 30s [default: 5s, from Kafka 10s]
    #[arg(long, value_name = "D", value_parser = values::duration)]
    lateness: Option<i64>,
    /// How alerts are printed on standard output [default: human on a terminal, else json]
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// Write the summary to this file, as one JSON object
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,
    /// End with status 3 if any of these took place
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(super) fail_on: Vec<FailOn>,
    /// Stop where every source ends now, and print the alerts sorted, of a pipe too
    #[arg(long, value_name = "WHEN")]
    pub(super) until: Option<Until>,
    /// The longest event, such as 1GiB; longer ones are counted and passed over [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    max_line: Option<usize>,
    /// What does not fit an argument, such as limits, as TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Which decoder reads lines; the alerts are the same with any
    #[arg(long, value_name = "DECODER", default_value = "auto")]
    decoder: Decoder,
    /// Read every event whole with the general decoder, as --decoder tape
    #[arg(long, conflicts_with = "decoder")]
    strict: bool,
    /// Remember in this folder, to go on where the last run ended, however it did; alerts are not sorted then
    #[arg(long, value_name = "DIR")]
    pub(super) state: Option<PathBuf>,
    /// How often what is remembered is saved, besides at the end
    #[arg(long, value_name = "D", default_value = "10s", value_parser = values::duration, requires = "state")]
    pub(super) state_every: i64,
    #[arg(long, hide = true)]
    follow: bool,
    #[arg(long, hide = true)]
    policy: Option<PathBuf>,
}

/// What `--fail-on` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// An alert
    Alert,
    /// Something that could not be decoded
    Undecoded,
    /// An event that came later than its lateness
    Late,
    /// Something that was shed because a limit was reached
    Loss,
}

/// What `--until` may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    /// The present end of every source
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Decoder {
    /// The scanner, what it declines the walker, what that declines the tape
    Auto,
    /// The scanner for the API server's own lines, the tape for all else
    Scan,
    /// The walker for lines with keys in any order, the tape for all else
    Walk,
    /// The general decoder, for everything
    Tape,
}

impl Args {
    /// Refuses what is named for later: nothing is accepted and ignored.
    pub(super) fn check(&self) -> Result<(), Error> {
        not_built("--follow", self.follow)?;
        not_built("--policy", self.policy.is_some())
    }

    /// What the file says, and what the arguments say themselves. A lateness that nobody says is `lateness`.
    pub(super) fn config(&self, lateness: i64) -> Result<Config, Error> {
        let limits = Limits { lateness, ..Limits::default() };
        let usual = Config { limits, ..Config::default() };
        let mut config = config::read_over(usual, self.config.as_deref())?;
        let limits = &mut config.limits;
        limits.lateness = self.lateness.unwrap_or(limits.lateness);
        limits.line_bytes_max = self.max_line.unwrap_or(limits.line_bytes_max);
        Ok(config)
    }

    /// What reads events.
    pub(super) fn decoding(&self) -> Decoding {
        match self.decoder {
            _ if self.strict => Decoding::Tape,
            Decoder::Auto => Decoding::Auto,
            Decoder::Scan => Decoding::Scan,
            Decoder::Walk => Decoding::Walk,
            Decoder::Tape => Decoding::Tape,
        }
    }
}
