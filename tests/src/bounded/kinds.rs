//! The kinds of rules, and what is promised of each past its limits.

use std::sync::OnceLock;

use super::Numbers;

/// How many keys there are.
pub(super) const KEYS: usize = 10;

/// The hash key of a run over a file.
const HASH_KEY: &[u8; 32] = b"auditd-rules: a run over a file.";

/// The cluster of all events, but where clusters are what is chosen.
pub(super) const CLUSTER: &str = "east";

/// What is promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// Nothing is missed: each request that alerts does so here, or within the throttle of another alert of its key or of
    /// what many keys share.
    Misses0,
    /// Nothing is missed: each window that alerts does so here, or one that is shared over the same time.
    Closes0,
    /// What is not of a refused key is exact.
    Refuses,
    /// Nothing that was not shown is known.
    Remembers,
    /// Nothing is held back that need not be.
    HoldsBack,
}

/// A kind.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) promise: Promise,
    /// With `FEW`, `MANY`, `WITHIN`, `GAP` and `THROTTLE`.
    text: &'static str,
    /// It is about clusters, not users.
    pub(super) clusters: bool,
    /// Something is waited for that has no match.
    pub(super) waits: bool,
    pub(super) reach: Reach,
}

/// How far a match of a key matters, in what the kind's numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Within,
    /// A session: to its gap; what was refused may have begun it long ago.
    Gap,
    /// A sequence and its `no` steps.
    Both,
    /// A memory.
    Ever,
}

const fn kind(name: &'static str, promise: Promise, reach: Reach, text: &'static str) -> Kind {
    Kind { name, promise, text, clusters: false, waits: false, reach }
}

pub(super) const ALL: &[Kind] = &[
    kind("count", Promise::Misses0, Reach::Within, "when count() >= FEW within WITHIN"),
    kind("multiple of a count", Promise::Misses0, Reach::Within, "when count() * 2 + 1 > MANY within WITHIN"),
    kind(
        "distinct and a filtered count",
        Promise::Misses0,
        Reach::Within,
        "when distinct(objectRef.name) >= 2 and count(where responseStatus.code == 403) >= FEW within WITHIN",
    ),
    kind(
        "multiple of distinct",
        Promise::Misses0,
        Reach::Within,
        "when distinct(objectRef.name, responseStatus.code) * 2 + 1 > MANY within WITHIN",
    ),
    kind(
        "lengths",
        Promise::Misses0,
        Reach::Within,
        "when sum(len(objectRef.name)) + count(where responseStatus.code == 403) * 2 > MANY within WITHIN",
    ),
    kind(
        "highest and lowest",
        Promise::Misses0,
        Reach::Within,
        "when max(responseStatus.code) > 403 and min(responseStatus.code) <= 200 or count() * 3 > 20 within WITHIN",
    ),
    kind(
        "tumbling count",
        Promise::Closes0,
        Reach::Within,
        "when count() >= FEW and min(responseStatus.code) < 300 tumbling WITHIN",
    ),
    kind(
        "tumbling distinct",
        Promise::Closes0,
        Reach::Within,
        "when distinct(objectRef.name, responseStatus.code) * 2 + 2 > MANY tumbling WITHIN",
    ),
    kind(
        "distinct of lists",
        Promise::Misses0,
        Reach::Within,
        "when distinct(user.groups[], sourceIPs[]) >= MANY within WITHIN",
    ),
    kind(
        "multiple of distinct of lists",
        Promise::Misses0,
        Reach::Within,
        "when distinct(user.groups[], sourceIPs[]) * 2 + 1 > MANY and count() >= 2 within WITHIN",
    ),
    kind(
        "tumbling distinct of lists",
        Promise::Closes0,
        Reach::Within,
        "when distinct(user.groups[], sourceIPs[]) >= MANY tumbling WITHIN",
    ),
    kind(
        "sequence",
        Promise::Misses0,
        Reach::Within,
        "sequence within WITHIN { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 and objectRef.name == a.objectRef.name }",
    ),
    kind(
        "repeated step",
        Promise::Misses0,
        Reach::Within,
        "sequence within WITHIN { a: 2 times on get of pods where responseStatus.code == 403 b: on get of pods where responseStatus.code == 200 }",
    ),
    kind(
        "unordered",
        Promise::Misses0,
        Reach::Within,
        "unordered within WITHIN { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code >= 403 }",
    ),
    kind("count that is", Promise::Refuses, Reach::Within, "when count() == FEW within WITHIN"),
    kind(
        "count below",
        Promise::Refuses,
        Reach::Within,
        "when count() >= 1 and distinct(objectRef.name) < 2 within WITHIN",
    ),
    kind(
        "distinct of lists below",
        Promise::Refuses,
        Reach::Within,
        "when count() >= 1 and distinct(user.groups[], sourceIPs[]) < MANY within WITHIN",
    ),
    kind("average", Promise::Refuses, Reach::Within, "when avg(responseStatus.code) > 300 within WITHIN"),
    kind(
        "sum and lowest",
        Promise::Refuses,
        Reach::Within,
        "when sum(responseStatus.code) - min(responseStatus.code) > 500 within WITHIN",
    ),
    kind(
        "percentile",
        Promise::Refuses,
        Reach::Within,
        "when percentile(responseStatus.code, 50) > 300 tumbling WITHIN",
    ),
    kind("session", Promise::Refuses, Reach::Gap, "when count() >= FEW session gap GAP within 12s"),
    kind(
        "session of few",
        Promise::Refuses,
        Reach::Gap,
        "when distinct(objectRef.name) == 2 session gap GAP within 12s",
    ),
    kind("silence", Promise::Refuses, Reach::Within, "when silent for WITHIN"),
    Kind {
        waits: true,
        ..kind("silence among", Promise::Refuses, Reach::Within, "when silent for WITHIN among users")
    },
    Kind {
        waits: true,
        clusters: true,
        ..kind("silence of each cluster", Promise::Refuses, Reach::Within, "when silent for WITHIN")
    },
    kind(
        "no between",
        Promise::Refuses,
        Reach::Both,
        "sequence within WITHIN { a: on get of pods where responseStatus.code == 200 no n: on get of pods where responseStatus.code == 500 b: on get of pods where responseStatus.code == 403 }",
    ),
    kind(
        "no before",
        Promise::Refuses,
        Reach::Both,
        "sequence within WITHIN { no n within GAP: on get of pods where responseStatus.code == 500 a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 }",
    ),
    kind(
        "no behind",
        Promise::Refuses,
        Reach::Both,
        "sequence within WITHIN { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 no n within GAP: on get of pods where responseStatus.code == 500 }",
    ),
    kind(
        "not answered",
        Promise::Refuses,
        Reach::Both,
        "sequence within WITHIN { a: on get of pods where responseStatus.code == 200 no n: on get of pods where responseStatus.code == 403 and objectRef.name == a.objectRef.name }",
    ),
    kind(
        "unordered without",
        Promise::Refuses,
        Reach::Both,
        "unordered within WITHIN { a: on get of pods where responseStatus.code == 200 b: on get of pods where responseStatus.code == 403 no n: on get of pods where responseStatus.code == 500 }",
    ),
    kind(
        "first seen",
        Promise::Remembers,
        Reach::Ever,
        "when first_seen(objectRef.name) within WITHIN learning GAP",
    ),
    kind(
        "first seen by two",
        Promise::Remembers,
        Reach::Ever,
        "when first_seen(objectRef.name, responseStatus.code) within GAP learning WITHIN",
    ),
    kind(
        "first seen at once",
        Promise::Remembers,
        Reach::Ever,
        "when first_seen(objectRef.name) within WITHIN learning 0s",
    ),
    kind(
        "first seen of lists",
        Promise::Remembers,
        Reach::Ever,
        "when first_seen(user.groups[], sourceIPs[]) within WITHIN learning GAP",
    ),
    kind("throttle", Promise::HoldsBack, Reach::Within, ""),
];

