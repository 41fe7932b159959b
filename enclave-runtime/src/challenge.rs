//! Answers a challenge: evidence over the peer's own nonce, this runtime's identity and manifest.

use crate::{node::Node, problem::Problem, telemetry};
use attestation::{EvidenceBundle, EvidenceError, Freshness, Nonce, NoncePath};
use std::sync::Arc;

/// A nonce alone is the tree's only leaf.
const ONLY_LEAF: NoncePath = NoncePath {
    index: 0,
    size: 1,
    siblings: Vec::new(),
};

/// The evidence bundle for `nonce`. Work that has begun is finished even if its peer has gone, so that the cap holds.
pub(crate) async fn answer(node: Arc<Node>, nonce: Nonce) -> Result<Vec<u8>, Problem> {
    let permit = Arc::clone(&node.challenges)
        .try_acquire_owned()
        .map_err(|_| Problem::Busy)?;
    let work = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        bundle(&node, &nonce)
    });
    match work.await {
        Ok(Ok(bundle)) => {
            telemetry::challenge_answered();
            Ok(bundle)
        }
        Ok(Err(error)) => {
            telemetry::challenge_failed(code(&error));
            Err(Problem::Evidence)
        }
        Err(_panicked) => Err(Problem::Evidence),
    }
}

const fn code(error: &EvidenceError) -> &'static str {
    match error {
        EvidenceError::Unavailable(_) => "evidence.unavailable",
        EvidenceError::Mismatch => "evidence.mismatch",
    }
}

fn bundle(node: &Node, nonce: &Nonce) -> Result<Vec<u8>, EvidenceError> {
    let freshness = Freshness::of_one(nonce);
    let binding = node.binding(freshness);
    let cpu = node.provider.evidence(&binding)?;
    let id = binding.report_data().binding_id();
    node.issued.insert(id, node.clock.now());
    let bundle = EvidenceBundle {
        cpu,
        manifest: node.manifest.clone(),
        identity: node.identity.public(),
        freshness,
        nonce_path: Some(ONLY_LEAF),
        key_configs: Some(node.key_list().as_bytes().to_vec()),
    };
    Ok(bundle.to_cbor())
}
