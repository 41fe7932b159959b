//! SNP evidence to claims: one call per step, in the order of [`super::STEPS`].

use super::{Product, SigningKey, SnpClaims, SnpError, report::Report, verified_vek::Endorsements};
use crate::{SnpEvidence, UnixTime, roots::SnpRoots};

/// A report with its endorsements, all as received.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The report, 1184 bytes.
    pub report: &'a [u8],
    /// The VCEK or VLEK, DER.
    pub vek: &'a [u8],
    /// The intermediate (ASK or ASVK), DER; the product's other pinned certificates may stand beside it. Empty: the built-in one.
    pub chain: &'a [&'a [u8]],
}

/// Verifies `evidence` at `now` under `roots`. Every list in `crls` (DER) must be the product's; with none, revocation is not checked.
///
/// What parses at all is settled before anything is judged, so that malformed input is told as such.
pub fn verify(
    evidence: &Evidence<'_>,
    crls: &[&[u8]],
    roots: &SnpRoots,
    now: UnixTime,
) -> Result<SnpClaims, SnpError> {
    let report = Report::parse(evidence.report)?;
    let endorsements = Endorsements::parse(evidence.vek, evidence.chain, crls)?;
    let product = agreed_product(&report, endorsements.vek.product())?;
    check_signing_key(&report, endorsements.vek.kind)?;
    endorsements.verify(product, roots, now)?.judge(&report)
}

/// [`verify`] for evidence as a bundle carries it.
pub(crate) fn verify_cpu(
    evidence: &SnpEvidence,
    crls: &[&[u8]],
    roots: &SnpRoots,
    now: UnixTime,
) -> Result<SnpClaims, SnpError> {
    let chain: Vec<&[u8]> = evidence.chain.iter().map(Vec::as_slice).collect();
    let evidence = Evidence {
        report: &evidence.report,
        vek: &evidence.vek,
        chain: &chain,
    };
    verify(&evidence, crls, roots, now)
}

/// The certificate's product, which the report's CPUID fields, if it has them, must confirm.
pub(super) fn agreed_product(
    report: &Report<'_>,
    vek: Result<Product, SnpError>,
) -> Result<Product, SnpError> {
    let of_report = report.product()?;
    let vek = vek?;
    match of_report {
        Some(report) if report != vek => Err(SnpError::Product { report, vek }),
        _ => Ok(vek),
    }
}

pub(super) fn check_signing_key(report: &Report<'_>, vek: SigningKey) -> Result<(), SnpError> {
    match report.signing_key() {
        Some(report) if report != vek => Err(SnpError::SigningKey { report, vek }),
        _ => Ok(()),
    }
}
