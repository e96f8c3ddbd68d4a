//! A block of input to its matches: a pure function of the plan and the block, for any thread, in any order.
//!
//! Nothing here remembers anything: whether a request was told before, what time it is, which window it falls into, is
//! the state's matter. A match owns what will be read of its event later, so the block can go.

#[cfg(test)]
pub(crate) mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use dsl::ir::OfRequests;

use crate::atoms::{Asker, Atoms};
use crate::eval::{self, Coverage, Cx, Event, EventCx, Truth};
use crate::event::document::Json;
use crate::event::row::{Row, Slot};
pub use crate::event::{DecodedBy, Decoding};
use crate::event::{Decoder, Found, Place, identity, instant};
use crate::frame::Kind;
use crate::frame::blocks::Block;
use crate::index::{StepId, selector};
use crate::matches::{
    Counted, EventMeta, Match, Matches, Nanos, RequestMatch, RuleTally, SourceId, SourceInfo, Tally,
    Undecodable, Value,
};
use crate::plan::{Aggregate, AggregateKind, Expr, Plan, Step};
use crate::planted::planted;
use crate::state::packed::{Face, Head, pack_cluster};

/// Buffers that a thread uses for one block after another.
#[derive(Debug, Default)]
pub struct Scratch {
    decoder: Decoder,
    /// If set: per rule of the plan, what its conditions have been found to be.
    coverage: Option<Vec<Coverage>>,
    /// In which matches are packed.
    buffer: Vec<u8>,
    /// What is remembered of conditions that are asked together.
    asker: Option<Asker>,
    /// Conditions are asked one by one, as they are written.
    plainly: bool,
}

impl Scratch {
    /// Counts from now on what each condition is found to be. Every condition is then asked, also where others have
    /// decided already.
    pub fn cover(&mut self, plan: &Plan) {
        self.coverage = Some(plan.rules.iter().map(|rule| Coverage::new(rule.leaves.len())).collect());
    }

    /// Chooses which decoders read events; the answer is the same.
    pub fn decode_with(&mut self, decoding: Decoding) {
        self.decoder.decoding = decoding;
    }

    /// Whether conditions are asked together, through their index, or one by one as they are written; the answer is the
    /// same.
    pub fn index_conditions(&mut self, together: bool) {
        self.plainly = !together;
    }

    /// How many events each decoder has read, so far.
    #[must_use]
    pub fn decoded_by(&self) -> DecodedBy {
        self.decoder.by
    }

    /// What was counted, per rule of the plan.
    #[must_use]
    pub fn coverage(&self) -> Option<&[Coverage]> {
        self.coverage.as_deref()
    }
}

/// Matches the events of a block.
#[must_use]
pub fn match_block(plan: &Plan, source: &SourceInfo, block: &Block, scratch: &mut Scratch) -> Matches {
    let mut out = Matches {
        tally: Tally {
            bytes: block.length,
            rules: vec![RuleTally::default(); plan.rules.len()],
            ..Tally::default()
        },
        ..Matches::default()
    };
    let Scratch { decoder, coverage, buffer, asker, plainly } = scratch;
    let before = (decoder.duplicate_keys(), decoder.tape.mended);
    // Of a planted error only those of the index itself are for it to show.
    let together =
        !*plainly && coverage.is_none() && (!cfg!(feature = "planted-errors") || planted(0) || planted(68));
    let atoms = plan.atoms.as_ref().filter(|_| together);
    let asker = atoms.map(|atoms| match asker.take() {
        Some(old) if old.is_for(atoms) => asker.insert(old),
        _ => asker.insert(Asker::new(atoms)),
    });
    let matcher = Matcher { plan, source, number: block.source, coverage: coverage.as_deref() };
    let mut to = To { out: &mut out, buffer, together: atoms.zip(asker) };
    for (at, part) in block.parts.iter().enumerate() {
        let message = block.stamps.get(at).copied();
        if let Some(stamp) = message {
            to.stamped(stamp);
        }
        let mut sink = |(offset, length), found: Found<'_, '_>| {
            let offset = if message.is_some() { part.offset } else { offset };
            matcher.found((offset, length), &found, &mut to);
        };
        match part.kind {
            Kind::Lines => decoder.lines(part.bytes(block), part.offset, !plan.reads_received, &mut sink),
            kind => {
                let place = (part.offset, part.length);
                decoder.found(part.bytes(block), kind, place, !plan.reads_received, &mut sink);
            }
        }
    }
    if let Some((atoms, asker)) = to.together {
        asker.count(atoms, &mut to.out.tally.rules);
    }
    out.tally.duplicate_keys = decoder.duplicate_keys() - before.0;
    out.tally.mended = decoder.tape.mended - before.1;
    out
}

