//! Every refusal by its code: one fault each.

use crate::fake::{Fake, NONCE, NVIDIA, State, filled, self_check};
use attestation::{DeviceEvidence, EvidenceError};
use enclave_runtime::evidence::{CallError, Nvml, NvmlError, Return};
use std::path::Path;

/// Every step that a runtime takes.
fn all(fake: &Fake) -> Result<Vec<DeviceEvidence>, NvmlError> {
    let nvml = fake.open()?;
    nvml.versions()?;
    nvml.make_ready(&self_check())?;
    nvml.evidence(&NONCE)
}

fn refusal(fault: impl FnOnce(&mut State)) -> NvmlError {
    let fake = Fake::good();
    all(&fake).unwrap();
    fake.set(|state| state.is_ready = 0);
    fake.set(fault);
    all(&fake).unwrap_err()
}

/// A code, and what the library does that leads to it.
type Fault = (&'static str, fn(&mut State));

fn check(faults: &[Fault]) {
    for (code, fault) in faults {
        assert_eq!(refusal(fault).code(), *code);
    }
}

#[test]
fn no_library() {
    let error = Nvml::open(Path::new("/nonexistent/libnvidia-ml.so.1")).err();
    assert_eq!(error.unwrap().code(), "nvml.absent");
}

#[test]
fn a_file_that_is_no_library() {
    let error = Nvml::open(Path::new("/dev/null")).err();
    assert_eq!(error.unwrap().code(), "nvml.absent");
}

#[test]
fn a_library_without_one_of_the_functions() {
    for function in [
        "nvmlInit_v2",
        "nvmlSystemGetConfComputeState",
        "nvmlSystemGetConfComputeSettings",
        "nvmlSystemGetConfComputeGpusReadyState",
        "nvmlSystemSetConfComputeGpusReadyState",
        "nvmlSystemGetDriverVersion",
        "nvmlSystemGetCudaDriverVersion_v2",
        "nvmlDeviceGetCount_v2",
        "nvmlDeviceGetHandleByIndex_v2",
        "nvmlDeviceGetVbiosVersion",
        "nvmlDeviceGetUUID",
        "nvmlDeviceGetConfComputeGpuAttestationReport",
        "nvmlDeviceGetConfComputeGpuCertificate",
    ] {
        let error = all(&Fake::without(function)).unwrap_err();
        assert_eq!(error.code(), "nvml.symbol", "{function}");
        assert!(error.to_string().contains(function), "{error}");
    }
    assert!(all(&Fake::without("nvmlShutdown")).is_ok());
}

#[test]
fn calls_that_the_library_refuses() {
    check(&[
        ("nvml.init", |fake| fake.init = 9),
        ("nvml.mode", |fake| fake.state = 999),
        ("nvml.mode", |fake| fake.settings = 25),
        ("nvml.count", |fake| fake.count = 1),
        ("nvml.device", |fake| fake.handle = 15),
        ("nvml.uuid", |fake| fake.uuid = 3),
        ("nvml.report", |fake| fake.report = 999),
        ("nvml.certificate", |fake| fake.certificate = 4),
        ("nvml.version", |fake| fake.driver = 18),
        ("nvml.version", |fake| fake.cuda = 18),
        ("nvml.version", |fake| fake.vbios = 3),
        ("nvml.ready", |fake| fake.ready = 999),
        ("nvml.set_ready", |fake| fake.set_ready = 4),
    ]);
}

#[test]
fn gpus_that_are_not_confidential() {
    check(&[
        ("nvml.cc_off", |fake| fake.cc_feature = 0),
        ("nvml.cc_off", |fake| fake.settings_cc_feature = 0),
        ("nvml.cc_off", |fake| fake.cc_feature = 2),
        ("nvml.cc_off", |fake| fake.state = 3),
        ("nvml.cc_off", |fake| fake.settings = 3),
        ("nvml.environment", |fake| fake.environment = 0),
        ("nvml.environment", |fake| fake.environment = 1),
        ("nvml.environment", |fake| fake.settings_environment = 1),
        ("nvml.environment", |fake| fake.settings_environment = 3),
        ("nvml.devtools", |fake| fake.dev_tools = 1),
        ("nvml.devtools", |fake| fake.settings_dev_tools = 1),
        ("nvml.devtools", |fake| fake.settings_dev_tools = 7),
        ("nvml.multi_gpu", |fake| fake.multi_gpu = 3),
    ]);
}

#[test]
fn no_gpu_and_too_many() {
    check(&[
        ("nvml.gpus", |fake| fake.gpus = 0),
        ("nvml.gpus", |fake| fake.gpus = 33),
        ("nvml.gpus", |fake| fake.gpus = u32::MAX),
    ]);
}

/// Replays a report for the right nonce, changed.
fn replayed(fake: &mut State, change: impl FnOnce(&mut Vec<u8>)) {
    let mut report = NVIDIA.issue(&NONCE.0).report;
    change(&mut report);
    fake.sign = None;
    fake.report_size = u32::try_from(report.len()).unwrap();
    fake.report_bytes = filled(&report);
}

#[test]
fn reports_of_another_size() {
    check(&[
        ("nvml.report_size", |fake| {
            replayed(fake, |_| ());
            fake.report_size = 0;
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |_| ());
            fake.report_size = 8193;
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |_| ());
            fake.report_size = u32::MAX;
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |_| ());
            fake.report_size -= 1;
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |report| report.extend([0, 1]));
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |report| report[37 + 7] = 0xff);
        }),
        ("nvml.report_size", |fake| {
            replayed(fake, |report| report.truncate(37 + 7));
        }),
    ]);
}

