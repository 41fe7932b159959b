//! What one running runtime holds: its identity, what it says of itself, its keys and its engine.

#[cfg(test)]
pub(crate) mod tests;

use crate::{
    Clock, Limits, NotObeyed, Parts, SecretPages, StartError,
    bindings::IssuedBindings,
    challenge::Challenges,
    clock::Moment,
    epochs::{Epochs, KeyListTerms},
    itself::Itself,
    obeyed::{Halt, Obeyed, StatedPolicy},
    receipts::{KeptReceipts, TenantKey},
    standing::Standing,
    telemetry,
};
use attestation::{
    Attestation, Binding, BindingId, Digest, EvidenceError, EvidenceProvider, Freshness, Manifest,
    NamedMachine, Nonce, UnixTime, manifest::GpuKernels,
};
use aws_lc_rs::rand;
use engine::{Engine, ModelCard};
use openai::{ApiError, Route};
use policy::{InForce, TenantRole};
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
    /// The manifest's fields.
    stated: Manifest,
    pub(crate) manifest: Vec<u8>,
    pub(crate) manifest_digest: Digest,
    pub(crate) standing: Standing,
    /// As configured; an inventory in force has the last word.
    residency: Option<String>,
    pub(crate) aibom_digest: Option<Digest>,
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
    /// Makes the identity, the manifest and the first key epoch, and asks the platform once: a machine without a TEE is refused before it
    /// serves. A runtime that is stopped already has no epoch, and waits for an order that lets it start.
    pub(crate) fn new(
        parts: Parts,
        engine: Arc<dyn Engine>,
        provider: Arc<dyn EvidenceProvider>,
        clock: Clock,
    ) -> Result<Self, StartError> {
        let memory = Arc::new(SecretPages::probe());
        let identity = IdentitySecret::generate_in(&*memory);
        let card = engine.card();
        let anchor = anchor(&parts.in_force)?;
        let stated = manifest(&parts, card, anchor);
        let manifest = stated.to_cbor();
        let manifest_digest = Manifest::digest(&manifest);
        let binding = Binding {
            freshness: Freshness::of_one(&random_nonce()?),
            identity: identity.public().digest(),
            manifest: manifest_digest,
            devices: Vec::new(),
        };
        let itself = itself(&parts.node, card, provider.as_ref(), binding)?;
        let started = clock.moment();
        let terms = key_list_terms(&parts, identity.public().digest(), manifest_digest);
        let grace = parts.limits.key_grace;
        let standing = Standing::new(
            itself,
            (parts.in_force, anchor),
            grace,
            Arc::clone(&engine),
            &clock,
        );
        let node = Self {
            fingerprint: openai::fingerprint(&card.model_digest, &card.kernels_digest),
            issued: IssuedBindings::new(parts.limits.max_bindings),
            epochs: Epochs::start(terms, standing.obeyed().stated(), memory, started),
            standing,
            in_flight: Arc::new(Semaphore::new(parts.limits.max_in_flight)),
            challenges: Challenges::new(parts.limits.max_challenges),
            receipts: KeptReceipts::new(parts.limits.kept_receipts),
            name: parts.node,
            residency: parts.residency,
            aibom_digest: parts.aibom_digest,
            collateral: parts.collateral,
            padding: parts.padding,
            limits: parts.limits,
            identity,
            stated,
            manifest,
            manifest_digest,
            started_at: started.wall,
            clock,
            engine,
            provider,
        };
        node.look();
        Ok(node)
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

    /// What computes on the GPUs, for receipts.
    pub(crate) fn gpu(&self) -> Option<GpuKernels> {
        self.stated.gpu.as_ref().map(|gpu| gpu.kernels)
    }

    /// Why nothing is served now, if so. Halts and resumes as it finds.
    pub(crate) fn look(&self) -> Option<Halt> {
        self.standing.look(&self.epochs, &self.clock)
    }

    /// Whether anything is served now.
    pub(crate) fn check_serving(&self) -> Result<(), Halt> {
        self.look().map_or(Ok(()), Err)
    }

    /// Obeys later documents.
    pub(crate) fn obey(&self, in_force: InForce) -> Result<(), NotObeyed> {
        self.standing.obey(in_force, &self.epochs, &self.clock)?;
        self.warn_of_country();
        Ok(())
    }

    /// The signed key list, valid for at least half of its window.
    pub(crate) fn key_list(&self) -> Result<SignedKeyConfigs, Halt> {
        self.check_serving()?;
        let now = self.clock.moment();
        let list = self.epochs.signed_list(&self.identity, now);
        // None: it was halted between these two lines.
        list.ok_or(Halt::Stopped)
    }

    /// The country of this machine, if it is known.
    pub(crate) fn country(&self) -> Option<String> {
        self.country_under(&self.standing.obeyed())
    }

    /// The same as `obeyed` has it.
    pub(crate) fn country_under(&self, obeyed: &Obeyed) -> Option<String> {
        let configured = self.residency.as_deref();
        obeyed.country(self.standing.itself(), configured, self.clock.moment())
    }

    /// Whether the inventory in force leaves the configured country as it is.
    pub(crate) fn check_residency(&self) -> Result<(), StartError> {
        let obeyed = self.standing.obeyed();
        let listed = obeyed.country(self.standing.itself(), None, self.clock.moment());
        match (self.residency.clone(), listed) {
            (Some(configured), Some(listed)) if configured != listed => {
                Err(StartError::Residency { configured, listed })
            }
            _ => {
                self.warn_of_country();
                Ok(())
            }
        }
    }

    /// Whether the policy accepts what this runtime states of itself, so that its operator learns early.
    pub(crate) fn check_policy(&self) -> Result<(), StartError> {
        let obeyed = self.standing.obeyed();
        let hardware: Vec<_> = self.standing.itself().hardware().collect();
        let now = obeyed.time(self.clock.moment());
        let policy = obeyed.in_force.policy();
        let reasons = policy.judge_manifest(&self.stated, &hardware, now);
        match reasons.is_empty() {
            true => Ok(()),
            false => Err(StartError::Policy(reasons)),
        }
    }

    fn warn_of_country(&self) {
        if self.residency.is_some() && self.country().is_none() {
            telemetry::country_unknown();
        }
    }

    /// Whether sealed headers are meant for this runtime as it is at `now`, and the policy in `obeyed` is still in force; the policy that the request is
    /// answered under. A model that is not served is the client's own mistake and is told plainly; everything else gets one coarse answer,
    /// and the log the header's name.
    pub(crate) fn check_headers(
        &self,
        obeyed: &Obeyed,
        headers: &SealedHeaders,
        now: UnixTime,
    ) -> Result<StatedPolicy, ApiError> {
        let moment = Moment {
            wall: now,
            monotonic: self.clock.monotonic(),
        };
        // R9.7
        if obeyed.has_expired(moment) {
            telemetry::policy_expired();
            return Err(ApiError::misdirected());
        }
        let policy = obeyed.named(headers.policy_version, &headers.policy_digest, moment);
        let context = self.request_context(&headers.binding_id, obeyed, (policy, now));
        // R6.6
        let Err(mismatch) = headers.check(&context, now) else {
            return Ok(policy);
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
        obeyed: &Obeyed,
        headers: &SealedHeaders,
        signer: Option<&TenantKey>,
    ) -> Result<(), ApiError> {
        let is_signed = headers.tenant.is_some() == signer.is_some();
        match is_signed {
            true => self.check_role(obeyed, signer, &Route::ALL_ROLES),
            false => Err(not_served()),
        }
    }

    /// Whether who signed has one of `roles`, where the policy gives any.
    pub(crate) fn check_role(
        &self,
        obeyed: &Obeyed,
        signer: Option<&TenantKey>,
        roles: &[TenantRole],
    ) -> Result<(), ApiError> {
        match obeyed.serves(signer, roles, self.clock.moment()) {
            true => Ok(()),
            false => Err(not_served()),
        }
    }

    fn request_context(
        &self,
        claimed: &BindingId,
        obeyed: &Obeyed,
        (policy, now): (StatedPolicy, UnixTime),
    ) -> RequestContext {
        let max_age = obeyed.in_force.policy().max_age_seconds();
        let lifetime = max_age.saturating_add(BINDING_GRACE_SECONDS);
        let honoured = self.issued.honours(claimed, now, lifetime);
        RequestContext {
            binding_ids: honoured.then_some(*claimed).into_iter().collect(),
            policy_version: policy.version,
            policy_digest: policy.digest,
            node: self.name.clone(),
            model: self.engine.card().name.clone(),
            residency: self.country_under(obeyed),
        }
    }
}

fn not_served() -> ApiError {
    telemetry::sealed_header_refused("narthex-tenant");
    ApiError::misdirected()
}

/// What names the root of `in_force` for as long as this runtime lives.
fn anchor(in_force: &InForce) -> Result<Digest, StartError> {
    let root = in_force.root().ok_or(StartError::PolicyRoot)?;
    Ok(*root.anchor())
}

fn random_nonce() -> Result<Nonce, StartError> {
    let mut nonce = [0; 32];
    rand::fill(&mut nonce).map_err(|_| StartError::Random)?;
    Ok(Nonce(nonce))
}

/// Asks the platform what it is.
fn itself(
    node: &str,
    card: &ModelCard,
    provider: &dyn EvidenceProvider,
    binding: Binding,
) -> Result<Itself, StartError> {
    let attestation = attestation::attest(provider, binding)?;
    let machine = NamedMachine::of(&attestation.cpu, &attestation.devices)?;
    Ok(Itself::new(node, card.model_digest, &machine))
}

/// What a runtime of these `parts` says of itself while it serves the model of `card`.
pub(crate) fn manifest(parts: &Parts, card: &ModelCard, policy_root: Digest) -> Manifest {
    Manifest {
        runtime_version: env!("CARGO_PKG_VERSION").to_owned(),
        runtime_digest: parts.runtime_digest,
        model: card.name.clone(),
        model_digest: card.model_digest,
        tokenizer_digest: card.tokenizer_digest,
        template_digest: card.template_digest,
        aibom_digest: parts.aibom_digest,
        kernels_digest: card.kernels_digest,
        engine: card.mode.clone().into_owned(),
        isa: card.isa.to_owned(),
        max_context_tokens: card.context_tokens,
        max_request_bytes: parts.limits.max_request_bytes,
        padding: parts.padding.as_str().to_owned(),
        policy_root,
        gpu: parts.gpu.clone(),
    }
}

fn key_list_terms(parts: &Parts, identity: Digest, manifest: Digest) -> KeyListTerms {
    KeyListTerms {
        identity,
        manifest,
        node: parts.node.clone(),
        window: parts.limits.key_window,
        grace: parts.limits.key_grace,
        replay_capacity: parts.limits.replay_capacity,
        exchange: Terms {
            max_request_bytes: parts.limits.max_request_bytes as usize,
            padding: parts.padding,
        },
    }
}
