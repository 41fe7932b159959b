//! Azure evidence to claims: one call per step, in the order of [`super::steps`].

use super::{
    AzureClaims, AzureError, AzureEvidence, Endorsements, HardwareClaims, HardwareKind, Missing,
    hcl::HclReport, quote::Quote, var_data::VarData,
};
use crate::{
    UnixTime, crypto,
    roots::SnpRoots,
    snp::{self, SnpClaims},
};

/// Whom the hardware's reports are traced back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureRoots {
    /// For SEV-SNP VMs.
    pub snp: SnpRoots,
}

impl AzureRoots {
    /// The vendors' own.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            snp: SnpRoots::vendor(),
        }
    }
}

/// Verifies `evidence` at `now` under `roots`. The quote must answer `nonce`; without one freshness is not checked.
///
/// What is not given is told only after everything that is given was found right.
pub fn verify(
    evidence: &AzureEvidence<'_>,
    roots: &AzureRoots,
    nonce: Option<&[u8]>,
    now: UnixTime,
) -> Result<AzureClaims, AzureError> {
    let report = HclReport::parse(evidence.hcl_report)?;
    let var_data = VarData::parse(report.var_data)?;
    let quote = evidence.quote.as_ref().map(Quote::parse).transpose()?;

    let hardware = hardware(&report, &evidence.endorsements, roots, now)?;
    report.check_binding()?;
    if let Some(quote) = &quote {
        quote.check_signature(&var_data.attestation_key)?;
        quote.check_nonce(nonce)?;
        quote.check_pcrs()?;
    }
    let (hardware, not_after) = hardware.map_err(AzureError::Incomplete)?;
    let quote = quote.ok_or(AzureError::Incomplete(Missing::Quote))?;
    Ok(AzureClaims {
        hardware,
        hcl_version: report.version,
        vm_configuration: var_data.configuration,
        user_data: var_data.user_data,
        attestation_key_sha256: crypto::sha256(&var_data.attestation_key.der),
        quote: quote.claims,
        nonce: nonce.map(<[u8]>::to_vec),
        not_after,
    })
}

/// Claims with the end of their endorsements, or what is missing for them.
type Hardware = Result<(HardwareClaims, UnixTime), Missing>;

fn hardware(
    report: &HclReport<'_>,
    endorsements: &Endorsements<'_>,
    roots: &AzureRoots,
    now: UnixTime,
) -> Result<Hardware, AzureError> {
    match (report.kind, endorsements) {
        (_, Endorsements::Missing) => Ok(Err(Missing::Endorsements)),
        (HardwareKind::Snp, Endorsements::Snp { vek, chain, crls }) => {
            let evidence = snp::Evidence {
                report: report.hardware_report,
                vek,
                chain,
            };
            let claims = snp::verify(&evidence, crls, &roots.snp, now)?;
            check_vmpl(&claims)?;
            let not_after = claims.not_after;
            Ok(Ok((HardwareClaims::Snp(Box::new(claims)), not_after)))
        }
        (kind, _) => Err(AzureError::Endorsements(kind)),
    }
}

/// A guest can have reports of its own VMPL over whatever it likes; VMPL 0 is the paravisor's alone.
fn check_vmpl(claims: &SnpClaims) -> Result<(), AzureError> {
    (claims.vmpl == 0)
        .then_some(())
        .ok_or(AzureError::Vmpl(claims.vmpl))
}
