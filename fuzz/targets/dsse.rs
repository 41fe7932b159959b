//! A DSSE envelope: what is accepted survives being written and read again; nothing opens under a key that signed nothing.
#![no_main]

use narthex_fuzz::seeds;
use policy::{Envelope, PayloadType, TrustRoot};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(envelope) = Envelope::from_json(data) else {
        return;
    };
    let again = Envelope::from_json(envelope.to_json().as_bytes());
    assert_eq!(again.as_ref(), Ok(&envelope));
    let root = TrustRoot::new(vec![[7; 32]], 1).expect("one key, threshold one");
    assert!(envelope.open(PayloadType::Policy, &root).is_err());
}

fn plant() {
    let mut envelope = Envelope::unsigned(PayloadType::Policy, b"schema = 1".to_vec());
    envelope.add_signature([7; 32], [9; 64]);
    seeds::plant([envelope.to_json().into_bytes()]);
}
