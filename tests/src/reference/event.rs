//! An event as it came, and what else a step can take: `docs/semantics.md`, "Fields".

use dsl::ir::Stage;

use super::identity;
use super::time;
use super::value::{Extent, V};

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
    /// The event; `null` where it is only a line.
    pub json: serde_json::Value,
    /// What came was only a line, and no event.
    pub line: Option<Line>,
    /// When it was read, of a live source; nanoseconds since the Unix epoch.
    pub read: Option<i64>,
    /// What is known, after it came, of sources that are silent.
    pub silences: Vec<Silence>,
}

/// A line that is no event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// As it stands, without its end.
    pub text: String,
    /// What it is told as.
    pub reason: &'static str,
}

/// A source is read to its end, and nothing comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// An index into the sources.
    pub source: usize,
    /// For how long nothing has come, by a monotonic clock, in nanoseconds.
    pub silent: i64,
    /// The wall clock, in nanoseconds since the Unix epoch.
    pub wall: i64,
}

impl Arrival {
    /// An event without a wrapping.
    #[must_use]
    pub fn event(source: usize, json: serde_json::Value) -> Self {
        Self { source, envelope_cluster: None, json, line: None, read: None, silences: vec![] }
    }
}

/// What a step can take: an event of a request, what is no event, an alert. With what all rules ask of it.
#[derive(Clone, Debug)]
pub struct Event {
    pub(super) nature: Nature,
    /// All of it, as it stands.
    pub(super) whole: V,
    pub(super) source: usize,
    pub(super) source_name: String,
    pub(super) cluster: Option<String>,
    /// Of a request.
    pub(super) stage: Option<Stage>,
    pub(super) verb: String,
    /// Its time; of an alert the alert's.
    pub(super) stage_timestamp: i64,
    /// Of what is no event: its identity.
    pub(super) request: [u8; 16],
    /// Of what is no event.
    pub(super) undecodable: Option<Undecodable>,
    /// Of an alert; all else is then of its completing event.
    pub(super) alert: Option<Face>,
}

/// What bare fields speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// An event of a request.
    Request,
    /// What is no event.
    Undecodable,
    /// Nothing at all: the alert of a silence before which nothing was.
    Nothing,
}

/// What `undecodable.*` reads.
#[derive(Clone, Debug)]
pub(super) struct Undecodable {
    pub(super) reason: &'static str,
    pub(super) offset: u64,
}

/// What `alert.*` reads, and what else goes with an alert to the rules that listen to it.
#[derive(Clone, Debug)]
pub(super) struct Face {
    pub(super) id: [u8; 16],
    pub(super) rule: String,
    pub(super) severity: &'static str,
    pub(super) tags: Vec<String>,
    pub(super) message: String,
    pub(super) count: u64,
    pub(super) key: Vec<(String, V)>,
    pub(super) late: bool,
    pub(super) dry_run_unknown: bool,
}

impl Event {
    /// If it is none: why.
    pub(super) fn new(arrival: &Arrival, sources: &[Source]) -> Result<Self, &'static str> {
        if let Some(line) = &arrival.line {
            return Err(line.reason);
        }
        let whole = V::closed(&arrival.json);
        if !matches!(whole, V::Map(..)) {
            return Err("not_an_event");
        }
        let source = sources.get(arrival.source).cloned().unwrap_or_default();
        let cluster = source.cluster.clone().or_else(|| arrival.envelope_cluster.clone());
        let stage = match whole.key("stage").as_text() {
            Some("RequestReceived") => Stage::RequestReceived,
            Some("ResponseStarted") => Stage::ResponseStarted,
            Some("ResponseComplete") => Stage::ResponseComplete,
            Some("Panic") => Stage::Panic,
            _ => return Err("bad_event"),
        };
        let verb = whole.key("verb").as_text().ok_or("bad_event")?.to_owned();
        whole.key("auditID").as_text().ok_or("bad_event")?;
        let stamp = dated(&whole, "stageTimestamp");
        let stage_timestamp = stamp.as_text().and_then(time::parse).ok_or("no_time")?;
        let request = identity::request(cluster.as_deref(), &whole);
        Ok(Self {
            nature: Nature::Request,
            source: arrival.source,
            source_name: source.name,
            cluster,
            stage: Some(stage),
            verb,
            stage_timestamp,
            request,
            whole,
            undecodable: None,
            alert: None,
        })
    }

    /// What is no event, at that time. `number` counts what is none at the same offset.
    pub(super) fn undecodable(
        (source, of): (usize, &Source),
        (reason, offset, number): (&'static str, u64, u64),
        time: i64,
    ) -> Self {
        let whole = [("stageTimestamp".to_owned(), V::Time(time))].into();
        Self {
            nature: Nature::Undecodable,
            whole: V::Map(whole, Extent::Closed),
            source,
            source_name: of.name.clone(),
            cluster: of.cluster.clone(),
            stage: None,
            verb: String::new(),
            stage_timestamp: time,
            request: identity::undecodable(&of.name, offset, number),
            undecodable: Some(Undecodable { reason, offset }),
            alert: None,
        }
    }

    /// What stands for the event where there is none.
    pub(super) fn nothing(cluster: Option<String>, time: i64) -> Self {
        Self {
            nature: Nature::Nothing,
            whole: V::Map([].into(), Extent::Closed),
            source: 0,
            source_name: String::new(),
            cluster,
            stage: None,
            verb: String::new(),
            stage_timestamp: time,
            request: [0; 16],
            undecodable: None,
            alert: None,
        }
    }

    /// What it is known by: a request by its identity and stage, all else by the identity.
    pub(super) fn known_by(&self) -> ([u8; 16], Option<Stage>) {
        match &self.alert {
            Some(alert) => (alert.id, None),
            None => (self.request, self.stage),
        }
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
