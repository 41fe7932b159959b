//! Intel TDX: quotes v4 and v5, judged against Intel's collateral at a time that the caller gives.
//!
//! Names are those of Intel's DCAP quote generation library (quote v4 and v5), of the TDX module ABI (348551) and of the
//! Provisioning Certification Service's API v4.

mod attributes;
mod chain;
mod claims;
mod collateral;
mod crl;
mod error;
mod json;
mod module;
mod named_platform;
mod pck;
mod pem;
mod qe_identity;
mod qe_report;
mod quote;
mod sgx_extension;
mod signature_data;
mod status;
mod steps;
mod tcb;
mod tcb_info;
mod td_report;
mod verified_collateral;
mod verified_pck;
mod verify;
mod windows;

pub use attributes::TdAttributes;
pub use chain::{Certificate, Chain, Fault};
pub use claims::{ComponentSvn, PckCa, PlatformClaims, TcbClaims, TcbComponent, TdxClaims};
pub use collateral::Collateral;
pub use error::TdxError;
pub use named_platform::NamedPlatform;
pub use status::TcbStatus;
pub use steps::{COLLATERAL_STEPS, EVENT_LOG_STEPS, STEPS};
pub use td_report::{TdReport, TdReport15, TdReport15Ex};
pub use verified_collateral::VerifiedCollateral;
pub use verified_pck::{VerifiedPck, VerifiedQe};
pub use verify::{Evidence, verify};
pub(crate) use verify::{chain_in_quote, mr_td_in_quote};
