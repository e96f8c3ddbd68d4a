//! The typed IR: what rules mean, after every name is resolved. The boundary between the language and whatever runs it.
//!
//! `let`s are put in where they are used, lists stand as their values, a rule's own `where` and `except` are joined
//! into each of its steps, constants are folded, every read says its type. What is left needs no names, no schema and
//! no source text to be evaluated; spans and texts are kept only for people. The meaning of each node is in
//! `docs/semantics.md`; the engine and the reference evaluator in `tests/` both start from here and share nothing else.

mod happens;
mod requests;

use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use crate::source::Span;
pub use crate::syntax::ast::{ArithOp, CompareOp, Severity};
pub use happens::Happens;
pub(crate) use happens::{OF_ITS_PLACE, Request, Written};
pub use requests::OfRequests;

/// A checked rule set.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// In the order of the files, tunes put in. Rules that are off (`disable`) are in here, with `disabled` set; nothing
    /// runs them.
    pub rules: Vec<Rule>,
    /// If a tune changed anything: the same rules, in the same order, without any. A `test` that is not `tuned` runs on
    /// these. Empty if there is no tune.
    pub untuned: Vec<Rule>,
    /// The tests of all rules, in the order of the files.
    pub tests: Vec<Test>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in the set.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// Such as `attack.T1485`.
    pub tags: Vec<String>,
    /// What it is about, false positives and advice; may be empty.
    pub about: String,
    /// Links.
    pub see: Vec<String>,
    /// Ships off.
    pub disabled: bool,
    /// One step, unless it is a sequence.
    pub steps: Vec<Step>,
    /// The cluster is no part of its keys.
    pub across_clusters: bool,
    /// What it takes beyond a match of a step.
    pub shape: Shape,
    /// Nanoseconds of silence after an alert, the default of its shape put in. 0: none.
    pub throttle: i64,
    /// The text of its alert.
    pub alert: Vec<Piece>,
    /// The aggregates of its window, in the order of their first use (in `when`, then in `alert`).
    pub aggregates: Vec<Aggregate>,
    /// More values that are read as in alert text, for tests: [`Expected::Alert`] has numbers of these.
    pub probes: Vec<Expr>,
    /// How many variables of quantifiers its conditions bind, over all steps: [`VarId`]s are below it.
    pub vars: u32,
    /// Its name in its file.
    pub span: Span,
}

/// What a rule asks for beyond one matching request.
#[derive(Clone, Debug)]
pub enum Shape {
    /// Every match of the only step.
    Each,
    /// A condition over the matches of the only step, within a sliding window.
    Sliding {
        /// Over aggregates.
        condition: Expr,
        /// Nanoseconds, above 0.
        within: i64,
    },
    /// A condition over the matches of the only step in each stretch of that length since the Unix epoch.
    Tumbling {
        /// Over aggregates; judged once, when the stretch is over.
        condition: Expr,
        /// Nanoseconds, above 0.
        length: i64,
    },
    /// A condition over the matches of the only step that follow each other closely.
    Session {
        /// Over aggregates; judged once, when the session is over.
        condition: Expr,
        /// The longest time between two matches of a session, in nanoseconds, above 0.
        gap: i64,
        /// The longest time from its first to its last, in nanoseconds, not below `gap`.
        within: i64,
    },
    /// A match of the only step brings a tuple of values that its key has not shown.
    FirstSeen {
        /// Reads the event alone; `[]` makes a tuple of each element.
        values: Vec<Expr>,
        /// How far back a tuple is remembered, in nanoseconds, above 0.
        within: i64,
        /// For how long after its first match a key only learns, in nanoseconds.
        learning: i64,
    },
    /// Nothing came for some time.
    Silent {
        /// After the last match of a key, in nanoseconds, above 0.
        after: i64,
        /// Values of the key's only part that are waited for from the first event on. The cluster is then no part of the
        /// key ([`Rule::across_clusters`] is set).
        among: Option<Vec<Literal>>,
    },
    /// All steps that are no [`Step::no`].
    Sequence {
        /// In the order written; else in any.
        ordered: bool,
        /// From the first to the last, in nanoseconds, above 0.
        within: i64,
    },
}

