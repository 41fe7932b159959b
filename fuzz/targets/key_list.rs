//! A key list: any bytes as received, and any payload under a genuine signature; what is accepted has one encoding.
#![no_main]

use attestation::UnixTime;
use narthex_fuzz::{IDENTITY, payload, seeds, signed};
use protocol::{KeyConfigs, KeyEpoch, SignedKeyConfigs};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let identity = IDENTITY.public();
    let verify = |list: &SignedKeyConfigs| list.verify(&identity, &[2; 32], UnixTime(1_000));
    assert!(verify(&SignedKeyConfigs::from_bytes(data.to_vec())).is_err());
    let list = SignedKeyConfigs::from_bytes(signed("application/vnd.narthex.keys+cbor", data));
    if let Ok(configs) = verify(&list) {
        assert_eq!(configs.sign(&IDENTITY), list);
    }
}

fn plant() {
    let configs = KeyConfigs {
        identity: IDENTITY.public().digest(),
        manifest: [2; 32],
        node: "node".into(),
        epoch: 7,
        not_before: UnixTime(0),
        expires: UnixTime(2_000),
        policy_version: 1,
        policy_digest: [3; 32],
        configs: KeyEpoch::generate(7, 1).ohttp_keys(),
    };
    seeds::plant([payload(configs.sign(&IDENTITY).as_bytes())]);
}
