//! Parts of rules in words: what a selector takes, what kind of rule it is, what the audit policy must record for it.
//!
//! The level is read off the rule: which bodies its conditions and keys read. It says nothing of the policy's other
//! ways of leaving events out.

use dsl::ir::{
    Derived, Expr, ExprKind, Groups, Literal, On, Piece, Resource, Root, Rule, Segment, Selector, Set, Shape,
    StagePick, Subresource, Target, Targets, Verbs,
};

use engine::limits::Limits;
use engine::plan::cost;

use crate::human;

/// What a step listens to, as people write it; `name` tells the names of rules by their numbers.
pub(crate) fn on<'a>(on: &On, name: impl Fn(usize) -> Option<&'a str>) -> String {
    match on {
        On::Events(events) => selector(events),
        On::Alerts(rules) => {
            format!("alert of {}", rules.iter().filter_map(|rule| name(*rule)).collect::<Vec<_>>().join(", "))
        }
        On::Undecodable => "undecodable".to_owned(),
    }
}

/// A selector as people write it, in short: `get, list of secrets`.
fn selector(on: &Selector) -> String {
    let verbs = match &on.verbs {
        Verbs::Only(verbs) => verbs.join(", "),
        Verbs::AllBut(but) if but.is_empty() => "any verb".to_owned(),
        Verbs::AllBut(but) => format!("any verb but {}", but.join(", ")),
    };
    let but = |head: &str, but: &[Target]| {
        if but.is_empty() { head.to_owned() } else { format!("{head} but {}", targets(but)) }
    };
    let targets = match &on.targets {
        Targets::Only(list) => targets(list),
        Targets::AllBut(list) => but("any request", list),
        Targets::ResourcesBut(list) => but("any resource", list),
    };
    let stage = match on.stage {
        StagePick::Outcome => String::new(),
        StagePick::Only(stage) => format!(" at {stage:?}"),
        StagePick::Any => " at any stage".to_owned(),
    };
    format!("{verbs} of {targets}{stage}")
}

fn targets(list: &[Target]) -> String {
    let words: Vec<String> = list.iter().map(target).collect();
    words.join(", ")
}

fn target(target: &Target) -> String {
    match target {
        Target::NonResource { path, prefix } => format!("{path}{}", if *prefix { "*" } else { "" }),
        Target::Resource(Resource { name, groups, subresource }) => {
            let mut text = name.as_deref().unwrap_or("*").to_owned();
            match subresource {
                Subresource::None => {}
                Subresource::Only(sub) => text.extend(["/", sub]),
                Subresource::Any => text.push_str("/*"),
            }
            match groups {
                Groups::OneOf(groups) if name.is_none() => {
                    format!("{text}.{}", groups.join("|"))
                }
                _ => text,
            }
        }
    }
}

/// The form of a rule: `each`, `3s window` and the like.
pub(crate) fn shape(rule: &Rule) -> String {
    match &rule.shape {
        Shape::Each => "each".to_owned(),
        Shape::Sliding { within, .. } => format!("window of {}", duration(*within)),
        Shape::Tumbling { length, .. } => format!("tumbling window of {}", duration(*length)),
        Shape::Session { gap, within, .. } => {
            format!("session with a gap of {} within {}", duration(*gap), duration(*within))
        }
        Shape::FirstSeen { within, learning, .. } => {
            let learning =
                if *learning > 0 { format!(" learning {}", duration(*learning)) } else { String::new() };
            format!("first seen within {}{learning}", duration(*within))
        }
        Shape::Silent { after, among } => {
            let among =
                among.as_ref().map(|values| values.iter().map(literal).collect::<Vec<_>>().join(", "));
            let among = among.map_or_else(String::new, |values| format!(" among {values}"));
            format!("silent for {}{among}", duration(*after))
        }
        Shape::Sequence { ordered: true, within } => format!("sequence within {}", duration(*within)),
        Shape::Sequence { ordered: false, within } => format!("unordered within {}", duration(*within)),
    }
}

/// What a rule costs: what asking it takes, and what one key makes it remember at most.
pub(crate) fn cost(rule: &Rule) -> String {
    let cost = cost::cost(rule, &Limits::default());
    #[expect(clippy::cast_precision_loss, reason = "a number for people")]
    let size = |bytes: u64| human::bytes(bytes as f64);
    let memory = match (cost.bytes_per_key, cost.events_per_key) {
        (bytes, _) if let Some(table) = cost.table => {
            let (settled, max) = (size(table.bytes_per_settled), size(table.bytes_max));
            format!("up to {} a request that waits, {settled} any other, {max} in all", size(bytes))
        }
        (0, _) => "remembers nothing".to_owned(),
        (bytes, 0) => format!("up to {} a key", size(bytes)),
        (bytes, events) => format!("up to {} a key ({events} events)", size(bytes)),
    };
    let dear = if cost.dear.is_empty() { String::new() } else { format!(": {}", cost.dear.join("; ")) };
    format!("{}, {memory}{dear}", cost.class.text())
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(text) => text.clone(),
        Literal::Number(number) => number.to_string(),
        Literal::Duration(nanos) => duration(*nanos),
        Literal::Bool(truth) => truth.to_string(),
        Literal::List(values) => format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", ")),
    }
}

