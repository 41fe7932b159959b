//! EAR tokens: claims sets as crate `ear` 0.6.0 wrote them after it had read ours (`crate_ear.tsv`), the CWT's envelope as crate `coset` reads it.
//!
//! Crate `ear` itself is no dependency: building it builds an HTTP client with another TLS stack.

use attestation::{
    UnixTime,
    ear::{
        Algorithm, Aspect, AttestationResult, Finding, FindingOutcome, Signer, Tier, Verdict,
        VerifierId, appraise,
    },
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use coset::{CoseSign1, TaggedCborSerializable};
use serde_json::{Value, json};
use std::convert::Infallible;

enum Key {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Key {
    fn both() -> [Self; 2] {
        [
            Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
            Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
        ]
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
        match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key.public_key())
                .verify(message, signature)
                .is_ok(),
            Self::P256(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key())
                .verify(message, signature)
                .is_ok(),
        }
    }
}

impl Signer for Key {
    type Error = Infallible;

    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    fn key_id(&self) -> String {
        "key-1".to_owned()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], Infallible> {
        let signature = match self {
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
            Self::P256(key) => {
                let signature = key.sign(&SystemRandom::new(), message).unwrap();
                signature.as_ref().to_vec()
            }
        };
        Ok(signature.try_into().unwrap())
    }
}

use FindingOutcome::{Failed, Held, NotTried};

fn result(findings: &[(&str, FindingOutcome)], verdict: Verdict) -> AttestationResult {
    let findings: Vec<_> = findings
        .iter()
        .map(|(code, outcome)| Finding {
            code,
            outcome: *outcome,
        })
        .collect();
    let (status, submods) = appraise(&findings, verdict);
    AttestationResult {
        issued_at: UnixTime(1_780_272_000),
        verifier: VerifierId {
            developer: "Narthex".to_owned(),
            build: "narthex 0.1.0".to_owned(),
        },
        nonce: Some(vec![7; 32]),
        status,
        submods,
    }
}

fn accepted_node() -> AttestationResult {
    let findings = [
        ("snp.signature", Held),
        ("snp.crl.revoked", Held),
        ("snp.debug", Held),
        ("nvidia.signature", Held),
        ("nvidia.measurements.vbios", Held),
        ("policy.admitted", Held),
        ("freshness.nonce", NotTried),
    ];
    let mut result = result(&findings, Verdict::Accepted);
    let cpu = result.submods.get_mut("cpu0").unwrap();
    cpu.policy_ids.push("sha256:00".to_owned());
    let claims =
        json!({"measurement": "00ff", "tcb": {"snp": 24}, "debug": false, "list": [1, -2, "x"]});
    cpu.attester_claims = claims.as_object().unwrap().clone();
    result
}

