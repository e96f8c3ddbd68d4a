use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn open() -> Admin {
    Admin::open("127.0.0.1:0".parse().unwrap()).unwrap()
}

fn ask(admin: &Admin, request: &str) -> String {
    let mut stream = TcpStream::connect(admin.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(admin: &Admin, path: &str) -> String {
    ask(admin, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
}

#[test]
fn figures_are_shown_as_prometheus_reads_them() {
    let admin = open();
    assert!(get(&admin, "/metrics").ends_with("\r\n\r\n"), "there are none yet");
    let alerts = Family {
        name: "alerts_total",
        help: "Alerts told.",
        kind: Kind::Counter,
        labels: &["rule"],
        samples: vec![(vec!["b".to_owned()], 2.0), (vec!["a \"\\\n".to_owned()], 1.0)],
    };
    let clock = Family {
        name: "clock_seconds",
        help: "The clock.",
        kind: Kind::Gauge,
        labels: &[],
        samples: vec![(vec![], 1.5)],
    };
    let none = Family { name: "none_total", samples: Vec::new(), ..alerts.clone() };
    admin.show(vec![alerts, clock, none]);
    let told = get(&admin, "/metrics");
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"), "{head}");
    assert_eq!(
        body,
        "# HELP alerts_total Alerts told.\n# TYPE alerts_total counter\nalerts_total{rule=\"a \\\"\\\\\\n\"} 1\nalerts_total{rule=\"b\"} 2\n\
         # HELP clock_seconds The clock.\n# TYPE clock_seconds gauge\nclock_seconds 1.5\n"
    );
}

#[test]
fn a_run_is_ready_when_it_says_so_and_alive_while_it_moves() {
    let admin = open();
    assert!(get(&admin, "/readyz").starts_with("HTTP/1.1 503"));
    assert!(get(&admin, "/readyz").ends_with("not ready: it is being started\n"));
    admin.waits_for(None);
    assert!(get(&admin, "/readyz").starts_with("HTTP/1.1 200"));
    admin.waits_for(Some("kafka://b:9092".to_owned()));
    assert!(get(&admin, "/readyz").ends_with("not ready: kafka://b:9092\n"));
    assert!(get(&admin, "/healthz").starts_with("HTTP/1.1 200"));
    let Some(before) = Instant::now().checked_sub(STUCK_AFTER + Duration::from_secs(2)) else {
        return; // The machine was started just now.
    };
    admin.shown().lived = before;
    assert!(get(&admin, "/healthz").ends_with("the run has not moved for 32 s\n"));
    admin.lives();
    assert!(get(&admin, "/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn what_is_no_question_gets_an_answer_too() {
    let admin = open();
    assert!(get(&admin, "/").starts_with("HTTP/1.1 404"));
    let post = ask(&admin, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert!(post.starts_with("HTTP/1.1 405") && post.contains("allow: GET, HEAD"), "{post}");
    assert!(ask(&admin, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    // Whoever says nothing keeps nobody else waiting.
    let _silent: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(admin.address()).unwrap()).collect();
    assert!(get(&admin, "/healthz").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_port_that_is_taken_is_refused_in_words() {
    let admin = open();
    let error = Admin::open(admin.address()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {}: ", admin.address())), "{error}");
}
