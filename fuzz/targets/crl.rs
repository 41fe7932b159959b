//! A revocation list of any bytes beside genuine evidence.
#![no_main]

use narthex_fuzz::{
    joined, parts,
    seeds::{self, Genuine},
    verify,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Some([report, vek, crl]) = parts(data) {
        let _ = verify(report, vek, &[], &[crl]);
    }
}

fn plant() {
    let Genuine { report, milan, .. } = Genuine::load();
    seeds::plant([joined(&[&report, &milan, &seeds::empty_list()])]);
}
