//! From typed rules to what is run: immutable, shared by all threads, swapped whole.
//!
//! A plan knows of each rule which events its steps take, what a match must bring with it for all that is decided after
//! the event is gone ([`late`]: joins of a sequence, the condition of a window, alert text), and what its windows count.
//! Rules that ship off are not in it; [`Rule::ir`] leads back to the rule set.

pub(crate) mod compile;
pub mod cost;
mod deps;
pub(crate) mod expr;
mod hear;
pub mod late;
mod literal;
pub(crate) mod meaning;
mod parts;
pub mod sequence;
mod table;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use dsl::ir;

pub use compile::Leaf;
pub use expr::Expr;
pub use hear::{Hearing, with_all_heard};

use crate::atoms::Atoms;
use crate::index::Index;
use crate::limits::Limits;
use crate::matches::Value;
use compile::{Captures, Compiler, Wanted};
use hear::Strata;
use late::LateCx;
use meaning::Meaning;
use parts::{compile_aggregates, compile_step, completing};
pub(crate) use parts::{conjuncts, joins};
use sequence::Layout;

/// All rules of a set that are on, ready to run.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the rule set; [`crate::matches::Match::rule`] is an index into it.
    pub rules: Vec<Rule>,
    /// What the run allows.
    pub limits: Limits,
    /// A rule waits for something of each cluster, so that of each event the cluster must be known.
    pub(crate) clusters: bool,
    /// Some step takes requests received; if none does, they need not be read but for their times.
    pub(crate) reads_received: bool,
    pub(crate) index: Index,
    /// Conditions to be asked together; nothing if they are too many.
    pub(crate) atoms: Option<Atoms>,
    /// The steps that take what is no event: rule and step.
    pub(crate) undecodable: Vec<(u32, u32)>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its number in [`ir::RuleSet::rules`].
    pub ir: usize,
    /// Its name.
    pub name: Arc<str>,
    /// The rule itself: title, severity, tags and all else that is for people.
    pub source: Arc<ir::Rule>,
    /// One, unless it is a sequence.
    pub steps: Vec<Step>,
    /// 0 if it listens to no alerts, else one more than the highest of the rules that it listens to.
    pub stratum: u32,
    /// What it asks beyond one match.
    pub shape: Shape,
    /// Nanoseconds of silence after an alert; 0 is none.
    pub throttle: i64,
    /// What its alert says, for each step that can complete it.
    pub texts: Vec<Option<Text>>,
    /// The cluster is no part of its keys.
    pub across_clusters: bool,
    /// What its window counts; of a rule about first sights the last is what makes its tuples.
    pub aggregates: Vec<Aggregate>,
    /// Conditions that are counted for coverage, by their numbers.
    pub leaves: Vec<Leaf>,
    /// Which steps of which rules hear its alerts, in the order of rules and steps.
    pub heard: Vec<Hearing>,
    /// What it asks about requests themselves, if they are remembered in a table.
    pub(crate) of_requests: Option<ir::OfRequests>,
    waits: bool,
}

/// What a rule asks for beyond one matching request.
#[derive(Debug)]
pub enum Shape {
    /// Nothing.
    Each,
    /// A condition over the aggregates of a sliding window.
    Sliding {
        /// To be asked with [`late::truth`].
        condition: Expr,
        /// Nanoseconds.
        within: i64,
    },
    /// A condition over the aggregates of each stretch of that length since the Unix epoch.
    Tumbling {
        /// To be asked with [`late::truth`].
        condition: Expr,
        /// Nanoseconds.
        length: i64,
    },
    /// A condition over the aggregates of matches that follow each other closely.
    Session {
        /// To be asked with [`late::truth`].
        condition: Expr,
        /// Nanoseconds.
        gap: i64,
        /// Nanoseconds.
        within: i64,
    },
    /// A match shows a tuple that its key has not shown.
    FirstSeen {
        /// Nanoseconds.
        within: i64,
        /// Nanoseconds.
        learning: i64,
    },
    /// Nothing came for so many nanoseconds.
    Silent {
        /// Nanoseconds.
        after: i64,
        /// What is waited for from the first event on.
        waits_for: WaitsFor,
    },
    /// All positive steps.
    Sequence(Arc<Layout>),
}

