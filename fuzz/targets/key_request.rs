//! A request for a model's key: what is accepted has one encoding, and its evidence is read as far as a releaser reads it.
#![no_main]

use attestation::{EvidenceBundle, Nonce};
use narthex_fuzz::seeds;
use protocol::key_release::{KeyId, KeyRequest};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(request) = KeyRequest::from_cbor(data) else {
        return;
    };
    assert_eq!(request.to_cbor(), data);
    if let Ok(bundle) = EvidenceBundle::from_cbor(&request.evidence) {
        assert_eq!(bundle.to_cbor(), request.evidence);
    }
}

fn plant() {
    let of = |evidence: &[u8]| {
        let request = KeyRequest {
            nonce: Nonce([1; 32]),
            key_id: KeyId([2; 32]),
            model: [3; 32],
            evidence: evidence.to_vec(),
        };
        request.to_cbor()
    };
    seeds::plant([of(b""), of(&seeds::manifest().to_cbor())]);
}
