//! Strict CBOR: what is accepted has one encoding; whatever a lenient parser accepts can be encoded strictly.
#![no_main]

use attestation::cbor;
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Some(value) = cbor::decode(data, 4096) {
        assert!(data.len() <= 4096);
        assert_eq!(cbor::encode(&value), data);
    }
    if let Ok(value) =
        ciborium::de::from_reader_with_recursion_limit::<ciborium::Value, _>(data, 16)
    {
        let _ = cbor::encode(&value);
    }
}

fn plant() {
    seeds::plant([seeds::manifest().to_cbor(), vec![0xA0], vec![0x80]]);
}
