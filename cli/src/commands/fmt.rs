//! `fmt`: rules in the one layout. Files in place, `-` from standard input to standard output, `--check` only says.
//!
//! A file that is laid out already is not written at all; one with a mistake is left as it is, and told. A byte-order mark goes.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use connect::rules::{self, Loaded};
use connect::{Error, replace};
use dsl::diag::render;
use dsl::fmt::{FormatRefused, format};
use dsl::syntax::parse;

use crate::exit::Exit;
use crate::load::plural;
use crate::output;

/// Lay out rule files
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files or folders, or - for standard input
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// Write nothing; say which files are not laid out, and end with status 1 if there are any
    #[arg(long)]
    check: bool,
}

/// What became of a file.
enum Laid {
    /// It is so already.
    Already,
    /// This is how it would be.
    Anew(String),
    /// It has mistakes, which have been told.
    Refused,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    if args.rules.iter().any(|path| path.as_os_str() == "-") {
        return match args.rules.as_slice() {
            [_] => stdin(args.check),
            _ => Err(Error::usage("- stands alone: its result goes to standard output")),
        };
    }
    let files = rules::files(&args.rules)?;
    let (mut anew, mut refused) = (0, 0);
    for path in &files {
        match lay_out(&path.display().to_string(), &rules::read(path)?)? {
            Laid::Already => {}
            Laid::Anew(text) => {
                anew += 1;
                write(path, &text, args.check)?;
            }
            Laid::Refused => refused += 1,
        }
    }
    let done = if args.check { "to lay out" } else { "laid out anew" };
    output::note(&format!("{}: {anew} {done}, {refused} with mistakes", plural(files.len(), "file")));
    Ok(if refused > 0 || (args.check && anew > 0) { Exit::No } else { Exit::Done })
}

fn write(path: &Path, text: &str, check: bool) -> Result<(), Error> {
    if check {
        output::note(&format!("{} is not laid out", path.display()));
        return Ok(());
    }
    replace(path, text.as_bytes())
}

fn stdin(check: bool) -> Result<Exit, Error> {
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map_err(|cause| Error::named("read", "standard input", &cause))?;
    let text = match lay_out("-", &bytes)? {
        Laid::Refused => return Ok(Exit::No),
        Laid::Anew(_) if check => {
            output::note("standard input is not laid out");
            return Ok(Exit::No);
        }
        Laid::Anew(text) => text,
        Laid::Already => String::from_utf8_lossy(&bytes).into_owned(),
    };
    if !check {
        let mut out = output::stdout()?;
        out.text(&text)?;
        out.flush()?;
    }
    Ok(Exit::Done)
}

fn lay_out(name: &str, bytes: &[u8]) -> Result<Laid, Error> {
    if connect::pack::is_pack(bytes) {
        return Err(Error::usage(format!("{name} is a compiled pack; fmt takes rule files")));
    }
    let Loaded { sources, mut diagnostics, .. } = rules::from_bytes(name, bytes);
    let Some((id, file)) = sources.files().next() else { return Ok(Laid::Already) };
    if diagnostics.is_empty() {
        let parsed = parse(id, &file.text);
        match format(&parsed, &file.text) {
            Ok(text) if text.as_bytes() == bytes => return Ok(Laid::Already),
            Ok(text) => return Ok(Laid::Anew(text)),
            Err(FormatRefused::Mistakes) => diagnostics = parsed.diagnostics,
            Err(fault) => return Err(Error::failed(format!("{name}: {fault}"))),
        }
    }
    output::note(render::human(&sources, &diagnostics, output::colour_err()).trim_end());
    Ok(Laid::Refused)
}
