//! The highest policy versions seen: the user's own, and those that nodes have signed for. An older one is refused from then on.
//!
//! The caller keeps it as a text and gives it back to the next session; a text that cannot be read is an error, never a fresh start.

use attestation::Digest;
use serde::{Deserialize, Serialize};
use std::{cmp::Ordering, collections::BTreeMap};

/// The layout that this build writes and reads.
const SCHEMA: u64 = 1;
/// Largest text read, in bytes.
const MAX_TEXT_BYTES: usize = 128 * 1024;
/// Most policy roots of nodes kept: a fleet has one or two.
const MAX_ROOTS: usize = 256;

/// What was seen under the user's own policy root and under those of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    root: Digest,
    own: Option<Seen>,
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
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Corrupt(_) => "memory.corrupt",
            Self::Full => "memory.full",
            Self::Rollback { .. } => "policy.rollback",
            Self::Equivocation { .. } => "policy.equivocation",
        }
    }
}

impl Memory {
    /// Nothing seen yet under the policy root with this digest.
    #[must_use]
    pub const fn new(root: Digest) -> Self {
        Self {
            root,
            own: None,
            nodes: BTreeMap::new(),
            is_changed: false,
        }
    }

    /// Takes in what [`Memory::to_text`] gave, here or in another process: of each root the newer version counts.
    pub fn recall(&mut self, text: &[u8]) -> Result<(), MemoryError> {
        let before = Self::from_text(self.root, text)?;
        if let Some(seen) = before.own {
            newest(&mut self.own, seen)?;
        }
        for (root, seen) in before.nodes {
            let mut known = self.nodes.get(&root).copied();
            newest(&mut known, seen)?;
            self.nodes.extend(known.map(|known| (root, known)));
        }
        self.check_room()
    }

    /// Takes the user's own policy, or says why not.
    pub fn observe_own(&mut self, offered: Seen) -> Result<(), MemoryError> {
        self.is_changed |= rise(&mut self.own, offered)?;
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
            own: self.own.map(Entry::from),
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
        let document: Document =
            serde_json::from_slice(text).map_err(|_| MemoryError::Corrupt("not its JSON"))?;
        if document.schema != SCHEMA {
            return Err(MemoryError::Corrupt("unknown schema"));
        }
        if document.root != hex::encode(root) {
            return Err(MemoryError::Corrupt("it belongs to another policy root"));
        }
        let nodes = document.nodes.iter();
        let nodes = nodes.map(|(root, entry)| Ok((digest(root)?, Seen::try_from(entry)?)));
        Ok(Self {
            root,
            own: document.own.as_ref().map(Seen::try_from).transpose()?,
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

    #[test]
    fn versions_only_rise_under_each_root_by_itself() {
        let mut memory = Memory::new(ROOT);
        memory.observe_own(seen(5, 1)).unwrap();
        memory.observe_node(&ROOT, seen(3, 1)).unwrap();
        memory.observe_node(&[2; 32], seen(1, 1)).unwrap();
        let older = memory.observe_own(seen(4, 1)).unwrap_err();
        assert_eq!(older.code(), "policy.rollback");
        let other = memory.observe_node(&ROOT, seen(3, 2)).unwrap_err();
        assert_eq!(other.code(), "policy.equivocation");
        memory.observe_node(&ROOT, seen(4, 2)).unwrap();
    }

    #[test]
    fn what_was_kept_is_refused_after_a_restart() {
        let mut memory = Memory::new(ROOT);
        memory.observe_own(seen(5, 1)).unwrap();
        memory.observe_node(&[2; 32], seen(3, 1)).unwrap();
        assert!(memory.take_changed() && !memory.take_changed());
        let mut restarted = Memory::new(ROOT);
        restarted.recall(memory.to_text().as_bytes()).unwrap();
        assert_eq!(restarted, memory);
        let error = restarted.observe_own(seen(4, 9)).unwrap_err();
        assert_eq!(error.code(), "policy.rollback");
        let error = restarted.observe_node(&[2; 32], seen(2, 9)).unwrap_err();
        assert_eq!(error.code(), "policy.rollback");
        restarted.observe_own(seen(5, 1)).unwrap();
        assert!(!restarted.take_changed());
    }

    #[test]
    fn of_two_memories_the_newer_version_counts() {
        let mut memory = Memory::new(ROOT);
        memory.observe_own(seen(5, 1)).unwrap();
        let newer = memory.to_text();
        let mut older = Memory::new(ROOT);
        older.observe_own(seen(4, 1)).unwrap();
        memory.recall(older.to_text().as_bytes()).unwrap();
        older.recall(newer.as_bytes()).unwrap();
        for memory in [memory, older] {
            assert_eq!(memory.own, Some(seen(5, 1)));
        }
    }

    #[test]
    fn a_damaged_text_is_never_a_fresh_start() {
        let good = Memory::new(ROOT).to_text();
        let foreign = Memory::new([9; 32]).to_text();
        let schema = good.replace("\"schema\":1", "\"schema\":2");
        let extra = good.replace("\"own\"", "\"more\":1,\"own\"");
        let digest = good.replace("null", r#"{"version":1,"digest":"00"}"#);
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
