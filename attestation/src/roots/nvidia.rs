//! NVIDIA's two roots, pinned: who a device is, and what its firmware should be.

use std::borrow::Cow;

/// Whom NVIDIA evidence and reference values are traced back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvidiaRoots {
    /// "NVIDIA Device Identity CA": GPUs, switches and what revokes them; DER, trusted as it is.
    pub(crate) device: Cow<'static, [u8]>,
    /// "NVIDIA CoRIM signing Root CA": reference integrity manifests and what revokes their signers; DER, trusted as it is.
    pub(crate) rim: Cow<'static, [u8]>,
}

const DEVICE: &[u8] = include_bytes!("../../roots/nvidia-device.der");
const RIM: &[u8] = include_bytes!("../../roots/nvidia-rim.der");

impl NvidiaRoots {
    /// NVIDIA's own.
    #[must_use]
    pub const fn vendor() -> Self {
        Self {
            device: Cow::Borrowed(DEVICE),
            rim: Cow::Borrowed(RIM),
        }
    }

    /// An invented vendor; [`crate::danger`] alone hands it out.
    pub(crate) fn invented(device_root_der: &[u8], rim_root_der: &[u8]) -> Self {
        Self {
            device: Cow::Owned(device_root_der.to_vec()),
            rim: Cow::Owned(rim_root_der.to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEVICE, RIM};
    use crate::x509::{Algorithm, Certificate};

    #[test]
    fn each_root_signs_itself_and_not_the_other() {
        let [device, rim] = [DEVICE, RIM].map(|der| Certificate::parse(der).unwrap());
        for root in [&device, &rim] {
            assert!(root.is_signed_by(root) && root.issuer() == root.subject());
            assert_eq!(root.algorithm(), Some(Algorithm::EcdsaP384Sha384));
        }
        assert!(!device.is_signed_by(&rim) && !rim.is_signed_by(&device));
        assert_eq!(device.common_name(), Some("NVIDIA Device Identity CA"));
        assert_eq!(rim.common_name(), Some("NVIDIA CoRIM signing Root CA"));
    }
}
