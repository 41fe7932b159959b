//! Why a device's evidence was refused: one variant per step, in the order of the steps.

use super::{DeviceClaims, Firmware, MACHINE_STEPS, Pdi, rim::RimError};
use crate::{ErrorClass, Step, ocsp::OcspError};
use std::fmt;

/// The step that failed. Certificates count from the attestation key's, which is 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NvidiaError {
    /// The lengths that the fields name do not fill the report exactly, or it is longer than any.
    #[error("the report's fields do not fill its {0} bytes")]
    ReportSize(usize),
    /// The request is not an SPDM 1.1 GET_MEASUREMENTS for all blocks and a signature.
    #[error("the request's {0} is not that of a signed GET_MEASUREMENTS for all blocks")]
    ReportRequest(&'static str),
    /// The response is not the MEASUREMENTS that answers the request.
    #[error("the response's {0} is not that of the MEASUREMENTS that answer the request")]
    ReportResponse(&'static str),
    /// The measurement record is no sequence of DMTF blocks.
    #[error("the measurement record is malformed: {0}")]
    ReportMeasurements(&'static str),
    /// The opaque data is no sequence of fields.
    #[error("the opaque data is malformed: {0}")]
    ReportOpaque(&'static str),
    /// OPAQUE_DATA_VERSION is above 1.
    #[error("opaque data of version {0} is not known; this build knows versions 0 and 1")]
    OpaqueVersion(u16),
    /// A known field has an unknown shape.
    #[error("the report's {0} is not as such a field is")]
    ReportFields(&'static str),
    /// Another number of certificates than four and the root.
    #[error("{0} certificates below the root; a device's chain has 4")]
    ChainLength(usize),
    /// A certificate is none.
    #[error("a certificate of the chain is not a DER certificate")]
    ChainFormat,
    /// The firmware digest's extension is malformed or there are two.
    #[error("the attestation key's certificate has no well-formed firmware digest")]
    ChainExtensions,
    /// The issuer is not the next one's subject.
    #[error("certificate {0} of the chain is not issued by the next one")]
    ChainIssuer(usize),
    /// Basic constraints, key usage or an unknown critical extension.
    #[error("certificate {0} may not stand where it does in the chain")]
    ChainConstraints(usize),
    /// Not ECDSA P-384 with SHA-384.
    #[error("certificate {0} uses an algorithm that NVIDIA does not use")]
    ChainAlgorithm(usize),
    /// The issuer did not sign it.
    #[error("the signature on certificate {0} is wrong")]
    ChainSignature(usize),
    /// Not valid yet at the caller's time.
    #[error("certificate {0} is not valid yet")]
    ChainNotYetValid(usize),
    /// Not valid any more at the caller's time.
    #[error("certificate {0} has expired")]
    ChainExpired(usize),
    /// The chip is none that this build knows.
    #[error("the certificates are of a device that is not known: {0:?}")]
    Chip(String),
    /// The ROM's certificate has no serial number that names a device.
    #[error("the serial number of the device's certificate names no device")]
    Serial,
    /// The report names another chip than the certificates.
    #[error("the report is of another chip than the certificates")]
    ChipInfo,
    /// The switch's report names another device than its certificate.
    #[error("the report is of another device than the certificate")]
    Pdi,
    /// The report's firmware digest is not the one in the attestation key's certificate.
    #[error("the report's firmware digest is not the certificate's")]
    Fwid,
    /// The request does not carry the expected nonce.
    #[error("the report answers another nonce")]
    Nonce,
    /// The attestation key did not sign request and response.
    #[error("the signature on the report is wrong")]
    Signature,
    /// A field that such a device's reports have is not there.
    #[error("the report has no {0}")]
    ReportAbsent(&'static str),
    /// A reference manifest is refused; they count from 0.
    #[error("reference manifest {0}: {1}")]
    Rim(usize, RimError),
    /// Two manifests are for the same firmware.
    #[error("two reference manifests are for {0}")]
    RimDoubled(String),
    /// An OCSP response is refused.
    #[error("OCSP response {0}: {1}")]
    Ocsp(OcspSubject, OcspError),
    /// A warm verdict outside the window of what was verified before.
    #[error("certificates, manifests and OCSP responses do not all hold at this time")]
    Window,
    /// Driver and VBIOS manifest both have values for a measurement.
    #[error("both manifests have values for measurement {0}")]
    MeasurementConflict(u8),
    /// Measurements have none of the values that the manifest allows, or are not there; or the manifest has values for none.
    #[error(
        "measurements that the {firmware} manifest does not allow: {}",
        numbers(indices)
    )]
    Measurements {
        /// Whose manifest.
        firmware: Firmware,
        /// As the manifest counts them, from 0.
        indices: Vec<u8>,
    },
    /// No device, or switches without a GPU.
    #[error("no GPU's evidence was given")]
    NoDevices,
    /// Two reports are of one device.
    #[error("device {0} is there twice")]
    Doubled(Pdi),
    /// A device answered another nonce than the first one.
    #[error("device {0} answers another nonce than the others")]
    Nonces(Pdi),
    /// A GPU is of another chip or set up for another feature than the first one.
    #[error("GPU {0} is of another chip or set up for another feature than the others")]
    Features(Pdi),
    /// A device is linked to one whose evidence was not given.
    #[error("device {device} is linked to {linked}, whose evidence was not given")]
    Omitted {
        /// Who says so.
        device: Pdi,
        /// The device left out.
        linked: Pdi,
    },
    /// A device is not linked to all those that were given.
    #[error("device {0} is not linked to every device that was given")]
    Unlinked(Pdi),
    /// Everything given was checked and is right; these were not given.
    #[error("not given: {}", list(missing))]
    Incomplete {
        /// What was not given.
        missing: Vec<Missing>,
        /// What was found: authentic, and not known to be what it should be.
        found: Box<DeviceClaims>,
    },
}

/// Something that the verdict needs and that was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The reference manifest of this name.
    Rim(String),
    /// An OCSP response.
    Ocsp(OcspSubject),
}

/// What an OCSP response is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OcspSubject {
    /// Unknown, since it does not parse: its place among those given, from 0.
    Response(usize),
    /// A certificate of this device, counted from the attestation key's.
    Device(Pdi, usize),
    /// A certificate of the manifest for this firmware, counted from the signer's.
    Rim(String, usize),
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rim(name) => write!(formatter, "reference manifest {name}"),
            Self::Ocsp(subject) => write!(formatter, "OCSP response {subject}"),
        }
    }
}

