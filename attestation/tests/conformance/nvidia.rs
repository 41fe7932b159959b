//! NVIDIA GPUs: report and chain, reference manifests and OCSP responses under the case's roots.

use crate::case::{Case, Claims, Refusal};
use attestation::{
    danger,
    nvidia::{self, References},
};

pub(crate) fn verify(case: &Case) -> Result<Claims, Refusal> {
    let [device_root, rim_root] = ["device_root", "rim_root"].map(|key| case.input(key));
    let nonce: [u8; 32] = case.input("nonce").try_into().unwrap();
    let (report, chain) = (case.input("report"), case.inputs("chain"));
    let chain: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
    let evidence = nvidia::Evidence {
        report: &report,
        chain: &chain,
    };
    let references = References {
        rims: case.inputs("rims"),
        ocsp: case.inputs("ocsp"),
    };
    let roots = danger::nvidia_roots(&device_root, &rim_root);
    match nvidia::verify(&evidence, &references, Some(&nonce), &roots, case.at()) {
        Ok(_) => Ok(Claims::new()),
        Err(error) => Err(Refusal {
            code: error.code(),
            class: error.class(),
        }),
    }
}
