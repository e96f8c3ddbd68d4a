//! What `bench` measures is right: its own events under its own rules, engine and reference side by side; and the command itself,
//! with few events, through the binary.

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use engine::event::bare::Bare;
use engine::limits::Limits;
use generate::{Form, Generator, Many, NAMES, Options, Profile, rules};
use tests::harness::{AtOnce, difference, run};
use tests::reference::{Arrival, Poison, Settings, Source, answer};

use crate::cli::Place;

fn compiled(text: String) -> RuleSet {
    let mut sources = SourceMap::default();
    sources.add("bench.rule", text);
    let outcome = dsl::check::compile(&sources);
    outcome.rules.unwrap_or_else(|| panic!("{:?}", outcome.diagnostics))
}

fn made(profile: &str, options: Options) -> Vec<u8> {
    Generator::new(Profile::named(profile).unwrap(), options).text()
}

/// Engine and reference on made-up events; gives how many alerts there were.
fn agree(name: &str, rules: &RuleSet, profile: &str, options: Options) -> usize {
    agree_on(name, rules, made(profile, options))
}

fn agree_on(name: &str, rules: &RuleSet, plain: Vec<u8>) -> usize {
    let lines = plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let arrivals: Vec<Arrival> =
        lines.map(|line| Arrival::event(0, serde_json::from_slice(line).unwrap())).collect();
    let limits = Limits::default();
    let settings = Settings { lateness: limits.lateness, request_memory: limits.request_memory, until: None };
    let sources = [Source { name: name.to_owned(), cluster: None }];
    let expected = answer(rules, &sources, &arrivals, settings, &Poison::default());
    let (alerts, tally) = run(rules, limits, 1 << 16, &[(name.to_owned(), None, plain)]);
    let differs = difference(rules, &expected.alerts, &alerts, AtOnce::Whole);
    assert!(differs.is_none(), "{name}: {}", differs.unwrap_or_default());
    assert_eq!((tally.decoded + tally.passed, tally.late), (expected.decoded, expected.late), "{name}");
    assert!(tally.undecodable.is_empty(), "{name}");
    alerts.len()
}

#[test]
fn engine_and_reference_agree_on_what_bench_measures() {
    for (name, text) in [("ten", rules::TEN), ("latency", rules::LATENCY), ("keys", rules::KEYS)] {
        let rules = compiled(text.to_owned());
        for (profile, received) in [(NAMES[0], 1.0), (NAMES[0], 1.0 / 9.0), (NAMES[0], 0.0), (NAMES[1], 1.0)]
        {
            let options = Options { events: 3_000, received, ..Options::default() };
            let alerts = agree(&format!("{name}, {profile}, {received}"), &rules, profile, options);
            let least = if name == "keys" { 0 } else { 3 };
            assert!(alerts >= least, "{name}, {profile}, {received}: {alerts} alerts");
        }
    }
    let many = Many::new(100, Profile::named(NAMES[0]).unwrap(), 5_000, 1).unwrap();
    let alerts = agree_on("many", &many.compiled(100).unwrap(), many.log.into_bytes());
    assert!(alerts >= 100, "{alerts} alerts: each rule matches");
}

#[test]
fn events_of_stage_received_are_as_many_as_asked_for() {
    for (received, least, most) in [(1.0, 0.44, 0.54), (1.0 / 9.0, 0.07, 0.13), (0.0, 0.0, 0.0)] {
        let options = Options { events: 20_000, received, disorder: 0.0, ..Options::default() };
        let text = String::from_utf8(made(NAMES[0], options)).unwrap();
        let found = text.lines().filter(|line| line.contains("\"stage\":\"RequestReceived\"")).count();
        let share = found as f64 / text.lines().count() as f64;
        assert_eq!(text.lines().count(), 20_000);
        assert!((least..=most).contains(&share), "{received}: {share}");
    }
}

