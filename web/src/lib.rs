//! The auditor's verifier as WASM: JSON in, the verdict as JSON out, no import from the page it runs in.

#[cfg(target_arch = "wasm32")]
mod abi;
mod answer;
mod request;

pub use answer::answer;