/// One result of each verdict, by its name in `crate_ear.tsv`.
fn each_verdict() -> [(&'static str, AttestationResult); 4] {
    let debug = [("snp.signature", Held), ("snp.debug", Failed)];
    let malformed = [("snp.report.version", Failed)];
    let incomplete = [("nvidia.signature", Held)];
    [
        ("accepted", accepted_node()),
        ("rejected", result(&debug, Verdict::Rejected)),
        ("malformed", result(&malformed, Verdict::Malformed)),
        ("incomplete", result(&incomplete, Verdict::Incomplete)),
    ]
}

/// The members of a CBOR map that follows no rule of order, in the one order that we write.
fn deterministic(cbor: &[u8]) -> Vec<u8> {
    attestation::cbor::encode(&ciborium::from_reader(cbor).unwrap())
}

#[test]
fn crate_ear_writes_the_same_claims() {
    let lines: Vec<Vec<&str>> = include_str!("crate_ear.tsv")
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(lines.len(), 4);
    for (line, (name, result)) in lines.iter().zip(each_verdict()) {
        assert_eq!(line[0], name);
        let json: Value = serde_json::from_str(line[1]).unwrap();
        assert_eq!(result.to_json(), json, "{name}");
        let cbor = deterministic(&hex::decode(line[2]).unwrap());
        assert_eq!(result.to_cbor(), cbor, "{name}");
    }
}

#[test]
fn a_jwt_is_the_signed_claims() {
    for key in Key::both() {
        for (name, result) in each_verdict() {
            let jwt = result.to_jwt(&key).unwrap();
            let (signed, signature) = jwt.rsplit_once('.').unwrap();
            let (header, payload) = signed.split_once('.').unwrap();
            let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
            assert!(
                key.verifies(signed.as_bytes(), &decode(signature)),
                "{name}"
            );
            let json = |part| serde_json::from_slice::<Value>(&decode(part)).unwrap();
            let alg = match key {
                Key::Ed25519(_) => "EdDSA",
                Key::P256(_) => "ES256",
            };
            let expected = json!({"alg": alg, "kid": "key-1", "typ": "eat+jwt"});
            assert_eq!(json(header), expected);
            assert_eq!(json(payload), result.to_json(), "{name}");
        }
    }
}

#[test]
fn crate_coset_verifies_the_cwt() {
    for key in Key::both() {
        for (name, result) in each_verdict() {
            let cwt = result.to_cwt(&key).unwrap();
            let message = CoseSign1::from_tagged_slice(&cwt).unwrap();
            let verify = |signature: &[u8], signed: &[u8]| {
                key.verifies(signed, signature).then_some(()).ok_or(())
            };
            message.verify_signature(b"", verify).unwrap();
            assert!(message.verify_signature(b"other", verify).is_err());
            assert_eq!(message.protected.header.key_id, b"key-1");
            let expected = match key {
                Key::Ed25519(_) => coset::iana::Algorithm::EdDSA,
                Key::P256(_) => coset::iana::Algorithm::ES256,
            };
            let algorithm = message.protected.header.alg.clone().unwrap();
            assert_eq!(algorithm, coset::Algorithm::Assigned(expected));
            assert_eq!(message.payload, Some(result.to_cbor()), "{name}");
        }
    }
}

#[test]
fn a_refusal_says_what_it_is_about() {
    let vector_of = |code: &str| {
        let result = result(
            &[("snp.signature", Held), (code, Failed)],
            Verdict::Rejected,
        );
        assert_eq!(result.status, Tier::Contraindicated, "{code}");
        let blamed = result
            .submods
            .values()
            .find(|part| part.verifier_claims.contains_key("failed"));
        let blamed = blamed.unwrap();
        assert_eq!(blamed.status, Tier::Contraindicated, "{code}");
        assert_eq!(blamed.verifier_claims["failed"], json!([code]));
        blamed.vector.iter().collect::<Vec<_>>()
    };
    for (code, aspect, value) in [
        ("snp.chain.signature", Aspect::InstanceIdentity, 99),
        ("snp.vek.tcb", Aspect::InstanceIdentity, 99),
        ("binding.report_data", Aspect::InstanceIdentity, 99),
        ("snp.crl.revoked", Aspect::InstanceIdentity, 96),
        ("snp.debug", Aspect::RuntimeOpaque, 96),
        ("policy.snp.debug", Aspect::RuntimeOpaque, 96),
        ("policy.snp.minimum_tcb", Aspect::Hardware, 32),
        ("tdx.tcb.level", Aspect::Hardware, 32),
        ("tdx.tcb.status", Aspect::Hardware, 32),
        ("policy.tdx.status", Aspect::Hardware, 32),
        ("tdx.pck.revoked", Aspect::InstanceIdentity, 96),
        ("nvidia.ocsp.revoked", Aspect::InstanceIdentity, 96),
        ("nvidia.ocsp.status", Aspect::InstanceIdentity, 99),
        ("tdx.event_log.replay", Aspect::Executables, 33),
        ("policy.gpu.vbios", Aspect::Executables, 33),
        ("policy.snp.product", Aspect::Hardware, 96),
        ("policy.snp.measurement", Aspect::Executables, 33),
        ("nvidia.measurements.driver", Aspect::Executables, 33),
        ("policy.model", Aspect::Executables, 33),
        ("policy.snp.vmpl", Aspect::Configuration, 96),
    ] {
        assert_eq!(vector_of(code), [(aspect, value)], "{code}");
    }
}

#[test]
fn nothing_is_affirmed_by_silence() {
    let skipped = result(&[("snp.signature", NotTried)], Verdict::Accepted);
    assert_eq!(skipped.status, Tier::None);
    let no_revocation = result(&[("snp.signature", Held)], Verdict::Accepted);
    let cpu = &no_revocation.submods["cpu0"].vector;
    assert_eq!(cpu.iter().collect::<Vec<_>>(), [(Aspect::Hardware, 2)]);
    let incomplete = result(&[("nvidia.signature", Held)], Verdict::Incomplete);
    assert_eq!(incomplete.status, Tier::None);
    assert_eq!(incomplete.submods["gpus"].status, Tier::None);
    assert_eq!(
        incomplete.submods["gpus"].vector.get(Aspect::Hardware),
        None
    );
}

#[test]
fn tiers_are_those_of_ar4si() {
    for (value, tier) in [
        (-1, Tier::None),
        (1, Tier::None),
        (2, Tier::Affirming),
        (31, Tier::Affirming),
        (32, Tier::Warning),
        (95, Tier::Warning),
        (96, Tier::Contraindicated),
        (127, Tier::Contraindicated),
        (-2, Tier::Affirming),
        (-32, Tier::Affirming),
        (-33, Tier::Warning),
        (-96, Tier::Warning),
        (-97, Tier::Contraindicated),
    ] {
        assert_eq!(Tier::of(value), tier, "{value}");
    }
}
