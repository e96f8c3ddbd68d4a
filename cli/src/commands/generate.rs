//! `generate`: audit events like those of recorded logs, on standard output; with `--describe` what a log is made of.
//!
//! The events are made by the crate of that name; here they are written in large pieces, and a closed pipe ends quietly.

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use connect::Error;
use connect::input::Input;
use generate::describe::Describer;
use generate::{Form, Generator, Label, NAMES, Options, Profile};

use crate::exit::Exit;
use crate::output::{self, Format};

/// Written, and read, in one go.
const PIECE_BYTES: usize = 1 << 20;

/// Make realistic audit events, or describe what a log is made of
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many events to make
    #[arg(long, value_name = "N", required_unless_present = "describe")]
    events: Option<u64>,
    /// The same seed makes the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Which recorded log the events are like: metadata, or requestresponse (with all bodies)
    #[arg(long, value_name = "P", default_value = NAMES[0], value_parser = NAMES)]
    profile: String,
    /// What stands around the events
    #[arg(long, value_name = "F", default_value = "lines", value_parser = Form::ALL.map(|(name, _)| name))]
    form: String,
    /// The share of requests that are attacks, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().attacks, value_parser = share)]
    attacks: f64,
    /// The share of events that come twice, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    duplicates: f64,
    /// The share of events that come after later ones, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = Options::default().disorder, value_parser = share)]
    disorder: f64,
    /// The share of the events of stage RequestReceived that are written, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = share)]
    received: f64,
    /// Events for each second of the log's own time
    #[arg(long, value_name = "N", default_value_t = Options::default().rate, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    rate: u64,
    /// Write which requests are attacks to this file: auditID, tab, kind
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Make nothing; print what this log is made of (- for standard input)
    #[arg(long, value_name = "LOG", conflicts_with_all = ["events", "labels"])]
    describe: Option<PathBuf>,
    /// Of the description: human or json; on a terminal human unless told
    #[arg(long, value_name = "FORMAT", requires = "describe")]
    format: Option<Format>,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("it is not from 0 to 1".to_owned()) }
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    match &args.describe {
        Some(log) => describe(log, args.format),
        None => make(args),
    }
}

fn make(args: &Args) -> Result<Exit, Error> {
    let form = Form::ALL.iter().find(|(name, _)| *name == args.form).map_or(Form::Lines, |(_, form)| *form);
    let options = Options {
        events: args.events.unwrap_or_default(),
        seed: args.seed,
        form,
        attacks: args.attacks,
        duplicates: args.duplicates,
        disorder: args.disorder,
        received: args.received,
        rate: args.rate,
        ..Options::default()
    };
    let profile = Profile::named(&args.profile).map_err(|cause| Error::failed(cause.to_string()))?;
    let mut labels = args.labels.as_deref().map(Labels::create).transpose()?;
    let mut generator = Generator::new(profile, options);
    let mut out = io::stdout().lock();
    generate::widen(&out);
    let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
    loop {
        piece.clear();
        let more = generator.fill(&mut piece, PIECE_BYTES);
        let made = generator.labels();
        if let Some(labels) = &mut labels {
            labels.write(&made)?;
        }
        match out.write_all(&piece).and_then(|()| out.flush()) {
            Err(cause) if cause.kind() == ErrorKind::BrokenPipe => break,
            Err(cause) => return Err(Error::named("write", "standard output", &cause)),
            Ok(()) if more => {}
            Ok(()) => break,
        }
    }
    labels.map_or(Ok(()), Labels::finish)?;
    Ok(Exit::Done)
}

/// The file of labels.
struct Labels<'a> {
    path: &'a Path,
    file: BufWriter<std::fs::File>,
}

impl<'a> Labels<'a> {
    fn create(path: &'a Path) -> Result<Self, Error> {
        let file = std::fs::File::create(path).map_err(|cause| Error::io("write", path, &cause))?;
        Ok(Self { path, file: BufWriter::new(file) })
    }

    fn write(&mut self, labels: &[Label]) -> Result<(), Error> {
        let mut each = labels.iter();
        each.try_for_each(|label| writeln!(self.file, "{}\t{}", label.audit_id, label.kind))
            .map_err(|cause| Error::io("write", self.path, &cause))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.file.flush().map_err(|cause| Error::io("write", self.path, &cause))
    }
}

fn describe(log: &Path, format: Option<Format>) -> Result<Exit, Error> {
    let mut input = if log.as_os_str() == "-" { Input::stdin()? } else { Input::open(log)? };
    let (mut describer, mut piece) = (Describer::default(), Vec::new());
    while input.read_more(&mut piece, PIECE_BYTES)? > 0 {
        describer.push(&piece);
        piece.clear();
    }
    let table = describer.finish();
    output::print(&match Format::or_default(format) {
        Format::Human => table.text(),
        Format::Json => output::json(table.json())?,
    })?;
    Ok(Exit::Done)
}
