//! `Verified<NodeClaims>` in, [`Admitted`] or a [`Denial`] with every reason out. Pure.
//!
//! A [`Policy`] is parsed from a signed TOML document (docs/policy.md); [`Envelope`] and [`TrustRoot`] say who signed it.

pub mod allow_list;
pub mod appraiser;
mod bit_rule;
pub mod danger;
pub mod decision;
pub mod document;
pub mod evaluate;
pub mod gpu;
pub mod lint;
pub mod signature;
pub mod snp;
pub mod tdx;
pub mod tenant;

pub use allow_list::{AllowList, NamedDigest};
pub use appraiser::{Appraiser, Refusal};
pub use bit_rule::BitRule;
pub use decision::{Admitted, Denial, Reason};
pub use document::{Policy, PolicyError, Position};
pub use lint::Finding;
pub use signature::{Envelope, PayloadType, SignatureError, TrustRoot};
pub use tenant::Tenant;
