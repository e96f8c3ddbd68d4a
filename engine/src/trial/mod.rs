//! Runs the tests of rules: events as they are written in a `test`, and whether the rule says what is expected.
//!
//! A test is a log of one source named `test` in the order of time, so nothing in it is late and an event may stand
//! anywhere among the others. Only the rule it is about is active, also one that ships off, and whatever it hears the
//! alerts of; its own alerts alone are judged. Everything else is as in any run: the same matching, the same windows, the
//! same alerts. Only the room for keys is smaller, so that what rules tell of their limits can be tested. What is expected must come in that order and nothing else:
//! `expect 3 alerts` stands for three of any kind. A test runs on the rules as they were written, one that is `tuned` on
//! the rules with their tunes, where what a tune turns off is silent; a condition that both have is covered by either.

mod compare;
mod passed;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use dsl::ir::{Expected, Rule, RuleSet, Test};
use dsl::source::Span;

use crate::alert::Alert;
use crate::eval::Coverage;
use crate::explain::{Expired, Lookout, about};
use crate::limits::{Limits, TEST_KEYS_PER_RULE_MAX};
use crate::matches::{Nanos, SourceInfo};
use crate::plan::{Plan, with_all_heard};
use crate::planted::planted;
use crate::run::Run;
use crate::state::{Judged, Outcome, Watched, WindowSeen};
use crate::time::write_rfc3339;
use compare::same;

/// The tests of one rule, run one after another.
#[derive(Debug)]
pub struct Trial {
    written: Version,
    /// With its tunes, if there are any in the set.
    tuned: Option<Version>,
}

/// A rule as it was written, or as it is tuned.
#[derive(Debug)]
struct Version {
    /// The rule and all that it hears.
    plan: Arc<Plan>,
    /// Its number in the plan.
    number: usize,
    rule: Rule,
    /// A tune turned it off: it is silent.
    off: bool,
    conditions: Vec<Condition>,
}

/// A condition of the rule, and what the tests so far found it to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Where it stands.
    pub span: Span,
    /// The step it belongs to.
    pub step: u32,
    /// How often it was false.
    pub falses: u64,
    /// How often it was unknown.
    pub unknowns: u64,
    /// How often it was true.
    pub trues: u64,
}

/// What came of a test.
#[derive(Debug)]
pub struct TrialOutcome {
    /// Where it differs from what was expected; none if it passed.
    pub differences: Vec<Difference>,
    /// What the rule told.
    pub alerts: Vec<Alert>,
    /// What became of each event, in the order of their times: of each match of a step, and why an event matched none.
    pub timeline: Vec<Moment>,
}

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The expectation, the value in it, or the test as a whole.
    pub span: Span,
    /// What was expected.
    pub expected: String,
    /// What came instead.
    pub got: String,
}

/// An event in the course of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since the start of the test.
    pub at: Nanos,
    /// Such as `delete deployments prod/web by dev-user`.
    pub event: String,
    /// The step of a sequence.
    pub step: Option<Arc<str>>,
    /// What became of it, in words.
    pub outcome: String,
}

impl TrialOutcome {
    /// Whether all is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

impl Trial {
    /// Gets ready to run the tests of a rule, by its number in the set.
    #[must_use]
    pub fn new(rules: &RuleSet, rule: usize) -> Option<Self> {
        let tuned = Version::new(&rules.rules, rule)?;
        Some(match Version::new(&rules.untuned, rule) {
            Some(written) => {
                let off = tuned.rule.disabled && !written.rule.disabled;
                Self { written, tuned: Some(Version { off, ..tuned }) }
            }
            None => Self { written: tuned, tuned: None },
        })
    }

    /// Runs one of the rule's tests.
    pub fn run(&mut self, test: &Test) -> TrialOutcome {
        self.run_on(test, test.events().collect())
    }

    /// Runs a test as if these were its events.
    fn run_on(&mut self, test: &Test, events: Vec<(Nanos, String)>) -> TrialOutcome {
        match &mut self.tuned {
            Some(tuned) if test.tuned => tuned.run(test, events),
            _ => self.written.run(test, events),
        }
    }

