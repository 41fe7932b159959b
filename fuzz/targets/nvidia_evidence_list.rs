//! Evidence lists of any bytes: what is read has a report and a chain for every device.
#![no_main]

use attestation::nvidia::EvidenceList;
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Ok(list) = EvidenceList::from_json(data) {
        assert!((1..=128).contains(&list.devices.len()));
        assert!(list.devices.iter().all(|device| (1..=8).contains(&device.chain.len())));
    }
}

fn plant() {
    // "-----BEGIN CERTIFICATE-----MAA=-----END CERTIFICATE-----" in base64.
    let pem = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tTUFBPS0tLS0tRU5EIENFUlRJRklDQVRFLS0tLS0=";
    let entry = format!(r#"{{"evidence":"EeAB","certificate":"{pem}"}}"#);
    let gpu = format!(
        r#"{{"AttestationReport":{{"py/b64":"EeAB"}},"CertificateChains":{{"GpuAttestationCertificateChain":[{{"pem":"{pem}"}}]}}}}"#
    );
    let switch = format!(
        r#"{{"attestation_report":{{"py/b64":"EeAB"}},"attestation_cert_chain":[{{"pem":"{pem}"}}]}}"#
    );
    let lists = [
        format!(r#"[{entry},{entry}]"#),
        format!(r#"{{"evidences":[{entry}],"result_code":0}}"#),
        format!(r#"{{"evidence_list":[{entry}],"nonce":"00"}}"#),
        format!(r#"{{"gpus":[{gpu}],"nvswitches":[{switch}]}}"#),
    ];
    seeds::plant(lists.map(String::into_bytes));
}
