//! Event logs of real machines: parsed as others parse them, and replayed to the registers of real quotes.

#![allow(
    clippy::print_stdout,
    reason = "a test may fail, and says when it had nothing to look at"
)]

use crate::support;
use attestation::eventlog::{Algorithm, Coverage, Event, EventLog, EventLogError, EventType, Rtmr};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Offset of RTMR0 in a quote of version 4: the header, then the body up to it.
const RTMR0: usize = 48 + 328;

/// The folder of real evidence; no package ships an event log.
fn vectors() -> Option<PathBuf> {
    let folder = support::vectors();
    if folder.is_none() {
        println!("nothing to look at: NARTHEX_VECTORS is not set");
    }
    folder
}

fn log(path: &Path) -> EventLog {
    EventLog::parse(&fs::read(path).unwrap()).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn rtmrs_of_quote(quote: &[u8]) -> [Rtmr; 4] {
    std::array::from_fn(|index| quote[RTMR0 + 48 * index..][..48].try_into().unwrap())
}

#[test]
fn the_log_of_cos_113_replays_to_its_quote() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("go-tdx-guest/ccel");
    let log = log(&folder.join("ccel_data.dat"));
    let quote = fs::read(folder.join("cos-113-tdx-quote.dat")).unwrap();
    assert_eq!(log.events().len(), 43);
    assert_eq!(log.replay().unwrap(), rtmrs_of_quote(&quote));
}

/// Later registers hold what the guest extended at run time, which firmware's log does not know.
#[test]
fn the_log_of_a_dstack_guest_replays_to_rtmr0() {
    let Some(folder) = vectors() else { return };
    let log = log(&folder.join("dstack/eventlog/ccel.bin"));
    let quote = fs::read_to_string(folder.join("dcap-qvl/quote-from-tappd.hex")).unwrap();
    let quote = hex::decode(quote.trim()).unwrap();
    assert_eq!(log.events().len(), 18);
    assert_eq!(log.replay().unwrap()[0], rtmrs_of_quote(&quote)[0]);
}

#[test]
fn a_flipped_bit_in_a_digest_changes_the_replay() {
    let Some(folder) = vectors() else { return };
    let bytes = fs::read(folder.join("go-tdx-guest/ccel/ccel_data.dat")).unwrap();
    let expected = EventLog::parse(&bytes).unwrap();
    let replay = expected.replay().unwrap();
    for event in expected.events() {
        let digest = event.sha384().unwrap();
        let offset = bytes
            .windows(48)
            .position(|window| window == digest)
            .unwrap();
        let mut forged = bytes.clone();
        forged[offset] ^= 1;
        assert_ne!(EventLog::parse(&forged).unwrap().replay().unwrap(), replay);
    }
}

/// Logs that another parser's answer lies beside.
const EXPECTED: [&str; 5] = [
    "CCEL_data",
    "CCEL_data_grub",
    "CCEL_data_grub_gke",
    "CCEL_data_ovmf",
    "CCEL_AAEL_alibabacloud",
];

#[test]
fn logs_are_read_as_others_read_them() {
    let Some(folder) = vectors() else { return };
    let folder = folder.join("trustee/eventlog");
    for name in EXPECTED {
        let expected = fs::read(folder.join(format!("{name}_out.json"))).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let expected = expected["uefi_event_logs"].as_array().unwrap().clone();
        let log = log(&folder.join(name));
        assert_eq!(log.events().len(), expected.len(), "{name}");
        for (event, expected) in log.events().iter().zip(&expected) {
            compare(event, expected);
        }
        log.replay().unwrap();
    }
}

fn compare(event: &Event, expected: &Value) {
    assert_eq!(event.register, expected["index"].as_u64().unwrap() as u32);
    assert_eq!(event.kind.name(), expected["type_name"].as_str());
    let digest = expected["digests"][0]["digest"].as_str().unwrap();
    assert_eq!(event.sha384().unwrap()[..], hex::decode(digest).unwrap());
    assert_eq!(
        event.data,
        STANDARD
            .decode(expected["event"].as_str().unwrap())
            .unwrap()
    );
    compare_coverage(event, expected["digest_matches_event"].as_bool().unwrap());
    compare_description(&event.description(), &expected["details"]);
}

