//! Envelopes and roots: k of n distinct keys, and every way to miss them.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use policy::{
    Envelope, PayloadType, Policy, SignatureError, TrustRoot,
    signature::{MAX_ENVELOPE_BYTES, keyid},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tee_sim::PolicySigner;

const PAYLOAD: &[u8] = b"schema = 1\n";

static SIGNERS: LazyLock<Vec<PolicySigner>> =
    LazyLock::new(|| (0..4).map(|_| PolicySigner::generate()).collect());

/// The first three signers, two of whom must sign; the fourth is a stranger.
fn root() -> TrustRoot {
    let keys = SIGNERS.iter().take(3).map(PolicySigner::public_key);
    TrustRoot::new(keys.collect(), 2).unwrap()
}

fn unsigned() -> Envelope {
    Envelope::unsigned(PayloadType::Policy, PAYLOAD.to_vec())
}

fn signed_by(signers: &[usize]) -> Envelope {
    let mut envelope = unsigned();
    for signer in signers {
        SIGNERS[*signer].sign(&mut envelope);
    }
    envelope
}

fn open(envelope: &Envelope) -> Result<Vec<u8>, SignatureError> {
    envelope
        .open(PayloadType::Policy, &root())
        .map(<[u8]>::to_vec)
}

/// The envelope after an edit of its JSON.
fn edited(envelope: &Envelope, edit: impl FnOnce(&mut Value)) -> Envelope {
    Envelope::from_json(json_edited(envelope, edit).as_bytes()).unwrap()
}

fn json_edited(envelope: &Envelope, edit: impl FnOnce(&mut Value)) -> String {
    let mut json = serde_json::from_str(&envelope.to_json()).unwrap();
    edit(&mut json);
    json.to_string()
}

fn assert_malformed(json: &str) {
    let error = Envelope::from_json(json.as_bytes()).unwrap_err();
    assert_eq!(error.code(), "policy.signature.malformed", "{json}");
}

#[test]
fn enough_distinct_keys_open_it() {
    for signers in [&[0, 1][..], &[2, 0], &[0, 1, 2], &[0, 3, 1]] {
        let envelope = signed_by(signers);
        assert_eq!(open(&envelope).unwrap(), PAYLOAD);
        let again = Envelope::from_json(envelope.to_json().as_bytes()).unwrap();
        assert_eq!(again, envelope);
    }
}

#[test]
fn signers_are_told_as_keys() {
    let signers = signed_by(&[2, 0, 3])
        .signers(PayloadType::Policy, &root())
        .unwrap();
    let mut expected = vec![SIGNERS[0].public_key(), SIGNERS[2].public_key()];
    expected.sort_unstable();
    assert_eq!(signers, expected);
}

#[test]
fn no_signature_at_all() {
    assert_eq!(open(&unsigned()), Err(SignatureError::Unsigned));
}

#[test]
fn too_few_signers() {
    let too_few = |found| Err(SignatureError::TooFew { needed: 2, found });
    assert_eq!(open(&signed_by(&[0])), too_few(1));
    assert_eq!(
        open(&signed_by(&[0, 3])),
        too_few(1),
        "a stranger never counts"
    );
    assert_eq!(open(&signed_by(&[3, 3])), too_few(0));
}

#[test]
fn a_key_that_signs_twice_counts_once() {
    let doubled = Err(SignatureError::Doubled {
        needed: 2,
        found: 1,
    });
    assert_eq!(open(&signed_by(&[0, 0])), doubled);
    assert!(open(&signed_by(&[0, 0, 1])).is_ok());
}

#[test]
fn another_spelling_of_the_keyid_makes_no_second_key() {
    let twice = signed_by(&[0, 0]);
    let doubled = Err(SignatureError::Doubled {
        needed: 2,
        found: 1,
    });
    let without = edited(&twice, |json| json["signatures"][1]["keyid"] = json!(""));
    assert_eq!(open(&without), doubled);
    let absent = edited(&twice, |json| {
        json["signatures"][1]
            .as_object_mut()
            .unwrap()
            .remove("keyid");
    });
    assert_eq!(open(&absent), doubled);
    let upper = edited(&twice, |json| {
        let keyid = json["signatures"][1]["keyid"]
            .as_str()
            .unwrap()
            .to_uppercase();
        json["signatures"][1]["keyid"] = json!(keyid);
    });
    assert_eq!(
        open(&upper),
        Err(SignatureError::TooFew {
            needed: 2,
            found: 1
        })
    );
}

