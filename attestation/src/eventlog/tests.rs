//! Logs made up event by event: one fault each.

use super::{Coverage, EventLog, EventLogError, EventType, MAX_EVENTS, MAX_LOG_BYTES};
use crate::{ErrorClass, crypto};

const SHA1: u16 = 0x0004;
const SHA384: u16 = 0x000C;
const SM3: u16 = 0x0012;

/// The first event, for `algorithms` with their digest sizes.
fn header(algorithms: &[(u16, u16)]) -> Vec<u8> {
    let mut event = b"Spec ID Event03\0\0\0\0\0\0\x02\0\x02".to_vec();
    event.extend((algorithms.len() as u32).to_le_bytes());
    for (id, digest_bytes) in algorithms {
        event.extend(id.to_le_bytes());
        event.extend(digest_bytes.to_le_bytes());
    }
    event.push(0);
    let mut header = [1_u32.to_le_bytes(), 3_u32.to_le_bytes()].concat();
    header.extend([0; 20]);
    header.extend((event.len() as u32).to_le_bytes());
    header.extend(event);
    header
}

fn event(register: u32, kind: EventType, digests: &[(u16, &[u8])], data: &[u8]) -> Vec<u8> {
    let mut event = [register.to_le_bytes(), kind.0.to_le_bytes()].concat();
    event.extend((digests.len() as u32).to_le_bytes());
    for (algorithm, digest) in digests {
        event.extend(algorithm.to_le_bytes());
        event.extend_from_slice(digest);
    }
    event.extend((data.len() as u32).to_le_bytes());
    event.extend_from_slice(data);
    event
}

/// An event whose digest is of its data.
fn measured(register: u32, kind: EventType, data: &[u8]) -> Vec<u8> {
    event(register, kind, &[(SHA384, &crypto::sha384(data))], data)
}

fn log(events: &[Vec<u8>]) -> Vec<u8> {
    [header(&[(SHA384, 48)]), events.concat()].concat()
}

fn first_description(event: Vec<u8>) -> String {
    EventLog::parse(&log(&[event])).unwrap().events[0].description()
}

fn refusal(bytes: &[u8]) -> EventLogError {
    EventLog::parse(bytes).unwrap_err()
}

fn separator() -> Vec<u8> {
    measured(1, EventType::SEPARATOR, &[0; 4])
}

#[test]
fn registers_are_extended_in_the_order_of_the_log() {
    let bytes = log(&[
        measured(1, EventType::EFI_ACTION, b"a"),
        measured(4, EventType::EFI_ACTION, b"b"),
        event(
            0,
            EventType::NO_ACTION,
            &[(SHA384, &[0; 48])],
            b"told, not measured",
        ),
        measured(1, EventType::EFI_ACTION, b"c"),
    ]);
    let extend = |register: [u8; 48], data: &[u8]| {
        crypto::sha384(&[register, crypto::sha384(data)].concat())
    };
    let rtmr0 = extend(extend([0; 48], b"a"), b"c");
    let rtmr3 = extend([0; 48], b"b");
    let log = EventLog::parse(&bytes).unwrap();
    assert_eq!(log.events().len(), 4);
    assert_eq!(log.replay(), Ok([rtmr0, [0; 48], [0; 48], rtmr3]));
}

#[test]
fn padding_is_all_of_one_kind() {
    let unpadded = log(&[separator()]);
    let expected = EventLog::parse(&unpadded).unwrap();
    for padding in [0x00, 0xFF] {
        for length in [1, 8, 500] {
            let padded = [unpadded.clone(), vec![padding; length]].concat();
            assert_eq!(EventLog::parse(&padded).as_ref(), Ok(&expected));
            for other in [7, !padding] {
                let mixed = [&padded[..], &[other]].concat();
                assert_eq!(refusal(&mixed).code(), "eventlog.record");
            }
        }
    }
}

