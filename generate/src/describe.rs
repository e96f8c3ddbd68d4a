//! What a log is made of, as a table of shares: of any log, in any of the forms in which events arrive.
//!
//! Sizes, escapes and doubles are of the bytes of an event as the API server writes it: where it is an item of a list,
//! which others have written anew, of it written without blanks. Escapes are those that Go writes for `&`, `<` and `>`
//! and other `\u` escapes. Memory is eight bytes for each event, to know it again, and four for its size.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use engine::frame::Kind;
use engine::frame::blocks::{BLOCK_BYTES, Blocks};
use engine::matches::SourceId;
use serde_json::{Value, json};

/// Wrappings around wrappings that are opened.
const DEPTH_MAX: usize = 4;
/// The longest document.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Looks at a log.
#[derive(Debug)]
pub struct Describer {
    blocks: Blocks,
    seen: HashSet<u64>,
    sizes: Vec<u32>,
    undecodable: u64,
    stages: BTreeMap<String, u64>,
    verbs: BTreeMap<String, u64>,
    levels: BTreeMap<String, u64>,
    resources: BTreeMap<String, u64>,
    escaped: u64,
    quoted: u64,
    request_bodies: u64,
    response_bodies: u64,
    duplicates: u64,
    behind: u64,
    highest: String,
}

