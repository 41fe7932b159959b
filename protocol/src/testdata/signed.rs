//! Key lists, receipts, tenants' credentials, and hashes.

use super::*;
use crate::{
    DisclosedExchange, IdentitySecret, KeyConfigError, Opening, ReceiptError, SignedKeyConfigs,
    SignedReceipt, TenantCredential, TenantStatement,
};
use attestation::{
    Binding, BindingId, DeviceEvidence, Freshness, IdentityKey, Manifest, Nonce, UnixTime,
    crypto::sha256, hash::sha256_fields,
};

#[test]
fn key_lists() {
    let suite = Suite::parse(include_str!("../../testdata/key-list.json"));
    suite.run(|case| key_list(case).map_err(|error| error.code()));
}

fn key_list(case: &Case<'_>) -> Result<(), KeyConfigError> {
    let signed = SignedKeyConfigs::from_bytes(case.bytes("signed"));
    let identity = IdentityKey(case.array("identity"));
    let now = UnixTime(case.number("at"));
    let keys = signed.verify(&identity, &case.array("manifest"), now)?;
    let preferred = keys.preferred()?;
    assert_eq!(
        u64::from(preferred.suite.kem.id()),
        case.number("preferred")
    );
    // The same fields signed here are the same bytes.
    let again = keys.sign(&IdentitySecret::from_seed(case.array("seed")));
    assert_eq!(again.as_bytes(), case.bytes("signed"));
    Ok(())
}

#[test]
fn receipts() {
    let suite = Suite::parse(include_str!("../../testdata/receipt.json"));
    suite.run(|case| receipt(case).map_err(|error| error.code()));
}

fn receipt(case: &Case<'_>) -> Result<(), ReceiptError> {
    let signed = SignedReceipt::from_bytes(case.bytes("signed"));
    let receipt = signed.verify(&IdentityKey(case.array("identity")))?;
    let exchange = case.value("exchange");
    let text = |name: &str| exchange[name].as_str().unwrap();
    let tokens = exchange["tokens"].as_array().unwrap().iter();
    let tokens: Vec<u32> = tokens.map(|id| id.as_u64().unwrap() as u32).collect();
    let disclosed = DisclosedExchange {
        method: text("method"),
        path: text("path"),
        request_body: &bytes(&exchange["request-body"]),
        status: exchange["status"].as_u64().unwrap() as u16,
        response_body: &bytes(&exchange["response-body"]),
        tokens: Some(&tokens),
    };
    receipt.opens(&Opening::from_bytes(case.array("opening")), &disclosed)?;
    let again = receipt.sign(&IdentitySecret::from_seed(case.array("seed")));
    assert_eq!(again.as_bytes(), case.bytes("signed"));
    Ok(())
}

#[test]
fn tenants() {
    let suite = Suite::parse(include_str!("../../testdata/tenant.json"));
    suite.run(|case| {
        let (request_id, binding_id) = (case.array("request-id"), case.array("binding"));
        let statement = TenantStatement {
            request_id: &request_id,
            binding_id: &BindingId(binding_id),
            method: case.text("method"),
            path: case.text("path"),
            body: &case.bytes("body"),
        };
        assert_eq!(statement.to_bytes(), case.bytes("statement"));
        let credential = TenantCredential::parse(case.text("narthex-tenant")).unwrap();
        let verifies = credential.verifies(&statement);
        verifies.then_some(()).ok_or("sealed_header.mismatch")
    });
}

#[test]
fn hashes() {
    let suite = Suite::parse(include_str!("../../testdata/hashing.json"));
    for case in suite.cases() {
        assert_eq!(hash(&case), case.bytes("output"), "{}", case.text("title"));
    }
}

fn hash(case: &Case<'_>) -> Vec<u8> {
    match case.text("of") {
        "identity" => IdentityKey(case.array("identity")).digest().to_vec(),
        "manifest" => Manifest::digest(&case.bytes("manifest")).to_vec(),
        "gpu-nonce" => binding(case, Vec::new()).gpu_nonce().0.to_vec(),
        "device" => device(case).digest().to_vec(),
        "report-data" => report_data(case),
        "policy-root" => policy_root(case),
        "policy-digest" => sha256(&case.bytes("document")).to_vec(),
        "freshness" => freshness(case),
        other => panic!("no hash {other}"),
    }
}

fn binding(case: &Case<'_>, devices: Vec<[u8; 32]>) -> Binding {
    Binding {
        freshness: Freshness(case.array("freshness")),
        identity: IdentityKey(case.array("identity")).digest(),
        manifest: Manifest::digest(&case.bytes("manifest")),
        devices,
    }
}

fn device(case: &Case<'_>) -> DeviceEvidence {
    DeviceEvidence {
        report: case.bytes("report"),
        chain: case.list("certificates"),
    }
}

fn report_data(case: &Case<'_>) -> Vec<u8> {
    let devices = case.value("devices").as_array().unwrap().iter();
    let devices = devices.map(|own| device(&Case { own, ..*case }).digest());
    let report_data = binding(case, devices.collect()).report_data();
    let binding_id = report_data.binding_id();
    assert_eq!(binding_id.0.as_slice(), case.bytes("binding"));
    report_data.0.to_vec()
}

/// The trust root itself is crate `policy`'s, which makes one of keys that are points of the curve alone.
fn policy_root(case: &Case<'_>) -> Vec<u8> {
    let mut keys = case.list("keys");
    keys.sort();
    let threshold = case.number("threshold").to_be_bytes();
    let keys = keys.iter().map(Vec::as_slice);
    let fields: Vec<&[u8]> = [threshold.as_slice()].into_iter().chain(keys).collect();
    sha256_fields("narthex/1/policy-root", &fields).to_vec()
}

fn freshness(case: &Case<'_>) -> Vec<u8> {
    let nonces: Vec<Nonce> = case
        .list("nonces")
        .iter()
        .map(|bytes| nonce(bytes))
        .collect();
    let (head, paths) = Freshness::of_many(&nonces).unwrap();
    let siblings = case.value("paths").as_array().unwrap();
    for ((nonce, path), siblings) in nonces.iter().zip(&paths).zip(siblings) {
        let siblings = siblings.as_array().unwrap().iter().map(bytes);
        assert!(siblings.eq(path.siblings.iter().map(|hash| hash.to_vec())));
        assert!(head.includes(nonce, path));
    }
    head.0.to_vec()
}

fn nonce(bytes: &[u8]) -> Nonce {
    Nonce(bytes.try_into().unwrap())
}