struct Matcher<'m> {
    plan: &'m Plan,
    source: &'m SourceInfo,
    number: SourceId,
    coverage: Option<&'m [Coverage]>,
}

/// Where matches go, and what finding them needs.
struct To<'t> {
    out: &'t mut Matches,
    buffer: &'t mut Vec<u8>,
    /// If conditions are asked together.
    together: Option<(&'t Atoms, &'t mut Asker)>,
}

impl To<'_> {
    /// What comes from here on was stamped at that time.
    fn stamped(&mut self, stamp: Nanos) {
        let out = &mut *self.out;
        if out.stamps.last().is_some_and(|(_, last)| *last == stamp) {
            return;
        }
        let from = u32::try_from(out.times.len()).unwrap_or(u32::MAX);
        // One that had no event of its own is overruled.
        out.stamps.pop_if(|(at, _)| *at == from);
        out.stamps.push((from, stamp));
    }
}

/// An event at hand.
struct At<'e, 'a> {
    /// Its number in the block.
    number: u32,
    offset: u64,
    row: &'a Row<'a>,
    event: &'e EventCx<'a>,
    /// What all matches share, once there is one.
    meta: Option<Arc<EventMeta>>,
}

impl<'m> Matcher<'m> {
    #[inline]
    fn found(&self, place: Place, found: &Found<'_, '_>, to: &mut To<'m>) {
        let out = &mut *to.out;
        match *found {
            Found::Event(row) => {
                out.tally.read += 1;
                out.tally.decoded += 1;
                self.event(place.0, row, to);
            }
            Found::Passed(time) => {
                out.tally.read += 1;
                out.tally.passed += 1;
                let number = u32::try_from(out.times.len()).unwrap_or(u32::MAX);
                out.times.push(time);
                self.cluster(number, self.source.cluster.as_deref(), out);
            }
            Found::Broken(reason) => {
                out.tally.read += 1;
                let before = u32::try_from(out.times.len()).unwrap_or(u32::MAX);
                let (offset, length) = place;
                out.tally.undecodable.push(Undecodable { reason, offset, length, before });
            }
            Found::Comment => out.tally.comments += 1,
        }
    }

    /// Notes of which cluster an event is, if somebody asks.
    fn cluster(&self, number: u32, cluster: Option<&str>, out: &mut Matches) {
        if self.plan.clusters && out.clusters.last().is_none_or(|(_, last)| last.as_deref() != cluster) {
            out.clusters.push((number, cluster.map(Arc::from)));
        }
    }

