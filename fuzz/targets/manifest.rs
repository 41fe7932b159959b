//! A manifest: what is accepted has one encoding.
#![no_main]

use attestation::Manifest;
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Ok(manifest) = Manifest::from_cbor(data) {
        assert_eq!(manifest.to_cbor(), data);
    }
}

fn plant() {
    seeds::plant([seeds::manifest().to_cbor()]);
}
