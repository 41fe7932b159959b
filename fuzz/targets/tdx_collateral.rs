//! Collateral of any bytes beside a genuine quote: a refusal names its step.
#![no_main]

use attestation::tdx::{self, Collateral};
use narthex_fuzz::{
    seeds,
    tdx::{COLLATERAL, NOW, QUOTE_WITHOUT_CHAIN, evidence, roots},
};

libfuzzer_sys::fuzz_target!(init: seeds::plant([COLLATERAL.to_vec()]), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let judged = Collateral::from_json(data).and_then(|collateral| {
        tdx::verify(
            &evidence(QUOTE_WITHOUT_CHAIN),
            Some(&collateral),
            &roots(),
            NOW,
        )
    });
    if let Err(error) = judged {
        assert!(error.step().is_some(), "a refusal without a step: {error}");
    }
}
