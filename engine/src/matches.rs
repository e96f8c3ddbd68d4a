//! What goes from matching to remembering: the seam between the two halves of the engine.
//!
//! A match owns all that is read later (keys, captured values, who did what for the alert), so that the bytes of its
//! event need not be kept, and so that matches can one day travel to another process.

use std::sync::Arc;

/// Nanoseconds since the Unix epoch.
pub type Nanos = i64;

/// The number of a source, given by whoever feeds the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

/// Names of a source, told once.
#[derive(Clone, Debug, Default)]
pub struct SourceInfo {
    /// As alerts and `source` show it: a path, `-`, a topic with partition.
    pub name: Arc<str>,
    /// The cluster that its configuration names; else the envelope's is taken.
    pub cluster: Option<Arc<str>>,
}

/// A value that outlives its event. `docs/semantics.md`, "Values".
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the kinds of value of the language")]
pub enum Value {
    Unknown,
    Absent,
    Bool(bool),
    Number(f64),
    Text(Arc<str>),
    Time(Nanos),
    Duration(i64),
    TimeOfDay(u16),
    List {
        items: Vec<Value>,
        open: bool,
    },
    /// In the order of the keys' bytes.
    Map {
        entries: Vec<(Arc<str>, Value)>,
        open: bool,
    },
    /// `[]`: several values; `open` if there may be more.
    Spread {
        items: Vec<Value>,
        open: bool,
    },
}

/// The identity of a request (`docs/semantics.md`, "Identity").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub [u8; 16]);

/// What an alert tells of an event; made once per event that matched anything.
///
/// Of what is no event there are source, offset, an identity and a time. A match of an alert tells of the event that
/// completed that alert, under the alert's id and time.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the API's own names")]
pub struct EventMeta {
    pub source: SourceId,
    /// Of the document in its source, in bytes.
    pub offset: u64,
    pub request: RequestId,
    /// `None` if it is no event.
    pub stage: Option<dsl::ir::Stage>,
    pub stage_timestamp: Nanos,
    /// `None` if absent or no time.
    pub request_received: Option<Nanos>,
    /// Cut at [`crate::limits::AUDIT_ID_CHARS_MAX`].
    pub audit_id: Arc<str>,
    pub cluster: Option<Arc<str>>,
    pub username: Option<Arc<str>>,
    pub groups: Vec<Arc<str>>,
    pub impersonated: Option<Arc<str>>,
    pub source_ips: Vec<Arc<str>>,
    pub user_agent: Option<Arc<str>>,
    pub verb: Arc<str>,
    pub resource: Option<Arc<str>>,
    pub subresource: Option<Arc<str>>,
    pub namespace: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub code: Option<i64>,
    /// The alert that stands for the event, in a rule on alerts.
    pub alert: Option<Arc<HeardAlert>>,
}

impl EventMeta {
    /// It stands for an alert that is approximate.
    pub(crate) fn approximate(&self) -> bool {
        self.alert.as_ref().is_some_and(|alert| alert.approximate)
    }
}

/// An alert that another rule heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeardAlert {
    /// Its rule.
    pub rule: Arc<str>,
    /// The `stageTimestamp` of the event that completed it, if there is one.
    pub event_time: Option<Nanos>,
    /// One of the events it rests on was late.
    pub late: bool,
    /// See [`crate::alert::Alert::approximate`].
    pub approximate: bool,
}

/// One event matched one step of one rule, as far as the event alone can tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The rule's number in the plan.
    pub rule: u32,
    /// The step's number in the rule.
    pub step: u32,
    /// Which event of the block: an index into [`Matches::times`].
    pub event: u32,
    /// Shared by all matches of the event.
    pub meta: Arc<EventMeta>,
    /// The key's parts, each a scalar, absent, or unknown.
    pub key: Vec<Value>,
    /// What is read later, in the order of the step's captures in the plan.
    pub captures: Vec<Value>,
    /// Per aggregate of the rule: whether it counts this match, and what it adds. Of a rule about first sights: the tuples
    /// that it shows, behind them.
    pub counted: Vec<Counted>,
    /// It could not be known whether this was a dry run.
    pub dry_run_unknown: bool,
}

/// A match of a rule about requests themselves ([`dsl::ir::OfRequests`]), as small as it can be: every event is one, and
/// nearly none is looked at again.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestMatch {
    /// The rule's number in the plan.
    pub rule: u32,
    /// The step's number in the rule.
    pub step: u32,
    /// Which event of the block: an index into [`Matches::times`].
    pub event: u32,
    /// What tells keys of the rule apart: the request's identity, or a hash of another key.
    pub subject: [u8; 16],
    /// The identity of its request.
    pub request: RequestId,
    /// Its stage.
    pub stage: dsl::ir::Stage,
    /// Where it is from.
    pub source: SourceId,
    /// Of the document in its source, in bytes.
    pub offset: u64,
    /// It could not be known whether this was a dry run.
    pub dry_run_unknown: bool,
    /// What else a [`Match`] brings along, as bytes. Of a step that forbids, whose event nobody is shown, no more than the
    /// cluster.
    pub packed: Box<[u8]>,
}