/// What one event must be.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name; `None` for a rule's own `on`.
    pub name: Option<String>,
    /// Which events.
    pub on: On,
    /// How many matches it takes, of a sequence's step; else 1. Others that read the step read the last of them.
    pub times: u32,
    /// It forbids.
    pub no: Option<No>,
    /// `where` (the rule's and the step's joined). `None` is true.
    pub condition: Option<Expr>,
    /// Each `except` lets go if it is true.
    pub excepts: Vec<Expr>,
    /// The group key; the cluster is a part besides. Reads this step's event only.
    pub key: Vec<KeyPart>,
    /// Variables that this step's `where` lends to the alert: `any`s under no `not`, `or`, `any`, `all`.
    pub lent: Vec<VarId>,
}

/// What a forbidding step adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct No {
    /// Its own time in nanoseconds, above 0; always there before the first step of an ordered sequence.
    pub within: Option<i64>,
}

/// What a step listens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum On {
    /// Requests.
    Events(Selector),
    /// Alerts of these rules, by their numbers in [`RuleSet::rules`], ascending. Rules that are off tell none.
    Alerts(Vec<usize>),
    /// What is no event.
    Undecodable,
}

impl On {
    /// Which requests; `None` if it listens to none.
    #[must_use]
    pub fn events(&self) -> Option<&Selector> {
        match self {
            Self::Events(selector) => Some(selector),
            Self::Alerts(_) | Self::Undecodable => None,
        }
    }

    /// Which stages; of what is no request, each by itself.
    #[must_use]
    pub fn stage(&self) -> StagePick {
        self.events().map_or(StagePick::Any, |selector| selector.stage)
    }
}

/// A part of a group key.
#[derive(Clone, Debug)]
pub struct KeyPart {
    /// As the alert calls it: the given name, else the expression's text in canonical spelling.
    pub name: String,
    /// One value.
    pub value: Expr,
}

/// Which events a step takes, before any condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Verbs.
    pub verbs: Verbs,
    /// Resources and paths.
    pub targets: Targets,
    /// Which stages.
    pub stage: StagePick,
    /// Takes dry runs too.
    pub including_dry_run: bool,
}

/// A set of verbs; `read` and `write` are spelled out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// Every verb but these.
    AllBut(Vec<String>),
    /// These.
    Only(Vec<String>),
}

/// A set of targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// Every request, also without an `objectRef.resource`, but these.
    AllBut(Vec<Target>),
    /// Every request with an `objectRef.resource`, but these.
    ResourcesBut(Vec<Target>),
    /// These.
    Only(Vec<Target>),
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A resource.
    Resource(Resource),
    /// The decoded path of `requestURI` of a request without `objectRef.resource`, with a `*` at its end as any rest.
    NonResource {
        /// The text, without the star.
        path: String,
        /// Whether any rest may follow.
        prefix: bool,
    },
}

/// `objectRef.resource`, `.apiGroup` and `.subresource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Plural, as in the API; `None` is any (`*/scale`, `*.cert-manager.io`).
    pub name: Option<String>,
    /// The groups it may be of (`""` is the core group, for an absent `apiGroup` too).
    pub groups: Groups,
    /// The subresource.
    pub subresource: Subresource,
}

/// Which API groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Groups {
    /// Any group at all.
    Any,
    /// One of these.
    OneOf(Vec<String>),
}

/// Which subresource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// None.
    None,
    /// This one.
    Only(String),
    /// Any, or none.
    Any,
}

/// Which stages an `on` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagePick {
    /// A request's outcome: events with a response status (`ResponseStarted`, `ResponseComplete`, `Panic`), one match a
    /// request.
    Outcome,
    /// One stage; one match a request.
    Only(Stage),
    /// Each event alone.
    Any,
}

