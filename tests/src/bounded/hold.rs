//! What is promised, asked of one case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use engine::frame::blocks::Blocks;
use engine::limits::VIRTUAL_SHARDS;
use engine::matches::{SourceInfo, Value};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::run::Run;
use engine::state::{Outcome, RunTally, Shed, State};

use super::kinds::{CLUSTER, Promise, Reach};
use super::{Case, SECOND, log};
use crate::generate::Choices;
use crate::harness::{AtOnce, difference, plain};
use crate::reference::{Poison, RefAlert, Settings, Source, answer};

/// The shortest stretch of time of which it is told what was refused.
const TOLD_MIN: i64 = 60 * SECOND;

/// What a case that held was about.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// Alerts of the reference.
    pub alerts: usize,
    /// Something did not fit.
    pub shed: bool,
    /// Something did not fit into what a rule may keep in all, though its key had room.
    pub crowded: bool,
}

/// What the engine said with little room.
struct Ran {
    told: Vec<Told>,
    tally: RunTally,
    refused: Vec<Taken>,
    taken: Vec<Taken>,
}

/// An alert.
struct Told {
    alert: RefAlert,
    approximate: bool,
    /// It tells what was refused.
    refusal: bool,
}

/// A match: whose, and when.
struct Taken {
    key: String,
    at: i64,
}

impl Told {
    fn noted(&self, note: &str) -> bool {
        self.alert.notes.iter().any(|other| other == note)
    }

    /// Many keys share its window.
    fn shared(&self) -> bool {
        self.noted("too many keys: many share this window")
    }

    /// It shows, or counts, less than there was, and says so; that it is told is exact.
    fn less(&self) -> bool {
        self.noted("at least") || self.noted("too many events: not all that would be shown were kept")
    }

    /// There was no room to know what its key did before.
    fn unsure(&self) -> bool {
        self.noted("too many keys: what came before of this one may be missing")
    }
}

/// Asks all that is promised of a case.
///
/// # Errors
/// What is not so.
pub fn hold(case: &Case) -> Result<Held, String> {
    let (rules, unthrottled) = (compile(&case.rule(case.throttle))?, compile(&case.rule(0))?);
    let exact = reference(case, &unthrottled);
    let ran = run(case, &rules);
    if ran.tally.shed == Shed::default() && !ran.told.iter().any(Told::less) {
        let told: Vec<RefAlert> = ran.told.iter().map(|told| told.alert.clone()).collect();
        if let Some(text) = difference(&rules, &reference(case, &rules), &told, AtOnce::Whole) {
            return Err(format!("nothing was shed:\n{text}"));
        }
    }
    refusals(case, &ran)?;
    known_is_exact(case, &exact, &ran)?;
    for alert in &exact {
        let found = match case.kind.promise {
            Promise::Misses0 => misses_nothing(case, alert, &ran, Told::shared),
            Promise::Closes0 => closes(case, alert, &ran),
            Promise::Refuses => told_or_refused(case, alert, &ran),
            Promise::Remembers => {
                misses_nothing(case, alert, &ran, Told::unsure) || of_requests_in_doubt(case, alert, &ran)
            }
            Promise::HoldsBack => misses_nothing(case, alert, &ran, |_| false),
        };
        if !found && !overtaken(case, alert, &ran) {
            return Err(format!("missed: {alert:?}"));
        }
    }
    another_way(case, &rules, &ran)?;
    // So many are of no key of such a log.
    let crowded = case.limits.matches_per_key_max >= 100 && ran.tally.shed.window > 0;
    Ok(Held { alerts: exact.len(), shed: ran.tally.shed != Shed::default(), crowded })
}

fn compile(text: &str) -> Result<RuleSet, String> {
    let mut sources = SourceMap::default();
    sources.add("bounded.rule", text.to_owned());
    let outcome = dsl::check::compile(&sources);
    outcome.rules.ok_or_else(|| format!("the rule does not compile: {text}\n{:#?}", outcome.diagnostics))
}

fn reference(case: &Case, rules: &RuleSet) -> Vec<RefAlert> {
    let source = Source { name: "log".to_owned(), cluster: cluster(case).map(str::to_owned) };
    let settings =
        Settings { lateness: case.limits.lateness, request_memory: case.limits.request_memory, until: None };
    answer(rules, &[source], &case.arrivals, settings, &Poison::default()).alerts
}

