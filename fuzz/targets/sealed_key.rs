//! A sealed key of any bytes, to a node that waits for one: it opens only what was sealed to it.
#![no_main]

use attestation::{BindingId, Nonce};
use narthex_fuzz::seeds;
use protocol::{
    key_release::{KeyId, KeyRecipient, ReleaseStatement, SEALED_KEY_BYTES},
    secret::Heap,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let statement = ReleaseStatement {
        nonce: Nonce([1; 32]),
        binding_id: BindingId([2; 32]),
        key_id: KeyId([3; 32]),
        model: [4; 32],
    };
    let recipient = KeyRecipient::generate_in(&Heap);
    assert!(recipient.open(&statement, data, &Heap).is_err());
}

/// Of the right length, with the header of the one suite and with another.
fn plant() {
    let of = |header: [u8; 7]| {
        let mut sealed = header.to_vec();
        sealed.resize(SEALED_KEY_BYTES, 5);
        sealed
    };
    seeds::plant([
        of([0, 0x64, 0x7A, 0, 1, 0, 2]),
        of([1, 0, 0x20, 0, 1, 0, 1]),
    ]);
}
