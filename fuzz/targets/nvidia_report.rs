//! An NVIDIA attestation report of any bytes: what parses stops at the chain that is not there, and nothing else is a step.
#![no_main]

use narthex_fuzz::{
    nvidia::{refusal, report},
    seeds,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let code = refusal(data);
    assert!(
        code.starts_with("nvidia.report.") || code == "nvidia.chain.length",
        "{code}"
    );
    if code == "nvidia.chain.length" {
        assert_ne!(refusal(&data[..data.len() - 1]), code, "cut off and accepted");
        assert_ne!(refusal(&[data, &[0]].concat()), code, "longer and accepted");
    }
}

fn plant() {
    seeds::plant([report(&[]), report(b"\x03\x00\x0a\x00550.90.07\x00\x24\x00\x02\x00\x02\x00")]);
}
