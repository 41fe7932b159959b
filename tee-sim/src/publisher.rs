//! A security team of three: everything it publishes, signed by as many of them as the root asks for.

use crate::PolicySigner;
use attestation::UnixTime;
use policy::{
    Action, Envelope, Files, InForce, Order, PayloadType, Publication, Role, Root, Target,
    Timestamp,
    draft::{Holders, InventoryDraft, OrderDraft, RootDraft, TimestampDraft},
    root::NamedKey,
};
use std::collections::BTreeMap;

/// Names of the three.
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// How many of the three must sign for each role.
const THRESHOLDS: [(Role, usize); 6] = [
    (Role::Root, 2),
    (Role::Policy, 2),
    (Role::Inventory, 2),
    (Role::Stop, 1),
    (Role::Start, 2),
    (Role::Timestamp, 1),
];

/// A day, in seconds.
const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What the team has published so far. Every part is public, so that a test can be wrong in one point only.
#[derive(Clone)]
pub struct Publisher {
    /// The three, all of whom have every role.
    pub signers: [PolicySigner; 3],
    /// The newest root's text.
    pub root: RootDraft,
    /// Every root so far, from version 1.
    pub roots: Vec<Envelope>,
    /// The policy.
    pub policy: Envelope,
    /// The inventory.
    pub inventory: Option<Envelope>,
    /// Every order so far.
    pub orders: Vec<Envelope>,
    /// The timestamp.
    pub timestamp: Option<Envelope>,
}

impl Publisher {
    /// A team that publishes its first root, valid for a year from `now`, and a policy.
    #[must_use]
    pub fn new(now: UnixTime, policy: &str) -> Self {
        let signers: [_; 3] = std::array::from_fn(|_| PolicySigner::generate());
        let root = first_root(&signers, now);
        let team: Vec<_> = signers.iter().take(2).collect();
        Self {
            roots: vec![signed(PayloadType::Root, &root.to_string(), &team)],
            policy: signed(PayloadType::Policy, policy, &team),
            inventory: None,
            orders: Vec::new(),
            timestamp: None,
            root,
            signers,
        }
    }

    /// The first root, as those who trust this team pin it.
    #[must_use]
    pub fn pinned(&self) -> Root {
        let first = self.roots.first().expect("there is a first root");
        Root::pinned(first).expect("the first root is signed by its own keys")
    }

    /// `toml` as a document of `kind`, signed by the first `count` of the three.
    #[must_use]
    pub fn signed(&self, kind: PayloadType, toml: &str, count: usize) -> Envelope {
        let team: Vec<_> = self.signers.iter().take(count).collect();
        signed(kind, toml, &team)
    }

    /// Publishes another policy.
    pub fn publish_policy(&mut self, toml: &str) {
        self.policy = self.signed(PayloadType::Policy, toml, 2);
    }

    /// Publishes an inventory.
    pub fn publish_inventory(&mut self, inventory: &InventoryDraft) {
        self.inventory = Some(self.signed(PayloadType::Inventory, &inventory.to_string(), 2));
    }

    /// Publishes the next order, signed by as many as its action needs.
    pub fn order(&mut self, issued: UnixTime, action: Action, targets: &[Target]) {
        let mut draft = self.next_order(issued, action);
        draft.targets = targets.to_vec();
        let signers = 1 + usize::from(action == Action::Start);
        let order = self.signed(PayloadType::Order, &draft.to_string(), signers);
        self.orders.push(order);
    }

    /// The order that would be the next, for nothing yet.
    #[must_use]
    pub fn next_order(&self, issued: UnixTime, action: Action) -> OrderDraft {
        let last = self.orders.last().map(|last| {
            let document = last.unverified_payload();
            Order::from_toml(document).expect("published orders parse")
        });
        OrderDraft {
            serial: last.as_ref().map_or(0, Order::serial) + 1,
            previous: last.map(|last| *last.digest()),
            issued,
            action,
            targets: vec![Target::Everything],
            reason: "exercise".to_owned(),
        }
    }

    /// Publishes a timestamp over all that is published, valid from `issued` to `expires`.
    pub fn stamp(&mut self, issued: UnixTime, expires: UnixTime) {
        let draft = self.next_timestamp(issued, expires);
        self.timestamp = Some(self.signed(PayloadType::Timestamp, &draft.to_string(), 1));
    }

