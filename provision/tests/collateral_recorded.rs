//! Answers that the vendors' services once gave, replayed: what is fetched is what they published, byte by byte.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; tests find their evidence by a variable"
)]

use crate::support::{Reply, Service, fetcher};
use attestation::{DeviceEvidence, UnixTime, roots::NvidiaRoots, tdx::Collateral};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use provision::collateral::{Needs, PckCa};
use std::{env, fs, path::PathBuf};

/// The folder of real evidence, if this machine has it.
fn vectors() -> Option<PathBuf> {
    let folder = env::var_os("NARTHEX_VECTORS").map(PathBuf::from);
    if folder.is_none() {
        println!("NARTHEX_VECTORS is not set: no recorded answers to replay");
    }
    folder
}

fn at(rfc3339: &str) -> UnixTime {
    UnixTime::from_rfc3339(rfc3339).unwrap()
}

fn percent_encoded(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\n', "%0A")
        .replace(' ', "%20")
}

#[tokio::test]
async fn intels_answers_of_june_2023() {
    let Some(folder) = vectors().map(|vectors| vectors.join("go-tdx-guest")) else {
        return;
    };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let chain = |name: &str| percent_encoded(&String::from_utf8(read(name)).unwrap());
    let service = Service::start().await;
    service.on(
        "GET /intel/tdx/certification/v4/tcb?fmspc=50806F000000",
        [Reply::ok(read("sample_tcbInfo_response"))
            .header("TCB-Info-Issuer-Chain", chain("tcb-info-issuer-chain.pem"))],
    );
    service.on(
        "GET /intel/tdx/certification/v4/qe/identity",
        [Reply::ok(read("sample_qeIdentity_response")).header(
            "SGX-Enclave-Identity-Issuer-Chain",
            chain("qe-identity-issuer-chain.pem"),
        )],
    );
    service.on(
        "GET /intel/sgx/certification/v4/pckcrl?ca=platform&encoding=der",
        [Reply::ok(read("pckcrl")).header(
            "SGX-PCK-CRL-Issuer-Chain",
            chain("pck-crl-issuer-chain.pem"),
        )],
    );
    service.on(
        "GET /intel/sgx/certification/v4/rootcacrl",
        [Reply::ok(read("rootcrl.der"))],
    );
    let needs = Needs::of_tdx_quote(&read("tdx_prod_quote_SPR_E4.dat")).unwrap();
    assert_eq!(needs.tdx.first().unwrap().ca, PckCa::Platform);
    let (fetcher, _) = fetcher(&service, None, at("2023-07-01T00:00:00Z"));
    let bundle = fetcher.fetch(&needs).await.unwrap();
    let expected = read("tdx_prod_quote_SPR_E4.assembled_collateral.json");
    assert_eq!(bundle.tdx, [Collateral::from_json(&expected).unwrap()]);
}

#[tokio::test]
async fn amds_vcek_chain_and_list_of_milan() {
    let Some(vectors) = vectors() else {
        return;
    };
    let read = |name: &str| fs::read(vectors.join(name)).unwrap();
    let report = hex::decode(read("sev-crate/report_milan.hex").trim_ascii()).unwrap();
    let needs = Needs::of_snp_report(&report, Some(attestation::snp::Product::Milan)).unwrap();
    let service = Service::start().await;
    let hwid = hex::encode(&report[0x1A0..0x1E0]);
    let [bl, tee, .., snp, ucode] = <[u8; 8]>::try_from(&report[0x180..0x188]).unwrap();
    let expected = format!("blSPL={bl:02}&teeSPL={tee:02}&snpSPL={snp:02}&ucodeSPL={ucode:02}");
    service.on(
        &format!("GET /kds/vcek/v1/Milan/{hwid}?{expected}"),
        [Reply::ok(read("sev-crate/vcek_milan.der"))],
    );
    service.on(
        "GET /kds/vcek/v1/Milan/cert_chain",
        [Reply::ok(read("sev-crate/cert_chain_milan"))],
    );
    let crl = read("openpcc/test_amd_milan_crl.crl");
    service.on("GET /kds/vcek/v1/Milan/crl", [Reply::ok(crl.clone())]);
    let (fetcher, _) = fetcher(&service, None, at("2026-05-01T00:00:00Z"));
    let bundle = fetcher.fetch(&needs).await.unwrap();
    let verified = attestation::snp::VerifiedVek::verify(
        &read("sev-crate/vcek_milan.der"),
        &[],
        &[&bundle.snp.crls[0]],
        &attestation::roots::SnpRoots::vendor(),
        at("2026-05-01T00:00:00Z"),
    );
    assert!(
        verified
            .unwrap()
            .appraise(&report, at("2026-05-01T00:00:00Z"))
            .is_ok()
    );
    assert_eq!(
        (bundle.snp.certificates.len(), bundle.snp.crls),
        (2, vec![crl])
    );
}