/// What a rule about silence waits for before anything came.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitsFor {
    /// Nothing: a key begins with its first match.
    Nothing,
    /// The only group there is: from the first event on.
    All,
    /// The only group of each cluster: from its first event on.
    EachCluster,
    /// These keys: from the first event on.
    Keys(Vec<Value>),
}

/// What one event must be.
#[derive(Debug)]
pub struct Step {
    /// Its name in a sequence.
    pub name: Option<Arc<str>>,
    /// The names of the parts of its key, as alerts show them.
    pub key_names: Vec<Arc<str>>,
    /// Conditions that read an earlier step: asked when a choice is made.
    pub joins: Vec<Join>,
    /// How many values its matches bring with them.
    pub captured: usize,
    pub(crate) on: ir::On,
    pub(crate) conditions: Vec<Expr>,
    pub(crate) excepts: Vec<Expr>,
    pub(crate) key: Vec<Expr>,
    pub(crate) captures: Vec<Expr>,
    /// Which value each capture is.
    pub(crate) meanings: Vec<Meaning>,
    /// Of a step that takes alerts: whose, by their numbers in the plan.
    pub(crate) hears: Vec<u32>,
    /// If an event of this step can complete the rule: the captures that are wanted by those who hear its alerts.
    pub(crate) told: Vec<u32>,
}

/// A condition of a step that reads earlier steps.
#[derive(Debug)]
pub struct Join {
    /// To be asked with [`late::truth`].
    pub condition: Expr,
    /// The steps that it reads, its own among them if it does; ascending.
    pub reads: Vec<u32>,
}

/// What an alert says. Bare fields are those of the match that completed it.
#[derive(Debug)]
pub struct Text {
    /// To be read with [`late::render`].
    pub alert: Vec<Piece>,
    /// More values to be read as in alert text, in the order of [`ir::Rule::probes`].
    pub probes: Vec<Expr>,
}

/// A part of an alert's text.
#[derive(Debug)]
pub enum Piece {
    /// As it stands.
    Literal(Box<str>),
    /// Rendered.
    Value(Expr),
}

/// What a window counts. Whether and what a match adds is in [`crate::matches::Match::counted`].
#[derive(Debug)]
pub struct Aggregate {
    /// In canonical spelling.
    pub text: Arc<str>,
    /// Which.
    pub kind: AggregateKind,
    /// Of what its values are.
    pub measure: Measure,
    /// Has a filter.
    pub filtered: bool,
    /// See [`ir::Aggregate::enough`].
    pub enough: Option<u64>,
    pub(crate) filter: Option<Expr>,
    /// What it takes of each match.
    pub(crate) values: Vec<Expr>,
    /// How many tuples of a match are told apart: a limit of the run.
    pub(crate) tuples_max: usize,
}

/// The aggregates.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is the aggregate of its name; docs/semantics.md defines them")]
pub enum AggregateKind {
    Count,
    Distinct,
    Sum,
    Avg,
    Min,
    Max,
    Percentile(f64),
}

/// Of what an aggregate's values are. What is something else is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the types of the language that can be measured")]
pub enum Measure {
    Number,
    Duration,
    Time,
}

impl Plan {
    /// Compiles the rules of a set that are on.
    #[must_use]
    pub fn new(rules: &ir::RuleSet, limits: Limits) -> Self {
        Self::compile(rules, limits, false)
    }

    /// As [`Plan::new`], so that every single condition can be counted, also where it is asked when its event is gone.
    /// The answers are the same; more is kept of each match.
    #[must_use]
    pub fn covering(rules: &ir::RuleSet, limits: Limits) -> Self {
        Self::compile(rules, limits, true)
    }

