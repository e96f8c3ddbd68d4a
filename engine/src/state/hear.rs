//! What comes to rules but events at hand: alerts that others told, and what is no event.
//!
//! Both are asked here and not where blocks are matched: an alert is known only once it is decided, and what is no event
//! has a time only beside its source's clock. An alert becomes a match of each step that hears it, under the alert's id and
//! time, at the time at which it was decided; the values of its event were captured when that was matched. So a chain of
//! rules on alerts costs one evaluation a listener and alert, and no event is kept for it.

use std::sync::Arc;

use super::State;
use super::hash::Fields;
use super::make::{Notes, Subject};
use crate::alert::Alert;
use crate::eval::{Coverage, Cx, Event, LostCx};
use crate::hear::AlertFacts;
use crate::matches::{
    EventMeta, HeardAlert, Match, Nanos, RequestId, SourceId, SourceInfo, Undecodable, Value,
};
use crate::matching::{Answer, Asked, answer};
use crate::plan::late::LateCx;
use crate::plan::{Plan, Rule};
use crate::planted::planted;

/// The number of a source for what comes from none.
const NOWHERE: SourceId = SourceId(u32::MAX);

impl State {
    /// Counts from now on what conditions are found to be that are asked when their event is gone. For plans made by
    /// [`Plan::covering`].
    pub fn cover(&mut self) {
        let plan = &self.plan;
        let coverage = plan.rules.iter().map(|rule| Coverage::new(rule.leaves.len()));
        self.coverage = Some(coverage.collect());
    }

    /// What was counted, per rule of the plan.
    #[must_use]
    pub fn coverage(&self) -> Option<&[Coverage]> {
        self.coverage.as_deref()
    }

    /// An alert is told, past its throttle: it goes to the rules that hear it, at the time at which it was decided.
    pub(super) fn tell(
        &mut self,
        rule: &Rule,
        alert: &Alert,
        subject: &Subject<'_>,
        decided_at: Nanos,
        notes: Notes,
    ) {
        if rule.heard.is_empty() {
            return;
        }
        let facts = AlertFacts::new(alert);
        let values = told_values(rule, subject);
        let meta = Arc::new(heard_meta(alert, subject, notes));
        let mut selected = None;
        for hearing in &rule.heard {
            // Once an alert, though several steps of a sequence may hear it.
            if selected != Some(hearing.rule) {
                selected = Some(hearing.rule);
                self.tally.rule(hearing.rule).selected += 1;
            }
            let coverage = self.coverage.as_deref().and_then(|c| c.get(hearing.rule as usize));
            let late = LateCx { captures: &[&values], alert: Some(&facts), ..LateCx::default() };
            let answer = answer(&hearing.asked(), &Cx::new(Event::Gone(late), coverage));
            let m = self.matched((hearing.rule, hearing.step), answer, &meta, notes.dry_run_unknown);
            let at = if planted(40) { alert.time } else { decided_at };
            let now = m.and_then(|m| self.place_in_time(m, at));
            self.at_once.extend(now);
        }
    }

    /// What of a block is no event and comes before an event of it, by that event's number.
    pub(super) fn lose(&mut self, source: SourceId, lost: &mut Lost<'_>, until: u32) {
        if !lost.any_before(until) {
            return;
        }
        let plan = self.plan.clone();
        let Some(info) = self.sources.get(source).map(|source| source.info.clone()) else { return };
        while let Some((found, number)) = lost.next_before(until) {
            // It has no time of its own, so that it is never late.
            let shown = self.sources.shows(source);
            let time = shown.max(self.sources.watermark);
            let spoke = || self.sources.get(source).and_then(|source| source.clock.now());
            let time = if planted(62) { spoke().unwrap_or(time) } else { time };
            let time = if planted(43) { 0 } else { time };
            self.highest = self.highest.max(Some(time));
            let meta = Arc::new(lost_meta(found, number, time, source, &info));
            let (reason, offset) = (found.reason.text(), found.offset);
            let mut selected = None;
            for (number, step) in plan.undecodable.iter().copied() {
                if selected != Some(number) {
                    selected = Some(number);
                    self.tally.rule(number).selected += 1;
                }
                let Some((rule, of)) = rule_and_step(&plan, number, step) else { continue };
                let coverage = self.coverage.as_deref().and_then(|c| c.get(number as usize));
                let here = Event::Lost(LostCx { reason, offset, time, source: &info });
                let answer = answer(&Asked::of(of, &rule.aggregates), &Cx::new(here, coverage));
                if let Some(m) = self.matched((number, step), answer, &meta, false) {
                    self.arrive(m, time, shown);
                }
            }
            self.hurry();
        }
    }

