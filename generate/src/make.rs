//! Events, one request after the other: a line is copied, and its identity and its times are written over the sample's.
//!
//! All that is random comes from one seed, so the same options give the same bytes, in whatever pieces they are taken.

use crate::dice::{Dice, chance};
use crate::profile::{ID_WIDTH, Profile, Request, Template};
use crate::stamp::Stamp;
use crate::wrap::{Form, Wrapper};

/// Between two stages of a request, in microseconds.
const STAGE_MICROS: u64 = 20;
/// How many events an event that is out of order comes too late, at most.
const BEHIND_MAX: usize = 20;

/// What is to be made.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many events.
    pub events: u64,
    /// Of all that is random.
    pub seed: u64,
    /// How the events come.
    pub form: Form,
    /// The share of requests that are attacks.
    pub attacks: f64,
    /// The share of events that come twice.
    pub duplicates: f64,
    /// The share of events that come later than others of a later time.
    pub disorder: f64,
    /// The share of the sample's `RequestReceived` events that are written: recorded logs have one for each request.
    pub received: f64,
    /// Events for each second of the log's time.
    pub rate: u64,
    /// When the log begins, in microseconds since the Unix epoch.
    pub start: u64,
}

impl Default for Options {
    /// As the recorded logs are, at a thousand events a second from 2026-01-05 on.
    fn default() -> Self {
        Self {
            events: 1_000_000,
            seed: 1,
            form: Form::Lines,
            attacks: 0.005,
            duplicates: 0.0,
            disorder: 0.03,
            received: 1.0,
            rate: 1_000,
            start: 1_767_571_200_000_000,
        }
    }
}

/// An attack that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The `auditID` of its request.
    pub audit_id: String,
    /// As the recorded logs' labels name it.
    pub kind: String,
}

/// Makes events.
#[derive(Clone, Debug)]
pub struct Generator {
    profile: Profile,
    options: Options,
    dice: Dice,
    stamp: Stamp,
    wrapper: Wrapper,
    /// Of the next request.
    micros: u64,
    /// How long the request before takes, in microseconds.
    over: u64,
    step: usize,
    made: u64,
    /// Events that come too late, each with the number of the event behind which it comes.
    behind: Vec<(u64, Vec<u8>)>,
    labels: Vec<Label>,
    chances: Chances,
}

#[derive(Clone, Copy, Debug)]
struct Chances {
    attack: u64,
    received: u64,
    duplicate: u64,
    disorder: u64,
}

impl Generator {
    /// A generator that has made nothing yet.
    #[must_use]
    pub fn new(profile: Profile, options: Options) -> Self {
        let profile = if options.form.is_text() { profile.escaped() } else { profile };
        let per_request = 1_000_000 * profile.events_per_request() as u64 / options.rate.max(1);
        Self {
            dice: Dice::new(options.seed),
            stamp: Stamp::new(),
            wrapper: Wrapper::new(options.form),
            micros: options.start,
            over: 0,
            step: usize::try_from(2 * per_request).unwrap_or(usize::MAX).max(1),
            made: 0,
            behind: Vec::new(),
            labels: Vec::new(),
            chances: Chances {
                attack: chance(options.attacks),
                received: chance(options.received),
                duplicate: chance(options.duplicates),
                disorder: chance(options.disorder),
            },
            profile,
            options,
        }
    }

    /// Adds events to `out` until it holds about `bytes` more or all are made. Gives whether there is more to come.
    pub fn fill(&mut self, out: &mut Vec<u8>, bytes: usize) -> bool {
        let until = out.len() + bytes;
        while self.made < self.options.events && out.len() < until {
            self.request(out);
        }
        if self.made < self.options.events {
            return true;
        }
        while let Some((_, line)) = self.behind.pop() {
            self.wrapper.put(out, &line, &mut self.dice);
        }
        self.wrapper.finish(out);
        false
    }

    /// All of it, for what is small.
    #[must_use]
    pub fn text(mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.fill(&mut out, 1 << 20) {}
        out
    }

    /// The attacks made since this was asked last.
    pub fn labels(&mut self) -> Vec<Label> {
        std::mem::take(&mut self.labels)
    }

    /// How many events were made.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made
    }

    fn request(&mut self, out: &mut Vec<u8>) {
        let Self { profile, dice, stamp, .. } = self;
        // The next request begins when this one's last stage is over, so that all disorder is wanted.
        self.micros += self.over + 1 + dice.below(self.step) as u64;
        let attack = dice.happens(self.chances.attack);
        let of = if attack { &profile.attacks } else { &profile.ordinary };
        let Some(Request { kind, events }) = of.get(dice.below(of.len())) else { return };
        self.over = events.len() as u64 * STAGE_MICROS;
        let id = id(dice);
        let received = *stamp.text(self.micros);
        if attack {
            let audit_id = String::from_utf8_lossy(&id).into_owned();
            self.labels.push(Label { audit_id, kind: kind.to_string() });
        }
        let plain = self.wrapper.is_plain() && self.chances.duplicate == 0;
        for (stage, Template { line, opens, id: at, received: received_at, stage: stage_at }) in
            (0..).zip(events)
        {
            if self.made == self.options.events {
                return;
            }
            if *opens && self.chances.received < u64::MAX && !dice.happens(self.chances.received) {
                continue;
            }
            self.made += 1;
            let late = dice.happens(self.chances.disorder);
            let mut apart = Vec::new();
            let place = if plain && !late { &mut *out } else { &mut apart };
            let from = place.len();
            place.extend_from_slice(line);
            if let Some(event) = place.get_mut(from..) {
                patch(event, *at, &id);
                patch(event, *received_at, &received);
                patch(event, *stage_at, stamp.text(self.micros + stage * STAGE_MICROS));
            }
            if late {
                let behind = self.made + 1 + dice.below(BEHIND_MAX) as u64;
                self.behind.push((behind, apart));
            } else if plain {
                out.push(b'\n');
            } else {
                self.wrapper.put(out, &apart, dice);
                if dice.happens(self.chances.duplicate) && self.made < self.options.events {
                    self.made += 1;
                    self.wrapper.put(out, &apart, dice);
                }
            }
            while let Some(due) = self.behind.iter().position(|(behind, _)| *behind <= self.made) {
                let (_, line) = self.behind.swap_remove(due);
                self.wrapper.put(out, &line, dice);
            }
        }
    }
}

fn patch(event: &mut [u8], at: usize, with: &[u8]) {
    if let Some(place) = event.get_mut(at..at + with.len()) {
        place.copy_from_slice(with);
    }
}

/// A version 4 UUID.
fn id(dice: &mut Dice) -> [u8; ID_WIDTH] {
    let (mut high, mut low) = (dice.next(), dice.next());
    let mut text = *b"........-....-4...-a...-............";
    for place in text.iter_mut().filter(|byte| **byte == b'.') {
        let digit = b"0123456789abcdef"[(high & 15) as usize];
        *place = digit;
        high = high >> 4 | low << 60;
        low >>= 4;
    }
    text
}