    fn event<'a>(&self, offset: u64, row: &'a Row<'a>, to: &mut To<'m>)
    where
        'm: 'a,
    {
        let number = u32::try_from(to.out.times.len()).unwrap_or(u32::MAX);
        to.out.times.push(row.stage_timestamp);
        let event = EventCx::new(row, self.source);
        self.cluster(number, event.cluster(), to.out);
        let mut at = At { number, offset, row, event: &event, meta: None };
        match &mut to.together {
            Some((atoms, asker)) => self.together(&mut at, atoms, asker, to.out, to.buffer),
            None => self.one_by_one(&mut at, to.out, to.buffer),
        }
    }

    /// Asks the rules whose gates the event opens.
    fn together<'a>(
        &self,
        at: &mut At<'_, 'a>,
        atoms: &'m Atoms,
        asker: &mut Asker,
        out: &mut Matches,
        buffer: &mut Vec<u8>,
    ) where
        'm: 'a,
    {
        let row = at.row;
        let Some(cell) = asker.cell((self.plan, atoms), row, &mut out.tally.rules) else { return };
        let dry_run = at.event.dry_run();
        asker.saw(cell, row, dry_run == Truth::True);
        let cx = Cx::new(Event::Here(at.event), None);
        asker.open(atoms, cell, row, &cx);
        let mut from = 0;
        while let Some((program, next)) = asker.next(atoms, cell, from) {
            from = next;
            let including = program.including_dry_run;
            if dry_run == Truth::True && !including {
                continue;
            }
            let holds = asker.holds(atoms, program, row, &cx);
            let id = StepId { rule: program.rule, step: program.step };
            self.decided(id, &holds, !including && dry_run == Truth::Unknown, &cx, at, out, buffer);
        }
    }

    /// Asks every rule whose selector takes the event: the plain way, which also counts for coverage.
    fn one_by_one<'a>(&self, at: &mut At<'_, 'a>, out: &mut Matches, buffer: &mut Vec<u8>)
    where
        'm: 'a,
    {
        let row = at.row;
        let mut tallied = None;
        for id in self.plan.index.candidates(row) {
            let rule = &self.plan.rules[id.rule as usize];
            let step = &rule.steps[id.step as usize];
            let Some(on) = step.on.events().filter(|on| selector::takes(on, row)) else { continue };
            let dry_run_unknown = match at.event.dry_run() {
                _ if on.including_dry_run => false,
                Truth::True => continue,
                Truth::Unknown => true,
                Truth::False => false,
            };
            // Once an event, though several steps of a sequence may take it.
            if tallied != Some(id.rule) {
                tallied = Some(id.rule);
                out.tally.rules[id.rule as usize].selected += 1;
            }
            let coverage = self.coverage.and_then(|c| c.get(id.rule as usize));
            let cx = Cx::new(Event::Here(at.event), coverage);
            let holds = holds(&Asked::of(step, &rule.aggregates), &cx);
            self.decided(*id, &holds, dry_run_unknown, &cx, at, out, buffer);
        }
    }

    /// Counts what a step said, and takes its match.
    #[expect(clippy::too_many_arguments, reason = "all that a match is made of")]
    fn decided<'a>(
        &self,
        id: StepId,
        holds: &Holds,
        dry_run_unknown: bool,
        cx: &Cx<'_, 'a>,
        at: &mut At<'_, 'a>,
        out: &mut Matches,
        buffer: &mut Vec<u8>,
    ) where
        'm: 'a,
    {
        out.tally.rules[id.rule as usize].unknown_decided += u64::from(holds.unknown_decided);
        if !holds.matched {
            return;
        }
        let rule = &self.plan.rules[id.rule as usize];
        let step = &rule.steps[id.step as usize];
        let (number, row) = (at.number, at.row);
        if let Some(of) = rule.of_requests {
            let captures = || read(&step.captures, cx).collect();
            let m = self.of_request((id, number, of), at.offset, (row, at.event), captures, buffer);
            out.requests.push(RequestMatch { dry_run_unknown, ..m });
            return;
        }
        let brought = brought(&Asked::of(step, &rule.aggregates), cx);
        let meta = at.meta.get_or_insert_with(|| {
            Arc::new(Self::face(row, at.event).meta(self.head(at.offset, row, at.event)))
        });
        out.found.push(Match {
            rule: id.rule,
            step: id.step,
            event: number,
            meta: Arc::clone(meta),
            key: brought.key,
            captures: brought.captures,
            counted: brought.counted,
            dry_run_unknown,
        });
    }

    /// What all matches of an event say of it.
    fn face<'a>(row: &'a Row<'_>, event: &EventCx<'a>) -> Face<'a> {
        Face {
            request_received: row.text(Slot::RequestReceived).and_then(instant::parse),
            audit_id: row.text(Slot::AuditId).unwrap_or(""),
            cluster: event.cluster(),
            username: row.text(Slot::Username),
            groups: row.get(Slot::UserGroups),
            impersonated: row.text(Slot::ImpersonatedUsername),
            source_ips: row.get(Slot::SourceIps),
            user_agent: row.text(Slot::UserAgent),
            verb: row.verb(),
            resource: row.text(Slot::Resource),
            subresource: row.text(Slot::Subresource),
            namespace: row.text(Slot::Namespace),
            name: eval::object_name(event).or_else(|| row.text(Slot::Name).map(Cow::Borrowed)),
            code: row.get(Slot::Code).and_then(whole_number),
        }
    }

    fn head(&self, offset: u64, row: &Row<'_>, event: &EventCx<'_>) -> Head {
        Head {
            source: self.number,
            offset,
            request: event.request(),
            stage: Some(row.stage),
            stage_timestamp: row.stage_timestamp,
        }
    }

    /// A match of a rule about requests themselves.
    fn of_request<'a>(
        &self,
        (id, number, of): (StepId, u32, OfRequests),
        offset: u64,
        (row, event): (&'a Row<'_>, &EventCx<'a>),
        captures: impl FnOnce() -> Vec<Value>,
        buffer: &mut Vec<u8>,
    ) -> RequestMatch {
        let request = event.request();
        let shown = id.step == 0;
        let packed = if shown {
            Self::face(row, event).pack(&captures(), buffer)
        } else {
            pack_cluster(event.cluster())
        };
        RequestMatch {
            rule: id.rule,
            step: id.step,
            event: number,
            subject: match of {
                OfRequests::Repeated { by_audit_id: true } => {
                    identity::hash(row.text(Slot::AuditId).unwrap_or("").as_bytes())
                }
                OfRequests::Repeated { .. } | OfRequests::Unanswered { .. } => request.0,
            },
            request,
            stage: row.stage,
            source: self.number,
            offset,
            dry_run_unknown: false,
            packed,
        }
    }
}

