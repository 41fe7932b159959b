//! NVIDIA's own evidence: what it says, and that no bit of it may change.

use crate::support::{at, vectors};
use attestation::{
    DeviceEvidence, UnixTime,
    nvidia::{
        self, Authentic, Evidence, EvidenceList, Feature, Kind, Missing, NvidiaError, References,
    },
    roots::NvidiaRoots,
};
use std::{fs, path::Path};

const HOPPER: [&str; 2] = [
    "go-nvattest-tools/test_raw_gpu_attestation_report.dat",
    "go-nvattest-tools/test_gpu_attestation_certificate_chain.dat",
];
const BLACKWELL: [&str; 2] = [
    "nv-attestation-sdk/gpu/blackwellAttestationReport.txt",
    "nv-attestation-sdk/gpu/blackwellCertChain.txt",
];
const SWITCH: [&str; 2] = [
    "nv-attestation-sdk/switch/switchAttestationReport.txt",
    "nv-attestation-sdk/switch/switchCertChain.txt",
];
const OLD_HOPPER: [&str; 2] = [
    "nv-attestation-sdk/gpu/hopperAttestationReport.txt",
    "nv-attestation-sdk/gpu/hopperCertChain.txt",
];
const PADDED: [&str; 2] = [
    "trustee/nvidia/hopper_coco_report1.txt",
    "trustee/nvidia/hopper_coco_certs1.txt",
];
const AT: &str = "2025-09-01T00:00:00Z";

/// The evidence of `files`; `None`, told, without the folder.
fn evidence([report, chain]: [&str; 2]) -> Option<DeviceEvidence> {
    let Some(folder) = vectors() else {
        println!("no NARTHEX_VECTORS: nothing to look at");
        return None;
    };
    let bytes = fs::read(folder.join(report)).unwrap();
    let text = std::str::from_utf8(&bytes).ok();
    let report = text
        .and_then(|text| hex::decode(text.trim()).ok())
        .unwrap_or(bytes);
    let chain = crate::support::certificates(&folder.join(chain));
    Some(DeviceEvidence { report, chain })
}

fn authenticate(device: &DeviceEvidence) -> Result<Authentic, NvidiaError> {
    with(device, |evidence| {
        nvidia::authenticate(evidence, None, &NvidiaRoots::vendor(), at(AT))
    })
}