    fn compile(set: &ir::RuleSet, limits: Limits, covering: bool) -> Self {
        let on = set.rules.iter().enumerate().filter(|(_, rule)| !rule.disabled);
        let on: Vec<(usize, &ir::Rule)> = on.collect();
        let strata = Strata::new(&on);
        let mut told: Vec<Captures<'_>> = on.iter().map(|_| Captures::default()).collect();
        let mut heard: Vec<Vec<Hearing>> = on.iter().map(|_| Vec::new()).collect();
        let mut rules: Vec<(usize, Rule)> = Vec::with_capacity(on.len());
        // From above, so that a rule knows all that is wanted of it.
        for number in strata.upwards().into_iter().rev() {
            let Some((ir_number, source)) = on.get(number).copied() else { continue };
            let mut compiler = Compiler::whole(source, covering);
            let wanted = told.get_mut(number).map(std::mem::take).unwrap_or_default().wanted;
            let mut rule = Rule::new(ir_number, &mut compiler, &wanted);
            rule.stratum = strata.stratum.get(number).copied().unwrap_or(0);
            for (step, hears) in (0..).zip(strata.hears.get(number).into_iter().flatten()) {
                for teller in hears {
                    let (Some(told), Some(heard)) =
                        (told.get_mut(*teller as usize), heard.get_mut(*teller as usize))
                    else {
                        continue;
                    };
                    heard.extend(Hearing::new(&mut compiler, (cut(number), step), told));
                }
                if let Some(step) = rule.steps.get_mut(step as usize) {
                    step.hears.clone_from(hears);
                }
            }
            rule.leaves = compiler.leaves;
            // What is counted for coverage is asked of windows, which a table does without.
            let table = !covering && limits.request_table_bytes_max > 0;
            let alone = rule.steps.iter().all(|step| step.joins.is_empty());
            rule.of_requests = source.of_requests().filter(|_| table && alone);
            rules.push((number, rule));
        }
        rules.sort_by_key(|(number, _)| *number);
        let mut rules: Vec<Rule> = rules.into_iter().map(|(_, rule)| rule).collect();
        for (rule, mut heard) in rules.iter_mut().zip(heard) {
            heard.sort_by_key(|hearing| (hearing.rule, hearing.step));
            let told = heard.iter_mut().flat_map(|hearing| &mut hearing.aggregates);
            for aggregate in rule.aggregates.iter_mut().chain(told) {
                aggregate.tuples_max = limits.tuples_per_match_max;
            }
            rule.heard = heard;
        }
        for number in strata.upwards() {
            let hears = strata.hears.get(number).into_iter().flatten().flatten();
            let waits = hears.filter_map(|heard| rules.get(*heard as usize)).any(|heard| heard.waits);
            if let Some(rule) = rules.get_mut(number) {
                rule.waits |= waits;
            }
        }
        let index = Index::new(&rules);
        let atoms = Atoms::new(&rules);
        let steps =
            (0..).zip(&rules).flat_map(|(r, rule)| (0..).zip(&rule.steps).map(move |(s, of)| (r, s, of)));
        let undecodable = steps.filter(|(_, _, step)| step.on == ir::On::Undecodable);
        let undecodable = undecodable.map(|(rule, step, _)| (rule, step)).collect();
        let each = |rule: &Rule| matches!(rule.shape, Shape::Silent { waits_for: WaitsFor::EachCluster, .. });
        let clusters = rules.iter().any(each);
        let received = |step: &Step| {
            let on = step.on.events();
            on.is_some_and(|on| {
                matches!(on.stage, ir::StagePick::Any | ir::StagePick::Only(ir::Stage::RequestReceived))
            })
        };
        let reads_received = rules.iter().flat_map(|rule| &rule.steps).any(received);
        Self { rules, limits, clusters, reads_received, index, atoms, undecodable }
    }

    /// The number of the rule of that name.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| &*rule.name == name)
    }
}

impl Step {
    /// What it would bring along of no event at all, for a silence of what never came: all fields are absent but the
    /// cluster.
    pub(crate) fn nothing(&self, cluster: Option<&str>) -> Vec<Value> {
        let cx = LateCx { cluster, ..LateCx::default() };
        self.captures.iter().map(|value| late::value(value, &cx)).collect()
    }

    /// Whether a match is identified by its stage too.
    #[must_use]
    pub fn by_stage(&self) -> bool {
        self.on.events().is_some_and(|on| on.stage != ir::StagePick::Outcome)
    }
}

impl Text {
    fn new(compiler: &mut Compiler<'_>, step: u32) -> Self {
        let rule = compiler.rule;
        let alert = rule.alert.iter().map(|piece| match piece {
            ir::Piece::Literal(text) => Piece::Literal(text.as_str().into()),
            ir::Piece::Value(value) => Piece::Value(compiler.later(value, step)),
        });
        let alert = alert.collect();
        let probes = rule.probes.iter().map(|probe| compiler.later(probe, step)).collect();
        Self { alert, probes }
    }
}

