//! The newest documents seen: the user's own, and the policies that nodes have signed for. Older ones are refused from then on.
//!
//! The caller keeps it as a text and gives it back to the next session; a text that cannot be read is an error, never a fresh start.

use attestation::{Digest, UnixTime};
use policy::{InForce, PolicyError, Remembered};
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::BTreeMap};

/// The layout that this build writes. Of schema 1, `own` is the policy alone; it is read, too.
const SCHEMA: u64 = 2;
const FORMER_SCHEMA: u64 = 1;
/// Largest text read, in bytes.
const MAX_TEXT_BYTES: usize = 128 * 1024;
/// Most policy roots of nodes kept: a fleet has one or two.
const MAX_ROOTS: usize = 256;

/// What was seen under the user's own policy root and under those of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    root: Digest,
    own: Remembered,
    nodes: BTreeMap<Digest, Seen>,
    is_changed: bool,
}

/// The newest policy seen under a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its version.
    pub version: u64,
    /// SHA-256 of its document.
    pub digest: Digest,
}

/// Why a policy version is not taken, or the memory cannot tell; `code()` is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The text is no memory.
    #[error(
        "the memory of policy versions is damaged ({0}); restore it, or remove it if you accept that older policies could be replayed"
    )]
    Corrupt(&'static str),
    /// A document of the user's own is older than one seen, another one of the same version, or missing.
    #[error("{}", lines(.0))]
    Succession(Vec<PolicyError>),
    /// More roots than are kept.
    #[error("more than {MAX_ROOTS} policy roots of nodes were seen")]
    Full,
    /// Lower than the highest seen.
    #[error("policy version {offered} is older than version {seen}, seen before")]
    Rollback {
        /// Offered now.
        offered: u64,
        /// The highest before.
        seen: u64,
    },
    /// The version seen, with other bytes.
    #[error("policy version {version} was seen before with other contents")]
    Equivocation {
        /// The version.
        version: u64,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u64,
    root: String,
    own: Own,
    nodes: BTreeMap<String, Entry>,
}

/// The newest of the user's own documents.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    root: Option<Entry>,
    policy: Option<Entry>,
    inventory: Option<Entry>,
    orders: Option<Entry>,
    timestamp: Option<Entry>,
    obeyed_at: Option<u64>,
}

/// The layout of a former release.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormerDocument {
    schema: u64,
    root: String,
    own: Option<Entry>,
    nodes: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    version: u64,
    digest: String,
}

impl MemoryError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "memory.corrupt",
            Self::Succession(errors) => errors.first().map_or("policy.rollback", PolicyError::code),
            Self::Full => "memory.full",
            Self::Rollback { .. } => "policy.rollback",
            Self::Equivocation { .. } => "policy.equivocation",
        }
    }
}

impl Memory {
    /// Nothing seen yet under the policy root with this digest.
    #[must_use]
    pub fn new(root: Digest) -> Self {
        Self {
            root,
            own: Remembered::default(),
            nodes: BTreeMap::new(),
            is_changed: false,
        }
    }

    /// Takes in what [`Memory::to_text`] gave, here or in another process: of each root the newer version counts.
    pub fn recall(&mut self, text: &[u8]) -> Result<(), MemoryError> {
        let before = Self::from_text(self.root, text)?;
        self.recall_own(&before.own)?;
        for (root, seen) in before.nodes {
            let mut known = self.nodes.get(&root).copied();
            newest(&mut known, seen)?;
            self.nodes.extend(known.map(|known| (root, known)));
        }
        self.check_room()
    }

    /// The newest of the user's own documents.
    #[must_use]
    pub const fn own(&self) -> &Remembered {
        &self.own
    }

    /// Takes the user's own documents, or says why not.
    pub fn observe_own(&mut self, offered: &InForce, now: UnixTime) -> Result<(), MemoryError> {
        let after = self.own.after(offered, now);
        let after = after.map_err(MemoryError::Succession)?;
        let again = Remembered {
            obeyed_at: self.own.obeyed_at,
            ..after
        };
        if again != self.own {
            self.own = after;
            self.is_changed = true;
        }
        Ok(())
    }

    /// Of each document the newer one counts.
    fn recall_own(&mut self, before: &Remembered) -> Result<(), MemoryError> {
        let own = &mut self.own;
        for (known, before) in [
            (&mut own.root, before.root),
            (&mut own.policy, before.policy),
            (&mut own.inventory, before.inventory),
            (&mut own.orders, before.orders),
            (&mut own.timestamp, before.timestamp),
        ] {
            let mut newer = known.map(Seen::of);
            if let Some(before) = before {
                newest(&mut newer, Seen::of(before))?;
            }
            *known = newer.map(|seen| (seen.version, seen.digest));
        }
        own.obeyed_at = own.obeyed_at.max(before.obeyed_at);
        Ok(())
    }

