//! The steps of a manifest's verification in their order, for those who show them one by one.

use crate::Step;

const XML: &str = "XML 1.0 (fifth edition)";
const TAG: &str = "ISO/IEC 19770-2:2015, TCG RIM information model 1.01";
const DSIG: &str = "XML Signature 1.1 section 4";
const PATH: &str = "RFC 5280 section 6.1";

/// Every step in order; those up to `nvidia.rim.chain.format` are [`super::Rim::parse`]'s, the others [`super::Rim::verify`]'s.
pub const STEPS: &[Step] = &[
    Step::new("nvidia.rim.size", "the RIM has at most 256 KiB", XML),
    Step::new(
        "nvidia.rim.xml",
        "the RIM is XML without anything that hides or changes text",
        XML,
    ),
    Step::new(
        "nvidia.rim.tag",
        "the RIM is a SWID tag of NVIDIA's layout",
        TAG,
    ),
    Step::new(
        "nvidia.rim.measurements",
        "every measurement is well-formed and there once",
        TAG,
    ),
    Step::new(
        "nvidia.rim.signature.format",
        "the RIM holds one signature over all of itself",
        DSIG,
    ),
    Step::new(
        "nvidia.rim.signature.algorithm",
        "canonical XML 1.1, SHA-384 and ECDSA P-384 are used",
        DSIG,
    ),
    Step::new(
        "nvidia.rim.chain.format",
        "the RIM's chain consists of X.509 certificates",
        "RFC 5280 section 4.1",
    ),
    Step::new(
        "nvidia.rim.digest",
        "the tag is the one whose digest was signed",
        "XML Signature 1.1 section 3.2.1",
    ),
    Step::new(
        "nvidia.rim.chain.issuer",
        "the chain leads to NVIDIA's RIM root",
        PATH,
    ),
    Step::new(
        "nvidia.rim.chain.constraints",
        "each certificate may stand where it does",
        PATH,
    ),
    Step::new(
        "nvidia.rim.chain.algorithm",
        "each certificate uses NVIDIA's algorithm",
        PATH,
    ),
    Step::new(
        "nvidia.rim.chain.signature",
        "each certificate is signed by its issuer",
        PATH,
    ),
    Step::new(
        "nvidia.rim.chain.not_yet_valid",
        "each certificate is valid already",
        PATH,
    ),
    Step::new(
        "nvidia.rim.chain.expired",
        "each certificate is valid still",
        PATH,
    ),
    Step::new(
        "nvidia.rim.signature",
        "the RIM is signed by its signer",
        "XML Signature 1.1 section 3.2.2",
    ),
];