impl Rule {
    /// What its alert says, when a match of that step completes it.
    #[must_use]
    pub fn text(&self, step: u32) -> Option<&Text> {
        self.texts.get(step as usize)?.as_ref()
    }

    /// Whether its matches wait for the watermark; those of others are decided as they come.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.waits
    }

    /// The window's length in nanoseconds, 0 if it has none.
    #[must_use]
    pub fn within(&self) -> i64 {
        match self.shape {
            Shape::Each => 0,
            Shape::Tumbling { length, .. } => length,
            Shape::Silent { after, .. } => after,
            Shape::Sliding { within, .. }
            | Shape::Session { within, .. }
            | Shape::FirstSeen { within, .. } => within,
            Shape::Sequence(ref layout) => layout.within,
        }
    }

    /// Compiles a rule, of whose completing events `wanted` is wanted by others. What it hears is still to be compiled.
    fn new<'r>(number: usize, compiler: &mut Compiler<'r>, wanted: &[Wanted<'r>]) -> Self {
        let rule = compiler.rule;
        let completing = completing(rule);
        let last = cut(completing.last().copied().unwrap_or(0));
        let mut steps: Vec<Step> = Vec::with_capacity(rule.steps.len());
        for (number, step) in rule.steps.iter().enumerate() {
            steps.push(compile_step(compiler, step, cut(number)));
        }
        let aggregates = compile_aggregates(compiler, false);
        let shape = match &rule.shape {
            ir::Shape::Each => Shape::Each,
            ir::Shape::Tumbling { condition, length } => {
                Shape::Tumbling { condition: compiler.later_condition(condition, last), length: *length }
            }
            ir::Shape::Session { condition, gap, within } => Shape::Session {
                condition: compiler.later_condition(condition, last),
                gap: *gap,
                within: *within,
            },
            ir::Shape::FirstSeen { within, learning, .. } => {
                Shape::FirstSeen { within: *within, learning: *learning }
            }
            ir::Shape::Silent { after, among } => {
                Shape::Silent { after: *after, waits_for: waits_for(rule, among.as_deref()) }
            }
            ir::Shape::Sliding { condition, within } => {
                Shape::Sliding { condition: compiler.later_condition(condition, last), within: *within }
            }
            ir::Shape::Sequence { ordered, within } => {
                Shape::Sequence(Arc::new(Layout::of(compiler, *ordered, *within, &steps)))
            }
        };
        let mut texts: Vec<Option<Text>> = rule.steps.iter().map(|_| None).collect();
        for step in &completing {
            if let Some(text) = texts.get_mut(*step) {
                *text = Some(Text::new(compiler, cut(*step)));
            }
        }
        for step in completing {
            let Some(captures) = compiler.captures.get_mut(step) else { continue };
            let told = wanted.iter().map(|wanted| captures.add(wanted.clone())).collect();
            if let Some(step) = steps.get_mut(step) {
                step.told = told;
            }
        }
        for (step, captures) in steps.iter_mut().zip(&mut compiler.captures) {
            let nodes = std::mem::take(&mut captures.nodes);
            step.captured = nodes.len();
            step.meanings = std::mem::take(&mut captures.meanings);
            step.captures = nodes.into_iter().map(Expr).collect();
        }
        Self {
            ir: number,
            name: rule.name.as_str().into(),
            source: Arc::new(rule.clone()),
            steps,
            stratum: 0,
            shape,
            throttle: rule.throttle,
            texts,
            across_clusters: rule.across_clusters,
            aggregates,
            leaves: Vec::new(),
            heard: Vec::new(),
            of_requests: None,
            waits: !matches!(rule.shape, ir::Shape::Each) || rule.throttle > 0,
        }
    }
}

fn waits_for(rule: &ir::Rule, among: Option<&[ir::Literal]>) -> WaitsFor {
    let keyed = rule.steps.first().is_some_and(|step| !step.key.is_empty());
    match among {
        Some(among) => WaitsFor::Keys(among.iter().map(literal::value).collect()),
        None if keyed => WaitsFor::Nothing,
        None if rule.across_clusters => WaitsFor::All,
        None => WaitsFor::EachCluster,
    }
}

fn cut(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
