//! Pages that were computed for one prompt and serve another that begins alike.
//!
//! A page is found under HMAC-SHA256(cache secret, key of the page before it || its token ids || model digest): whoever lacks
//! the secret cannot name a page, so that there is no hit across secrets that would have to be forbidden.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    CacheSecret,
    decoder::{KvPool, PAGE_TOKENS},
};

/// Names a page's contents and all that precedes them, or the owner of a secret. No Debug.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key([u8; 32]);

/// The keys of one sequence's full pages, made as the sequence grows. No Debug: it holds the secret.
pub(super) struct KeyChain {
    secret: CacheSecret,
    model_digest: [u8; 32],
    owner: Key,
    keys: Vec<Key>,
}

impl KeyChain {
    pub(super) fn new(secret: CacheSecret, model_digest: [u8; 32]) -> Self {
        let owner = digest(&secret, &[b"owner of pages"]);
        Self {
            secret,
            model_digest,
            owner,
            keys: Vec::new(),
        }
    }

    /// Keys of the first `pages` pages of a sequence that begins with `tokens`, which fill them.
    fn keys(&mut self, tokens: &[u32], pages: usize) -> impl Iterator<Item = Key> {
        let filled = tokens.chunks_exact(PAGE_TOKENS);
        for tokens in filled.take(pages).skip(self.keys.len()) {
            let ids: Vec<u8> = tokens.iter().flat_map(|id| id.to_le_bytes()).collect();
            let ids = Zeroizing::new(ids);
            let parent = self.keys.last().map_or([0; 32], |key| key.0);
            let key = digest(&self.secret, &[&parent, &ids, &self.model_digest]);
            self.keys.push(key);
        }
        self.keys.iter().copied().take(pages)
    }
}

fn digest(secret: &CacheSecret, parts: &[&[u8]]) -> Key {
    let mut block = Zeroizing::new([0; 64]);
    block
        .split_at_mut(secret.0.len())
        .0
        .copy_from_slice(&secret.0);
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    parts.iter().for_each(|part| mac.update(part));
    Key(mac.finalize().into_bytes().into())
}

/// Computed pages, each held once for as long as it is kept.
pub(super) struct PrefixCache {
    quota_pages: usize,
    kept: BTreeMap<Key, Kept>,
    /// The pages of each owner, the one to go first first. No owner is without.
    owners: BTreeMap<Key, BTreeSet<(Rank, Key)>>,
    clock: u64,
}

struct Kept {
    page: u32,
    rank: Rank,
}

/// When a page was last used, and how far from its sequence's beginning it is: of pages that were used together the last goes
/// first, since without those before it, it cannot be found.
type Rank = (u64, Reverse<usize>);

impl PrefixCache {
    /// Keeps up to `quota_pages` pages for each secret.
    pub(super) fn new(quota_pages: usize) -> Self {
        Self {
            quota_pages,
            kept: BTreeMap::new(),
            owners: BTreeMap::new(),
            clock: 0,
        }
    }

    /// The longest kept prefix of `tokens` that leaves at least one token to compute; each page is held once more.
    pub(super) fn find(
        &mut self,
        chain: &mut KeyChain,
        tokens: &[u32],
        pool: &mut KvPool,
    ) -> Vec<u32> {
        self.clock += 1;
        let most = tokens.len().saturating_sub(1) / PAGE_TOKENS;
        let (owner, mut found) = (chain.owner, Vec::new());
        for (depth, key) in chain.keys(tokens, most).enumerate() {
            let Some(page) = self.touch(key, owner, depth) else {
                break;
            };
            pool.hold(page);
            found.push(page);
        }
        found
    }

    /// Keeps the pages that `tokens` fill, of which `pages` are the first.
    pub(super) fn keep(
        &mut self,
        chain: &mut KeyChain,
        tokens: &[u32],
        pages: &[u32],
        pool: &mut KvPool,
    ) {
        if self.quota_pages == 0 {
            return;
        }
        self.clock += 1;
        let full = (tokens.len() / PAGE_TOKENS)
            .min(pages.len())
            .min(self.quota_pages);
        let owner = chain.owner;
        for ((depth, key), page) in chain.keys(tokens, full).enumerate().zip(pages) {
            if self.touch(key, owner, depth).is_none() {
                self.insert(key, owner, (*page, depth));
                pool.hold(*page);
            }
        }
        while self
            .owners
            .get(&owner)
            .is_some_and(|pages| pages.len() > self.quota_pages)
        {
            self.evict_of(owner, pool);
        }
    }

    /// Lets go of one page: of the owner who has most, the one that was not used for longest. False: there is none.
    pub(super) fn evict(&mut self, pool: &mut KvPool) -> bool {
        let most = self.owners.iter().max_by_key(|(_, pages)| pages.len());
        match most.map(|(owner, _)| *owner) {
            Some(owner) => {
                self.evict_of(owner, pool);
                true
            }
            None => false,
        }
    }

    /// How many pages would be free if all were let go.
    pub(super) fn evictable(&self, pool: &KvPool) -> usize {
        let alone = |kept: &&Kept| pool.holders(kept.page) == 1;
        self.kept.values().filter(alone).count()
    }

    /// Notes that a page is used now; gives it.
    fn touch(&mut self, key: Key, owner: Key, depth: usize) -> Option<u32> {
        let kept = self.kept.get_mut(&key)?;
        let pages = self.owners.entry(owner).or_default();
        pages.remove(&(kept.rank, key));
        kept.rank = (self.clock, Reverse(depth));
        pages.insert((kept.rank, key));
        Some(kept.page)
    }

    fn insert(&mut self, key: Key, owner: Key, (page, depth): (u32, usize)) {
        let rank = (self.clock, Reverse(depth));
        self.kept.insert(key, Kept { page, rank });
        self.owners.entry(owner).or_default().insert((rank, key));
    }

    fn evict_of(&mut self, owner: Key, pool: &mut KvPool) {
        let Some(pages) = self.owners.get_mut(&owner) else {
            return;
        };
        let first = pages.pop_first();
        if pages.is_empty() {
            self.owners.remove(&owner);
        }
        if let Some(kept) = first.and_then(|(_, key)| self.kept.remove(&key)) {
            pool.let_go(kept.page);
        }
    }
}
