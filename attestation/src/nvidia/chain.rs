//! The chain of a device's attestation key: five certificates, the last of which is pinned.

use super::{
    Architecture, NvidiaError, OcspSubject, Pdi, fwid,
    revocation::{Responses, Revocation},
};
use crate::{
    UnixTime, Window,
    roots::NvidiaRoots,
    x509::{
        Algorithm, Certificate,
        path::{self, PathFault, Rules},
    },
};

/// Certificates below the root: attestation key, ROM, provisioner, generation.
const PATH_LENGTH: usize = 4;

const RULES: Rules = Rules {
    algorithm: Algorithm::EcdsaP384Sha384,
    known_critical: |_| false,
};

/// Certificates that parse; nothing about them is checked yet.
pub(super) struct Chain<'a> {
    path: Vec<Certificate<'a>>,
    /// Whether the root that was given, if one was, is the pinned one.
    is_under_pinned_root: bool,
    fwid: Option<[u8; 48]>,
}

/// What the certificates of a device say, once they are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) architecture: Architecture,
    /// As manifests name it.
    pub(super) chip: String,
    pub(super) pdi: Pdi,
    pub(super) serial_number: Vec<u8>,
    pub(super) fwid: Option<[u8; 48]>,
    /// The attestation key: uncompressed point, 97 bytes.
    pub(super) key: Vec<u8>,
    pub(super) window: Window,
}

impl<'a> Chain<'a> {
    /// Parses the certificates, leaf first; the pinned root may stand at the end.
    pub(super) fn parse(ders: &[&'a [u8]], roots: &NvidiaRoots) -> Result<Self, NvidiaError> {
        let (below, stranger) = match ders.split_last() {
            Some((root, below)) if *root == roots.device.as_ref() => (below, None),
            Some((root, below)) if below.len() == PATH_LENGTH && is_root(root) => {
                (below, Some(*root))
            }
            _ => (ders, None),
        };
        if below.len() != PATH_LENGTH {
            return Err(NvidiaError::ChainLength(below.len()));
        }
        let given = below.iter().copied().chain(stranger);
        let path: Option<Vec<_>> = given.map(Certificate::parse).collect();
        let mut path = path.ok_or(NvidiaError::ChainFormat)?;
        path.truncate(PATH_LENGTH);
        let leaf = path.first().ok_or(NvidiaError::ChainFormat)?;
        let fwid = fwid::of(leaf).map_err(|()| NvidiaError::ChainExtensions)?;
        Ok(Self {
            path,
            is_under_pinned_root: stranger.is_none(),
            fwid,
        })
    }

    /// Validates the path up to the root and reads what it says of the device.
    pub(super) fn verify(
        &self,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Identity, NvidiaError> {
        let root = Certificate::parse(&roots.device).ok_or(NvidiaError::ChainFormat)?;
        if !self.is_under_pinned_root {
            return Err(NvidiaError::ChainIssuer(PATH_LENGTH));
        }
        let window = path::validate(&self.path, &root, &RULES, now).map_err(refusal)?;
        let [leaf, rom, ..] = self.path.as_slice() else {
            return Err(NvidiaError::ChainLength(self.path.len()));
        };
        let (chip, architecture) = chip(leaf)?;
        let pdi = Pdi::of_serial_number(rom.serial()).ok_or(NvidiaError::Serial)?;
        Ok(Identity {
            architecture,
            chip,
            pdi,
            serial_number: rom.serial().to_vec(),
            fwid: self.fwid,
            key: leaf.p384_key().unwrap_or_default().to_vec(),
            window,
        })
    }

    /// What `responses` say of the certificates above the attestation key's, which the device issues itself and no responder knows.
    pub(super) fn revocation(
        &self,
        responses: &Responses<'_>,
        pdi: Pdi,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Revocation, NvidiaError> {
        let root = Certificate::parse(&roots.device).ok_or(NvidiaError::ChainFormat)?;
        let path: Vec<&Certificate<'_>> = self.path.iter().chain([&root]).collect();
        let subject = |index| OcspSubject::Device(pdi, index);
        responses.check(&path, 1, subject, now)
    }
}

/// The device whose chain this is (leaf first), by its second certificate's own words.
pub(crate) fn named_device(ders: &[Vec<u8>]) -> Option<Pdi> {
    let rom = Certificate::parse(ders.get(1)?)?;
    Pdi::of_serial_number(rom.serial())
}

/// Whether `der` says that it is a root.
fn is_root(der: &[u8]) -> bool {
    Certificate::parse(der).is_some_and(|root| root.issuer() == root.subject())
}

/// The first word of the common name, `LS_10` written as manifests write it.
fn chip(leaf: &Certificate<'_>) -> Result<(String, Architecture), NvidiaError> {
    let name = leaf.common_name().unwrap_or_default();
    let chip = name.split(' ').next().unwrap_or_default().replace('_', "");
    match Architecture::of_chip(&chip) {
        Some(architecture) => Ok((chip, architecture)),
        None => Err(NvidiaError::Chip(name.into())),
    }
}

const fn refusal(fault: PathFault) -> NvidiaError {
    match fault {
        PathFault::Issuer(index) => NvidiaError::ChainIssuer(index),
        PathFault::Constraints(index) => NvidiaError::ChainConstraints(index),
        PathFault::Algorithm(index) => NvidiaError::ChainAlgorithm(index),
        PathFault::Signature(index) => NvidiaError::ChainSignature(index),
        PathFault::NotYetValid(index) => NvidiaError::ChainNotYetValid(index),
        PathFault::Expired(index) => NvidiaError::ChainExpired(index),
    }
}