#[test]
fn a_log_cut_anywhere_is_refused_or_ends_between_events() {
    let events = [separator(), measured(2, EventType::EFI_ACTION, b"action")];
    let bytes = log(&events);
    let ends = [0, events[1].len(), events[1].len() + events[0].len()].map(|cut| bytes.len() - cut);
    for length in 0..bytes.len() {
        let parsed = EventLog::parse(&bytes[..length]);
        assert_eq!(parsed.is_ok(), ends.contains(&length), "{length}");
    }
}

#[test]
fn a_log_that_is_too_large_is_not_read() {
    let error = refusal(&vec![0xFF; MAX_LOG_BYTES + 1]);
    assert_eq!(error, EventLogError::Size(MAX_LOG_BYTES + 1));
    assert_eq!(
        (error.code(), error.class()),
        ("eventlog.size", ErrorClass::Malformed)
    );
}

#[test]
fn one_event_too_many_is_refused() {
    let events = |count| log(&vec![separator(); count]);
    assert!(EventLog::parse(&events(MAX_EVENTS)).is_ok());
    assert_eq!(refusal(&events(MAX_EVENTS + 1)).code(), "eventlog.record");
}

/// What is wrong with the header, how it is made so.
type HeaderFault = (&'static str, fn(&mut Vec<u8>));

const HEADER_FAULTS: &[HeaderFault] = &[
    ("register", |log| log[0] = 2),
    ("type", |log| log[4] = 4),
    ("digest", |log| log[27] = 1),
    ("length", |log| log[28] += 1),
    ("signature", |log| log[46] = b'2'),
    ("signature's zero", |log| log[47] = 1),
    ("platform class", |log| log[48] = 2),
    ("minor version", |log| log[52] = 1),
    ("major version", |log| log[53] = 1),
    ("uintn size", |log| log[55] = 3),
    ("no algorithm", |log| log[56] = 0),
    ("too many algorithms", |log| log[56] = 9),
    ("digest size", |log| log[62] = 32),
    ("vendor information", |log| log[64] = 1),
];

#[test]
fn faults_of_the_header() {
    for (fault, make) in HEADER_FAULTS {
        let mut bytes = log(&[separator()]);
        make(&mut bytes);
        let error = refusal(&bytes);
        assert_eq!(
            (error.code(), error.class()),
            ("eventlog.header", ErrorClass::Malformed),
            "{fault}"
        );
    }
    let doubled = header(&[(SHA384, 48), (SHA384, 48)]);
    assert_eq!(refusal(&doubled).code(), "eventlog.header");
    assert_eq!(refusal(&[]).code(), "eventlog.header");
}

#[test]
fn an_algorithm_that_is_not_known_is_told_apart() {
    let error = refusal(&header(&[(SHA384, 48), (SM3, 32)]));
    assert_eq!(error, EventLogError::Algorithm(SM3));
    assert_eq!(
        (error.code(), error.class()),
        ("eventlog.algorithm", ErrorClass::Unsupported)
    );
}

#[test]
fn faults_of_an_event() {
    let digest: &[u8] = &[7; 48];
    let sha1: &[u8] = &[7; 20];
    for digests in [
        &[][..],
        &[(SHA384, digest), (SHA384, digest)],
        &[(SHA1, sha1)],
    ] {
        let bytes = log(&[event(1, EventType::EFI_ACTION, digests, b"")]);
        assert_eq!(refusal(&bytes), EventLogError::Record { offset: 65 });
    }
    let of_two_algorithms = |digests: [(u16, &[u8]); 2]| {
        let event = event(1, EventType::EFI_ACTION, &digests, b"");
        EventLog::parse(&[header(&[(SHA1, 20), (SHA384, 48)]), event].concat())
    };
    assert!(of_two_algorithms([(SHA384, digest), (SHA1, sha1)]).is_ok());
    let doubled = of_two_algorithms([(SHA1, sha1), (SHA1, sha1)]);
    assert_eq!(doubled.unwrap_err().code(), "eventlog.record");
}

#[test]
fn only_runtime_registers_of_sha_384_are_replayed() {
    for register in [0, 5, u32::MAX] {
        let bytes = log(&[separator(), measured(register, EventType::EFI_ACTION, b"")]);
        let error = EventLog::parse(&bytes).unwrap().replay().unwrap_err();
        assert_eq!(error, EventLogError::Register { index: 1, register });
        assert_eq!(
            (error.code(), error.class()),
            ("eventlog.register", ErrorClass::Rejected)
        );
    }
    let sha1 = event(1, EventType::EFI_ACTION, &[(SHA1, &[0; 20])], b"");
    let bytes = [header(&[(SHA1, 20)]), sha1].concat();
    let error = EventLog::parse(&bytes).unwrap().replay().unwrap_err();
    assert_eq!(
        (error.code(), error.class()),
        ("eventlog.sha384", ErrorClass::Unsupported)
    );
    assert!(!error.retryable());
}

#[test]
fn a_digest_of_other_data_contradicts_or_says_nothing() {
    let digest = crypto::sha384(b"other");
    let coverage = |kind, digest: [u8; 48], data: &[u8]| {
        let bytes = log(&[event(2, kind, &[(SHA384, &digest)], data)]);
        EventLog::parse(&bytes).unwrap().events[0].coverage()
    };
    for kind in [
        EventType::SEPARATOR,
        EventType::ACTION,
        EventType::S_CRTM_VERSION,
        EventType::EFI_ACTION,
        EventType::EFI_VARIABLE_DRIVER_CONFIG,
        EventType::EFI_VARIABLE_AUTHORITY,
        EventType::EFI_VARIABLE_BOOT,
        EventType::EFI_VARIABLE_BOOT2,
        EventType::EFI_GPT_EVENT,
    ] {
        assert_eq!(
            coverage(kind, digest, b"data"),
            Coverage::Contradicted,
            "{kind}"
        );
        assert_eq!(
            coverage(kind, crypto::sha384(b"data"), b"data"),
            Coverage::Confirmed
        );
    }
    assert_eq!(coverage(EventType::IPL, digest, b"data"), Coverage::Hint);
    assert_eq!(
        coverage(EventType::NO_ACTION, crypto::sha384(b"data"), b"data"),
        Coverage::Hint
    );
    let command = b"grub_cmd: set a=b\0";
    assert_eq!(
        coverage(EventType::IPL, crypto::sha384(b"set a=b"), command),
        Coverage::Confirmed
    );
    assert_eq!(
        coverage(EventType::IPL, crypto::sha384(b"set a=c"), command),
        Coverage::Hint
    );
}

#[test]
fn a_description_is_printable_and_short() {
    let action = |text: &[u8]| first_description(measured(2, EventType::EFI_ACTION, text));
    assert_eq!(action(b"a \x1b[31mb\n"), "a \\u{1b}[31mb\\n");
    assert_eq!(action("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    assert_eq!(action(b"\xff\xfe\xfd"), "3 bytes");
    assert_eq!(action(&[b'x'; 5000]).len(), 802);
    assert_eq!(action(b"set x='\\y' \"z\""), "set x='\\y' \"z\"");
}

#[test]
fn event_data_that_is_not_what_its_type_promises_is_still_told() {
    for kind in [
        EventType::EFI_VARIABLE_BOOT,
        EventType::EFI_BOOT_SERVICES_APPLICATION,
        EventType::EFI_GPT_EVENT,
        EventType::EFI_HANDOFF_TABLES2,
        EventType::EVENT_TAG,
    ] {
        assert_eq!(
            first_description(measured(2, kind, b"zz top")),
            "zz top",
            "{kind}"
        );
        assert_eq!(
            first_description(measured(2, kind, &[0xFF; 64])),
            "64 bytes",
            "{kind}"
        );
        assert_eq!(first_description(measured(2, kind, b"")), "", "{kind}");
    }
}