#[test]
fn a_report_that_answers_another_nonce() {
    let error = refusal(|fake| replayed(fake, |report| report[4] ^= 1));
    assert_eq!(error.code(), "nvml.nonce");
    assert_eq!(EvidenceError::from(error), EvidenceError::Mismatch);
}

#[test]
fn reports_of_the_controller_of_another_size() {
    check(&[
        ("nvml.cec_report", |fake| fake.cec_present = 2),
        ("nvml.cec_report", |fake| fake.cec_present = 1),
        ("nvml.cec_report", |fake| {
            (fake.cec_present, fake.cec_size) = (1, 4097);
        }),
        ("nvml.cec_report", |fake| {
            (fake.cec_present, fake.cec_size) = (1, u32::MAX);
        }),
    ]);
}

fn with_chain(fake: &mut State, text: &[u8]) {
    fake.chain = filled(text);
    fake.chain_size = u32::try_from(text.len()).unwrap();
}

#[test]
fn certificates_of_another_size() {
    check(&[
        ("nvml.certificate_size", |fake| fake.chain_size = 0),
        ("nvml.certificate_size", |fake| fake.chain_size = 5121),
        ("nvml.certificate_size", |fake| fake.chain_size = u32::MAX),
        ("nvml.certificate_size", |fake| with_chain(fake, &[0; 9])),
    ]);
}

#[test]
fn certificates_that_are_garbage() {
    check(&[
        ("nvml.certificate_format", |fake| {
            with_chain(fake, b"\xff\xfe");
        }),
        ("nvml.certificate_format", |fake| with_chain(fake, b" \n")),
        ("nvml.certificate_format", |fake| {
            with_chain(fake, b"garbage");
        }),
        ("nvml.certificate_format", |fake| {
            fake.chain_size -= 10;
        }),
        ("nvml.certificate_format", |fake| fake.chain[40] = b'!'),
        ("nvml.certificate_format", |fake| fake.chain[0] = b'x'),
        ("nvml.certificate_format", |fake| {
            let one = "-----BEGIN CERTIFICATE-----\nMIIAAA==\n-----END CERTIFICATE-----\n";
            with_chain(fake, one.repeat(9).as_bytes());
        }),
        ("nvml.certificate_format", |fake| {
            let one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
            with_chain(fake, one.as_bytes());
        }),
    ]);
}