#[test]
fn another_keys_id_does_not_lend_its_name() {
    let borrowed = edited(&signed_by(&[0, 0]), |json| {
        json["signatures"][1]["keyid"] = json!(keyid(&SIGNERS[1].public_key()));
    });
    let keyid = keyid(&SIGNERS[1].public_key());
    assert_eq!(open(&borrowed), Err(SignatureError::Invalid { keyid }));
}

#[test]
fn without_a_keyid_the_verifying_key_counts() {
    let anonymous = edited(&signed_by(&[0, 1]), |json| {
        json["signatures"][0]["keyid"] = json!("");
        json["signatures"][1]["keyid"] = json!("");
    });
    assert_eq!(open(&anonymous).unwrap(), PAYLOAD);
}

#[test]
fn more_signatures_without_a_keyid_than_keys_are_not_tried() {
    let crowd = edited(&signed_by(&[0, 1]), |json| {
        let signatures = json["signatures"].as_array_mut().unwrap();
        signatures[0]["keyid"] = json!("");
        let one = signatures[0].clone();
        signatures.extend(vec![one; 3]);
    });
    let refused = SignatureError::TooManyUnnamed {
        unnamed: 4,
        keys: 3,
    };
    assert_eq!(open(&crowd), Err(refused));
}

#[test]
fn an_unknown_keyid_is_ignored_even_over_a_trusted_signature() {
    let renamed = edited(&signed_by(&[0, 1]), |json| {
        json["signatures"][1]["keyid"] = json!("somebody");
    });
    assert_eq!(
        open(&renamed),
        Err(SignatureError::TooFew {
            needed: 2,
            found: 1
        })
    );
}

#[test]
fn a_bad_signature_of_a_trusted_key_spoils_the_envelope() {
    let spoiled = edited(&signed_by(&[0, 1, 2]), |json| {
        json["signatures"][2]["sig"] = json!(STANDARD.encode([0; 64]));
    });
    let keyid = keyid(&SIGNERS[2].public_key());
    assert_eq!(open(&spoiled), Err(SignatureError::Invalid { keyid }));
}

#[test]
fn a_changed_payload_is_refused() {
    let changed = edited(&signed_by(&[0, 1]), |json| {
        json["payload"] = json!(STANDARD.encode(b"schema = 2\n"));
    });
    assert_eq!(
        open(&changed).unwrap_err().code(),
        "policy.signature.invalid"
    );
}

#[test]
fn another_kind_of_document_is_refused_before_its_signatures() {
    let other = edited(&signed_by(&[0, 1]), |json| {
        json["payloadType"] = json!("application/vnd.in-toto+json");
    });
    let error = open(&other).unwrap_err();
    assert_eq!(error.code(), "policy.signature.payload_type");
    assert!(error.to_string().contains("in-toto"));
}

#[test]
fn a_signature_over_another_kind_of_document_is_worth_nothing() {
    let mut envelope = signed_by(&[0]);
    let text = String::from_utf8(envelope.pae()).unwrap();
    let other = text.replace(
        "DSSEv1 35 application/vnd.narthex.policy+toml",
        "DSSEv1 28 application/vnd.in-toto+json",
    );
    assert_ne!(text, other);
    envelope.add_signature(
        SIGNERS[1].public_key(),
        SIGNERS[1].signature(other.as_bytes()),
    );
    assert_eq!(
        open(&envelope).unwrap_err().code(),
        "policy.signature.invalid"
    );
}

#[test]
fn the_payload_alone_is_not_what_is_signed() {
    let mut envelope = unsigned();
    for signer in SIGNERS.iter().take(2) {
        envelope.add_signature(signer.public_key(), signer.signature(PAYLOAD));
    }
    assert_eq!(
        open(&envelope).unwrap_err().code(),
        "policy.signature.invalid"
    );
}

#[test]
fn both_alphabets_of_base64() {
    let signed = signed_by(&[0, 1]);
    let url = edited(&signed, |json| {
        for index in 0..2 {
            let sig = STANDARD
                .decode(json["signatures"][index]["sig"].as_str().unwrap())
                .unwrap();
            json["signatures"][index]["sig"] = json!(URL_SAFE.encode(sig));
        }
    });
    assert_eq!(open(&url).unwrap(), PAYLOAD);
}