/// Nanoseconds as the language writes them: `1h30m`, `0s`.
pub(crate) fn duration(nanos: i64) -> String {
    const UNITS: [(&str, u64); 7] = [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ];
    let mut rest = nanos.unsigned_abs();
    let mut text = if nanos < 0 { "-".to_owned() } else { String::new() };
    for (unit, size) in UNITS {
        if rest >= size {
            text.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if nanos == 0 { "0s".to_owned() } else { text }
}

/// A level of the audit policy, and thereby what it records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Who did what to what.
    Metadata,
    /// And the body of the request.
    Request,
    /// And the body of the response.
    RequestResponse,
}

impl Level {
    /// As the audit policy spells it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Metadata => "Metadata",
            Self::Request => "Request",
            Self::RequestResponse => "RequestResponse",
        }
    }
}

/// The lowest level at which a rule can match: of an `or` the branch that asks least. An `except` that cannot be
/// decided lets a match pass, so those ask for nothing.
pub(crate) fn level(rule: &Rule) -> Level {
    let steps = rule
        .steps
        .iter()
        .flat_map(|step| step.condition.iter().chain(step.key.iter().map(|part| &part.value)));
    highest(steps.chain(aggregated(rule)))
}

/// The level at which everything that a rule reads is recorded, its `except`s and its alert's text too.
pub(crate) fn full_level(rule: &Rule) -> Level {
    let excepts = rule.steps.iter().flat_map(|step| &step.excepts);
    let alert = rule.alert.iter().filter_map(|piece| match piece {
        Piece::Value(value) => Some(value),
        Piece::Literal(_) => None,
    });
    let conditions = rule.steps.iter().flat_map(|step| &step.condition);
    excepts.chain(alert).chain(conditions).map(|expr| of(expr, true)).fold(level(rule), Level::max)
}

/// What the shape of a rule reads of events.
fn aggregated(rule: &Rule) -> impl Iterator<Item = &Expr> {
    let seen: &[Expr] = if let Shape::FirstSeen { values, .. } = &rule.shape { values } else { &[] };
    let counted = rule.aggregates.iter();
    counted.flat_map(|aggregate| aggregate.filter.iter().chain(aggregate.kind.values())).chain(seen)
}

fn highest<'a>(exprs: impl IntoIterator<Item = &'a Expr>) -> Level {
    exprs.into_iter().map(|expr| of(expr, false)).max().unwrap_or(Level::Metadata)
}

/// What an expression asks for; `all` of it, or what it takes for an answer. The depth of expressions is bounded by the language.
fn of(expr: &Expr, all: bool) -> Level {
    let most =
        |exprs: &mut dyn Iterator<Item = &Expr>| exprs.map(|e| of(e, all)).max().unwrap_or(Level::Metadata);
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Aggregate(_) | ExprKind::Key(_) => Level::Metadata,
        ExprKind::Read(place) => of_root(place.root).max(most(&mut computed(&place.segments))),
        ExprKind::Or(branches) if !all => {
            branches.iter().map(|e| of(e, all)).min().unwrap_or(Level::Metadata)
        }
        ExprKind::Call(_, values) | ExprKind::And(values) | ExprKind::Or(values) => most(&mut values.iter()),
        ExprKind::Part(value, segments) => of(value, all).max(most(&mut computed(segments))),
        ExprKind::Arith(_, left, right) | ExprKind::Compare { left, right, .. } => {
            of(left, all).max(of(right, all))
        }
        ExprKind::Not(value) | ExprKind::IsTrue(value) | ExprKind::Lookup(_, value) => of(value, all),
        ExprKind::In { left, set: Set::Value(value), .. } => of(left, all).max(of(value, all)),
        ExprKind::In { left, .. } => of(left, all),
        ExprKind::Quantified { list, body, .. } => of(list, all).max(of(body, all)),
    }
}

fn computed(segments: &[Segment]) -> impl Iterator<Item = &Expr> {
    segments.iter().filter_map(|segment| match segment {
        Segment::Computed(value) => Some(&**value),
        Segment::Key(_) | Segment::Index(_) | Segment::Each => None,
    })
}

fn of_root(root: Root) -> Level {
    match root {
        Root::Event | Root::Element(_) | Root::Alert(_) | Root::Undecodable(_) => Level::Metadata,
        Root::RequestObject => Level::Request,
        Root::ResponseObject(_) => Level::RequestResponse,
        Root::Derived(derived) => match derived {
            Derived::Desired
            | Derived::PodSpec
            | Derived::Containers
            | Derived::CsrCommonName
            | Derived::CsrOrganizations => Level::Request,
            _ => Level::Metadata,
        },
    }
}
