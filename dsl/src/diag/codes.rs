//! Every code, in one place.
//!
//! People search for codes and put them into suppressions: a code is never reused and never changes its meaning.
//! E1xx syntax; E2xx names; E3xx types; E4xx the shape of rules; E5xx tests; E6xx files of values, tables, tunes;
//! W1xx warnings. E901 was a form that an early version did not build.
//! `docs/diagnostics.md` has an entry for each, with an example that a test compiles.

use super::Level;

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// The stable name of a kind of mistake.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])* $name,)* }

        impl Code {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As it is printed: `E101`, `W101`.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// One line on what it is about, for SARIF and lists.
            #[must_use]
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc,)*),)* }
            }
        }
    };
}

impl Code {
    /// Errors begin with `E`, warnings with `W`.
    #[must_use]
    pub fn level(self) -> Level {
        if self.text().starts_with('E') { Level::Error } else { Level::Warning }
    }
}

codes! {
    /// Text that the grammar does not have here.
    Syntax = "E101",
    /// Parentheses, maps or conditions nest too deeply.
    NestingTooDeep = "E102",
    /// The file is larger than a rule file may be.
    SourceTooLarge = "E103",
    /// A backslash in a text before something that it does not escape.
    BadEscape = "E104",
    /// A comparison of a comparison.
    ChainedComparison = "E105",
    /// A clause that there is not.
    UnknownClause = "E106",
    /// A text, brace, bracket or parenthesis without its end.
    Unclosed = "E107",
    /// A number or duration that is too large or cannot be read.
    BadNumber = "E108",
    /// A character that looks like another one, or like none.
    StrangeCharacter = "E109",
    /// An operator of another language.
    UnknownOperator = "E110",
    /// A severity that there is not.
    UnknownSeverity = "E111",
    /// A stage that there is not.
    UnknownStage = "E112",
    /// Braces in an alert's text that hold no value.
    AlertBraces = "E113",
    /// A word of the language where a name is wanted.
    ReservedWord = "E114",
    /// More mistakes in one file than are reported.
    TooManyMistakes = "E115",
    /// A field that no event has.
    UnknownField = "E201",
    /// A word that stands for nothing: no field, let, list, step, key or variable has this name.
    UnknownName = "E202",
    /// A function that the language does not have.
    UnknownFunction = "E203",
    /// A verb that no event has.
    UnknownVerb = "E204",
    /// A resource that Kubernetes does not have.
    UnknownResource = "E205",
    /// A rule that is in none of the files.
    UnknownRule = "E206",
    /// A path that the bodies of no resource of the rule's `on` have.
    UnknownPath = "E207",
    /// A name that is given twice.
    NameTwice = "E208",
    /// A name that is already a field's, a function's or a word of the language.
    NameTaken = "E209",
    /// A `let` that is made of itself.
    LetCycle = "E210",
    /// A name that is known, but does not hold at this place.
    NotHere = "E211",
    /// A rule that is too large or too deep once every `let` is put in.
    RuleTooLarge = "E212",
    /// Two values of types that are never equal.
    TypesDiffer = "E301",
    /// A value where a condition is wanted.
    NotACondition = "E302",
    /// An order (`<`, `<=`, `>`, `>=`) of values that have none.
    NoOrder = "E303",
    /// A word for text beside what is no text.
    NotText = "E304",
    /// `in` before what is no list.
    NotASet = "E305",
    /// `!=` or a word with `not` on each element of a list, which reads two ways.
    EachNegated = "E306",
    /// An element is asked of what is no list.
    NotAList = "E307",
    /// A field is asked of what has no fields.
    NoFields = "E308",
    /// A value that this field never has.
    ImpossibleValue = "E309",
    /// A regular expression that cannot be read.
    BadRegex = "E310",
    /// A text that is no network.
    BadNetwork = "E311",
    /// A time zone that does not exist.
    BadTimeZone = "E312",
    /// A clock that no day has.
    BadClock = "E313",
    /// A function with too few or too many arguments.
    ArgumentCount = "E314",
    /// An argument that the function cannot take.
    ArgumentType = "E315",
    /// A sum, difference, product or quotient that does not exist.
    BadArithmetic = "E316",
    /// A value that must be written down and cannot come from an event.
    NotConstant = "E317",
    /// A rule without a clause that every rule has.
    MissingClause = "E401",
    /// A clause that stands twice.
    ClauseTwice = "E402",
    /// An alert without text.
    EmptyAlert = "E403",
    /// Two clauses that exclude each other.
    ClausesClash = "E404",
    /// An aggregate outside of `when` and of the alert of a rule with `when`.
    AggregateHere = "E405",
    /// A field of one event where only aggregates stand.
    FieldInWindow = "E406",
    /// A key that is not one value.
    KeyNotSingle = "E407",
    /// A duration that is zero where some time is wanted.
    ZeroDuration = "E408",
    /// A window that is longer than any may be.
    WindowTooLong = "E409",
    /// Steps of one sequence whose keys are not the same.
    KeysDiffer = "E410",
    /// Rules that listen to each other in a circle.
    RuleCircle = "E411",
    /// A session whose gap is longer than the session may be.
    GapTooLong = "E412",
    /// `among` without a key of one text.
    AmongKey = "E413",
    /// A step that is to happen no, or too many, or a part of times.
    StepTimes = "E414",
    /// A sequence of nothing but `no` steps.
    OnlyNoSteps = "E415",
    /// A `no` before the first step that does not say for how long.
    NoWithoutWithin = "E416",
    /// A field in a test that no event has.
    TestField = "E501",
    /// A value in a test that its field cannot have.
    TestValue = "E502",
    /// A time in a test that cannot be read or is out of range.
    TestTime = "E503",
    /// A test with more events than a test may have.
    TestTooLarge = "E504",
    /// An expectation that no alert of the rule can meet.
    TestExpectation = "E505",
    /// A file of values that cannot be read.
    ValuesMissing = "E601",
    /// A file of values with something in it that is no value.
    ValuesMalformed = "E602",
    /// A file of values, or a table, that is too large.
    ValuesTooLarge = "E603",
    /// A table whose keys are no texts, or whose values are not all of one kind.
    BadTable = "E604",
    /// A key that stands twice in a table.
    TableKeyTwice = "E605",
    /// A tune that does not fit its rule.
    TuneMisfit = "E606",
    /// A condition that is never true.
    NeverTrue = "W101",
    /// A condition that is always true.
    AlwaysTrue = "W102",
    /// `== false` of a field that is left out when it is false.
    FalseWhenAbsent = "W103",
    /// A test for one level where events of another carry the same body.
    OneLevel = "W104",
    /// An upper bound on an aggregate in a sliding window.
    UpperBound = "W105",
    /// An exception that covers all that the rule asks for.
    Shadowed = "W106",
    /// A body is read, but `on` names no resource.
    BodyWithoutResource = "W107",
    /// A body is read that none of the requests has.
    NeverABody = "W108",
    /// A pod's spec is read on pods alone, where other workloads make pods too.
    PodsAlone = "W109",
    /// A path that only some of the resources have.
    PathOfSome = "W110",
    /// The length of what a patch tells only in part.
    LengthOfPatch = "W111",
    /// `create` without `get` on what connects.
    ConnectByGet = "W112",
    /// `delete` without `deletecollection`.
    DeleteCollection = "W113",
    /// A sequence's key that can be absent.
    KeyAbsent = "W114",
    /// A key that a client can make without end.
    EndlessKey = "W115",
    /// A rule without a test.
    NoTest = "W116",
    /// Steps of a sequence that nothing joins.
    Unjoined = "W117",
    /// A verb that none of the resources has.
    VerbWithoutResource = "W118",
    /// A rule that listens to one that is off.
    ListensToDisabled = "W119",
    /// A sequence whose throttle is one for everybody.
    SilencesItself = "W120",
    /// More warnings in one file than are shown.
    TooManyWarnings = "W121",
    /// A window that is longer than state is kept.
    WindowOverState = "W122",
    /// A tune of a name that is gone.
    TuneOfNothing = "W140",
    /// A tune that takes a value out of a list that does not have it.
    NothingRemoved = "W141",
    /// A name of a step, key or element that hides a `let`, a list or a table.
    NameHides = "W150",
}
