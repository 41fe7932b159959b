//! A Hopper report with its certificate chain, its driver's RIM and its VBIOS's, without OCSP; the peer is NVIDIA's Python.

use attestation::{
    UnixTime,
    nvidia::{
        self, DeviceClaims, Missing, NvidiaError, References, VerifiedDevice, VerifiedReferences,
    },
    roots::NvidiaRoots,
};
use bench::{
    evidence,
    peer::Peer,
    raw::{self, Signed},
    timing::{in_turn, print_ratio},
};
use std::{error::Error, fs, path::PathBuf, process::Command};

const FILES: [&str; 4] = [
    "test_raw_gpu_attestation_report.dat",
    "test_gpu_attestation_certificate_chain.dat",
    "rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
    "rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml",
];
/// 2025-09-01T00:00:00Z
const NOW: UnixTime = UnixTime(1_756_684_800);

struct Evidence {
    report: Vec<u8>,
    chain: Vec<Vec<u8>>,
    references: References,
}

pub fn bench(python: &str) -> Result<(), Box<dyn Error>> {
    let Some(vectors) = evidence::vectors() else {
        println!(
            "gpu: not measured; no package ships a matching set, so NARTHEX_VECTORS must say where one is"
        );
        return Ok(());
    };
    let folder = vectors.join("go-nvattest-tools").canonicalize()?;
    let paths = FILES.map(|name| folder.join(name));
    let mut nvidia = Peer::start(&mut nvidia_python(python, &paths))?;
    let evidence = Evidence::read(&paths)?;
    let signatures = evidence.signatures()?;
    let warm = Warm::new(&evidence)?;
    let [cold, warm, limit, one, nvidia] = in_turn([
        &mut || evidence.verify(),
        &mut || warm.verify(&evidence.report),
        &mut || raw::verify(&signatures),
        &mut || raw::verify(&signatures[..1]),
        &mut nvidia,
    ]);
    cold.print("gpu.cold", "narthex");
    warm.print("gpu.warm", "narthex");
    limit.print("", &format!("raw: {} P-384", signatures.len()));
    one.print("", "raw: 1 P-384");
    nvidia.print("", "NVIDIA's nv-local-gpu-verifier 2.7 (Python), cold");
    print_ratio("gpu.cold.vs_nvidia_python", &cold, &nvidia);
    print_ratio("gpu.cold.vs_raw", &cold, &limit);
    print_ratio("gpu.warm.vs_raw", &warm, &one);
    Ok(())
}

fn nvidia_python(python: &str, paths: &[PathBuf; 4]) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/nvidia_python.py");
    let mut command = Command::new(python);
    command.arg(script).arg(NOW.0.to_string()).args(paths);
    command
}

impl Evidence {
    fn read(paths: &[PathBuf; 4]) -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            report: fs::read(&paths[0])?,
            chain: raw::certificates(&fs::read(&paths[1])?)?,
            references: References {
                rims: vec![fs::read(&paths[2])?, fs::read(&paths[3])?],
                ocsp: Vec::new(),
            },
        })
    }

    fn chain(&self) -> Vec<&[u8]> {
        self.chain.iter().map(Vec::as_slice).collect()
    }

    fn verify(&self) {
        let evidence = nvidia::Evidence {
            report: &self.report,
            chain: &self.chain(),
        };
        let roots = NvidiaRoots::vendor();
        is_genuine(nvidia::verify(
            &evidence,
            &self.references,
            None,
            &roots,
            NOW,
        ));
    }

    /// Of the report, of the device's four certificates below the root, and of each RIM its own and those of its three certificates below the root.
    fn signatures(&self) -> Result<Vec<Signed>, Box<dyn Error>> {
        let mut signatures = vec![raw::spdm(&self.report, &self.chain[0])?];
        signatures.extend(Signed::chain(&self.chain)?);
        for rim in &self.references.rims {
            signatures.extend(raw::rim(str::from_utf8(rim)?)?);
        }
        Ok(signatures)
    }
}

/// What is verified once for all reports of the device.
struct Warm {
    device: VerifiedDevice,
    references: VerifiedReferences,
}

impl Warm {
    fn new(evidence: &Evidence) -> Result<Self, NvidiaError> {
        let roots = NvidiaRoots::vendor();
        let references = &evidence.references;
        Ok(Self {
            device: VerifiedDevice::verify(&evidence.chain(), references, &roots, NOW)?,
            references: VerifiedReferences::verify(references, &roots, NOW)?,
        })
    }

    fn verify(&self, report: &[u8]) {
        is_genuine(self.device.appraise(report, &self.references, None, NOW));
    }
}

/// Everything holds, but nobody was asked about revocation.
fn is_genuine(verdict: Result<DeviceClaims, NvidiaError>) {
    let Err(NvidiaError::Incomplete { missing, .. }) = verdict else {
        panic!("genuine evidence verifies: {verdict:?}");
    };
    assert!(missing.iter().all(|one| matches!(one, Missing::Ocsp(_))));
}