fn read<'e, 'a>(exprs: &'a [Expr], cx: &'e Cx<'e, 'a>) -> impl Iterator<Item = Value> + use<'e, 'a> {
    exprs.iter().map(|expr| eval::value(&expr.0, cx).to_owned())
}

fn whole_number(json: Json<'_>) -> Option<i64> {
    match json.node() {
        #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number in range")]
        crate::event::document::Node::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 => Some(n as i64),
        _ => None,
    }
}

/// All that is asked of what comes to a step: an event, an alert of one of the rules it hears, what is no event.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) conditions: &'a [Expr],
    pub(crate) excepts: &'a [Expr],
    pub(crate) key: &'a [Expr],
    pub(crate) captures: &'a [Expr],
    pub(crate) aggregates: &'a [Aggregate],
}

impl<'a> Asked<'a> {
    pub(crate) fn of(step: &'a Step, aggregates: &'a [Aggregate]) -> Self {
        let Step { conditions, excepts, key, captures, .. } = step;
        Self { conditions, excepts, key, captures, aggregates }
    }
}

/// What a step says of it.
pub(crate) struct Answer {
    /// If it matches: what the match brings along.
    pub(crate) brought: Option<Brought>,
    pub(crate) unknown_decided: bool,
}

/// See the fields of [`Match`].
pub(crate) struct Brought {
    pub(crate) key: Vec<Value>,
    pub(crate) captures: Vec<Value>,
    pub(crate) counted: Vec<Counted>,
}

pub(crate) fn answer<'a>(asked: &Asked<'a>, cx: &Cx<'_, 'a>) -> Answer {
    let Holds { matched, unknown_decided } = holds(asked, cx);
    Answer { brought: matched.then(|| brought(asked, cx)), unknown_decided }
}

fn brought<'a>(asked: &Asked<'a>, cx: &Cx<'_, 'a>) -> Brought {
    Brought {
        key: read(asked.key, cx).map(key_part).collect(),
        captures: read(asked.captures, cx).collect(),
        counted: asked.aggregates.iter().map(|aggregate| counted(aggregate, cx)).collect(),
    }
}

