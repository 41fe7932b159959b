//! One gateway, one policy: what was admitted, and what was seen.

use crate::{
    AdmittedNode, Flow, Memory, Request, RequestId, Seen, SessionError, offer::Offer, public_key,
};
use attestation::{Cache, UnixTime, Verifier};
use policy::{
    Admitted, Appraiser, Denial, Envelope, Files, InForce, Policy, PolicyError, Publication,
    Reason, Refusal, Root, TrustRoot,
};
use protocol::CacheSecret;
use std::{collections::BTreeMap, sync::Arc};

/// Fills a buffer with cryptographically secure random bytes; false: it could not.
pub type Random = fn(&mut [u8]) -> bool;

/// What a build is made of; no setting changes it.
pub struct Composition {
    /// Whose evidence counts.
    pub verifier: Verifier,
    /// What is made of a policy that was opened and parsed: nothing, in what ships.
    pub policy: fn(Policy) -> Policy,
    /// The source of nonces and request ids.
    pub random: Random,
}

/// What the user gives.
pub struct Settings<'a> {
    /// The policy: a DSSE envelope in JSON, as `narthex policy sign` writes it.
    pub policy: &'a [u8],
    /// What is published beside it.
    pub beside: Beside<'a>,
    /// The root document that says whose documents count, instead of keys: a DSSE envelope in JSON.
    pub policy_root: Option<&'a [u8]>,
    /// The public keys that may sign policies, PEM.
    pub policy_keys: &'a [&'a [u8]],
    /// How many of them must have signed; all if it is `None`.
    pub threshold: Option<usize>,
    /// The country that answers must come from, ISO 3166-1 alpha-2.
    pub residency: Option<&'a str>,
    /// With whom cached state may be shared: 32 bytes that nobody else knows; nobody, if it is `None`.
    pub cache_secret: Option<&'a [u8]>,
    /// The time at which the session is opened.
    pub now: UnixTime,
}

/// The files that a team publishes beside its policy, each if there is one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// `roots.jsonl`.
    pub roots: Option<&'a [u8]>,
    /// `inventory.json`.
    pub inventory: Option<&'a [u8]>,
    /// `orders.jsonl`.
    pub orders: Option<&'a [u8]>,
    /// `timestamp.json`.
    pub timestamp: Option<&'a [u8]>,
}

/// A client of one gateway under one policy.
pub struct Session {
    pub(crate) appraiser: Appraiser,
    pub(crate) residency: Option<String>,
    pub(crate) cache_secret: Option<CacheSecret>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) nodes: BTreeMap<String, Arc<AdmittedNode>>,
    /// What earlier appraisals verified.
    pub(crate) verified: Cache,
    memory: Memory,
    random: Random,
    latest: UnixTime,
}

impl Composition {
    /// The vendors' pinned roots: all that a module that ships knows of.
    #[must_use]
    pub fn vendor(random: Random) -> Self {
        Self {
            verifier: Verifier::vendor(),
            policy: |policy| policy,
            random,
        }
    }
}

impl Session {
    /// Verifies what is published under its root. `remembered` is what [`Memory::to_text`] gave before; documents older than those it knows
    /// are refused.
    pub fn open(
        composition: Composition,
        settings: &Settings<'_>,
        remembered: Option<&[u8]>,
    ) -> Result<Self, SessionError> {
        let root = root(settings)?;
        let mut memory = Memory::new(*root.anchor());
        if let Some(text) = remembered {
            memory.recall(text)?;
        }
        let now = memory.own().now(settings.now);
        let publication = Publication::parse(&files(settings));
        let in_force = publication.and_then(|publication| publication.verify(&root, now));
        let in_force = in_force.map_err(SessionError::Policy)?;
        memory.observe_own(&in_force, now)?;
        let in_force = in_force.map_policy(composition.policy);
        Ok(Self {
            appraiser: Appraiser::new(composition.verifier, in_force),
            residency: residency(settings.residency)?,
            cache_secret: cache_secret(settings.cache_secret)?,
            offers: Vec::new(),
            nodes: BTreeMap::new(),
            verified: Cache::new(),
            memory,
            random: composition.random,
            latest: now,
        })
    }

    /// The anchor of the policy root in hexadecimal: names the memory before a session is opened.
    pub fn root_name(settings: &Settings<'_>) -> Result<String, SessionError> {
        Ok(hex::encode(root(settings)?.anchor()))
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.appraiser.policy()
    }

    /// What is in force: the policy, and what is published beside it.
    #[must_use]
    pub const fn in_force(&self) -> &InForce {
        self.appraiser.in_force()
    }

