//! Freshness: the Merkle root of the nonces of the clients now waiting (RFC 9162 section 2.1 hashing, SHA-256).

use crate::Digest;

/// What a client invents for one challenge: 32 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Nonce(pub [u8; 32]);

/// The Merkle root that went into report_data. For one nonce it is that nonce's leaf hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness(pub Digest);

/// Inclusion path of one nonce (RFC 9162 section 2.1.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoncePath {
    /// Index of the leaf.
    pub index: u64,
    /// Number of leaves.
    pub size: u64,
    /// Sibling hashes, bottom first; at most 32.
    pub siblings: Vec<Digest>,
}

impl Freshness {
    /// The root over a single nonce.
    #[must_use]
    pub fn of_one(nonce: &Nonce) -> Self {
        let _ = nonce;
        unimplemented!()
    }

    /// The root and every nonce's path; `None` for an empty list.
    #[must_use]
    pub fn of_many(nonces: &[Nonce]) -> Option<(Self, Vec<NoncePath>)> {
        let _ = nonces;
        unimplemented!()
    }

    /// Whether `path` proves that `nonce` is under this root.
    #[must_use]
    pub fn includes(&self, nonce: &Nonce, path: &NoncePath) -> bool {
        let _ = (nonce, path);
        unimplemented!()
    }
}
