//! From what was found to an alert.

use std::sync::Arc;

use super::hash::Fields;
use super::{Pending, State};
use crate::alert::{Alert, Evidence, RuleFace, stage_name};
use crate::matches::{EventMeta, Nanos, Value};
use crate::plan::late::{self, LateCx};
use crate::plan::{AggregateKind, Rule, Step};

/// What a rule found, before it is told.
pub(super) struct Raised {
    /// Oldest first, each with the name of its step.
    pub(super) events: Vec<(Arc<EventMeta>, Option<Arc<str>>)>,
    pub(super) count: u64,
    pub(super) window: Option<(Nanos, Nanos)>,
    pub(super) aggregates: Vec<Value>,
    pub(super) notes: Notes,
    pub(super) suppressed: u64,
    /// The alert's time.
    pub(super) time: Nanos,
    /// The effective time at which it is decided.
    pub(super) decided_at: Nanos,
    /// What its id is made of, beside rule and key.
    pub(super) what: What,
}

/// What tells an alert from others of its rule and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The completing request.
    Request,
    /// The start of a window, or the deadline of a silence.
    Time(Nanos),
}

/// Whom an alert is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) rule: u32,
    /// The step whose match completed it.
    pub(super) step: u32,
    /// The parts of the group's key.
    pub(super) key: &'a [Value],
    /// The group's cluster.
    pub(super) cluster: Option<&'a Arc<str>>,
    /// The event that completed it; of a silence the last one, if there was any.
    pub(super) completing: Option<&'a Arc<EventMeta>>,
    /// Per step what its match brought along.
    pub(super) captures: &'a [&'a [Value]],
}

impl<'a> Subject<'a> {
    /// A match, with the captures of all steps.
    pub(super) fn of(pending: &'a Pending, captures: &'a [&'a [Value]]) -> Self {
        let m = &pending.m;
        let (cluster, completing) = (m.meta.cluster.as_ref(), Some(&m.meta));
        Self { rule: m.rule, step: m.step, key: &m.key, cluster, completing, captures }
    }
}

/// What a person must know of an alert.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notes {
    pub(super) at_least: bool,
    pub(super) late: bool,
    pub(super) dry_run_unknown: bool,
    /// Many keys shared its window.
    pub(super) shared: bool,
    /// There may have been no room for its key before.
    pub(super) unsure: bool,
    /// Keys were refused.
    pub(super) refused: bool,
    /// Its window had to let go of something that counts.
    pub(super) cut: bool,
    /// There was no room for all events that it would show.
    pub(super) few_shown: bool,
    /// There was no room for what is read later of its last event.
    pub(super) later_lost: bool,
    /// The search for its events was given up.
    pub(super) search_cut: bool,
    /// Requests of which it is not known whether they were taken before may count twice.
    pub(super) again: bool,
    /// More waited than may, so that not all that belongs to it may have come.
    pub(super) hurried: bool,
    /// There was no room to remember when its key was told of last.
    pub(super) throttle_lost: bool,
    /// An alert that it rests on is approximate.
    pub(super) rests: bool,
    /// Its window was not over.
    pub(super) ended: bool,
}

impl Notes {
    pub(super) fn texts(self) -> Vec<&'static str> {
        let all = [
            (self.at_least, "at least"),
            (self.late, "late event"),
            (self.dry_run_unknown, "dry run not excluded"),
            (self.shared, "too many keys: many share this window"),
            (self.unsure, "too many keys: what came before of this one may be missing"),
            (self.refused, "too many keys: new ones were refused"),
            (self.cut, "too many events: the oldest were left out"),
            (self.few_shown, "too many events: not all that would be shown were kept"),
            (self.later_lost, "too many events: not all that is read of the last one was kept"),
            (self.ended, "the input ended before the window"),
            (self.search_cut, "too many events: not all choices were tried"),
            (self.again, "too many requests: some may count twice"),
            (self.hurried, "too many events wait: decided before all of its time had come"),
            (self.throttle_lost, "too many keys: the throttle of this one could not be remembered"),
            (self.rests, "an alert that it rests on is approximate"),
        ];
        all.into_iter().filter_map(|(holds, text)| holds.then_some(text)).collect()
    }

    fn approximate(self) -> bool {
        let room =
            self.shared || self.unsure || self.refused || self.cut || self.search_cut || self.later_lost;
        room || self.again || self.hurried || self.throttle_lost || self.rests
    }
}

