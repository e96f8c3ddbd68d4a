//! Tests: the events they make, and what they expect of the alerts.
//!
//! What is expected is read as in the rule's alert text, so it is checked together with the rule and becomes its probes.
//! Events are held to the schema here; their lines are written when the test is run ([`ir::Test::events`]).

use std::collections::BTreeMap;

use super::constant;
use super::event::{self, Said};
use super::hold::Checker;
use super::lower::{AggregatesAt, Lower, Scope};
use super::report::Report;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Expected, Happens, Request, Type};
use crate::limits::TEST_EVENTS_MAX;
use crate::source::Span;
use crate::syntax::ast::{self, EntryKey, ExpectedKind, Happening};

/// Monday 2026-01-05 00:00 UTC, in nanoseconds since the Unix epoch.
pub(crate) const START: i64 = 1_767_571_200_000_000_000;

/// Time zero of a test.
pub(crate) fn start(test: &ast::Test, report: &mut Report) -> i64 {
    let Some(text) = &test.start else { return START };
    constant::parse_time(&text.node).unwrap_or_else(|| {
        let message = format!("`{}` is no time", text.node);
        report.error_help(Code::TestTime, text.span, message, "write it as `\"2026-01-05T08:00:00+01:00\"`");
        START
    })
}

/// The events and the end of a test, with nothing expected yet.
pub(crate) fn lower(test: &ast::Test, rule: usize, verbs: &[String], report: &mut Report) -> ir::Test {
    let start = start(test, report);
    let mut maker = Maker {
        report,
        start,
        verbs,
        given: test.given.as_ref(),
        ids: 0,
        requests: BTreeMap::new(),
        events: 0,
        happens: Vec::new(),
    };
    let mut until: Option<(i64, Span)> = None;
    for happening in &test.happenings {
        match happening {
            Happening::At { at, repeat, as_one, map, .. } => {
                maker.happen(at, repeat.as_ref(), as_one.as_ref(), map);
            }
            Happening::Until(end) => {
                if let Some((_, first)) = until {
                    let diagnostic = Diagnostic::new(Code::ClauseTwice, end.span, "a test ends once");
                    maker.report.add(diagnostic.related(first, "the first `until`"));
                }
                until = time(start, end, maker.report).map(|time| (time, end.span));
            }
        }
    }
    let happens = maker.happens;
    let last = happens.iter().filter_map(Happens::last).max();
    if let (Some((end, span)), Some(last)) = (until, last)
        && end < last
    {
        report.error(Code::TestTime, span, "this is before the test's last event");
    }
    ir::Test {
        rule,
        tuned: test.tuned,
        title: test.title.node.clone(),
        happens,
        start,
        until: until.map(|(end, _)| end),
        expected: Vec::new(),
        span: test.rule.span.to(test.title.span),
    }
}

/// A time of a test; that there is none so far away is reported.
fn time(start: i64, after: &ast::DurationAt, report: &mut Report) -> Option<i64> {
    let time = start.checked_add(after.node);
    if time.is_none() {
        report.error(Code::TestTime, after.span, "this time is beyond the year 2262");
    }
    time
}

/// Makes the events of one test.
struct Maker<'a, 'r> {
    report: &'r mut Report,
    start: i64,
    verbs: &'r [String],
    given: Option<&'a ast::Map>,
    /// How many requests there were.
    ids: u64,
    /// Of `as NAME`: the request's id and when it was received.
    requests: BTreeMap<&'a str, Request>,
    /// How many events there are.
    events: usize,
    happens: Vec<Happens>,
}

impl<'a> Maker<'a, '_> {
    fn happen(
        &mut self,
        at: &ast::DurationAt,
        repeat: Option<&(ast::Spanned<f64>, ast::DurationAt)>,
        as_one: Option<&'a ast::Name>,
        map: &'a ast::Map,
    ) {
        let mut said = Said::default();
        for layer in self.given.into_iter().chain([map]) {
            said.lay(layer, self.report);
        }
        Checker { report: self.report, verbs: self.verbs }.check(&said);
        let Some(first) = time(self.start, at, self.report) else { return };
        let Some(times) = self.times(repeat) else { return };
        let every = repeat.map_or(0, |(_, every)| every.node);
        if self.events + times > TEST_EVENTS_MAX {
            let span = repeat.map_or(map.span, |(times, _)| times.span);
            let message = format!("this test makes more than {TEST_EVENTS_MAX} events");
            return self.report.error(Code::TestTooLarge, span, message);
        }
        self.events += times;
        let request = self.request(as_one, times as u64, first);
        let numbered = repeat.is_some();
        let happens =
            Happens { first, times: times as u64, every, numbered, request, written: said.written() };
        if happens.last().is_none() {
            let span = repeat.map_or(map.span, |(_, every)| every.span);
            self.report.error(Code::TestTime, span, "this goes on beyond the year 2262");
        }
        self.happens.push(happens);
    }

    fn times(&mut self, repeat: Option<&(ast::Spanned<f64>, ast::DurationAt)>) -> Option<usize> {
        let Some((times, _)) = repeat else { return Some(1) };
        let whole = times.node.fract() == 0.0 && times.node >= 1.0;
        if !whole {
            self.report.error(Code::TestTime, times.span, "an event happens once or several times");
            return None;
        }
        // More than a test may have is told by the caller.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, above 0 and bounded"
        )]
        let times = times.node.min(TEST_EVENTS_MAX as f64 + 1.0) as usize;
        Some(times)
    }

    /// The request of so many events, the first of them `at`: all `as` one name share it, and when it was received.
    fn request(&mut self, as_one: Option<&'a ast::Name>, times: u64, at: i64) -> Request {
        let next = self.ids + 1;
        let Some(name) = as_one else {
            self.ids += times;
            return Request::Own(next);
        };
        let request = self.requests.entry(&name.node).or_insert_with(|| {
            self.ids = next;
            Request::One(next, at)
        });
        request.clone()
    }
}

