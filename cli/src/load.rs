//! RULES from the command line as a checked rule set, or the diagnostics that say why not.
//!
//! Files that tune rules and hold none are about the shipped ones, so these are taken with them: whoever wants the shipped
//! rules with an exception of his own has a file with that exception, and no copy of the rules.

use std::path::PathBuf;

use connect::rules::Loaded;
use connect::{Error, rules};
use dsl::check::Outcome;
use dsl::diag::{Diagnostic, Level, render};
use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use dsl::syntax::ast::Item;

use crate::output;

/// The rules that the binary carries: names and texts.
pub(crate) const SHIPPED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));
/// The other files beside them: what lists and tables take their values from.
const SHIPPED_VALUES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/shipped_values.rs"));

/// A rule set and what is to be said of it.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// The texts.
    pub(crate) sources: SourceMap,
    /// The rules; `None` if there is an error.
    pub(crate) rules: Option<RuleSet>,
    /// Errors and warnings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Compiled {
    /// How many diagnostics are of a level.
    pub(crate) fn count(&self, level: Level) -> usize {
        self.diagnostics.iter().filter(|found| found.level() == level).count()
    }
}

/// Reads and checks rules; without any path, or beside files that only tune, the shipped ones.
pub(crate) fn compile(paths: &[PathBuf]) -> Result<Compiled, Error> {
    Ok(check(load(paths)?, dsl::check::compile))
}

fn load(paths: &[PathBuf]) -> Result<Loaded, Error> {
    let mut loaded = if paths.is_empty() { Loaded::default() } else { rules::load(paths)? };
    if paths.is_empty() || !loaded.packed && only_tunes(&loaded.sources) {
        loaded.add_texts(SHIPPED, SHIPPED_VALUES);
    }
    Ok(loaded)
}

/// Whether there is a tune, and no rule that it could be of.
fn only_tunes(sources: &SourceMap) -> bool {
    let mut tunes = false;
    for (id, file) in sources.files() {
        for item in dsl::syntax::parse(id, &file.text).file.items {
            match item {
                Item::Rule(_) => return false,
                Item::Tune(_) | Item::TuneList(_) => tunes = true,
                _ => {}
            }
        }
    }
    tunes
}

fn check(loaded: Loaded, compile: fn(&SourceMap) -> Outcome) -> Compiled {
    let Loaded { sources, diagnostics, .. } = loaded;
    if !diagnostics.is_empty() {
        return Compiled { sources, rules: None, diagnostics };
    }
    let outcome = compile(&sources);
    Compiled { sources, rules: outcome.rules, diagnostics: outcome.diagnostics }
}

/// For commands whose results are not diagnostics: the rules, or nothing once standard error has been told why. Warnings of
/// packs were told when they were made.
pub(crate) fn rules_or_told(paths: &[PathBuf]) -> Result<Option<(SourceMap, RuleSet)>, Error> {
    let loaded = load(paths)?;
    let again = if loaded.packed { dsl::check::compile_again } else { dsl::check::compile };
    let compiled = check(loaded, again);
    if !compiled.diagnostics.is_empty() {
        let text = render::human(&compiled.sources, &compiled.diagnostics, output::colour_err());
        output::note(text.trim_end());
    }
    let Some(rules) = compiled.rules else {
        output::note("error: the rules do not compile");
        return Ok(None);
    };
    if rules.rules.is_empty() {
        output::note(&format!("error: {}", no_rules(paths)));
        return Ok(None);
    }
    Ok(Some((compiled.sources, rules)))
}

/// What is said of a set without a rule.
pub(crate) fn no_rules(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    if names.is_empty() {
        "there are no rules".to_owned()
    } else {
        format!("there is no rule in {}", names.join(", "))
    }
}

/// `1 rule`, `2 rules`.
pub(crate) fn plural(n: usize, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
