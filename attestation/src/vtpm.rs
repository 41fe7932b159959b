//! Azure confidential VMs: the HCL report, the variable data that it binds, and the TPM quote that carries the nonce.
//!
//! The hardware's report is made once per boot, by the paravisor (Microsoft's HCL or OpenHCL), over the SHA-256 of its variable
//! data; REPORT_DATA is not the guest's. The variable data holds the public half of the attestation key (AK) of the paravisor's
//! virtual TPM, and a quote by that key holds the guest's nonce and its PCRs. So the hardware vouches for the paravisor, and the
//! paravisor for everything else: see [`STATEMENTS`].
//!
//! Formats: Azure's guest attestation documentation and OpenHCL's `openhcl_attestation_protocol` (HCL report), TPM 2.0 Library
//! part 2 (quote), Intel's TDX module ABI (TDREPORT).

mod attestation_key;
mod claims;
mod error;
mod hcl;
mod quote;
mod steps;
mod td_report;
mod var_data;
mod verify;

pub use claims::{AzureClaims, HardwareClaims, Pcr, QuoteClaims, STATEMENTS};
pub use error::{AzureError, Missing};
pub use hcl::HardwareKind;
pub use steps::steps;
pub use var_data::VmConfiguration;
pub use verify::{AzureRoots, verify};

use crate::tdx::Collateral;

/// Everything about one VM, as received.
#[derive(Clone, Copy, Debug)]
pub struct AzureEvidence<'a> {
    /// The HCL report, as read from the vTPM's NV index 01400001h.
    pub hcl_report: &'a [u8],
    /// What the hardware report in it is judged by.
    pub endorsements: Endorsements<'a>,
    /// The quote by the vTPM's AK.
    pub quote: Option<TpmQuote<'a>>,
}

/// What vouches for the hardware's report.
#[derive(Clone, Copy, Debug)]
pub enum Endorsements<'a> {
    /// Nothing was given: the verdict stays incomplete.
    Missing,
    /// Of an SEV-SNP VM.
    Snp {
        /// The VCEK, DER.
        vek: &'a [u8],
        /// The intermediate, DER; the root may stand beside it. Empty: the built-in one.
        chain: &'a [&'a [u8]],
        /// Revocation lists, DER. Empty: revocation is not checked.
        crls: &'a [&'a [u8]],
    },
    /// Of a TDX VM.
    Tdx {
        /// A TD quote over the body of the TDREPORT in the HCL report.
        quote: &'a [u8],
        /// Intel's collateral for the platform. Without it the verdict stays incomplete.
        collateral: Option<&'a Collateral>,
    },
}

/// A quote by a TPM.
#[derive(Clone, Copy, Debug)]
pub struct TpmQuote<'a> {
    /// `TPMS_ATTEST`: the bytes that are signed.
    pub message: &'a [u8],
    /// `TPMT_SIGNATURE`, or the 256 bytes of the RSASSA signature alone.
    pub signature: &'a [u8],
    /// The values of the PCRs that the quote selects, in ascending order. Without them the claims have their digest only.
    pub pcrs: Option<&'a [[u8; 32]]>,
}

#[cfg(test)]
mod tests;
