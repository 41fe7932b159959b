//! The signed documents, TCB info and QE identity: none passes but the one that was signed.
#![no_main]

use attestation::tdx::VerifiedCollateral;
use narthex_fuzz::{
    joined, parts, seeds,
    tdx::{NOW, collateral, roots},
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some([tcb_info, qe_identity]) = parts(data) else {
        return;
    };
    let genuine = collateral();
    let is_genuine = tcb_info == genuine.tcb_info && qe_identity == genuine.qe_identity;
    let mut changed = genuine;
    changed.tcb_info = tcb_info.to_vec();
    changed.qe_identity = qe_identity.to_vec();
    let verified = VerifiedCollateral::verify(&changed, &roots(), NOW);
    assert_eq!(verified.is_ok(), is_genuine);
}

fn plant() {
    let genuine = collateral();
    seeds::plant([joined(&[&genuine.tcb_info, &genuine.qe_identity])]);
}