impl Default for Describer {
    fn default() -> Self {
        Self {
            blocks: Blocks::new(SourceId(0), BLOCK_BYTES, LINE_BYTES_MAX),
            seen: HashSet::new(),
            sizes: Vec::new(),
            undecodable: 0,
            stages: BTreeMap::new(),
            verbs: BTreeMap::new(),
            levels: BTreeMap::new(),
            resources: BTreeMap::new(),
            escaped: 0,
            quoted: 0,
            request_bodies: 0,
            response_bodies: 0,
            duplicates: 0,
            behind: 0,
            highest: String::new(),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Table(Value);

impl Describer {
    /// Takes more of the log.
    pub fn push(&mut self, bytes: &[u8]) {
        self.blocks.push(bytes);
        self.look();
    }

    /// There is no more of it.
    #[must_use]
    pub fn finish(mut self) -> Table {
        self.blocks.finish();
        self.look();
        self.table()
    }

    fn look(&mut self) {
        while let Some(block) = self.blocks.pop() {
            for part in block.parts.iter().filter(|part| part.kind != Kind::Comment) {
                let text = block.bytes.get(part.start..part.end).unwrap_or_default();
                match part.kind {
                    Kind::Lines => {
                        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
                        lines.filter(|line| !line.is_empty()).for_each(|line| self.text(line, 0));
                    }
                    _ => self.text(text, 0),
                }
            }
        }
    }

    fn text(&mut self, text: &[u8], depth: usize) {
        match serde_json::from_slice::<Value>(text) {
            Ok(value) => self.value(&value, Some(text.trim_ascii()), depth),
            Err(_) => self.undecodable += 1,
        }
    }

    /// `written`: as it stood there, where it did so by itself.
    fn value(&mut self, value: &Value, written: Option<&[u8]>, depth: usize) {
        if depth > DEPTH_MAX {
            self.undecodable += 1;
            return;
        }
        let lists = ["items", "logEvents", "records"].into_iter().filter_map(|key| value.get(key));
        if let Some(items) = lists.chain([value]).find_map(Value::as_array) {
            return items.iter().for_each(|item| self.value(item, None, depth + 1));
        }
        let event = value.get("auditID").is_some() && value.get("stage").is_some();
        let inner = [value.pointer("/properties/log"), value.get("message"), value.get("log")];
        match inner.into_iter().flatten().find(|_| !event) {
            Some(Value::String(text)) => self.text(text.as_bytes(), depth + 1),
            Some(inner) => self.value(inner, None, depth + 1),
            None if event => match written {
                Some(written) => self.event(value, written),
                None => self.event(value, value.to_string().as_bytes()),
            },
            None => self.undecodable += 1,
        }
    }

    fn event(&mut self, event: &Value, written: &[u8]) {
        self.sizes.push(u32::try_from(written.len()).unwrap_or(u32::MAX));
        let text = |path: &str| event.pointer(path).and_then(Value::as_str).unwrap_or("-");
        for (of, path) in [
            (&mut self.stages, "/stage"),
            (&mut self.verbs, "/verb"),
            (&mut self.levels, "/level"),
            (&mut self.resources, "/objectRef/resource"),
        ] {
            *of.entry(text(path).to_owned()).or_default() += 1;
        }
        let has = |what: &[u8]| written.windows(what.len()).any(|found| found == what);
        self.escaped += u64::from(has(b"\\u"));
        self.quoted += u64::from(has(b"\\\""));
        let body = |key: &str| u64::from(event.get(key).is_some_and(|body| !body.is_null()));
        self.request_bodies += body("requestObject");
        self.response_bodies += body("responseObject");
        let mut hasher = DefaultHasher::new();
        written.hash(&mut hasher);
        self.duplicates += u64::from(!self.seen.insert(hasher.finish()));
        // Times of one width sort as their texts do.
        let at = text("/stageTimestamp");
        if at < self.highest.as_str() {
            self.behind += 1;
        } else {
            at.clone_into(&mut self.highest);
        }
    }

    fn table(mut self) -> Table {
        self.sizes.sort_unstable();
        let events = self.sizes.len() as u64;
        #[expect(clippy::cast_precision_loss, reason = "a share for people, of four digits")]
        let share = |n: u64| ((n as f64 / events.max(1) as f64) * 10_000.0).round() / 10_000.0;
        let shares = |of: &BTreeMap<String, u64>| -> Value {
            of.iter()
                .map(|(name, n)| (name.clone(), json!(share(*n))))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let size = |hundredths: usize| {
            let at = (self.sizes.len() * hundredths / 100).min(self.sizes.len().saturating_sub(1));
            self.sizes.get(at).copied().unwrap_or(0)
        };
        let sum: u64 = self.sizes.iter().map(|size| u64::from(*size)).sum();
        Table(json!({
            "events": events,
            "undecodable": self.undecodable,
            "stages": shares(&self.stages),
            "verbs": shares(&self.verbs),
            "levels": shares(&self.levels),
            "resources": shares(&self.resources),
            "bytes": {"mean": sum / events.max(1), "p50": size(50), "p90": size(90), "p99": size(99), "max": size(100)},
            "escaped": share(self.escaped),
            "quoted": share(self.quoted),
            "request_bodies": share(self.request_bodies),
            "response_bodies": share(self.response_bodies),
            "duplicates": share(self.duplicates),
            "out_of_order": share(self.behind),
        }))
    }
}

impl Table {
    /// Reads a table that was printed as JSON.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// For people: of resources the ten most frequent.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: String| out.push_str(&format!("{name:<16}{value}\n"));
        let percent = |value: &Value| format!("{:.2} %", value.as_f64().unwrap_or(0.0) * 100.0);
        for key in ["events", "undecodable"] {
            line(key, self.0[key].to_string());
        }
        for key in ["stages", "levels", "verbs", "resources"] {
            let mut all: Vec<(&String, &Value)> = self.0[key].as_object().into_iter().flatten().collect();
            all.sort_by(|a, b| b.1.as_f64().unwrap_or(0.0).total_cmp(&a.1.as_f64().unwrap_or(0.0)));
            let shown: Vec<String> =
                all.iter().take(10).map(|(name, share)| format!("{name} {}", percent(share))).collect();
            line(key, shown.join(", "));
        }
        let bytes = &self.0["bytes"];
        let sizes: Vec<String> =
            ["mean", "p50", "p90", "p99", "max"].iter().map(|of| format!("{of} {}", bytes[of])).collect();
        line("bytes", sizes.join(", "));
        for key in ["escaped", "quoted", "request_bodies", "response_bodies", "duplicates", "out_of_order"] {
            line(&key.replace('_', " "), percent(&self.0[key]));
        }
        out
    }
}