impl<'a> Lower<'a, '_> {
    /// What a test expects of its rule's alerts; new values that it reads are put to the probes.
    pub(crate) fn expected(
        &mut self,
        test: &'a ast::Test,
        alert: &Scope<'a>,
        probes: &mut Vec<(String, ir::Expr)>,
    ) -> Vec<Expected> {
        let start = start(test, self.report);
        let none = test.expected.iter().find(|one| matches!(one.kind, ExpectedKind::NoAlert));
        if let (Some(none), true) = (none, test.expected.len() > 1) {
            self.report.error(
                Code::TestExpectation,
                none.span,
                "a test that expects no alert expects nothing else",
            );
        }
        let aggregates = match alert.aggregates {
            AggregatesAt::Here => AggregatesAt::Known,
            other => other,
        };
        let scope = Scope { aggregates, ..alert.clone() };
        let mut all = Vec::new();
        for expected in &test.expected {
            match &expected.kind {
                ExpectedKind::NoAlert => all.push(Expected::None),
                ExpectedKind::Alerts(count) => {
                    let whole = count.node.fract() == 0.0 && (0.0..9e15).contains(&count.node);
                    if !whole {
                        self.report.error(
                            Code::TestExpectation,
                            count.span,
                            "alerts are counted in whole numbers",
                        );
                    }
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_sign_loss,
                        reason = "reported unless whole"
                    )]
                    all.push(Expected::Count(count.node as u64, expected.span));
                }
                ExpectedKind::Alert { at, map } => {
                    let at = at.as_ref().and_then(|at| time(start, at, self.report));
                    let entries = map.as_ref().map(|map| map.entries.as_slice()).unwrap_or_default();
                    let mut read = Vec::new();
                    for entry in entries {
                        read.extend(self.within(scope.clone(), |lower| lower.probe(entry, probes)));
                    }
                    all.push(Expected::Alert { at, probes: read, span: expected.span });
                }
                ExpectedKind::Error => {}
            }
        }
        all
    }

    fn probe(
        &mut self,
        entry: &'a ast::Entry,
        probes: &mut Vec<(String, ir::Expr)>,
    ) -> Option<(u32, String)> {
        let expr = match &entry.key {
            EntryKey::Value(expr) => expr,
            EntryKey::Text(text) => {
                let message =
                    "what is expected is read as in an alert text, and a quoted text is only itself";
                let help = format!("write `{}` without quotes", text.node);
                self.report.error_help(Code::TestExpectation, text.span, message, help);
                return None;
            }
        };
        let value = self.value(expr);
        if value.ty.is_poison() {
            return None;
        }
        let json = &entry.value;
        let fits = value.each && matches!(json.node, ast::Json::List(_))
            || match &json.node {
                ast::Json::Null => true,
                ast::Json::Text(_) => value
                    .ty
                    .may(|ty| matches!(ty, Type::Text | Type::Time | Type::Duration | Type::TimeOfDay)),
                ast::Json::Number(_) => value.ty.may(|ty| *ty == Type::Number),
                ast::Json::Bool(_) => value.ty.may(|ty| *ty == Type::Bool),
                ast::Json::List(_) => value.ty.may(|ty| matches!(ty, Type::List(_))),
                ast::Json::Map(_) => value.ty.may(|ty| matches!(ty, Type::Map(_) | Type::Object(_))),
            };
        if !fits {
            let quote = self.quote(expr.span);
            let message = format!("`{quote}` is {}, not {}", value.ty.says(), event::says(&json.node));
            self.report.error(Code::TestExpectation, json.span, message);
            return None;
        }
        if let ast::Json::Text(text) = &json.node {
            self.check_literal(&value, &ir::Literal::Text(text.clone()), json.span);
        }
        let name = self.canonical(expr);
        let number = probes.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            probes.push((name, value.expr));
            probes.len() - 1
        });
        Some((u32::try_from(number).unwrap_or(u32::MAX), event::json(&json.node, 0).to_string()))
    }
}
