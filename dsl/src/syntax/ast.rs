//! The syntax tree: the grammar's own shape, every node with its span, nothing interpreted.
//!
//! It follows the grammar of `docs/language.md` production by production. Where the text did not parse there is an
//! `Error` node, so that what stands around it can still be checked and one run reports every mistake. Comments and
//! white space are not in here; they are in the tokens of [`super::Parsed`], by position.

#![expect(missing_docs, reason = "a field or variant is the part of the production that it is named after")]

use crate::source::Span;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// What stands there.
    pub node: T,
    /// Where.
    pub span: Span,
}

/// A word: a name given or used.
pub type Name = Spanned<String>;
/// A string after its escapes were read. The span has the quotes.
pub type Text = Spanned<String>;
/// A duration in nanoseconds. More than fits is an error of the parser.
pub type DurationAt = Spanned<i64>;

/// One file of rules.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct File {
    /// Its items, in order.
    pub items: Vec<Item>,
}

/// What a file may hold.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    Let(Let),
    List(List),
    Table(Table),
    Rule(Rule),
    Tune(Tune),
    TuneList(TuneList),
    Test(Test),
    /// Text that is no item; it has been reported.
    Error(Span),
}

/// `let NAME = condition`
#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub name: Name,
    pub value: Expr,
    pub span: Span,
}

/// `[cidr] list NAME = [..]` or `from "file"`
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub cidr: bool,
    pub name: Name,
    pub values: ListSource,
    pub span: Span,
}

/// Where a list's values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum ListSource {
    Literals(Literals),
    From(Text),
}

/// `[cidr] table NAME = {..}` or `from "file"`
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub cidr: bool,
    pub name: Name,
    pub values: TableSource,
    pub span: Span,
}

/// Where a table's values come from.
#[derive(Clone, Debug, PartialEq)]
pub enum TableSource {
    Map(Map),
    From(Text),
}

/// `[a, b, c]`
#[derive(Clone, Debug, PartialEq)]
pub struct Literals {
    pub items: Vec<Literal>,
    pub span: Span,
}

/// One value of a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Text(Text),
    Number(Spanned<f64>),
    Duration(DurationAt),
    /// The name of a list that stands for its values, or `true` / `false`.
    Word(Name),
}

/// `rule NAME "title" { clauses }`
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub name: Name,
    pub title: Text,
    pub clauses: Vec<Clause>,
    pub span: Span,
}

/// One clause of a rule; each knows its keyword's place by its own span.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    pub kind: ClauseKind,
    pub span: Span,
}

/// What a clause says.
#[derive(Clone, Debug, PartialEq)]
pub enum ClauseKind {
    Severity(Spanned<Severity>),
    Tags(Vec<Spanned<String>>),
    About(Text),
    See(Vec<Text>),
    Disable,
    On(Selector),
    Where(Expr),
    Except(Expr),
    By(Vec<KeyPart>),
    AcrossClusters,
    When(Window),
    Steps(Steps),
    Alert(Template),
    Throttle(DurationAt),
    /// Did not parse; reported.
    Error,
}

impl ClauseKind {
    /// The keyword that it begins with; of what did not parse none.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Severity(_) => "severity",
            Self::Tags(_) => "tags",
            Self::About(_) => "about",
            Self::See(_) => "see",
            Self::Disable => "disable",
            Self::On(_) => "on",
            Self::Where(_) => "where",
            Self::Except(_) => "except",
            Self::By(_) => "by",
            Self::AcrossClusters => "across clusters",
            Self::When(_) => "when",
            Self::Steps(steps) if steps.ordered => "sequence",
            Self::Steps(_) => "unordered",
            Self::Alert(_) => "alert",
            Self::Throttle(_) => "throttle",
            Self::Error => "",
        }
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    None,
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Self; 6] = [Self::None, Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word of the language.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// One part of `by`.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPart {
    pub name: Option<Name>,
    pub value: Expr,
}

/// What follows `on`.
#[derive(Clone, Debug, PartialEq)]
pub struct Selector {
    pub kind: SelectorKind,
    pub span: Span,
}

