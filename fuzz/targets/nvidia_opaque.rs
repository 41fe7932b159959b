//! Opaque data of any bytes in a sound report: fields are refused or each read once.
#![no_main]

use narthex_fuzz::{
    nvidia::{refusal, report},
    seeds,
};

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let data = &data[..data.len().min(2048)];
    let code = refusal(&report(data));
    let known = [
        "nvidia.report.opaque",
        "nvidia.report.opaque_version",
        "nvidia.report.fields",
        "nvidia.chain.length",
    ];
    assert!(known.contains(&code), "{code}");
    if code == "nvidia.chain.length" && !data.is_empty() {
        let doubled = refusal(&report(&[data, data].concat()));
        assert_eq!(doubled, "nvidia.report.opaque", "a field twice");
    }
}

fn plant() {
    let fields: [&[u8]; 6] = [
        b"",
        b"\x06\x00\x08\x00\x00\x9f\x00\x96\x01\x00\x00\x00",
        b"\x06\x00\x0e\x0096.10.55.00.01\x16\x00\x08\x00\x20\x3e\xb3\x1a\xd9\xed\x00\x08",
        b"\x0b\x00\x01\x00\x55\x15\x00\x01\x00\xaa\x22\x00\x02\x00\x01\x00",
        b"\x03\x00\x0a\x00550.90.07\x00\x23\x00\x06\x00GB100\x00\x24\x00\x02\x00\x01\x00",
        b"\xff\x7f\x00\x00",
    ];
    seeds::plant(fields.map(<[u8]>::to_vec));
}