    /// The timestamp that would be the next.
    #[must_use]
    pub fn next_timestamp(&self, issued: UnixTime, expires: UnixTime) -> TimestampDraft {
        let beside = Files {
            timestamp: None,
            ..self.files()
        };
        let beside = self.verified(&beside, issued);
        let last = self.timestamp.as_ref().map(|last| {
            let document = last.unverified_payload();
            Timestamp::from_toml(document).expect("published timestamps parse")
        });
        TimestampDraft {
            version: last.map_or(0, |last| last.version) + 1,
            ..TimestampDraft::of(&beside, issued, expires).expect("there is a root")
        }
    }

    /// Exchanges one of the three for a new key, with the old and the new threshold.
    pub fn rotate(&mut self, index: usize) {
        let anchor = *self.pinned().anchor();
        self.root.version += 1;
        self.root.anchor = Some(anchor);
        let newcomer = PolicySigner::generate();
        self.root.keys.get_mut(index).expect("one of the three").key = newcomer.public_key();
        let mut root = self.signed(PayloadType::Root, &self.root.to_string(), 3);
        newcomer.sign(&mut root);
        *self.signers.get_mut(index).expect("one of the three") = newcomer;
        self.roots.push(root);
    }

    /// Signs everything but the roots again, as a team must that took a key out: documents stay, and so do their digests.
    pub fn resign(&mut self) {
        self.policy = self.again(PayloadType::Policy, &self.policy);
        let inventory = self.inventory.as_ref();
        self.inventory = inventory.map(|old| self.again(PayloadType::Inventory, old));
        let order = |old| self.again(PayloadType::Order, old);
        self.orders = self.orders.iter().map(order).collect();
        let timestamp = self.timestamp.as_ref();
        self.timestamp = timestamp.map(|old| self.again(PayloadType::Timestamp, old));
    }

    fn again(&self, kind: PayloadType, old: &Envelope) -> Envelope {
        let document = str::from_utf8(old.unverified_payload()).expect("documents are text");
        self.signed(kind, document, 3)
    }

    /// The files as they lie in a folder. A root that was never rotated is pinned and not published.
    #[must_use]
    pub fn files(&self) -> Files {
        let file = |envelope: &Envelope| envelope.to_json().into_bytes();
        Files {
            roots: lines(self.roots.get(1..).unwrap_or_default()),
            policy: Some(file(&self.policy)),
            inventory: self.inventory.as_ref().map(file),
            orders: lines(&self.orders),
            timestamp: self.timestamp.as_ref().map(file),
        }
    }

    /// What a host that pins the first root has in force; panics if it refuses.
    #[must_use]
    pub fn in_force(&self, now: UnixTime) -> InForce {
        self.verified(&self.files(), now)
    }

    fn verified(&self, files: &Files, now: UnixTime) -> InForce {
        let publication = Publication::parse(files).expect("the publication parses");
        let in_force = publication.verify(&self.pinned(), now);
        in_force.expect("the publication verifies")
    }
}

/// `toml` as a document of `kind`, signed by each of `team`.
#[must_use]
pub fn signed(kind: PayloadType, toml: &str, team: &[&PolicySigner]) -> Envelope {
    let mut envelope = Envelope::unsigned(kind, toml.as_bytes().to_vec());
    for signer in team {
        signer.sign(&mut envelope);
    }
    envelope
}

/// The envelopes, one on each line; `None` without any.
#[must_use]
pub fn lines(envelopes: &[Envelope]) -> Option<Vec<u8>> {
    let line = |envelope: &Envelope| envelope.to_line() + "\n";
    let lines: String = envelopes.iter().map(line).collect();
    (!lines.is_empty()).then(|| lines.into_bytes())
}

fn first_root(signers: &[PolicySigner; 3], now: UnixTime) -> RootDraft {
    let keys = NAMES.iter().zip(signers).map(|(name, signer)| NamedKey {
        name: (*name).to_owned(),
        key: signer.public_key(),
    });
    let holders = |threshold| Holders {
        keys: NAMES.map(str::to_owned).to_vec(),
        threshold,
    };
    let roles = THRESHOLDS.map(|(role, threshold)| (role, holders(threshold)));
    RootDraft {
        version: 1,
        name: "the three".to_owned(),
        not_before: UnixTime(now.0.saturating_sub(DAY_SECONDS)),
        expires: now.plus(365 * DAY_SECONDS),
        anchor: None,
        keys: keys.collect(),
        roles: BTreeMap::from(roles),
    }
}