    /// Takes the policy that a node has signed for under `root`, or says why not.
    pub fn observe_node(&mut self, root: &Digest, offered: Seen) -> Result<(), MemoryError> {
        let mut known = self.nodes.get(root).copied();
        if known.is_none() && self.nodes.len() >= MAX_ROOTS {
            return Err(MemoryError::Full);
        }
        self.is_changed |= rise(&mut known, offered)?;
        self.nodes.extend(known.map(|known| (*root, known)));
        Ok(())
    }

    /// Digest of the user's own policy root, which names this memory.
    #[must_use]
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    /// Whether something was learned since the last call: then the text is to be kept before the next call to the gateway.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.is_changed, false)
    }

    /// The text to keep: JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        let nodes = self.nodes.iter();
        let document = Document {
            schema: SCHEMA,
            root: hex::encode(self.root),
            own: Own::of(&self.own),
            nodes: nodes
                .map(|(root, seen)| (hex::encode(root), Entry::from(*seen)))
                .collect(),
        };
        serde_json::to_string(&document).unwrap_or_default()
    }

    fn from_text(root: Digest, text: &[u8]) -> Result<Self, MemoryError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(MemoryError::Corrupt("too large"));
        }
        let document = Document::parse(text)?;
        if document.root != hex::encode(root) {
            return Err(MemoryError::Corrupt("it belongs to another policy root"));
        }
        let nodes = document.nodes.iter();
        let nodes = nodes.map(|(root, entry)| Ok((digest(root)?, Seen::try_from(entry)?)));
        Ok(Self {
            root,
            own: document.own.remembered()?,
            nodes: nodes.collect::<Result<_, MemoryError>>()?,
            is_changed: false,
        })
    }

    fn check_room(&self) -> Result<(), MemoryError> {
        if self.nodes.len() > MAX_ROOTS {
            return Err(MemoryError::Full);
        }
        Ok(())
    }
}

impl Document {
    fn parse(text: &[u8]) -> Result<Self, MemoryError> {
        if let Ok(former) = serde_json::from_slice::<FormerDocument>(text) {
            return Self::of_former(former);
        }
        let document: Self =
            serde_json::from_slice(text).map_err(|_| MemoryError::Corrupt("not its JSON"))?;
        if document.schema != SCHEMA {
            return Err(MemoryError::Corrupt("unknown schema"));
        }
        Ok(document)
    }

    fn of_former(former: FormerDocument) -> Result<Self, MemoryError> {
        if former.schema != FORMER_SCHEMA {
            return Err(MemoryError::Corrupt("unknown schema"));
        }
        Ok(Self {
            schema: SCHEMA,
            root: former.root,
            own: Own {
                policy: former.own,
                ..Own::default()
            },
            nodes: former.nodes,
        })
    }
}

impl Own {
    fn of(own: &Remembered) -> Self {
        let entry = |pair: Option<(u64, Digest)>| pair.map(Seen::of).map(Entry::from);
        Self {
            root: entry(own.root),
            policy: entry(own.policy),
            inventory: entry(own.inventory),
            orders: entry(own.orders),
            timestamp: entry(own.timestamp),
            obeyed_at: own.obeyed_at.map(|time| time.0),
        }
    }

    fn remembered(&self) -> Result<Remembered, MemoryError> {
        let pair = |entry: &Option<Entry>| {
            let seen = entry.as_ref().map(Seen::try_from).transpose()?;
            Ok::<_, MemoryError>(seen.map(|seen| (seen.version, seen.digest)))
        };
        Ok(Remembered {
            root: pair(&self.root)?,
            policy: pair(&self.policy)?,
            inventory: pair(&self.inventory)?,
            orders: pair(&self.orders)?,
            timestamp: pair(&self.timestamp)?,
            obeyed_at: self.obeyed_at.map(UnixTime),
        })
    }
}

impl Seen {
    const fn of((version, digest): (u64, Digest)) -> Self {
        Self { version, digest }
    }
}

fn lines(errors: &[PolicyError]) -> String {
    let lines: Vec<_> = errors.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

/// Whether `offered` is new; an older one, or another one of the same version, is an error.
fn rise(known: &mut Option<Seen>, offered: Seen) -> Result<bool, MemoryError> {
    let Some(seen) = known else {
        *known = Some(offered);
        return Ok(true);
    };
    match offered.version.cmp(&seen.version) {
        Ordering::Less => Err(MemoryError::Rollback {
            offered: offered.version,
            seen: seen.version,
        }),
        Ordering::Equal if offered.digest != seen.digest => Err(MemoryError::Equivocation {
            version: offered.version,
        }),
        Ordering::Equal => Ok(false),
        Ordering::Greater => {
            *seen = offered;
            Ok(true)
        }
    }
}

/// The newer of two; the same version with other bytes is an error.
fn newest(known: &mut Option<Seen>, other: Seen) -> Result<(), MemoryError> {
    match known {
        Some(seen) if seen.version > other.version => Ok(()),
        _ => rise(known, other).map(drop),
    }
}

fn digest(text: &str) -> Result<Digest, MemoryError> {
    let mut digest = Digest::default();
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| MemoryError::Corrupt("a digest is not SHA-256 in hex"))?;
    Ok(digest)
}

