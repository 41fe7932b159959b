//! `narthex policy import`: drafts from Trustee's reference values and Contrast's manifests, and what is refused of them.

use crate::narthex::{Run, narthex};
use policy::Policy;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

fn import(source: &str, values: &Value, more: &[&str]) -> Run {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("values.json"), values.to_string()).unwrap();
    narthex(
        folder.path(),
        &[&["policy", "import", source, "values.json"], more].concat(),
    )
}

fn drafted(run: &Run) -> Policy {
    assert_eq!(run.status, 0, "{}", run.stderr);
    Policy::from_toml(run.stdout.as_bytes()).unwrap()
}

fn refused(source: &str, values: &Value, more: &[&str], because: &str) {
    let run = import(source, values, more);
    assert_eq!(run.status, 30, "{values}: {}", run.stderr);
    assert!(
        run.stderr.contains("policy.import") && run.stderr.contains(because),
        "{values}: {}",
        run.stderr
    );
    assert!(run.stdout.is_empty());
}

fn digest(byte: &str) -> String {
    byte.repeat(48)
}

fn trustee() -> Value {
    json!({
        "snp_launch_measurement": [digest("AB"), digest("cd")],
        "snp_bootloader": [3, 9],
        "snp_tee_svn": 0,
        "snp_snp_svn": [8],
        "snp_microcode": [115],
        "snp_smt_enabled": [true, false],
        "snp_tsme_enabled": false,
        "snp_smt_allowed": true,
        "mr_td": digest("11"),
        "rtmr_1": [digest("22")],
        "rtmr_2": [digest("33")],
        "xfam": "e702060000000000",
        "tdvfkernel": "44",
    })
}

fn contrast() -> Value {
    json!({
        "Policies": { "aa": { "Role": "coordinator" } },
        "ReferenceValues": {
            "snp": [{
                "ProductName": "Genoa",
                "TrustedMeasurement": digest("ab"),
                "MinimumTCB": { "BootloaderVersion": 9, "TEEVersion": 0, "SNPVersion": 21, "MicrocodeVersion": 72 },
                "GuestPolicy": { "SMT": true },
                "PlatformInfo": { "SMTEnabled": true, "AliasCheckComplete": true },
                "AllowedChipIDs": ["00"],
            }],
            "tdx": [{
                "MrTd": digest("11"),
                "MrSeam": digest("22"),
                "Rtmrs": [digest("33"), digest("44"), digest("55"), digest("00")],
                "Xfam": "e702060000000000",
                "MinTCBEvaluationDataNumber": 17,
            }],
        },
    })
}

#[test]
fn trustees_values_become_a_policy() {
    let run = import("trustee", &trustee(), &["--product", "genoa"]);
    let policy = drafted(&run);
    let snp = policy.snp().unwrap();
    assert_eq!(snp.measurements.len(), 2);
    let floor = snp.minimum_tcb.iter().next().unwrap().floor;
    assert_eq!(
        (floor.bootloader, floor.tee, floor.snp, floor.microcode),
        (9, 0, 8, 115)
    );
    assert_eq!(policy.tdx().unwrap().mrtd.len(), 1);
    for told in ["tdvfkernel", "lists of SVNs"] {
        assert!(run.stderr.contains(told), "{}", run.stderr);
        assert!(
            run.stdout
                .lines()
                .any(|line| line.starts_with('#') && line.contains(told)),
            "{}",
            run.stdout
        );
    }
    assert!(
        run.stdout.contains("forbidden = [\"tsme_en\"]"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("smt = \"require\""), "{}", run.stdout);
}

#[test]
fn a_list_of_named_values_is_read_too() {
    let listed: Vec<Value> = trustee()
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect();
    drafted(&import(
        "trustee",
        &Value::Array(listed),
        &["--product", "milan"],
    ));
}

#[test]
fn contrasts_manifest_becomes_a_policy() {
    let run = import("contrast", &contrast(), &[]);
    let policy = drafted(&run);
    assert_eq!(policy.snp().unwrap().measurements.len(), 1);
    assert_eq!(policy.tdx().unwrap().minimum_evaluation_number, 17);
    assert!(
        run.stdout.contains("required = [\"alias_check_complete\"]"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("forbidden = [\"tsme_en\"]"),
        "{}",
        run.stdout
    );
    for told in ["AllowedChipIDs", "GuestPolicy", "Policies"] {
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
}

#[test]
fn half_of_trustees_values_is_refused() {
    refused("trustee", &trustee(), &[], "give --product");
    for (name, because) in [
        ("snp_microcode", "is missing"),
        ("mr_td", "mr_td is missing"),
    ] {
        let mut values = trustee();
        values.as_object_mut().unwrap().remove(name);
        refused("trustee", &values, &["--product", "genoa"], because);
    }
    for (name, value, because) in [
        (
            "snp_launch_measurement",
            json!("abcd"),
            "96 hexadecimal digits",
        ),
        ("snp_bootloader", json!(256), "from 0 to 255"),
        ("snp_smt_allowed", json!("yes"), "neither true nor false"),
        ("xfam", json!("e7020600000000ff"), "xfam"),
    ] {
        let mut values = trustee();
        values[name] = value;
        refused("trustee", &values, &["--product", "genoa"], because);
    }
    refused(
        "trustee",
        &json!({}),
        &[],
        "neither snp_launch_measurement nor mr_td",
    );
    refused(
        "trustee",
        &json!("text"),
        &[],
        "neither an object nor an array",
    );
}

#[test]
fn half_of_a_contrast_manifest_is_refused() {
    let mut values = contrast();
    values["ReferenceValues"]["snp"][0]["MinimumTCB"]["SNPVersion"] = Value::Null;
    refused("contrast", &values, &[], "MinimumTCB.SNPVersion");
    let mut values = contrast();
    values["ReferenceValues"]["snp"][0]["TrustedMeasurement"] = json!("");
    refused("contrast", &values, &[], "TrustedMeasurement");
    let mut values = contrast();
    values["ReferenceValues"]["snp"][0]["ProductName"] = json!("Rome");
    refused("contrast", &values, &[], "neither Milan nor Genoa");
    let mut values = contrast();
    values["ReferenceValues"]["tdx"][0]["Xfam"] = json!("");
    refused("contrast", &values, &[], "Xfam");
    refused("contrast", &json!({}), &[], "no ReferenceValues");
    refused(
        "contrast",
        &json!({"ReferenceValues": {}}),
        &[],
        "name no machine",
    );
}
