//! Verifiers with invented vendors. Banned by clippy outside `tee-sim` and `tests`; what they verify is `Anchors::Custom`.

use crate::Verifier;

/// A verifier whose only SNP root (ARK) for every product is `ark_der`, with `ask_der` as its built-in intermediate.
#[must_use]
pub fn verifier_with_roots(ark_der: &[u8], ask_der: &[u8]) -> Verifier {
    let _ = (ark_der, ask_der);
    unimplemented!()
}
