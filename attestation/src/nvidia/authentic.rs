//! Who signed a report, and that it answers the nonce: everything but what the measurements should be.

use super::{
    Device, Evidence, Kind, NvidiaError, Pdi,
    chain::{Chain, Identity},
    opaque::OpaqueFields,
    revocation::{Responses, Revocation},
    spdm::{Measurement, Report},
};
use crate::{UnixTime, Window, crypto, roots::NvidiaRoots};
use std::collections::{BTreeMap, BTreeSet};

/// A device's chain, verified once: while its window lasts, a report costs one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedDeviceChain {
    identity: Identity,
}

/// A report that a genuine device signed for this nonce. Whether its firmware is what it should be is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentic {
    device: Device,
    /// Digests by index; the index counts from 1. `None`: the device gave the bits themselves.
    pub(super) measurements: BTreeMap<u8, Option<Vec<u8>>>,
}

/// Checks chain, firmware digest, nonce and signature of `evidence`. Without a nonce any is accepted.
pub fn authenticate(
    evidence: &Evidence<'_>,
    nonce: Option<&[u8; 32]>,
    roots: &NvidiaRoots,
    now: UnixTime,
) -> Result<Authentic, NvidiaError> {
    let parsed = Parsed::parse(evidence, roots)?;
    parsed.authenticate(nonce, roots, now)
}

/// Evidence of which every byte has its place.
pub(super) struct Parsed<'a> {
    report: ParsedReport<'a>,
    pub(super) chain: Chain<'a>,
}

/// A report with its known opaque fields.
struct ParsedReport<'a> {
    report: Report<'a>,
    fields: OpaqueFields,
}

impl<'a> Parsed<'a> {
    pub(super) fn parse(evidence: &Evidence<'a>, roots: &NvidiaRoots) -> Result<Self, NvidiaError> {
        Ok(Self {
            report: ParsedReport::parse(evidence.report)?,
            chain: Chain::parse(evidence.chain, roots)?,
        })
    }

    pub(super) fn authenticate(
        &self,
        nonce: Option<&[u8; 32]>,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Authentic, NvidiaError> {
        let identity = self.chain.verify(roots, now)?;
        self.report.authenticate(&identity, nonce)
    }
}

impl VerifiedDeviceChain {
    /// Verifies `chain` (DER, leaf first; the root may stand at the end) at `now`.
    pub fn verify(
        chain: &[&[u8]],
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<Self, NvidiaError> {
        let identity = Chain::parse(chain, roots)?.verify(roots, now)?;
        Ok(Self { identity })
    }

    /// [`Self::verify`], with what `responses` say of the chain.
    pub(super) fn verify_with(
        chain: &[&[u8]],
        responses: &Responses<'_>,
        roots: &NvidiaRoots,
        now: UnixTime,
    ) -> Result<(Self, Revocation), NvidiaError> {
        let chain = Chain::parse(chain, roots)?;
        let identity = chain.verify(roots, now)?;
        let revocation = chain.revocation(responses, identity.pdi, roots, now)?;
        Ok((Self { identity }, revocation))
    }

    /// When it may be used.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.identity.window
    }

    /// The device that it is of.
    #[must_use]
    pub const fn pdi(&self) -> Pdi {
        self.identity.pdi
    }

    /// [`authenticate`] for another report under this chain.
    pub fn authenticate(
        &self,
        report: &[u8],
        nonce: Option<&[u8; 32]>,
        now: UnixTime,
    ) -> Result<Authentic, NvidiaError> {
        let report = ParsedReport::parse(report)?;
        let window = self.identity.window;
        if now < window.not_before {
            return Err(NvidiaError::ChainNotYetValid(0));
        }
        if now > window.not_after {
            return Err(NvidiaError::ChainExpired(0));
        }
        report.authenticate(&self.identity, nonce)
    }
}

impl Authentic {
    /// The device.
    #[must_use]
    pub const fn device(&self) -> &Device {
        &self.device
    }
}

impl<'a> ParsedReport<'a> {
    fn parse(report: &'a [u8]) -> Result<Self, NvidiaError> {
        let report = Report::parse(report)?;
        let fields = report.opaque.read()?;
        Ok(Self { report, fields })
    }