#[test]
fn versions_that_are_none() {
    check(&[
        ("nvml.version_format", |fake| {
            fake.driver_version = [b'1'; 80];
        }),
        ("nvml.version_format", |fake| fake.driver_version = [0; 80]),
        ("nvml.version_format", |fake| {
            fake.driver_version[1] = b'\n';
        }),
        ("nvml.version_format", |fake| {
            fake.vbios_version = filled(b"\xff");
        }),
        ("nvml.version_format", |fake| fake.cuda_version = -1),
        ("nvml.version_format", |fake| fake.cuda_version = 999),
    ]);
}

#[test]
fn gpus_that_are_not_genuine() {
    let error = refusal(|fake| {
        replayed(fake, |report| {
            let last = report.len() - 1;
            report[last] ^= 1;
        });
    });
    assert_eq!(error.code(), "nvml.self_check");
    assert!(error.to_string().contains("nvidia.signature"), "{error}");
}

#[test]
fn a_gpu_of_another_driver_than_the_library_s() {
    let error = refusal(|fake| fake.driver_version = filled(b"550.90.08"));
    assert_eq!(error.code(), "nvml.driver");
}

#[test]
fn a_gpu_that_fails_its_check_is_not_made_ready() {
    let fake = Fake::good();
    fake.set(|fake| fake.driver_version = filled(b"550.90.08"));
    assert!(fake.open().unwrap().make_ready(&self_check()).is_err());
    assert_eq!(fake.get(|fake| (fake.times_set, fake.is_ready)), (0, 0));
}

#[test]
fn gpus_that_do_not_become_ready() {
    check(&[("nvml.not_ready", |fake| fake.sets_in_vain = 1)]);
}

#[test]
fn no_evidence_before_the_gpus_are_ready() {
    let nvml = Fake::good();
    let refused = nvml.open().unwrap().evidence(&NONCE).unwrap_err();
    assert_eq!(refused, NvmlError::NotReady);
}

/// What was confidential at the start is looked at again for each challenge.
#[test]
fn no_evidence_once_the_mode_has_changed() {
    let later: [Fault; 9] = [
        ("nvml.cc_off", |fake| fake.cc_feature = 0),
        ("nvml.devtools", |fake| fake.dev_tools = 1),
        ("nvml.not_ready", |fake| fake.is_ready = 0),
        ("nvml.count", |fake| fake.count = 1),
        ("nvml.gpus_changed", |fake| fake.gpus = 2),
        ("nvml.gpus_changed", |fake| fake.gpus = 0),
        ("nvml.gpus_replaced", |fake| fake.uuid_text[4] = b'e'),
        ("nvml.uuid", |fake| fake.uuid = 15),
        ("nvml.device", |fake| fake.handle = 15),
    ];
    for (code, change) in later {
        let fake = Fake::good();
        let nvml = fake.ready();
        fake.set(change);
        assert_eq!(nvml.evidence(&NONCE).unwrap_err().code(), code);
    }
}

#[test]
fn refusals_say_what_to_do_and_carry_their_code() {
    let refused = |error: NvmlError| match EvidenceError::from(error) {
        EvidenceError::Unavailable(text) => text,
        EvidenceError::Mismatch => String::new(),
    };
    let off = refused(refusal(|fake| fake.cc_feature = 0));
    assert!(off.starts_with("nvml.cc_off: the GPUs are not in confidential-compute mode"));
    let no_permission = CallError::Return(Return(4));
    let set = refused(NvmlError::SetReady(no_permission));
    assert!(set.ends_with("NVML_ERROR_NO_PERMISSION"), "{set}");
    assert_eq!(Return(77).to_string(), "NVML return code 77");
}
