//! A bundle of one simulated machine for one nonce: what a test of the verifier needs.

use attestation::{
    Binding, EvidenceBundle, EvidenceProvider, Freshness, IdentityKey, Manifest, Nonce,
};

/// What `machine` says for `nonce`, with its path and without keys or collateral.
#[must_use]
pub fn bundle(
    machine: &dyn EvidenceProvider,
    identity: IdentityKey,
    manifest: Vec<u8>,
    nonce: &Nonce,
) -> EvidenceBundle {
    let freshness = Freshness::of_one(nonce);
    let binding = Binding {
        freshness,
        identity: identity.digest(),
        manifest: Manifest::digest(&manifest),
        devices: Vec::new(),
    };
    let said = attestation::attest(machine, binding).expect("a simulated machine answers");
    let (_, paths) = Freshness::of_many(&[*nonce]).expect("one nonce");
    EvidenceBundle {
        cpu: said.cpu,
        devices: said.devices,
        collateral: None,
        manifest,
        identity,
        freshness,
        nonce_path: paths.into_iter().next(),
        key_configs: None,
    }
}