    fn matched(
        &mut self,
        (rule, step): (u32, u32),
        answer: Answer,
        meta: &Arc<EventMeta>,
        dry_run_unknown: bool,
    ) -> Option<Match> {
        self.tally.rule(rule).unknown_decided += u64::from(answer.unknown_decided);
        let brought = answer.brought?;
        Some(Match {
            rule,
            step,
            event: 0,
            meta: meta.clone(),
            key: brought.key,
            captures: brought.captures,
            counted: brought.counted,
            dry_run_unknown,
        })
    }
}

fn rule_and_step(plan: &Plan, rule: u32, step: u32) -> Option<(&Rule, &crate::plan::Step)> {
    let rule = plan.rules.get(rule as usize)?;
    Some((rule, rule.steps.get(step as usize)?))
}

/// What the completing event brought along for those who hear the alert.
fn told_values(rule: &Rule, subject: &Subject<'_>) -> Vec<Value> {
    let Some(step) = rule.steps.get(subject.step as usize) else { return Vec::new() };
    let brought = subject.captures.get(subject.step as usize).copied().unwrap_or_default();
    step.told.iter().map(|slot| brought.get(*slot as usize).cloned().unwrap_or(Value::Absent)).collect()
}

/// The alert's event under the alert's id and time.
fn heard_meta(alert: &Alert, subject: &Subject<'_>, notes: Notes) -> EventMeta {
    let nothing = || EventMeta { cluster: alert.cluster.clone(), ..no_event(NOWHERE, 0) };
    let event = subject.completing.map(|meta| (**meta).clone());
    let event_time = event.as_ref().and_then(|meta| match &meta.alert {
        Some(heard) => heard.event_time,
        None => Some(meta.stage_timestamp),
    });
    EventMeta {
        request: RequestId(alert.id),
        stage_timestamp: alert.time,
        alert: Some(Arc::new(HeardAlert {
            rule: alert.rule.name.clone(),
            event_time,
            late: notes.late,
            approximate: alert.approximate,
        })),
        ..event.unwrap_or_else(nothing)
    }
}

/// What an alert tells of what is no event.
fn lost_meta(
    found: &Undecodable,
    number: u64,
    time: Nanos,
    source: SourceId,
    info: &SourceInfo,
) -> EventMeta {
    let mut fields = Fields::tagged("undecodable");
    fields.part(Some(info.name.as_bytes()));
    fields.part(Some(found.offset.to_string().as_bytes()));
    fields.part(Some(number.to_string().as_bytes()));
    EventMeta {
        request: RequestId(fields.identity()),
        stage_timestamp: time,
        cluster: info.cluster.clone(),
        ..no_event(source, found.offset)
    }
}

pub(crate) fn no_event(source: SourceId, offset: u64) -> EventMeta {
    EventMeta {
        source,
        offset,
        request: RequestId([0; 16]),
        stage: None,
        stage_timestamp: 0,
        request_received: None,
        audit_id: "".into(),
        cluster: None,
        username: None,
        groups: Vec::new(),
        impersonated: None,
        source_ips: Vec::new(),
        user_agent: None,
        verb: "".into(),
        resource: None,
        subresource: None,
        namespace: None,
        name: None,
        code: None,
        alert: None,
    }
}

/// What of a block is no event, in order, each with its number among those at the same offset.
#[derive(Debug)]
pub(super) struct Lost<'a> {
    left: &'a [Undecodable],
    offset: Option<u64>,
    number: u64,
}

impl<'a> Lost<'a> {
    pub(super) fn new(all: &'a [Undecodable]) -> Self {
        Self { left: all, offset: None, number: 0 }
    }

    fn any_before(&self, until: u32) -> bool {
        self.left.first().is_some_and(|first| first.before <= until)
    }

    /// The next that comes before the event of that number in the block.
    fn next_before(&mut self, until: u32) -> Option<(&'a Undecodable, u64)> {
        let (first, left) = self.left.split_first().filter(|(first, _)| first.before <= until)?;
        self.left = left;
        self.number = if self.offset == Some(first.offset) { self.number + 1 } else { 0 };
        self.offset = Some(first.offset);
        Some((first, self.number))
    }
}
