//! The steps of [`super::verify`] in their order, for those who show them one by one.

use super::HardwareKind;
use crate::{Step, snp, tdx};

const HCL: &str = "OpenHCL attestation protocol";
const TD_ABI: &str = "Intel TDX module ABI 348551";
const JWK: &str = "RFC 7517";
const ATTEST: &str = "TPM 2.0 part 2 section 10.12";

/// What is read, before anything is judged.
pub(super) const FORMAT: &[Step] = &[
    Step::new(
        "azure.hcl.size",
        "the HCL report has a size that one may have",
        HCL,
    ),
    Step::new("azure.hcl.header", "the HCL report's header is known", HCL),
    Step::new(
        "azure.hcl.type",
        "the hardware report in it is of SEV-SNP or TDX",
        HCL,
    ),
    Step::new(
        "azure.hcl.hash",
        "the variable data is bound by SHA-256",
        HCL,
    ),
    Step::new(
        "azure.hcl.var_data",
        "the variable data has its length, and zeros follow",
        HCL,
    ),
    Step::new(
        "azure.var_data",
        "the variable data is JSON of the known shape",
        HCL,
    ),
    Step::new("azure.ak", "the variable data has one attestation key", JWK),
    Step::new("azure.quote.format", "the TPM quote is well-formed", ATTEST),
    Step::new(
        "azure.quote.bank",
        "the quoted PCRs are of the SHA-256 bank",
        ATTEST,
    ),
    Step::new(
        "azure.quote.signature_format",
        "the quote's signature is of RSASSA with SHA-256",
        "TPM 2.0 part 2 section 11.3",
    ),
    Step::new(
        "azure.pcrs.count",
        "there is one value for each quoted PCR",
        ATTEST,
    ),
];

/// What a TDREPORT must be to be read.
pub(super) const TD_REPORT: &[Step] = &[Step::new(
    "azure.td_report",
    "the TDREPORT is well-formed",
    TD_ABI,
)];

pub(super) const ENDORSEMENTS: &[Step] = &[Step::new(
    "azure.endorsements",
    "the endorsements are of the report's kind",
    "",
)];

/// What vouches for a TDREPORT, which has no signature.
pub(super) const TDX: &[Step] = &[Step::new(
    "azure.td_quote",
    "the TD quote is over the TDREPORT's body",
    TD_ABI,
)];

/// What a paravisor's SNP report must be.
pub(super) const SNP: &[Step] = &[Step::new(
    "azure.vmpl",
    "the report is of VMPL 0, which is the paravisor's",
    "AMD 56860 table 23",
)];

/// What is judged once the hardware vouches for its report.
pub(super) const JUDGED: &[Step] = &[
    Step::new(
        "azure.binding",
        "the hardware's report binds the variable data",
        HCL,
    ),
    Step::new(
        "azure.quote.signature",
        "the quote is signed by the bound attestation key",
        ATTEST,
    ),
    Step::new("azure.quote.nonce", "the quote answers our nonce", ATTEST),
    Step::new("azure.quote.pcrs", "the quote is over these PCRs", ATTEST),
    Step::new(
        "azure.complete",
        "everything that the verdict needs was given",
        "",
    ),
];

/// Every step in order, for a VM of this kind.
///
/// Those of the hardware look at nothing without endorsements, those of `azure.quote` without a quote. Without Intel's
/// collateral those of TDX from `tdx.collateral.given` on are not tried, and what follows them is.
#[must_use]
pub fn steps(kind: HardwareKind) -> Vec<Step> {
    match kind {
        HardwareKind::Snp => [FORMAT, ENDORSEMENTS, snp::STEPS, SNP, JUDGED].concat(),
        HardwareKind::Tdx => [FORMAT, TD_REPORT, ENDORSEMENTS, tdx::STEPS, TDX, JUDGED].concat(),
    }
}
