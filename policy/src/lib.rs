//! `Verified<NodeClaims>` in, [`Admitted`] or a [`Denial`] with every reason out. Pure.
//!
//! A [`Policy`] is parsed from a signed TOML document (docs/policy.md); [`Envelope`] and [`TrustRoot`] say who signed it.

pub mod allow_list;
pub mod appraiser;
mod bit_rule;
pub mod danger;
pub mod decision;
pub mod document;
pub mod draft;
pub mod evaluate;
pub mod gpu;
pub mod hardware;
pub mod in_force;
pub mod inventory;
pub mod lint;
pub mod orders;
pub mod publication;
pub mod reference_value;
mod remedy;
pub mod remembered;
pub mod role;
pub mod root;
pub mod signature;
pub mod snp;
pub mod tdx;
pub mod tenant;
pub mod timestamp;
pub mod validity;

pub use allow_list::{AllowList, NamedDigest};
pub use appraiser::{Appraiser, Refusal};
pub use bit_rule::BitRule;
pub use decision::{Admitted, Advisory, Denial, Reason, Waived};
pub use document::{Policy, PolicyError, Position};
pub use hardware::HardwareId;
pub use in_force::InForce;
pub use inventory::{Inventory, Placement};
pub use lint::Finding;
pub use orders::{Action, Order, Orders, Stopped, Target};
pub use publication::{Files, Publication, PublicationError};
pub use reference_value::ReferenceValue;
pub use remedy::reason_codes;
pub use remembered::Remembered;
pub use role::Role;
pub use root::{Root, RootDocument};
pub use signature::{Envelope, PayloadType, SignatureError, TrustRoot};
pub use tenant::Tenant;
pub use timestamp::{Listed, Timestamp};
pub use validity::Validity;
