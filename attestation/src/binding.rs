//! What ties the channel's identity key, the manifest and freshness to the CPU's signature (docs/protocol.md, "Binding").

use crate::{Digest, freshness::Freshness};

/// The runtime's Ed25519 public key (RFC 8032), 32 bytes. Made in memory at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdentityKey(pub [u8; 32]);

/// The 64 bytes that the CPU signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportData(pub [u8; 64]);

/// Names one attestation everywhere: SHA-256 of its report_data. Evidence is malleable and never hashed for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BindingId(pub Digest);

/// The inputs of report_data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The Merkle root of the waiting nonces.
    pub freshness: Freshness,
    /// [`IdentityKey::digest`].
    pub identity: Digest,
    /// [`crate::Manifest::digest`] of the received manifest bytes.
    pub manifest: Digest,
}

impl IdentityKey {
    /// H(identity): SHA-256 under the label `narthex/1/identity`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        unimplemented!()
    }
}

impl Binding {
    /// SHA-512 under `narthex/1/report-data` over freshness, H(identity), H(manifest), H(each device's evidence, in order).
    #[must_use]
    pub fn report_data(&self) -> ReportData {
        unimplemented!()
    }
}

impl ReportData {
    /// The binding id: SHA-256 under `narthex/1/binding-id` over the 64 bytes.
    #[must_use]
    pub fn binding_id(&self) -> BindingId {
        unimplemented!()
    }
}
