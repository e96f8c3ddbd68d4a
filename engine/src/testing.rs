//! Small makers of rules, events and matches for the unit tests of what remembers.

use std::sync::Arc;

use dsl::ir::{self, ExprKind, Stage, StagePick};
use dsl::source::{SourceId as File, Span};

use crate::matches::{EventMeta, Nanos, RequestId, SourceId};
use crate::plan::{Aggregate, AggregateKind, Measure};

/// How many cases a property test runs that runs this many where all tests do: `AUDIT_CASES` makes it more or fewer, as
/// it does with the cases that the reference evaluator decides, of which there are 10,000.
pub(crate) fn cases(of_all: u32) -> u32 {
    let asked = std::env::var("AUDIT_CASES").ok().and_then(|cases| cases.parse::<u64>().ok());
    let cases = u64::from(of_all) * asked.unwrap_or(10_000) / 10_000;
    u32::try_from(cases).unwrap_or(u32::MAX).max(8)
}

/// A request of its own for each number, at its `ResponseComplete`.
pub(crate) fn meta(n: u32, at: Nanos) -> EventMeta {
    let mut request = [0; 16];
    // The order of identities is not that of numbers, as with real hashes.
    request[..4].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_le_bytes());
    EventMeta {
        source: SourceId(0),
        offset: u64::from(n),
        request: RequestId(request),
        stage: Some(Stage::ResponseComplete),
        stage_timestamp: at,
        request_received: None,
        audit_id: format!("id-{n}").into(),
        cluster: None,
        username: Some("someone".into()),
        groups: Vec::new(),
        impersonated: None,
        source_ips: Vec::new(),
        user_agent: None,
        verb: "get".into(),
        resource: None,
        subresource: None,
        namespace: None,
        name: None,
        code: Some(200),
        alert: None,
    }
}

pub(crate) fn counts(filtered: bool, enough: Option<u64>) -> Aggregate {
    Aggregate { filtered, enough, ..aggregate(AggregateKind::Count, Measure::Number) }
}

pub(crate) fn distincts(enough: Option<u64>) -> Aggregate {
    Aggregate { enough, ..aggregate(AggregateKind::Distinct, Measure::Number) }
}

pub(crate) fn aggregate(kind: AggregateKind, measure: Measure) -> Aggregate {
    Aggregate {
        text: format!("{kind:?}").into(),
        kind,
        measure,
        filtered: false,
        enough: None,
        filter: None,
        values: Vec::new(),
        tuples_max: usize::MAX,
    }
}

pub(crate) fn span() -> Span {
    Span::new(File(0), 0, 0)
}

pub(crate) fn expr(kind: ExprKind, ty: ir::Type) -> ir::Expr {
    ir::Expr { kind, ty, span: span() }
}

/// `on any of any`, every stage that is an outcome, no condition; keyed by so many parts.
pub(crate) fn step(name: Option<&str>, stage: StagePick, keys: usize) -> ir::Step {
    let key = |n: usize| ir::KeyPart {
        name: format!("k{n}"),
        value: expr(ExprKind::Literal(ir::Literal::Text("k".into())), ir::Type::Text),
    };
    ir::Step {
        name: name.map(str::to_owned),
        on: ir::On::Events(ir::Selector {
            verbs: ir::Verbs::AllBut(Vec::new()),
            targets: ir::Targets::AllBut(Vec::new()),
            stage,
            including_dry_run: false,
        }),
        times: 1,
        no: None,
        condition: None,
        excepts: Vec::new(),
        key: (0..keys).map(key).collect(),
        lent: Vec::new(),
    }
}

pub(crate) fn rule(name: &str, shape: ir::Shape, throttle: i64, steps: Vec<ir::Step>) -> ir::Rule {
    let aggregates = match &shape {
        ir::Shape::Sliding { .. } => vec![ir::Aggregate {
            kind: ir::AggregateKind::Count,
            filter: None,
            text: "count()".into(),
            enough: Some(2),
        }],
        _ => Vec::new(),
    };
    ir::Rule {
        name: name.into(),
        title: "A rule of a test".into(),
        severity: ir::Severity::Low,
        tags: Vec::new(),
        about: String::new(),
        see: Vec::new(),
        disabled: false,
        steps,
        across_clusters: false,
        shape,
        throttle,
        alert: vec![ir::Piece::Literal("it took place".into())],
        aggregates,
        probes: Vec::new(),
        vars: 0,
        span: span(),
    }
}

/// `when count() >= least within ..`
pub(crate) fn at_least(least: f64, within: i64) -> ir::Shape {
    let count = expr(ExprKind::Aggregate(0), ir::Type::Number);
    let least = expr(ExprKind::Literal(ir::Literal::Number(least)), ir::Type::Number);
    let (left, right) = (Box::new(count), Box::new(least));
    let compare = ExprKind::Compare { op: ir::CompareOp::Ge, left, right, ignoring_case: false };
    ir::Shape::Sliding { condition: expr(compare, ir::Type::Bool), within }
}

/// A condition of a step: its `objectRef.namespace` is that of an earlier step.
pub(crate) fn same_namespace_as(step: u32) -> ir::Expr {
    let read = |step| {
        let keys = ["objectRef", "namespace"].map(|key| ir::Segment::Key(key.into()));
        let place = ir::Place {
            step,
            root: ir::Root::Event,
            segments: keys.into(),
            text: "objectRef.namespace".into(),
        };
        Box::new(expr(ExprKind::Read(place), ir::Type::Text))
    };
    let (left, right) = (read(None), read(Some(step)));
    let op = ir::CompareOp::Eq;
    expr(ExprKind::Compare { op, left, right, ignoring_case: false }, ir::Type::Bool)
}

/// A line of a log: a `get` of a secret by someone, each number a request of its own.
pub(crate) fn line(at: Nanos, n: u32, user: &str) -> String {
    let mut time = Vec::new();
    crate::time::write_rfc3339(at, &mut time);
    let time = String::from_utf8(time).unwrap();
    [
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"id-"#,
        &format!(r#"{n}","stage":"ResponseComplete","requestURI":"/api/v1/namespaces/prod/secrets/s{n}""#),
        &format!(r#","verb":"get","user":{{"username":"{user}"}},"responseStatus":{{"code":200}}"#),
        &format!(
            r#","objectRef":{{"resource":"secrets","namespace":"prod","name":"s{n}","apiVersion":"v1"}}"#
        ),
        &format!(r#","requestReceivedTimestamp":"{time}","stageTimestamp":"{time}"}}"#),
    ]
    .concat()
}

pub(crate) fn text(text: &str) -> Arc<str> {
    text.into()
}
