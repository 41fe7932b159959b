//! The steps of [`super::verify`] in their order, for those who show them one by one.

use super::TdxClaims;
use crate::Step;

const QUOTE: &str = "Intel TDX DCAP quoting library API, appendix 3";
const PCS: &str = "Intel PCS API v4";
const PCK: &str = "Intel SGX PCK certificate and CRL profile 1.3.5";
const PATH: &str = "RFC 5280 section 6.1";
const LIST: &str = "RFC 5280 section 6.3";
const ABI: &str = "Intel TDX module ABI 348551";
const EVENTS: &str = "TCG PFP 1.06 section 10, UEFI 2.10 section 38";

/// Every step in order.
pub const STEPS: &[Step] = &[
    Step::new("tdx.quote.size", "the quote has its bytes", QUOTE),
    Step::new("tdx.quote.version", "the quote's version is known", QUOTE),
    Step::new("tdx.quote.tee_type", "the quote is of a TD", QUOTE),
    Step::new(
        "tdx.quote.key_type",
        "the attestation key is ECDSA P-256",
        QUOTE,
    ),
    Step::new(
        "tdx.quote.qe_vendor",
        "the quoting enclave is Intel's",
        QUOTE,
    ),
    Step::new("tdx.quote.body", "the quote's body is known", QUOTE),
    Step::new(
        "tdx.quote.attributes",
        "the TD's attributes use known bits only",
        ABI,
    ),
    Step::new(
        "tdx.quote.signature_data",
        "the signature data's lengths add up",
        QUOTE,
    ),
    Step::new(
        "tdx.quote.certification",
        "what certifies the quoting enclave is known",
        QUOTE,
    ),
    Step::new(
        "tdx.collateral.format",
        "the collateral is well-formed",
        PCS,
    ),
    Step::new("tdx.tcb_info.format", "TCB info is version 3 of TDX", PCS),
    Step::new(
        "tdx.qe_identity.format",
        "the QE identity is version 2 of TD_QE",
        PCS,
    ),
    Step::new(
        "tdx.crl.format",
        "the CRLs are well-formed",
        "RFC 5280 section 5.1",
    ),
    Step::new("tdx.pck.format", "the PCK chain is three certificates", PCK),
    Step::new(
        "tdx.pck.extensions",
        "the PCK certificate has Intel's extensions",
        PCK,
    ),
    Step::new(
        "tdx.event_log.format",
        "the event log is well-formed",
        EVENTS,
    ),
    Step::new(
        "tdx.quote.padding",
        "nothing but zeros follows the quote",
        QUOTE,
    ),
    Step::new(
        "tdx.signature",
        "the quote is signed by its attestation key",
        QUOTE,
    ),
    Step::new(
        "tdx.key_binding",
        "the quoting enclave speaks for the attestation key",
        QUOTE,
    ),
    Step::new(
        "tdx.event_log.replay",
        "the event log gives RTMR0 to RTMR3",
        EVENTS,
    ),
    Step::new(
        "tdx.tcb_info.chain",
        "TCB info's signer leads to Intel's pinned root",
        PATH,
    ),
    Step::new("tdx.tcb_info.dates", "TCB info's signer is valid", PATH),
    Step::new("tdx.tcb_info.signature", "TCB info is signed by Intel", PCS),
    Step::new("tdx.tcb_info.window", "TCB info is current", PCS),
    Step::new(
        "tdx.qe_identity.chain",
        "the QE identity's signer leads to Intel's pinned root",
        PATH,
    ),
    Step::new(
        "tdx.qe_identity.dates",
        "the QE identity's signer is valid",
        PATH,
    ),
    Step::new(
        "tdx.qe_identity.signature",
        "the QE identity is signed by Intel",
        PCS,
    ),
    Step::new("tdx.qe_identity.window", "the QE identity is current", PCS),
    Step::new(
        "tdx.crl.chain",
        "the PCK CRL's signer leads to Intel's pinned root",
        PATH,
    ),
    Step::new("tdx.crl.dates", "the PCK CRL's signer is valid", PATH),
    Step::new(
        "tdx.crl.issuer",
        "the CRLs are the root's and a PCK CA's",
        LIST,
    ),
    Step::new(
        "tdx.crl.signature",
        "the CRLs are signed by their issuers",
        LIST,
    ),
    Step::new("tdx.crl.window", "the CRLs are current", LIST),
    Step::new(
        "tdx.crl.revoked",
        "no signer of the collateral is revoked",
        LIST,
    ),
    Step::new("tdx.pck.given", "the PCK chain was given", QUOTE),
    Step::new(
        "tdx.pck.chain",
        "the PCK leads to Intel's pinned root",
        PATH,
    ),
    Step::new("tdx.pck.dates", "the PCK chain is valid", PATH),
    Step::new("tdx.pck.crl", "the CRL is of the PCK's issuer", LIST),
    Step::new("tdx.pck.revoked", "neither PCK nor PCK CA is revoked", LIST),
    Step::new(
        "tdx.qe_report.signature",
        "the QE report is signed by the PCK",
        QUOTE,
    ),
    Step::new(
        "tdx.collateral.given",
        "collateral of the platform was given",
        PCS,
    ),
    Step::new(
        "tdx.qe_report.identity",
        "the quoting enclave is the one that Intel names",
        PCS,
    ),
    Step::new(
        "tdx.qe_report.level",
        "the quoting enclave meets a TCB level",
        PCS,
    ),
    Step::new(
        "tdx.tcb.platform",
        "the collateral is of the PCK's FMSPC and PCEID",
        PCS,
    ),
    Step::new(
        "tdx.module.identity",
        "TCB info knows the TDX module's version",
        PCS,
    ),
    Step::new(
        "tdx.module.signer",
        "the TDX module is of the signer that TCB info names",
        PCS,
    ),
    Step::new("tdx.module.level", "the TDX module meets a TCB level", PCS),
    Step::new("tdx.tcb.level", "the platform meets a TCB level", PCS),
    Step::new("tdx.tcb.revoked", "no level that is met is revoked", PCS),
];