/// The three things a rule can listen to.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectorKind {
    Events {
        verbs: Verbs,
        targets: Targets,
        stage: Option<Spanned<StagePick>>,
        including_dry_run: Option<Span>,
    },
    /// `alert of any` (`None`) or of named rules.
    Alert(Option<Vec<Name>>),
    Undecodable,
    /// Did not parse; reported.
    Error,
}

/// `any but a, b` or `a, b`
#[derive(Clone, Debug, PartialEq)]
pub struct Verbs {
    /// `Some` if the list is what to leave out of `any`; the span is that of the word `any`.
    pub any: Option<Span>,
    pub list: Vec<Verb>,
    pub span: Span,
}

/// One verb; in quotes it may be one that no event is known to have. `read` and `write` stay as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Verb {
    pub name: Name,
    pub quoted: bool,
}

/// What follows `of`.
#[derive(Clone, Debug, PartialEq)]
pub struct Targets {
    /// `Some` if the list is what to leave out of `any` or `any resource`.
    pub any: Option<AnyTarget>,
    pub list: Vec<Target>,
    pub span: Span,
}

/// Which `any` it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnyTarget {
    /// `any`: requests for no resource too.
    Request,
    /// `any resource`
    Resource,
}

/// One target.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// As written: `pods`, `pods/exec`, `*/scale`, `events.k8s.io`, `*.cert-manager.io`, `workloads`.
    Resource(Name),
    /// `nonresource "/path*"`
    NonResource(Text),
}

/// `at STAGE`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StagePick {
    RequestReceived,
    ResponseStarted,
    ResponseComplete,
    Panic,
    Any,
}

/// What follows `when`.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    pub kind: WindowKind,
    pub span: Span,
}

/// The kinds of window.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowKind {
    Within { condition: Expr, within: DurationAt },
    Tumbling { condition: Expr, length: DurationAt },
    Session { condition: Expr, gap: DurationAt, within: DurationAt },
    FirstSeen { values: Vec<Expr>, within: DurationAt, learning: DurationAt },
    Silent { length: DurationAt, among: Option<Name> },
    Error,
}

/// `sequence within 10m { .. }`
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    pub ordered: bool,
    pub within: DurationAt,
    pub steps: Vec<Step>,
    pub span: Span,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub name: Name,
    /// `no NAME`, perhaps with its own `within`.
    pub no: Option<No>,
    /// `5 times`
    pub times: Option<Spanned<f64>>,
    pub on: Selector,
    pub condition: Option<Expr>,
    pub by: Option<Vec<KeyPart>>,
    pub span: Span,
}

/// What makes a step a forbidden one.
#[derive(Clone, Debug, PartialEq)]
pub struct No {
    pub span: Span,
    pub within: Option<DurationAt>,
}

/// The text of an alert, its braces read.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    pub pieces: Vec<Piece>,
    /// The whole string.
    pub text: Text,
}

/// A part of an alert's text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    Literal(String),
    /// `{ sum }`; spans inside are places in the file.
    Value(Expr),
}

/// A condition or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

/// The forms of conditions and values.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// Two or more, flat.
    Or(Vec<Expr>),
    /// Two or more, flat.
    And(Vec<Expr>),
    Not(Box<Expr>),
    Quantified {
        all: bool,
        var: Name,
        list: Box<Expr>,
        body: Box<Expr>,
    },
    Compare {
        op: Spanned<CompareOp>,
        left: Box<Expr>,
        right: Box<Expr>,
        ignoring_case: bool,
    },
    In {
        negated: bool,
        op: Span,
        left: Box<Expr>,
        set: Set,
        ignoring_case: bool,
    },
    Arith {
        op: Spanned<ArithOp>,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `( .. )`, kept so that `fmt` knows what was written.
    Group(Box<Expr>),
    Text(String),
    Number(f64),
    /// Nanoseconds.
    Duration(i64),
    Bool(bool),
    Path(Path),
    Call(Call),
    /// Did not parse; reported.
    Error,
}

