//! What a test of one place says of the values it may have, and whether such tests can be true together.
//!
//! Only tests of one value are looked at (no `[]`, no computed keys), and only against constants. Three answers keep it
//! honest: a candidate value fits, does not fit, or nobody knows; only what certainly does not fit is dropped.

use crate::ir::{CompareOp, Expr, ExprKind, Function, Literal, Place, Root, Segment, Selector, Set, Stage};
use crate::ir::{StagePick, Subresource, Target, Targets, Verbs};
use crate::source::Span;

/// The longest list of values, and the most targets of an `on`, that are compared one by one.
const VALUES_MAX: usize = 200;

/// A test of one place.
#[derive(Clone)]
pub(super) struct Constraint<'e> {
    pub(super) place: &'e Place,
    pub(super) test: Test<'e>,
    /// `false` under a `not`.
    pub(super) positive: bool,
    pub(super) span: Span,
}

/// What is asked of the place.
#[derive(Clone, PartialEq)]
pub(super) enum Test<'e> {
    /// Equal to one of these.
    Is { values: &'e [Literal], ignoring_case: bool },
    /// In an order to a number.
    Order(CompareOp, f64),
    /// A word for text.
    Word { op: CompareOp, text: &'e str, ignoring_case: bool },
    /// `present(..)`
    Present,
    /// Itself a condition.
    True,
}

/// A value that a place may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Candidate<'e> {
    Absent,
    Text(&'e str),
    Value(&'e Literal),
}

impl Constraint<'_> {
    /// Whether it is true of that value, if that can be said.
    pub(super) fn holds(&self, value: Candidate<'_>) -> Option<bool> {
        self.test.holds(value).map(|truth| truth == self.positive)
    }

    /// Whether both speak of the same value of the same event.
    pub(super) fn same_place(&self, other: &Place) -> bool {
        same_place(self.place, other)
    }
}

impl Test<'_> {
    fn holds(&self, value: Candidate<'_>) -> Option<bool> {
        if value == Candidate::Absent {
            return Some(false);
        }
        let text = match value {
            Candidate::Text(text) => Some(text),
            Candidate::Value(Literal::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        match self {
            Self::Present => Some(true),
            Self::True => match value {
                Candidate::Value(Literal::Bool(truth)) => Some(*truth),
                _ => Some(false),
            },
            Self::Is { values, ignoring_case: false } => Some(values.iter().any(|own| match text {
                Some(text) => matches!(own, Literal::Text(own) if own == text),
                None => matches!(value, Candidate::Value(value) if value == own),
            })),
            Self::Order(op, bound) => match value {
                Candidate::Value(Literal::Number(number)) => order(*op, *number, *bound),
                _ => None,
            },
            Self::Word { op, text: word, ignoring_case: false } => match op {
                CompareOp::StartsWith { .. } => text.map(|text| text.starts_with(word)),
                CompareOp::EndsWith { .. } => text.map(|text| text.ends_with(word)),
                CompareOp::Contains { .. } => text.map(|text| text.contains(word)),
                _ => None,
            },
            // Case folding is the evaluator's; what it would say is left open.
            Self::Is { .. } | Self::Word { .. } => None,
        }
    }
}

pub(super) fn order(op: CompareOp, left: f64, right: f64) -> Option<bool> {
    match op {
        CompareOp::Lt => Some(left < right),
        CompareOp::Le => Some(left <= right),
        CompareOp::Gt => Some(left > right),
        CompareOp::Ge => Some(left >= right),
        _ => None,
    }
}

/// A condition as a test of one place, if it is one.
pub(super) fn constraint(expr: &Expr) -> Option<Constraint<'_>> {
    let span = expr.span;
    match &expr.kind {
        ExprKind::Not(of) => constraint(of).map(|c| Constraint { positive: !c.positive, span, ..c }),
        ExprKind::IsTrue(of) => match &of.kind {
            ExprKind::Call(Function::Present, arguments) => {
                let place = place(arguments.first()?)?;
                Some(Constraint { place, test: Test::Present, positive: true, span })
            }
            _ => Some(Constraint { place: place(of)?, test: Test::True, positive: true, span }),
        },
        ExprKind::Call(Function::Present, arguments) => {
            Some(Constraint { place: place(arguments.first()?)?, test: Test::Present, positive: true, span })
        }
        ExprKind::Read(_) => Some(Constraint { place: place(expr)?, test: Test::True, positive: true, span }),
        ExprKind::In { left, set: Set::Literals(values), ignoring_case } if values.len() <= VALUES_MAX => {
            let test = Test::Is { values, ignoring_case: *ignoring_case };
            Some(Constraint { place: place(left)?, test, positive: true, span })
        }
        ExprKind::Compare { op, left, right, ignoring_case } => {
            let (place, literal, op) = match (place(left), place(right)) {
                (Some(place), None) => (place, literal(right)?, *op),
                (None, Some(place)) => (place, literal(left)?, turned(*op)?),
                _ => return None,
            };
            let test = match (op, literal) {
                (CompareOp::Eq, value) => {
                    Test::Is { values: std::slice::from_ref(value), ignoring_case: *ignoring_case }
                }
                (_, Literal::Text(text)) => Test::Word { op, text, ignoring_case: *ignoring_case },
                (_, Literal::Number(bound)) => Test::Order(op, *bound),
                _ => return None,
            };
            Some(Constraint { place, test, positive: true, span })
        }
        _ => None,
    }
}

/// The place that a value is read from, if it is one value and known when the rule is compiled.
pub(super) fn place(expr: &Expr) -> Option<&Place> {
    let ExprKind::Read(place) = &expr.kind else { return None };
    let single = place.segments.iter().all(|s| matches!(s, Segment::Key(_) | Segment::Index(_)));
    single.then_some(place)
}

/// The constant that a value is, if it is one.
pub(super) fn literal(expr: &Expr) -> Option<&Literal> {
    match &expr.kind {
        ExprKind::Literal(literal) => Some(literal),
        _ => None,
    }
}

/// The operator that says the same with its sides exchanged.
fn turned(op: CompareOp) -> Option<CompareOp> {
    Some(match op {
        CompareOp::Eq => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Gt,
        CompareOp::Le => CompareOp::Ge,
        CompareOp::Gt => CompareOp::Lt,
        CompareOp::Ge => CompareOp::Le,
        _ => return None,
    })
}

/// Whether two places are the same value. [`ResponseObject`](Root::ResponseObject) says of which bodies it speaks, but one
/// event has one body.
pub(super) fn same_place(a: &Place, b: &Place) -> bool {
    let root = match (a.root, b.root) {
        (Root::ResponseObject(_), Root::ResponseObject(_)) => true,
        (a, b) => a == b,
    };
    let segments = || {
        a.segments.len() == b.segments.len()
            && a.segments.iter().zip(&b.segments).all(|pair| match pair {
                (Segment::Key(a), Segment::Key(b)) => a == b,
                (Segment::Index(a), Segment::Index(b)) => a == b,
                _ => false,
            })
    };
    a.step == b.step && root && segments()
}

/// The keys of a field of the event itself, such as `objectRef`, `name`.
pub(super) fn event_field(place: &Place) -> Option<Vec<&str>> {
    if place.root != Root::Event {
        return None;
    }
    let key = |segment: &'_ Segment| matches!(segment, Segment::Key(_));
    if !place.segments.iter().all(key) {
        return None;
    }
    Some(
        place
            .segments
            .iter()
            .filter_map(|s| if let Segment::Key(key) = s { Some(key.as_str()) } else { None })
            .collect(),
    )
}

/// Every value that a field of the event can have, given its step's `on`; `None` if they are too many to say.
pub(super) fn by_selector<'e>(place: &Place, on: &'e Selector) -> Option<Vec<Candidate<'e>>> {
    match event_field(place)?.as_slice() {
        ["verb"] => match &on.verbs {
            Verbs::Only(verbs) => Some(verbs.iter().map(|verb| Candidate::Text(verb)).collect()),
            Verbs::AllBut(_) => None,
        },
        ["stage"] => {
            let stages: &[Stage] = match &on.stage {
                StagePick::Outcome => &[Stage::ResponseStarted, Stage::ResponseComplete, Stage::Panic],
                StagePick::Only(stage) => std::slice::from_ref(stage),
                StagePick::Any => return None,
            };
            Some(stages.iter().map(|stage| Candidate::Text(stage_text(*stage))).collect())
        }
        ["objectRef", "resource"] => {
            each_target(on, |resource| resource.name.as_deref().map(Candidate::Text))
        }
        ["objectRef", "subresource"] => each_target(on, |resource| match &resource.subresource {
            Subresource::None => Some(Candidate::Absent),
            Subresource::Only(name) => Some(Candidate::Text(name)),
            Subresource::Any => None,
        }),
        _ => None,
    }
}