fn with<T>(device: &DeviceEvidence, ask: impl Fn(&Evidence<'_>) -> T) -> T {
    let chain: Vec<&[u8]> = device.chain.iter().map(Vec::as_slice).collect();
    ask(&Evidence {
        report: &device.report,
        chain: &chain,
    })
}

#[test]
fn reports_say_what_nvidia_s_tools_say_of_them() {
    let says = |files| {
        evidence(files).map(|one| {
            let device = authenticate(&one).unwrap().device().clone();
            (
                device.driver_version.unwrap_or_default(),
                device.vbios_version,
                device.pdi.to_string(),
            )
        })
    };
    let expected = [
        (HOPPER, ("550.90.07", "96.00.9F.00.01", "431d480fe5e87274")),
        (BLACKWELL, ("575.32", "97.00.88.00.0F", "e6de55c3bdc14277")),
        (SWITCH, ("", "96.10.55.00.01", "203eb31ad9ed0008")),
        (
            OLD_HOPPER,
            ("535.86.09", "96.00.5E.00.01", "6a5fafcbd9fa5ca3"),
        ),
    ];
    for (files, (driver, vbios, pdi)) in expected {
        if let Some(found) = says(files) {
            assert_eq!(found, (driver.into(), vbios.into(), pdi.into()));
        }
    }
}

#[test]
fn names_of_manifests_are_nvidia_s() {
    let name =
        |files| evidence(files).map(|one| authenticate(&one).unwrap().device().vbios_rim_name());
    for (files, expected) in [
        (HOPPER, "NV_GPU_VBIOS_1010_0200_882_96009F0001"),
        (BLACKWELL, "NV_GPU_VBIOS_G525_0220_886_970088000F"),
        (SWITCH, "NV_SWITCH_BIOS_5612_0002_890_9610550001"),
    ] {
        assert!(name(files).is_none_or(|name| name == expected));
    }
}

/// SPDM ends with the signature; NVIDIA's Python and C++ verifiers refuse a byte after it too.
#[test]
fn a_byte_after_the_signature_is_refused_and_without_it_the_report_is_authentic() {
    let Some(mut device) = evidence(PADDED) else {
        return;
    };
    assert_eq!(
        authenticate(&device).unwrap_err().code(),
        "nvidia.report.size"
    );
    assert_eq!(device.report.pop(), Some(0));
    let authentic = authenticate(&device).unwrap();
    assert_eq!(
        authentic.device().driver_version.as_deref(),
        Some("580.95.05")
    );
    assert_eq!(authentic.device().feature, Some(Feature::Spt));
}

#[test]
fn every_flipped_bit_of_a_report_is_refused() {
    for (files, step) in [(HOPPER, 1), (BLACKWELL, 7), (SWITCH, 7)] {
        let Some(device) = evidence(files) else {
            return;
        };
        let chain: Vec<&[u8]> = device.chain.iter().map(Vec::as_slice).collect();
        let verified =
            nvidia::VerifiedDeviceChain::verify(&chain, &NvidiaRoots::vendor(), at(AT)).unwrap();
        let mut report = device.report.clone();
        assert!(verified.authenticate(&report, None, at(AT)).is_ok());
        for bit in (0..report.len() * 8).step_by(step) {
            report[bit / 8] ^= 1 << (bit % 8);
            assert!(
                verified.authenticate(&report, None, at(AT)).is_err(),
                "{} bit {bit}",
                files[0]
            );
            report[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn flipped_bits_of_certificates_are_refused() {
    let Some(device) = evidence(HOPPER) else {
        return;
    };
    for certificate in 0..4 {
        for bit in (0..device.chain[certificate].len() * 8).step_by(11) {
            let mut flipped = device.clone();
            flipped.chain[certificate][bit / 8] ^= 1 << (bit % 8);
            assert!(
                authenticate(&flipped).is_err(),
                "certificate {certificate} bit {bit}"
            );
        }
    }
}

#[test]
fn chains_that_are_not_whole_are_refused() {
    let Some(genuine) = evidence(HOPPER) else {
        return;
    };
    for (chain, code) in [
        ("trustee/nvidia/hopper_cert_chain_case1.txt", ""),
        (
            "trustee/nvidia/hopper_cert_chain_case2.txt",
            "nvidia.chain.length",
        ),
        (
            "trustee/nvidia/hopper_cert_chain_case3.txt",
            "nvidia.chain.length",
        ),
        (
            "trustee/nvidia/hopper_cert_chain_case4.txt",
            "nvidia.chain.length",
        ),
    ] {
        let device = DeviceEvidence {
            chain: evidence([HOPPER[0], chain]).unwrap().chain,
            ..genuine.clone()
        };
        let found = authenticate(&device).map_or_else(|error| error.code(), |_| "");
        assert_eq!(found, code, "{chain}");
    }
}

#[test]
fn reports_under_another_device_s_chain_are_refused() {
    let all = [HOPPER, BLACKWELL, SWITCH, OLD_HOPPER];
    for (one, report) in all.iter().enumerate() {
        for (other, chain) in all.iter().enumerate() {
            let Some(device) = evidence([report[0], chain[1]]) else {
                return;
            };
            assert_eq!(
                authenticate(&device).is_ok(),
                one == other,
                "{report:?} {chain:?}"
            );
        }
    }
}

fn references(folder: &Path, ocsp: &[&str]) -> References {
    let rims = [
        "NV_GPU_DRIVER_GH100_550.90.07",
        "NV_GPU_VBIOS_1010_0200_882_96009F0001",
    ];
    let rim = |name| fs::read(folder.join(format!("go-nvattest-tools/rim/{name}.xml"))).unwrap();
    let response = |name: &&str| {
        let name =
            format!("go-nvattest-tools/ocsp/test_gpu_{name}_base64encoded_ocsp_response.dat");
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let engine = base64::engine::general_purpose::STANDARD;
        base64::Engine::decode(&engine, text.trim()).unwrap()
    };
    References {
        rims: rims.map(rim).to_vec(),
        ocsp: ocsp.iter().map(response).collect(),
    }
}

const DEVICE_OCSP: [&str; 3] = ["certificate_l2", "certificate_l3", "certificate_l4"];
const RIM_OCSP: [&str; 4] = ["driver_rim_l3", "driver_rim_l4", "rim_l2", "vbios_l4"];

fn verdict(ocsp: &[&str], now: UnixTime) -> Option<Result<(), NvidiaError>> {
    let device = evidence(HOPPER)?;
    let references = references(&vectors()?, ocsp);
    let verdict = with(&device, |evidence| {
        nvidia::verify(evidence, &references, None, &NvidiaRoots::vendor(), now)
    });
    Some(verdict.map(|_| ()))
}

/// The device's responses hold on 2025-08-21, the manifests' on 2025-10-24: no time is in the windows of all seven.
#[test]
fn each_day_of_responses_leaves_the_other_day_s_missing() {
    let all: Vec<&str> = DEVICE_OCSP.into_iter().chain(RIM_OCSP).collect();
    let (august, october) = (at("2025-08-21T12:00:00Z"), at("2025-10-24T18:00:00Z"));
    let missing = |ocsp: &[&str], now| match verdict(ocsp, now)? {
        Err(NvidiaError::Incomplete { missing, found }) => {
            assert_eq!(found.matched(), 33);
            Some(missing.len())
        }
        other => panic!("{other:?}"),
    };
    for (ocsp, now, expected) in [
        (&[][..], august, 9),
        (&DEVICE_OCSP[..], august, 6),
        (&RIM_OCSP[..], october, 3),
    ] {
        assert!(
            missing(ocsp, now).is_none_or(|found| found == expected),
            "{ocsp:?}"
        );
    }
    for now in [august, october] {
        let refusal = verdict(&all, now).map(|verdict| verdict.unwrap_err().code());
        assert!(refusal.is_none_or(|code| code == "nvidia.ocsp.window"));
    }
}

fn list(name: &str) -> Option<EvidenceList> {
    let Some(folder) = vectors() else {
        println!("no NARTHEX_VECTORS: nothing to look at");
        return None;
    };
    let json = fs::read(folder.join("go-nvattest-tools").join(name)).unwrap();
    Some(EvidenceList::from_json(&json).unwrap())
}

fn all_of(list: &EvidenceList) -> Result<Vec<Authentic>, NvidiaError> {
    list.devices.iter().map(authenticate).collect()
}

fn topology(list: &EvidenceList) -> Result<nvidia::topology::TopologyClaims, NvidiaError> {
    nvidia::topology::check(&all_of(list)?)
}

#[test]
fn eight_gpus_and_four_switches_are_a_whole_machine() {
    let Some(list) = list("test_ppcie_data.json") else {
        return;
    };
    let claims = topology(&list).unwrap();
    assert_eq!(
        (claims.gpus, claims.switches, claims.is_whole),
        (8, 4, true)
    );
    assert_eq!(claims.feature, Some(Feature::Ppcie));
    let switches = all_of(&list).unwrap();
    let switches = switches
        .iter()
        .filter(|one| one.device().kind() == Kind::Switch);
    let mut positions: Vec<_> = switches.map(|one| one.device().position_id).collect();
    positions.sort_unstable();
    assert_eq!(positions, [Some(0), Some(1), Some(2), Some(3)]);
}

#[test]
fn a_genuine_machine_without_one_device_or_with_copies_is_refused() {
    let Some(list) = list("test_ppcie_data.json") else {
        return;
    };
    for left_out in 0..12 {
        let mut some = list.clone();
        some.devices.remove(left_out);
        assert_eq!(
            topology(&some).unwrap_err().code(),
            "nvidia.topology.omitted"
        );
    }
    let mut copies = list;
    for copy in 9..12 {
        copies.devices[copy] = copies.devices[8].clone();
    }
    assert_eq!(
        topology(&copies).unwrap_err().code(),
        "nvidia.topology.doubled"
    );
}

#[test]
fn eight_gpus_in_mpt_are_alike_and_not_countable() {
    let Some(list) = list("test_mpt_data.json") else {
        return;
    };
    let claims = topology(&list).unwrap();
    assert_eq!(
        (claims.gpus, claims.switches, claims.is_whole),
        (8, 0, false)
    );
    assert_eq!(claims.feature, Some(Feature::Mpt));
}

#[test]
fn without_references_a_machine_s_verdict_lists_what_it_lacks() {
    let Some(list) = list("test_ppcie_data.json") else {
        return;
    };
    let chains: Vec<Vec<&[u8]>> = list
        .devices
        .iter()
        .map(|one| one.chain.iter().map(Vec::as_slice).collect())
        .collect();
    let evidence: Vec<Evidence<'_>> = list
        .devices
        .iter()
        .zip(&chains)
        .map(|(one, chain)| Evidence {
            report: &one.report,
            chain,
        })
        .collect();
    let none = References::default();
    let refusal =
        nvidia::verify_all(&evidence, &none, None, &NvidiaRoots::vendor(), at(AT)).unwrap_err();
    assert_eq!(refusal.error.code(), "nvidia.complete");
    assert_eq!(
        (refusal.devices.len(), refusal.topology.unwrap().gpus),
        (12, 8)
    );
    let NvidiaError::Incomplete { missing, .. } = refusal.error else {
        panic!("{:?}", refusal.error);
    };
    let rims = missing.iter().filter(|one| matches!(one, Missing::Rim(_)));
    assert_eq!(
        rims.count(),
        3,
        "driver, GPU's VBIOS, switch's BIOS: each once"
    );
}
