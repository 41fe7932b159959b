//! First inputs: without them a fuzzer finds no certificate in a smoke's few seconds.

use attestation::{
    CpuEvidence, DeviceEvidence, EvidenceBundle, Freshness, IdentityKey, Manifest, Nonce,
    NoncePath, SnpEvidence, crypto,
};
use std::{env, fs, path::PathBuf};

/// Puts `seeds` into the folder that `FUZZ_SEEDS` names before the fuzzer reads it. Without the variable nothing is written.
pub fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let Some(folder) = env::var_os("FUZZ_SEEDS").map(PathBuf::from) else {
        return;
    };
    for (number, seed) in seeds.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("FUZZ_SEEDS is a folder");
    }
}

/// The ASK of Milan.
pub const ASK: &[u8] = include_bytes!("../../attestation/roots/ask-milan.der");

/// The evidence that crate `sev` ships.
pub struct Genuine {
    pub report: Vec<u8>,
    pub milan: Vec<u8>,
    pub turin: Vec<u8>,
}

impl Genuine {
    /// From the folder that `FUZZ_EVIDENCE` names, `tests/certs_data` of crate `sev`; empty without the variable.
    pub fn load() -> Self {
        let folder = env::var_os("FUZZ_EVIDENCE")
            .map(PathBuf::from)
            .unwrap_or_default();
        let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
        Self {
            report: from_hex(&read("report_milan.hex")),
            milan: read("vcek_milan.der"),
            turin: read("vcek_turin.der"),
        }
    }
}

fn from_hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| (*byte as char).to_digit(16).map(|digit| digit as u8);
    let digits: Vec<u8> = text.iter().filter_map(digit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

/// A bundle over the genuine report, unbound.
pub fn bundle(genuine: &Genuine) -> EvidenceBundle {
    EvidenceBundle {
        cpu: CpuEvidence::Snp(SnpEvidence {
            report: genuine.report.clone(),
            vek: genuine.milan.clone(),
            chain: Vec::new(),
        }),
        devices: vec![DeviceEvidence {
            report: vec![5; 60],
            chain: vec![vec![6; 20]],
        }],
        collateral: Some(vec![7; 30]),
        manifest: manifest().to_cbor(),
        identity: IdentityKey([1; 32]),
        freshness: Freshness::of_one(&Nonce([2; 32])),
        nonce_path: Some(NoncePath {
            index: 0,
            size: 2,
            siblings: vec![[3; 32]],
        }),
        key_configs: Some(vec![4; 40]),
    }
}

/// A manifest with every field.
pub fn manifest() -> Manifest {
    Manifest {
        runtime_version: "0.1.0".into(),
        runtime_digest: [1; 32],
        model: "model".into(),
        model_digest: [2; 32],
        tokenizer_digest: [3; 32],
        template_digest: [4; 32],
        aibom_digest: Some([5; 32]),
        kernels_digest: [6; 32],
        engine: "cpu/deterministic".into(),
        isa: "scalar".into(),
        max_context_tokens: 2048,
        max_request_bytes: 65_536,
        padding: "off".into(),
        policy_root: [7; 32],
        gpu: None,
    }
}

/// An unsigned list of an empty issuer: version 2, two dates, one revoked serial.
pub fn empty_list() -> Vec<u8> {
    let time = [&b"\x17\x0d"[..], b"260101000000Z"].concat();
    let entry = wrap(0x30, &[&b"\x02\x01\x05"[..], &time].concat());
    let algorithm = b"\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
    let revoked = wrap(0x30, &entry);
    let list = [
        &b"\x02\x01\x01"[..],
        algorithm,
        b"\x30\x00",
        &time,
        &time,
        &revoked,
    ]
    .concat();
    wrap(
        0x30,
        &[&wrap(0x30, &list)[..], algorithm, b"\x03\x02\x00\x00"].concat(),
    )
}

/// Short-form DER.
fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).expect("short content");
    assert!(length < 128);
    [&[tag, length][..], content].concat()
}

/// What an invented NVIDIA issues on 2026-06-01: it parses like the genuine, and nobody trusts it.
pub fn nvidia() -> tee_sim::nvidia::Issued {
    let now = attestation::UnixTime(1_780_272_000);
    tee_sim::nvidia::Nvidia::invent(now).issue(&[7; 32])
}

/// An HCL report of type `kind` (2 SEV-SNP, 4 TDX) over variable data with a key that nobody has; unsigned.
pub fn hcl_report(kind: u8) -> Vec<u8> {
    let modulus = "7".repeat(341) + "w";
    let key = format!(
        r#"{{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":"{modulus}"}}"#
    );
    let vm = r#"{"console-enabled":true,"secure-boot":true,"tpm-enabled":true,"vmUniqueId":"1"}"#;
    let var_data = format!(r#"{{"keys":[{key}],"vm-configuration":{vm}}}"#);
    let length = var_data.len() as u32;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let header: Vec<u8> = words(&[2, 1236 + length, 2, 0, 0, 0, 0]);
    let data: Vec<u8> = words(&[20 + length, 1, kind.into(), 1, length]);
    let mut report = [0; 1184];
    let report_data = if kind == 2 { 0x50 } else { 0x80 };
    report[report_data..report_data + 32].copy_from_slice(&crypto::sha256(var_data.as_bytes()));
    if kind == 4 {
        report[0] = 0x81;
        let parts = [&report[256..495], &report[512..1024]].map(crypto::sha384);
        report[32..128].copy_from_slice(&parts.concat());
    }
    [b"HCLA", &header[..], &report, &data, var_data.as_bytes()].concat()
}
