//! NVIDIA devices: an invented vendor wrong in one point at a time, and genuine evidence.

#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may fail, and shows what it looked at"
)]

mod faults;
mod genuine;
mod machines;
mod references;
mod report;
mod vendor;
mod warm;

#[path = "../support/mod.rs"]
mod support;

use attestation::{
    ErrorClass,
    nvidia::{Architecture, Feature, Kind, Missing, NvidiaError, STEPS},
};
use faults::{AFTER_SIGNING, BEFORE_SIGNING};
use std::collections::BTreeSet;
use vendor::Draft;

#[test]
fn a_hopper_gpu_with_everything_is_accepted() {
    let claims = Draft::of_gpu().issue().verify().unwrap();
    let device = &claims.device;
    assert_eq!(
        (device.kind(), device.architecture),
        (Kind::Gpu, Architecture::Hopper)
    );
    assert_eq!(
        (device.chip.as_str(), device.pdi.0),
        ("GH100", [1, 2, 3, 4, 5, 6, 7, 8])
    );
    assert_eq!(device.driver_version.as_deref(), Some("550.90.07"));
    assert_eq!(device.vbios_version, "96.00.9F.00.01");
    assert_eq!(
        device.vbios_rim_name(),
        "NV_GPU_VBIOS_1010_0200_882_96009F0001"
    );
    assert_eq!(device.feature, Some(Feature::Spt));
    assert_eq!((device.fwid, device.nonce), (Some([0xF1; 48]), [0x4E; 32]));
    assert_eq!(claims.matched(), 29);
    assert_eq!(claims.unused_rims, [""; 0]);
    assert_eq!(claims.window.not_after.to_rfc3339(), "2026-06-02T00:00:00Z");
}

#[test]
fn a_blackwell_gpu_has_its_firmware_digest_in_dice_tcb_info() {
    let mut draft = Draft::of_blackwell();
    assert_eq!(
        draft.issue().verify().unwrap().device.architecture,
        Architecture::Blackwell
    );
    *draft.report.field(20) = vec![0xEE; 48];
    assert_eq!(
        draft.issue().code(),
        "nvidia.fwid",
        "the second FWID is another layer's"
    );
}

#[test]
fn a_switch_needs_one_manifest() {
    let mut draft = Draft::of_switch_number(1, &[[7; 8]]);
    let claims = draft.issue().verify().unwrap();
    assert_eq!((claims.device.kind(), claims.matched()), (Kind::Switch, 31));
    assert_eq!(claims.device.position_id, Some(2));
    *draft.report.field(22) = vec![9; 8];
    assert_eq!(draft.issue().code(), "nvidia.pdi");
    draft.report.without(22);
    assert_eq!(draft.issue().code(), "nvidia.pdi");
}

#[test]
fn older_firmware_tells_no_digest_and_no_feature() {
    let mut draft = Draft::of_gpu();
    [20, 35, 36]
        .into_iter()
        .for_each(|kind| draft.report.without(kind));
    let device = draft.issue().verify().unwrap().device;
    assert_eq!((device.fwid, device.feature), (None, None));
    *draft.report.field(21) = vec![0xAA];
    let device = draft.issue().verify().unwrap().device;
    assert_eq!(device.feature, Some(Feature::Ppcie));
}

#[test]
fn measurement_35_is_not_judged_without_nvdec0() {
    let mut draft = Draft::of_gpu();
    *draft.report.field(11) = vec![0x55];
    assert_eq!(draft.issue().verify().unwrap().matched(), 29);
    draft.report.blocks[35].value[0] ^= 1;
    let driver = draft.issue().verify().unwrap().driver_rim.unwrap();
    assert_eq!((driver.matched, driver.not_judged), (15, vec![35]));
}

#[test]
fn the_root_may_stand_at_the_end_of_the_chain() {
    let mut issued = Draft::of_gpu().issue();
    let [root, other] = vendor::root_certificates();
    issued.chain.push(root);
    assert_eq!(issued.code(), "");
    *issued.chain.last_mut().unwrap() = other;
    assert_eq!(issued.code(), "nvidia.chain.issuer");
}

