//! Appraisal of a node: a nonce of our own, its evidence, the policy's verdict, and the key list that its identity signs.

use crate::{
    gateway::Core,
    registry::{Node, Verdict},
    telemetry,
    upstream::{Ask, FetchLimits, UpstreamError},
};
use attestation::{BundleError, Cache, EvidenceBundle, Nonce, bundle::MAX_BUNDLE_BYTES};
use aws_lc_rs::rand;
use bytes::Bytes;
use policy::{Admitted, Denial, Refusal};
use protocol::{KeyConfigError, KeyConfigs, SignedKeyConfigs};
use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

/// A denial for this alone is of the evidence's age.
const STALE: &str = "policy.freshness";

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

    /// What this says of the node: a gateway that cannot look says nothing.
    const fn verdict(&self, code: &'static str) -> Verdict {
        match self {
            Self::Randomness | Self::Upstream(_) => Verdict::Unknown(code),
            _ => Verdict::Refused(code),
        }
    }
}

/// Appraises `node` once and puts it on offer, or takes it off. From verdict to offer nobody else judges: a verdict of documents that are in
/// force no more puts nothing on offer.
pub(crate) async fn appraise(core: &Core, node: &Node) -> Result<(), AppraisalError> {
    let evidence = ask(core, node).await;
    // A panic elsewhere leaves nothing half-verified among what is kept.
    let mut verified = core.judging.lock().unwrap_or_else(PoisonError::into_inner);
    // What is stopped by name is so whether it answers or not.
    let outcome = check_name(core, node)
        .and(evidence)
        .and_then(|evidence| judge(core, &mut verified, node, evidence));
    core.metrics.appraised(&node.name, &outcome);
    match outcome {
        Ok((admitted, keys)) => {
            telemetry::node_admitted(&node.name, &admitted);
            node.obeys(keys.policy_version);
            node.admit(admitted);
            Ok(())
        }
        Err(error) => {
            refuse(node, &error);
            Err(error)
        }
    }
}

/// What evidence or policy refuse is used no longer, by those neither who use it now; the others may finish.
pub(crate) fn refuse(node: &Node, error: &AppraisalError) {
    telemetry::node_refused(&node.name, error);
    node.take_off(error.verdict(error.code()));
    match error {
        AppraisalError::Refused(Refusal::Policy(denial)) if is_of_age_alone(denial) => {}
        AppraisalError::Refused(_) => node.cut(),
        _ => {}
    }
}

/// Whether fresh evidence is all that is wanted.
pub(crate) fn is_of_age_alone(denial: &Denial) -> bool {
    denial.reasons.iter().all(|reason| reason.code == STALE)
}

/// Appraises `node` again and again: every interval, sooner when its admission ends sooner or somebody wants it now, with growing pauses
/// after failures. A node that is admitted already waits for its turn.
pub(crate) async fn keep_appraised(core: Arc<Core>, node: Arc<Node>) {
    let mut failures = 0;
    if node.is_admitted(core.clock.now()) {
        pause(&node, until_next(&core, &node)).await;
    }
    loop {
        node.hush();
        let next = match appraise(&core, &node).await {
            Ok(()) => {
                failures = 0;
                until_next(&core, &node)
            }
            Err(_) => {
                failures += 1;
                backoff(&core, failures)
            }
        };
        if pause(&node, next).await == Pause::CutShort {
            failures = 0;
        }
    }
}

/// How a pause ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    Over,
    CutShort,
}

async fn pause(node: &Node, duration: Duration) -> Pause {
    tokio::select! {
        () = tokio::time::sleep(duration) => Pause::Over,
        () = node.woken() => Pause::CutShort,
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

/// What a node gave for a nonce.
struct Evidence {
    nonce: Nonce,
    bundle: EvidenceBundle,
}

fn check_name(core: &Core, node: &Node) -> Result<(), AppraisalError> {
    let judged = core.standing.load().judge_name(&node.name);
    Ok(judged.map_err(Refusal::Policy)?)
}

async fn ask(core: &Core, node: &Node) -> Result<Evidence, AppraisalError> {
    check_name(core, node)?;
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
    Ok(Evidence { nonce, bundle })
}

fn judge(
    core: &Core,
    verified: &mut Cache,
    node: &Node,
    evidence: Evidence,
) -> Result<(Admitted, KeyConfigs), AppraisalError> {
    let Evidence { nonce, bundle } = evidence;
    let standing = core.standing.load();
    let now = core.clock.now();
    let admitted = standing
        .appraiser
        .appraise_cached(verified, &bundle, &nonce, now)?;
    let keys = check_keys(core, node, bundle, &admitted)?;
    Ok((admitted, keys))
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
