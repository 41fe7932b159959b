//! A tenant's credential as its header has it: what is read has 128 characters, and is held against a request without a panic.
#![no_main]

use attestation::BindingId;
use narthex_fuzz::seeds;
use protocol::{TenantCredential, TenantStatement};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some(credential) = str::from_utf8(data).ok().and_then(TenantCredential::parse) else {
        return;
    };
    assert_eq!(data.len(), 128);
    let statement = TenantStatement {
        request_id: &[1; 16],
        binding_id: &BindingId([2; 32]),
        method: "POST",
        path: "/v1/chat/completions",
        body: b"{}",
    };
    // A key of low order has signatures that anyone can make: which keys count is the policy's word.
    let _ = credential.verifies(&statement);
}

fn plant() {
    seeds::plant([vec![b'B'; 128]]);
}
