//! From what a rule found to alerts, told or held back: `docs/semantics.md`, "Deciding" (throttle), "Identity", "Alerts".

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use dsl::ir::{Piece, Shape, StagePick};

use super::RefAlert;
use super::decide::Judge;
use super::eval::Scope;
use super::event::{Event, Face};
use super::identity;
use super::matching::{Group, Match};
use super::place::{Moment, Placed};
use super::render;
use super::select;
use super::value::V;

/// How much evidence is shown at the front and at the back.
const EVIDENCE_EDGE: usize = 10;

/// An alert before it is throttled.
pub(super) struct Raised {
    pub(super) decided: Moment,
    pub(super) time: i64,
    /// Whose fields a bare field is.
    pub(super) event: Rc<Event>,
    /// The step that completed it.
    pub(super) step: usize,
    pub(super) key: Vec<V>,
    pub(super) group: Group,
    /// What its id rests on: the completing event, or a time.
    pub(super) what: What,
    pub(super) evidence: Vec<Match>,
    pub(super) count: u64,
    pub(super) window: Option<(i64, i64)>,
    pub(super) aggregates: Vec<V>,
    pub(super) at_least: bool,
    /// It was judged since the input ended.
    pub(super) input_ended: bool,
    /// The event of each step, if it is a sequence; none of a step that forbids.
    pub(super) steps: Vec<Option<Rc<Event>>>,
}

/// What an alert is known by.
pub(super) enum What {
    Completing,
    Time(i64),
}

impl Raised {
    /// What a match alone raises.
    pub(super) fn on(only: &Match) -> Self {
        Self {
            decided: only.at(),
            time: only.event().stage_timestamp,
            event: Rc::clone(&only.placed.event),
            step: only.step,
            key: only.key.clone(),
            group: only.group.clone(),
            what: What::Completing,
            evidence: vec![only.clone()],
            count: 1,
            window: None,
            aggregates: vec![],
            at_least: false,
            input_ended: false,
            steps: vec![],
        }
    }
}

/// From the first to the last of the evidence.
pub(super) fn span(evidence: &[Match]) -> Option<(i64, i64)> {
    let times = || evidence.iter().map(Match::time);
    Some((times().min()?, times().max()?))
}

/// Those that the throttle lets through, each also as other rules hear it.
pub(super) fn tell(judge: Judge<'_>, raised: Vec<Raised>) -> Vec<(RefAlert, Placed)> {
    let throttle = if judge.poison.hits("throttle") { 0 } else { i128::from(judge.rule.throttle) };
    let mut told: BTreeMap<Group, (i64, u64)> = BTreeMap::new();
    let mut alerts = Vec::new();
    for raised in raised {
        let now = raised.decided.time;
        let suppressed = match told.get_mut(&raised.group) {
            Some((last, held)) if throttle > 0 && i128::from(now) - i128::from(*last) < throttle => {
                *held += 1;
                continue;
            }
            Some((_, held)) => *held,
            None => 0,
        };
        told.insert(raised.group.clone(), (now, 0));
        alerts.push(alert(judge, &raised, suppressed, alerts.len()));
    }
    alerts
}

fn alert(judge: Judge<'_>, raised: &Raised, suppressed: u64, place: usize) -> (RefAlert, Placed) {
    let (rule, step) = (judge.rule, &judge.rule.steps[raised.step]);
    let late = raised.evidence.iter().any(|m| m.late);
    let dry_run_unknown = raised.evidence.iter().any(|m| m.dry_run_unknown);
    let notes: BTreeSet<&str> = [
        (late, "late event"),
        (dry_run_unknown, "dry run not excluded"),
        (raised.at_least, "at least"),
        (raised.input_ended, "the input ended before the window"),
    ]
    .into_iter()
    .filter_map(|(holds, note)| holds.then_some(note))
    .collect();
    let (what, stage) = match raised.what {
        What::Completing => (raised.event.known_by().0.to_vec(), completing_stage(judge, raised)),
        What::Time(time) => (time.to_le_bytes().to_vec(), None),
    };
    let cluster = raised.event.cluster.as_deref().filter(|_| !rule.across_clusters);
    let id = identity::alert(&rule.name, cluster, &raised.key, &what, stage);
    let names = step.key.iter().map(|part| part.name.clone());
    let key: Vec<(String, V)> = names.zip(raised.key.iter().cloned()).collect();
    let values =
        judge.shown().filter_map(|(n, text)| Some((text, format!("{:?}", raised.aggregates.get(n)?))));
    let message = message(judge, raised);
    let face = Face {
        id,
        rule: rule.name.clone(),
        severity: rule.severity.word(),
        tags: rule.tags.clone(),
        message: message.clone(),
        count: raised.count,
        key: key.clone(),
        late,
        dry_run_unknown,
    };
    let event = Event { alert: Some(face), stage_timestamp: raised.time, ..Event::clone(&raised.event) };
    let heard = Placed { event: Rc::new(event), at: raised.decided, moved: 0, place };
    let alert = RefAlert {
        time: raised.time,
        rule: rule.name.clone(),
        id: identity::hex(&id),
        key: key.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect(),
        count: raised.count,
        window: raised.window,
        values: values.collect(),
        message,
        suppressed,
        events: shown(&raised.evidence).map(|m| identity::hex(&m.event().known_by().0)).collect(),
        notes: notes.into_iter().map(str::to_owned).collect(),
    };
    (alert, heard)
}

/// The stage that is part of the id: of the completing event, where its step looks at stages.
fn completing_stage(judge: Judge<'_>, raised: &Raised) -> Option<&'static str> {
    let on = judge.rule.steps[raised.step].on.events()?;
    (on.stage != StagePick::Outcome).then_some(raised.event.stage).flatten().map(select::stage_name)
}

fn message(judge: Judge<'_>, raised: &Raised) -> String {
    let mut scope = Scope::of(&raised.event, judge.poison);
    scope.steps = &raised.steps;
    scope.aggregates = &raised.aggregates;
    scope.key = &raised.key;
    let step = &judge.rule.steps[raised.step];
    if !matches!(judge.rule.shape, Shape::Sequence { ordered: false, .. }) {
        let lent = |var: &dsl::ir::VarId| Some((*var, scope.lent(step.condition.as_ref()?, *var)?));
        let lent: Vec<_> = step.lent.iter().filter_map(lent).collect();
        scope.vars.extend(lent);
    }
    let piece = |piece: &Piece| match piece {
        Piece::Literal(text) => text.clone(),
        Piece::Value(expr) => render::render(&scope.value(expr)),
    };
    judge.rule.alert.iter().map(piece).collect()
}

/// Of very much evidence the first and the last.
fn shown(evidence: &[Match]) -> impl Iterator<Item = &Match> {
    let cut = if evidence.len() > 2 * EVIDENCE_EDGE { EVIDENCE_EDGE } else { evidence.len() };
    let rest = evidence.len() - cut;
    evidence[..cut].iter().chain(&evidence[rest.max(cut)..])
}
