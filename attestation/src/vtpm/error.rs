//! Why evidence of an Azure confidential VM was refused: one variant per step, in the order of the steps.

use super::{HardwareKind, steps};
use crate::{ErrorClass, Step, snp::SnpError, tdx::TdxError};

/// What was not given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The hardware report's endorsements: VCEK, or TD quote with collateral.
    Endorsements,
    /// Intel's collateral for the TD quote.
    Collateral,
    /// The TPM quote.
    Quote,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Endorsements => "the endorsements of the hardware's report",
            Self::Collateral => "Intel's collateral for the TD quote",
            Self::Quote => "the TPM quote",
        })
    }
}

/// The step that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AzureError {
    /// More bytes than an HCL report may have.
    #[error("the HCL report has {0} bytes, more than any has")]
    HclSize(usize),
    /// The header is none, or of another version or request.
    #[error("the HCL report has {0}")]
    HclHeader(&'static str),
    /// A report of another technology (VBS among them).
    #[error("the HCL report is of type {0}; this build knows 2 (SEV-SNP) and 4 (TDX)")]
    HclType(u32),
    /// reportDataHashType is not SHA-256.
    #[error("the variable data is bound by hash type {0}; this build knows 1 (SHA-256)")]
    HclHash(u32),
    /// Lengths that contradict each other, or something behind the variable data.
    #[error("the HCL report's lengths are not those of what it holds")]
    HclVarData,
    /// The variable data is not the JSON that it should be.
    #[error("the variable data is {0}")]
    VarData(&'static str),
    /// No attestation key, more than one, or one of another kind.
    #[error("the variable data has {0}")]
    AttestationKey(&'static str),
    /// Not a `TPMS_ATTEST` of a quote.
    #[error("the TPM quote's {0} is malformed")]
    QuoteFormat(&'static str),
    /// PCRs of another bank than SHA-256.
    #[error("the TPM quote is over PCRs of algorithm {0:#06x}; this build knows 0x000b (SHA-256)")]
    QuoteBank(u16),
    /// Neither a `TPMT_SIGNATURE` of RSASSA with SHA-256 nor 256 bytes.
    #[error("the TPM quote's signature is not one of RSASSA with SHA-256 by a key of 2048 bits")]
    SignatureFormat,
    /// More or fewer PCR values than the quote selects.
    #[error("the TPM quote is over {selected} PCRs, {given} values were given")]
    PcrCount {
        /// By the quote.
        selected: usize,
        /// By the caller.
        given: usize,
    },
    /// Not a TDREPORT.
    #[error("the TDREPORT {0}")]
    TdReport(&'static str),
    /// Endorsements of the other technology.
    #[error("the hardware's report is of {0}, the endorsements are not")]
    Endorsements(HardwareKind),
    /// The SNP report was refused.
    #[error(transparent)]
    Snp(#[from] SnpError),
    /// The SNP report was asked for by something else than the paravisor.
    #[error("the SNP report is of VMPL {0}; the paravisor's is of VMPL 0")]
    Vmpl(u32),
    /// The TD quote was refused.
    #[error(transparent)]
    Tdx(#[from] TdxError),
    /// The TD quote is over another body than the TDREPORT's.
    #[error("the TD quote is not over the TDREPORT")]
    TdQuote,
    /// REPORT_DATA is not the hash of the variable data.
    #[error("the hardware's report does not bind the variable data")]
    Binding,
    /// The bound AK did not sign the quote.
    #[error("the signature on the TPM quote is wrong")]
    QuoteSignature,
    /// extraData is not the nonce.
    #[error("the TPM quote does not answer the nonce")]
    Nonce,
    /// pcrDigest is not of the values given.
    #[error("the TPM quote is over other PCR values")]
    PcrDigest,
    /// Nothing given is wrong, and not everything was given.
    #[error("not given: {0}")]
    Incomplete(Missing),
}

impl AzureError {
    /// Stable code, the id of the step; of the hardware's own verifier where that refused.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HclSize(_) => "azure.hcl.size",
            Self::HclHeader(_) => "azure.hcl.header",
            Self::HclType(_) => "azure.hcl.type",
            Self::HclHash(_) => "azure.hcl.hash",
            Self::HclVarData => "azure.hcl.var_data",
            Self::VarData(_) => "azure.var_data",
            Self::AttestationKey(_) => "azure.ak",
            Self::QuoteFormat(_) => "azure.quote.format",
            Self::QuoteBank(_) => "azure.quote.bank",
            Self::SignatureFormat => "azure.quote.signature_format",
            Self::PcrCount { .. } => "azure.pcrs.count",
            Self::TdReport(_) => "azure.td_report",
            Self::Endorsements(_) => "azure.endorsements",
            Self::Snp(error) => error.code(),
            Self::Vmpl(_) => "azure.vmpl",
            Self::Tdx(error) => error.code(),
            Self::TdQuote => "azure.td_quote",
            Self::Binding => "azure.binding",
            Self::QuoteSignature => "azure.quote.signature",
            Self::Nonce => "azure.quote.nonce",
            Self::PcrDigest => "azure.quote.pcrs",
            Self::Incomplete(_) => "azure.complete",
        }
    }

    /// The step that failed; those before it passed, those after it were not tried.
    #[must_use]
    pub fn step(&self) -> Option<&'static Step> {
        let lists = [
            steps::FORMAT,
            steps::TD_REPORT,
            steps::ENDORSEMENTS,
            steps::SNP,
            steps::TDX,
            steps::JUDGED,
        ];
        match self {
            Self::Snp(error) => error.step(),
            Self::Tdx(error) => error.step(),
            _ => lists
                .into_iter()
                .flatten()
                .find(|step| step.id == self.code()),
        }
    }

    /// What the refusal says of the input.
    #[must_use]
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::HclSize(_)
            | Self::HclHeader(_)
            | Self::HclVarData
            | Self::VarData(_)
            | Self::AttestationKey(_)
            | Self::QuoteFormat(_)
            | Self::SignatureFormat
            | Self::TdReport(_)
            | Self::PcrCount { .. } => ErrorClass::Malformed,
            Self::HclType(_) | Self::HclHash(_) | Self::QuoteBank(_) => ErrorClass::Unsupported,
            Self::Snp(error) => error.class(),
            Self::Tdx(error) => error.class(),
            Self::Incomplete(_) => ErrorClass::Incomplete,
            _ => ErrorClass::Rejected,
        }
    }

    /// Whether the same evidence may pass with fresher certificates or lists.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self {
            Self::Snp(error) => error.retryable(),
            Self::Tdx(error) => error.retryable(),
            _ => false,
        }
    }
}