/// The steps that look at nothing when no collateral is given, but for `tdx.collateral.given`, which then fails.
pub const COLLATERAL_STEPS: &[&str] = &[
    "tdx.collateral.format",
    "tdx.tcb_info.format",
    "tdx.qe_identity.format",
    "tdx.crl.format",
    "tdx.tcb_info.chain",
    "tdx.tcb_info.dates",
    "tdx.tcb_info.signature",
    "tdx.tcb_info.window",
    "tdx.qe_identity.chain",
    "tdx.qe_identity.dates",
    "tdx.qe_identity.signature",
    "tdx.qe_identity.window",
    "tdx.crl.chain",
    "tdx.crl.dates",
    "tdx.crl.issuer",
    "tdx.crl.signature",
    "tdx.crl.window",
    "tdx.crl.revoked",
    "tdx.pck.crl",
    "tdx.pck.revoked",
];

/// The steps that look at nothing when no event log is given.
pub const EVENT_LOG_STEPS: &[&str] = &["tdx.event_log.format", "tdx.event_log.replay"];

impl TdxClaims {
    /// What `step` found in evidence that passed all of them, for people; empty where the title says it all.
    #[must_use]
    pub fn detail(&self, step: &Step) -> String {
        let platform = &self.platform;
        match step.id {
            "tdx.quote.version" => format!("version {}", self.version),
            "tdx.quote.body" => self.td.body_name().into(),
            "tdx.quote.attributes" => format!("{:#x}", self.td.attributes.0),
            "tdx.signature" => "ECDSA P-256 over the bytes received".into(),
            "tdx.event_log.replay" => self
                .events
                .as_ref()
                .map_or_else(String::new, |events| format!("{} events", events.len())),
            "tdx.tcb_info.window" => {
                format!("evaluation number {}", self.tcb.evaluation_data_number)
            }
            "tdx.qe_identity.window" => {
                format!("evaluation number {}", self.tcb.qe_evaluation_data_number)
            }
            "tdx.crl.window" | "tdx.pck.dates" => {
                format!(
                    "all that was given is valid until {}",
                    self.not_after.to_rfc3339()
                )
            }
            "tdx.pck.chain" => format!("Intel SGX PCK {}", platform.ca),
            "tdx.tcb.platform" => format!("FMSPC {}", hex::encode_upper(platform.fmspc)),
            "tdx.qe_report.level" => self.tcb.qe_status.to_string(),
            "tdx.module.level" => self.tcb.module_status.map_or_else(
                || "TEE_TCB_SVN tells no module version".into(),
                |status| status.to_string(),
            ),
            "tdx.tcb.level" => format!(
                "{}, of {}",
                self.tcb.platform_status,
                self.tcb.date.to_rfc3339()
            ),
            _ => String::new(),
        }
    }
}