    /// What all tests so far found the rule's conditions to be.
    #[must_use]
    pub fn conditions(&self) -> Vec<Condition> {
        let mut all = self.written.conditions.clone();
        for more in self.tuned.iter().flat_map(|tuned| &tuned.conditions) {
            match all.iter_mut().find(|known| (known.span, known.step) == (more.span, more.step)) {
                Some(known) => {
                    known.falses += more.falses;
                    known.unknowns += more.unknowns;
                    known.trues += more.trues;
                }
                None => all.push(*more),
            }
        }
        all
    }
}

impl Version {
    fn new(rules: &[Rule], rule: usize) -> Option<Self> {
        rules.get(rule)?;
        let active = with_all_heard(rules, rule);
        let set = rules.iter().zip(active);
        let set = set.map(|(rule, active)| Rule { disabled: !active, ..rule.clone() }).collect();
        let set = RuleSet { rules: set, ..RuleSet::default() };
        // Later than this is never late.
        let keys_per_rule_max = TEST_KEYS_PER_RULE_MAX;
        let limits = Limits { lateness: Nanos::MAX, keys_per_rule_max, ..Limits::default() };
        let plan = Arc::new(Plan::covering(&set, limits));
        let number = plan.rules.iter().position(|of| of.ir == rule)?;
        let rule = rules.get(rule)?.clone();
        let conditions = plan.rules.get(number).into_iter().flat_map(|rule| &rule.leaves);
        let conditions = conditions.map(|leaf| Condition {
            span: leaf.span,
            step: leaf.step,
            falses: 0,
            unknowns: 0,
            trues: 0,
        });
        let conditions = conditions.collect();
        Some(Self { plan, number, rule, off: false, conditions })
    }

    fn run(&mut self, test: &Test, mut events: Vec<(Nanos, String)>) -> TrialOutcome {
        events.sort_by_key(|(at, _)| *at);
        let mut log = Vec::new();
        for (_, line) in events {
            log.extend_from_slice(line.as_bytes());
            log.push(b'\n');
        }
        let mut run = Run::new(self.plan.clone(), self.plan.limits);
        run.scratch.cover(&self.plan);
        run.state.cover();
        let watches: Vec<_> = (0..).zip(&self.plan.rules).map(|(n, _)| run.state.watch_all(n)).collect();
        run.add(SourceInfo { name: "test".into(), cluster: None }, &log);
        run.read_until(test.until.filter(|_| !planted(65)).unwrap_or(Nanos::MIN));

        for all in [run.scratch.coverage(), run.state.coverage()].into_iter().flatten() {
            all.get(self.number).into_iter().for_each(|coverage| self.covered(coverage));
        }
        let mut alerts = Vec::new();
        run.state.drain(&mut alerts);
        alerts.retain(|alert| !self.off && *alert.rule.name == *self.rule.name);
        crate::alert::sort(&mut alerts);
        let mut differences = Vec::new();
        let undecodable: u64 = run.state.tally().undecodable.values().map(|found| found.count).sum();
        // Unless that is what is tested.
        if undecodable > 0 && self.plan.undecodable.is_empty() {
            differences.push(Difference {
                span: test.span,
                expected: "events".into(),
                got: format!("{undecodable} that cannot be read as audit events"),
            });
        }
        self.judge(test, &alerts, &mut differences);
        let mut timeline: Vec<Moment> = Vec::new();
        for (rule, watch) in watches.into_iter().enumerate() {
            let Some(mut lookout) = Lookout::new(&self.plan, rule) else { continue };
            for watched in run.state.seen(watch) {
                let expired = lookout.expired(watched.effective);
                timeline.extend(expired.iter().map(|expired| self.expired(test, rule, expired)));
                timeline.push(self.moment(test, rule, watched, &mut lookout));
            }
            let last = run.state.tally().span.map_or(test.start, |(_, last)| last);
            let end = test.until.map_or(last, |until| until.max(last));
            let expired = lookout.ended(end);
            timeline.extend(expired.iter().map(|expired| self.expired(test, rule, expired)));
            let judged = run.state.judged(watch).iter();
            timeline.extend(judged.map(|judged| self.over(test, rule, judged, &lookout)));
        }
        timeline.extend(passed::over(&self.plan, self.number, test, &log));
        timeline.sort_by_key(|moment| moment.at);
        TrialOutcome { differences, alerts, timeline }
    }

