//! Whether the device that computes is one that gave evidence.

use crate::fake::{Fake, UUID, filled};
use enclave_runtime::evidence::{GpuIdentities, NvmlError};
use gpu::DeviceUuid;

/// What CUDA tells of the GPU of that number.
fn told_by_cuda(number: u8) -> DeviceUuid {
    let uuid = [0xd0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, number];
    DeviceUuid::new(uuid).unwrap()
}

fn refusal(uuid: &str) -> NvmlError {
    let fake = Fake::good();
    fake.set(|fake| fake.uuid_text = filled(uuid.as_bytes()));
    fake.open().err().unwrap()
}

#[test]
fn every_gpu_that_gave_evidence_may_compute() {
    let fake = Fake::good();
    fake.set(|fake| fake.gpus = 3);
    let nvml = fake.ready();
    for number in 0..3 {
        assert_eq!(nvml.identities().check(told_by_cuda(number)), Ok(()));
    }
}

#[test]
fn another_device_is_refused() {
    let nvml = Fake::good().ready();
    let refused = nvml.identities().check(told_by_cuda(1)).unwrap_err();
    assert_eq!(refused, NvmlError::Unattested);
    assert_eq!(refused.code(), "nvml.unattested");
}

#[test]
fn where_no_gpu_gave_evidence_none_computes() {
    let refused = GpuIdentities::default().check(told_by_cuda(0));
    assert_eq!(refused, Err(NvmlError::Unattested));
}

#[test]
fn what_is_no_uuid_is_refused() {
    for malformed in [
        "",
        "GPU-",
        &UUID[4..],
        &UUID[..UUID.len() - 1],
        &format!("{UUID}0"),
        &UUID.to_ascii_lowercase(),
        &UUID.replace('d', "g"),
        &UUID.replace("GPU-d0010203-0405", "GPU-d00102030-405"),
        &format!("{UUID}-00"),
        "GPU-00000000-0000-0000-0000-000000000000",
        "GPU-d001020304050607080900a0b0c0d0e00",
        &"G".repeat(96),
    ] {
        assert_eq!(refusal(malformed), NvmlError::UuidFormat(0), "{malformed}");
    }
    let fake = Fake::good();
    fake.set(|fake| fake.uuid_text[20] = 0xff);
    assert_eq!(fake.open().err(), Some(NvmlError::UuidFormat(0)));
    assert_eq!(NvmlError::UuidFormat(0).code(), "nvml.uuid_format");
}

#[test]
fn a_part_of_a_gpu_is_refused() {
    let refused = refusal(&UUID.replace("GPU-", "MIG-"));
    assert_eq!(refused, NvmlError::Mig(0));
    assert_eq!(refused.code(), "nvml.mig");
    assert!(refused.to_string().contains("turn MIG off"), "{refused}");
}

#[test]
fn one_gpu_under_two_numbers_is_refused() {
    let fake = Fake::good();
    fake.set(|fake| (fake.gpus, fake.same_uuid) = (2, 1));
    let refused = fake.open().err().unwrap();
    assert_eq!(refused, NvmlError::UuidDoubled(1));
    assert_eq!(refused.code(), "nvml.uuid_doubled");
}

/// It names a piece of hardware.
#[test]
fn no_refusal_tells_a_uuid() {
    let digits = &UUID["GPU-".len()..];
    for refused in [
        refusal(&UUID.replace("GPU-", "MIG-")),
        refusal(&UUID.replace("GPU-", "")),
        refusal(&format!("{UUID}0")),
        NvmlError::Unattested,
        NvmlError::GpusReplaced,
    ] {
        let shown = format!("{refused} {refused:?}");
        assert!(!shown.contains(digits), "{shown}");
    }
}
