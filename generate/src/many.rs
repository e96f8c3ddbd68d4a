//! A thousand rules and a log in which each of them has something to find.
//!
//! The rules are made by number from a seed, so the first ten and the first fifty are of the same mix as all: a third look
//! through texts (parts, beginnings, ends, patterns), a fifth are `on any of any` or say what must not be, the rest are
//! equality, sets and numbers, with the conjuncts that the shipped rules have (who is no platform, what succeeded, an `except` about
//! a body). A log of the generator has too few names for a thousand rules that match rarely, so that a rule's own name is
//! written over that of three events of the sample for those that need one; the others are kept only if the sample has a few
//! matches for them. So what is measured is the cost of rules, not that of matches.

use std::fmt::Write;
use std::ops::Range;

use dsl::ir::RuleSet;
use dsl::source::SourceMap;
use engine::frame::blocks::{BLOCK_BYTES, Blocks};
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Scratch, match_block};
use engine::plan::Plan;

use crate::dice::Dice;
use crate::{Generator, Options, Profile};

/// How many rules are made for each that is wanted: some are of what the sample never has, or too often.
const MADE: usize = 2;
/// How many events of the sample a rule may match.
const MATCHES_MAX: u64 = 60;
/// How many events carry a rule's own name.
const PLANTED: usize = 3;

const PLATFORM: &str = "let platform = user.username in [\"system:apiserver\", \"system:kube-controller-manager\", \
     \"system:kube-scheduler\", \"system:kube-proxy\"] or \"system:nodes\" in user.groups\n";

/// Rules, the best mixed first, and a log.
#[derive(Debug)]
pub struct Many {
    rules: Vec<String>,
    /// The log, a line an event.
    pub log: String,
}

/// Where the text under a key stands in a line, behind `after`.
fn text(line: &str, after: &str, key: &str) -> Option<Range<usize>> {
    let from = line.find(after)?;
    let start = from + line.get(from..)?.find(key)? + key.len();
    let end = start + line.get(start..)?.find('"')?;
    Some(start..end)
}

/// The fields in which names are planted: what rules call it, behind which text of the line, its key there.
const FIELDS: [(&str, &str, &str); 5] = [
    ("user.username", "\"user\":{", "\"username\":\""),
    ("userAgent", "\"verb\"", "\"userAgent\":\""),
    ("objectRef.namespace", "\"objectRef\":{", "\"namespace\":\""),
    ("objectRef.name", "\"objectRef\":{", "\"name\":\""),
    ("requestURI", "\"stage\":\"", "\"requestURI\":\""),
];

/// What an event is asked in a rule's `on`.
fn on(line: &str) -> Option<String> {
    let word = |after, key| text(line, after, key).and_then(|at| line.get(at));
    let verb = word("\"stage\":\"", "\"verb\":\"")?;
    let resource = word("\"objectRef\":{", "\"resource\":\"")?;
    let object = line.get(line.find("\"objectRef\":{")?..)?;
    let object = object.get(..object.find('}')?)?;
    let part = |key| text(object, "{", key).and_then(|at| object.get(at));
    let group = part("\"apiGroup\":\"").filter(|group| group.contains('.'));
    let group = group.map_or_else(String::new, |group| format!(".{group}"));
    Some(match part("\"subresource\":\"") {
        Some(sub) => format!("{verb} of {resource}{group}/{sub}"),
        None => format!("{verb} of {resource}{group}"),
    })
}

/// A rule's own name as a value of a field, and what a rule asks of it.
fn own(number: usize, field: usize, textual: bool, dice: &mut Dice) -> (String, String) {
    let name = FIELDS[field].0;
    let value = match field {
        0 => format!("system:serviceaccount:team-{number}:robot-{number}x"),
        1 => format!("agent-{number}x/v1.{} (linux/amd64) kubernetes/{number:07x}", number % 40),
        4 => format!("/api/v1/namespaces/team-{number}/things?fieldManager=tool-{number}x&limit=500"),
        _ => format!("thing-{number}x-{}", number % 17),
    };
    let condition = match (textual, dice.below(5)) {
        (true, 0) => format!("{name} startswith \"{}\"", &value[..value.len() - 2]),
        (true, 1) => format!("{name} endswith \"{}\"", &value[2..]),
        (true, 2) => format!("{name} like \"*-{number}x*\""),
        (true, 3) => format!("{name} matches '-{number}x([^0-9]|$)'"),
        (true, _) => format!("{name} contains \"-{number}x\""),
        (false, 0 | 1) => {
            let others: Vec<String> = (0..12).map(|n| format!("\"other-{number}-{n}\"")).collect();
            format!("{name} in [{}, \"{value}\"]", others.join(", "))
        }
        (false, _) => format!("{name} == \"{value}\""),
    };
    (value, condition)
}

/// What must not be, and nothing that must.
fn negated(number: usize, dice: &mut Dice) -> String {
    let more = [
        format!("userAgent not contains \"agent-{number}y\""),
        format!("user.username != \"nobody-{number}\""),
        format!("objectRef.name not endswith \"-{number}y\""),
        "not user.username startswith \"system:node:\"".to_owned(),
        "not (responseStatus.code in [200, 201])".to_owned(),
        "objectRef.namespace not in [\"kube-system\", \"default\", \"monitoring\"]".to_owned(),
    ];
    let first = dice.below(3);
    let second = 3 + dice.below(3);
    format!("not platform and {} and {}", more[first], more[second])
}