    /// What was seen, to be kept by the caller.
    pub const fn memory(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The nodes that are admitted now.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<AdmittedNode>> {
        self.nodes.values()
    }

    /// Begins one request, under a request id of its own.
    pub fn start(&self, request: Request) -> Result<Flow, SessionError> {
        Ok(Flow::new(request, RequestId(self.random()?)))
    }

    /// The time of a step: never before that of an earlier step, since an admission must not outlive a clock set back.
    pub(crate) fn at(&mut self, now: UnixTime) -> UnixTime {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Whether anything may be sealed now: no order stops everything, and the lease runs.
    pub(crate) fn check_standing(&self, now: UnixTime) -> Result<(), SessionError> {
        self.unless(self.in_force().judge_standing(now))
    }

    /// Whether a node of this name may be used.
    pub(crate) fn check_name(&self, node: &str) -> Result<(), SessionError> {
        self.unless(self.in_force().judge_name(node).into_iter().collect())
    }

    /// Whether an admitted node may still be sealed to: what its evidence says, under what is in force now.
    pub(crate) fn judge_again(
        &self,
        node: &AdmittedNode,
        now: UnixTime,
    ) -> Result<(), SessionError> {
        self.check_name(node.name())?;
        let again = node.admitted().judged_again(self.in_force(), now);
        let again = again.map_err(|denial| SessionError::Refused(Refusal::Policy(denial)))?;
        self.check_place(&again)
    }

    /// Whether new keys are enough to seal to it again.
    pub(crate) fn may_renew(&self, node: &AdmittedNode) -> bool {
        !node.is_forgotten() && self.judge_again(node, self.latest).is_ok()
    }

    /// A demanded country is the node's word, sealed and receipted; an inventory has to agree with it.
    pub(crate) fn check_place(&self, node: &Admitted) -> Result<(), SessionError> {
        let (Some(demanded), Some(_)) = (&self.residency, self.in_force().inventory()) else {
            return Ok(());
        };
        let placed = node.placement().map(|placement| &placement.country);
        if placed == Some(demanded) {
            return Ok(());
        }
        Err(SessionError::Placement {
            demanded: demanded.clone(),
            placed: placed.cloned(),
        })
    }

    fn unless(&self, reasons: Vec<Reason>) -> Result<(), SessionError> {
        if reasons.is_empty() {
            return Ok(());
        }
        Err(SessionError::Stopped(Denial {
            policy_version: self.policy().version(),
            reasons,
        }))
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], SessionError> {
        let mut bytes = [0; N];
        if (self.random)(&mut bytes) {
            Ok(bytes)
        } else {
            Err(SessionError::Random)
        }
    }

    /// Nodes on offer, but those in `failed`.
    pub(crate) fn candidates(&self, failed: &[String]) -> impl Iterator<Item = &Offer> {
        let offers = self.offers.iter();
        offers.filter(|offer| !failed.contains(&offer.node))
    }

    /// The best node that is admitted and would be again now, but those in `failed`.
    pub(crate) fn usable_node(
        &self,
        failed: &[String],
        now: UnixTime,
    ) -> Option<Arc<AdmittedNode>> {
        self.candidates(failed).find_map(|offer| {
            let node = self.nodes.get(&offer.node)?;
            let is_usable = node.is_usable(now) && self.judge_again(node, now).is_ok();
            is_usable.then(|| Arc::clone(node))
        })
    }

    /// Keeps an admitted node, unless it is in another country than the one demanded, or its runtime obeys a policy older than one seen
    /// under the same root.
    pub(crate) fn keep(&mut self, node: AdmittedNode) -> Result<Arc<AdmittedNode>, SessionError> {
        self.check_place(node.admitted())?;
        let root = node.admitted().claims().manifest.policy_root;
        let keys = node.keys();
        let seen = Seen {
            version: keys.policy_version,
            digest: keys.policy_digest,
        };
        self.memory.observe_node(&root, seen)?;
        let node = Arc::new(node);
        self.nodes.insert(node.name().to_owned(), Arc::clone(&node));
        Ok(node)
    }
}

fn files(settings: &Settings<'_>) -> Files {
    let beside = &settings.beside;
    Files {
        roots: beside.roots.map(<[u8]>::to_vec),
        policy: Some(settings.policy.to_vec()),
        inventory: beside.inventory.map(<[u8]>::to_vec),
        orders: beside.orders.map(<[u8]>::to_vec),
        timestamp: beside.timestamp.map(<[u8]>::to_vec),
    }
}

/// A root document, or keys; both are a mistake.
fn root(settings: &Settings<'_>) -> Result<Root, SessionError> {
    let Some(document) = settings.policy_root else {
        return Ok(Root::of_keys(keys(settings)?));
    };
    if !settings.policy_keys.is_empty() || settings.threshold.is_some() {
        return Err(SessionError::TwoRoots);
    }
    let envelope = Envelope::from_json(document).map_err(|error| vec![PolicyError::from(error)]);
    let root = envelope.and_then(|envelope| Root::pinned(&envelope));
    root.map_err(SessionError::Root)
}

fn keys(settings: &Settings<'_>) -> Result<TrustRoot, SessionError> {
    let keys = settings.policy_keys.iter().enumerate();
    let keys =
        keys.map(|(index, pem)| public_key::parse(pem).ok_or(SessionError::PolicyKey(index + 1)));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let threshold = settings.threshold.unwrap_or(keys.len());
    Ok(TrustRoot::new(keys, threshold)?)
}

fn cache_secret(bytes: Option<&[u8]>) -> Result<Option<CacheSecret>, SessionError> {
    let secret = |bytes: &[u8]| {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| SessionError::CacheSecret)?;
        Ok(CacheSecret::from_bytes(bytes))
    };
    bytes.map(secret).transpose()
}

fn residency(country: Option<&str>) -> Result<Option<String>, SessionError> {
    let Some(country) = country else {
        return Ok(None);
    };
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(Some(country.to_owned()));
    }
    Err(SessionError::Residency(country.to_owned()))
}
