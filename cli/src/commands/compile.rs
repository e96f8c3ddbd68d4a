//! `compile`: are these rules right? Every mistake of every file in one run; with `-o` a pack of what was checked.
//!
//! Of rules that are right it says what each costs, those that ship off too: who switches one on wants to know before. As
//! JSON such a line is made like a diagnostic (`severity` is `info`), so that who reads diagnostics can read it as well.

use std::path::PathBuf;

use clap::ValueEnum;
use connect::{Error, pack};
use dsl::diag::{Level, render};
use dsl::ir::Rule;
use serde::Serialize;

use super::not_built;
use super::rules::Costs;
use crate::exit::Exit;
use crate::load::{self, Compiled, plural};
use crate::output::{self, Format};
use crate::words;

/// Check rules, and pack them into one file
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// Write the checked rules to this file, which every command takes as RULES
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Warnings are a no, too
    #[arg(long)]
    deny_warnings: bool,
    /// How to print what was found [default: human on a terminal, else json]
    #[arg(long)]
    format: Option<DiagnosticFormat>,
    #[arg(long, hide = true)]
    policy: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DiagnosticFormat {
    /// The text with the mistake underlined
    Human,
    /// One JSON object a line
    Json,
    /// One SARIF 2.1.0 log, for code scanners
    Sarif,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    not_built("--policy", args.policy.is_some())?;
    let compiled = load::compile(&args.rules)?;
    let format = args.format.unwrap_or_else(default_format);
    let text = match format {
        DiagnosticFormat::Human => {
            render::human(&compiled.sources, &compiled.diagnostics, output::colour_out())
        }
        DiagnosticFormat::Json => render::json(&compiled.sources, &compiled.diagnostics),
        DiagnosticFormat::Sarif => render::sarif(&compiled.sources, &compiled.diagnostics),
    };
    if !text.trim_end().is_empty() {
        output::print(text.trim_end())?;
    }
    let answer = judge(args, &compiled);
    // SARIF is of findings alone.
    if answer == Exit::Done && format != DiagnosticFormat::Sarif {
        output::print(&costs(&compiled, format)?)?;
    }
    if answer == Exit::Done
        && let Some(path) = &args.output
    {
        let made_by = concat!("auditd-rules ", env!("CARGO_PKG_VERSION"));
        connect::replace(path, &pack::write(made_by, &compiled.sources))?;
    }
    Ok(answer)
}

/// What each rule costs.
fn costs(compiled: &Compiled, format: DiagnosticFormat) -> Result<String, Error> {
    let rules: Vec<&Rule> = compiled.rules.iter().flat_map(|rules| &rules.rules).collect();
    let width = rules.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    let line = |rule: &&Rule| match format {
        DiagnosticFormat::Json => output::json(&CostLine::new(compiled, rule)),
        _ => {
            let off = if rule.disabled { " (off)" } else { "" };
            Ok(format!("{:width$}  {}{off}", rule.name, words::cost(rule)))
        }
    };
    Ok(rules.iter().map(line).collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// What a rule costs as JSON has it: a diagnostic with more to it.
#[derive(Serialize)]
struct CostLine<'a> {
    severity: &'static str,
    code: &'static str,
    message: String,
    help: Option<&'static str>,
    file: &'a str,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    rule: &'a str,
    enabled: bool,
    cost: Costs,
}

impl<'a> CostLine<'a> {
    fn new(compiled: &'a Compiled, rule: &'a Rule) -> Self {
        let sources = &compiled.sources;
        let (start, end) = (sources.start(rule.span), sources.end(rule.span));
        Self {
            severity: "info",
            code: "cost",
            message: format!("`{}` costs {}", rule.name, words::cost(rule)),
            help: None,
            file: &sources.file(rule.span.source).name,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            rule: &rule.name,
            enabled: !rule.disabled,
            cost: Costs::new(rule),
        }
    }
}

fn default_format() -> DiagnosticFormat {
    match Format::or_default(None) {
        Format::Human => DiagnosticFormat::Human,
        Format::Json => DiagnosticFormat::Json,
    }
}

/// Says in a line how it went.
fn judge(args: &Args, compiled: &Compiled) -> Exit {
    let (errors, warnings) = (compiled.count(Level::Error), compiled.count(Level::Warning));
    let found = format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"));
    let files = plural(compiled.sources.files().count(), "file");
    let Some(rules) = compiled.rules.as_ref().filter(|_| errors == 0) else {
        output::note(&format!("the rules do not compile: {found} in {files}"));
        return Exit::No;
    };
    if rules.rules.is_empty() {
        output::note(&format!("error: {}", load::no_rules(&args.rules)));
        return Exit::No;
    }
    let what =
        format!("{} and {} in {files}", plural(rules.rules.len(), "rule"), plural(rules.tests.len(), "test"));
    if args.deny_warnings && warnings > 0 {
        output::note(&format!("{what}: {found}, and warnings are denied"));
        return Exit::No;
    }
    output::note(&format!("{what}: {found}"));
    Exit::Done
}
