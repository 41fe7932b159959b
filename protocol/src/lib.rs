//! The sealed channel: Chunked OHTTP (draft-ietf-ohai-chunked-ohttp-08 over RFC 9458) with HPKE (RFC 9180) to a key that an attested
//! identity signed, BHTTP (RFC 9292) inside, closed by a serving receipt. Pure and sans-I/O: bytes and times in, bytes out.
//!
//! In RFC 9458's words our gateway binary is the *relay* and the runtime is the *gateway and target*.

pub mod bhttp;
pub mod chunk;
pub mod client;
mod cose;
mod crypto;
pub mod entropy;
mod envelope;
mod exchange;
mod form;
mod hpke;
pub mod identity;
pub mod key_config;
pub mod key_release;
mod ohttp_keys;
pub mod padding;
pub mod receipt;
mod replay;
pub mod sealed_headers;
pub mod secret;
pub mod server;
pub mod tenant;
#[cfg(test)]
mod test_exchange;
#[cfg(test)]
mod testdata;
mod varint;
mod wipe;

pub use client::{
    ClientRequest, OpenError, Opener, ResponseEvent, ResponsePart, SealError, SealedRequest, Sealer,
};
pub use crypto::Aead;
pub use form::{Form, MAX_ONE_SHOT};
pub use identity::IdentitySecret;
pub use key_config::{KeyConfigError, KeyConfigs, SignedKeyConfigs};
pub use padding::PaddingProfile;
pub use receipt::{
    DisclosedExchange, Opening, Outcome, Receipt, ReceiptError, SignedReceipt, Usage,
};
pub use sealed_headers::{HeaderMismatch, RequestContext, SealedHeaders};
pub use server::{
    ExchangeDigests, KeyEpoch, Plaintext, Receiver, ReceiverError, RequestOpener, Responder, Terms,
};
pub use tenant::{CacheSecret, TenantCredential, TenantSigner, TenantStatement};

/// Media type of a sealed request.
pub const REQUEST_MEDIA_TYPE: &str = "message/ohttp-chunked-req";
/// Media type of a sealed response.
pub const RESPONSE_MEDIA_TYPE: &str = "message/ohttp-chunked-res";