impl Many {
    /// So many rules of the mix, and a log of about so many events like a profile's. Nothing if too few of the rules that are
    /// made match a few events each: a rule needs some twenty events.
    #[must_use]
    pub fn new(wanted: usize, profile: Profile, events: u64, seed: u64) -> Option<Self> {
        let options = Options { events, seed, ..Options::default() };
        let text = Generator::new(profile, options).text();
        let mut lines: Vec<String> = std::str::from_utf8(&text).ok()?.lines().map(str::to_owned).collect();
        // It may be large.
        drop(text);
        let asked = lines.iter().enumerate().filter(|(_, line)| !line.contains("RequestReceived"));
        let asked: Vec<usize> = asked.map(|(at, _)| at).collect();
        let mut dice = Dice::new(seed);
        let rules = (0..wanted * MADE).map(|number| make(number, &mut lines, &asked, &mut dice)).collect();
        let log = lines.into_iter().fold(String::new(), |log, line| log + &line + "\n");
        let mut all = Self { rules, log };
        let counts = all.matches(wanted * MADE)?;
        // In fives of numbers, so that dropping a few leaves the mix.
        let rules = std::mem::take(&mut all.rules).into_iter().zip(counts);
        let kept = rules.filter(|(_, matches)| (1..=MATCHES_MAX).contains(matches));
        all.rules = kept.map(|(rule, _)| rule).take(wanted).collect();
        (all.rules.len() == wanted).then_some(all)
    }

    /// The text of the first so many rules.
    #[must_use]
    pub fn rules(&self, rules: usize) -> String {
        let rules = self.rules.iter().take(rules).map(String::as_str);
        std::iter::once(PLATFORM).chain(rules).collect()
    }

    /// The first so many rules, compiled; nothing if one of them is none.
    #[must_use]
    pub fn compiled(&self, rules: usize) -> Option<RuleSet> {
        let mut sources = SourceMap::default();
        sources.add("many.rule", self.rules(rules));
        dsl::check::compile(&sources).rules
    }

    /// How often each of the first so many rules matches.
    fn matches(&self, rules: usize) -> Option<Vec<u64>> {
        let limits = Limits::default();
        let plan = Plan::new(&self.compiled(rules)?, limits);
        let mut counts = vec![0; plan.rules.len()];
        let mut scratch = Scratch::default();
        let mut blocks = Blocks::new(SourceId(0), BLOCK_BYTES, limits.line_bytes_max);
        let mut count = |blocks: &mut Blocks| {
            while let Some(block) = blocks.pop() {
                for found in match_block(&plan, &SourceInfo::default(), &block, &mut scratch).found {
                    counts[found.rule as usize] += 1;
                }
                blocks.take_back(block);
            }
        };
        // In pieces, so that the log is not there twice.
        for piece in self.log.as_bytes().chunks(BLOCK_BYTES) {
            blocks.push(piece);
            count(&mut blocks);
        }
        blocks.finish();
        count(&mut blocks);
        Some(counts)
    }
}

/// Makes a rule, and writes its name over that of a few events if it has one.
fn make(number: usize, lines: &mut [String], asked: &[usize], dice: &mut Dice) -> String {
    let (any, without) = (number % 10 == 4, number % 10 == 9);
    let textual = number.is_multiple_of(3);
    // A name in the address only where it is looked through, as people do.
    let field = dice.below(if textual { FIELDS.len() } else { FIELDS.len() - 1 });
    let (value, condition) = own(number, field, textual, dice);
    let (_, after, key) = FIELDS[field];
    let mut takes: Option<String> = None;
    let (mut planted, start) = (0, dice.below(asked.len()));
    for at in (0..asked.len().min(20_000)).map(|n| asked[(start + n) % asked.len()]) {
        let line = &mut lines[at];
        // A name that stands there already is another rule's.
        if ["team-", "agent-", "thing-"].iter().any(|own| line.contains(own)) {
            continue;
        }
        let (Some(clause), Some(place)) = (on(line), text(line, after, key)) else { continue };
        if takes.as_ref().is_some_and(|takes| *takes != clause && !any) {
            continue;
        }
        takes = Some(clause);
        if !without {
            line.replace_range(place, &value);
        }
        planted += 1;
        if planted == PLANTED {
            break;
        }
    }
    let takes = takes.unwrap_or_default();
    let on = if any { "any of any" } else { takes.as_str() };
    let mut out = format!("rule many_{number} \"Rule {number}\" {{ severity low on {on} where ");
    if without {
        out.push_str(&negated(number, dice));
    } else {
        out.push_str(&condition);
        out.push_str(["", " and responseStatus.code < 500", " and not platform", ""][dice.below(4)]);
    }
    if dice.below(5) == 0 {
        let _ = match takes.starts_with("create of pods") && !any && takes.len() == "create of pods".len() {
            true => write!(
                out,
                " except any c in containers: (c.image startswith \"trusted.example.com/{number}/\")"
            ),
            false => write!(out, " except userAgent == \"trusted-{number}\""),
        };
    }
    let _ = writeln!(out, " alert \"{{user.username}} {number}\" }}");
    out
}
