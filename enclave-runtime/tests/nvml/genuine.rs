//! NVIDIA's own reports and certificates through the fake library, under NVIDIA's own roots.

use crate::fake::{Fake, filled};
use attestation::{
    GpuNonce, UnixTime,
    nvidia::{self, Evidence},
    roots::NvidiaRoots,
};
use enclave_runtime::evidence::SelfCheck;
use std::{env, fs, path::PathBuf};

/// A report, its certificates, and the driver that it names.
const REPORTS: [[&str; 3]; 3] = [
    [
        "go-nvattest-tools/test_raw_gpu_attestation_report.dat",
        "go-nvattest-tools/test_gpu_attestation_certificate_chain.dat",
        "550.90.07",
    ],
    [
        "nv-attestation-sdk/gpu/blackwellAttestationReport.txt",
        "nv-attestation-sdk/gpu/blackwellCertChain.txt",
        "575.32",
    ],
    // With a byte of padding, as the library gave it.
    [
        "trustee/nvidia/hopper_coco_report1.txt",
        "trustee/nvidia/hopper_coco_certs1.txt",
        "580.95.05",
    ],
];

fn vectors() -> Option<PathBuf> {
    let folder = env::var_os("NARTHEX_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("no NARTHEX_VECTORS: nothing to look at; no package ships reports of GPUs");
    }
    folder
}

fn bytes(path: PathBuf) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    let text = str::from_utf8(&bytes).ok();
    text.and_then(|text| hex::decode(text.trim()).ok())
        .unwrap_or(bytes)
}

#[test]
fn the_verifier_accepts_what_the_provider_made_of_them() {
    let Some(folder) = vectors() else {
        return;
    };
    let now = UnixTime::from_rfc3339("2025-12-01T00:00:00Z").unwrap();
    for [report, chain, driver] in REPORTS {
        let (report, chain) = (bytes(folder.join(report)), bytes(folder.join(chain)));
        let nonce = GpuNonce(*report[4..].first_chunk().unwrap());
        let fake = Fake::good();
        fake.set(|fake| {
            fake.sign = None;
            fake.report_size = u32::try_from(report.len()).unwrap();
            fake.report_bytes = filled(&report);
            fake.chain_size = u32::try_from(chain.len()).unwrap();
            fake.chain = filled(&chain);
            fake.driver_version = filled(driver.as_bytes());
        });
        let nvml = fake.open().unwrap();
        let check = SelfCheck::new(GpuNonce(nonce.0), NvidiaRoots::vendor(), now);
        assert_eq!(nvml.make_ready(&check), Ok(false));
        let devices = nvml.evidence(&nonce).unwrap();
        let chain: Vec<&[u8]> = devices[0].chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &devices[0].report,
            chain: &chain,
        };
        let roots = NvidiaRoots::vendor();
        let authentic = nvidia::authenticate(&evidence, Some(&nonce.0), &roots, now).unwrap();
        assert_eq!(authentic.device().driver_version.as_deref(), Some(driver));
        let another = nvml.evidence(&GpuNonce([1; 32])).unwrap_err();
        assert_eq!(another.code(), "nvml.nonce");
    }
}
