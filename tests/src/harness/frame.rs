//! Events as bytes, in the shapes that logs have.

use serde_json::{Value, json};

use crate::generate::{Case, Choices};
use crate::reference::Arrival;

/// A log as bytes.
#[derive(Clone, Debug)]
pub struct Framed {
    /// Of each source.
    pub bytes: Vec<Vec<u8>>,
    /// Where each arrival's document begins in its source.
    pub offsets: Vec<u64>,
    /// How far its source must be read so that each arrival is there.
    pub ends: Vec<usize>,
}

/// The bytes of each source. Framing is the case's own choice.
#[must_use]
pub fn frame(case: &Case) -> Framed {
    let mut choices = Choices::seeded(case.framing);
    let shape = choices.below(8);
    let mut framed = Framed {
        bytes: vec![Vec::new(); case.sources.len()],
        offsets: vec![0; case.arrivals.len()],
        ends: vec![0; case.arrivals.len()],
    };
    for run in runs(case) {
        let mut rest = run.as_slice();
        while let Some((first, _)) = rest.first() {
            // Wrapped events keep their order; each batch is one document, and what is only a line stands alone.
            let most = rest.len().min(1 + choices.below(4));
            let events = rest[..most].iter().take_while(|(_, arrival)| arrival.line.is_none()).count();
            let (batch, after) = rest.split_at(events.max(1));
            rest = after;
            let source = case.arrivals[*first].source;
            framed.batch(source, batch, shape, &mut choices);
            batch.iter().for_each(|(at, _)| framed.ends[*at] = framed.bytes[source].len());
        }
    }
    framed
}

/// What may stand in one document: what one source gives, or, where somebody looks at silences on the way, what it gives in a row.
fn runs(case: &Case) -> Vec<Vec<(usize, &Arrival)>> {
    let all = || case.arrivals.iter().enumerate();
    if !case.live() {
        return (0..case.sources.len()).map(|n| all().filter(|(_, a)| a.source == n).collect()).collect();
    }
    let mut runs: Vec<Vec<(usize, &Arrival)>> = Vec::new();
    for (at, arrival) in all() {
        match runs.last_mut().and_then(|run| run.last().map(|(_, last)| *last).map(|last| (run, last))) {
            Some((run, last))
                if last.source == arrival.source && last.read == arrival.read && last.silences.is_empty() =>
            {
                run.push((at, arrival));
            }
            _ => runs.push(vec![(at, arrival)]),
        }
    }
    runs
}

impl Framed {
    fn note(&mut self, (at, arrival): (usize, &Arrival)) {
        self.offsets[at] = self.bytes[arrival.source].len() as u64;
    }

    fn batch(&mut self, source: usize, batch: &[(usize, &Arrival)], shape: usize, choices: &mut Choices<'_>) {
        if batch.iter().any(|(_, a)| a.envelope_cluster.is_some()) {
            for one in batch {
                self.note(*one);
                let message = one.1.json.to_string();
                let mut record = json!({"verb": "x", "message": message});
                if let Some(cluster) = &one.1.envelope_cluster {
                    record["cluster_uuid"] = json!(cluster);
                }
                line(&mut self.bytes[source], &record.to_string());
            }
            return;
        }
        if let [(at, Arrival { line: Some(only), .. })] = batch {
            self.offsets[*at] = self.bytes[source].len() as u64;
            return line(&mut self.bytes[source], &only.text);
        }
        if shape == 0 {
            batch.iter().for_each(|one| self.note(*one));
            let events: Vec<&Value> = batch.iter().map(|(_, a)| &a.json).collect();
            let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events});
            return line(&mut self.bytes[source], &list.to_string());
        }
        if shape == 1 {
            // Each element of an array is a document.
            for (at, one) in batch.iter().enumerate() {
                self.bytes[source].push(if at == 0 { b'[' } else { b',' });
                self.note(*one);
                self.bytes[source].extend(one.1.json.to_string().bytes());
            }
            return line(&mut self.bytes[source], "]");
        }
        for one in batch {
            self.note(*one);
            let event = &one.1.json;
            let text = match shape {
                2 => serde_json::to_string_pretty(event).unwrap_or_default(),
                3 => json!({"log": event.to_string() + "\n", "stream": "stdout"}).to_string(),
                _ => disguised(choices, event.to_string()),
            };
            // White space in front of a document is none of it.
            self.offsets[one.0] += text.bytes().take_while(|b| *b == b' ').count() as u64;
            line(&mut self.bytes[source], &text);
        }
    }
}

fn line(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(text.as_bytes());
    bytes.push(b'\n');
}

/// The same event, written as nobody expects: a key twice, of which the last counts; a key with an escape.
fn disguised(choices: &mut Choices<'_>, event: String) -> String {
    match choices.below(30) {
        0 if event.contains(r#""user":{"#) => {
            event.replacen('{', r#"{"verb":"watch","user":{"username":"nobody"},"#, 1)
        }
        1 => event.replacen(r#""username":"#, r#""username":"nobody","user\u006eame":"#, 1),
        2 => event.replacen(r#""objectRef":"#, "\"objectRe\\u0066\":", 1),
        3 => format!("  {event}\r"),
        4 => event.replacen(r#""stage":"#, "\"stage\" :\t", 1),
        5 => event.replacen(r#""requestURI":"/"#, r#""requestURI":"\/"#, 1),
        _ => event,
    }
}
