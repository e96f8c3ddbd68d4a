//! Rules of each class of cost that `rules` prints, and events of which each takes all: what the classes are held to.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crate::worked;
use dsl::source::SourceMap;
use engine::frame::blocks::{Block, Blocks};
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;
use engine::plan::cost::{Class, cost};
use engine::state::State;

/// How many rules of a class are asked together, so that what decoding costs does not hide them.
pub const RULES: usize = 100;

/// All classes, the cheapest first.
pub const CLASSES: [Class; 4] = [Class::Fields, Class::Texts, Class::Bodies, Class::EveryEvent];

/// Rules of one class over events that they all look at.
#[derive(Debug)]
pub struct Load {
    plan: Arc<Plan>,
    limits: Limits,
    info: SourceInfo,
    block: Block,
    events: u64,
}

/// The clauses of a rule of a class. None of them holds, but for those of which nearly every event is a match.
fn clauses(class: Class, number: usize) -> String {
    match class {
        Class::Fields => format!("on create of pods where userAgent == \"kubectl-{number}\""),
        Class::Texts => format!("on create of pods where userAgent contains \"kubectl-{number}\""),
        Class::Bodies => {
            format!(
                "on create of pods where any c in containers: (c.image == \"registry.example.com/none:{number}\")"
            )
        }
        Class::EveryEvent => {
            format!("on any of any by user.username when count() >= {} within 1h", 100_000 + number)
        }
    }
}

impl Load {
    /// Rules of a class, or none, over so many events.
    ///
    /// # Panics
    ///
    /// If the rules are not of that class.
    #[must_use]
    pub fn new(class: Option<Class>, events: usize) -> Self {
        let limits = Limits::default();
        let mut text = String::new();
        for (number, class) in (0..RULES).filter_map(|number| class.map(|class| (number, class))) {
            let clauses = clauses(class, number);
            let _ = writeln!(text, "rule r{number} \"R\" {{ severity low {clauses} alert \"x\" }}");
        }
        let mut sources = SourceMap::default();
        sources.add("classes.rule", text);
        let rules = dsl::check::compile(&sources).rules.expect("the rules of a class compile");
        for rule in &rules.rules {
            assert_eq!(Some(cost(rule, &limits).class), class, "{}", rule.name);
        }
        let text: String = (0..events).map(event).collect();
        Self {
            plan: Arc::new(Plan::new(&rules, limits)),
            limits,
            info: SourceInfo { name: "classes".into(), cluster: None },
            block: Blocks::whole(SourceId(0), text.as_bytes()),
            events: events as u64,
        }
    }

    /// Decodes, matches and decides all of it once, and says how long that took. A class is about what a condition takes where
    /// it is asked, so each is asked by itself, and not left out for what is known of others.
    ///
    /// # Panics
    ///
    /// If the rules did not look at every event.
    #[must_use]
    pub fn once(&self) -> Duration {
        let mut state = State::new(self.plan.clone(), self.limits);
        let source = state.add_source(self.info.clone());
        let mut scratch = Scratch::default();
        scratch.index_conditions(false);
        let began = worked();
        state.take(source, match_block(&self.plan, &self.info, &self.block, &mut scratch));
        state.end(source);
        state.finish();
        let took = worked().saturating_sub(began);
        let tally = state.tally();
        assert_eq!(tally.decoded + tally.passed, self.events);
        let rules = tally.rules.iter().take(self.plan.rules.len());
        assert!(rules.into_iter().all(|rule| rule.selected == self.events), "all rules look at all events");
        took
    }
}

/// A pod is made, with its body.
fn event(number: usize) -> String {
    let object = format!(
        "{{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"web-{number}\",\"namespace\":\"shop\"}},\"spec\":{{\
         \"containers\":[{{\"name\":\"main\",\"image\":\"registry.example.com/web:1.2.3\"}},\
         {{\"name\":\"side\",\"image\":\"registry.example.com/proxy:4.5.6\"}}]}}}}"
    );
    let stamp = format!(
        "2026-01-05T00:{:02}:{:02}.{:06}Z",
        number / 60_000 % 60,
        number / 1_000 % 60,
        number % 1_000
    );
    format!(
        "{{\"kind\":\"Event\",\"apiVersion\":\"audit.k8s.io/v1\",\"level\":\"RequestResponse\",\"auditID\":\"id-{number}\",\
         \"stage\":\"ResponseComplete\",\"requestURI\":\"/api/v1/namespaces/shop/pods\",\"verb\":\"create\",\
         \"user\":{{\"username\":\"alice@example.com\",\"groups\":[\"developers\",\"system:authenticated\"]}},\
         \"sourceIPs\":[\"10.240.3.17\"],\"userAgent\":\"kubectl/v1.34.4 (linux/amd64) kubernetes/0000000\",\
         \"objectRef\":{{\"resource\":\"pods\",\"namespace\":\"shop\",\"name\":\"web-{number}\",\"apiVersion\":\"v1\"}},\
         \"responseStatus\":{{\"code\":201}},\"requestObject\":{object},\"responseObject\":{object},\
         \"requestReceivedTimestamp\":\"{stamp}\",\"stageTimestamp\":\"{stamp}\"}}\n"
    )
}
