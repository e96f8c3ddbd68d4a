use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::frame::blocks::Blocks;
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use serde_json::Value;

use super::describe::{Describer, Table};
use super::*;

fn made(name: &str, options: Options) -> Vec<u8> {
    Generator::new(Profile::named(name).unwrap(), options).text()
}

fn describe(bytes: &[u8]) -> Table {
    let mut describer = Describer::default();
    describer.push(bytes);
    describer.finish()
}

fn few() -> Options {
    Options { events: 3_000, ..Options::default() }
}

/// The shares of a recorded log and of what is made after it.
#[test]
fn what_is_made_is_like_the_log_it_is_made_after() {
    for name in NAMES {
        let recorded = Table::read(Profile::described(name).unwrap()).unwrap();
        let table = describe(&made(name, Options { events: 40_000, ..Options::default() }));
        let (want, found) = (recorded.json(), table.json());
        let near = |what: &str, want: &Value, found: &Value, most: f64| {
            let (want, found) = (want.as_f64().unwrap_or(0.0), found.as_f64().unwrap_or(0.0));
            assert!((want - found).abs() <= most, "{name}: {what} {found} and not {want}");
        };
        for group in ["stages", "levels", "verbs", "resources"] {
            let names: std::collections::BTreeSet<&String> = [&want[group], &found[group]]
                .into_iter()
                .filter_map(Value::as_object)
                .flat_map(|of| of.keys())
                .collect();
            for key in names {
                near(&format!("{group} {key}"), &want[group][key], &found[group][key], 0.03);
            }
        }
        for key in ["escaped", "quoted", "request_bodies", "response_bodies"] {
            near(key, &want[key], &found[key], 0.03);
        }
        near("out_of_order", &want["out_of_order"], &found["out_of_order"], 0.02);
        // Lines above 60,000 bytes are not in the sample; in the log with all bodies they are a quarter of all bytes.
        for (key, share) in [("mean", 0.30), ("p50", 0.05), ("p90", 0.10), ("p99", 0.25)] {
            let of = want["bytes"][key].as_f64().unwrap();
            near(key, &want["bytes"][key], &found["bytes"][key], of * share);
        }
        assert_eq!(found["undecodable"], 0);
    }
}

/// The tables that are kept with the profiles are those of the recorded logs, where these are at hand; `BLESS=1` writes
/// them.
#[test]
fn the_kept_tables_are_those_of_the_recorded_logs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let data = std::env::var_os("AUDIT_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from);
    for name in NAMES {
        let Ok(packed) = std::fs::read(data.join(format!("recorded/{name}.log.gz"))) else {
            eprintln!("no recorded logs here");
            return;
        };
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut text).unwrap();
        if std::env::var_os("BLESS").is_some() {
            let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/{name}.json"));
            std::fs::write(kept, format!("{:#}\n", describe(&text).json())).unwrap();
            continue;
        }
        assert_eq!(describe(&text), Table::read(Profile::described(name).unwrap()).unwrap(), "{name}");
    }
}

/// How many events, and in how many of them the shipped rules find something.
fn matched(bytes: &[u8]) -> (usize, usize) {
    let mut sources = dsl::source::SourceMap::default();
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
    for entry in std::fs::read_dir(rules).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rule") {
            sources.add(path.display().to_string(), std::fs::read_to_string(&path).unwrap());
        }
    }
    let rules = dsl::check::compile(&sources).rules.unwrap();
    let plan = Arc::new(Plan::new(&rules, Limits::default()));
    let block = Blocks::whole(SourceId(0), bytes);
    let matches = match_block(&plan, &SourceInfo::default(), &block, &mut Scratch::default());
    assert!(matches.tally.undecodable.is_empty(), "{:?}", matches.tally.undecodable.first());
    let mut events: Vec<u32> = matches.found.iter().map(|found| found.event).collect();
    events.dedup();
    (matches.times.len(), events.len())
}

#[test]
fn one_event_in_a_thousand_matches_the_shipped_rules_in_every_form() {
    for name in NAMES {
        for (form_name, form) in Form::ALL {
            let (events, matched) = matched(&made(name, Options { form, ..few() }));
            assert_eq!(events, 3_000, "{name} {form_name}");
            assert!(matched * 1_000 >= events, "{name} {form_name}: {matched} of {events} match");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_whatever_pieces() {
    let whole = made("metadata", few());
    let mut pieces = Vec::new();
    let mut generator = Generator::new(Profile::named("metadata").unwrap(), few());
    while generator.fill(&mut pieces, 777) {}
    assert!(whole == pieces);
    assert!(whole != made("metadata", Options { seed: 2, ..few() }));
}

#[test]
fn labels_name_the_requests_that_are_attacks() {
    let options = Options { attacks: 0.1, ..few() };
    let mut generator = Generator::new(Profile::named("metadata").unwrap(), options);
    let mut out = Vec::new();
    while generator.fill(&mut out, 1 << 20) {}
    let (text, labels) = (String::from_utf8(out).unwrap(), generator.labels());
    assert!(labels.len() > 100, "{}", labels.len());
    for label in &labels[..100] {
        assert!(text.contains(&label.audit_id) && !label.kind.is_empty(), "{label:?}");
    }
    assert!(
        Generator::new(Profile::named("metadata").unwrap(), Options { attacks: 0.0, ..few() })
            .labels()
            .is_empty()
    );
}

#[test]
fn duplicates_and_disorder_are_as_asked() {
    let share =
        |options: Options, key: &str| describe(&made("metadata", options)).json()[key].as_f64().unwrap();
    let base = Options { events: 20_000, disorder: 0.0, ..Options::default() };
    assert!(share(base.clone(), "duplicates") == 0.0 && share(base.clone(), "out_of_order") == 0.0);
    let doubled = share(Options { duplicates: 0.1, ..base.clone() }, "duplicates");
    assert!((0.07..0.11).contains(&doubled), "{doubled}");
    let disordered = share(Options { disorder: 0.1, ..base }, "out_of_order");
    assert!((0.08..0.12).contains(&disordered), "{disordered}");
}

#[test]
fn times_are_those_of_the_calendar() {
    let mut stamp = crate::stamp::Stamp::new();
    let mut text = |micros| String::from_utf8(stamp.text(micros).to_vec()).unwrap();
    assert_eq!(text(0), "1970-01-01T00:00:00.000000Z");
    assert_eq!(text(951_782_400_000_001), "2000-02-29T00:00:00.000001Z");
    assert_eq!(text(1_767_571_200_123_456), "2026-01-05T00:00:00.123456Z");
    assert_eq!(text(4_102_444_799_999_999), "2099-12-31T23:59:59.999999Z");
}