/// Of the source; where clusters are what is chosen the envelopes say it.
fn cluster(case: &Case) -> Option<&'static str> {
    (!case.kind.clusters).then_some(CLUSTER)
}

fn run(case: &Case, rules: &RuleSet) -> Ran {
    let mut run = Run::new(Arc::new(Plan::new(rules, case.limits)), case.limits).block_bytes(4_096);
    let watch = run.state.watch_all(0);
    let info = SourceInfo { name: "log".into(), cluster: cluster(case).map(Into::into) };
    run.add(info, &log::bytes(&case.arrivals));
    run.read();
    let (mut refused, mut taken) = (Vec::new(), Vec::new());
    for seen in run.state.seen(watch) {
        let key = match seen.key.first() {
            Some((_, Value::Text(user))) => user.to_string(),
            _ => seen.meta.cluster.as_deref().unwrap_or_default().to_owned(),
        };
        let of = Taken { key, at: seen.effective };
        match seen.outcome {
            Outcome::Refused => refused.push(of),
            Outcome::Duplicate | Outcome::LeftOutLate | Outcome::KeyUnknown | Outcome::KeyAbsent => {}
            _ => taken.push(of),
        }
    }
    let mut alerts = Vec::new();
    run.state.drain(&mut alerts);
    let told = alerts.iter().map(|alert| Told {
        approximate: alert.approximate,
        refusal: alert.message != "x",
        alert: plain(alert),
    });
    Ran { told: told.collect(), tally: run.state.tally().clone(), refused, taken }
}

/// What was refused is counted, and told once for each stretch of time; nothing is refused without need.
fn refusals(case: &Case, ran: &Ran) -> Result<(), String> {
    let told: Vec<&Told> = ran.told.iter().filter(|told| told.refusal).collect();
    let mut stretches: BTreeMap<i64, u64> = BTreeMap::new();
    for one in &told {
        let alert = &one.alert;
        let start = alert.window.map_or(0, |(start, _)| start);
        let proper = start % TOLD_MIN == 0
            && alert.window == Some((start, start + TOLD_MIN))
            && (alert.time, one.approximate) == (start + TOLD_MIN, true)
            && alert.key.is_empty()
            && alert.events.is_empty();
        if !proper || stretches.insert(start, alert.count).is_some() {
            return Err(format!("not one proper alert for each stretch of time: {alert:?}"));
        }
    }
    let refuses = case.kind.promise == Promise::Refuses;
    let shed = &ran.tally.shed;
    let gone = if refuses && case.kind.reach != Reach::Both { shed.window + shed.tuples } else { 0 };
    let again = if refuses || case.kind.promise == Promise::Remembers { shed.again } else { 0 };
    let all: u64 = stretches.values().sum();
    let late = shed.overtaken;
    if all != shed.refused + gone + again + late || !refuses && all > again + late {
        return Err(format!(
            "{all} told of, {} refused, {gone} gone, {again} in doubt and {late} overtaken",
            shed.refused
        ));
    }
    let mut seen: BTreeMap<i64, u64> = BTreeMap::new();
    for refused in &ran.refused {
        *seen.entry(refused.at.div_euclid(TOLD_MIN) * TOLD_MIN).or_default() += 1;
    }
    for at in forgotten_clusters(case) {
        *seen.entry(at.div_euclid(TOLD_MIN) * TOLD_MIN).or_default() += 1;
    }
    let counted = |start: &i64| stretches.get(start).copied().unwrap_or(0);
    if seen.iter().any(|(start, n)| counted(start) < *n)
        || gone + again + late == 0 && !case.kind.waits && seen != stretches
    {
        return Err(format!("refused {seen:?}, told {stretches:?}"));
    }
    if refuses && !case.kind.waits {
        ran.refused.iter().try_for_each(|refused| needed(case, refused, ran))?;
    }
    Ok(())
}

/// When there were events of clusters that nobody could remember: of those that come first there is room for as many as
/// for keys.
fn forgotten_clusters(case: &Case) -> Vec<i64> {
    let mut known = BTreeSet::new();
    let mut forgotten = Vec::new();
    for arrival in case.arrivals.iter().filter(|_| case.kind.clusters) {
        let cluster = arrival.envelope_cluster.as_deref();
        if !known.contains(&cluster) && known.len() == case.limits.keys_per_rule_max {
            let stamp = arrival.json["stageTimestamp"].as_str().unwrap_or_default();
            let stamp = chrono::DateTime::parse_from_rfc3339(stamp).ok();
            forgotten.extend(stamp.and_then(|stamp| stamp.timestamp_nanos_opt()));
        } else {
            known.insert(cluster);
        }
    }
    forgotten
}

