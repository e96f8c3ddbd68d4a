//! What the admin port shows of a run: its counts, its clocks, what it remembers.
//!
//! Worked out once a second at most, by the loop of the run; who asks for it costs the run nothing. The names stand in
//! `docs/configuration.md`.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use connect::Error;
use connect::admin::{Admin, Family, Kind};
use engine::matches::Nanos;
use engine::plan::Plan;
use engine::state::{RunTally, Shed, State};

use crate::output;

/// How often they are worked out.
const EVERY: Duration = Duration::from_secs(1);

/// The admin port of a run, if it has one.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    admin: Option<Admin>,
    shown: Option<Instant>,
}

impl Figures {
    /// Opens the port, where one was asked for.
    pub(crate) fn open(address: Option<SocketAddr>) -> Result<Self, Error> {
        let admin = address.map(Admin::open).transpose()?;
        if let Some(admin) = &admin {
            output::note(&format!("admin port on http://{}", admin.address()));
        }
        Ok(Self { admin, shown: None })
    }

    /// The run has come round once more, and reads.
    pub(crate) fn show(&mut self, plan: &Plan, state: &State) {
        let Some(admin) = &self.admin else { return };
        admin.lives();
        if self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        if self.shown.is_none() {
            admin.waits_for(None);
        }
        self.shown = Some(Instant::now());
        admin.show(of(plan, state));
    }
}

/// All figures of a run.
fn of(plan: &Plan, state: &State) -> Vec<Family> {
    let mut all = input(state.tally()).to_vec();
    all.extend(time(state));
    all.extend(memory(state));
    all.extend(rules(plan, state.tally()));
    all
}

fn family(
    (name, help): (&'static str, &'static str),
    kind: Kind,
    labels: &'static [&'static str],
    samples: Vec<(Vec<String>, f64)>,
) -> Family {
    Family { name, help, kind, labels, samples }
}

fn alone(name: (&'static str, &'static str), kind: Kind, figure: f64) -> Family {
    family(name, kind, &[], vec![(Vec::new(), figure)])
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows no other numbers")]
fn figure(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_precision_loss, reason = "a quarter of a microsecond is lost of today's time")]
fn seconds(at: Nanos) -> f64 {
    at as f64 / 1e9
}

fn input(tally: &RunTally) -> [Family; 6] {
    let counter = |name, n| alone(name, Kind::Counter, figure(n));
    let build = vec![(vec![env!("CARGO_PKG_VERSION").to_owned()], 1.0)];
    let events = [("decoded", tally.decoded), ("passed", tally.passed)];
    let events = events.map(|(how, n)| (vec![how.to_owned()], figure(n)));
    let undecodable = tally.undecodable.iter();
    let undecodable = undecodable.map(|(why, of)| (vec![why.text().to_owned()], figure(of.count)));
    [
        family(("auditd_rules_build_info", "The version that runs."), Kind::Gauge, &["version"], build),
        family(
            ("auditd_rules_events_total", "Events read: decoded, or passed over as no rule reads them."),
            Kind::Counter,
            &["outcome"],
            events.to_vec(),
        ),
        family(
            ("auditd_rules_undecodable_total", "What was no event, by reason."),
            Kind::Counter,
            &["reason"],
            undecodable.collect(),
        ),
        counter(("auditd_rules_read_bytes_total", "Bytes read."), tally.bytes),
        counter(("auditd_rules_late_events_total", "Events that came later than the lateness."), tally.late),
        counter(("auditd_rules_mended_events_total", "Events mended as Go's decoder does."), tally.mended),
    ]
}

fn time(state: &State) -> [Family; 2] {
    let clock = |(id, info): (_, &engine::matches::SourceInfo)| {
        Some((vec![info.name.to_string()], seconds(state.clock(id)?)))
    };
    // Two files may be of one name.
    let mut clocks: Vec<(Vec<String>, f64)> = state.sources().filter_map(clock).collect();
    clocks.sort_by(|(a, _), (b, _)| a.cmp(b));
    clocks.dedup_by(|(a, _), (b, _)| a == b);
    let watermark = state.watermark().map(|at| (Vec::new(), seconds(at)));
    [
        family(
            ("auditd_rules_source_clock_seconds", "How far a source has come, by the time of its events."),
            Kind::Gauge,
            &["source"],
            clocks,
        ),
        family(
            ("auditd_rules_watermark_seconds", "Up to when everything is decided, in event time."),
            Kind::Gauge,
            &[],
            watermark.into_iter().collect(),
        ),
    ]
}

