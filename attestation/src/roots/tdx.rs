//! Intel's root.

use std::borrow::Cow;

/// Whom TDX quotes and Intel's collateral are traced back to, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxRoots {
    /// The Intel SGX Root CA: issues the PCK CAs and the TCB Signing certificate, and lists what of them is revoked.
    pub(crate) root: Cow<'static, [u8]>,
}

const ROOT: &[u8] = include_bytes!("../../roots/intel-sgx-root-ca.der");

impl TdxRoots {
    /// Intel's own.
    #[must_use]
    pub const fn vendor() -> Self {
        Self {
            root: Cow::Borrowed(ROOT),
        }
    }

    /// An invented vendor; [`crate::danger`] alone hands it out.
    pub(crate) fn invented(root: &[u8]) -> Self {
        Self {
            root: Cow::Owned(root.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ROOT;
    use crate::x509::{Algorithm, Certificate};

    #[test]
    fn the_root_signs_itself() {
        let root = Certificate::parse(ROOT).unwrap();
        assert!(root.is_signed_by(&root) && root.issuer() == root.subject());
        assert_eq!(root.algorithm(), Some(Algorithm::EcdsaP256Sha256));
        assert_eq!(root.common_name(), Some("Intel SGX Root CA"));
    }
}