/// The stages of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the API's own names, in the order in which they happen")]
pub enum Stage {
    RequestReceived,
    ResponseStarted,
    ResponseComplete,
    Panic,
}

/// The number of a variable that a quantifier binds, unique in its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarId(pub u32);

/// A part of an alert's text.
#[derive(Clone, Debug)]
pub enum Piece {
    /// As it stands.
    Literal(String),
    /// A value, rendered as `docs/semantics.md` says.
    Value(Expr),
}

/// Something counted over a window.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// What is counted.
    pub kind: AggregateKind,
    /// Counts only matches for which this is true. Reads the event alone.
    pub filter: Option<Expr>,
    /// In canonical spelling, as alerts show it: `distinct(objectRef.name)`.
    pub text: String,
    /// `Some(n)`: the window's condition asks it only for lower bounds, the highest of them `n`, so that it is enough to
    /// keep the newest `max(n, 1000)` requests (of `distinct`: values). `None`: all must be kept.
    pub enough: Option<u64>,
}

/// The aggregates. Those of one value take each element of a `[]`.
#[derive(Clone, Debug)]
pub enum AggregateKind {
    /// Requests.
    Count,
    /// Different tuples of these values.
    Distinct(Vec<Expr>),
    /// Of numbers or durations.
    Sum(Expr),
    /// Of numbers or durations.
    Avg(Expr),
    /// Of numbers, durations or times.
    Min(Expr),
    /// Of numbers, durations or times.
    Max(Expr),
    /// Of numbers, durations or times, by nearest rank: above 0, at most 100.
    Percentile(Expr, f64),
}

impl AggregateKind {
    /// The values that it takes of each match.
    #[must_use]
    pub fn values(&self) -> &[Expr] {
        match self {
            Self::Count => &[],
            Self::Distinct(values) => values,
            Self::Sum(value)
            | Self::Avg(value)
            | Self::Min(value)
            | Self::Max(value)
            | Self::Percentile(value, _) => std::slice::from_ref(value),
        }
    }
}

/// A condition or a value.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// The type of its value; conditions are [`Type::Bool`]. Of an expression with `[]` in it: that of each.
    pub ty: Type,
    /// Where it stands (inside of a `let`: there).
    pub span: Span,
}

/// The forms of conditions and values.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// A value of an event.
    Read(Place),
    /// A function of values. Arguments that must be constants (a zone, a network) are [`ExprKind::Literal`]s, checked;
    /// one that was left out is put in (`time_of_day` and `weekday` always have two).
    Call(Function, Vec<Expr>),
    /// What stands below a value that is no place of an event: `split(t, ",")[0]`, `parse_json(t).a[]`. The steps mean
    /// what they mean in a [`Place`]; at least one.
    Part(Box<Expr>, Vec<Segment>),
    /// The value under a key in a table. A key that is no text: absent.
    Lookup(Arc<Table>, Box<Expr>),
    /// Arithmetic; `+` also joins texts.
    Arith(ArithOp, Box<Expr>, Box<Expr>),
    /// The value of [`Rule::aggregates`] of that number. Only in a window's condition, alert text and probes.
    Aggregate(u32),
    /// A part of the group key by its number in [`Step::key`]. Only in alert text and probes.
    Key(u32),
    /// Kleene's not.
    Not(Box<Expr>),
    /// Kleene's and, two or more.
    And(Vec<Expr>),
    /// Kleene's or, two or more.
    Or(Vec<Expr>),
    /// A value as a condition: true if it is `true`, unknown if it is unknown, else false.
    IsTrue(Box<Expr>),
    /// A comparison. Negated words (`not like`) and `!=` stand as [`ExprKind::Not`] of the plain one, so `op` is never
    /// `Ne` and its `negated` never set.
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left side.
        left: Box<Expr>,
        /// Right side. Of `like` and `matches` a literal text where it was a constant; may also be computed for `like`.
        right: Box<Expr>,
        /// Text is compared after simple case folding.
        ignoring_case: bool,
    },
    /// Membership; `not in` stands as [`ExprKind::Not`].
    In {
        /// What is looked for.
        left: Box<Expr>,
        /// Where.
        set: Set,
        /// Text is compared after simple case folding.
        ignoring_case: bool,
    },
    /// `any` (`all`) element of a list meets a condition. `var` is bound in `body`.
    Quantified {
        /// `all`, else `any`.
        all: bool,
        /// The element.
        var: VarId,
        /// A list.
        list: Box<Expr>,
        /// The condition.
        body: Box<Expr>,
    },
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
    /// A truth.
    Bool(bool),
    /// A list of constants (of a list's name used as a value).
    List(Vec<Literal>),
}

