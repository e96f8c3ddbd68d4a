//! How often memory is asked for, once a thread is warm, by events that match nothing: decoding and looking for rules never does; the
//! conditions of a rule that are asked as they are written do so where a value is a list (`groups[]`, the containers of a pod).

use benches::counting::{Counting, asked};
use dsl::source::SourceMap;
use engine::frame::blocks::{Block, Blocks};
use engine::limits::Limits;
use engine::matches::{SourceId, SourceInfo};
use engine::matching::{Decoding, Scratch, match_block};
use engine::plan::Plan;
use generate::{Generator, Options, Profile};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn block(text: &[u8]) -> Block {
    Blocks::whole(SourceId(0), text)
}

/// The lines that match no rule, and what the scratch learnt from them.
fn quiet(plan: &Plan, info: &SourceInfo, text: &[u8], scratch: &mut Scratch) -> Block {
    let mut quiet = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if match_block(plan, info, &block(line), scratch).found.is_empty() {
            quiet.extend_from_slice(line);
        }
    }
    block(&quiet)
}

fn per_thousand(plan: &Plan, profile: &str, decoding: Decoding) -> u64 {
    let info = SourceInfo { name: "log".into(), cluster: None };
    let options = Options { events: EVENTS, ..Options::default() };
    let text = Generator::new(Profile::named(profile).expect("it is there"), options).text();
    let mut scratch = Scratch::default();
    scratch.decode_with(decoding);
    let quiet = quiet(plan, &info, &text, &mut scratch);
    let mut read = 0;
    let mut go = || asked(|| read = match_block(plan, &info, &quiet, &mut scratch).tally.read);
    let (_warm, asked) = (go(), go());
    assert!(read > EVENTS * 9 / 10, "most events match nothing");
    // The list of times grows to its size, and each block has one of rules.
    let of_the_block = 2 + u64::from(read.ilog2());
    asked.saturating_sub(of_the_block) * 1000 / read
}

const EVENTS: u64 = 4_000;

#[test]
fn reading_an_event_takes_no_memory() {
    // A rule that takes many and knows none of their users.
    let mut sources = SourceMap::default();
    let text =
        "rule quiet \"Q\" { severity low on any of any where user.username == \"nobody\" alert \"x\" }";
    sources.add("quiet.rule", text.to_owned());
    let plan = Plan::new(&dsl::check::compile(&sources).rules.expect("it compiles"), Limits::default());
    for profile in ["metadata", "requestresponse"] {
        for decoding in [Decoding::Auto, Decoding::Walk, Decoding::Tape] {
            assert_eq!(per_thousand(&plan, profile, decoding), 0, "{profile} {decoding:?}");
        }
    }
}

#[test]
fn asking_the_shipped_rules_takes_memory_for_few_events() {
    let rules = dsl::check::compile(&benches::shipped()).rules.expect("they compile");
    let plan = Plan::new(&rules, Limits::default());
    for (profile, most) in [("metadata", 60), ("requestresponse", 240)] {
        let found = per_thousand(&plan, profile, Decoding::Auto);
        assert!(found <= most, "{profile}: memory is asked for {found} times in a thousand events");
    }
}
