//! The functions and aggregates of the language: what they take and give. What they compute is in `docs/semantics.md`.

use std::sync::Arc;

use crate::ir::{Function, Type};

/// What an argument must be. [`Type::Any`] fits all of them but the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param {
    /// Any value at all.
    Any,
    /// A text.
    Text,
    /// A text, or a number that stands for itself.
    TextOrNumber,
    /// A text, or a time that stands for itself.
    TextOrTime,
    /// A time, or a text of one. Only of `time_of_day` and `weekday`.
    Time,
    /// A text, a list or a map.
    Measured,
    /// A map (an object counts as one).
    Map,
    /// A constant text that names a time zone.
    Zone,
}

/// A function's face.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// As it is written.
    pub name: &'static str,
    /// What it is.
    pub function: Function,
    /// Its arguments in order.
    pub params: &'static [Param],
    /// How many of them must be given; the others stand at the end.
    pub required: usize,
    result: Gives,
}

#[derive(Clone, Copy, Debug)]
enum Gives {
    Bool,
    Number,
    Text,
    Time,
    TimeOfDay,
    Texts,
    Any,
}

impl Signature {
    /// The type of its value.
    #[must_use]
    pub fn result(&self) -> Type {
        match self.result {
            Gives::Bool => Type::Bool,
            Gives::Number => Type::Number,
            Gives::Text => Type::Text,
            Gives::Time => Type::Time,
            Gives::TimeOfDay => Type::TimeOfDay,
            Gives::Texts => Type::List(Arc::new(Type::Text)),
            Gives::Any => Type::Any,
        }
    }
}

/// Every function, in the order of the reference.
pub const FUNCTIONS: [Signature; 19] = [
    new("present", Function::Present, &[Param::Any], 1, Gives::Bool),
    new("len", Function::Len, &[Param::Measured], 1, Gives::Number),
    new("keys", Function::Keys, &[Param::Map], 1, Gives::Texts),
    new("lower", Function::Lower, &[Param::Text], 1, Gives::Text),
    new("split", Function::Split, &[Param::Text, Param::Text], 2, Gives::Texts),
    new("base64", Function::Base64, &[Param::Text], 1, Gives::Text),
    new("url_decode", Function::UrlDecode, &[Param::Text], 1, Gives::Text),
    new("parse_json", Function::ParseJson, &[Param::Text], 1, Gives::Any),
    new("number", Function::Number, &[Param::TextOrNumber], 1, Gives::Number),
    new("quantity", Function::Quantity, &[Param::TextOrNumber], 1, Gives::Number),
    new("time", Function::Time, &[Param::TextOrTime], 1, Gives::Time),
    new("time_of_day", Function::TimeOfDay, &[Param::Time, Param::Zone], 1, Gives::TimeOfDay),
    new("weekday", Function::Weekday, &[Param::Time, Param::Zone], 1, Gives::Text),
    new("clean_path", Function::CleanPath, &[Param::Text], 1, Gives::Text),
    new("public_ip", Function::PublicIp, &[Param::Text], 1, Gives::Bool),
    new("image_registry", Function::ImageRegistry, &[Param::Text], 1, Gives::Text),
    new("image_repository", Function::ImageRepository, &[Param::Text], 1, Gives::Text),
    new("image_tag", Function::ImageTag, &[Param::Text], 1, Gives::Text),
    new("image_digest", Function::ImageDigest, &[Param::Text], 1, Gives::Text),
];

const fn new(
    name: &'static str,
    function: Function,
    params: &'static [Param],
    required: usize,
    result: Gives,
) -> Signature {
    Signature { name, function, params, required, result }
}

/// The function of that name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Signature> {
    FUNCTIONS.iter().find(|signature| signature.name == name)
}

/// An aggregate's face.
#[derive(Clone, Copy, Debug)]
pub struct AggregateSignature {
    /// As it is written.
    pub name: &'static str,
    /// Which one it is.
    pub aggregate: AggregateName,
    /// Fewest and most arguments (`where` is no argument).
    pub arguments: (usize, usize),
}

/// The aggregates, without what they count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the aggregate of its name; docs/semantics.md defines them")]
pub enum AggregateName {
    Count,
    Distinct,
    Sum,
    Avg,
    Min,
    Max,
    Percentile,
}

/// Every aggregate, in the order of the reference.
pub const AGGREGATES: [AggregateSignature; 7] = [
    AggregateSignature { name: "count", aggregate: AggregateName::Count, arguments: (0, 0) },
    AggregateSignature { name: "distinct", aggregate: AggregateName::Distinct, arguments: (1, usize::MAX) },
    AggregateSignature { name: "sum", aggregate: AggregateName::Sum, arguments: (1, 1) },
    AggregateSignature { name: "avg", aggregate: AggregateName::Avg, arguments: (1, 1) },
    AggregateSignature { name: "min", aggregate: AggregateName::Min, arguments: (1, 1) },
    AggregateSignature { name: "max", aggregate: AggregateName::Max, arguments: (1, 1) },
    AggregateSignature { name: "percentile", aggregate: AggregateName::Percentile, arguments: (2, 2) },
];
