//! An event as it came: `docs/semantics.md`, "Fields".

use dsl::ir::Stage;

use super::identity;
use super::time;
use super::value::V;

/// Where events come from.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// As `source` shows it.
    pub name: String,
    /// The cluster that its configuration names.
    pub cluster: Option<String>,
}

/// One event in the order of arrival.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// An index into the sources.
    pub source: usize,
    /// The cluster that its envelope names.
    pub envelope_cluster: Option<String>,
    /// The event.
    pub json: serde_json::Value,
}

/// An event with what all rules ask of it.
#[derive(Clone, Debug)]
pub struct Event {
    /// All of it, as it stands.
    pub(super) whole: V,
    pub(super) source: usize,
    pub(super) source_name: String,
    pub(super) cluster: Option<String>,
    pub(super) stage: Stage,
    pub(super) verb: String,
    pub(super) stage_timestamp: i64,
    pub(super) request: [u8; 16],
}

impl Event {
    /// `None` if it is no event.
    pub(super) fn new(arrival: &Arrival, sources: &[Source]) -> Option<Self> {
        let whole = V::closed(&arrival.json);
        if !matches!(whole, V::Map(..)) {
            return None;
        }
        let source = sources.get(arrival.source).cloned().unwrap_or_default();
        let cluster = source.cluster.clone().or_else(|| arrival.envelope_cluster.clone());
        let stage = match whole.key("stage").as_text()? {
            "RequestReceived" => Stage::RequestReceived,
            "ResponseStarted" => Stage::ResponseStarted,
            "ResponseComplete" => Stage::ResponseComplete,
            "Panic" => Stage::Panic,
            _ => return None,
        };
        let verb = whole.key("verb").as_text()?.to_owned();
        whole.key("auditID").as_text()?;
        let stage_timestamp = time::parse(dated(&whole, "stageTimestamp").as_text()?)?;
        let request = identity::request(cluster.as_deref(), &whole);
        Some(Self {
            source: arrival.source,
            source_name: source.name,
            cluster,
            stage,
            verb,
            stage_timestamp,
            request,
            whole,
        })
    }

    /// `objectRef.KEY`, if it is a text.
    pub(super) fn reference(&self, key: &str) -> Option<String> {
        self.whole.key("objectRef").key(key).as_text().map(str::to_owned)
    }
}

/// One of the two time stamps, as v1beta1 spells it where v1's spelling is absent.
pub(super) fn dated(whole: &V, key: &str) -> V {
    match whole.key(key) {
        V::Absent => whole.key("timestamp"),
        stamp => stamp,
    }
}
