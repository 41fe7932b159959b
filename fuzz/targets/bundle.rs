//! An evidence bundle: what is accepted has one encoding, and its verification never panics.
#![no_main]

use attestation::{EvidenceBundle, Nonce, UnixTime, Verifier};
use narthex_fuzz::seeds::{self, Genuine};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Ok(bundle) = EvidenceBundle::from_cbor(data) {
        assert_eq!(bundle.to_cbor(), data);
        let verdict =
            Verifier::vendor().verify(&bundle, Some(&Nonce([0; 32])), UnixTime(1_780_272_000));
        assert!(verdict.is_err(), "no seed answers the nonce of zeros");
    }
}

fn plant() {
    seeds::plant([seeds::bundle(&Genuine::load()).to_cbor()]);
}
