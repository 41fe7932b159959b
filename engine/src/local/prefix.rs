//! Pages that were computed for one prompt and serve another that begins alike.
//!
//! A page is found under HMAC-SHA256(cache secret, key of the page before it || its token ids || model digest): whoever lacks
//! the secret cannot name a page, so that there is no hit across secrets that would have to be forbidden.
//!
//! Whoever computed a page keeps it on account: so many under one secret, so many under all of a tenant's secrets, and when memory is short
//! the tenant who keeps most lets go first. Tenants share out room here and nothing else: a page is found by its name, whoever keeps it.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    CacheSecret, TenantId,
    decoder::{PAGE_TOKENS, Pages},
};

/// Names a page's contents and all that precedes them, or the owner of a secret. No Debug.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key([u8; 32]);

/// The keys of one sequence's full pages, made as the sequence grows. No Debug: it holds the secret.
pub(super) struct KeyChain {
    secret: CacheSecret,
    model_digest: [u8; 32],
    account: Account,
    keys: Vec<Key>,
}

/// Who keeps pages: a tenant, under one secret. No Debug.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Account {
    tenant: TenantId,
    owner: Key,
}

impl KeyChain {
    pub(super) fn new(secret: CacheSecret, tenant: TenantId, model_digest: [u8; 32]) -> Self {
        let owner = digest(&secret, &[b"owner of pages"]);
        Self {
            secret,
            model_digest,
            account: Account { tenant, owner },
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

/// How many pages may be kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    /// By a tenant under one secret.
    pub(super) per_secret: usize,
    /// By a tenant in all. Who is nobody in particular may keep more.
    pub(super) per_tenant: usize,
}

/// Computed pages, each held once for as long as it is kept.
pub(super) struct PrefixCache {
    quota: Quota,
    kept: BTreeMap<Key, Kept>,
    /// The pages of each account. No account is without.
    accounts: BTreeMap<Account, KeptPages>,
    clock: u64,
}

/// Kept pages, the one to go first first.
type KeptPages = BTreeSet<(Rank, Key)>;

struct Kept {
    page: u32,
    rank: Rank,
    account: Account,
}

/// When a page was last used, and how far from its sequence's beginning it is: of pages that were used together the last goes
/// first, since without those before it, it cannot be found.
type Rank = (u64, Reverse<usize>);

impl PrefixCache {
    /// Keeps up to `quota`.
    pub(super) fn new(quota: Quota) -> Self {
        Self {
            quota,
            kept: BTreeMap::new(),
            accounts: BTreeMap::new(),
            clock: 0,
        }
    }

    /// The longest kept prefix of `tokens` that leaves at least one token to compute; each page is held once more.
    pub(super) fn find(
        &mut self,
        chain: &mut KeyChain,
        tokens: &[u32],
        pool: &mut Pages,
    ) -> Vec<u32> {
        self.clock += 1;
        let most = tokens.len().saturating_sub(1) / PAGE_TOKENS;
        let mut found = Vec::new();
        for (depth, key) in chain.keys(tokens, most).enumerate() {
            let Some(page) = self.touch(key, depth) else {
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
        pool: &mut Pages,
    ) {
        let account = chain.account;
        let most = self.quota.per_secret.min(self.most_of(account.tenant));
        if most == 0 {
            return;
        }
        self.clock += 1;
        let full = (tokens.len() / PAGE_TOKENS).min(pages.len()).min(most);
        for ((depth, key), page) in chain.keys(tokens, full).enumerate().zip(pages) {
            if self.touch(key, depth).is_none() {
                self.insert(key, account, (*page, depth));
                pool.hold(*page);
            }
        }
        self.settle(account, pool);
    }

    /// Lets go of one page, if there is one: of the tenant who keeps most, under the secret that most are kept under, the one that was not
    /// used for longest.
    pub(super) fn evict(&mut self, pool: &mut Pages) -> bool {
        let largest = self.largest_tenant();
        match largest.and_then(|tenant| self.largest_account(tenant)) {
            Some(account) => {
                self.evict_of(account, pool);
                true
            }
            None => false,
        }
    }

    /// How many pages would be free if all were let go.
    pub(super) fn evictable(&self, pool: &Pages) -> usize {
        let alone = |kept: &&Kept| pool.holders(kept.page) == 1;
        self.kept.values().filter(alone).count()
    }

    /// Lets go of what `account` and its tenant keep above their quotas.
    fn settle(&mut self, account: Account, pool: &mut Pages) {
        while self.count(account) > self.quota.per_secret {
            self.evict_of(account, pool);
        }
        while self.count_of(account.tenant) > self.most_of(account.tenant) {
            let Some(oldest) = self.oldest_account(account.tenant) else {
                return;
            };
            self.evict_of(oldest, pool);
        }
    }

    fn most_of(&self, tenant: TenantId) -> usize {
        match tenant == TenantId::default() {
            true => usize::MAX,
            false => self.quota.per_tenant,
        }
    }

    fn count(&self, account: Account) -> usize {
        self.accounts.get(&account).map_or(0, KeptPages::len)
    }

    fn count_of(&self, tenant: TenantId) -> usize {
        self.accounts_of(tenant).map(|(_, pages)| pages.len()).sum()
    }

    fn accounts_of(&self, tenant: TenantId) -> impl Iterator<Item = (&Account, &KeptPages)> {
        let at = |owner| Account { tenant, owner };
        self.accounts
            .range(at(Key([0; 32]))..=at(Key([u8::MAX; 32])))
    }

    fn largest_account(&self, tenant: TenantId) -> Option<Account> {
        let accounts = self.accounts_of(tenant);
        let largest = accounts.max_by_key(|(_, pages)| pages.len());
        largest.map(|(account, _)| *account)
    }

    /// The account with the page that was not used for longest.
    fn oldest_account(&self, tenant: TenantId) -> Option<Account> {
        let accounts = self.accounts_of(tenant);
        let oldest = accounts.min_by_key(|(_, pages)| pages.first().map(|(rank, _)| *rank));
        oldest.map(|(account, _)| *account)
    }

    fn largest_tenant(&self) -> Option<TenantId> {
        let mut tenants: BTreeMap<TenantId, usize> = BTreeMap::new();
        for (account, pages) in &self.accounts {
            *tenants.entry(account.tenant).or_default() += pages.len();
        }
        let largest = tenants.into_iter().max_by_key(|(_, pages)| *pages);
        largest.map(|(tenant, _)| tenant)
    }

    /// Notes that a page is used now, by whoever; gives it.
    fn touch(&mut self, key: Key, depth: usize) -> Option<u32> {
        let kept = self.kept.get_mut(&key)?;
        let pages = self.accounts.entry(kept.account).or_default();
        pages.remove(&(kept.rank, key));
        kept.rank = (self.clock, Reverse(depth));
        pages.insert((kept.rank, key));
        Some(kept.page)
    }

    fn insert(&mut self, key: Key, account: Account, (page, depth): (u32, usize)) {
        let rank = (self.clock, Reverse(depth));
        let kept = Kept {
            page,
            rank,
            account,
        };
        self.kept.insert(key, kept);
        let pages = self.accounts.entry(account).or_default();
        pages.insert((rank, key));
    }

    fn evict_of(&mut self, account: Account, pool: &mut Pages) {
        let Some(pages) = self.accounts.get_mut(&account) else {
            return;
        };
        let first = pages.pop_first();
        if pages.is_empty() {
            self.accounts.remove(&account);
        }
        if let Some(kept) = first.and_then(|(_, key)| self.kept.remove(&key)) {
            pool.let_go(kept.page);
        }
    }
}