/// A table: a value for a text.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub rows: Rows,
}

/// What is in a table.
#[derive(Clone)]
pub enum Rows {
    /// Texts, compared by bytes, in their order, none twice.
    Texts(Vec<(String, Literal)>),
    /// Networks, in the order of their addresses, then of their bits, none twice: the one with most bits that holds the
    /// address of the key decides. A key that is no address is in none.
    Networks(Vec<(Network, Literal)>),
    /// A MaxMind database as it was read; the record of the longest network that holds the key's address.
    MaxMind(Arc<[u8]>),
}

impl fmt::Debug for Rows {
    /// A hash of them: tables may be large, and rules are printed to be told from others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Hashed(DefaultHasher);
        impl fmt::Write for Hashed {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut hashed = Hashed(DefaultHasher::new());
        let (kind, count) = match self {
            Self::Texts(rows) => {
                write!(hashed, "{rows:?}")?;
                ("texts", rows.len())
            }
            Self::Networks(rows) => {
                write!(hashed, "{rows:?}")?;
                ("networks", rows.len())
            }
            Self::MaxMind(bytes) => {
                hashed.0.write(bytes);
                ("bytes of a MaxMind database", bytes.len())
            }
        };
        write!(f, "{count} {kind}, {:016x}", hashed.0.finish())
    }
}

/// Where `in` looks.
#[derive(Clone, Debug)]
pub enum Set {
    /// Constants, lists put in.
    Literals(Vec<Literal>),
    /// Networks, from `cidr(..)` or a `cidr list`. The left side is the text of an address.
    Networks(Vec<Network>),
    /// Minutes of the day, first in, last out, over midnight if `to` is not above `from`. The left side is a
    /// `time_of_day`.
    Clock {
        /// First minute in.
        from: u16,
        /// First minute out.
        to: u16,
    },
    /// A list of an event.
    Value(Box<Expr>),
}

/// A network; IPv4 stands as IPv4, `::ffff:10.0.0.1` too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Its address with the host's bits cleared.
    pub address: std::net::IpAddr,
    /// How many bits of it count.
    pub bits: u8,
}

/// A value of an event: a root, then steps down from it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Whose event: `None` is the event at hand (in alert text the completing one), `Some(n)` that of step `n`.
    pub step: Option<u32>,
    /// Where it begins.
    pub root: Root,
    /// How it goes on.
    pub segments: Vec<Segment>,
    /// As people write it, in canonical spelling: `read.objectRef.name`.
    pub text: String,
}

/// Where a place begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// A field of the event itself: the first segment is its key, such as `user`, never one of those below.
    Event,
    /// `requestObject`
    RequestObject,
    /// `responseObject`; says of which bodies its path speaks.
    ResponseObject(BodyKinds),
    /// A derived field.
    Derived(Derived),
    /// A field of the alert at hand.
    Alert(AlertField),
    /// A field of what is no event.
    Undecodable(UndecodableField),
    /// The element that a quantifier bound; in alert text one that the completing event's `where` lent.
    Element(VarId),
}

/// Which kinds of response body have the path that is read. A body of a kind that has not is unknown there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BodyKinds {
    /// The resource's own kind (and any kind that is none of the others).
    pub object: bool,
    /// Its list (`kind` ends in `List`).
    pub list: bool,
    /// `Status`.
    pub status: bool,
}

