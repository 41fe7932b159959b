//! A receipt: any bytes as received, and any payload under a genuine signature; what is accepted has one encoding.
#![no_main]

use attestation::{BindingId, UnixTime};
use narthex_fuzz::{IDENTITY, payload, seeds, signed};
use protocol::{ExchangeDigests, Receipt, SignedReceipt, Usage};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let identity = IDENTITY.public();
    assert!(
        SignedReceipt::from_bytes(data.to_vec())
            .verify(&identity)
            .is_err()
    );
    let receipt = SignedReceipt::from_bytes(signed("application/vnd.narthex.receipt+cbor", data));
    if let Ok(parsed) = receipt.verify(&identity) {
        assert_eq!(parsed.sign(&IDENTITY), receipt);
    }
}

fn plant() {
    seeds::plant([payload(receipt().sign(&IDENTITY).as_bytes())]);
}

fn receipt() -> Receipt {
    Receipt {
        request_id: [1; 16],
        digests: ExchangeDigests {
            request: [2; 32],
            response: [3; 32],
            tokens: [4; 32],
        },
        binding_id: BindingId([5; 32]),
        manifest: [6; 32],
        policy_version: 1,
        policy_digest: [7; 32],
        client_policy: [8; 32],
        model: "model".into(),
        model_digest: [9; 32],
        aibom_digest: Some([10; 32]),
        node: "node".into(),
        epoch: 7,
        cache_scope: "request".into(),
        tokenizer_digest: [10; 32],
        template_digest: [11; 32],
        tenant: None,
        padding: protocol::PaddingProfile::Off,
        outcome: protocol::Outcome::Complete,
        residency: Some("DE".into()),
        status: 200,
        usage: Usage::default(),
        received_at: UnixTime(1),
        finished_at: UnixTime(2),
        temperature_milli: 700,
        top_p_milli: 950,
        seed: 3,
        isa: "scalar".into(),
        engine: "deterministic".into(),
        kernels_digest: [11; 32],
        gpu: None,
    }
}
