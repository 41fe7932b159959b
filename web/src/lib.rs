//! The auditor's verifier as WASM: JSON in, the verdict as JSON out, no import from the page it runs in.

#[cfg(target_arch = "wasm32")]
pub mod abi;
mod answer;
mod azure;
mod bundle;
mod nvidia;
mod request;
mod snp;
mod tdx;
mod trust;
mod value;
mod verdict;

pub use answer::answer;
pub use trust::Trust;
