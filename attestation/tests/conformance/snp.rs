//! AMD SEV-SNP: report, VCEK or VLEK, intermediates and lists under the case's root.

use crate::case::{Case, Claims, Refusal};
use attestation::{danger, snp};

pub(crate) fn verify(case: &Case) -> Result<Claims, Refusal> {
    let [report, vek, ark, ask] = ["report", "vek", "ark", "ask"].map(|key| case.input(key));
    let [chain, crls] = ["chain", "crls"].map(|key| case.inputs(key));
    let evidence = snp::Evidence {
        report: &report,
        vek: &vek,
        chain: &slices(&chain),
    };
    let roots = danger::snp_roots(&ark, &ask);
    match snp::verify(&evidence, &slices(&crls), &roots, case.at()) {
        Ok(_) => Ok(Claims::new()),
        Err(error) => Err(Refusal {
            code: error.code(),
            class: error.class(),
        }),
    }
}

fn slices(files: &[Vec<u8>]) -> Vec<&[u8]> {
    files.iter().map(Vec::as_slice).collect()
}
