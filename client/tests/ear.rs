//! `--ear`: a signed attestation result for every verdict.

use crate::narthex::{Run, narthex, sev_evidence};
use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{ED25519, UnparsedPublicKey},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A folder with the Milan evidence of crate `sev` and a key pair.
fn evidence() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["report_milan.hex", "vcek_milan.der", "vcek_turin.der"] {
        fs::copy(sev_evidence().join(name), folder.path().join(name)).unwrap();
    }
    let made = narthex(folder.path(), &["policy", "keygen", "verifier"]);
    assert_eq!(made.status, 0, "{made:?}");
    folder
}

fn judge(folder: &Path, report: &str, vek: &str, more: &[&str]) -> Run {
    let mut arguments = vec![
        "verify",
        "snp",
        "--report",
        report,
        "--vek",
        vek,
        "--at",
        "2026-06-01T00:00:00Z",
    ];
    arguments.extend(more);
    narthex(folder, &arguments)
}

fn public_key(folder: &Path) -> Vec<u8> {
    let pem = fs::read_to_string(folder.join("verifier.pub.pem")).unwrap();
    let der = STANDARD.decode(pem.lines().nth(1).unwrap()).unwrap();
    der[12..].to_vec()
}

/// The claims of the token in `file`, its signature verified.
fn claims(folder: &Path, file: &str) -> Value {
    let jwt = fs::read_to_string(folder.join(file)).unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    UnparsedPublicKey::new(&ED25519, public_key(folder))
        .verify(signed.as_bytes(), &signature)
        .unwrap();
    let payload = URL_SAFE_NO_PAD
        .decode(signed.split_once('.').unwrap().1)
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

const EAR: [&str; 4] = ["--ear", "result.jwt", "--ear-key", "verifier.pem"];

#[test]
fn what_is_accepted_is_affirmed() {
    let folder = evidence();
    let nonce = "0102030405060708";
    let more = [EAR.as_slice(), &["--ear-nonce", nonce]].concat();
    let run = judge(folder.path(), "report_milan.hex", "vcek_milan.der", &more);
    assert_eq!(run.status, 0, "{run:?}");
    let claims = claims(folder.path(), "result.jwt");
    assert_eq!(claims["eat_profile"], "tag:ietf.org,2026:rats/ear#04");
    assert_eq!(claims["ear_status"], "affirming");
    assert_eq!(claims["eat_nonce"], "AQIDBAUGBwg");
    assert!(claims["iat"].as_u64().unwrap() > 1_700_000_000);
    let cpu = &claims["submods"]["cpu0"];
    // No CRL was given and no policy judged: neither instance nor executables are affirmed.
    let vector = json!({"hardware": 2, "runtime-opaque": 2});
    assert_eq!(cpu["ear_trustworthiness_vector"], vector);
    assert_eq!(cpu["ear_attester_claims"]["product"], "Milan");
    assert_eq!(cpu["ear_verifier_claims"]["verdict"], "accepted");
    let report = fs::read(folder.path().join("report_milan.hex")).unwrap();
    let digest = format!("sha256:{}", hex::encode(digest(&SHA256, &report)));
    let inputs = cpu["ear_verifier_claims"]["inputs"].as_array().unwrap();
    assert!(inputs.contains(&Value::from(digest)), "{inputs:?}");
}

#[test]
fn what_is_refused_is_contraindicated() {
    let folder = evidence();
    fs::write(folder.path().join("noise"), b"no report").unwrap();
    for (report, vek, status) in [
        ("report_milan.hex", "vcek_turin.der", 10),
        ("noise", "vcek_milan.der", 30),
    ] {
        let run = judge(folder.path(), report, vek, &EAR);
        assert_eq!(run.status, status, "{run:?}");
        let claims = claims(folder.path(), "result.jwt");
        assert_eq!(claims["ear_status"], "contraindicated", "{claims}");
        let cpu = &claims["submods"]["cpu0"];
        assert_eq!(cpu["ear_status"], "contraindicated", "{claims}");
        assert!(cpu["ear_attester_claims"].is_null(), "{claims}");
        let failed = cpu["ear_verifier_claims"]["failed"][0].as_str().unwrap();
        assert!(run.last_line().contains(failed), "{run:?}");
    }
}

#[test]
fn the_cwt_is_a_tagged_cose_sign1() {
    let folder = evidence();
    let more = [EAR.as_slice(), &["--ear-format", "cwt"]].concat();
    let run = judge(folder.path(), "report_milan.hex", "vcek_milan.der", &more);
    assert_eq!(run.status, 0, "{run:?}");
    let cwt = fs::read(folder.path().join("result.jwt")).unwrap();
    assert_eq!(cwt[..2], [0xd2, 0x84]);
}

#[test]
fn no_result_goes_out_unsigned() {
    let folder = evidence();
    let status =
        |more: &[&str]| judge(folder.path(), "report_milan.hex", "vcek_milan.der", more).status;
    assert_eq!(status(&["--ear", "result.jwt"]), 2);
    assert_eq!(status(&["--ear", "result.jwt", "--ear-key", "absent"]), 2);
    assert_eq!(
        status(&["--ear", "result.jwt", "--ear-key", "verifier.pub.pem"]),
        2
    );
    assert_eq!(status(&["--ear-key", "verifier.pem"]), 2);
    let short = [EAR.as_slice(), &["--ear-nonce", "01"]].concat();
    assert_eq!(status(&short), 2);
    assert!(!folder.path().join("result.jwt").exists());
}