fn memory(state: &State) -> [Family; 4] {
    let (requests, keys) = state.remembered();
    let gauge = |name, n: usize| alone(name, Kind::Gauge, figure(n as u64));
    let shed = shed(&state.tally().shed).map(|(what, n)| (vec![what.to_owned()], figure(n)));
    [
        gauge(("auditd_rules_waiting_matches", "Matches that wait for their time."), state.waiting()),
        gauge(("auditd_rules_remembered_requests", "Requests that are known to have matched."), requests),
        gauge(("auditd_rules_remembered_keys", "Keys of all rules that something is remembered of."), keys),
        family(
            ("auditd_rules_shed_total", "What limits took away, by the name that the summary has for it."),
            Kind::Counter,
            &["what"],
            shed.to_vec(),
        ),
    ]
}

fn shed(shed: &Shed) -> [(&'static str, u64); 12] {
    let Shed {
        hurried,
        overtaken,
        requests,
        again,
        shared,
        refused,
        keys,
        window,
        tuples,
        searches,
        throttles,
        early,
    } = *shed;
    [
        ("hurried", hurried),
        ("overtaken", overtaken),
        ("requests", requests),
        ("again", again),
        ("shared", shared),
        ("refused", refused),
        ("keys", keys),
        ("window", window),
        ("tuples", tuples),
        ("searches", searches),
        ("throttles", throttles),
        ("early", early),
    ]
}

fn rules(plan: &Plan, tally: &RunTally) -> [Family; 5] {
    let of = |count: fn(&engine::state::RuleCounts) -> u64| -> Vec<(Vec<String>, f64)> {
        let rules = plan.rules.iter().zip(&tally.rules);
        rules.map(|(rule, counts)| (vec![rule.name.to_string()], figure(count(counts)))).collect()
    };
    let counter = |name, samples| family(name, Kind::Counter, &["rule"], samples);
    [
        counter(
            ("auditd_rules_rule_matches_total", "Matches of a rule, each step on its own."),
            of(|of| of.matched),
        ),
        counter(
            ("auditd_rules_rule_unknown_total", "Events whose answer hung on what was not recorded."),
            of(|of| of.unknown_decided),
        ),
        counter(
            ("auditd_rules_rule_duplicates_total", "Matches of a request that had been taken before."),
            of(|of| of.duplicates),
        ),
        counter(("auditd_rules_rule_alerts_total", "Alerts of a rule."), of(|of| of.alerts)),
        counter(
            ("auditd_rules_rule_suppressed_total", "Alerts that a throttle held back."),
            of(|of| of.suppressed),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use engine::limits::Limits;

    use super::*;

    /// `BLESS=1` writes the table anew.
    #[test]
    fn the_reference_names_every_figure() {
        let mut sources = dsl::source::SourceMap::default();
        sources.add("a.rule", "rule r \"t\" { severity low on get of secrets alert \"x\" }");
        let rules = dsl::check::compile(&sources).rules.expect("it compiles");
        let plan = Arc::new(Plan::new(&rules, Limits::default()));
        let state = State::new(Arc::clone(&plan), Limits::default());
        let mut table = String::from("| figure | kind | labels | what it is |\n|---|---|---|---|\n");
        for Family { name, help, kind, labels, .. } in of(&plan, &state) {
            let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
            let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
            table += &format!("| `{name}` | {kind} | {} | {help} |\n", labels.join(", "));
        }
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
        let page = std::fs::read_to_string(&path).expect("the page is there");
        let from = page.find("| figure |").expect("it has a table");
        let until = page[from..].find("\n\n").map_or(page.len(), |at| from + at + 1);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, format!("{}{table}{}", &page[..from], &page[until..]))
                .expect("it can be written");
            return;
        }
        assert_eq!(page[from..until], table, "BLESS=1 writes it anew");
    }
}
