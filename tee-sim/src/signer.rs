//! A policy signer whose Ed25519 key lives in this process only.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use policy::{Envelope, PayloadType, TrustRoot};
use std::sync::Arc;

/// Signs policies in tests and in the demonstration.
#[derive(Clone)]
pub struct PolicySigner {
    key: Arc<Ed25519KeyPair>,
}

impl PolicySigner {
    /// A new key.
    #[must_use]
    pub fn generate() -> Self {
        let key = Ed25519KeyPair::generate().expect("Ed25519 keys can be made");
        Self { key: Arc::new(key) }
    }

    /// The public key, raw.
    #[must_use]
    pub fn public_key(&self) -> [u8; 32] {
        let public_key = self.key.public_key().as_ref();
        public_key.try_into().expect("Ed25519 keys have 32 bytes")
    }

    /// The signature over any bytes.
    #[must_use]
    pub fn signature(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.key.sign(message);
        signature
            .as_ref()
            .try_into()
            .expect("Ed25519 signatures have 64 bytes")
    }

    /// Adds this key's signature to `envelope`.
    pub fn sign(&self, envelope: &mut Envelope) {
        envelope.add_signature(self.public_key(), self.signature(&envelope.pae()));
    }

    /// A policy envelope signed by this key alone.
    #[must_use]
    pub fn signed_policy(&self, toml: &str) -> Envelope {
        let mut envelope = Envelope::unsigned(PayloadType::Policy, toml.as_bytes().to_vec());
        self.sign(&mut envelope);
        envelope
    }

    /// The root that trusts this key alone.
    #[must_use]
    pub fn trust_root(&self) -> TrustRoot {
        TrustRoot::new(vec![self.public_key()], 1).expect("one key, threshold one")
    }
}