#[test]
fn the_vendor_s_own_roots_do_not_know_an_invented_device() {
    let issued = Draft::of_gpu().issue();
    let chain: Vec<&[u8]> = issued.chain.iter().map(Vec::as_slice).collect();
    let evidence = attestation::nvidia::Evidence {
        report: &issued.report,
        chain: &chain,
    };
    let vendor = attestation::roots::NvidiaRoots::vendor();
    let refusal = attestation::nvidia::authenticate(&evidence, None, &vendor, issued.now);
    assert_eq!(refusal.unwrap_err().code(), "nvidia.chain.issuer");
}

#[test]
fn what_is_missing_is_told_by_name_once_the_rest_is_right() {
    let mut draft = Draft::of_gpu();
    draft.rims.remove(0);
    draft.responses[1] = None;
    let refusal = draft.issue().verify().unwrap_err();
    assert_eq!(refusal.class(), ErrorClass::Incomplete);
    let NvidiaError::Incomplete { missing, found } = refusal else {
        panic!("{refusal}");
    };
    assert_eq!(missing.len(), 2);
    assert_eq!(
        missing[0],
        Missing::Rim("NV_GPU_DRIVER_GH100_550.90.07".into())
    );
    assert_eq!(found.vbios_rim.unwrap().matched, 13);
    draft.report.blocks[0].value[0] ^= 1;
    assert_eq!(
        draft.issue().code(),
        "nvidia.measurements.vbios",
        "wrong is graver than missing"
    );
}

#[test]
fn a_manifest_for_other_firmware_is_told() {
    let mut draft = Draft::of_gpu();
    let mut other = draft.rims[0].clone();
    other.version = "580.95.05";
    draft.rims.push(other);
    assert_eq!(
        draft.issue().verify().unwrap().unused_rims,
        ["GH100 580.95.05"]
    );
}

#[test]
fn every_fault_is_refused_at_its_step() {
    for (fault, expected, make_wrong) in BEFORE_SIGNING {
        let mut draft = Draft::of_gpu();
        make_wrong(&mut draft);
        assert_eq!(draft.issue().code(), *expected, "{fault}");
    }
    for (fault, expected, make_wrong) in AFTER_SIGNING {
        let mut issued = Draft::of_gpu().issue();
        make_wrong(&mut issued);
        assert_eq!(issued.code(), *expected, "{fault}");
    }
}

#[test]
fn every_step_has_a_fault() {
    let before = BEFORE_SIGNING.iter().map(|(_, code, _)| *code);
    let tried: BTreeSet<_> = before
        .chain(AFTER_SIGNING.iter().map(|(_, code, _)| *code))
        .collect();
    // Of a switch only, of warm verdicts only; and the steps that manifests and responses have of their own are tried where they are.
    let elsewhere = |id: &str| {
        ["nvidia.pdi", "nvidia.window"].contains(&id)
            || (id.starts_with("nvidia.rim.") && id != "nvidia.rim.doubled")
            || id.starts_with("nvidia.ocsp.")
    };
    let untried = STEPS
        .iter()
        .filter(|step| !tried.contains(step.id) && !elsewhere(step.id));
    let untried: Vec<_> = untried.map(|step| step.id).collect();
    assert_eq!(untried, [""; 0]);
    let unique: BTreeSet<_> = STEPS.iter().map(|step| step.id).collect();
    assert_eq!(unique.len(), STEPS.len());
    assert!(tried.iter().all(|code| unique.contains(code)));
}

#[test]
fn classes_and_retries_follow_the_kind_of_step() {
    for (fault, code, make_wrong) in BEFORE_SIGNING {
        let mut draft = Draft::of_gpu();
        make_wrong(&mut draft);
        let refusal = draft.issue().verify().unwrap_err();
        assert_eq!(refusal.step().unwrap().id, *code, "{fault}");
        let expected = match *code {
            "nvidia.complete" => ErrorClass::Incomplete,
            "nvidia.chip.known" | "nvidia.report.opaque_version" => ErrorClass::Unsupported,
            "nvidia.chain.extensions" | "nvidia.chain.length" | "nvidia.rim.measurements" => {
                ErrorClass::Malformed
            }
            code if code.starts_with("nvidia.report.") => ErrorClass::Malformed,
            _ => ErrorClass::Rejected,
        };
        assert_eq!(refusal.class(), expected, "{fault}");
        let is_window = code.ends_with("expired") || code.ends_with("not_yet_valid");
        let retryable = is_window || ["nvidia.complete", "nvidia.ocsp.window"].contains(code);
        assert_eq!(refusal.retryable(), retryable, "{fault}");
    }
}