/// A match may only be refused while as many other keys as there is room for can still matter.
fn needed(case: &Case, refused: &Taken, ran: &Ran) -> Result<(), String> {
    let reach = match case.kind.reach {
        Reach::Within => case.numbers.within,
        Reach::Gap => case.numbers.gap,
        Reach::Both | Reach::Ever => case.numbers.within + case.numbers.gap,
    };
    let throttle = if case.throttle > 0 { case.throttle + reach } else { 0 };
    let from = refused.at - (reach + throttle) * SECOND;
    let others = ran.taken.iter().filter(|taken| (from..=refused.at).contains(&taken.at));
    let others: BTreeSet<&str> =
        others.map(|taken| taken.key.as_str()).filter(|key| *key != refused.key).collect();
    let room = case.limits.keys_per_rule_max / VIRTUAL_SHARDS;
    match others.len() < room {
        true => Err(format!("{} was refused at {} without need", refused.key, refused.at)),
        false => Ok(()),
    }
}

/// What does not say that it is approximate is what the reference says.
fn known_is_exact(case: &Case, exact: &[RefAlert], ran: &Ran) -> Result<(), String> {
    // A rule without a window tells a request that was forgotten again, under the same id.
    let again = case.kind.promise == Promise::HoldsBack && ran.tally.shed.requests > 0;
    let sure = || ran.told.iter().filter(|told| !told.approximate);
    let ids: BTreeSet<&str> = exact.iter().map(|alert| alert.id.as_str()).collect();
    let wrong = sure().find(|told| match case.throttle {
        0 if !told.less() && !again => !exact.contains(&told.alert),
        _ => !ids.contains(told.alert.id.as_str()),
    });
    if let Some(wrong) = wrong {
        return Err(format!("not what the reference says, and not approximate: {:?}", wrong.alert));
    }
    let twice = |one: &Told| {
        let before = ran.told.iter().filter(|other| other.alert.key == one.alert.key);
        let gap = |other: &Told| one.alert.time - other.alert.time;
        before.map(gap).find(|gap| *gap > 0 && *gap < (case.throttle - 1) * SECOND)
    };
    if case.kind.promise == Promise::HoldsBack
        && let Some(wrong) = sure().find(|one| twice(one).is_some())
    {
        return Err(format!("told though its throttle was not over, and not approximate: {:?}", wrong.alert));
    }
    let different: BTreeSet<&RefAlert> = sure().map(|told| &told.alert).collect();
    match again || different.len() == sure().count() {
        true => Ok(()),
        false => Err("an exact alert is told twice".to_owned()),
    }
}

/// Whether there is another alert, of the same key or one that stands for it, in whose throttle an alert falls.
fn throttled(case: &Case, alert: &RefAlert, ran: &Ran, slack: i64, stands: impl Fn(&Told) -> bool) -> bool {
    let reach = -(slack * SECOND)..(case.throttle + slack) * SECOND;
    case.throttle > 0
        && ran.told.iter().filter(|told| !told.refusal).any(|told| {
            reach.contains(&(alert.time - told.alert.time)) && (told.alert.key == alert.key || stands(told))
        })
}

fn told_itself(alert: &RefAlert, ran: &Ran) -> bool {
    ran.told.iter().any(|told| told.alert.id == alert.id)
}

fn misses_nothing(case: &Case, alert: &RefAlert, ran: &Ran, stands: impl Fn(&Told) -> bool) -> bool {
    told_itself(alert, ran) || throttled(case, alert, ran, 0, stands)
}

fn closes(case: &Case, alert: &RefAlert, ran: &Ran) -> bool {
    let over_the_same = |told: &Told| told.shared() && told.alert.window == alert.window;
    told_itself(alert, ran)
        || ran.told.iter().any(over_the_same)
        // At the end of input a window is decided before its end.
        || throttled(case, alert, ran, case.numbers.within, Told::shared)
}