impl fmt::Display for OcspSubject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(index) => write!(formatter, "{index}"),
            Self::Device(pdi, index) => {
                write!(formatter, "for certificate {index} of device {pdi}")
            }
            Self::Rim(firmware, index) => {
                write!(
                    formatter,
                    "for certificate {index} of the manifest for {firmware}"
                )
            }
        }
    }
}

fn numbers(indices: &[u8]) -> String {
    let all: Vec<_> = indices.iter().map(ToString::to_string).collect();
    all.join(", ")
}

fn list(missing: &[Missing]) -> String {
    let all: Vec<_> = missing.iter().map(ToString::to_string).collect();
    all.join(", ")
}

impl NvidiaError {
    /// Stable code, the id of the step: `nvidia.signature`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ReportSize(_) => "nvidia.report.size",
            Self::ReportRequest(_) => "nvidia.report.request",
            Self::ReportResponse(_) => "nvidia.report.response",
            Self::ReportMeasurements(_) => "nvidia.report.measurements",
            Self::ReportOpaque(_) => "nvidia.report.opaque",
            Self::OpaqueVersion(_) => "nvidia.report.opaque_version",
            Self::ReportFields(_) => "nvidia.report.fields",
            Self::ChainLength(_) => "nvidia.chain.length",
            Self::ChainFormat => "nvidia.chain.format",
            Self::ChainExtensions => "nvidia.chain.extensions",
            Self::ChainIssuer(_) => "nvidia.chain.issuer",
            Self::ChainConstraints(_) => "nvidia.chain.constraints",
            Self::ChainAlgorithm(_) => "nvidia.chain.algorithm",
            Self::ChainSignature(_) => "nvidia.chain.signature",
            Self::ChainNotYetValid(_) => "nvidia.chain.not_yet_valid",
            Self::ChainExpired(_) => "nvidia.chain.expired",
            Self::Chip(_) => "nvidia.chip.known",
            Self::Serial => "nvidia.serial",
            Self::ChipInfo => "nvidia.chip",
            Self::Pdi => "nvidia.pdi",
            Self::Fwid => "nvidia.fwid",
            Self::Nonce => "nvidia.nonce",
            Self::Signature => "nvidia.signature",
            Self::ReportAbsent(_) => "nvidia.report.complete",
            Self::Rim(_, error) => error.code(),
            Self::RimDoubled(_) => "nvidia.rim.doubled",
            Self::Ocsp(_, error) => error.code(),
            Self::Window => "nvidia.window",
            Self::MeasurementConflict(_) => "nvidia.measurements.conflict",
            Self::Measurements { firmware, .. } => firmware.step(),
            Self::NoDevices => "nvidia.topology.devices",
            Self::Doubled(_) => "nvidia.topology.doubled",
            Self::Nonces(_) => "nvidia.topology.nonce",
            Self::Features(_) => "nvidia.topology.feature",
            Self::Omitted { .. } => "nvidia.topology.omitted",
            Self::Unlinked(_) => "nvidia.topology.linked",
            Self::Incomplete { .. } => "nvidia.complete",
        }
    }

    /// The step that failed; those before it passed, those after it were not tried.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        MACHINE_STEPS.iter().find(|step| step.id == self.code())
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::ReportSize(_)
            | Self::ReportRequest(_)
            | Self::ReportResponse(_)
            | Self::ReportMeasurements(_)
            | Self::ReportOpaque(_)
            | Self::ReportFields(_)
            | Self::ChainLength(_)
            | Self::ChainFormat
            | Self::ChainExtensions
            | Self::ReportAbsent(_)
            | Self::NoDevices => ErrorClass::Malformed,
            Self::Rim(_, error) => error.class(),
            Self::Ocsp(_, error) => error.class(),
            Self::OpaqueVersion(_) | Self::Chip(_) => ErrorClass::Unsupported,
            Self::Incomplete { .. } => ErrorClass::Incomplete,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether the same report may pass at another time or with more references.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Rim(_, error) => error.retryable(),
            Self::Ocsp(_, error) => error.retryable(),
            Self::ChainNotYetValid(_)
            | Self::ChainExpired(_)
            | Self::Window
            | Self::Incomplete { .. } => true,
            _ => false,
        }
    }
}
