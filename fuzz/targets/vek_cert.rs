//! A VCEK, VLEK or intermediate of any bytes beside a report that parses.
#![no_main]

use narthex_fuzz::{
    seeds::{self, Genuine},
    verify,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let report = minimal_report();
    let _ = verify(&report, data, &[], &[]);
    let _ = verify(&report, data, &[data], &[]);
}

fn plant() {
    let Genuine { milan, turin, .. } = Genuine::load();
    seeds::plant([milan, turin, seeds::ASK.to_vec()]);
}

/// A report of version 2 whose structure is sound.
fn minimal_report() -> [u8; 1184] {
    let mut report = [0; 1184];
    report[0x00] = 2;
    report[0x0A] = 3;
    report[0x34] = 1;
    report
}
