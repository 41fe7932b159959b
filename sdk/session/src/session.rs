//! One gateway, one policy: what was admitted, and what was seen.

use crate::{
    AdmittedNode, Flow, Memory, Request, RequestId, Seen, SessionError, offer::Offer, public_key,
};
use attestation::{Cache, UnixTime, Verifier};
use policy::{Appraiser, Envelope, Policy, TrustRoot};
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
    /// The public keys that may sign policies, PEM.
    pub policy_keys: &'a [&'a [u8]],
    /// How many of them must have signed; all if it is `None`.
    pub threshold: Option<usize>,
    /// The country that answers must come from, ISO 3166-1 alpha-2.
    pub residency: Option<&'a str>,
}

/// A client of one gateway under one policy.
pub struct Session {
    pub(crate) appraiser: Appraiser,
    pub(crate) residency: Option<String>,
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
    /// Opens the policy under its root. `remembered` is what [`Memory::to_text`] gave before; a policy older than it knows is refused.
    pub fn open(
        composition: Composition,
        settings: &Settings<'_>,
        remembered: Option<&[u8]>,
    ) -> Result<Self, SessionError> {
        let root = root(settings)?;
        let envelope = Envelope::from_json(settings.policy)?;
        let policy = Policy::from_envelope(&envelope, &root).map_err(SessionError::Policy)?;
        let mut memory = Memory::new(root.digest());
        if let Some(text) = remembered {
            memory.recall(text)?;
        }
        memory.observe_own(Seen {
            version: policy.version(),
            digest: *policy.digest(),
        })?;
        Ok(Self {
            appraiser: Appraiser::new(composition.verifier, (composition.policy)(policy)),
            residency: residency(settings.residency)?,
            offers: Vec::new(),
            nodes: BTreeMap::new(),
            verified: Cache::new(),
            memory,
            random: composition.random,
            latest: UnixTime(0),
        })
    }

    /// The digest of the policy root in hexadecimal: names the memory before a session is opened.
    pub fn root_name(settings: &Settings<'_>) -> Result<String, SessionError> {
        Ok(hex::encode(root(settings)?.digest()))
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.appraiser.policy()
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

    /// The best node that is admitted now, but those in `failed`.
    pub(crate) fn usable_node(
        &self,
        failed: &[String],
        now: UnixTime,
    ) -> Option<Arc<AdmittedNode>> {
        self.candidates(failed).find_map(|offer| {
            let node = self.nodes.get(&offer.node)?;
            node.is_usable(now).then(|| Arc::clone(node))
        })
    }

    /// Keeps an admitted node, unless its runtime obeys a policy older than one seen under the same root.
    pub(crate) fn keep(&mut self, node: AdmittedNode) -> Result<Arc<AdmittedNode>, SessionError> {
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

fn root(settings: &Settings<'_>) -> Result<TrustRoot, SessionError> {
    let keys = settings.policy_keys.iter().enumerate();
    let keys =
        keys.map(|(index, pem)| public_key::parse(pem).ok_or(SessionError::PolicyKey(index + 1)));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let threshold = settings.threshold.unwrap_or(keys.len());
    Ok(TrustRoot::new(keys, threshold)?)
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