fn rim_answer(manifest: &[u8], sha256: &[u8]) -> Vec<u8> {
    format!(
        r#"{{"id":"x","rim":"{}","sha256":"{}","rim_format":"TCG","request_id":"y"}}"#,
        STANDARD.encode(manifest),
        hex::encode(sha256)
    )
    .into_bytes()
}

#[tokio::test]
async fn nvidias_manifests_and_responses_of_a_gpu() {
    let Some(folder) = vectors().map(|vectors| vectors.join("go-nvattest-tools")) else {
        return;
    };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let device = DeviceEvidence {
        report: read("test_raw_gpu_attestation_report.dat"),
        chain: certificates(&read("test_gpu_attestation_certificate_chain.dat")),
    };
    let now = at("2025-09-01T00:00:00Z");
    let needs = Needs::of_nvidia_device(&device, &NvidiaRoots::vendor(), now).unwrap();
    let ids: Vec<&str> = needs.rims.iter().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "NV_GPU_DRIVER_GH100_550.90.07",
            "NV_GPU_VBIOS_1010_0200_882_96009F0001"
        ]
    );
    assert_eq!(needs.ocsp.len(), 3);

    let service = Service::start().await;
    for id in &ids {
        let manifest = read(&format!("rim/{id}.xml"));
        let sha256 = attestation::crypto::sha256(&manifest);
        let answer = Reply::ok(rim_answer(&manifest, &sha256));
        service.on(&format!("GET /nvidia/v1/rim/{id}"), [answer]);
    }
    let name = "ocsp/test_gpu_certificate_l3_base64encoded_ocsp_response.dat";
    let response = STANDARD.decode(read(name).trim_ascii()).unwrap();
    service.on("POST /ocsp", [Reply::ok(response.clone())]);
    let (fetcher, _) = fetcher(&service, None, now);
    let bundle = fetcher.fetch(&needs).await.unwrap();
    assert_eq!(bundle.nvidia.rims.len(), 2);
    assert_eq!(bundle.nvidia.ocsp, std::slice::from_ref(&response));

    // Requests name certificates as responses do: the one that this response is about is among them.
    let certificate_id = certificate_id(&response);
    let requests = service.bodies();
    let asked = requests
        .iter()
        .filter(|body| contains(body, certificate_id))
        .count();
    assert_eq!(asked, 1);
}

/// `CertID` of a response: an identifier of SHA-384, two digests and the serial number; found by its first bytes.
fn certificate_id(response: &[u8]) -> &[u8] {
    let mark = b"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
    let start = response
        .windows(mark.len())
        .position(|window| window == mark)
        .unwrap();
    let serial = start + 15 + 50 + 50;
    &response[start..serial + 2 + usize::from(response[serial + 1])]
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

fn certificates(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8(text.to_vec()).unwrap();
    let blocks = text.split("-----BEGIN CERTIFICATE-----").skip(1);
    let base64 = |block: &str| -> String {
        let end = block.find("-----END").unwrap();
        block[..end].split_whitespace().collect()
    };
    blocks
        .map(|block| STANDARD.decode(base64(block)).unwrap())
        .collect()
}

#[tokio::test]
async fn a_manifest_with_another_digest_is_malformed() {
    let Some(folder) = vectors().map(|vectors| vectors.join("go-nvattest-tools/rim")) else {
        return;
    };
    let manifest = fs::read(folder.join("NV_GPU_DRIVER_GH100_550.90.07.xml")).unwrap();
    let service = Service::start().await;
    let answer = Reply::ok(rim_answer(&manifest, &[0; 32]));
    service.on("GET /nvidia/v1/rim/x", [answer]);
    let (fetcher, _) = fetcher(&service, None, at("2025-09-01T00:00:00Z"));
    let error = fetcher
        .fetch(&Needs::of_rim_id("x").unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code(), "collateral.fetch.malformed");
}
