//! Event logs: what is read can be replayed or told why not, and described in printable words.
#![no_main]

use attestation::{
    crypto,
    eventlog::{EventLog, EventLogError, EventType, MAX_EVENTS},
};
use narthex_fuzz::seeds;

libfuzzer_sys::fuzz_target!(init: plant(), |data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Ok(log) = EventLog::parse(data) else {
        return;
    };
    assert!(log.events().len() <= MAX_EVENTS);
    for event in log.events() {
        let description = event.description();
        assert!(
            !description.chars().any(char::is_control),
            "{description:?}"
        );
        let _ = event.coverage();
    }
    match log.replay() {
        Ok(_) | Err(EventLogError::NoSha384 | EventLogError::Register { .. }) => {}
        Err(error) => panic!("a log that was read: {error}"),
    }
}

fn plant() {
    let variable = [
        &[1; 16][..],
        &[2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
        b"d\0b\0",
        &[1],
    ];
    let image = [
        &[0; 24][..],
        &[14, 0, 0, 0, 0, 0, 0, 0],
        &[4, 4, 10, 0],
        b"a\0b\0\0\0",
        &[0x7F, 0xFF, 4, 0],
    ];
    let table = [
        b"EFI PART",
        &[0; 84][..],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[b'p'; 128],
    ];
    let log = [
        header(),
        event(1, EventType::EFI_VARIABLE_DRIVER_CONFIG, &variable.concat()),
        event(1, EventType::EFI_VARIABLE_BOOT, &variable.concat()),
        event(2, EventType::EFI_BOOT_SERVICES_APPLICATION, &image.concat()),
        event(2, EventType::EFI_GPT_EVENT, &table.concat()),
        event(1, EventType::EFI_PLATFORM_FIRMWARE_BLOB2, b"\x02Fv"),
        event(3, EventType::EVENT_TAG, b"LEAA\x02\0\0\0ab"),
        event(3, EventType::IPL, b"grub_cmd: set a=b\0"),
        event(
            1,
            EventType::PLATFORM_CONFIG_FLAGS,
            b"td_payload_info\0\x02\0\0\0ab",
        ),
        event(2, EventType::SEPARATOR, &[0; 4]),
    ];
    seeds::plant([log.concat(), [&log.concat()[..], &[0xFF; 9]].concat()]);
}

/// The first event of a log of SHA-384.
fn header() -> Vec<u8> {
    let specification = b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02\x01\0\0\0\x0c\0\x30\0\0";
    let length = specification.len() as u8;
    let fields = [1, 0, 0, 0, 3, 0, 0, 0];
    [&fields[..], &[0; 20], &[length, 0, 0, 0], specification].concat()
}

fn event(register: u32, kind: EventType, data: &[u8]) -> Vec<u8> {
    [
        &register.to_le_bytes()[..],
        &kind.0.to_le_bytes(),
        &[1, 0, 0, 0, 0x0C, 0],
        &crypto::sha384(data),
        &(data.len() as u32).to_le_bytes(),
        data,
    ]
    .concat()
}