/// The derived fields of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the field of its name; docs/semantics.md defines them")]
pub enum Derived {
    Desired,
    PodSpec,
    Containers,
    ObjectName,
    SourceIp,
    PeerIp,
    ClientProgram,
    ClientVersion,
    CredentialId,
    CredentialNode,
    CredentialPod,
    ExecArgs,
    ExecCommand,
    ExecContainer,
    CsrCommonName,
    CsrOrganizations,
    Decision,
    DryRun,
    RequestId,
    Cluster,
    Source,
}

/// What rules on alerts read besides the completing event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the field of its name; docs/semantics.md defines them")]
pub enum AlertField {
    Rule,
    Severity,
    Tags,
    Message,
    Count,
    Key,
    Approximate,
}

/// What rules on lines that are no event read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the field of its name; docs/semantics.md defines them")]
pub enum UndecodableField {
    Reason,
    Offset,
}

/// One step down.
#[derive(Clone, Debug)]
pub enum Segment {
    /// A key of a map or object.
    Key(String),
    /// `[n]`, from 0.
    Index(u64),
    /// `[sum]` where the sum is no constant: a text is a key, a number an index.
    Computed(Box<Expr>),
    /// `[]`: each element.
    Each,
}

/// The types of values.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `true` or `false`; conditions.
    Bool,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A point in time. An event's or a body's text that is no RFC 3339 time is absent.
    Time,
    /// A length of time.
    Duration,
    /// A minute of the day, from `time_of_day`; only for a clock range.
    TimeOfDay,
    /// A list.
    List(Arc<Type>),
    /// Text keys, values of one type.
    Map(Arc<Type>),
    /// An object of the schema, by its name there; for people and for the checker.
    Object(Arc<str>),
    /// Nothing is known: a custom resource's body, an int-or-string, a quantity.
    Any,
}

/// The functions of the language (`split`'s separator and the like are [`ExprKind::Literal`] only where checked so).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the function of its name; docs/semantics.md defines them")]
pub enum Function {
    Present,
    Len,
    Keys,
    Lower,
    Split,
    Base64,
    UrlDecode,
    ParseJson,
    Number,
    Quantity,
    Time,
    TimeOfDay,
    Weekday,
    CleanPath,
    PublicIp,
    ImageRegistry,
    ImageRepository,
    ImageTag,
    ImageDigest,
}

/// One test of a rule.
#[derive(Clone, Debug)]
pub struct Test {
    /// The rule's number in [`RuleSet::rules`].
    pub rule: usize,
    /// `test tuned`.
    pub tuned: bool,
    /// Its title.
    pub title: String,
    /// What happens, in the order written; [`Test::events`] are the events.
    pub happens: Vec<Happens>,
    /// The time zero of the test, nanoseconds since the Unix epoch.
    pub start: i64,
    /// `until`, nanoseconds since the Unix epoch.
    pub until: Option<i64>,
    /// What is expected, in order.
    pub expected: Vec<Expected>,
    /// Its name and title in its file.
    pub span: Span,
}

impl Test {
    /// Its events in the order written: time in nanoseconds since the Unix epoch, and one line of JSON. They are written as
    /// they are asked for, each time anew.
    pub fn events(&self) -> impl Iterator<Item = (i64, String)> {
        self.happens.iter().flat_map(Happens::events)
    }
}

/// One `expect`.
#[derive(Clone, Debug)]
pub enum Expected {
    /// `expect no alert`
    None,
    /// `expect 3 alerts`
    Count(u64, Span),
    /// `expect alert at 60s { .. }`
    Alert {
        /// The alert's time, nanoseconds since the Unix epoch.
        at: Option<i64>,
        /// Number of a probe of the rule, and the value as JSON text that it must have.
        probes: Vec<(u32, String)>,
        /// Where it stands.
        span: Span,
    },
}
