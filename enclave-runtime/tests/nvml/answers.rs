//! What a well-kept machine gives.

use crate::fake::{Fake, NONCE, NOW, NVIDIA, roots, self_check};
use attestation::nvidia::{self, Evidence};
use enclave_runtime::evidence::{GpuVersions, MultiGpuMode};

#[test]
fn reports_and_chains_are_those_of_the_devices() {
    let fake = Fake::good();
    fake.set(|fake| fake.gpus = 3);
    let devices = fake.ready().evidence(&NONCE).unwrap();
    assert_eq!(devices.len(), 3);
    for device in devices {
        assert_eq!(device.chain, NVIDIA.issue(&NONCE.0).chain);
        let chain: Vec<&[u8]> = device.chain.iter().map(Vec::as_slice).collect();
        let evidence = Evidence {
            report: &device.report,
            chain: &chain,
        };
        let authentic = nvidia::authenticate(&evidence, Some(&NONCE.0), &roots(), NOW).unwrap();
        assert_eq!(authentic.device().nonce, NONCE.0);
    }
}

#[test]
fn versions_are_told() {
    let versions = Fake::good().open().unwrap().versions().unwrap();
    let expected = GpuVersions {
        driver: "550.90.07".to_owned(),
        cuda: "13.0".to_owned(),
        vbios: vec!["96.00.9F.00.01".to_owned()],
    };
    assert_eq!(versions, expected);
}

#[test]
fn a_library_that_is_closed_is_shut_down() {
    let fake = Fake::good();
    drop(fake.open().unwrap());
    assert_eq!(fake.get(|fake| fake.times_shut_down), 1);
}

#[test]
fn gpus_are_made_ready_once() {
    let fake = Fake::good();
    let nvml = fake.open().unwrap();
    assert_eq!(fake.get(|fake| fake.times_set), 0);
    assert_eq!(nvml.make_ready(&self_check()), Ok(false));
    assert_eq!(nvml.make_ready(&self_check()), Ok(true));
    assert_eq!(fake.get(|fake| fake.times_set), 1);
}

/// Some drivers put a zero behind a report of an odd length; SPDM ends with the signature.
#[test]
fn zeros_behind_a_report_are_no_part_of_it() {
    let fake = Fake::good();
    let report = NVIDIA.issue(&NONCE.0).report;
    for padding in [0, 1, 3] {
        fake.set(|fake| {
            fake.sign = None;
            fake.report_bytes[..report.len()].copy_from_slice(&report);
            fake.report_size = u32::try_from(report.len() + padding).unwrap();
        });
        let answers = fake.open().unwrap().answers(&NONCE).unwrap();
        assert_eq!(answers[0].evidence.report, report);
    }
}

#[test]
fn zeros_behind_the_certificates_are_no_part_of_them() {
    let fake = Fake::good();
    fake.set(|fake| fake.chain_size = 5120);
    let answers = fake.open().unwrap().answers(&NONCE).unwrap();
    assert_eq!(answers[0].evidence.chain, NVIDIA.issue(&NONCE.0).chain);
}

#[test]
fn the_controller_s_report_is_handed_out_where_there_is_one() {
    let fake = Fake::good();
    let cec = |fake: &Fake| {
        let answers = fake.open().unwrap().answers(&NONCE).unwrap();
        answers[0].cec_report.clone()
    };
    assert_eq!(cec(&fake), None);
    fake.set(|fake| (fake.cec_present, fake.cec_size) = (1, 4096));
    assert_eq!(cec(&fake), Some(vec![0xce; 4096]));
}

#[test]
fn several_gpus_work_together_in_three_ways() {
    let fake = Fake::good();
    for (told, mode) in [
        (0, MultiGpuMode::None),
        (1, MultiGpuMode::ProtectedPcie),
        (2, MultiGpuMode::Nvle),
    ] {
        fake.set(|fake| fake.multi_gpu = told);
        assert_eq!(fake.open().unwrap().multi_gpu(), mode);
    }
}

/// Protected PCIe is a mode of its own: the feature of single GPUs is off in it.
#[test]
fn protected_pcie_is_confidential() {
    let fake = Fake::good();
    fake.set(|fake| {
        (fake.cc_feature, fake.settings_cc_feature) = (0, 0);
        fake.multi_gpu = 1;
    });
    assert!(fake.open().is_ok());
}
