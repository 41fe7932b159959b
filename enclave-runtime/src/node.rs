//! What one running runtime holds: its identity, what it says of itself, its keys and its engine.

#[cfg(test)]
pub(crate) mod tests;

use crate::{
    Clock, Limits, Parts, PolicyInForce, SecretPages, StartError,
    bindings::IssuedBindings,
    challenge::Challenges,
    epochs::{Epochs, KeyListTerms},
    openai::{self, ApiError},
    receipts::{KeptReceipts, TenantKey},
    telemetry,
};
use attestation::{
    Attestation, Binding, BindingId, Digest, EvidenceError, EvidenceProvider, Freshness, Manifest,
    Nonce, UnixTime,
};
use aws_lc_rs::rand;
use engine::{Engine, ModelCard};
use protocol::{
    IdentitySecret, PaddingProfile, RequestContext, SealedHeaders, SignedKeyConfigs, Terms,
};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;

/// How much longer than the policy's own limit an attestation is honoured: what is under way, and clocks that differ.
const BINDING_GRACE_SECONDS: u64 = 300;

/// One running runtime. No Debug: it holds the identity's secret.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) identity: IdentitySecret,
    pub(crate) manifest: Vec<u8>,
    pub(crate) manifest_digest: Digest,
    pub(crate) policy: PolicyInForce,
    pub(crate) residency: Option<String>,
    pub(crate) fingerprint: String,
    pub(crate) started_at: UnixTime,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) provider: Arc<dyn EvidenceProvider>,
    pub(crate) collateral: Option<PathBuf>,
    pub(crate) padding: PaddingProfile,
    pub(crate) issued: IssuedBindings,
    pub(crate) epochs: Epochs,
    pub(crate) in_flight: Arc<Semaphore>,
    pub(crate) challenges: Challenges,
    pub(crate) receipts: KeptReceipts,
}

impl Node {
    /// Makes the identity, the manifest and the first key epoch.
    pub(crate) fn new(
        parts: Parts,
        engine: Arc<dyn Engine>,
        provider: Arc<dyn EvidenceProvider>,
        clock: Clock,
    ) -> Self {
        let memory = Arc::new(SecretPages::probe());
        let identity = IdentitySecret::generate_in(&*memory);
        let manifest = manifest(&parts, engine.card()).to_cbor();
        let manifest_digest = Manifest::digest(&manifest);
        let started = clock.moment();
        let terms = key_list_terms(&parts, identity.public().digest(), manifest_digest);
        let card = engine.card();
        Self {
            fingerprint: openai::fingerprint(&card.model_digest, &card.kernels_digest),
            issued: IssuedBindings::new(
                parts.limits.max_bindings,
                parts
                    .policy
                    .max_age_seconds
                    .saturating_add(BINDING_GRACE_SECONDS),
            ),
            epochs: Epochs::start(terms, memory, started),
            in_flight: Arc::new(Semaphore::new(parts.limits.max_in_flight)),
            challenges: Challenges::new(parts.limits.max_challenges),
            receipts: KeptReceipts::new(parts.limits.kept_receipts),
            name: parts.node,
            policy: parts.policy,
            residency: parts.residency,
            collateral: parts.collateral,
            padding: parts.padding,
            limits: parts.limits,
            identity,
            manifest,
            manifest_digest,
            started_at: started.wall,
            clock,
            engine,
            provider,
        }
    }

    /// Asks the platform once, so that a machine without a TEE is refused before it serves.
    pub(crate) fn probe(&self) -> Result<(), StartError> {
        let mut nonce = [0; 32];
        rand::fill(&mut nonce).map_err(|_| StartError::Random)?;
        self.attest(Freshness::of_one(&Nonce(nonce)))?;
        Ok(())
    }

    /// Has every device answer, then the CPU sign for all of it.
    pub(crate) fn attest(&self, freshness: Freshness) -> Result<Attestation, EvidenceError> {
        let binding = Binding {
            freshness,
            identity: self.identity.public().digest(),
            manifest: self.manifest_digest,
            devices: Vec::new(),
        };
        attestation::attest(self.provider.as_ref(), binding)
    }

    /// The signed key list, valid for at least half of its window.
    pub(crate) fn key_list(&self) -> SignedKeyConfigs {
        let now = self.clock.moment();
        self.epochs.signed_list(&self.identity, now)
    }

    /// Whether sealed headers are meant for this runtime as it is at `now`, and its policy is still in force. A model that is not served is the client's own mistake and
    /// is told plainly; everything else gets one coarse answer, and the log the header's name.
    pub(crate) fn check_headers(
        &self,
        headers: &SealedHeaders,
        now: UnixTime,
    ) -> Result<(), ApiError> {
        // R9.7
        if now >= self.policy.expires {
            telemetry::policy_expired();
            return Err(ApiError::misdirected());
        }
        let context = self.request_context(&headers.binding_id, now);
        // R6.6
        let Err(mismatch) = headers.check(&context, now) else {
            return Ok(());
        };
        telemetry::sealed_header_refused(mismatch.0);
        Err(match &headers.model {
            Some(model) if mismatch.0 == "narthex-model" => ApiError::model_not_found(model),
            _ => ApiError::misdirected(),
        })
    }

    /// Whether who signed is served: a tenant that the policy lists, if it lists any (R6.7). A credential whose signature is wrong is
    /// refused in any case.
    pub(crate) fn check_tenant(
        &self,
        headers: &SealedHeaders,
        signer: Option<&TenantKey>,
    ) -> Result<(), ApiError> {
        let is_signed = headers.tenant.is_some() == signer.is_some();
        if is_signed && self.policy.serves(signer) {
            return Ok(());
        }
        telemetry::sealed_header_refused("narthex-tenant");
        Err(ApiError::misdirected())
    }

    fn request_context(&self, claimed: &BindingId, now: UnixTime) -> RequestContext {
        let honoured = self.issued.honours(claimed, now);
        RequestContext {
            binding_ids: honoured.then_some(*claimed).into_iter().collect(),
            policy_version: self.policy.version,
            policy_digest: self.policy.digest,
            node: self.name.clone(),
            model: self.engine.card().name.clone(),
            residency: self.residency.clone(),
        }
    }
}

fn manifest(parts: &Parts, card: &ModelCard) -> Manifest {
    Manifest {
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime_digest: parts.runtime_digest,
        model: card.name.clone(),
        model_digest: card.model_digest,
        tokenizer_digest: card.tokenizer_digest,
        template_digest: card.template_digest,
        aibom_digest: None,
        kernels_digest: card.kernels_digest,
        engine: card.mode.to_owned(),
        isa: card.isa.to_owned(),
        max_context_tokens: card.context_tokens,
        max_request_bytes: parts.limits.max_request_bytes,
        padding: parts.padding.as_str().to_owned(),
        policy_root: parts.policy.root,
    }
}

fn key_list_terms(parts: &Parts, identity: Digest, manifest: Digest) -> KeyListTerms {
    KeyListTerms {
        identity,
        manifest,
        node: parts.node.clone(),
        policy_version: parts.policy.version,
        policy_digest: parts.policy.digest,
        policy_expires: parts.policy.expires,
        window: parts.limits.key_window,
        grace: parts.limits.key_grace,
        replay_capacity: parts.limits.replay_capacity,
        exchange: Terms {
            max_request_bytes: parts.limits.max_request_bytes as usize,
            padding: parts.padding,
        },
    }
}
