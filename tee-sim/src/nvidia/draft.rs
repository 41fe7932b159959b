//! Everything that an invented NVIDIA signs, before it is signed.

use super::{About, Chip, OcspResponse, Report, Rim, certificates, opaque, vendor::Keys};
use crate::x509::Certificate;
use attestation::UnixTime;

/// What is signed, each field for itself: a test may make any of them wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The root of devices.
    pub device_root: Certificate,
    /// Attestation key, ROM, provisioner, generation.
    pub device_chain: Vec<Certificate>,
    /// Whose keys sign them.
    pub device_signers: Vec<Signer>,
    /// The device's report.
    pub report: Report,
    /// The root of manifests.
    pub rim_root: Certificate,
    /// Signer, its issuer, and the issuer's.
    pub rim_chain: Vec<Certificate>,
    /// Whose keys sign them.
    pub rim_signers: Vec<Signer>,
    /// Of the driver, and of what the device boots from.
    pub rims: Vec<Rim>,
    /// About every certificate that a responder knows.
    pub ocsp: Vec<OcspResponse>,
}

/// One of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signer {
    /// The root of devices.
    DeviceRoot,
    /// The generation's CA, GH100.
    Generation,
    /// The CA that provisions chips.
    Provisioner,
    /// The device's, in its ROM.
    Rom,
    /// The one that signs reports.
    Attestation,
    /// The root of manifests.
    RimRoot,
    /// The CA below it.
    RimSecond,
    /// The CA below that.
    RimThird,
    /// The one that signs manifests.
    RimSigner,
    /// The one that signs OCSP responses.
    Responder,
    /// A key of nobody's.
    Stranger,
}

impl Draft {
    /// A device as it should be, its manifests, and responses that hold from `now`.
    pub(super) fn well_kept(keys: &Keys, chip: Chip, now: UnixTime) -> Self {
        let device_chain = certificates::device_chain(keys, chip);
        let rim_chain = certificates::rim_chain(keys);
        let response = |about, subject: &Certificate| {
            let responder = certificates::responder(keys, subject.issuer.clone());
            OcspResponse::good(about, responder, now)
        };
        let of_device = device_chain.iter().enumerate().skip(1);
        let of_device = of_device.map(|(index, one)| response(About::Device(index), one));
        let of_rims = rim_chain.iter().enumerate();
        let of_rims = of_rims.map(|(index, one)| response(About::Rim(index), one));
        Self {
            ocsp: of_device.chain(of_rims).collect(),
            device_root: certificates::device_root(keys),
            device_chain,
            device_signers: vec![
                Signer::Rom,
                Signer::Provisioner,
                Signer::Generation,
                Signer::DeviceRoot,
            ],
            report: Report::of(chip),
            rim_root: certificates::rim_root(keys),
            rim_chain,
            rim_signers: vec![Signer::RimThird, Signer::RimSecond, Signer::RimRoot],
            rims: Rim::of(chip),
        }
    }

    /// Gives the device its identifier and the devices at the other ends of its links, in protected PCIe.
    pub(super) fn become_device(&mut self, chip: Chip, pdi: [u8; 8], links: &[[u8; 8]]) {
        let rom = self.device_chain.get_mut(1);
        rom.expect("a ROM's certificate").serial = [&[0x41][..], &pdi].concat();
        match chip {
            Chip::Gh100 => {
                let reversed = links.iter().flat_map(|link| link.iter().rev());
                *self.report.opaque(opaque::SWITCH_PDI) = reversed.copied().collect();
                *self.report.opaque(opaque::FEATURE_FLAG) = vec![2, 0];
            }
            Chip::Ls10 => {
                let mut gpus = links.concat();
                gpus.resize(128, 0);
                *self.report.opaque(opaque::SWITCH_PDI) = pdi.to_vec();
                *self.report.opaque(opaque::SWITCH_GPU_PDIS) = gpus;
            }
        }
    }
}
