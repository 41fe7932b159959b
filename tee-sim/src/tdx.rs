//! An invented Intel: byte-exact TDX quotes and the collateral that Intel's Provisioning Certification Service would publish for them.
//!
//! [`Intel::invent`] makes every key; [`Intel::with`] changes any field of what is then signed, so that a test can be wrong in one
//! point only.

mod certificates;
mod draft;
mod event_log;
mod intel;
mod qe_identity;
mod quote;
mod sgx_extensions;
mod tcb_info;
mod td_report;

pub use certificates::SGX_EXTENSIONS;
pub use draft::{Draft, Signer, Signers};
pub use event_log::EventLog;
pub use intel::{Intel, Issued, pem};
pub use qe_identity::{QeIdentity, QeTcbLevel};
pub use quote::{PckSource, QeReport, Quote};
pub use sgx_extensions::SgxExtensions;
pub use tcb_info::{
    IsvSvn, ModuleIdentity, ModuleTcbLevel, Svn, Svns, TcbInfo, TcbLevel, TcbStatus, TdxModule,
};
pub use td_report::{Body, TdReport, TdReport15, TdReport15Ex};
