//! An envelope of any bytes in both forms, behind a header that is accepted or not: never opens, never panics.
#![no_main]

use narthex_fuzz::seeds;
use protocol::{Form, KeyEpoch, PaddingProfile, Receiver, Terms};
use std::sync::LazyLock;

static RECEIVER: LazyLock<Receiver> = LazyLock::new(|| {
    let receiver = Receiver::new(Terms {
        max_request_bytes: 10_000,
        padding: PaddingProfile::Off,
    });
    receiver.install(KeyEpoch::generate(0x107, 16));
    receiver
});

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    const X25519: [u8; 7] = [0x07, 0x00, 0x20, 0x00, 0x01, 0x00, 0x01];
    const X_WING: [u8; 7] = [0x07, 0x64, 0x7a, 0x00, 0x01, 0x00, 0x02];
    let headers = [&[][..], &X25519, &X_WING];
    for (header, form) in headers.into_iter().flat_map(in_both_forms) {
        let mut opener = RECEIVER.open_in(form);
        let pushed = opener.push(header).and_then(|()| opener.push(data));
        assert!(pushed.is_err() || opener.finish().is_err());
    }
}

fn in_both_forms(header: &[u8]) -> [(&[u8], Form); 2] {
    Form::ALL.map(|form| (header, form))
}

fn plant() {
    let mut x25519 = vec![9; 32];
    x25519.extend([0x12; 200]);
    seeds::plant([x25519, vec![9; 1120 + 40]]);
}
