//! The simulated event log as the production parser reads and replays it.

use attestation::eventlog;
use tee_sim::tdx::EventLog;

const EV_EVENT_TAG: u32 = 6;

#[test]
fn the_replay_is_what_the_simulator_says() {
    let log = EventLog::new()
        .event(0, EV_EVENT_TAG, b"firmware")
        .event(2, EV_EVENT_TAG, b"kernel")
        .event(2, EV_EVENT_TAG, b"command line");
    let parsed = eventlog::EventLog::parse(&log.to_bytes()).unwrap();
    assert_eq!(parsed.events().len(), 3);
    assert_eq!(parsed.replay().unwrap(), log.rtmrs());
    assert_eq!(log.rtmrs()[1], [0; 48], "untouched");
    assert_ne!(log.rtmrs()[0], [0; 48]);
}

#[test]
fn a_log_without_events_gives_zeros() {
    let parsed = eventlog::EventLog::parse(&EventLog::new().to_bytes()).unwrap();
    assert_eq!(parsed.replay().unwrap(), [[0; 48]; 4]);
}
