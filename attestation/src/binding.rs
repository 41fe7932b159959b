//! What ties the channel's identity key, the manifest and freshness to the CPU's signature (docs/protocol.md, "Binding").

use crate::{Digest, GpuNonce, freshness::Freshness, hash};

/// The runtime's Ed25519 public key (RFC 8032), 32 bytes. Made in memory at start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IdentityKey(pub [u8; 32]);

/// The 64 bytes that the CPU signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportData(pub [u8; 64]);

/// Names one attestation everywhere: SHA-256 of its report_data. Evidence is malleable and never hashed for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BindingId(pub Digest);

/// The inputs of report_data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The Merkle root of the waiting nonces.
    pub freshness: Freshness,
    /// [`IdentityKey::digest`].
    pub identity: Digest,
    /// [`crate::Manifest::digest`] of the received manifest bytes.
    pub manifest: Digest,
    /// [`crate::DeviceEvidence::digest`] of each device's answer to [`Binding::gpu_nonce`], in the order of the evidence.
    pub devices: Vec<Digest>,
}

impl IdentityKey {
    /// H(identity): SHA-256 under the label `narthex/1/identity`.
    #[must_use]
    pub fn digest(&self) -> Digest {
        hash::sha256_fields("narthex/1/identity", &[&self.0])
    }
}

impl Binding {
    /// What every GPU and switch answers: SHA-256 under `narthex/1/gpu-nonce` over freshness, H(identity), H(manifest).
    #[must_use]
    pub fn gpu_nonce(&self) -> GpuNonce {
        let fields: [&[u8]; 3] = [&self.freshness.0, &self.identity, &self.manifest];
        GpuNonce(hash::sha256_fields("narthex/1/gpu-nonce", &fields))
    }

    /// SHA-512 under `narthex/1/report-data` over freshness, H(identity), H(manifest), H(each device's evidence, in order).
    #[must_use]
    pub fn report_data(&self) -> ReportData {
        let fixed: [&[u8]; 3] = [&self.freshness.0, &self.identity, &self.manifest];
        let devices = self.devices.iter().map(Digest::as_slice);
        let fields: Vec<&[u8]> = fixed.into_iter().chain(devices).collect();
        ReportData(hash::sha512_fields("narthex/1/report-data", &fields))
    }
}

impl ReportData {
    /// The binding id: SHA-256 under `narthex/1/binding-id` over the 64 bytes.
    #[must_use]
    pub fn binding_id(&self) -> BindingId {
        BindingId(hash::sha256_fields("narthex/1/binding-id", &[&self.0]))
    }
}

#[cfg(test)]
mod tests {
    use super::{Binding, IdentityKey};
    use crate::{DeviceEvidence, freshness::Freshness};

    fn binding() -> Binding {
        Binding {
            freshness: Freshness([1; 32]),
            identity: IdentityKey([2; 32]).digest(),
            manifest: [3; 32],
            devices: Vec::new(),
        }
    }

    /// The test vector of docs/protocol.md section 1, computed there with Python's hashlib.
    /// R1.1.
    #[test]
    fn the_layout_is_the_documented_one() {
        let report_data = binding().report_data();
        assert_eq!(
            hex::encode(binding().identity),
            "7cdf563723a93475fc5429351947ebbb1e107f10deba8a2edc522a45ac88ff0a"
        );
        assert_eq!(
            hex::encode(report_data.0),
            "120f7bf7d34c8284bc34160f0ae18767d6e5c6c4ec414bc21825c98834a8c4e623407b18ea9d9434ede56a8c76dd85403b88442dc6c2d7dd30caecc5fff2522d"
        );
        assert_eq!(
            hex::encode(report_data.binding_id().0),
            "13ab6af967d08c7baa46ce1d03f3b6919c4ee3d6c41f1882ffa247809943052d"
        );
    }

    #[test]
    fn devices_are_bound_as_documented() {
        let device = DeviceEvidence {
            report: vec![4; 4],
            chain: vec![vec![5; 5], vec![6; 6]],
        };
        assert_eq!(
            hex::encode(binding().gpu_nonce().0),
            "d48815f01430bd5aed0fe0c5e8c5163b2c713fc3f8d2a5689c63695f2d190a9f"
        );
        assert_eq!(
            hex::encode(device.digest()),
            "f28c17ce1390daaaa8d2b69af5d02b9d78b4e1bd2b2fae5d98484a923abd52e8"
        );
        let with_device = Binding {
            devices: vec![device.digest()],
            ..binding()
        };
        assert_eq!(with_device.gpu_nonce(), binding().gpu_nonce());
        assert_eq!(
            hex::encode(with_device.report_data().0),
            "b85cf0d5d095d40d1109f9ddbb8e8796f2780fa1524791b06cba531059a28fc69fa27f4887cb5b1c7f157e15e2af6a44067da3af170d11d5fa72e7f6bc5c8451"
        );
    }

    #[test]
    fn every_input_is_bound() {
        let whole = binding().report_data();
        let others = [
            Binding {
                freshness: Freshness([0; 32]),
                ..binding()
            },
            Binding {
                identity: [0; 32],
                ..binding()
            },
            Binding {
                manifest: [0; 32],
                ..binding()
            },
            Binding {
                devices: vec![[0; 32]],
                ..binding()
            },
        ];
        assert!(others.iter().all(|other| other.report_data() != whole));
    }
}