/// Whether an alert is told, or held back by a throttle, or is of what was refused or went for want of room, as was told.
fn told_or_refused(case: &Case, alert: &RefAlert, ran: &Ran) -> bool {
    let (within, gap) = (case.numbers.within, case.numbers.gap);
    let (reach, slack) = match case.kind.reach {
        Reach::Within => (within, within),
        Reach::Gap => (i64::MAX / SECOND, gap),
        Reach::Both | Reach::Ever => (2 * within + gap, within + gap),
    };
    if told_itself(alert, ran) || throttled(case, alert, ran, slack, |_| false) {
        return true;
    }
    let from = alert.time.saturating_sub(reach.saturating_mul(SECOND));
    let of_its_key = |refused: &Taken| match alert.key.first() {
        Some((_, user)) => *user == format!("Text({:?})", refused.key),
        // Which cluster it is is not in the alert as the reference has it; its id was made of it.
        None => true,
    };
    if ran.refused.iter().any(|refused| of_its_key(refused) && (from..=alert.time).contains(&refused.at)) {
        return true;
    }
    let stretch = |what: &str, from: i64, until: i64| told_of(case, ran, what, (from, until));
    let gone = case.kind.reach != Reach::Both && stretch("left out", from, alert.time);
    // What is waited for without a match was refused when it should have begun.
    let since = alert.window.map_or(0, |(since, _)| since);
    gone || stretch("twice", from, alert.time)
        || case.kind.waits && alert.events.is_empty() && stretch("refused", since, since)
}

/// Whether a first sight may be missing since a request that was forgotten showed it again, as was told.
fn of_requests_in_doubt(case: &Case, alert: &RefAlert, ran: &Ran) -> bool {
    told_of(case, ran, "twice", (alert.time - case.numbers.within * SECOND, alert.time))
}

/// Whether something of an alert, or of what throttles it, may have come when its time had been decided, as was told. It may
/// be told of a later time than its own.
fn overtaken(case: &Case, alert: &RefAlert, ran: &Ran) -> bool {
    let reach = case.numbers.within + case.numbers.gap + case.throttle;
    told_of(case, ran, "too late", (alert.time - reach * SECOND, i64::MAX))
}

/// Whether an alert about what was refused says so of a time between the two.
fn told_of(case: &Case, ran: &Ran, what: &str, (from, until): (i64, i64)) -> bool {
    ran.told.iter().filter(|told| told.refusal && told.alert.message.contains(what)).any(|told| {
        told.alert.window.is_some_and(|(start, end)| start - case.limits.lateness <= until && from < end)
    })
}

/// Other blocks and saves on the way make no difference.
fn another_way(case: &Case, rules: &RuleSet, ran: &Ran) -> Result<(), String> {
    let mut choices = Choices::seeded(case.seed);
    let plan = Arc::new(Plan::new(rules, case.limits));
    let info = SourceInfo { name: "log".into(), cluster: cluster(case).map(Into::into) };
    let mut state = State::new(Arc::clone(&plan), case.limits);
    let source = state.add_source(info.clone());
    let piece = *choices.pick(&[100, 700, 3_000]);
    let mut blocks = Blocks::new(source, piece, case.limits.line_bytes_max);
    let (mut alerts, mut scratch) = (Vec::new(), Scratch::default());
    let bytes = log::bytes(&case.arrivals);
    for pushed in bytes.chunks(piece) {
        blocks.push(pushed);
        while let Some(block) = blocks.pop() {
            state.take(source, match_block(&plan, &info, &block, &mut scratch));
        }
        if choices.chance(15) {
            state.drain(&mut alerts);
            state = reloaded(&state, &plan, case)?;
        }
    }
    blocks.finish();
    while let Some(block) = blocks.pop() {
        state.take(source, match_block(&plan, &info, &block, &mut scratch));
    }
    state.finish();
    state.drain(&mut alerts);
    let mut other: Vec<RefAlert> = alerts.iter().map(plain).collect();
    let mut one: Vec<RefAlert> = ran.told.iter().map(|told| told.alert.clone()).collect();
    other.sort();
    one.sort();
    match one == other {
        true => Ok(()),
        false => Err(format!("driven another way:\n{other:#?}\ninstead of\n{one:#?}")),
    }
}

/// Another state goes on from what this one leaves.
fn reloaded(state: &State, plan: &Arc<Plan>, case: &Case) -> Result<State, String> {
    let mut next = State::new(Arc::clone(plan), case.limits);
    let told = |error| format!("a saved state is not loaded: {error}");
    next.load_head(&state.save_head()).map_err(told)?;
    for shard in 0..VIRTUAL_SHARDS {
        next.load(shard, &state.save(shard)).map_err(told)?;
    }
    Ok(next)
}
