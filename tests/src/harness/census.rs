//! How many cases each part of the language decided: see [`crate::reference::Poison`] for what that means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;

use dsl::ir::{OfRequests, Rule};

use super::hold::Outcome;
use super::reference_answer;
use super::trials::{ON_ALERTS, expected};
use super::vary::FORMS;
use crate::generate::Case;
use crate::reference::{Feature, Poison};

/// What must decide its share of the cases: every operator, quantifier, function, derived field, stage, patch form and
/// kind of window.
pub const PARTS: &[Feature] = &[
    "==",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "startswith",
    "endswith",
    "like",
    "matches",
    "ignoring case",
    "in [..]",
    "in cidr",
    "in clock",
    "in path",
    "and",
    "or",
    "not",
    "a value as a condition",
    "any",
    "all",
    "[]",
    "[n]",
    "[computed]",
    "+",
    "-",
    "*",
    "/",
    "present()",
    "len()",
    "keys()",
    "lower()",
    "split()",
    "base64()",
    "url_decode()",
    "parse_json()",
    "number()",
    "quantity()",
    "time()",
    "time_of_day()",
    "weekday()",
    "clean_path()",
    "public_ip()",
    "image_registry()",
    "image_repository()",
    "image_tag()",
    "image_digest()",
    "desired",
    "pod_spec",
    "containers",
    "object.name",
    "source_ip",
    "peer_ip",
    "client.program",
    "client.version",
    "credential.id",
    "credential.node",
    "credential.pod",
    "exec_args",
    "exec_command",
    "exec_container",
    "csr_common_name",
    "csr_organizations",
    "decision",
    "dry_run",
    "request_id",
    "cluster",
    "source",
    "requestObject",
    "responseObject",
    "body Table",
    "body Status",
    "body List",
    "unknown at RequestReceived",
    "outcome",
    "at any",
    "at RequestReceived",
    "at ResponseStarted",
    "at ResponseComplete",
    "at Panic",
    "verbs",
    "any verb",
    "any verb but",
    "any target",
    "any target but",
    "any resource",
    "any resource but",
    "resource",
    "resource/subresource",
    "resource/*",
    "*/subresource",
    "*.group",
    "nonresource",
    "nonresource *",
    "including dry_run",
    "dry runs passed over",
    "except",
    "by",
    "patch object",
    "patch with $ keys",
    "json patch add",
    "json patch replace",
    "json patch remove",
    "json patch move",
    "json patch copy",
    "json patch test",
    "json patch to -",
    "each",
    "sliding",
    "sequence",
    "within",
    "throttle",
    "count()",
    "distinct()",
    "a filter of an aggregate",
    "a condition over steps",
    "a step's field",
    "a request twice",
    "late event",
    "a table",
    "across clusters",
    "alert.approximate",
    "alert.count",
    "alert.key",
    "alert.message",
    "alert.rule",
    "alert.severity",
    "alert.tags",
    "among",
    "end of input",
    "first_seen",
    "gap",
    "learning",
    "no after",
    "no before",
    "no between",
    "no between within",
    "on alert",
    "on undecodable",
    "pending",
    "session",
    "silent",
    "silent without by",
    "times",
    "tumbling",
    "undecodable.offset",
    "undecodable.reason",
    "unordered",
    "sum()",
    "avg()",
    "min()",
    "max()",
    "percentile()",
    "a MaxMind table",
    "a line that is no event",
    "a silent source",
    "a time of reading",
];

/// One case in so many is run again in each form, at least.
const FORM_SHARE: u64 = 10;

/// Parts that tests of rules have beside the run.
pub const OF_TESTS: &[Feature] = &["until", ON_ALERTS];

/// Counts of a run, shared by its threads.
#[derive(Debug, Default)]
pub struct Census {
    counts: Mutex<Counts>,
    /// A part is measured no more once it decided so many cases: the table then says `or more`.
    enough: u64,
}

#[derive(Debug, Default)]
struct Counts {
    cases: u64,
    alerted: u64,
    alerts: u64,
    parts: BTreeMap<Feature, (u64, u64)>,
    /// Cases in which a rule about requests themselves told something: about an answer, about an id.
    of_requests: [u64; 2],
    /// Cases that were run again in a form.
    forms: BTreeMap<&'static str, u64>,
}

