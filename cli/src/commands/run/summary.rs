//! What a run did: every event accounted for, and why rules were silent.
//!
//! *read = decoded + passed + undecodable* always holds, and the undecodable ones are told by reason, each with the place of its first.
//! A rule without an alert is told with what stood in its way, as far as counts show it: no request that it listens to,
//! or answers that hung on something the audit policy did not record. A rule that was asked and said no is not named.
//! How often an unknown decided is counted of every rule, also of one that told alerts: it may have missed others.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use dsl::ir::Severity;
use engine::matches::Reason;
use engine::plan::{Plan, Rule};
use engine::state::{RuleCounts, RunTally, Undecoded};
use serde::Serialize;

use crate::load::plural;
use crate::{human, words};

/// Everything that there is to say at the end.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    /// What was looked at.
    pub(super) events: Events,
    /// What was no event, by reason.
    pub(super) undecodable: Vec<Undecodable>,
    /// Told and held back.
    pub(super) alerts: Alerts,
    /// Rules that could not match on this input.
    pub(super) never: Vec<Never>,
    /// Of each rule whose answers hung on something unknown, how often.
    pub(super) unknown: BTreeMap<String, Unknown>,
    /// What limits took away.
    pub(super) loss: BTreeMap<String, u64>,
    /// The time that the log spans.
    pub(super) from: Option<String>,
    /// Its end.
    pub(super) to: Option<String>,
    /// Bytes read, unpacked.
    pub(super) bytes: u64,
    /// How long it took.
    pub(super) elapsed_seconds: f64,
    /// Per second.
    pub(super) events_per_second: f64,
    /// Per second.
    pub(super) bytes_per_second: f64,
    /// The most memory that the process has had, where the system tells.
    pub(super) memory_peak_bytes: Option<u64>,
    /// What was read.
    pub(super) sources: Vec<String>,
    /// What could not be read, or not to its end.
    pub(super) failed: Vec<String>,
    /// A signal ended the run.
    pub(super) interrupted: bool,
    /// Of a run that remembers; the counts are then of all runs since it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<Remembered>,
}

