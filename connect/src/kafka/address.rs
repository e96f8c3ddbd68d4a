//! `kafka://HOST:PORT[,HOST:PORT]/TOPIC?…`: what a person may write for a topic, and what is refused.
//!
//! An argument is read by every process of the machine, so nothing secret may stand in one: a user in front of the host and any
//! property of librdkafka behind the `?` are refused, with the way that there is instead, a file of properties. What is wrong is
//! told with what was meant, where that can be guessed.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// How long a transaction stays open, unless told.
const INTERVAL: Duration = Duration::from_millis(100);
/// Longer than this nobody would wait for an alert, and brokers end transactions after a minute.
const INTERVAL_MAX: Duration = Duration::from_secs(30);
const TOPIC_CHARS_MAX: usize = 249;

/// A topic on a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Brokers to begin with, as librdkafka takes them.
    pub brokers: String,
    /// Its name.
    pub name: String,
    /// A file of librdkafka's properties.
    pub properties: Option<PathBuf>,
}

/// A topic to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Events {
    /// Where.
    pub topic: Topic,
    /// In whose name what has been read is remembered.
    pub group: String,
}

/// A topic to write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerts {
    /// Where.
    pub topic: Topic,
    /// How long a transaction stays open from its first alert on.
    pub interval: Duration,
}

impl Events {
    /// Reads what stands behind `kafka://`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (topic, more) = parse(text, &["group", "properties"])?;
        let group = more.into_iter().find_map(|(key, value)| (key == "group").then_some(value));
        let group = group.ok_or_else(|| {
            let name = &topic.name;
            usage(format!(
                "kafka:// needs a group, in whose name the offsets are kept: …/{name}?group=auditd-rules"
            ))
        })?;
        Ok(Self { topic, group })
    }
}

impl Alerts {
    /// Reads what stands behind `kafka://`.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (topic, more) = parse(text, &["as", "interval", "properties"])?;
        let interval = more.iter().find(|(key, _)| key == "interval");
        let interval = interval.map_or(Ok(INTERVAL), |(_, value)| duration(value))?;
        Ok(Self { topic, interval })
    }
}

fn usage(words: String) -> Error {
    Error::usage(words)
}

type Query = Vec<(String, String)>;

fn parse(text: &str, known: &[&'static str]) -> Result<(Topic, Query), Error> {
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    if place.contains('@') {
        return Err(usage(
            "a user or password in kafka:// could be read by every process of this machine; put sasl.username and \
             sasl.password into a file and name it, as in ?properties=kafka.properties"
                .to_owned(),
        ));
    }
    let (brokers, name) = place.split_once('/').unwrap_or((place, ""));
    for broker in brokers.split(',') {
        check_broker(broker)?;
    }
    check_topic(brokers, name)?;
    let mut query = read_query(query, known)?;
    let at = query.iter().position(|(key, _)| key == "properties");
    let properties = at.map(|at| query.swap_remove(at).1.into());
    Ok((Topic { brokers: brokers.to_owned(), name: name.to_owned(), properties }, query))
}

fn check_broker(broker: &str) -> Result<(), Error> {
    let (host, port) = broker.rsplit_once(':').unwrap_or((broker, ""));
    if host.is_empty() || host.ends_with(']') != host.starts_with('[') {
        return Err(usage(format!("`{broker}` is no broker; one is HOST:PORT, such as kafka-0.kafka:9092")));
    }
    if port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Ok(());
    }
    Err(usage(format!("the broker `{broker}` has no port; mostly it is {}:9092", host.trim_end_matches(':'))))
}

fn check_topic(brokers: &str, name: &str) -> Result<(), Error> {
    if name.is_empty() {
        return Err(usage(format!("kafka://{brokers} names no topic; write kafka://{brokers}/TOPIC")));
    }
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name.chars().find(|c| !legal(*c)) {
        Some(c) => Err(usage(format!(
            "a topic's name has letters, digits, `.`, `_` and `-`; `{name}` has `{}`",
            c.escape_debug()
        ))),
        None if name.len() > TOPIC_CHARS_MAX || matches!(name, "." | "..") => {
            Err(usage(format!("`{name}` can be no topic's name")))
        }
        None => Ok(()),
    }
}

fn read_query(text: &str, known: &[&'static str]) -> Result<Query, Error> {
    let mut query: Query = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !known.contains(&key) {
            return Err(unknown(key, known));
        }
        if value.is_empty() {
            return Err(usage(format!("`{key}` needs a value: {key}=…")));
        }
        if query.iter().any(|(other, _)| other == key) {
            return Err(usage(format!("`{key}` is given twice")));
        }
        if key == "as" && value != "json" {
            return Err(usage(format!("alerts as {value} on kafka:// are not built yet")));
        }
        query.push((key.to_owned(), value.to_owned()));
    }
    Ok(query)
}

fn unknown(key: &str, known: &[&'static str]) -> Error {
    if key.contains('.') || key.contains("password") || key.contains("secret") {
        return usage(format!(
            "properties of librdkafka such as `{key}` may be secret, and every process can read an argument; they go into a \
             file, as in ?properties=kafka.properties"
        ));
    }
    let all = known.join(", ");
    match dsl::diag::nearest(key, known.iter().copied()) {
        Some(near) => usage(format!("kafka:// knows no `{key}` here; did you mean `{near}`?")),
        None => usage(format!("kafka:// knows no `{key}` here; there are {all}")),
    }
}

fn duration(text: &str) -> Result<Duration, Error> {
    let number = |end: &str| text.strip_suffix(end).and_then(|number| number.parse::<u64>().ok());
    let found = number("ms").map(Duration::from_millis).or_else(|| number("s").map(Duration::from_secs));
    match found {
        Some(found) if !found.is_zero() && found <= INTERVAL_MAX => Ok(found),
        _ => Err(usage(format!(
            "an interval is from 1ms to {}s, such as 100ms, not `{text}`",
            INTERVAL_MAX.as_secs()
        ))),
    }
}

#[cfg(test)]
mod tests;