impl Census {
    /// Measures each part until it decided so many cases.
    #[must_use]
    pub fn until(enough: u64) -> Self {
        Self { counts: Mutex::default(), enough }
    }

    /// Counts a case that held.
    ///
    /// # Panics
    /// If another thread of the test did.
    #[expect(
        clippy::expect_used,
        reason = "a test's own lock; a poisoned one means another test thread failed"
    )]
    pub fn count(&self, case: &Case, held: &Outcome) {
        let Outcome { rules, answer, tests, forms, poison } = held;
        let met = poison.met();
        let open: Vec<Feature> = {
            let told = |rule: &&Rule| answer.alerts.iter().any(|alert| alert.rule == rule.name);
            let about = rules.rules.iter().filter(told).filter_map(|rule| match rule.of_requests()? {
                OfRequests::Unanswered { .. } => Some(0),
                OfRequests::Repeated { .. } => Some(1),
            });
            let about: BTreeSet<usize> = about.collect();
            let mut counts = self.counts.lock().expect("no thread panicked");
            counts.cases += 1;
            counts.alerted += u64::from(!answer.alerts.is_empty());
            counts.alerts += answer.alerts.len() as u64;
            about.into_iter().for_each(|which| counts.of_requests[which] += 1);
            for form in forms {
                *counts.forms.entry(form).or_default() += 1;
            }
            for part in &met {
                counts.parts.entry(part).or_default().0 += 1;
            }
            let decided = |part: &Feature| counts.parts.get(part).map_or(0, |(_, decided)| *decided);
            met.iter().copied().filter(|part| decided(part) < self.enough).collect()
        };
        for part in open {
            let decides = match OF_TESTS.contains(&part) {
                true => expected(rules, &Poison::of(part)) != *tests,
                false => reference_answer(case, rules, &Poison::of(part)).alerts != answer.alerts,
            };
            if decides {
                let mut counts = self.counts.lock().expect("no thread panicked");
                counts.parts.entry(part).or_default().1 += 1;
            }
        }
    }

    /// The table, and what is below its quota: for each part a hundredth of the cases, or as many as are enough; for each form a tenth; a
    /// third with an alert.
    ///
    /// # Panics
    /// If a thread of the test did.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "a test's own lock; a poisoned one means another test thread failed"
    )]
    pub fn report(&self) -> (String, Vec<String>) {
        let counts = self.counts.lock().expect("no thread panicked");
        let quota = (counts.cases / 100).min(self.enough);
        let mut table = format!(
            "{} cases, {} with an alert, {} alerts\n{:28} {:>8} {:>9}\n",
            counts.cases, counts.alerted, counts.alerts, "part", "met in", "decided"
        );
        let mut short = Vec::new();
        for (which, told) in ["unanswered", "repeated"].into_iter().zip(counts.of_requests) {
            let _ = writeln!(table, "requests {which:19} {told:>8}");
            if told < quota {
                short.push(format!("rules about requests {which} tell in {told} cases, fewer than {quota}"));
            }
        }
        if counts.alerted * 3 < counts.cases {
            short.push(format!("only {} of {} cases end in an alert", counts.alerted, counts.cases));
        }
        for form in FORMS {
            let had = counts.forms.get(form).copied().unwrap_or_default();
            let _ = writeln!(table, "{form:28} {had:>8}");
            if had * FORM_SHARE < counts.cases {
                short.push(format!("`{form}` was tried in {had} of {} cases", counts.cases));
            }
        }
        for part in PARTS.iter().chain(OF_TESTS) {
            let (met, decided) = counts.parts.get(part).copied().unwrap_or_default();
            let more = if decided >= self.enough { "+" } else { "" };
            let _ = writeln!(table, "{part:28} {met:>8} {decided:>8}{more}");
            if decided < quota {
                short.push(format!("`{part}` decides {decided} cases, fewer than {quota}"));
            }
        }
        (table, short)
    }
}
