//! What a runtime that waits for its model says of itself, and how it proves it.

use super::ModelKeyError;
use crate::{Clock, Parts, SecretPages, node};
use attestation::{
    Binding, Digest, EvidenceBundle, EvidenceProvider, Freshness, Manifest, Nonce,
    bundle::MAX_STAPLED_BYTES,
};
use engine::ModelCard;
use protocol::key_release::{KeyListTerms, KeyRecipient};
use std::{path::PathBuf, sync::Arc};

/// How long the list of a recipient's key is valid, in seconds, and how long before now it begins: clocks differ.
const LIST_SECONDS: u64 = 600;
const LIST_MARGIN_SECONDS: u64 = 300;

/// A runtime that waits for its model. No Debug: what it is made of is told in its manifest.
pub struct Asker {
    node: String,
    manifest: Vec<u8>,
    policy: (u64, Digest),
    collateral: Option<PathBuf>,
    provider: Arc<dyn EvidenceProvider>,
    clock: Clock,
    memory: SecretPages,
}

impl Asker {
    /// A runtime of these `parts` that will serve the model of `card`: its manifest is the one that it will have, as far as a model tells
    /// it before it is open.
    pub fn new(
        parts: &Parts,
        card: &ModelCard,
        provider: Arc<dyn EvidenceProvider>,
        clock: Clock,
    ) -> Result<Self, ModelKeyError> {
        let root = parts.in_force.root().ok_or(ModelKeyError::PolicyRoot)?;
        let manifest = node::manifest(parts, card, *root.anchor());
        let policy = parts.in_force.policy();
        Ok(Self {
            node: parts.node.clone(),
            manifest: manifest.to_cbor(),
            policy: (policy.version(), *policy.digest()),
            collateral: parts.collateral.clone(),
            provider,
            clock,
            memory: SecretPages::probe(),
        })
    }

    pub(super) const fn memory(&self) -> &SecretPages {
        &self.memory
    }

    pub(super) fn provider(&self) -> &dyn EvidenceProvider {
        self.provider.as_ref()
    }

    /// Someone to seal a key to.
    pub(super) fn recipient(&self) -> KeyRecipient {
        KeyRecipient::generate_in(&self.memory)
    }

    /// The evidence of `recipient` for `nonce`, and its binding.
    pub(super) fn bundle(
        &self,
        recipient: &KeyRecipient,
        nonce: &Nonce,
    ) -> Result<(EvidenceBundle, attestation::BindingId), ModelKeyError> {
        let manifest = Manifest::digest(&self.manifest);
        let freshness = Freshness::of_one(nonce);
        let binding = Binding {
            freshness,
            identity: recipient.identity().digest(),
            manifest,
            devices: Vec::new(),
        };
        let attestation = attestation::attest(self.provider(), binding)?;
        let path = Freshness::of_many(&[*nonce]).and_then(|(_, mut paths)| paths.pop());
        let bundle = EvidenceBundle {
            cpu: attestation.cpu,
            devices: attestation.devices,
            collateral: self.collateral(),
            manifest: self.manifest.clone(),
            identity: recipient.identity(),
            freshness,
            nonce_path: path,
            key_configs: Some(self.key_list(recipient, manifest)),
        };
        Ok((bundle, attestation.id))
    }

    fn key_list(&self, recipient: &KeyRecipient, manifest: Digest) -> Vec<u8> {
        let now = self.clock.now();
        let begins = now.0.saturating_sub(LIST_MARGIN_SECONDS);
        let list = recipient.key_list(KeyListTerms {
            manifest,
            node: self.node.clone(),
            not_before: attestation::UnixTime(begins),
            expires: now.plus(LIST_SECONDS),
            policy: self.policy,
        });
        list.as_bytes().to_vec()
    }

    /// As with a challenge: without it, the releaser needs its own.
    fn collateral(&self) -> Option<Vec<u8>> {
        let path = self.collateral.as_ref()?;
        let read = provision::file::read(path, MAX_STAPLED_BYTES);
        let bytes = read.ok().filter(|bytes| !bytes.is_empty())?;
        Some(bytes.to_vec())
    }
}
