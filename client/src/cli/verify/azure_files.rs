//! The files that evidence of an Azure confidential VM comes in.

use super::{
    super::{Exit, Failure, evidence_file, files},
    azure_container, tdx,
};
use attestation::{
    tdx::Collateral,
    vtpm::{AzureEvidence, Endorsements, HardwareKind, TpmQuote},
};
use clap::Args;
use std::path::{Path, PathBuf};

const MAX_CONTAINER_BYTES: usize = 1024 * 1024;

/// Where the evidence lies: in one container, or part by part.
#[derive(Args)]
pub(super) struct Files {
    /// HCL report, TPM quote, PCRs and VCEK in one JSON document, as the attestation agents of confidential containers send it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["hcl", "quote", "vek", "td_quote"])]
    evidence: Option<PathBuf>,
    /// The HCL report: the content of the vTPM's NV index 0x01400001
    #[arg(long, value_name = "FILE", required_unless_present = "evidence")]
    hcl: Option<PathBuf>,
    /// The TPM quote (TPMS_ATTEST) by the attestation key
    #[arg(long, value_name = "FILE", requires = "signature")]
    quote: Option<PathBuf>,
    /// The quote's signature: TPMT_SIGNATURE, or the RSA signature alone
    #[arg(long, value_name = "FILE", requires = "quote")]
    signature: Option<PathBuf>,
    /// The quoted PCRs of the SHA-256 bank, 32 bytes each, in ascending order [default: only their digest is told]
    #[arg(long, value_name = "FILE", requires = "quote")]
    pcrs: Option<PathBuf>,
    /// SEV-SNP: the VCEK certificate, DER or PEM; certificates that follow it are the chain
    #[arg(long, value_name = "FILE")]
    vek: Option<PathBuf>,
    /// TDX: a TD quote over the TDREPORT in the HCL report
    #[arg(long, value_name = "FILE", conflicts_with = "vek")]
    td_quote: Option<PathBuf>,
    /// TDX: Intel's collateral for the platform, as one JSON document [default: the status is 20 at best]
    #[arg(long, value_name = "FILE")]
    collateral: Option<PathBuf>,
    /// SEV-SNP: intermediate certificates (ASK), DER or PEM; repeatable [default: the built-in ones]
    #[arg(long, value_name = "FILE")]
    chain: Vec<PathBuf>,
    /// SEV-SNP: revocation list of AMD's root, DER or PEM; repeatable [default: revocation is not checked]
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
}

/// What the files hold.
#[derive(Default)]
pub(super) struct Input {
    pub(super) hcl_report: Vec<u8>,
    pub(super) quote: Option<Quote>,
    pub(super) vek: Option<Vec<u8>>,
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) crls: Vec<Vec<u8>>,
    pub(super) td_quote: Option<Vec<u8>>,
    pub(super) collateral: Option<Collateral>,
}

/// A TPM quote.
pub(super) struct Quote {
    pub(super) message: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) pcrs: Option<Vec<[u8; 32]>>,
}

impl Files {
    pub(super) fn read(&self) -> Result<Input, Failure> {
        let mut input = match (&self.evidence, &self.hcl) {
            (Some(container), _) => {
                azure_container::parse(&files::read(container, MAX_CONTAINER_BYTES)?)?
            }
            (None, Some(hcl)) => self.read_parts(hcl)?,
            (None, None) => Input::default(),
        };
        for path in &self.chain {
            input.chain.extend(evidence_file::certificates(path)?);
        }
        for path in &self.crl {
            input.crls.extend(evidence_file::crls(path)?);
        }
        input.collateral = self
            .collateral
            .as_deref()
            .map(tdx::read_collateral)
            .transpose()?;
        Ok(input)
    }

    fn read_parts(&self, hcl: &Path) -> Result<Input, Failure> {
        let certificates = self.vek.as_deref().map(evidence_file::certificates);
        let mut certificates = certificates.transpose()?.unwrap_or_default().into_iter();
        Ok(Input {
            hcl_report: evidence_file::bytes(hcl)?,
            quote: self.read_quote()?,
            vek: certificates.next(),
            chain: certificates.collect(),
            td_quote: self
                .td_quote
                .as_deref()
                .map(evidence_file::bytes)
                .transpose()?,
            ..Input::default()
        })
    }

    fn read_quote(&self) -> Result<Option<Quote>, Failure> {
        let (Some(message), Some(signature)) = (&self.quote, &self.signature) else {
            return Ok(None);
        };
        Ok(Some(Quote {
            message: evidence_file::bytes(message)?,
            signature: evidence_file::bytes(signature)?,
            pcrs: self.pcrs.as_deref().map(read_pcrs).transpose()?,
        }))
    }
}

fn read_pcrs(path: &Path) -> Result<Vec<[u8; 32]>, Failure> {
    let bytes = evidence_file::bytes(path)?;
    match bytes.as_chunks() {
        (values, []) => Ok(values.to_vec()),
        _ => {
            let message = format!("{} does not consist of values of 32 bytes", path.display());
            Err(Failure::new(Exit::Malformed, "azure.pcrs.count", message))
        }
    }
}

impl Input {
    /// The steps told are those of SEV-SNP where the report does not say what it is.
    pub(super) fn kind(&self) -> HardwareKind {
        HardwareKind::of(&self.hcl_report).unwrap_or(HardwareKind::Snp)
    }

    pub(super) fn is_endorsed(&self) -> bool {
        self.vek.is_some() || self.td_quote.is_some()
    }

    pub(super) fn pcrs(&self) -> Option<&[[u8; 32]]> {
        self.quote.as_ref()?.pcrs.as_deref()
    }

    /// The input in the form that the verifier takes.
    pub(super) fn with_evidence<T>(&self, judge: impl FnOnce(&AzureEvidence<'_>) -> T) -> T {
        let chain: Vec<&[u8]> = self.chain.iter().map(Vec::as_slice).collect();
        let crls: Vec<&[u8]> = self.crls.iter().map(Vec::as_slice).collect();
        let endorsements = match (&self.vek, &self.td_quote) {
            (Some(vek), _) => Endorsements::Snp {
                vek,
                chain: &chain,
                crls: &crls,
            },
            (None, Some(quote)) => Endorsements::Tdx {
                quote,
                collateral: self.collateral.as_ref(),
            },
            (None, None) => Endorsements::Missing,
        };
        judge(&AzureEvidence {
            hcl_report: &self.hcl_report,
            endorsements,
            quote: self.quote.as_ref().map(Quote::borrowed),
        })
    }
}

impl Quote {
    fn borrowed(&self) -> TpmQuote<'_> {
        TpmQuote {
            message: &self.message,
            signature: &self.signature,
            pcrs: self.pcrs.as_deref(),
        }
    }
}