    fn covered(&mut self, coverage: &Coverage) {
        for (condition, [falses, unknowns, trues]) in self.conditions.iter_mut().zip(&coverage.leaves) {
            condition.falses += falses.get();
            condition.unknowns += unknowns.get();
            condition.trues += trues.get();
        }
    }

    fn judge(&self, test: &Test, alerts: &[Alert], differences: &mut Vec<Difference>) {
        let mut left = alerts;
        let mut last = test.span;
        for expected in &test.expected {
            match expected {
                Expected::None => {}
                Expected::Count(n, span) => {
                    last = *span;
                    let wanted = usize::try_from(*n).unwrap_or(usize::MAX);
                    if left.len() < wanted {
                        let (expected, got) = (alerts_text(wanted), alerts_text(left.len()));
                        differences.push(Difference { span: *span, expected, got });
                    }
                    left = left.get(wanted..).unwrap_or_default();
                }
                Expected::Alert { at, probes, span } => {
                    last = *span;
                    let Some((alert, rest)) = left.split_first() else {
                        let expected =
                            at.map_or("an alert".into(), |at| format!("an alert at {}", since(test, at)));
                        differences.push(Difference { span: *span, expected, got: "none".into() });
                        continue;
                    };
                    left = rest;
                    self.judge_alert(test, *at, probes, *span, alert, differences);
                }
            }
        }
        if let Some(first) = left.first() {
            differences.push(Difference {
                span: last,
                expected: "no other alert".into(),
                got: format!(
                    "{} more, the first at {}: {}",
                    left.len(),
                    since(test, first.time),
                    first.message
                ),
            });
        }
    }

    fn judge_alert(
        &self,
        test: &Test,
        at: Option<Nanos>,
        probes: &[(u32, String)],
        span: Span,
        alert: &Alert,
        differences: &mut Vec<Difference>,
    ) {
        if let Some(at) = at
            && at != alert.time
        {
            let expected = format!("an alert at {}", since(test, at));
            differences.push(Difference {
                span,
                expected,
                got: format!("one at {}", since(test, alert.time)),
            });
        }
        for (number, wanted) in probes {
            let Some(value) = alert.probes.get(*number as usize) else { continue };
            if !same(value, wanted) {
                let span = self.rule.probes.get(*number as usize).map_or(span, |probe| probe.span);
                differences.push(Difference { span, expected: wanted.clone(), got: compare::shown(value) });
            }
        }
    }

    /// What became of a match, of the rule or of one that it hears.
    fn moment(&self, test: &Test, rule: usize, watched: &Watched, lookout: &mut Lookout) -> Moment {
        let meta = &watched.meta;
        let mut event = about(meta);
        if meta.stage.is_none() {
            event = "no event".into();
        }
        if let Some(heard) = &meta.alert {
            event = format!("alert of {}: {event}", heard.rule);
        }
        let of = self.plan.rules.get(rule);
        let step = of.and_then(|rule| rule.steps.get(watched.step as usize));
        if let Some(other) = of.filter(|_| rule != self.number) {
            event = format!("{}: {event}", other.name);
        }
        Moment {
            at: meta.stage_timestamp.saturating_sub(test.start),
            event,
            step: step.and_then(|step| step.name.clone()),
            outcome: outcome(test, watched, lookout.lacks(watched).words),
        }
    }

    /// What came of something that began and was not completed.
    fn expired(&self, test: &Test, rule: usize, expired: &Expired) -> Moment {
        let from = since(test, expired.from);
        let mut event = match expired.cut {
            false => format!("what began at {from} is over"),
            true => format!("what began at {from} still waits at the end"),
        };
        if let Some(other) = self.plan.rules.get(rule).filter(|_| rule != self.number) {
            event = format!("{}: {event}", other.name);
        }
        let outcome = format!("no alert: {}", expired.words);
        Moment { at: expired.until.saturating_sub(test.start), event, step: expired.step.clone(), outcome }
    }

