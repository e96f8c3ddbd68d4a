use super::*;
use dsl::source::SourceMap;

fn of(clauses: &str) -> Cost {
    let mut sources = SourceMap::default();
    sources.add("t.rule", format!("rule r \"R\" {{ severity low alert \"x\" {clauses} }}"));
    let outcome = dsl::check::compile(&sources);
    let rules = outcome.rules.unwrap_or_else(|| panic!("{:#?}", outcome.diagnostics));
    cost(&rules.rules[0], &Limits::default())
}

#[test]
fn the_class_is_that_of_the_dearest_part() {
    let class = |condition: &str| of(&format!("on create of pods where {condition}")).class;
    assert_eq!(class("user.username == \"a\" and responseStatus.code < 300"), Class::Fields);
    assert_eq!(class("user.username startswith \"a\""), Class::Fields);
    assert_eq!(class("userAgent like \"*kube*\""), Class::Texts);
    assert_eq!(class("userAgent like \"*kube*\" or any c in containers: (c.name == \"x\")"), Class::Bodies);
    let cost = of("on create of pods where any c in containers: (c.name matches 'x')");
    assert_eq!(cost.dear, ["`containers` opens a body", "`matches` looks through texts"]);
}

#[test]
fn what_takes_nearly_all_is_named_only_where_it_is_remembered() {
    let window = "by user.username when count() >= 3 within 5m";
    assert_eq!(of("on any of any").class, Class::Fields);
    assert_eq!(of(&format!("on any of any {window}")).class, Class::EveryEvent);
    assert_eq!(
        of(&format!("on any of any where responseStatus.code < 300 {window}")).class,
        Class::EveryEvent
    );
    assert_eq!(of(&format!("on any of any where responseStatus.code == 401 {window}")).class, Class::Fields);
    assert_eq!(of(&format!("on get of any {window}")).class, Class::Fields);
}

#[test]
fn rules_about_requests_have_a_table() {
    let steps = "asked: on any of any at RequestReceived no answered: on any of any";
    let never = format!("by request_id sequence within 5m {{ {steps} }}");
    let cost = of(&never);
    assert_eq!((cost.class, cost.events_per_key), (Class::EveryEvent, 1));
    assert_eq!(cost.table, Some(Table { bytes_per_settled: 160, bytes_max: 256 << 20 }));
    assert_eq!(
        cost.dear,
        ["every request that matches, and its answer, is looked up in a table of requests"]
    );
    let twice = "by auditID when distinct(request_id) >= 2 within 1h";
    assert!(of(&format!("on any of any {twice}")).table.is_some());
    let few = of(&format!("on delete of pods where userAgent like \"*x*\" {twice}"));
    assert_eq!((few.class, few.dear.len()), (Class::EveryEvent, 2));
    assert_eq!(of(&never.replace("request_id", "verb")).table, None);
}

#[test]
fn memory_is_what_a_full_key_takes() {
    let kept = |clauses: &str| {
        let cost = of(&format!("on get of pods {clauses}"));
        (cost.events_per_key, cost.bytes_per_key)
    };
    assert_eq!(kept(""), (0, 0));
    assert_eq!(kept("by user.username throttle 1m"), (0, KEY_BYTES));
    assert_eq!(kept("when count() >= 3 within 5m"), (1_000, KEY_BYTES + 1_000 * RECORD_BYTES_MAX));
    assert_eq!(kept("when count() >= 5000 within 5m").0, 5_000);
    // As much as a shard has room for.
    assert_eq!(kept("when count() == 3 within 5m").0, (2 << 30) / 64 / RECORD_BYTES + 1);
    assert_eq!(
        kept("when count() == 3 tumbling 5m"),
        (20, KEY_BYTES + OWNER_BYTES_MAX + 20 * RECORD_BYTES_MAX)
    );
    assert_eq!(kept("when silent for 5m"), (1, KEY_BYTES + OWNER_BYTES_MAX + RECORD_BYTES_MAX));
}
