use super::*;
use crate::limits::{EVENT_LIST_MAX, EVENT_TEXT_BYTES_MAX};
use crate::matches::SourceId;
use crate::plan::cost::RECORD_BYTES_MAX;
use crate::state::no_event;

fn seen_of(meta: EventMeta) -> Seen {
    Seen { effective: 0, late: false, dry_run_unknown: false, meta: Arc::new(meta) }
}

#[test]
fn little_counts_as_the_constants_and_much_as_it_is() {
    let mut meta = no_event(SourceId(0), 0);
    assert_eq!(seen(&seen_of(meta.clone())), RECORD_BYTES);
    meta.username = Some("x".repeat(5_000).into());
    assert!((5_000..6_000).contains(&seen(&seen_of(meta.clone()))));
    meta.groups = vec!["y".repeat(100).into(); 100];
    assert!((16_000..21_000).contains(&seen(&seen_of(meta))));
    let brought = |captures| Waiting { seen: seen_of(no_event(SourceId(0), 0)), number: 0, captures };
    let text = Value::Text("z".repeat(1_000).into());
    assert_eq!(waiting(&brought(vec![])), RECORD_BYTES + VALUE_BYTES);
    let deep = Value::Map {
        entries: vec![("k".into(), Value::List { items: vec![text.clone(); 3], open: false })],
        open: false,
    };
    let all = waiting(&brought(vec![text, deep])) - RECORD_BYTES;
    assert!((4_000..4_800).contains(&all), "{all}");
}

#[test]
fn what_is_kept_of_an_event_is_at_most_what_is_said() {
    let text: Arc<str> = "x".repeat(EVENT_TEXT_BYTES_MAX + "…".len()).into();
    let mut meta = no_event(SourceId(0), 0);
    for of in [
        &mut meta.username,
        &mut meta.impersonated,
        &mut meta.user_agent,
        &mut meta.resource,
        &mut meta.subresource,
        &mut meta.namespace,
        &mut meta.name,
    ] {
        *of = Some(text.clone());
    }
    meta.verb = text.clone();
    meta.audit_id = "\u{10FFFF}".repeat(crate::limits::AUDIT_ID_CHARS_MAX).into();
    let share = crate::limits::EVENT_LIST_BYTES_MAX / EVENT_LIST_MAX;
    meta.groups = vec!["y".repeat(share).into(); EVENT_LIST_MAX];
    meta.groups.push("…".into());
    meta.source_ips = meta.groups.clone();
    let most = seen(&seen_of(meta));
    assert!(most <= RECORD_BYTES_MAX && most > RECORD_BYTES_MAX * 7 / 10, "{most}");
}
