//! Text for people: alerts, times, sizes.
//!
//! Names in events are what somebody typed: whatever could steer a terminal is escaped before it is printed.

use std::fmt::Write as _;

use dsl::ir::Severity;
use engine::alert::{Alert, Evidence};
use engine::matches::EventMeta;
use engine::time::write_rfc3339;

/// A time as alerts write it.
pub(crate) fn time(nanos: i64) -> String {
    let mut text = Vec::new();
    write_rfc3339(nanos, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A number of bytes with a unit.
pub(crate) fn bytes(count: f64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut rest = count;
    let mut unit = 0;
    while rest >= 1024.0 && unit + 1 < UNITS.len() {
        rest /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{rest:.0} {}", UNITS[unit]) } else { format!("{rest:.1} {}", UNITS[unit]) }
}

/// A text without anything that could steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// An alert in a few lines: what, then who did what to which, then where it stands in the log.
pub(crate) fn alert(alert: &Alert, colour: bool) -> String {
    let (on, off) = if colour { (paint(alert.rule.severity), "\x1b[0m") } else { ("", "") };
    let mut out = format!(
        "{}  {on}{:<8}{off}  {}  {}\n",
        time(alert.time),
        alert.rule.severity.word(),
        alert.rule.name,
        printable(&alert.message)
    );
    // Writing to a string does not fail.
    let _ok = match &alert.completing {
        Some(meta) => write!(out, "    {}", request(meta)),
        None => write!(out, "    no event"),
    };
    if alert.count > 1 {
        let _ok = write!(out, "; {} events", alert.count);
    }
    if alert.suppressed > 0 {
        let _ok = write!(out, "; {} like it held back before", alert.suppressed);
    }
    for note in &alert.notes {
        let _ok = write!(out, "; {note}");
    }
    if let Some(last) = alert.events.last() {
        let _ok = write!(out, "\n    {}", evidence(last));
    }
    out
}

/// Who did what to which.
fn request(meta: &EventMeta) -> String {
    let mut what = format!("{} {}", meta.verb, meta.resource.as_deref().unwrap_or("-"));
    for (before, part) in [("/", &meta.subresource), (" ", &meta.namespace), ("/", &meta.name)] {
        if let Some(part) = part {
            what.extend([before, part]);
        }
    }
    let code = meta.code.map_or_else(|| "-".to_owned(), |code| code.to_string());
    let user = meta.username.as_deref().unwrap_or("-");
    let from = if meta.source_ips.is_empty() { "-".to_owned() } else { meta.source_ips.join(", ") };
    let mut out = format!("{} by {} from {} ({code})", printable(&what), printable(user), printable(&from));
    if let Some(as_whom) = &meta.impersonated {
        out.extend([", as ", &printable(as_whom)]);
    }
    out
}

/// Where an event stands in its log.
pub(crate) fn evidence(evidence: &Evidence) -> String {
    let meta = &evidence.meta;
    let heard = meta.alert.as_deref();
    let what = match (heard, meta.stage) {
        (Some(heard), None) => format!("alert of {}", heard.rule),
        (None, None) => "no event".to_owned(),
        (_, Some(_)) => format!("auditID {}", printable(&meta.audit_id)),
    };
    if heard.is_some_and(|heard| heard.event_time.is_none()) {
        return what;
    }
    format!("{what}, {} at byte {}", printable(&evidence.source), meta.offset)
}

fn paint(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "\x1b[1;31m",
        Severity::High => "\x1b[31m",
        Severity::Medium => "\x1b[33m",
        Severity::Low => "\x1b[36m",
        Severity::Info | Severity::None => "\x1b[2m",
    }
}
