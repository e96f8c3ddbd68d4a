//! `test`: runs the tests that stand beside the rules, each as a small log of its own through the whole engine.
//!
//! A failure says what was expected, what came instead, and what became of each of the test's events. `--coverage` adds
//! the conditions that no test of their rule ever made true, or false: a half that no test looks at is where a rule is wrong unseen.
//! `--watch` does it all again whenever a file changes.

mod coverage;
mod junit;

use std::path::PathBuf;

use clap::ValueEnum;
use connect::signals;
use connect::sink::Sink;
use connect::watch::Watch;
use connect::{Error, Kind};
use dsl::diag::render;
use dsl::ir::{RuleSet, Test};
use dsl::source::{SourceMap, Span};
use engine::trial::{Trial, TrialOutcome};
use serde::Serialize;

use coverage::Covered;

use crate::exit::Exit;
use crate::load::{self, Compiled, plural};
use crate::output::{self, Format};
use crate::{human, words};

/// Run the tests of rules
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs
    #[arg(required = true)]
    rules: Vec<PathBuf>,
    /// Also tell which conditions no test ever made true, or false
    #[arg(long)]
    coverage: bool,
    /// Run them again whenever a rule file changes, until interrupted
    #[arg(long)]
    watch: bool,
    /// [default: human on a terminal, else json]
    #[arg(long)]
    format: Option<TestFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TestFormat {
    /// Text for people
    Human,
    /// One JSON object a line
    Json,
    /// JUnit's XML, for build servers
    Junit,
}

/// A test and what came of it.
struct Tried<'a> {
    test: &'a Test,
    rule: &'a str,
    outcome: TrialOutcome,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    if !args.watch {
        return once(args);
    }
    let stop = signals::watch()?;
    let watch = Watch::new(&args.rules)?;
    loop {
        // A file that is gone for a moment, or never comes back, is told and waited for.
        if let Err(error) = once(args) {
            if error.kind() == Kind::Closed {
                return Err(error);
            }
            output::note(&format!("error: {error}"));
        }
        output::note("waiting for a change");
        if !watch.wait(&stop) {
            return Ok(Exit::Done);
        }
    }
}

fn once(args: &Args) -> Result<Exit, Error> {
    let format = args.format.unwrap_or_else(|| match Format::or_default(None) {
        Format::Human => TestFormat::Human,
        Format::Json => TestFormat::Json,
    });
    let compiled = load::compile(&args.rules)?;
    tell_diagnostics(&compiled, format)?;
    let Some(rules) = &compiled.rules else {
        output::note("the rules do not compile");
        return Ok(Exit::No);
    };
    if rules.tests.is_empty() {
        output::note("error: there is no test in these rules");
        return Ok(Exit::No);
    }
    let (tried, covered) = try_all(rules);
    let covered = if args.coverage { covered } else { Vec::new() };
    let mut out = output::stdout()?;
    let sources = &compiled.sources;
    match format {
        TestFormat::Human => print_human(&mut out, sources, &tried)?,
        TestFormat::Json => tried.iter().try_for_each(|one| out.line(&as_json(sources, one)?))?,
        TestFormat::Junit => out.line(&junit::document(sources, &tried, &covered))?,
    }
    if args.coverage {
        coverage::print(&mut out, sources, &covered, format)?;
    }
    out.flush()?;
    let failed = tried.iter().filter(|one| !one.outcome.passed()).count();
    Ok(if failed > 0 { Exit::No } else { Exit::Done })
}

/// As results where they are asked for as data, else beside the results.
fn tell_diagnostics(compiled: &Compiled, format: TestFormat) -> Result<(), Error> {
    let Compiled { sources, diagnostics, .. } = compiled;
    if diagnostics.is_empty() {
        return Ok(());
    }
    match format {
        TestFormat::Json => output::print(render::json(sources, diagnostics).trim_end()),
        TestFormat::Human => {
            output::print(render::human(sources, diagnostics, output::colour_out()).trim_end())
        }
        TestFormat::Junit => {
            output::note(render::human(sources, diagnostics, output::colour_err()).trim_end());
            Ok(())
        }
    }
}