#[test]
fn bench_measures_every_target_and_says_what_was_missed() {
    let place = Place::new();
    let ran = place.run(&["bench", "--events", "2000", "--turns", "1", "--format", "json"]).ends(0);
    let rows = ran.json();
    for target in [1, 2, 4, 5, 6, 7, 8] {
        let of: Vec<_> = rows.iter().filter(|row| row["target"] == target).collect();
        assert!(of.iter().any(|row| row["reached"].is_boolean()), "target {target}: {rows:#?}");
        assert!(of.iter().all(|row| row["value"].as_f64().is_some_and(|value| value > 1e-7)), "{of:#?}");
    }
    let ratios = rows.iter().filter(|row| row["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0)).count();
    assert!(ratios >= 11, "{rows:#?}");
    let ten =
        |row: &&serde_json::Value| row["name"].as_str().is_some_and(|name| name.starts_with("ten rules"));
    assert!(rows.iter().filter(ten).all(|row| row["alerts"].as_u64().is_some_and(|alerts| alerts > 2)));
    // Nothing is left behind, and people can read it.
    let ran =
        place.run(&["bench", "--from", "audit.log", "--turns", "1", "--format", "human", "set.rule"]).ends(0);
    assert!(ran.out.contains("2 rules of the pack") && ran.out.contains("of bare scan"), "{}", ran.out);
    place.run(&["bench", "--only", "nothing"]).ends(2);
}

#[test]
fn what_generate_makes_is_read_in_every_form() {
    let place = Place::new();
    for (form, _) in Form::ALL {
        for profile in NAMES {
            let words =
                ["generate", "--events", "700", "--form", form, "--profile", profile, "--attacks", "0.1"];
            let made = place.run(&words).ends(0);
            place.write("made.log", &made.out);
            let ran = place.run(&["run", "--from", "made.log", "--summary", "sum.json"]).ends(0);
            let sum: serde_json::Value = serde_json::from_str(&place.read("sum.json")).unwrap();
            assert_eq!(
                (&sum["events"]["read"], &sum["events"]["undecodable"]),
                (&700.into(), &0.into()),
                "{form}"
            );
            assert!(!ran.json().is_empty(), "{form}, {profile}: nothing matched");
            assert!(sum["memory_peak_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{sum}");
        }
    }
}

#[test]
fn generate_writes_labels_and_describes_logs() {
    let place = Place::new();
    let words =
        ["generate", "--events", "2000", "--attacks", "0.2", "--labels", "labels.tsv", "--received", "0"];
    let made = place.run(&words).ends(0);
    assert_eq!(place.run(&words).ends(0).out, made.out, "the same seed");
    assert!(!made.out.contains("\"stage\":\"RequestReceived\""));
    let labels = place.read("labels.tsv");
    let known = labels.lines().filter(|line| {
        line.split_once('\t').is_some_and(|(id, kind)| !kind.is_empty() && made.out.contains(id))
    });
    assert!(known.count() > 100, "{labels}");
    place.write("made.log", &made.out);
    let ran = place.run(&["generate", "--describe", "made.log", "--format", "json"]).ends(0);
    let table = &ran.json()[0];
    assert_eq!((&table["events"], &table["undecodable"]), (&2000.into(), &0.into()));
    assert!(table["stages"]["ResponseComplete"].as_f64().is_some_and(|share| share > 0.9), "{table}");
    let ran = place.run(&["generate", "--describe", "made.log", "--format", "human"]).ends(0);
    assert!(ran.out.contains("out of order") && ran.out.contains("verbs"), "{}", ran.out);
    place.run(&["generate", "--describe", "none.log"]).ends(4);
    place.run(&["generate"]).ends(2);
}

#[test]
fn the_bare_scan_understands_what_is_made_and_nothing_cut_off() {
    for profile in NAMES {
        let text = made(profile, Options { events: 2_000, ..Options::default() });
        let mut bare = Bare::default();
        bare.lines(&text);
        assert_eq!(bare.scanned + bare.declined, 2_000);
        // A few of recorded logs have a field that it does not know, such as the details of a status before the code.
        assert!(bare.declined * 100 <= 2_000, "{profile}: {} declined", bare.declined);
        let mut bare = Bare::default();
        for line in text.split(|byte| *byte == b'\n').take(200) {
            bare.lines(&line[..line.len().saturating_sub(1)]);
        }
        assert_eq!(bare.scanned, 0, "{profile}");
    }
}