impl Kind {
    /// Its rule, with `THROTTLE` in it.
    pub(super) fn rule(&self, numbers: Numbers) -> String {
        let text = self.text.replace("FEW", &numbers.few.to_string());
        let text = text.replace("MANY", &numbers.many.to_string());
        let text = text.replace("WITHIN", &format!("{}s", numbers.within));
        let text = text.replace("GAP", &format!("{}s", numbers.gap));
        let by = if self.clusters { "" } else { "by user.username " };
        let list = match self.waits && !self.clusters {
            true => format!("list users = [{}]\n", users().map(|user| format!("\"{user}\"")).join(", ")),
            false => String::new(),
        };
        match self.text.contains('{') {
            true => format!("{list}rule r \"t\" {{ severity low {by}{text} THROTTLE alert \"x\" }}\n"),
            false => format!(
                "{list}rule r \"t\" {{ severity low on get of pods {by}{text} THROTTLE alert \"x\" }}\n"
            ),
        }
    }
}

/// Names of users whose groups are all of one shard, wherever a rule `r` looks for them.
pub(super) fn users() -> &'static [&'static str; KEYS] {
    static USERS: OnceLock<[&str; KEYS]> = OnceLock::new();
    USERS.get_or_init(|| found(|name| [shard(Some(CLUSTER), Some(name)), shard(None, Some(name))] == [0, 0]))
}

/// Names of clusters of the same kind.
pub(super) fn clusters() -> &'static [&'static str; KEYS] {
    static CLUSTERS: OnceLock<[&str; KEYS]> = OnceLock::new();
    CLUSTERS.get_or_init(|| found(|name| shard(Some(name), None) == 0))
}

fn found(fits: impl Fn(&str) -> bool) -> [&'static str; KEYS] {
    let mut fitting = (0..).map(|n| format!("n{n}")).filter(|name| fits(name));
    std::array::from_fn(|_| &*Box::leak(fitting.next().unwrap_or_default().into_boxed_str()))
}

/// The virtual shard of a group of the rule `r`: worked out as whoever reads the engine's source can.
fn shard(cluster: Option<&str>, user: Option<&str>) -> usize {
    let field = |bytes: &[u8]| [&[1][..], &(bytes.len() as u64).to_le_bytes(), bytes].concat();
    let rule = blake3::hash(&[b"rule".to_vec(), field(b"r")].concat());
    let mut bytes = field(&rule.as_bytes()[..16]);
    bytes.extend(cluster.map_or(vec![0], |cluster| field(cluster.as_bytes())));
    bytes.extend(user.map_or(vec![], |user| field(format!("t{user}").as_bytes())));
    usize::from(blake3::keyed_hash(HASH_KEY, &bytes).as_bytes()[0]) % engine::limits::VIRTUAL_SHARDS
}
