//! What deciding must know of each rule, worked out once.

use std::sync::Arc;

use dsl::ir::{OfRequests, Stage};

use super::hash::{RuleId, rule_id};
use super::monotone;
use super::told::ToldKey;
use crate::alert::RuleFace;
use crate::limits::Limits;
use crate::matches::Nanos;
use crate::plan::sequence::Layout;
use crate::plan::{Plan, Rule, Shape, Step};
use crate::window::closing::{ClosingSpec, Reach};
use crate::window::first_seen::FirstSeenSpec;
use crate::window::sliding::SlidingSpec;

/// One rule, for deciding.
#[derive(Clone, Debug)]
pub(crate) struct RuleSpec {
    pub(crate) face: Arc<RuleFace>,
    pub(crate) id: RuleId,
    pub(crate) shape: ShapeSpec,
    pub(crate) waits: bool,
    /// See [`Rule::stratum`].
    pub(crate) stratum: u32,
    /// A match that was moved by more is left out; 0 without a window.
    pub(crate) within: Nanos,
    /// How far back its matches can matter.
    pub(crate) window: Nanos,
    pub(crate) throttle: Nanos,
    /// How long its requests are remembered.
    pub(crate) memory: Nanos,
    /// More events only make its condition truer.
    pub(crate) monotone: bool,
    /// The cluster is no part of its keys.
    pub(crate) across_clusters: bool,
    /// Per step whether a match is identified by its stage too.
    pub(crate) by_stage: Vec<bool>,
    /// Of a rule about requests themselves that has a table.
    pub(crate) table: Option<TableSpec>,
}

/// Of a rule about requests themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableSpec {
    pub(crate) of: OfRequests,
    /// Which of the tables of a shard is the rule's.
    pub(crate) slot: usize,
}

/// What a rule's groups are.
#[derive(Clone, Debug)]
pub(crate) enum ShapeSpec {
    Each,
    Sliding(SlidingSpec),
    Sequence(Arc<Layout>),
    Closing(ClosingSpec),
    FirstSeen(FirstSeenSpec),
    Silent { after: Nanos },
}

impl RuleSpec {
    /// All rules of a plan.
    pub(crate) fn all(plan: &Plan, limits: &Limits) -> Vec<Self> {
        let mut slots = 0..;
        let spec = |rule: &Rule| {
            let table = |of| Some(TableSpec { of, slot: slots.next()? });
            Self { table: rule.of_requests.and_then(table), ..Self::new(rule, limits) }
        };
        plan.rules.iter().map(spec).collect()
    }

    pub(crate) fn new(rule: &Rule, limits: &Limits) -> Self {
        let within = rule.within();
        let most = limits.matches_per_key_max;
        let closing = |reach| ShapeSpec::Closing(ClosingSpec::new(reach, &rule.aggregates, most));
        let shape = match &rule.shape {
            Shape::Each => ShapeSpec::Each,
            Shape::Sliding { .. } => ShapeSpec::Sliding(SlidingSpec::new(within, &rule.aggregates, most)),
            Shape::Tumbling { length, .. } => closing(Reach::Tumbling(*length)),
            Shape::Session { gap, within, .. } => closing(Reach::Session { gap: *gap, within: *within }),
            Shape::FirstSeen { within, learning } => {
                ShapeSpec::FirstSeen(FirstSeenSpec::new(*within, *learning, most))
            }
            Shape::Silent { after, .. } => ShapeSpec::Silent { after: *after },
            Shape::Sequence(layout) => ShapeSpec::Sequence(layout.clone()),
        };
        let window = within.saturating_add(rule.layout().map_or(0, Layout::no_within));
        let source = &rule.source;
        Self {
            face: Arc::new(RuleFace {
                name: rule.name.clone(),
                title: source.title.as_str().into(),
                severity: source.severity,
                tags: source.tags.iter().map(|tag| tag.as_str().into()).collect(),
            }),
            id: rule_id(&rule.name),
            shape,
            waits: rule.waits(),
            stratum: rule.stratum,
            within,
            window,
            throttle: rule.throttle,
            memory: limits.request_memory.max(window),
            monotone: monotone::is(source),
            across_clusters: rule.across_clusters,
            by_stage: rule.steps.iter().map(Step::by_stage).collect(),
            table: None,
        }
    }

    /// By what a request is known that a step takes.
    pub(crate) fn told(&self, (rule, step): (u32, u32), request: [u8; 16], stage: Option<Stage>) -> ToldKey {
        let by_stage = self.by_stage.get(step as usize).copied().unwrap_or(false);
        ToldKey { rule, step, request, stage: stage.filter(|_| by_stage) }
    }

    /// It leaves out what came too late, or has a key that is not known.
    pub(crate) fn windowed(&self) -> bool {
        !matches!(self.shape, ShapeSpec::Each)
    }
}
