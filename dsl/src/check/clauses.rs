//! A rule's clauses, each where it belongs: what is missing, what stands twice, what excludes what.

use super::report::Report;
use crate::diag::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, ClauseKind};

/// A rule's clauses by what they say; of what stands twice the first.
#[derive(Debug, Default)]
pub(crate) struct Clauses<'a> {
    pub severity: Option<ast::Severity>,
    pub tags: Option<&'a Vec<ast::Spanned<String>>>,
    pub about: Option<&'a ast::Text>,
    pub see: Option<&'a Vec<ast::Text>>,
    pub disabled: bool,
    pub on: Option<&'a ast::Selector>,
    pub condition: Option<&'a ast::Expr>,
    pub excepts: Vec<&'a ast::Expr>,
    pub by: Option<&'a Vec<ast::KeyPart>>,
    pub across_clusters: bool,
    pub when: Option<&'a ast::Window>,
    pub steps: Option<&'a ast::Steps>,
    pub alert: Option<&'a ast::Template>,
    pub throttle: Option<i64>,
}

/// The clauses of a rule; what is missing or stands twice is reported.
pub(crate) fn gather<'a>(rule: &'a ast::Rule, report: &mut Report) -> Clauses<'a> {
    let mut clauses = Clauses::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    for clause in &rule.clauses {
        let word = clause.kind.word();
        let span = Span { end: clause.span.start + u32::try_from(word.len()).unwrap_or(0), ..clause.span };
        if !word.is_empty() && word != "except" {
            // `sequence` and `unordered` exclude each other as they exclude themselves.
            let group = if word == "unordered" { "sequence" } else { word };
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == group) {
                let message = format!("`{word}` stands twice in this rule");
                report.add(Diagnostic::new(Code::ClauseTwice, span, message).related(*first, "first here"));
                continue;
            }
            seen.push((group, span));
        }
        put(&mut clauses, clause, report);
    }
    let at = |word: &str| seen.iter().find(|(known, _)| *known == word).map(|(_, span)| *span);
    if let (Some(on), Some(steps)) = (at("on"), at("sequence")) {
        let message = "a rule has an `on` or steps, not both";
        report.add(Diagnostic::new(Code::ClausesClash, steps, message).related(on, "the `on`"));
    }
    if let (Some(when), Some(steps)) = (at("when"), at("sequence")) {
        let message = "`when` counts what one `on` matches, and steps have none";
        report.add(Diagnostic::new(Code::ClausesClash, when, message).related(steps, "the steps"));
    }
    if rule.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Error)) {
        return clauses; // what is missing may be what did not parse
    }
    let name = &rule.name;
    let mut missing = |what: &str, help: &str| {
        let message = format!("the rule `{}` has no {what}", name.node);
        report.error_help(Code::MissingClause, name.span, message, help);
    };
    if at("severity").is_none() {
        missing("`severity`", "add one, such as `severity medium`");
    }
    if at("alert").is_none() {
        missing("`alert`", "add one, such as `alert \"{user.username} did it\"`");
    }
    if at("on").is_none() && at("sequence").is_none() {
        missing("`on`", "say which requests it is about, such as `on get of secrets`");
    }
    clauses
}

fn put<'a>(clauses: &mut Clauses<'a>, clause: &'a ast::Clause, report: &mut Report) {
    match &clause.kind {
        ClauseKind::Severity(severity) => clauses.severity = Some(severity.node),
        ClauseKind::Tags(tags) => clauses.tags = Some(tags),
        ClauseKind::About(text) => clauses.about = Some(text),
        ClauseKind::See(links) => clauses.see = Some(links),
        ClauseKind::Disable => clauses.disabled = true,
        ClauseKind::On(on) => clauses.on = Some(on),
        ClauseKind::Where(condition) => clauses.condition = Some(condition),
        ClauseKind::Except(condition) => clauses.excepts.push(condition),
        ClauseKind::By(parts) => clauses.by = Some(parts),
        ClauseKind::AcrossClusters => clauses.across_clusters = true,
        ClauseKind::When(window) => clauses.when = Some(window),
        ClauseKind::Steps(steps) => clauses.steps = Some(steps),
        ClauseKind::Alert(template) => {
            if template.text.node.trim().is_empty() {
                let help = "say who did what: `alert \"{user.username} read {objectRef.name}\"`";
                report.error_help(Code::EmptyAlert, template.text.span, "an alert has a text", help);
            }
            clauses.alert = Some(template);
        }
        ClauseKind::Throttle(nanos) => clauses.throttle = Some(nanos.node),
        ClauseKind::Error => {}
    }
}
