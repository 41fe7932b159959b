//! A genuine VCEK and a report of any bytes: what is accepted says what its bytes say.
#![no_main]

use narthex_fuzz::{
    joined, parts,
    seeds::{self, Genuine},
    verify,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    if let Some([vek, report]) = parts(data)
        && let Ok(claims) = verify(report, vek, &[], &[])
    {
        assert_eq!(report.len(), 1184);
        assert_eq!(claims.measurement, report[0x90..0xC0]);
    }
}

fn plant() {
    let Genuine { report, milan, .. } = Genuine::load();
    seeds::plant([joined(&[&milan, &report])]);
}
