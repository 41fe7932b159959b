//! The sealed channel: Chunked OHTTP (draft-ietf-ohai-chunked-ohttp-08 over RFC 9458) with HPKE (RFC 9180) to a key that an attested
//! identity signed, BHTTP (RFC 9292) inside, closed by a serving receipt. Pure and sans-I/O: bytes and times in, bytes out.
//!
//! In RFC 9458's words our gateway binary is the *relay* and the runtime is the *gateway and target*.

pub mod bhttp;
pub mod chunk;
pub mod client;
pub mod crypto;
pub mod hpke;
pub mod identity;
pub mod key_config;
pub mod receipt;
pub mod replay;
pub mod sealed_headers;
pub mod server;

pub use client::{OpenError, Opener, ResponseEvent, SealError, SealedRequest, Sealer};
pub use identity::IdentitySecret;
pub use key_config::{KeyConfigError, KeyConfigs, SignedKeyConfigs};
pub use receipt::{Opening, Receipt, ReceiptError, SignedReceipt, Usage};
pub use sealed_headers::{RequestContext, SealedHeaders};
pub use server::{KeyEpoch, Plaintext, Receiver, ReceiverError, RequestOpener, Responder};

/// Media type of a sealed request.
pub const REQUEST_MEDIA_TYPE: &str = "message/ohttp-chunked-req";
/// Media type of a sealed response.
pub const RESPONSE_MEDIA_TYPE: &str = "message/ohttp-chunked-res";
