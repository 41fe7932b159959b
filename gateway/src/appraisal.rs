//! Appraisal of a node: a nonce of our own, its evidence, the policy's verdict, and the key list that its identity signs.

use crate::{
    gateway::Core,
    registry::Node,
    telemetry,
    upstream::{Ask, FetchLimits, UpstreamError},
};
use attestation::{BundleError, EvidenceBundle, Nonce, bundle::MAX_BUNDLE_BYTES};
use aws_lc_rs::rand;
use bytes::Bytes;
use policy::{Admitted, Refusal};
use protocol::{KeyConfigError, KeyConfigs, SignedKeyConfigs};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// Why a node is not admitted, in the order of the steps; `code()` is stable.
#[derive(Debug, thiserror::Error)]
pub enum AppraisalError {
    /// The system gave no random bytes for a nonce.
    #[error("no random bytes for a nonce")]
    Randomness,
    /// The node gave no answer to the challenge.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The answer is not an evidence bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The evidence is not authentic, or the policy denies what it says.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The bundle carries no key list.
    #[error("the evidence bundle carries no key list")]
    KeysAbsent,
    /// The key list is not the attested identity's, or not valid now.
    #[error(transparent)]
    Keys(#[from] KeyConfigError),
    /// The key list names another node than the configuration.
    #[error("the key list names another node")]
    OtherNode,
    /// The node obeys an older policy than it did before.
    #[error("the node went back to an older policy")]
    PolicyRollback,
}

impl AppraisalError {
    /// Stable code of the step that failed; for a denial, of its first reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Randomness => "appraisal.randomness",
            Self::Upstream(error) => error.code(),
            Self::Bundle(error) => error.code(),
            Self::Refused(Refusal::Evidence(error)) => error.code(),
            Self::Refused(Refusal::Policy(denial)) => denial
                .reasons
                .first()
                .map_or("policy.denied", |reason| reason.code),
            Self::KeysAbsent => "appraisal.keys_absent",
            Self::Keys(error) => error.code(),
            Self::OtherNode => "appraisal.other_node",
            Self::PolicyRollback => "appraisal.policy_rollback",
        }
    }
}

/// Appraises `node` once and puts it on offer, or takes it off.
pub(crate) async fn appraise(core: &Core, node: &Node) -> Result<(), AppraisalError> {
    let outcome = judge(core, node).await;
    core.metrics.appraised(&node.name, &outcome);
    match outcome {
        Ok((admitted, keys)) => {
            telemetry::node_admitted(&node.name, &admitted);
            node.admit(admitted, keys.policy_version);
            Ok(())
        }
        Err(error) => {
            node.drop_admission();
            telemetry::node_refused(&node.name, &error);
            Err(error)
        }
    }
}

/// Appraises `node` again and again: every interval, sooner when its admission ends sooner, with growing pauses after failures. A node
/// that is admitted already waits for its turn.
pub(crate) async fn keep_appraised(core: Arc<Core>, node: Arc<Node>) {
    let mut failures = 0;
    if node.is_admitted(core.clock.now()) {
        tokio::time::sleep(until_next(&core, &node)).await;
    }
    loop {
        let pause = match appraise(&core, &node).await {
            Ok(()) => {
                failures = 0;
                until_next(&core, &node)
            }
            Err(_) => {
                failures += 1;
                backoff(&core, failures)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// The interval, or half of what is left of the admission if that is less.
fn until_next(core: &Core, node: &Node) -> Duration {
    let left = node.seconds_left(core.clock.now());
    let half = Duration::from_secs(left / 2).max(core.appraisal.retry_min);
    core.appraisal.interval.min(half)
}

fn backoff(core: &Core, failures: u32) -> Duration {
    let doubled = core
        .appraisal
        .retry_min
        .saturating_mul(1 << failures.saturating_sub(1).min(16));
    doubled.min(core.appraisal.retry_max)
}

async fn judge(core: &Core, node: &Node) -> Result<(Admitted, KeyConfigs), AppraisalError> {
    let nonce = invent_nonce()?;
    let limits = FetchLimits {
        max_bytes: MAX_BUNDLE_BYTES,
        timeout: core.appraisal.timeout,
    };
    let challenge = Bytes::copy_from_slice(&nonce.0);
    let bytes = core
        .upstream
        .fetch(&node.upstream, Ask::Challenge, challenge, limits)
        .await?;
    let bundle = EvidenceBundle::from_cbor(&bytes)?;
    let admitted = verdict(core, &bundle, &nonce)?;
    let keys = check_keys(core, node, bundle, &admitted)?;
    Ok((admitted, keys))
}

/// A panic elsewhere leaves nothing half-verified among what is kept.
fn verdict(core: &Core, bundle: &EvidenceBundle, nonce: &Nonce) -> Result<Admitted, Refusal> {
    let mut verified = core.verified.lock().unwrap_or_else(PoisonError::into_inner);
    let now = core.clock.now();
    core.appraiser
        .appraise_cached(&mut verified, bundle, nonce, now)
}

fn check_keys(
    core: &Core,
    node: &Node,
    bundle: EvidenceBundle,
    admitted: &Admitted,
) -> Result<KeyConfigs, AppraisalError> {
    let signed =
        SignedKeyConfigs::from_bytes(bundle.key_configs.ok_or(AppraisalError::KeysAbsent)?);
    let claims = admitted.claims();
    let keys = signed.verify(&claims.identity, &claims.manifest_digest, core.clock.now())?;
    if keys.node != node.name.as_str() {
        return Err(AppraisalError::OtherNode);
    }
    if keys.policy_version < node.highest_policy_version() {
        return Err(AppraisalError::PolicyRollback);
    }
    Ok(keys)
}

fn invent_nonce() -> Result<Nonce, AppraisalError> {
    let mut nonce = [0; 32];
    rand::fill(&mut nonce).map_err(|_| AppraisalError::Randomness)?;
    Ok(Nonce(nonce))
}