#[test]
fn what_is_no_envelope() {
    let signed = signed_by(&[0]);
    let good = signed.to_json();
    assert_malformed("");
    assert_malformed("[]");
    assert_malformed(&format!("{good}x"));
    assert_malformed(&good.replacen("\"payload\"", "\"payload\": \"\", \"payload\"", 1));
    assert_malformed(&json_edited(&signed, |json| json["more"] = json!(1)));
    assert_malformed(&json_edited(&signed, |json| {
        json["signatures"][0]["more"] = json!(1)
    }));
    assert_malformed(&json_edited(&signed, |json| json["payload"] = json!("?")));
    assert_malformed(&json_edited(&signed, |json| json["payload"] = json!("YQ")));
    assert_malformed(&json_edited(&signed, |json| json["signatures"] = json!({})));
    for bytes in [0, 63, 65] {
        let sig = STANDARD.encode(vec![0; bytes]);
        assert_malformed(&json_edited(&signed, |json| {
            json["signatures"][0]["sig"] = json!(sig)
        }));
    }
    for field in ["payloadType", "payload", "signatures"] {
        assert_malformed(&json_edited(&signed, |json| {
            json.as_object_mut().unwrap().remove(field);
        }));
    }
}

#[test]
fn caps() {
    let large = vec![b' '; MAX_ENVELOPE_BYTES + 1];
    assert_eq!(
        Envelope::from_json(&large),
        Err(SignatureError::TooLarge {
            limit_bytes: MAX_ENVELOPE_BYTES
        })
    );
    let many = signed_by(&[0; 65]).to_json();
    let error = Envelope::from_json(many.as_bytes()).unwrap_err();
    assert_eq!(error, SignatureError::TooManySignatures { found: 65 });
    assert!(Envelope::from_json(signed_by(&[0; 64]).to_json().as_bytes()).is_ok());
}

#[test]
fn roots_that_are_none() {
    let key = |number| [number; 32];
    let refused = |keys, threshold| TrustRoot::new(keys, threshold).unwrap_err();
    assert_eq!(refused(vec![], 0), SignatureError::NoKeys);
    assert_eq!(refused(vec![], 1).code(), "policy.root.no_keys");
    assert_eq!(
        refused(vec![key(1), key(2), key(1)], 1).code(),
        "policy.root.doubled_key"
    );
    assert_eq!(refused(vec![key(1)], 0).code(), "policy.root.threshold");
    assert_eq!(refused(vec![key(1)], 2).code(), "policy.root.threshold");
    assert_eq!(
        refused((0..65).map(key).collect(), 1).code(),
        "policy.root.too_many_keys"
    );
    assert!(TrustRoot::new((0..64).map(key).collect(), 64).is_ok());
}

#[test]
fn the_digest_of_a_root_depends_on_keys_and_threshold_but_not_on_order() {
    let digest = |keys: &[u8], threshold| {
        let keys = keys.iter().map(|number| [*number; 32]).collect();
        TrustRoot::new(keys, threshold).unwrap().digest()
    };
    assert_eq!(digest(&[1, 2], 1), digest(&[2, 1], 1));
    assert_ne!(digest(&[1, 2], 1), digest(&[1, 2], 2));
    assert_ne!(digest(&[1, 2], 1), digest(&[1, 3], 1));
}

#[test]
fn a_policy_from_an_envelope_tells_signatures_and_mistakes_with_their_codes() {
    let codes = |envelope: &Envelope| -> Vec<_> {
        let errors = Policy::from_envelope(envelope, &root()).unwrap_err();
        errors.iter().map(policy::PolicyError::code).collect()
    };
    assert_eq!(codes(&signed_by(&[0])), ["policy.signature.too_few"]);
    let mistakes = codes(&signed_by(&[0, 1]));
    assert!(mistakes.len() > 1);
    assert!(
        mistakes
            .iter()
            .all(|code| *code == "policy.document.missing_field")
    );
}

proptest! {
    #[test]
    fn a_mutated_envelope_never_panics_and_never_opens_to_another_payload(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)
    ) {
        let mut bytes = signed_by(&[0, 1]).to_json().into_bytes();
        for (index, byte) in edits {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(envelope) = Envelope::from_json(&bytes)
            && let Ok(payload) = open(&envelope)
        {
            prop_assert_eq!(payload, PAYLOAD);
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Envelope::from_json(&bytes);
    }
}
