//! Verifiers with invented vendors. Banned by clippy outside `tee-sim` and `tests`; what they verify is `Anchors::Custom`.

use crate::{Verifier, roots::SnpRoots};

/// A verifier whose only SNP root (ARK) for every product is `ark_der`, with `ask_der` as its built-in intermediate.
///
/// Bytes that are no certificate are no error here: such a verifier accepts nothing.
#[must_use]
pub fn verifier_with_roots(ark_der: &[u8], ask_der: &[u8]) -> Verifier {
    Verifier::custom(SnpRoots::invented(ark_der, ask_der))
}