impl Raised {
    /// A match that is enough by itself.
    pub(super) fn one(pending: &Pending) -> Self {
        Self {
            events: vec![(pending.m.meta.clone(), None)],
            count: 1,
            window: None,
            aggregates: Vec::new(),
            notes: Notes {
                late: pending.late(),
                dry_run_unknown: pending.m.dry_run_unknown,
                rests: pending.m.meta.approximate(),
                ..Notes::default()
            },
            suppressed: 0,
            time: pending.m.meta.stage_timestamp,
            decided_at: pending.effective(),
            what: What::Request,
        }
    }
}

impl State {
    /// Makes an alert and puts it with the others. Gives its id.
    pub(super) fn raise(&mut self, rule: &Rule, subject: Subject<'_>, mut raised: Raised) -> [u8; 16] {
        let Some(spec) = self.rules.get(subject.rule as usize) else { return [0; 16] };
        let since = raised.window.map_or(raised.decided_at.saturating_sub(spec.window), |(since, _)| since);
        raised.notes.again = spec.windowed() && self.doubted(subject.rule, since);
        raised.notes.hurried = self.in_a_hurry(subject.rule, since);
        let face = spec.face.clone();
        let cx = LateCx {
            captures: subject.captures,
            aggregates: &raised.aggregates,
            key: subject.key,
            ..LateCx::default()
        };
        let text = rule.text(subject.step);
        let message = text.map(|text| late::render(&text.alert, &cx)).unwrap_or_default();
        let probes = text.map_or(&[][..], |text| &text.probes);
        let probes = probes.iter().map(|probe| late::value(probe, &cx)).collect();
        let step = rule.steps.get(subject.step as usize);
        let names = step.map_or(&[][..], |step| &step.key_names);
        let by_stage = step.is_some_and(Step::by_stage);
        let cluster = if spec.across_clusters { None } else { subject.cluster };
        let id = alert_id(&face, cluster, &subject, raised.what, by_stage);
        let values = rule.aggregates.iter().zip(&raised.aggregates);
        let values =
            values.filter(|(aggregate, _)| aggregate.kind != AggregateKind::Count || aggregate.filtered);
        let cluster = subject.completing.map_or(subject.cluster, |meta| meta.cluster.as_ref());
        let alert = Alert {
            id,
            rule: face,
            message,
            time: raised.time,
            cluster: cluster.cloned(),
            window: raised.window,
            key: names.iter().cloned().zip(subject.key.iter().cloned()).collect(),
            count: raised.count,
            values: values.map(|(aggregate, value)| (aggregate.text.clone(), value.clone())).collect(),
            completing: subject.completing.filter(|meta| meta.stage.is_some()).cloned(),
            events: raised.events.iter().map(|(meta, step)| self.evidence(meta, step.clone())).collect(),
            suppressed: raised.suppressed,
            approximate: raised.notes.approximate(),
            notes: raised.notes.texts(),
            probes,
        };
        self.tally.rule(subject.rule).alerts += 1;
        self.tell(rule, &alert, &subject, raised.decided_at, raised.notes);
        self.alerts.push(alert);
        id
    }

    pub(super) fn evidence(&self, meta: &Arc<EventMeta>, step: Option<Arc<str>>) -> Evidence {
        let source =
            self.sources.get(meta.source).map_or_else(|| "".into(), |source| source.info.name.clone());
        Evidence { meta: meta.clone(), step, source }
    }
}

/// `docs/semantics.md`, "Identity".
fn alert_id(
    face: &RuleFace,
    cluster: Option<&Arc<str>>,
    subject: &Subject<'_>,
    what: What,
    by_stage: bool,
) -> [u8; 16] {
    let mut fields = Fields::tagged("alert");
    fields.part(Some(face.name.as_bytes()));
    fields.part(cluster.map(|cluster| cluster.as_bytes()));
    fields.key(subject.key);
    let mut stage = None;
    match (what, subject.completing) {
        (What::Time(at), _) => fields.part(Some(&at.to_le_bytes())),
        (What::Request, Some(meta)) => {
            fields.part(Some(&meta.request.0));
            let by_stage = by_stage && !crate::planted::planted(25);
            stage = meta.stage.filter(|_| by_stage).map(|stage| stage_name(stage).as_bytes());
        }
        (What::Request, None) => fields.part(None),
    }
    fields.part(stage);
    fields.identity()
}