/// What a match adds to one aggregate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Its filter is not true.
    No,
    /// One more request.
    One,
    /// These tuples, each as its canonical bytes (`docs/semantics.md`, "Identity"), sorted, none twice.
    Tuples(Vec<Box<[u8]>>),
    /// These tuples likewise, and more than may be told apart: the others are at most so many.
    Cut(Vec<Box<[u8]>>, u64),
    /// These values, each as 64 bits that sort as the values do; of what they are stands in the plan.
    Values(Vec<i64>),
}

impl Counted {
    /// Its tuples, and how many it may have beside them.
    pub(crate) fn tuples(&self) -> Option<(&[Box<[u8]>], u64)> {
        match self {
            Self::Tuples(tuples) => Some((tuples, 0)),
            Self::Cut(tuples, more) => Some((tuples, *more)),
            Self::No | Self::One | Self::Values(_) => None,
        }
    }

    /// How many tuples there may be that it does not tell apart.
    pub(crate) fn cut(&self) -> u64 {
        self.tuples().map_or(0, |(_, more)| more)
    }
}

/// What a block of input gave.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    /// The `stageTimestamp` of every decoded event of the block, in its order: clocks need them all.
    pub times: Vec<Nanos>,
    /// When the events were stamped on their way: from that index into `times` on it is this. What comes before the first
    /// has none, as all of a bounded file has none.
    pub stamps: Vec<(u32, Nanos)>,
    /// The clusters of the events, if the plan asks for them: from that index into `times` on it is this one.
    pub clusters: Vec<(u32, Option<Arc<str>>)>,
    /// In the order of events, then of rules and steps.
    pub found: Vec<Match>,
    /// Those of rules about requests themselves, in the same order.
    pub requests: Vec<RequestMatch>,
    /// What else there is to tell of the block.
    pub tally: Tally,
}

impl Matches {
    /// All of it was stamped at that time: read from a live source. Where each record has a stamp of its own, see
    /// [`Matches::stamps`].
    #[must_use]
    pub fn stamped(mut self, stamp: Option<Nanos>) -> Self {
        self.stamps = stamp.map(|stamp| (0, stamp)).into_iter().collect();
        self
    }
}

/// Counts of a block, or of a run.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Events that were looked at; `read = decoded + passed + undecodable`.
    pub read: u64,
    /// Events that became rows.
    pub decoded: u64,
    /// Requests received that no rule reads, passed over once their end was checked and their time taken.
    pub passed: u64,
    /// Bytes of input.
    pub bytes: u64,
    /// What was no event: in order, with reason and place.
    pub undecodable: Vec<Undecodable>,
    /// Keys that stood twice in one object.
    pub duplicate_keys: u64,
    /// Events mended as Go's decoder does (lone surrogates, bytes that are no UTF-8).
    pub mended: u64,
    /// Comment lines that were passed over.
    pub comments: u64,
    /// Per rule of the plan.
    pub rules: Vec<RuleTally>,
}

/// Counts of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// Events that the rule's selector took (of a sequence: any step's).
    pub selected: u64,
    /// Events whose answer an unknown decided.
    pub unknown_decided: u64,
}

/// A place of the input that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undecodable {
    /// Why.
    pub reason: Reason,
    /// Where it begins in its source.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
    /// How many events of the block come before it.
    pub before: u32,
}

/// Why something is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A document that ends too early: a cut line.
    CutOff,
    /// Not JSON.
    NotJson,
    /// JSON, but no audit event and no known wrapping of one.
    NotAnEvent,
    /// An event without a `stageTimestamp` that is a time.
    NoTime,
    /// An event whose `stage`, `verb` or `auditID` is missing or no text, or whose stage is none of the four.
    BadEvent,
    /// Longer than the limit of a line.
    TooLarge,
    /// Nested too deeply.
    TooDeep,
    /// An entry of Google Cloud's own log schema (`protoPayload`), which is not an audit event.
    GoogleCloudEntry,
}

impl Reason {
    /// As summaries print it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::NotJson => "not_json",
            Self::NotAnEvent => "not_an_event",
            Self::NoTime => "no_time",
            Self::BadEvent => "bad_event",
            Self::TooLarge => "too_large",
            Self::TooDeep => "too_deep",
            Self::GoogleCloudEntry => "google_cloud_entry",
        }
    }
}
