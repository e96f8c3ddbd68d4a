//! From what was found to an alert.

use std::sync::Arc;

use dsl::ir::StagePick;

use super::hash::Fields;
use super::{Pending, State};
use crate::alert::{Alert, Evidence, RuleFace, stage_name};
use crate::matches::{EventMeta, Nanos, Value};
use crate::plan::Rule;
use crate::plan::late::{self, LateCx};

/// What a rule found, before it is told.
pub(super) struct Raised {
    /// Oldest first, each with the name of its step.
    pub(super) events: Vec<(Arc<EventMeta>, Option<Arc<str>>)>,
    pub(super) count: u64,
    pub(super) window: Option<(Nanos, Nanos)>,
    pub(super) aggregates: Vec<u64>,
    pub(super) notes: Notes,
    pub(super) suppressed: u64,
}

/// What a person must know of an alert.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Notes {
    pub(super) at_least: bool,
    pub(super) late: bool,
    pub(super) dry_run_unknown: bool,
    /// Many keys shared its window.
    pub(super) shared: bool,
    /// Its window had to let go of something that counts.
    pub(super) cut: bool,
    /// The search for its events was given up.
    pub(super) search_cut: bool,
}

impl Notes {
    fn texts(self) -> Vec<&'static str> {
        let all = [
            (self.at_least, "at least"),
            (self.late, "late event"),
            (self.dry_run_unknown, "dry run not excluded"),
            (self.shared, "too many keys: many share this window"),
            (self.cut, "too many events: the oldest were left out"),
            (self.search_cut, "too many events: not all choices were tried"),
        ];
        all.into_iter().filter_map(|(holds, text)| holds.then_some(text)).collect()
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
                late: pending.moved() > 0,
                dry_run_unknown: pending.m.dry_run_unknown,
                ..Notes::default()
            },
            suppressed: 0,
        }
    }
}

impl State {
    /// Makes an alert and puts it with the others. Gives its id.
    pub(super) fn raise(
        &mut self,
        rule: &Rule,
        pending: &Pending,
        raised: Raised,
        captures: &[&[Value]],
    ) -> [u8; 16] {
        let m = &pending.m;
        let face = match self.rules.get(m.rule as usize) {
            Some(spec) => spec.face.clone(),
            None => return [0; 16],
        };
        let cx = LateCx { captures, aggregates: &raised.aggregates, key: &m.key };
        let message = late::render(&rule.alert, &cx);
        let probes = rule.probes.iter().map(|probe| late::value(probe, &cx)).collect();
        let step = rule.steps.get(m.step as usize);
        let names = step.map_or(&[][..], |step| &step.key_names);
        let by_stage = step.is_some_and(|step| step.stage != StagePick::Outcome);
        let id = alert_id(&face, &m.meta, &m.key, by_stage);
        let values = rule.aggregates.iter().zip(&raised.aggregates);
        let values = values.filter(|(aggregate, _)| !aggregate.counts || aggregate.filtered);
        let alert = Alert {
            id,
            rule: face,
            message,
            time: m.meta.stage_timestamp,
            window: raised.window,
            key: names.iter().cloned().zip(m.key.iter().cloned()).collect(),
            count: raised.count,
            values: values.map(|(aggregate, value)| (aggregate.text.clone(), *value)).collect(),
            completing: m.meta.clone(),
            events: raised.events.iter().map(|(meta, step)| self.evidence(meta, step.clone())).collect(),
            suppressed: raised.suppressed,
            approximate: raised.notes.shared || raised.notes.cut || raised.notes.search_cut,
            notes: raised.notes.texts(),
            probes,
        };
        self.tally.rule(m.rule).alerts += 1;
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
fn alert_id(face: &RuleFace, meta: &EventMeta, key: &[Value], by_stage: bool) -> [u8; 16] {
    let mut fields = Fields::tagged("alert");
    fields.part(Some(face.name.as_bytes()));
    fields.part(meta.cluster.as_deref().map(str::as_bytes));
    fields.key(key);
    fields.part(Some(&meta.request.0));
    let stage = by_stage && !crate::planted::planted(25);
    fields.part(stage.then(|| stage_name(meta.stage).as_bytes()));
    fields.identity()
}
