//! The cases of Intel TDX. What is expected is what Intel's specifications say, none of it copied from a verifier's answers.

mod accepted;
mod collateral;
mod malformed;
mod rejected;

use crate::{
    NOW,
    suite::{Case, Expect, Input, Suite, Verdict},
};
use std::path::Path;
use tee_sim::tdx::{Draft, EventLog, Intel, Issued};

/// How something is made wrong, or different and right.
pub(crate) enum Change {
    /// Then signed like the truth.
    Before(fn(&mut Draft)),
    /// On the way.
    After(fn(&mut Issued)),
}

/// Title, section of a specification, code, change.
type Fault = (&'static str, &'static str, &'static str, Change);

pub(crate) const QUOTE: &str = "Intel TDX DCAP Quote Generation Library, appendix A.3";
pub(crate) const TCB_INFO: &str = "Intel PCS API v4, Get TDX TCB Info";
pub(crate) const QE_IDENTITY: &str = "Intel PCS API v4, Get TD QE Identity";
pub(crate) const PCK: &str = "Intel SGX PCK Certificate and CRL Profile Specification";
pub(crate) const PATH: &str = "RFC 5280 section 6.1";
pub(crate) const LIST: &str = "RFC 5280 section 6.3";
pub(crate) const LOG: &str = "TCG PC Client Platform Firmware Profile section 10";

/// What every quote is over.
const REPORT_DATA: [u8; 64] = [0x42; 64];

pub(crate) fn write(testdata: &Path) {
    let mut suite = Suite::new(testdata, "tdx");
    let intel = Intel::invent(NOW);
    share(&mut suite, &intel);
    for (title, section, claims, change) in accepted::CASES {
        let expect = Expect::accept(claims);
        suite.write(case((title, section), expect, changed(&intel, change)));
    }
    for (verdict, faults) in [
        (Verdict::Malformed, malformed::FAULTS),
        (Verdict::Incomplete, malformed::INCOMPLETE),
        (Verdict::Reject, rejected::FAULTS),
    ] {
        for (title, section, code, change) in faults {
            let expect = Expect::refuse(verdict, code);
            suite.write(case((title, section), expect, changed(&intel, change)));
        }
    }
}

/// Some events of a boot: the separator in every register, and what was loaded.
pub(crate) fn boot_log() -> EventLog {
    const SEPARATOR: u32 = 4;
    const ACTION: u32 = 5;
    const EVENT_TAG: u32 = 6;
    EventLog::new()
        .event(0, SEPARATOR, &[0; 4])
        .event(1, ACTION, b"Calling EFI Application from Boot Option")
        .event(1, SEPARATOR, &[0; 4])
        .event(2, EVENT_TAG, b"linux kernel command line")
        .event(3, EVENT_TAG, b"launch configuration")
}

/// What is right in nearly every case.
fn share(suite: &mut Suite, intel: &Intel) {
    let issued = intel.issue(&REPORT_DATA, NOW);
    suite.share("roots/root.der", &issued.root);
    suite.share("shared/quote.bin", &issued.quote);
    if let Some(genuine) = &issued.collateral {
        suite.share("shared/collateral.json", &collateral::to_json(genuine));
    }
    suite.share("shared/event-log.bin", &boot_log().to_bytes());
}

fn changed(intel: &Intel, change: &Change) -> Issued {
    match change {
        Change::Before(edit) => intel.with(edit).issue(&REPORT_DATA, NOW),
        Change::After(edit) => {
            let mut issued = intel.issue(&REPORT_DATA, NOW);
            edit(&mut issued);
            issued
        }
    }
}

fn case<'a>(
    (title, specification): (&'a str, &'a str),
    expect: Expect<'a>,
    issued: Issued,
) -> Case<'a> {
    let mut inputs = vec![
        Input::File("root", "root.der", issued.root),
        Input::File("quote", "quote.bin", issued.quote),
    ];
    let document = issued.collateral.as_ref().map(collateral::to_json);
    inputs.extend(document.map(|json| Input::File("collateral", "collateral.json", json)));
    let log = issued.event_log;
    inputs.extend(log.map(|log| Input::File("event_log", "event-log.bin", log)));
    Case {
        title,
        specification,
        at: issued.now,
        inputs,
        expect,
    }
}
