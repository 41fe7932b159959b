//! DSSE envelopes (PAE, one payload type per kind of document) signed by k of n distinct Ed25519 keys.
//!
//! How signatures count (docs/policy.md, "Signatures"):
//! - a `keyid` that names a key of the root must verify under that key; if it does not, the envelope is refused;
//! - a `keyid` that names no key of the root is ignored and never counts;
//! - without a `keyid`, the signature counts for the key of the root that verifies it, if any;
//! - what is counted are the keys that verified, never the `keyid` strings: a key that signs twice counts once.

mod envelope;
mod error;
mod trust_root;

pub use envelope::{Envelope, MAX_ENVELOPE_BYTES, MAX_SIGNATURES, PayloadType};
pub use error::SignatureError;
pub use trust_root::{MAX_KEYS, TrustRoot, keyid};