fn each_target<'e>(
    on: &'e Selector,
    value: impl Fn(&'e crate::ir::Resource) -> Option<Candidate<'e>>,
) -> Option<Vec<Candidate<'e>>> {
    let Targets::Only(targets) = &on.targets else { return None };
    if targets.len() > VALUES_MAX {
        return None;
    }
    targets
        .iter()
        .map(|target| match target {
            Target::Resource(resource) => value(resource),
            Target::NonResource { .. } => Some(Candidate::Absent),
        })
        .collect()
}

fn stage_text(stage: Stage) -> &'static str {
    match stage {
        Stage::RequestReceived => "RequestReceived",
        Stage::ResponseStarted => "ResponseStarted",
        Stage::ResponseComplete => "ResponseComplete",
        Stage::Panic => "Panic",
    }
}

/// The values that positive equalities among `tests` leave to the place; `None` if there is no such test.
pub(super) fn by_tests<'e>(place: &Place, tests: &[Constraint<'e>]) -> Option<Vec<Candidate<'e>>> {
    tests.iter().filter(|test| test.positive && test.same_place(place)).find_map(|test| match &test.test {
        Test::Is { values, ignoring_case: false } => Some(values.iter().map(Candidate::Value).collect()),
        _ => None,
    })
}

/// Whether two tests of the same place exclude each other whatever its value.
pub(super) fn exclude(a: &Constraint<'_>, b: &Constraint<'_>) -> bool {
    if a.test == b.test {
        return a.positive != b.positive;
    }
    match (a.positive, b.positive) {
        (true, true) => both_exclude(&a.test, &b.test),
        // Whatever is true of a value says that there is one.
        (true, false) => b.test == Test::Present,
        (false, true) => a.test == Test::Present,
        (false, false) => false,
    }
}

fn both_exclude(a: &Test<'_>, b: &Test<'_>) -> bool {
    use CompareOp::{EndsWith, Ge, Gt, Le, Lt, StartsWith};
    match (a, b) {
        (Test::Order(lower @ (Gt | Ge), low), Test::Order(upper @ (Lt | Le), high))
        | (Test::Order(upper @ (Lt | Le), high), Test::Order(lower @ (Gt | Ge), low)) => {
            low > high || (low == high && (*lower == Gt || *upper == Lt))
        }
        (
            Test::Word { op: StartsWith { .. }, text: a, ignoring_case: false },
            Test::Word { op: StartsWith { .. }, text: b, ignoring_case: false },
        ) => !a.starts_with(b) && !b.starts_with(a),
        (
            Test::Word { op: EndsWith { .. }, text: a, ignoring_case: false },
            Test::Word { op: EndsWith { .. }, text: b, ignoring_case: false },
        ) => !a.ends_with(b) && !b.ends_with(a),
        _ => false,
    }
}
