//! The steps of [`super::verify`] in their order, for those who show them one by one.

use super::rim;
use crate::{Step, ocsp};

const SPDM: &str = "DMTF DSP0274 1.1, MEASUREMENTS";
const X509: &str = "RFC 5280 section 4.1";
const PATH: &str = "RFC 5280 section 6.1";
const DICE: &str = "TCG DICE Attestation Architecture 1.1 section 6.1";
const LINKS: &str = "NVIDIA protected PCIe";
const COMPARISON: &str = "TCG RIM information model 1.01";
const OPAQUE: &str = "NVIDIA attestation report, opaque data";

/// Every step of [`super::verify`] in order.
pub const STEPS: &[Step] = &concat::<{ PARTS + MANIFESTS }>(&[
    FORMAT,
    rim::STEPS.split_at(RIM_FORMAT).0,
    ocsp::STEPS.split_at(OCSP_FORMAT).0,
    AUTHENTICATION,
    rim::STEPS.split_at(RIM_FORMAT).1,
    RIMS,
    ocsp::STEPS.split_at(OCSP_FORMAT).1,
    APPRAISAL,
]);

/// Every step of [`super::verify_all`] in order.
pub const MACHINE_STEPS: &[Step] = &concat::<{ PARTS + MANIFESTS + TOPOLOGY.len() }>(&[
    FORMAT,
    rim::STEPS.split_at(RIM_FORMAT).0,
    ocsp::STEPS.split_at(OCSP_FORMAT).0,
    AUTHENTICATION,
    TOPOLOGY,
    rim::STEPS.split_at(RIM_FORMAT).1,
    RIMS,
    ocsp::STEPS.split_at(OCSP_FORMAT).1,
    APPRAISAL,
]);

/// How many steps settle whether a manifest, a response, is one.
const RIM_FORMAT: usize = 7;
const OCSP_FORMAT: usize = 3;
const PARTS: usize = FORMAT.len() + AUTHENTICATION.len() + APPRAISAL.len();
const MANIFESTS: usize = rim::STEPS.len() + RIMS.len() + ocsp::STEPS.len();

const FORMAT: &[Step] = &[
    Step::new(
        "nvidia.report.size",
        "the report's fields fill it exactly",
        SPDM,
    ),
    Step::new(
        "nvidia.report.request",
        "the request asks for all measurements and a signature",
        "DMTF DSP0274 1.1, GET_MEASUREMENTS",
    ),
    Step::new(
        "nvidia.report.response",
        "the response answers that request",
        SPDM,
    ),
    Step::new(
        "nvidia.report.measurements",
        "every measurement is well-formed and there once",
        SPDM,
    ),
    Step::new(
        "nvidia.report.opaque",
        "every opaque field is well-formed and there once",
        OPAQUE,
    ),
    Step::new(
        "nvidia.report.opaque_version",
        "the opaque data's version is known",
        OPAQUE,
    ),
    Step::new(
        "nvidia.report.fields",
        "known opaque fields have their shape",
        OPAQUE,
    ),
    Step::new(
        "nvidia.chain.length",
        "the chain has NVIDIA's five levels",
        "NVIDIA device certificates",
    ),
    Step::new(
        "nvidia.chain.format",
        "the chain consists of X.509 certificates",
        X509,
    ),
    Step::new(
        "nvidia.chain.extensions",
        "the firmware digest in the certificate is well-formed",
        DICE,
    ),
];

const AUTHENTICATION: &[Step] = &[
    Step::new(
        "nvidia.chain.issuer",
        "the chain leads to NVIDIA's pinned root",
        PATH,
    ),
    Step::new(
        "nvidia.chain.constraints",
        "every certificate may stand where it does",
        PATH,
    ),
    Step::new(
        "nvidia.chain.algorithm",
        "every certificate uses ECDSA P-384 with SHA-384",
        PATH,
    ),
    Step::new(
        "nvidia.chain.signature",
        "every certificate is signed by the one above",
        PATH,
    ),
    Step::new(
        "nvidia.chain.not_yet_valid",
        "every certificate is valid already",
        PATH,
    ),
    Step::new(
        "nvidia.chain.expired",
        "every certificate is valid still",
        PATH,
    ),
    Step::new(
        "nvidia.chip.known",
        "the device is one that this build knows",
        "NVIDIA device certificates",
    ),
    Step::new(
        "nvidia.serial",
        "the device's certificate names it",
        "NVIDIA device certificates",
    ),
    Step::new(
        "nvidia.chip",
        "report and certificates are of one chip",
        OPAQUE,
    ),
    Step::new(
        "nvidia.pdi",
        "a switch's report is of the certificate's device",
        OPAQUE,
    ),
    Step::new(
        "nvidia.fwid",
        "the attestation key belongs to the firmware that reports",
        DICE,
    ),
    Step::new(
        "nvidia.nonce",
        "the report answers the expected nonce",
        "DMTF DSP0274 1.1, GET_MEASUREMENTS",
    ),
    Step::new(
        "nvidia.signature",
        "request and response are signed by the attestation key",
        SPDM,
    ),
    Step::new(
        "nvidia.report.complete",
        "the report has what such a device's reports have",
        OPAQUE,
    ),
];

const RIMS: &[Step] = &[Step::new(
    "nvidia.rim.doubled",
    "no two manifests are for the same firmware",
    COMPARISON,
)];

const APPRAISAL: &[Step] = &[
    Step::new(
        "nvidia.window",
        "everything used holds at this time",
        COMPARISON,
    ),
    Step::new(
        "nvidia.measurements.conflict",
        "no measurement is in both manifests",
        COMPARISON,
    ),
    Step::new(
        "nvidia.measurements.driver",
        "the driver's measurements are among the manifest's",
        COMPARISON,
    ),
    Step::new(
        "nvidia.measurements.vbios",
        "the VBIOS's measurements are among the manifest's",
        COMPARISON,
    ),
    Step::new(
        "nvidia.complete",
        "everything that the verdict needs was given",
        "NVIDIA attestation: reference manifests and OCSP",
    ),
];

const TOPOLOGY: &[Step] = &[
    Step::new("nvidia.topology.devices", "there is a GPU", LINKS),
    Step::new(
        "nvidia.topology.doubled",
        "every device is there once",
        LINKS,
    ),
    Step::new(
        "nvidia.topology.nonce",
        "all devices answered the same nonce",
        LINKS,
    ),
    Step::new(
        "nvidia.topology.feature",
        "all GPUs are alike and set up alike",
        LINKS,
    ),
    Step::new(
        "nvidia.topology.omitted",
        "no linked device was left out",
        LINKS,
    ),
    Step::new(
        "nvidia.topology.linked",
        "every GPU is linked to every switch",
        LINKS,
    ),
];

/// The `N` steps of all `parts`.
const fn concat<const N: usize>(mut parts: &[&[Step]]) -> [Step; N] {
    let mut all = [Step::new("", "", ""); N];
    let mut left: &mut [Step] = &mut all;
    while let Some((part, rest)) = parts.split_first() {
        let (next, after) = left.split_at_mut(part.len());
        next.copy_from_slice(part);
        left = after;
        parts = rest;
    }
    assert!(left.is_empty(), "another number of steps");
    all
}
