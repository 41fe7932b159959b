//! SNP evidence to claims: one call per step, in the order of [`super::STEPS`].

use super::{
    Product, SigningKey, SnpClaims, SnpError, TcbVersion,
    chain::{Candidates, Chain},
    report::Report,
    revocation::RevocationLists,
    tcb::RawTcb,
    vek::Vek,
};
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
    let vek = Vek::parse(evidence.vek)?;
    let candidates = Candidates::parse(evidence.chain)?;
    let lists = RevocationLists::parse(crls)?;

    let product = agreed_product(&report, &vek)?;
    check_signing_key(&report, &vek)?;
    let chain = Chain::find(candidates, &vek, product, roots.anchor(product))?;
    chain.verify(&vek, now)?;
    let crl_next_update = lists.check(&chain, &vek, now)?;
    vek.check_hwid(&report, product)?;
    vek.check_tcb(&report, product)?;
    vek.check_signature(&report)?;

    let claims = claims(&report, product, vek.kind)?;
    let not_after = chain.not_after(&vek);
    Ok(SnpClaims {
        csp_id: vek.csp_id,
        crl_next_update,
        not_after: crl_next_update.map_or(not_after, |next_update| next_update.min(not_after)),
        ..claims
    })
}

/// [`verify`] for evidence as a bundle carries it.
pub(crate) fn verify_cpu(
    evidence: &SnpEvidence,
    roots: &SnpRoots,
    now: UnixTime,
) -> Result<SnpClaims, SnpError> {
    let chain: Vec<&[u8]> = evidence.chain.iter().map(Vec::as_slice).collect();
    let evidence = Evidence {
        report: &evidence.report,
        vek: &evidence.vek,
        chain: &chain,
    };
    verify(&evidence, &[], roots, now)
}

/// The certificate's product, which the report's CPUID fields, if it has them, must confirm.
fn agreed_product(report: &Report<'_>, vek: &Vek<'_>) -> Result<Product, SnpError> {
    let of_report = report.product()?;
    let of_vek = vek.product()?;
    match of_report {
        Some(report) if report != of_vek => Err(SnpError::Product {
            report,
            vek: of_vek,
        }),
        _ => Ok(of_vek),
    }
}

fn check_signing_key(report: &Report<'_>, vek: &Vek<'_>) -> Result<(), SnpError> {
    match report.signing_key() {
        Some(of_report) if of_report != vek.kind => Err(SnpError::SigningKey {
            report: of_report,
            vek: vek.kind,
        }),
        _ => Ok(()),
    }
}

/// The claims of a report whose signature is right. What the endorsements say is filled in by the caller.
fn claims(
    report: &Report<'_>,
    product: Product,
    signing_key: SigningKey,
) -> Result<SnpClaims, SnpError> {
    let tcb = |raw: RawTcb, field| raw.components(product).ok_or(SnpError::ReportTcb(field));
    let [reported_tcb, current_tcb, committed_tcb, launch_tcb]: [TcbVersion; 4] = [
        tcb(report.reported_tcb(), "REPORTED_TCB")?,
        tcb(report.current_tcb(), "CURRENT_TCB")?,
        tcb(report.committed_tcb(), "COMMITTED_TCB")?,
        tcb(report.launch_tcb(), "LAUNCH_TCB")?,
    ];
    let chip_id = report.chip_id();
    Ok(SnpClaims {
        version: report.version(),
        product,
        guest_policy: report.guest_policy(),
        debug: report.is_debug(),
        vmpl: report.vmpl(),
        platform_info: report.platform_info(),
        signing_key,
        measurement: report.measurement(),
        host_data: report.host_data(),
        report_data: report.report_data(),
        id_key_digest: report.id_key_digest(),
        author_key_digest: report.author_key_digest(),
        family_id: report.family_id(),
        image_id: report.image_id(),
        guest_svn: report.guest_svn(),
        chip_id: (chip_id != [0; 64]).then_some(chip_id),
        reported_tcb,
        current_tcb,
        committed_tcb,
        launch_tcb,
        launch_mit_vector: report.launch_mit_vector(),
        current_mit_vector: report.current_mit_vector(),
        csp_id: None,
        crl_next_update: None,
        not_after: UnixTime(0),
    })
}