/// Whether a step's conditions hold.
pub(crate) struct Holds {
    matched: bool,
    unknown_decided: bool,
}

impl Holds {
    /// Of what its conditions say together, and the dearest of its excepts.
    pub(crate) fn of(condition: Truth, except: Truth) -> Self {
        let except = if planted(12) && except == Truth::Unknown { Truth::True } else { except };
        Self {
            matched: condition == Truth::True && except != Truth::True,
            unknown_decided: match condition {
                Truth::Unknown => except != Truth::True,
                Truth::True => except == Truth::Unknown,
                Truth::False => false,
            },
        }
    }
}

fn holds<'a>(asked: &Asked<'a>, cx: &Cx<'_, 'a>) -> Holds {
    let covering = cx.covers();
    let condition = eval::all(asked.conditions.iter().map(|c| &c.0), cx);
    if condition == Truth::False && !covering {
        return Holds::of(condition, Truth::False);
    }
    let except = asked.excepts.iter().map(|e| eval::truth(&e.0, cx)).max().unwrap_or(Truth::False);
    Holds::of(condition, except)
}

/// A part of a key is a scalar; what is none counts as absent.
fn key_part(value: Value) -> Value {
    match value {
        Value::List { .. } | Value::Map { .. } | Value::Spread { .. } => Value::Absent,
        scalar => scalar,
    }
}

fn counted<'a>(aggregate: &'a Aggregate, cx: &Cx<'_, 'a>) -> Counted {
    let lets_in = |truth| truth == Truth::True || planted(41) && truth == Truth::Unknown;
    if aggregate.filter.as_ref().is_some_and(|filter| !lets_in(eval::truth(&filter.0, cx))) {
        return Counted::No;
    }
    match aggregate.kind {
        AggregateKind::Count => Counted::One,
        AggregateKind::Distinct => tuples(aggregate, cx),
        _ => Counted::Values(measured(aggregate, cx)),
    }
}

/// The values of an aggregate that measures: what is none of its kind is passed over.
fn measured<'a>(aggregate: &'a Aggregate, cx: &Cx<'_, 'a>) -> Vec<i64> {
    let values = aggregate.values.iter().flat_map(|expr| each(&expr.0, cx));
    values.filter_map(|value| aggregate.measure.bits(&value)).collect()
}

/// What `distinct` counts of a match. Of very many tuples the first are told apart, so that two long lists cost no more than
/// that; how many the others may be is told along, for whoever must not miss them.
fn tuples<'a>(aggregate: &'a Aggregate, cx: &Cx<'_, 'a>) -> Counted {
    let parts: Vec<Vec<Value>> = aggregate.values.iter().map(|expr| each(&expr.0, cx)).collect();
    let mut tuples: Vec<Box<[u8]>> = Vec::new();
    let total = parts.iter().map(Vec::len).try_fold(1_usize, usize::checked_mul).unwrap_or(usize::MAX);
    let most = aggregate.tuples_max.max(1);
    for number in 0..total.min(most) {
        // The number, written with as many digits as there are parts, picks one value of each.
        let mut rest = number;
        let tuple: Vec<&Value> = parts
            .iter()
            .map(|values| {
                let value = &values[rest % values.len()];
                rest /= values.len();
                value
            })
            .collect();
        let unknown = tuple.iter().any(|v| **v == Value::Unknown);
        if !unknown && tuple.iter().any(|v| **v != Value::Absent) {
            tuples.push(identity::tuple(&tuple));
        }
    }
    tuples.sort_unstable();
    tuples.dedup();
    match total.checked_sub(most) {
        Some(more) if more > 0 && !planted(94) => Counted::Cut(tuples, more as u64),
        _ => Counted::Tuples(tuples),
    }
}

/// The values of a part, of a spread each; lists and maps are absent.
fn each<'a>(node: &'a crate::plan::expr::Node, cx: &Cx<'_, 'a>) -> Vec<Value> {
    match eval::value(node, cx).to_owned() {
        Value::Spread { items, .. } => items.into_iter().map(key_part).collect(),
        one => vec![key_part(one)],
    }
}
