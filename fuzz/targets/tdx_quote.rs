//! A quote of any bytes under genuine collateral: what is accepted says what its bytes say, kept values or none.
#![no_main]

use attestation::tdx::{self, VerifiedCollateral, VerifiedPck};
use narthex_fuzz::{
    seeds,
    tdx::{NOW, QUOTE, QUOTE_WITHOUT_CHAIN, collateral, evidence, roots},
};
use std::sync::LazyLock;

static KEPT: LazyLock<VerifiedCollateral> = LazyLock::new(|| {
    VerifiedCollateral::verify(&collateral(), &roots(), NOW).expect("the suite's collateral holds")
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let alone = tdx::verify(&evidence(data), None, &roots(), NOW);
    assert!(alone.is_err_and(|error| error.step().is_some()));
    let Ok(pck) = VerifiedPck::verify(data, &KEPT, NOW) else {
        return;
    };
    if let Ok(claims) = pck.appraise(&evidence(data), &KEPT, NOW) {
        let body = if claims.version == 4 { 48 } else { 54 };
        assert_eq!(claims.td.report_data, data[body + 520..body + 584]);
        assert_eq!(claims.td.mr_td, data[body + 136..body + 184]);
    }
}

fn plant() {
    let padded = [QUOTE, &[0; 16]].concat();
    seeds::plant([QUOTE.to_vec(), QUOTE_WITHOUT_CHAIN.to_vec(), padded]);
}
