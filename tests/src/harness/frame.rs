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
}

/// The bytes of each source. Framing is the case's own choice.
#[must_use]
pub fn frame(case: &Case) -> Framed {
    let mut choices = Choices::seeded(case.framing);
    let shape = choices.below(8);
    let mut offsets = vec![0; case.arrivals.len()];
    let bytes = (0..case.sources.len())
        .map(|source| {
            let all = case.arrivals.iter().enumerate();
            let of: Vec<_> = all.filter(|(_, a)| a.source == source).collect();
            let mut bytes = Vec::new();
            let mut rest = of.as_slice();
            while !rest.is_empty() {
                // Wrapped events keep their order; each batch is one document.
                let (batch, after) = rest.split_at(rest.len().min(1 + choices.below(4)));
                rest = after;
                let mut note = |arrivals: &[(usize, &Arrival)], bytes: &[u8]| {
                    arrivals.iter().for_each(|(at, _)| offsets[*at] = bytes.len() as u64);
                };
                if batch.iter().any(|(_, a)| a.envelope_cluster.is_some()) {
                    for one in batch {
                        note(&[*one], &bytes);
                        let arrival = one.1;
                        let message = arrival.json.to_string();
                        let mut record = json!({"verb": "x", "message": message});
                        if let Some(cluster) = &arrival.envelope_cluster {
                            record["cluster_uuid"] = json!(cluster);
                        }
                        line(&mut bytes, &record.to_string());
                    }
                    continue;
                }
                if shape == 0 {
                    note(batch, &bytes);
                    let events: Vec<&Value> = batch.iter().map(|(_, a)| &a.json).collect();
                    let list = json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events});
                    line(&mut bytes, &list.to_string());
                    continue;
                }
                if shape == 1 {
                    // Each element of an array is a document.
                    for (at, one) in batch.iter().enumerate() {
                        bytes.push(if at == 0 { b'[' } else { b',' });
                        note(&[*one], &bytes);
                        bytes.extend(one.1.json.to_string().bytes());
                    }
                    line(&mut bytes, "]");
                    continue;
                }
                for one in batch {
                    // White space in front of a document is none of it.
                    let (event, start) = (&one.1.json, bytes.len());
                    match shape {
                        2 => line(&mut bytes, &serde_json::to_string_pretty(event).unwrap_or_default()),
                        3 => {
                            let log = event.to_string() + "\n";
                            line(&mut bytes, &json!({"log": log, "stream": "stdout"}).to_string());
                        }
                        _ => line(&mut bytes, &disguised(&mut choices, event.to_string())),
                    }
                    let blank = bytes[start..].iter().take_while(|b| **b == b' ').count();
                    note(&[*one], &bytes[..start + blank]);
                }
            }
            bytes
        })
        .collect();
    Framed { bytes, offsets }
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
