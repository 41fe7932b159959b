//! A PCK certificate of any bytes: none passes but the one that was signed.
#![no_main]

use attestation::tdx;
use narthex_fuzz::{
    seeds,
    tdx::{NOW, QUOTE_WITHOUT_CHAIN, collateral, evidence, roots},
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let mut changed = collateral();
    let Some(chain) = &mut changed.pck_certificate_chain else {
        return;
    };
    let is_genuine = chain[0] == data;
    chain[0] = data.to_vec();
    let verified = tdx::verify(
        &evidence(QUOTE_WITHOUT_CHAIN),
        Some(&changed),
        &roots(),
        NOW,
    );
    assert_eq!(verified.is_ok(), is_genuine);
}

fn plant() {
    let chain = collateral().pck_certificate_chain.unwrap_or_default();
    seeds::plant(chain.into_iter().take(1));
}