    fn authenticate(
        &self,
        identity: &Identity,
        nonce: Option<&[u8; 32]>,
    ) -> Result<Authentic, NvidiaError> {
        self.check_identity(identity)?;
        self.check_fwid(identity)?;
        self.check_nonce(nonce)?;
        self.check_signature(identity)?;
        let digest =
            |(index, block): (&u8, &Measurement<'_>)| (*index, block.digest().map(<[u8]>::to_vec));
        let measurements = self.report.measurements.iter().map(digest).collect();
        let device = self.device(identity)?;
        Ok(Authentic {
            device,
            measurements,
        })
    }

    /// Whatever the report says of chip and device must be what the certificates say.
    fn check_identity(&self, identity: &Identity) -> Result<(), NvidiaError> {
        let names_chip = |chip: &String| *chip == identity.chip;
        if !self.fields.chip.as_ref().is_none_or(names_chip) {
            return Err(NvidiaError::ChipInfo);
        }
        let own = match identity.architecture.kind() {
            Kind::Gpu => return Ok(()),
            Kind::Switch => &self.fields.switch_pdis,
        };
        (*own == [identity.pdi])
            .then_some(())
            .ok_or(NvidiaError::Pdi)
    }

    /// Older firmware tells no digest; one that is told must be the certificate's.
    fn check_fwid(&self, identity: &Identity) -> Result<(), NvidiaError> {
        match self.fields.fwid {
            Some(fwid) if identity.fwid != Some(fwid) => Err(NvidiaError::Fwid),
            _ => Ok(()),
        }
    }

    fn check_nonce(&self, expected: Option<&[u8; 32]>) -> Result<(), NvidiaError> {
        match expected {
            Some(nonce) if *nonce != self.report.nonce => Err(NvidiaError::Nonce),
            _ => Ok(()),
        }
    }

    fn check_signature(&self, identity: &Identity) -> Result<(), NvidiaError> {
        let is_signed = crypto::ecdsa_p384_sha384_verify(
            &identity.key,
            self.report.signed_bytes,
            &self.report.signature,
        );
        is_signed.then_some(()).ok_or(NvidiaError::Signature)
    }

    fn device(&self, identity: &Identity) -> Result<Device, NvidiaError> {
        let absent = NvidiaError::ReportAbsent;
        let fields = self.fields.clone();
        let kind = identity.architecture.kind();
        if kind == Kind::Gpu && fields.driver_version.is_none() {
            return Err(absent("DRIVER_VERSION"));
        }
        let links: Vec<Pdi> = match kind {
            Kind::Gpu => fields.switch_pdis.into_iter().map(Pdi::reversed).collect(),
            Kind::Switch => fields.gpu_pdis,
        };
        Ok(Device {
            architecture: identity.architecture,
            chip: identity.chip.clone(),
            pdi: identity.pdi,
            serial_number: identity.serial_number.clone(),
            driver_version: fields.driver_version,
            vbios_version: fields.vbios_version.ok_or(absent("VBIOS_VERSION"))?,
            project: fields.project,
            project_sku: fields.project_sku,
            chip_sku: fields.chip_sku,
            feature: fields.feature,
            fwid: fields.fwid,
            nvdec0: fields.nvdec0,
            links: distinct(links),
            position_id: fields.position_id,
            lock_status: fields.lock_status,
            nonce: self.report.nonce,
            opaque: owned(self.report.opaque.fields()),
            window: identity.window,
        })
    }
}

/// Each once, without those that name no device: a port without a link.
fn distinct(links: Vec<Pdi>) -> Vec<Pdi> {
    let named = links.into_iter().filter(|pdi| pdi.names_a_device());
    named.collect::<BTreeSet<_>>().into_iter().collect()
}

fn owned<'a>(fields: impl Iterator<Item = (u16, &'a [u8])>) -> Vec<(u16, Vec<u8>)> {
    fields.map(|(kind, value)| (kind, value.to_vec())).collect()
}
