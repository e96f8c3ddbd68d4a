//! A few values by hand, from the page.
use super::*;

#[test]
fn times() {
    assert_eq!(time::parse("1970-01-01T00:00:00Z"), Some(0));
    assert_eq!(time::parse("2026-01-05T00:00:00+08:00"), Some(1_767_542_400_000_000_000));
    assert_eq!(time::parse("2024-02-29T23:59:59.1234567891Z"), Some(1_709_251_199_123_456_789));
    for bad in
        ["2023-02-29T00:00:00Z", "2026-01-05 00:00:00Z", "2026-01-05T00:00:60Z", "1600-01-01T00:00:00Z"]
    {
        assert_eq!(time::parse(bad), None, "{bad}");
    }
    assert_eq!(time::render(1_709_251_199_120_000_000), "2024-02-29T23:59:59.120Z");
    assert_eq!(time::render_duration(3_723_500_000_000), "1h2m3.5s");
    assert_eq!(time::weekday(0, "UTC"), Some("thu"));
    assert_eq!(time::minute_of_day(0, "Asia/Shanghai"), Some(480));
}

#[test]
fn texts() {
    assert!(text::like("a\nb*", "a*\\*", false) && text::like("ABC", "a?c", true));
    assert!(!text::like("ab", "a", false) && !text::like("ab", "a??", false));
    assert!(text::equal_folded("\u{212a}", "k"));
    assert_eq!(text::base64_decoded("aGk"), Some(b"hi".to_vec()));
    assert_eq!(text::base64_decoded("aGl"), None);
}

#[test]
fn json_patches() {
    let operations = serde_json::json!([
        {"op": "add", "path": "/spec/list/1/name", "value": "x"},
        {"op": "add", "path": "/spec/list/-", "value": {"name": "y"}},
        {"op": "add", "path": "/spec/list/0", "value": null},
        {"op": "remove", "path": "/metadata/labels/app"},
        {"op": "test", "path": "/status", "value": 1},
    ]);
    let desired = patch::desired(&value::V::closed(&operations), &Poison::default());
    let list = desired.key("spec").key("list");
    let value::V::List(items, value::Extent::Open) = &list else { panic!("{list:?}") };
    assert_eq!(items.len(), 3);
    assert_eq!(items[1].key("name"), value::V::Text("x".to_owned()));
    assert_eq!(items[2].key("name"), value::V::Text("y".to_owned()));
    assert_eq!(desired.key("metadata").key("labels").key("app"), value::V::Absent);
    assert_eq!(desired.key("status"), value::V::Unknown);
}
