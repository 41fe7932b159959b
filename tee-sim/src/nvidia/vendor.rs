//! The invented NVIDIA with one device: keys in memory, and what they sign.

use super::{About, Chip, Draft, OcspResponse, Rim, Signer, ocsp::Parties};
use crate::x509::{Certificate, Key};
use attestation::{
    UnixTime,
    nvidia::{self, DeviceClaims, Evidence, NvidiaError, References},
    roots::NvidiaRoots,
};
use std::sync::Arc;

/// An invented NVIDIA and one of its devices.
#[derive(Clone)]
pub struct Nvidia {
    keys: Arc<Keys>,
    draft: Draft,
    now: UnixTime,
}

/// One P-384 key for each role, and one of nobody's.
pub(super) struct Keys(Vec<(Signer, Key)>);

/// A report with all that a verifier needs beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Request and response.
    pub report: Vec<u8>,
    /// The chain, DER, leaf first, with its root.
    pub chain: Vec<Vec<u8>>,
    /// Manifests and OCSP responses.
    pub references: References,
    /// Root of devices, DER.
    pub device_root: Vec<u8>,
    /// Root of manifests, DER.
    pub rim_root: Vec<u8>,
}

impl Nvidia {
    /// A new NVIDIA with new keys, whose OCSP responses hold for a day from `now`.
    #[must_use]
    pub fn invent(now: UnixTime) -> Self {
        let keys = Keys::generate();
        Self {
            draft: Draft::well_kept(&keys, Chip::Gh100, now),
            keys: Arc::new(keys),
            now,
        }
    }

    /// A machine in protected PCIe: each GPU is linked to every switch. At most 8 GPUs.
    #[must_use]
    pub fn machine(&self, gpus: u8, switches: u8) -> Vec<Self> {
        let [gpus, switches] =
            [(Chip::Gh100, gpus), (Chip::Ls10, switches)].map(|(chip, count)| {
                (0..count)
                    .map(|number| chip.pdi(number))
                    .collect::<Vec<_>>()
            });
        let linked_gpu = |pdi: &[u8; 8]| self.device(Chip::Gh100, *pdi, &switches);
        let linked_switch = |pdi: &[u8; 8]| self.device(Chip::Ls10, *pdi, &gpus);
        let devices = gpus.iter().map(linked_gpu);
        devices.chain(switches.iter().map(linked_switch)).collect()
    }

    fn device(&self, chip: Chip, pdi: [u8; 8], links: &[[u8; 8]]) -> Self {
        let mut draft = Draft::well_kept(&self.keys, chip, self.now);
        draft.become_device(chip, pdi, links);
        Self {
            draft,
            ..self.clone()
        }
    }

    /// The same keys over other values.
    #[must_use]
    pub fn with(&self, edit: impl FnOnce(&mut Draft)) -> Self {
        let mut changed = self.clone();
        edit(&mut changed.draft);
        changed
    }

    /// What is signed.
    #[must_use]
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Report, chain, manifests and OCSP responses that answer `nonce`.
    #[must_use]
    pub fn issue(&self, nonce: &[u8; 32]) -> Issued {
        let report = &self.draft.report;
        let device_root = self.draft.device_root.sign(self.key(Signer::DeviceRoot));
        Issued {
            report: report.to_bytes(nonce, self.key(report.signer)),
            chain: self.device_chain(&device_root),
            references: self.references(),
            rim_root: self.rim_root_der(),
            device_root,
        }
    }

    /// Manifests and OCSP responses.
    #[must_use]
    pub fn references(&self) -> References {
        let rims = self.draft.rims.iter().map(|rim| self.rim(rim));
        let ocsp = self.draft.ocsp.iter().map(|one| self.response(one));
        References {
            rims: rims.collect(),
            ocsp: ocsp.collect(),
        }
    }

    fn device_chain(&self, root: &[u8]) -> Vec<Vec<u8>> {
        let certificates = self
            .draft
            .device_chain
            .iter()
            .zip(&self.draft.device_signers);
        let mut chain: Vec<_> = certificates
            .map(|(one, signer)| one.sign(self.key(*signer)))
            .collect();
        chain.push(root.to_vec());
        chain
    }

    fn rim(&self, rim: &Rim) -> Vec<u8> {
        let certificates = self.draft.rim_chain.iter().zip(&self.draft.rim_signers);
        let mut chain: Vec<_> = certificates
            .map(|(one, signer)| one.sign(self.key(*signer)))
            .collect();
        chain.push(self.rim_root_der());
        rim.to_xml(self.key(rim.signer), &chain)
    }

    fn rim_root_der(&self) -> Vec<u8> {
        self.draft.rim_root.sign(self.key(Signer::RimRoot))
    }

    fn response(&self, response: &OcspResponse) -> Vec<u8> {
        let Draft {
            device_chain,
            device_signers,
            device_root,
            rim_chain,
            rim_signers,
            rim_root,
            ..
        } = &self.draft;
        let (chain, signers, root, index) = match response.about {
            About::Device(index) => (device_chain, device_signers, device_root, index),
            About::Rim(index) => (rim_chain, rim_signers, rim_root, index),
        };
        let at = |index: usize| -> &Certificate { chain.get(index).unwrap_or(root) };
        let issuer = *signers
            .get(index)
            .expect("about a certificate that is there");
        response.to_der(&Parties {
            subject: at(index),
            issuer: at(index + 1),
            issuer_key: self.key(issuer),
            appointing_key: self.key(response.appointed_by.unwrap_or(issuer)),
            signer: self.key(response.signer),
        })
    }

    fn key(&self, signer: Signer) -> &Key {
        self.keys.of(signer)
    }
}

impl Keys {
    fn generate() -> Self {
        let signers = [
            Signer::DeviceRoot,
            Signer::Generation,
            Signer::Provisioner,
            Signer::Rom,
            Signer::Attestation,
            Signer::RimRoot,
            Signer::RimSecond,
            Signer::RimThird,
            Signer::RimSigner,
            Signer::Responder,
            Signer::Stranger,
        ];
        Self(signers.map(|signer| (signer, Key::p384())).into())
    }

    pub(super) fn of(&self, signer: Signer) -> &Key {
        let mut keys = self.0.iter();
        let found = keys.find(|(other, _)| *other == signer);
        &found.expect("each signer has a key").1
    }
}

impl Issued {
    /// The roots that this vendor's devices and manifests are traced back to.
    #[must_use]
    pub fn roots(&self) -> NvidiaRoots {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the crate for invented vendors"
        )]
        attestation::danger::nvidia_roots(&self.device_root, &self.rim_root)
    }

    /// What the verifier says under these roots.
    pub fn verify(&self, nonce: &[u8; 32], now: UnixTime) -> Result<DeviceClaims, NvidiaError> {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &self.report,
            chain: &chain,
        };
        nvidia::verify(&evidence, &self.references, Some(nonce), &self.roots(), now)
    }
}

impl std::fmt::Debug for Nvidia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Nvidia")
            .field("draft", &self.draft)
            .finish_non_exhaustive()
    }
}