/// The other parser compares with the whole event data only.
fn compare_coverage(event: &Event, matches_event: bool) {
    let finds_more = matches!(event.kind, EventType::EFI_VARIABLE_BOOT | EventType::IPL);
    match event.coverage() {
        Coverage::Confirmed => assert!(matches_event || finds_more, "{}", event.kind),
        Coverage::Hint => assert!(!matches_event, "{}", event.kind),
        Coverage::Contradicted => panic!("{} is not of its data", event.kind),
    }
}

fn compare_description(description: &str, details: &Value) {
    for field in ["string", "unicode_name"] {
        let expected = details[field].as_str().unwrap_or_default();
        let is_told = description.contains(expected) || expected == "AAEL";
        assert!(is_told, "{description:?} without {expected:?}");
    }
    let nodes = details["device_paths"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for node in nodes.iter().filter_map(Value::as_str) {
        if let Some(file) = node
            .strip_prefix("File(")
            .and_then(|file| file.strip_suffix(')'))
        {
            assert!(
                description.contains(file),
                "{description:?} without {file:?}"
            );
        }
    }
}

#[test]
fn a_log_of_sm3_is_refused_as_unsupported() {
    let Some(folder) = vectors() else { return };
    let bytes = fs::read(folder.join("trustee/eventlog/CCEL_data_csv")).unwrap();
    assert_eq!(EventLog::parse(&bytes), Err(EventLogError::Algorithm(0x12)));
}

#[test]
fn a_log_of_a_tpm_is_read_and_not_replayed_to_rtmrs() {
    let Some(folder) = vectors() else { return };
    let log = log(&folder.join("dstack/eventlog/tpm_eventlog.bin"));
    assert_eq!(log.events().len(), 45);
    let event = &log.events()[2];
    assert_eq!(event.kind, EventType::S_CRTM_VERSION);
    assert_eq!(event.coverage(), Coverage::Confirmed);
    assert_eq!(event.digest(Algorithm::Sha1).map(<[u8]>::len), Some(20));
    assert_eq!(log.replay().unwrap_err().code(), "eventlog.register");
}

#[test]
fn the_command_line_is_told_and_confirmed() {
    let Some(folder) = vectors() else { return };
    let log = log(&folder.join("go-tdx-guest/ccel/ccel_data.dat"));
    let told = |text: &str| {
        let mut events = log.events().iter();
        let event = events.find(|event| event.description().contains(text));
        event.expect(text).coverage()
    };
    assert_eq!(
        told("kernel_cmdline: /syslinux/vmlinuz.A init="),
        Coverage::Confirmed
    );
    assert_eq!(told("SecureBoot: 00"), Coverage::Confirmed);
    assert_eq!(told("12 partitions: "), Coverage::Confirmed);
    assert_eq!(told("Boot0001: UEFI nvm"), Coverage::Confirmed);
    assert_eq!(told("BOOTX64.EFI"), Coverage::Hint);
}

#[test]
fn every_log_at_hand_is_read() {
    let Some(folder) = vectors() else { return };
    for (name, events) in [
        ("go-tdx-guest/ccel/ccel_data.dat", 43),
        ("trustee/eventlog/CCEL_data", 5),
        ("trustee/eventlog/CCEL_data_gcp", 21),
        ("trustee/eventlog/CCEL_data_grub", 37),
        ("trustee/eventlog/CCEL_data_grub_gke", 35),
        ("trustee/eventlog/CCEL_data_ovmf", 20),
        ("trustee/eventlog/CCEL_AAEL_alibabacloud", 87),
        ("dstack/eventlog/ccel.bin", 18),
    ] {
        let log = log(&folder.join(name));
        assert_eq!(log.events().len(), events, "{name}");
        log.replay().unwrap();
    }
}
