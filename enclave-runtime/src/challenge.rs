//! Answers a challenge: evidence over the peer's own nonce, this runtime's identity and manifest.

use crate::{node::Node, problem::Problem, telemetry};
use attestation::{
    EvidenceBundle, EvidenceError, Freshness, Nonce, NoncePath, bundle::MAX_STAPLED_BYTES,
};
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
    let attestation = node.attest(freshness)?;
    node.issued.insert(attestation.id, node.clock.now());
    let bundle = EvidenceBundle {
        cpu: attestation.cpu,
        devices: attestation.devices,
        collateral: collateral(node),
        manifest: node.manifest.clone(),
        identity: node.identity.public(),
        freshness,
        nonce_path: Some(ONLY_LEAF),
        key_configs: Some(node.key_list().as_bytes().to_vec()),
    };
    Ok(bundle.to_cbor())
}

/// The operator's collateral as it is now, so that it can be renewed without a restart. It proves itself to whoever uses it; without
/// it, verifiers need their own.
fn collateral(node: &Node) -> Option<Vec<u8>> {
    let path = node.collateral.as_ref()?;
    let read = provision::file::read(path, MAX_STAPLED_BYTES);
    read.inspect_err(|error| telemetry::no_collateral(error.code()))
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .map(|bytes| bytes.to_vec())
}
