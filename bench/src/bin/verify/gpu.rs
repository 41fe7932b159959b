//! A Hopper report with its certificate chain, its driver's RIM and its VBIOS's, without OCSP; the peer is NVIDIA's Python.

use bench::{
    evidence,
    peer::Peer,
    raw::{self, Signed},
    timing::in_turn,
};
use std::{error::Error, fs, path::PathBuf, process::Command};

const FILES: [&str; 4] = [
    "test_raw_gpu_attestation_report.dat",
    "test_gpu_attestation_certificate_chain.dat",
    "rim/NV_GPU_DRIVER_GH100_550.90.07.xml",
    "rim/NV_GPU_VBIOS_1010_0200_882_96009F0001.xml",
];
/// 2025-09-01T00:00:00Z
const NOW: u64 = 1_756_684_800;

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
    let [report, chain] = [fs::read(&paths[0])?, fs::read(&paths[1])?];
    let rims = [
        fs::read_to_string(&paths[2])?,
        fs::read_to_string(&paths[3])?,
    ];
    let signatures = signatures(&report, &chain, &rims)?;
    let [limit, one, nvidia] = in_turn([
        &mut || raw::verify(&signatures),
        &mut || raw::verify(&signatures[..1]),
        &mut nvidia,
    ]);
    limit.print("", &format!("raw: {} P-384", signatures.len()));
    one.print("", "raw: 1 P-384");
    nvidia.print("", "NVIDIA's nv-local-gpu-verifier 2.7 (Python), cold");
    Ok(())
}

fn nvidia_python(python: &str, paths: &[PathBuf; 4]) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/nvidia_python.py");
    let mut command = Command::new(python);
    command.arg(script).arg(NOW.to_string()).args(paths);
    command
}

/// Of the report, of the device's four certificates below the root, and of each RIM its own and those of its three certificates below the root.
fn signatures(
    report: &[u8],
    chain: &[u8],
    rims: &[String; 2],
) -> Result<Vec<Signed>, Box<dyn Error>> {
    let chain = raw::certificates(chain)?;
    let mut signatures = vec![raw::spdm(report, &chain[0])?];
    signatures.extend(Signed::chain(&chain)?);
    for rim in rims {
        signatures.extend(raw::rim(rim)?);
    }
    Ok(signatures)
}
