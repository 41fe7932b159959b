//! Azure evidence to claims: one call per step, in the order of [`super::steps`].

use super::{
    AzureClaims, AzureError, AzureEvidence, Endorsements, HardwareClaims, HardwareKind, Missing,
    hcl::HclReport, quote::Quote, td_report::TdReport, var_data::VarData,
};
use crate::{
    ErrorClass, UnixTime, crypto,
    roots::{SnpRoots, TdxRoots},
    snp::{self, SnpClaims},
    tdx::{self, Collateral, TdxClaims},
};

/// Whom the hardware's reports are traced back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureRoots {
    /// For SEV-SNP VMs.
    pub snp: SnpRoots,
    /// For TDX VMs.
    pub tdx: TdxRoots,
}

impl AzureRoots {
    /// The vendors' own.
    #[must_use]
    pub fn vendor() -> Self {
        Self {
            snp: SnpRoots::vendor(),
            tdx: TdxRoots::vendor(),
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
    let hardware = HardwareReport::parse(&report)?;

    let hardware = hardware.verify(&evidence.endorsements, roots, now)?;
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

/// The hardware's report, structure and endorsements apart.
enum HardwareReport<'a> {
    Snp(&'a [u8]),
    Tdx(TdReport<'a>),
}

impl<'a> HardwareReport<'a> {
    fn parse(report: &HclReport<'a>) -> Result<Self, AzureError> {
        match report.kind {
            HardwareKind::Snp => Ok(Self::Snp(report.hardware_report)),
            HardwareKind::Tdx => TdReport::parse(report.hardware_report).map(Self::Tdx),
        }
    }

    fn verify(
        &self,
        endorsements: &Endorsements<'_>,
        roots: &AzureRoots,
        now: UnixTime,
    ) -> Result<Hardware, AzureError> {
        match (self, endorsements) {
            (_, Endorsements::Missing) => Ok(Err(Missing::Endorsements)),
            (Self::Snp(report), Endorsements::Snp { vek, chain, crls }) => {
                let evidence = snp::Evidence { report, vek, chain };
                let claims = snp::verify(&evidence, crls, &roots.snp, now)?;
                check_vmpl(&claims)?;
                let not_after = claims.not_after;
                Ok(Ok((HardwareClaims::Snp(Box::new(claims)), not_after)))
            }
            (Self::Tdx(report), Endorsements::Tdx { quote, collateral }) => {
                let claims = verify_td_quote(quote, *collateral, &roots.tdx, now)?;
                report.check_quote(quote)?;
                Ok(claims.map(|claims| {
                    let not_after = claims.not_after;
                    (HardwareClaims::Tdx(Box::new(claims)), not_after)
                }))
            }
            (Self::Snp(_), _) => Err(AzureError::Endorsements(HardwareKind::Snp)),
            (Self::Tdx(_), _) => Err(AzureError::Endorsements(HardwareKind::Tdx)),
        }
    }
}

/// A guest can have reports of its own VMPL over whatever it likes; VMPL 0 is the paravisor's alone.
fn check_vmpl(claims: &SnpClaims) -> Result<(), AzureError> {
    (claims.vmpl == 0)
        .then_some(())
        .ok_or(AzureError::Vmpl(claims.vmpl))
}

/// A quote that only lacks collateral is told so once everything else was checked.
fn verify_td_quote(
    quote: &[u8],
    collateral: Option<&Collateral>,
    roots: &TdxRoots,
    now: UnixTime,
) -> Result<Result<TdxClaims, Missing>, AzureError> {
    let evidence = tdx::Evidence {
        quote,
        event_log: None,
    };
    match tdx::verify(&evidence, collateral, roots, now) {
        Ok(claims) => Ok(Ok(claims)),
        Err(error) if error.class() == ErrorClass::Incomplete => Ok(Err(Missing::Collateral)),
        Err(error) => Err(error.into()),
    }
}
