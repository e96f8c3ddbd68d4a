//! Keyed hashes: which group a match belongs to, and which virtual shard remembers it.
//!
//! Group keys are an attacker's choice. They are remembered as 128 bits of a keyed hash, so that a long user agent costs
//! no more than a short one and nobody without the hash key can aim at a shard or at another's group. A deterministic
//! default key is right for a bounded run over a file; who serves strangers gives a random one, kept with the state.

use std::hash::{BuildHasher, DefaultHasher, Hasher};

use crate::event::identity;
use crate::limits::VIRTUAL_SHARDS;
use crate::matches::{Match, Value};

/// The key of all keyed hashes of a state.
pub type HashKey = [u8; 32];

/// A group: rule, cluster and key parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupId(pub(crate) [u8; 16]);

impl GroupId {
    /// Of matches that are remembered in no group.
    pub(crate) const NONE: Self = Self([0; 16]);

    /// The virtual shard that owns it.
    pub(crate) fn shard(self) -> usize {
        usize::from(self.0[0]) % VIRTUAL_SHARDS
    }
}

/// `fields(..)` of `docs/semantics.md`: absent or length and bytes, part by part.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    pub(crate) fn tagged(tag: &str) -> Self {
        Self(tag.as_bytes().to_vec())
    }

    pub(crate) fn part(&mut self, part: Option<&[u8]>) {
        identity::fields([part], &mut self.0);
    }

    /// Key parts as scalars' bytes.
    pub(crate) fn key(&mut self, key: &[Value]) {
        let mut scratch = Vec::new();
        for part in key {
            scratch.clear();
            identity::scalar(part, &mut scratch);
            self.part(Some(&scratch));
        }
    }

    /// The first 16 bytes of the plain hash: identities that everybody can check.
    pub(crate) fn identity(&self) -> [u8; 16] {
        identity::hash(&self.0)
    }

    fn keyed(&self, key: &HashKey) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&blake3::keyed_hash(key, &self.0).as_bytes()[..16]);
        out
    }
}

/// A rule wherever it stands: made of its name, so that what is remembered outlives its number.
pub(crate) type RuleId = [u8; 16];

pub(crate) fn rule_id(name: &str) -> RuleId {
    let mut fields = Fields::tagged("rule");
    fields.part(Some(name.as_bytes()));
    fields.identity()
}

/// The group of a match of a rule.
pub(crate) fn group(key: &HashKey, m: &Match, rule: &RuleId, across_clusters: bool) -> GroupId {
    let cluster =
        if across_clusters && !crate::planted::planted(39) { None } else { m.meta.cluster.as_deref() };
    group_of(key, rule, cluster, &m.key)
}

/// The group of these parts of a key.
pub(crate) fn group_of(key: &HashKey, rule: &RuleId, cluster: Option<&str>, parts: &[Value]) -> GroupId {
    let mut fields = Fields::default();
    fields.part(Some(rule));
    if !crate::planted::planted(23) {
        fields.part(cluster.map(str::as_bytes));
    }
    fields.key(parts);
    GroupId(fields.keyed(key))
}

/// The group in which all keys of a shard live that came when there was no room for more.
pub(crate) fn overflow_group(key: &HashKey, rule: &RuleId, shard: usize) -> GroupId {
    let mut fields = Fields::tagged("overflow");
    fields.part(Some(rule));
    fields.part(Some(&(shard as u64).to_le_bytes()));
    let mut id = fields.keyed(key);
    id[0] = u8::try_from(shard).unwrap_or(0);
    GroupId(id)
}

/// The hasher of the tables that hold requests; keyed like everything else.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keyed(u64);

impl Keyed {
    /// The place of a request, or of what stands for one, among those of a rule.
    pub(crate) fn place(self, rule: &RuleId, subject: &[u8; 16]) -> GroupId {
        let mut id = [0; 16];
        for (half, salt) in id.chunks_exact_mut(8).zip([0_u8, 1]) {
            half.copy_from_slice(&self.hash_one((salt, rule, subject)).to_le_bytes());
        }
        GroupId(id)
    }

    pub(crate) fn new(key: &HashKey) -> Self {
        let mut half = [0; 8];
        half.copy_from_slice(&blake3::keyed_hash(key, b"tables").as_bytes()[..8]);
        Self(u64::from_le_bytes(half))
    }
}

impl BuildHasher for Keyed {
    type Hasher = DefaultHasher;

    fn build_hasher(&self) -> DefaultHasher {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher
    }
}
