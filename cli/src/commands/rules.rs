//! `rules`: what a set contains. Per rule its severity and tags, what it listens to, what kind of rule it is, what it
//! groups by, and the level at which the audit policy must record for it to be decided.

use std::path::PathBuf;

use connect::Error;
use dsl::ir::{Rule, RuleSet};
use engine::limits::Limits;
use engine::plan::cost::{Cost, Table, cost};
use serde::Serialize;

use crate::exit::Exit;
use crate::output::{self, Format};
use crate::{load, words};

/// List what a rule set contains
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Rule files, folders, or compiled packs [default: the shipped rules]
    rules: Vec<PathBuf>,
    /// [default: human on a terminal, else json]
    #[arg(long)]
    format: Option<Format>,
}

pub(crate) fn execute(args: &Args) -> Result<Exit, Error> {
    let Some((sources, rules)) = load::rules_or_told(&args.rules)? else { return Ok(Exit::No) };
    let mut out = output::stdout()?;
    let format = Format::or_default(args.format);
    for rule in &rules.rules {
        let tests = rules
            .tests
            .iter()
            .filter(|test| rules.rules.get(test.rule).is_some_and(|of| of.name == rule.name));
        let place = format!("{}:{}", sources.file(rule.span.source).name, sources.start(rule.span).line);
        let text = match format {
            Format::Human => human(&rules, rule, &place, tests.count()),
            Format::Json => as_json(&rules, rule, &place, tests.count())?,
        };
        out.line(&text)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// What each step listens to.
fn listens(rules: &RuleSet, rule: &Rule) -> Vec<String> {
    let step = |step: &dsl::ir::Step| {
        let on = words::on(&step.on, |of| rules.rules.get(of).map(|rule| rule.name.as_str()));
        step.name.as_ref().map_or(on.clone(), |name| format!("{name}: {on}"))
    };
    rule.steps.iter().map(step).collect()
}

/// The names of the key's parts, which all steps share.
fn key(rule: &Rule) -> Vec<&str> {
    rule.steps
        .first()
        .map(|step| step.key.iter().map(|part| part.name.as_str()).collect())
        .unwrap_or_default()
}

fn human(rules: &RuleSet, rule: &Rule, place: &str, tests: usize) -> String {
    let off = if rule.disabled { ", off" } else { "" };
    let mut lines = vec![
        format!("{} ({}{off})", rule.name, rule.severity.word()),
        format!("  {}", rule.title),
        format!("  on {}", listens(rules, rule).join("; ")),
    ];
    let by = key(rule);
    let by = if by.is_empty() { String::new() } else { format!(" by {}", by.join(", ")) };
    let (level, full) = (words::level(rule), words::full_level(rule));
    let more = if full > level { format!(", reads what {} records", full.text()) } else { String::new() };
    lines.push(format!("  {}{by}; needs audit level {}{more}", words::shape(rule), level.text()));
    if !rule.tags.is_empty() {
        lines.push(format!("  {}", rule.tags.join(" ")));
    }
    lines.push(format!("  cost: {}", words::cost(rule)));
    lines.push(format!("  {} at {place}", load::plural(tests, "test")));
    lines.join("\n")
}

/// A rule as JSON has it.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    severity: &'a str,
    tags: &'a [String],
    enabled: bool,
    shape: String,
    on: Vec<String>,
    key: Vec<&'a str>,
    /// The lowest level of the audit policy at which it can match.
    level: &'a str,
    /// The level at which all that it reads is recorded.
    full_level: &'a str,
    throttle: String,
    cost: Costs,
    tests: usize,
    place: &'a str,
}

/// What it costs, by the rule's text and the limits alone.
#[derive(Serialize)]
pub(super) struct Costs {
    class: &'static str,
    dear: Vec<String>,
    events_per_key: u64,
    bytes_per_key: u64,
    /// Of a rule about requests themselves: what one takes that has nothing to tell any more, and all together at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    table: Option<TableCosts>,
}

#[derive(Serialize)]
struct TableCosts {
    bytes_per_settled: u64,
    bytes_max: u64,
}

impl Costs {
    pub(super) fn new(rule: &Rule) -> Self {
        let Cost { class, dear, events_per_key, bytes_per_key, table } = cost(rule, &Limits::default());
        let table =
            table.map(|Table { bytes_per_settled, bytes_max }| TableCosts { bytes_per_settled, bytes_max });
        Self { class: class.text(), dear, events_per_key, bytes_per_key, table }
    }
}

fn as_json(rules: &RuleSet, rule: &Rule, place: &str, tests: usize) -> Result<String, Error> {
    let listed = Listed {
        name: &rule.name,
        title: &rule.title,
        severity: rule.severity.word(),
        tags: &rule.tags,
        enabled: !rule.disabled,
        shape: words::shape(rule),
        on: listens(rules, rule),
        key: key(rule),
        level: words::level(rule).text(),
        full_level: words::full_level(rule).text(),
        throttle: words::duration(rule.throttle),
        cost: Costs::new(rule),
        tests,
        place,
    };
    output::json(&listed)
}
