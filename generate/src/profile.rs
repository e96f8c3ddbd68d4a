//! The samples of recorded logs that events are made of.
//!
//! `data/*.gz` is cut by `scripts/sample-load.py`; `data/*.json` is what `generate --describe` says of the whole log.

use std::io::{self, Read};

use flate2::read::GzDecoder;

use crate::stamp;
use crate::wrap::escape;

/// The profiles there are.
pub const NAMES: [&str; 2] = ["metadata", "requestresponse"];

/// How wide an `auditID` is that the API server chose.
pub(crate) const ID_WIDTH: usize = 36;

/// What stands behind the `auditID` of a request that was just received.
const OPENS: &str = "\",\"stage\":\"RequestReceived\"";

/// Requests of a recorded log.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(crate) ordinary: Vec<Request>,
    pub(crate) attacks: Vec<Request>,
}

/// One request: its lines, in the order of its stages.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The kind of attack; empty if it is none.
    pub(crate) kind: Box<str>,
    pub(crate) events: Vec<Template>,
}

/// The line of one event, without its end, and where in it stands what is new each time.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub(crate) line: Box<[u8]>,
    /// It is of the stage `RequestReceived`.
    pub(crate) opens: bool,
    pub(crate) id: usize,
    pub(crate) received: usize,
    pub(crate) stage: usize,
}

impl Profile {
    /// The profile of that name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn named(name: &str) -> io::Result<Self> {
        let packed: &[u8] = match name {
            "metadata" => include_bytes!("../data/metadata.gz"),
            "requestresponse" => include_bytes!("../data/requestresponse.gz"),
            _ => return Err(io::Error::other(format!("there is no profile `{name}`"))),
        };
        let mut text = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut text)?;
        Self::read(&text).ok_or_else(|| io::Error::other(format!("the profile `{name}` is damaged")))
    }

    /// What `generate --describe` says of the log that a profile was cut from.
    #[must_use]
    pub fn described(name: &str) -> Option<&'static str> {
        match name {
            "metadata" => Some(include_str!("../data/metadata.json")),
            "requestresponse" => Some(include_str!("../data/requestresponse.json")),
            _ => None,
        }
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut requests: Vec<Request> = Vec::new();
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match line.strip_prefix(b">") {
                Some(kind) => {
                    let kind = std::str::from_utf8(kind).ok()?.into();
                    requests.push(Request { kind, events: Vec::new() });
                }
                None => requests.last_mut()?.events.push(Template::of(line)?),
            }
        }
        let (ordinary, attacks): (Vec<_>, Vec<_>) =
            requests.into_iter().filter(|of| !of.events.is_empty()).partition(|of| of.kind.is_empty());
        (!ordinary.is_empty() && !attacks.is_empty()).then_some(Self { ordinary, attacks })
    }

    /// The same with every line as the content of a JSON text.
    pub(crate) fn escaped(mut self) -> Self {
        let requests = self.ordinary.iter_mut().chain(&mut self.attacks);
        requests.flat_map(|request| &mut request.events).for_each(|event| *event = event.escaped());
        self
    }

    /// Events of a request, on average.
    pub(crate) fn events_per_request(&self) -> usize {
        let events: usize = self.ordinary.iter().map(|request| request.events.len()).sum();
        events.div_ceil(self.ordinary.len().max(1)).max(1)
    }
}

impl Template {
    fn escaped(&self) -> Self {
        let escaped = |until: usize| {
            let mut text = Vec::new();
            escape(&mut text, self.line.get(..until).unwrap_or_default());
            text
        };
        let at = |at: usize| escaped(at).len();
        let line = escaped(self.line.len()).into();
        Self { line, opens: self.opens, id: at(self.id), received: at(self.received), stage: at(self.stage) }
    }

    fn of(line: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(line).ok()?;
        // The first `auditID` and the last times are the event's own: bodies stand between.
        let id = text.find("\"auditID\":\"")? + "\"auditID\":\"".len();
        let time = |key: &str| text.rfind(key).map(|at| at + key.len());
        let received = time("\"requestReceivedTimestamp\":\"")?;
        let stage = time("\"stageTimestamp\":\"")?;
        let fits = |at: usize, width: usize| line.get(at + width) == Some(&b'"');
        let fits = fits(id, ID_WIDTH) && fits(received, stamp::WIDTH) && fits(stage, stamp::WIDTH);
        let opens = text
            .get(id..)
            .is_some_and(|rest| rest.get(ID_WIDTH..).is_some_and(|rest| rest.starts_with(OPENS)));
        fits.then(|| Self { line: line.into(), opens, id, received, stage })
    }
}