impl From<Seen> for Entry {
    fn from(seen: Seen) -> Self {
        Self {
            version: seen.version,
            digest: hex::encode(seen.digest),
        }
    }
}

impl TryFrom<&Entry> for Seen {
    type Error = MemoryError;

    fn try_from(entry: &Entry) -> Result<Self, MemoryError> {
        Ok(Self {
            version: entry.version,
            digest: digest(&entry.digest)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Digest = [1; 32];

    const fn seen(version: u64, byte: u8) -> Seen {
        Seen {
            version,
            digest: [byte; 32],
        }
    }

    fn policy(version: u64) -> InForce {
        let report = tee_sim::Report::of(attestation::snp::Product::Genoa);
        let mut text = tee_sim::PolicyText::admitting(&report, UnixTime(0), UnixTime(2000));
        text.version = version;
        let policy = policy::Policy::from_toml(text.to_toml().as_bytes());
        policy.unwrap().into()
    }

    fn memory_of(version: u64) -> Memory {
        let mut memory = Memory::new(ROOT);
        memory
            .observe_own(&policy(version), UnixTime(1000))
            .unwrap();
        memory
    }

    #[test]
    fn versions_only_rise_under_each_root_by_itself() {
        let mut memory = memory_of(5);
        memory.observe_node(&ROOT, seen(3, 1)).unwrap();
        memory.observe_node(&[2; 32], seen(1, 1)).unwrap();
        let older = memory.observe_own(&policy(4), UnixTime(1001)).unwrap_err();
        assert_eq!(older.code(), "policy.rollback");
        let other = memory.observe_node(&ROOT, seen(3, 2)).unwrap_err();
        assert_eq!(other.code(), "policy.equivocation");
        memory.observe_node(&ROOT, seen(4, 2)).unwrap();
    }

    #[test]
    fn what_was_kept_is_refused_after_a_restart() {
        let mut memory = memory_of(5);
        memory.observe_node(&[2; 32], seen(3, 1)).unwrap();
        assert!(memory.take_changed() && !memory.take_changed());
        let mut restarted = Memory::new(ROOT);
        restarted.recall(memory.to_text().as_bytes()).unwrap();
        assert_eq!(restarted, memory);
        let error = restarted
            .observe_own(&policy(4), UnixTime(1001))
            .unwrap_err();
        assert_eq!(error.code(), "policy.rollback");
        let error = restarted.observe_node(&[2; 32], seen(2, 9)).unwrap_err();
        assert_eq!(error.code(), "policy.rollback");
        restarted.observe_own(&policy(5), UnixTime(1001)).unwrap();
        assert!(!restarted.take_changed());
    }

    #[test]
    fn of_two_memories_the_newer_version_counts() {
        let [mut memory, mut older] = [5, 4].map(memory_of);
        let newer = memory.to_text();
        memory.recall(older.to_text().as_bytes()).unwrap();
        older.recall(newer.as_bytes()).unwrap();
        for memory in [memory, older] {
            let (version, _) = memory.own.policy.unwrap();
            assert_eq!(version, 5);
        }
    }

    #[test]
    fn what_a_former_release_kept_counts() {
        let root = hex::encode(ROOT);
        let entry = format!(r#"{{"version":5,"digest":"{}"}}"#, "01".repeat(32));
        let text = format!(r#"{{"schema":1,"root":"{root}","own":{entry},"nodes":{{}}}}"#);
        let mut memory = Memory::new(ROOT);
        memory.recall(text.as_bytes()).unwrap();
        let error = memory.observe_own(&policy(4), UnixTime(1000)).unwrap_err();
        assert_eq!(error.code(), "policy.rollback");
        memory.observe_own(&policy(6), UnixTime(1000)).unwrap();
    }

    #[test]
    fn a_damaged_text_is_never_a_fresh_start() {
        let good = Memory::new(ROOT).to_text();
        let foreign = Memory::new([9; 32]).to_text();
        let schema = good.replace("\"schema\":2", "\"schema\":3");
        let extra = good.replace("\"own\"", "\"more\":1,\"own\"");
        let digest = good.replace("\"policy\":null", r#""policy":{"version":1,"digest":"00"}"#);
        let large = good.clone() + &" ".repeat(MAX_TEXT_BYTES);
        for text in ["", "{}", &foreign, &schema, &extra, &digest, &large] {
            let error = Memory::new(ROOT).recall(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "memory.corrupt", "{text}");
        }
        Memory::new(ROOT).recall(good.as_bytes()).unwrap();
    }

    #[test]
    fn roots_are_bounded() {
        let mut memory = Memory::new(ROOT);
        for index in 0..MAX_ROOTS {
            let mut root = [0; 32];
            root[..8].copy_from_slice(&index.to_le_bytes());
            memory.observe_node(&root, seen(1, 1)).unwrap();
        }
        let error = memory.observe_node(&[0xff; 32], seen(1, 1)).unwrap_err();
        assert_eq!(error.code(), "memory.full");
    }
}