/// What of the counts is of earlier runs.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Remembered {
    /// Where it is kept.
    pub(super) folder: String,
    /// There was something to go on from.
    pub(super) gone_on: bool,
    /// Events that earlier runs read.
    pub(super) events_before: u64,
    /// Bytes that they read.
    pub(super) bytes_before: u64,
    /// Alerts that they had told for certain.
    pub(super) alerts_before: u64,
    /// Alerts of this run that an earlier one had told at its end, and that were not told again.
    pub(super) told_before: u64,
    /// Files that are not there any more, of which the end may not have been read.
    pub(super) lost: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Events {
    pub(super) read: u64,
    pub(super) decoded: u64,
    pub(super) passed: u64,
    pub(super) undecodable: u64,
    pub(super) duplicates: u64,
    pub(super) late: u64,
    pub(super) duplicate_keys: u64,
    pub(super) mended: u64,
    pub(super) comments: u64,
    pub(super) tombstones: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Undecodable {
    pub(super) reason: &'static str,
    pub(super) count: u64,
    pub(super) first: Place,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Place {
    pub(super) source: String,
    pub(super) offset: u64,
    pub(super) length: u64,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Alerts {
    pub(super) total: u64,
    pub(super) suppressed: u64,
    /// What waited at the end for a time that did not come, by rule.
    pub(super) pending: BTreeMap<String, u64>,
    pub(super) by_rule: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Never {
    pub(super) rule: String,
    pub(super) why: String,
}

/// How often something unknown decided, and not the rule.
#[derive(Debug, Serialize)]
pub(super) struct Unknown {
    /// Answers: events that matched or not by what was not recorded, and so did not.
    pub(super) decided: u64,
    /// Matches without a place, as a part of their key was not recorded.
    pub(super) key_unknown: u64,
}

/// What the summary is made of besides the engine's own counts.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) tally: &'a RunTally,
    /// The names of the sources, by their numbers.
    pub(super) sources: &'a [String],
    /// What could not be read.
    pub(super) failed: &'a [String],
    pub(super) interrupted: bool,
    /// Messages without a value.
    pub(super) tombstones: u64,
    pub(super) elapsed: Duration,
    /// Of a run that remembers.
    pub(super) remembered: Option<Remembered>,
}

impl Summary {
    pub(super) fn new(run: &Run<'_>) -> Self {
        let tally = run.tally;
        let seconds = run.elapsed.as_secs_f64();
        let (read_before, bytes_before) =
            run.remembered.as_ref().map_or((0, 0), |of| (of.events_before, of.bytes_before));
        let per_second = |n: u64| if seconds > 0.0 { n as f64 / seconds } else { 0.0 };
        let sum = |of: fn(&RuleCounts) -> u64| tally.rules.iter().map(of).sum();
        let undecodable: Vec<Undecodable> = tally
            .undecodable
            .iter()
            .map(|(reason, found)| undecodable(*reason, found, run.sources))
            .collect();
        let with_counts = || run.plan.rules.iter().zip(&tally.rules);
        let told = || with_counts().filter(|(rule, _)| rule.source.severity != Severity::None);
        let by_rule = told().filter(|(_, counts)| counts.alerts > 0);
        Self {
            events: Events {
                read: tally.read,
                decoded: tally.decoded,
                passed: tally.passed,
                undecodable: undecodable.iter().map(|found| found.count).sum(),
                duplicates: sum(|rule| rule.duplicates),
                late: tally.late,
                duplicate_keys: tally.duplicate_keys,
                mended: tally.mended,
                comments: tally.comments,
                tombstones: run.tombstones,
            },
            undecodable,
            alerts: Alerts {
                total: told().map(|(_, counts)| counts.alerts).sum(),
                suppressed: told().map(|(_, counts)| counts.suppressed).sum(),
                pending: told()
                    .filter(|(_, counts)| counts.pending > 0)
                    .map(|(rule, counts)| (rule.name.to_string(), counts.pending))
                    .collect(),
                by_rule: by_rule.map(|(rule, counts)| (rule.name.to_string(), counts.alerts)).collect(),
            },
            never: with_counts().filter_map(|(rule, counts)| never(run.plan, rule, counts)).collect(),
            unknown: with_counts()
                .filter(|(_, counts)| counts.unknown_decided > 0 || counts.key_unknown > 0)
                .map(|(rule, counts)| {
                    let RuleCounts { unknown_decided: decided, key_unknown, .. } = *counts;
                    (rule.name.to_string(), Unknown { decided, key_unknown })
                })
                .collect(),
            loss: loss(tally),
            from: tally.span.map(|(from, _)| human::time(from)),
            to: tally.span.map(|(_, to)| human::time(to)),
            bytes: tally.bytes,
            elapsed_seconds: seconds,
            events_per_second: per_second(tally.read.saturating_sub(read_before)),
            bytes_per_second: per_second(tally.bytes.saturating_sub(bytes_before)),
            memory_peak_bytes: memory_peak(),
            sources: run.sources.to_vec(),
            failed: run.failed.to_vec(),
            interrupted: run.interrupted,
            state: run.remembered.clone(),
        }
    }
}

/// What Linux says of the process: `VmHWM`, in KiB. Other systems have no file that says so.
fn memory_peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

fn undecodable(reason: Reason, found: &Undecoded, sources: &[String]) -> Undecodable {
    let source = sources.get(found.source.0 as usize).cloned().unwrap_or_default();
    let first = Place { source, offset: found.offset, length: found.length };
    Undecodable { reason: reason.text(), count: found.count, first }
}

/// What stood in the way of a rule that told nothing, if anything did.
fn never(plan: &Plan, rule: &Rule, counts: &RuleCounts) -> Option<Never> {
    if counts.alerts > 0 || counts.suppressed > 0 {
        return None;
    }
    let needs = words::level(&rule.source).text();
    let why = if counts.selected == 0 {
        let name = |of| plan.rules.iter().find(|rule| rule.ir == of).map(|rule| &*rule.name);
        let on = rule.source.steps.iter().map(|step| words::on(&step.on, name));
        let on = on.collect::<Vec<_>>().join("; then ");
        let requests = rule.source.steps.iter().any(|step| step.on.events().is_some());
        let none =
            if requests { "this log has no request of its kind" } else { "nothing came that it listens to" };
        format!("{none} ({on})")
    } else if counts.unknown_decided > 0 {
        let (unknown, selected) = (counts.unknown_decided, counts.selected);
        format!(
            "of {} of its kind {unknown} could not be decided, as what it asks was not recorded (it needs level {needs})",
            plural(usize::try_from(selected).unwrap_or(usize::MAX), "event")
        )
    } else if counts.key_unknown > 0 {
        keyless(counts.key_unknown)
    } else {
        return None;
    };
    Some(Never { rule: rule.name.to_string(), why })
}

fn keyless(matches: u64) -> String {
    let word = if matches == 1 { "match" } else { "matches" };
    format!("{matches} {word} had no key, as a part of it was not recorded")
}

fn loss(tally: &RunTally) -> BTreeMap<String, u64> {
    let shed = &tally.shed;
    let late = tally.rules.iter().map(|rule| rule.left_out_late).sum();
    let all = [
        ("matches decided before their time, as more waited than may", shed.hurried),
        ("matches that came when their time was decided so", shed.overtaken),
        ("requests forgotten before their time", shed.requests),
        ("requests taken though they may have been before", shed.again),
        ("matches in windows that many keys share", shed.shared),
        ("matches refused for their new key", shed.refused),
        ("matches whose key could not be remembered", shed.keys),
        ("matches or values that left a window for want of room", shed.window),
        ("tuples of one match that were too many to tell apart", shed.tuples),
        ("searches of a sequence given up", shed.searches),
        ("throttles forgotten", shed.throttles),
        ("requests that a full table let go on early", shed.early),
        ("matches too late for their rule's window", late),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).map(|(what, count)| (what.to_owned(), count)).collect()
}

impl Summary {
    /// For people.
    pub(super) fn human(&self) -> String {
        let mut text = String::new();
        self.write(&mut text).unwrap_or_default();
        text.trim_end().to_owned()
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let events = &self.events;
        writeln!(
            out,
            "events      {} read = {} decoded + {} passed + {} undecodable",
            events.read, events.decoded, events.passed, events.undecodable
        )?;
        for broken in &self.undecodable {
            let Place { source, offset, length } = &broken.first;
            writeln!(
                out,
                "            {} {}, the first in {} at byte {offset} ({length} bytes)",
                broken.count,
                broken.reason,
                human::printable(source)
            )?;
        }
        writeln!(out, "            {} duplicates, {} late", events.duplicates, events.late)?;
        for (count, what) in [
            (events.duplicate_keys, "keys that stood twice in one object; the last counted"),
            (events.mended, "events with text that is no Unicode, mended as the API server does"),
            (events.comments, "comment lines passed over"),
            (events.tombstones, "messages without a value passed over"),
        ] {
            if count > 0 {
                writeln!(out, "            {count} {what}")?;
            }
        }
        if let (Some(from), Some(to)) = (&self.from, &self.to) {
            writeln!(out, "time        {from} to {to}")?;
        }
        self.write_alerts(out)?;
        for never in &self.never {
            writeln!(out, "silent      {}: {}", never.rule, never.why)?;
        }
        for (rule, Unknown { decided, key_unknown }) in &self.unknown {
            // Of a silent rule it has just been said why it is.
            let silent = self.never.iter().any(|never| never.rule == *rule);
            if *decided > 0 && !silent {
                let answers = plural(usize::try_from(*decided).unwrap_or(usize::MAX), "answer");
                writeln!(out, "unknown     {rule}: {answers} hung on what was not recorded")?;
            }
            if *key_unknown > 0 && !(silent && *decided == 0) {
                writeln!(out, "unknown     {rule}: {}", keyless(*key_unknown))?;
            }
        }
        for (what, count) in &self.loss {
            writeln!(out, "loss        {count} {what}")?;
        }
        for words in &self.failed {
            writeln!(out, "failed      {words}")?;
        }
        if let Some(state) = &self.state {
            state.write(out)?;
        }
        match (self.interrupted, &self.state) {
            (false, _) => {}
            (true, None) => {
                writeln!(out, "stopped     by a signal; what had been read was decided and told")?
            }
            (true, Some(_)) => writeln!(out, "stopped     by a signal; what waits is saved, and goes on")?,
        }
        let before = self.state.as_ref().map_or(0, |state| state.bytes_before);
        writeln!(
            out,
            "took        {:.2} s for {}: {:.0} events/s, {}/s",
            self.elapsed_seconds,
            human::bytes(self.bytes.saturating_sub(before) as f64),
            self.events_per_second,
            human::bytes(self.bytes_per_second)
        )
    }

    fn write_alerts(&self, out: &mut String) -> std::fmt::Result {
        let Alerts { total, suppressed, pending, by_rule } = &self.alerts;
        let of = plural(by_rule.len(), "rule");
        writeln!(out, "alerts      {total} by {of}, {suppressed} more held back by throttles")?;
        for (rule, count) in by_rule {
            writeln!(out, "            {count:>6} {rule}")?;
        }
        for (rule, count) in pending {
            writeln!(out, "pending     {count} of {rule}: the input ended before it was time to say")?;
        }
        Ok(())
    }
}

impl Remembered {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        let folder = human::printable(&self.folder);
        if self.gone_on {
            let Self { events_before, alerts_before, .. } = self;
            writeln!(
                out,
                "state       {folder}: of these, {events_before} events and {alerts_before} alerts are of earlier runs"
            )?;
        } else {
            writeln!(out, "state       {folder}: begun with this run")?;
        }
        if self.told_before > 0 {
            writeln!(
                out,
                "            {} alerts had been told at the end of the run before",
                self.told_before
            )?;
        }
        for name in &self.lost {
            writeln!(
                out,
                "lost        {}: it is gone, and its end may not have been read",
                human::printable(name)
            )?;
        }
        Ok(())
    }
}
