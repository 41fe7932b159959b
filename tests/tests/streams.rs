//! Many sealed streams at once: all of them whole, and every slot given back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, time::Duration};
use tests::streams::Load;

/// The gateway's limit is the number of streams: a slot that the first wave kept would fail the second.
#[tokio::test(flavor = "multi_thread")]
async fn every_stream_is_whole_and_every_slot_is_given_back() {
    let load = Load {
        streams: 200,
        connections: 2,
        pace: Duration::from_millis(20),
        hold: Duration::from_millis(200),
        waves: 2,
    };
    let program = Path::new(env!("CARGO_BIN_EXE_narthex-streams"));
    let report = load.run(program).await.unwrap();
    assert_eq!(report.waves.len(), 2);
    for wave in &report.waves {
        assert_eq!((wave.held, wave.whole), (200, 200));
        let (sent, read) = wave.records;
        assert_eq!(sent, read);
        assert!(sent >= 400, "a first and a last record in each");
    }
    assert_eq!(report.ends, (400, 0));
    assert_eq!(report.in_flight, 0);
}
