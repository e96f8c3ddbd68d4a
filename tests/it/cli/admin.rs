//! The admin port of a run, asked as Prometheus and a kubelet would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Place, event, log};

/// What a path answers: the status, and what comes behind the head.
fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
}

/// Prometheus' own reader of figures must take them, and find nothing to say of their names.
fn promtool(figures: &str) {
    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(_) if std::env::var_os("CI").is_none() => return eprintln!("there is no promtool: passed over"),
        Err(error) => panic!("promtool: {error}"),
    };
    child.stdin.take().unwrap().write_all(figures.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.is_empty(), "{said}\n{figures}");
}

#[test]
fn figures_follow_the_run() {
    let place = Place::new();
    place.write("a.toml", "[admin]\nlisten = 0\n");
    let words = ["run", "set.rule", "--from", "-", "--config", "a.toml"];
    let mut child = place.command(&words).stdin(Stdio::piped()).spawn().unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("admin port on http://").unwrap_or_else(|| panic!("{line}")).to_owned();
    assert!(address.starts_with("127.0.0.1:"), "{address}");
    let mut give = child.stdin.take().unwrap();
    give.write_all((log() + "not json\n" + &event(30, "ann", "get", "pods", "web")).as_bytes()).unwrap();
    let want = [
        "auditd_rules_events_total{outcome=\"decoded\"} 25",
        "auditd_rules_undecodable_total{reason=\"not_json\"} 1",
        "auditd_rules_rule_alerts_total{rule=\"secret_get\"} 1",
        "auditd_rules_source_clock_seconds{source=\"-\"} ",
        "auditd_rules_shed_total{what=\"window\"} 0",
    ];
    let begun = Instant::now();
    let figures = loop {
        let (status, figures) = get(&address, "/metrics");
        assert_eq!(status, "200");
        if want.iter().all(|line| figures.contains(line)) {
            break figures;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{figures}");
        std::thread::sleep(Duration::from_millis(100));
    };
    promtool(&figures);
    assert_eq!(get(&address, "/healthz").0, "200");
    assert_eq!(get(&address, "/readyz"), ("200".to_owned(), "ready\n".to_owned()));
    // Whoever takes the same port is told so.
    place.write("b.toml", format!("[admin]\nlisten = \"{address}\"\n"));
    place
        .run(&["run", "set.rule", "--from", "audit.log", "--config", "b.toml"])
        .ends(4)
        .says("cannot listen on");
    drop(give);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
