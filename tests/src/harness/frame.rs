//! Events as bytes, in the shapes that logs have.

use serde_json::{Value, json};

use crate::generate::{Case, Choices};

/// The bytes of each source. Framing is the case's own choice.
#[must_use]
pub fn frame(case: &Case) -> Vec<Vec<u8>> {
    let mut choices = Choices::seeded(case.framing);
    let shape = choices.below(8);
    (0..case.sources.len())
        .map(|source| {
            let of: Vec<_> = case.arrivals.iter().filter(|a| a.source == source).collect();
            let mut bytes = Vec::new();
            let mut rest = of.as_slice();
            while !rest.is_empty() {
                // Wrapped events keep their order; each batch is one document.
                let (batch, after) = rest.split_at(rest.len().min(1 + choices.below(4)));
                rest = after;
                let events: Vec<&Value> = batch.iter().map(|a| &a.json).collect();
                if batch.iter().any(|a| a.envelope_cluster.is_some()) {
                    for arrival in batch {
                        let message = arrival.json.to_string();
                        let mut record = json!({"verb": "x", "message": message});
                        if let Some(cluster) = &arrival.envelope_cluster {
                            record["cluster_uuid"] = json!(cluster);
                        }
                        line(&mut bytes, &record.to_string());
                    }
                    continue;
                }
                match shape {
                    0 => line(
                        &mut bytes,
                        &json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": events})
                            .to_string(),
                    ),
                    1 => line(&mut bytes, &json!(events).to_string()),
                    2 => {
                        for event in events {
                            line(&mut bytes, &serde_json::to_string_pretty(event).unwrap_or_default());
                        }
                    }
                    3 => {
                        for event in events {
                            line(
                                &mut bytes,
                                &json!({"log": event.to_string() + "\n", "stream": "stdout"}).to_string(),
                            );
                        }
                    }
                    _ => {
                        for event in events {
                            line(&mut bytes, &disguised(&mut choices, event.to_string()));
                        }
                    }
                }
            }
            bytes
        })
        .collect()
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