    /// What became of a window that closed, or of a silence.
    fn over(&self, test: &Test, rule: usize, judged: &Judged, lookout: &Lookout) -> Moment {
        let from = since(test, judged.span.0);
        let mut event = match (&judged.window, judged.cut) {
            (Some(_), false) => format!("the window since {from} closes"),
            (Some(_), true) => format!("the window since {from} is cut short by the end"),
            (None, _) => format!("nothing came since {from}"),
        };
        if let Some(other) = self.plan.rules.get(rule).filter(|_| rule != self.number) {
            event = format!("{}: {event}", other.name);
        }
        let values = values(judged.window.as_ref());
        let outcome = match &judged.outcome {
            Outcome::Fired(_) => format!("alert{values}"),
            Outcome::Throttled { since: told } => {
                format!("held back by the throttle since {}{values}", since(test, *told))
            }
            _ => match lookout.lacked(judged) {
                Some(lacked) => format!("no alert, {lacked}"),
                None => format!("no alert{values}"),
            },
        };
        Moment { at: judged.at.saturating_sub(test.start), event, step: None, outcome }
    }
}

fn values(window: Option<&WindowSeen>) -> String {
    let values = window.into_iter().flat_map(|window| &window.aggregates);
    values.map(|(text, value)| format!(", {text} is {}", compare::shown(value))).collect()
}

/// What became of a match; `lacks` is what it lacked.
fn outcome(test: &Test, watched: &Watched, lacks: Option<String>) -> String {
    let became = became(test, watched);
    match (&watched.outcome, lacks) {
        // What it lacked has the values of the window in it.
        (Outcome::NotTrue, Some(lacks)) => format!("counted, {lacks}"),
        (_, Some(lacks)) => format!("{became}: {lacks}"),
        (_, None) => became,
    }
}

fn became(test: &Test, watched: &Watched) -> String {
    let window = || values(watched.window.as_ref());
    match &watched.outcome {
        Outcome::Fired(_) => format!("alert{}", window()),
        Outcome::Throttled { since: told } => {
            format!("held back by the throttle since {}{}", since(test, *told), window())
        }
        Outcome::NotTrue => format!("counted{}", window()),
        Outcome::Counted => "is in a window that is still open".into(),
        Outcome::Learned => "new, but the key only learns yet".into(),
        Outcome::Known => "shows nothing new".into(),
        Outcome::Heard => "breaks the silence".into(),
        Outcome::Waits => "waits for the next step".into(),
        Outcome::Forbids => "forbids".into(),
        Outcome::WaitsUntil(until) => format!("waits until {}", since(test, *until)),
        Outcome::NoChoice => "completes no sequence".into(),
        Outcome::Forbidden => {
            let step = watched.forbidden.as_ref().and_then(|by| by.step.as_deref());
            format!("completes no sequence that `no {}` does not forbid", step.unwrap_or("step"))
        }
        Outcome::Duplicate => "its request was taken before".into(),
        Outcome::LeftOutLate => "left out: later than the window is long".into(),
        Outcome::KeyUnknown => "left out: a part of its key is unknown".into(),
        Outcome::KeyAbsent => "left out: no part of its key is there".into(),
        Outcome::Refused => "left out: too many keys".into(),
    }
}

fn alerts_text(n: usize) -> String {
    match n {
        0 => "no alert".into(),
        1 => "1 alert".into(),
        n => format!("{n} alerts"),
    }
}

/// A time as tests write it: since their start.
fn since(test: &Test, at: Nanos) -> String {
    match at.checked_sub(test.start) {
        Some(since) if since >= 0 => compare::shown(&crate::matches::Value::Duration(since)),
        _ => {
            let mut out = Vec::new();
            write_rfc3339(at, &mut out);
            String::from_utf8_lossy(&out).into_owned()
        }
    }
}