fn try_all(rules: &RuleSet) -> (Vec<Tried<'_>>, Vec<Covered<'_>>) {
    let (mut tried, mut covered) = (Vec::new(), Vec::new());
    for (number, rule) in rules.rules.iter().enumerate() {
        let Some(mut trial) = Trial::new(rules, number) else { continue };
        for test in rules.tests.iter().filter(|test| test.rule == number) {
            tried.push(Tried { test, rule: &rule.name, outcome: trial.run(test) });
        }
        covered.extend(trial.conditions().iter().map(|condition| {
            let step = rule.steps.get(condition.step as usize).and_then(|step| step.name.as_deref());
            Covered { rule: &rule.name, step, condition: *condition }
        }));
    }
    (tried, covered)
}

fn place(sources: &SourceMap, span: Span) -> String {
    let start = sources.start(span);
    format!("{}:{}:{}", sources.file(span.source).name, start.line, start.column)
}

fn print_human(out: &mut Sink, sources: &SourceMap, tried: &[Tried<'_>]) -> Result<(), Error> {
    for one in tried {
        let word = if one.outcome.passed() { "ok  " } else { "FAIL" };
        out.line(&format!("{word}  {} {:?}", one.rule, one.test.title))?;
        if !one.outcome.passed() {
            out.line(&failure(sources, one))?;
        }
    }
    let failed = tried.iter().filter(|one| !one.outcome.passed()).count();
    out.line(&format!("{}: {} passed, {failed} failed", plural(tried.len(), "test"), tried.len() - failed))
}

/// What was expected, what came, and how it came to that.
fn failure(sources: &SourceMap, one: &Tried<'_>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for difference in &one.outcome.differences {
        lines.push(format!("      {}", place(sources, difference.span)));
        lines.push(format!("        expected {}", human::printable(&difference.expected)));
        lines.push(format!("        got      {}", human::printable(&difference.got)));
    }
    lines.push("      what became of each event:".to_owned());
    for moment in &one.outcome.timeline {
        let step = moment.step.as_ref().map(|step| format!(" ({step})")).unwrap_or_default();
        let at = words::duration(moment.at);
        lines.push(format!(
            "        {at:>8}  {}{step}: {}",
            human::printable(&moment.event),
            human::printable(&moment.outcome)
        ));
    }
    if one.outcome.timeline.is_empty() {
        lines.push("        there is none".to_owned());
    }
    lines.join("\n")
}

#[derive(Serialize)]
struct TestLine<'a> {
    rule: &'a str,
    test: &'a str,
    passed: bool,
    file: &'a str,
    line: u32,
    column: u32,
    differences: Vec<DifferenceLine<'a>>,
    /// Of a test that failed: what became of each event.
    timeline: Vec<MomentLine<'a>>,
}

#[derive(Serialize)]
struct MomentLine<'a> {
    /// Since the start of the test, as tests write it.
    at: String,
    event: &'a str,
    step: Option<&'a str>,
    outcome: &'a str,
}

#[derive(Serialize)]
struct DifferenceLine<'a> {
    expected: &'a str,
    got: &'a str,
    file: &'a str,
    line: u32,
    column: u32,
}

fn as_json(sources: &SourceMap, one: &Tried<'_>) -> Result<String, Error> {
    let start = sources.start(one.test.span);
    let difference = |difference: &'_ engine::trial::Difference| {
        let start = sources.start(difference.span);
        (start.line, start.column)
    };
    let differences = one.outcome.differences.iter().map(|found| {
        let (line, column) = difference(found);
        let file = &sources.file(found.span.source).name;
        DifferenceLine { expected: &found.expected, got: &found.got, file, line, column }
    });
    let failed = !one.outcome.passed();
    let timeline = one.outcome.timeline.iter().filter(|_| failed).map(|moment| MomentLine {
        at: words::duration(moment.at),
        event: &moment.event,
        step: moment.step.as_deref(),
        outcome: &moment.outcome,
    });
    output::json(&TestLine {
        rule: one.rule,
        test: &one.test.title,
        passed: one.outcome.passed(),
        file: &sources.file(one.test.span.source).name,
        line: start.line,
        column: start.column,
        differences: differences.collect(),
        timeline: timeline.collect(),
    })
}