/// Comparisons but `in`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CompareOp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Contains { negated: bool },
    StartsWith { negated: bool },
    EndsWith { negated: bool },
    Like { negated: bool },
    Matches { negated: bool },
}

impl CompareOp {
    /// As it is written, with its `not`.
    #[must_use]
    pub fn word(self) -> &'static str {
        let word =
            |negated: bool, with: &'static str, without: &'static str| if negated { with } else { without };
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Contains { negated } => word(negated, "not contains", "contains"),
            Self::StartsWith { negated } => word(negated, "not startswith", "startswith"),
            Self::EndsWith { negated } => word(negated, "not endswith", "endswith"),
            Self::Like { negated } => word(negated, "not like", "like"),
            Self::Matches { negated } => word(negated, "not matches", "matches"),
        }
    }
}

/// Arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArithOp {
    Add,
    Sub,
    Mul,
    Div,
}

/// What may follow `in`.
#[derive(Clone, Debug, PartialEq)]
pub enum Set {
    Literals(Literals),
    Cidr(Vec<Text>, Span),
    /// `22:00..06:00`, in minutes of the day.
    Clock(Spanned<u16>, Spanned<u16>),
    Value(Box<Expr>),
}

/// `user.groups[0].x["k"][]`
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub root: Name,
    pub postfix: Vec<Postfix>,
}

/// What follows a path's first word, or a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Postfix {
    /// `.name`
    Field(Name),
    /// `[]`
    Each(Span),
    /// `[ sum ]`
    Index(Box<Expr>, Span),
}

/// `name(args where condition).postfix`
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: Name,
    pub args: Vec<Expr>,
    /// Of `count(where ..)` and its like.
    pub condition: Option<Box<Expr>>,
    pub postfix: Vec<Postfix>,
}

/// `tune NAME { .. }`
#[derive(Clone, Debug, PartialEq)]
pub struct Tune {
    pub name: Name,
    pub changes: Vec<Change>,
    pub span: Span,
}

/// One change of a tune.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub kind: ChangeKind,
    pub span: Span,
}

/// What a tune may change.
#[derive(Clone, Debug, PartialEq)]
pub enum ChangeKind {
    Except(Expr),
    Severity(Spanned<Severity>),
    Within(DurationAt),
    When(Window),
    Throttle(DurationAt),
    Disable,
    Enable,
    Error,
}

/// `tune list NAME { add [..] remove [..] }`
#[derive(Clone, Debug, PartialEq)]
pub struct TuneList {
    pub name: Name,
    /// `true` for `add`.
    pub changes: Vec<(bool, Literals)>,
    pub span: Span,
}

/// `test NAME "title" { .. }`
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub tuned: bool,
    pub rule: Name,
    pub title: Text,
    pub start: Option<Text>,
    pub given: Option<Map>,
    pub happenings: Vec<Happening>,
    pub expected: Vec<Expected>,
    pub span: Span,
}

/// What happens in a test.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    At {
        at: DurationAt,
        repeat: Option<(Spanned<f64>, DurationAt)>,
        as_one: Option<Name>,
        map: Map,
        span: Span,
    },
    Until(DurationAt),
}

/// What a test expects.
#[derive(Clone, Debug, PartialEq)]
pub struct Expected {
    pub kind: ExpectedKind,
    pub span: Span,
}

/// The three forms of `expect`.
#[derive(Clone, Debug, PartialEq)]
pub enum ExpectedKind {
    NoAlert,
    Alerts(Spanned<f64>),
    Alert { at: Option<DurationAt>, map: Option<Map> },
    Error,
}

/// `{ key: value, .. }`
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    pub entries: Vec<Entry>,
    pub span: Span,
}

/// One entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: EntryKey,
    pub value: Spanned<Json>,
}

/// A key: a path, a call, or a string that is one key.
#[derive(Clone, Debug, PartialEq)]
pub enum EntryKey {
    /// A path or a call.
    Value(Expr),
    Text(Text),
}

/// The values of a map.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
    Map(Map),
    List(Vec<Spanned<Json>>),
}
