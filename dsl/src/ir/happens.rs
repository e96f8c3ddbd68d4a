//! What happens in a test: events down to their lines of JSON, written when somebody asks for them.
//!
//! One `at` of a test may stand for a hundred thousand events. Rules are compiled far more often than their tests run (at each
//! start of the program), so an event is kept once, as what all of them have in common: its place in the test is put in
//! where it is written. Whoever runs a test needs nothing of the language.

use serde_json::{Map, Value as Json};

/// An event of a test, or several that are alike.
#[derive(Clone, Debug)]
pub struct Happens {
    /// Of the first, nanoseconds since the Unix epoch.
    pub(crate) first: i64,
    /// How many there are.
    pub(crate) times: u64,
    /// Nanoseconds from one to the next.
    pub(crate) every: i64,
    /// Each has its number where its texts say `{n}`.
    pub(crate) numbered: bool,
    pub(crate) request: Request,
    pub(crate) written: Written,
}

/// Whose events they are.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// Each is of a request of its own, numbered from here on.
    Own(u64),
    /// All are of the request of that number, which was received then.
    One(u64, i64),
}

/// An event but for what it has of its place in the test.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// Of its cluster, if the test says one: it stands on a record around the event then.
    pub(crate) cluster: Option<Json>,
    pub(crate) event: Map<String, Json>,
    /// Whether the test says these by itself: `auditID`, `requestReceivedTimestamp`, `stageTimestamp`.
    pub(crate) says: [bool; 3],
}

/// Fields that an event has of its place, in the order of [`Written::says`].
pub(crate) const OF_ITS_PLACE: [&str; 3] = ["auditID", "requestReceivedTimestamp", "stageTimestamp"];

impl Happens {
    /// Of the last of them.
    pub(crate) fn last(&self) -> Option<i64> {
        let after = i64::try_from(self.times.saturating_sub(1)).ok()?;
        self.first.checked_add(self.every.checked_mul(after)?)
    }

    /// Each with its time, nanoseconds since the Unix epoch, and its line.
    pub(super) fn events(&self) -> impl Iterator<Item = (i64, String)> {
        let times = std::iter::successors(Some(self.first), |at| Some(at.saturating_add(self.every)));
        (1..=self.times).zip(times).map(|(n, at)| (at, self.line(n, at)))
    }

    fn line(&self, n: u64, at: i64) -> String {
        let Written { cluster, event, says } = &self.written;
        let mut event = if self.numbered { numbered_map(event, n) } else { event.clone() };
        let (request, received) = match self.request {
            Request::Own(from) => (from.saturating_add(n - 1), at),
            Request::One(request, received) => (request, received),
        };
        let place = [format!("00000000-0000-4000-8000-{request:012}"), rfc3339(received), rfc3339(at)];
        for ((key, text), _) in OF_ITS_PLACE.iter().zip(place).zip(says).filter(|(_, says)| !**says) {
            event.insert((*key).to_owned(), Json::String(text));
        }
        match cluster {
            Some(cluster) => {
                let cluster = if self.numbered { numbered(cluster, n) } else { cluster.clone() };
                serde_json::json!({ "cluster_uuid": cluster, "log": event }).to_string()
            }
            None => Json::Object(event).to_string(),
        }
    }
}

/// Puts the number of a repeated event for every `{n}` in its texts.
fn numbered(of: &Json, n: u64) -> Json {
    match of {
        Json::String(text) if text.contains("{n}") => Json::String(text.replace("{n}", &n.to_string())),
        Json::Array(items) => Json::Array(items.iter().map(|item| numbered(item, n)).collect()),
        Json::Object(map) => Json::Object(numbered_map(map, n)),
        other => other.clone(),
    }
}

fn numbered_map(map: &Map<String, Json>, n: u64) -> Map<String, Json> {
    map.iter().map(|(key, value)| (key.clone(), numbered(value, n))).collect()
}

fn rfc3339(nanos: i64) -> String {
    let time = chrono::DateTime::from_timestamp_nanos(nanos);
    // The API server writes microseconds; a start with more keeps them.
    let digits =
        if nanos % 1_000 == 0 { chrono::SecondsFormat::Micros } else { chrono::SecondsFormat::Nanos };
    time.to_rfc3339_opts(digits, true)
}
