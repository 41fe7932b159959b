//! `Verified<NodeClaims>` in, [`Admitted`] or a [`Denial`] with every reason out. Pure.

pub mod appraiser;
pub mod danger;
pub mod decision;
pub mod document;
pub mod evaluate;
pub mod signature;

pub use appraiser::{Appraiser, Refusal};
pub use decision::{Admitted, Denial, Reason};
pub use document::{Policy, PolicyError};
pub use signature::{Envelope, PayloadType, SignatureError, TrustRoot};
