//! The index: it names every step that the selector takes, for any rules and any event.

use dsl::ir::{self, Groups, StagePick};
use proptest::prelude::*;

use super::*;
use crate::event::Decoder;
use crate::frame::Kind;
use crate::limits::Limits;
use crate::plan::Plan;

fn words(choices: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(choices).prop_map(str::to_owned), 0..3)
}

fn target() -> impl Strategy<Value = Target> {
    let name = prop::option::of(prop::sample::select(&["pods", "secrets", ""][..]).prop_map(str::to_owned));
    let groups = prop_oneof![Just(Groups::Any), words(&["", "apps"]).prop_map(Groups::OneOf)];
    let subresource = prop_oneof![
        Just(ir::Subresource::None),
        Just(ir::Subresource::Any),
        Just(ir::Subresource::Only("exec".to_owned())),
    ];
    let resource = (name, groups, subresource)
        .prop_map(|(name, groups, subresource)| Target::Resource(Resource { name, groups, subresource }));
    let path = (prop::sample::select(&["/api", "/", "/a b"][..]), any::<bool>())
        .prop_map(|(path, prefix)| Target::NonResource { path: path.to_owned(), prefix });
    prop_oneof![3 => resource, 1 => path]
}

fn selector() -> impl Strategy<Value = ir::Selector> {
    let verbs = prop_oneof![
        words(&["get", "list", "post"]).prop_map(Verbs::Only),
        words(&["get", "watch"]).prop_map(Verbs::AllBut),
    ];
    let list = || prop::collection::vec(target(), 0..3);
    let targets = prop_oneof![
        list().prop_map(Targets::Only),
        list().prop_map(Targets::AllBut),
        list().prop_map(Targets::ResourcesBut),
    ];
    let stage = prop_oneof![
        Just(StagePick::Outcome),
        Just(StagePick::Any),
        Just(StagePick::Only(ir::Stage::RequestReceived)),
    ];
    (verbs, targets, stage).prop_map(|(verbs, targets, stage)| ir::Selector {
        verbs,
        targets,
        stage,
        including_dry_run: false,
    })
}

fn rule(number: usize, steps: Vec<ir::Selector>) -> ir::Rule {
    let span = dsl::source::Span::new(dsl::source::SourceId(0), 0, 0);
    let step = |on| ir::Step {
        name: None,
        on: ir::On::Events(on),
        times: 1,
        no: None,
        condition: None,
        excepts: vec![],
        key: vec![],
        lent: vec![],
    };
    ir::Rule {
        name: format!("r{number}"),
        title: String::new(),
        severity: ir::Severity::Low,
        tags: vec![],
        about: String::new(),
        see: vec![],
        disabled: number.is_multiple_of(5),
        steps: steps.into_iter().map(step).collect(),
        across_clusters: false,
        shape: ir::Shape::Each,
        throttle: 0,
        alert: vec![],
        aggregates: vec![],
        probes: vec![],
        vars: 0,
        span,
    }
}

fn event() -> impl Strategy<Value = serde_json::Value> {
    let text = |choices: &'static [&'static str]| prop::option::of(prop::sample::select(choices));
    (
        prop::sample::select(&["get", "list", "watch", "post", "odd"][..]),
        text(&["pods", "secrets", "nodes", ""]),
        text(&["exec", "status"]),
        text(&["", "apps", "batch"]),
        text(&["/api", "/api/v1?x", "/a%20b", "/%61pi#x"]),
        prop::sample::select(&["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"][..]),
    )
        .prop_map(|(verb, resource, subresource, group, uri, stage)| {
            serde_json::json!({
                "kind": "Event", "auditID": "a", "stage": stage, "verb": verb, "requestURI": uri,
                "stageTimestamp": "2026-01-05T00:00:00Z",
                "objectRef": {"resource": resource, "subresource": subresource, "apiGroup": group},
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(crate::testing::cases(512)))]
    #[test]
    fn no_step_is_left_out(
        rules in prop::collection::vec(prop::collection::vec(selector(), 1..3), 0..6),
        events in prop::collection::vec(event(), 1..6),
    ) {
        let rules = rules.into_iter().enumerate().map(|(n, steps)| rule(n, steps)).collect();
        let plan = Plan::new(&ir::RuleSet { rules, ..ir::RuleSet::default() }, Limits::default());
        let mut decoder = Decoder::default();
        for event in events {
            decoder.frame(event.to_string().as_bytes(), Kind::Document, &mut |row| {
                let row = row.unwrap();
                let all = steps(&plan.rules).filter(|(_, _, on)| selector::takes(on, row));
                let all: Vec<StepId> = all.map(|(rule, step, _)| StepId { rule, step }).collect();
                let mut named = plan.index.candidates(row).to_vec();
                assert!(named.is_sorted());
                named.retain(|id| {
                    let on = plan.rules[id.rule as usize].steps[id.step as usize].on.events();
                    selector::takes(on.unwrap(), row)
                });
                assert_eq!(named, all);
            });
        }
    }
}

#[test]
fn verbs_and_resources_narrow_it_down() {
    let plan = crate::eval::tests::plan(
        "rule a \"t\" { severity low on get of pods alert \"x\" }
         rule b \"t\" { severity low on any of any resource but pods alert \"x\" }
         rule c \"t\" { severity low on any but get of pods, secrets alert \"x\" }
         rule d \"t\" { severity low on get of nonresource \"/healthz\" alert \"x\" }",
    );
    let named = |verb: &str, resource: Option<&str>| -> Vec<u32> {
        let event =
            crate::eval::tests::event(serde_json::json!({"verb": verb, "objectRef": {"resource": resource}}));
        let mut out = Vec::new();
        Decoder::default().frame(event.to_string().as_bytes(), Kind::Document, &mut |row| {
            out = plan.index.candidates(row.unwrap()).iter().map(|id| id.rule).collect();
        });
        out
    };
    // What is taken out by `but` is left to the selector.
    assert_eq!(named("get", Some("pods")), [0, 1]);
    assert_eq!(named("odd", Some("secrets")), [1, 2]);
    assert_eq!(named("get", Some("other")), [1]);
    assert_eq!(named("get", None), [3]);
    assert_eq!(named("odd", None), [0; 0]);
}
