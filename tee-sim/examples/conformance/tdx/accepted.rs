//! What is authentic and current, with what must be told of it: a status is no verdict, and a wrong status is a wrong answer.

use super::{
    Change::{self, After, Before},
    LIST, LOG, PATH, PCK, QE_IDENTITY, QUOTE, TCB_INFO, boot_log,
};
use crate::NOW;
use tee_sim::{
    tdx::{Body, Draft, PckSource, TcbStatus},
    x509::Name,
};

/// Title, section of a specification, claims, change.
type Accepted = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Change,
);

const UP_TO_DATE: &[(&str, &str)] = &[("tcb_status", "UpToDate"), ("debug", "false")];
const OUT_OF_DATE: &[(&str, &str)] = &[("tcb_status", "OutOfDate")];
const CONFIGURATION: &[(&str, &str)] = &[("tcb_status", "ConfigurationNeeded")];
const OUT_OF_DATE_CONFIGURATION: &[(&str, &str)] =
    &[("tcb_status", "OutOfDateConfigurationNeeded")];
const HARDENING: &[(&str, &str)] = &[("tcb_status", "SWHardeningNeeded")];
const RELAUNCH: &[(&str, &str)] = &[("tcb_status", "TDRelaunchAdvised")];
const RELAUNCH_CONFIGURATION: &[(&str, &str)] =
    &[("tcb_status", "TDRelaunchAdvisedConfigurationNeeded")];
const DEBUG: &[(&str, &str)] = &[("debug", "true")];

const STATUS: &str = "Intel PCS API v4, TCB status; Intel QVL, convergeTcbStatuses";
const RELAUNCH_RULE: &str = "Intel QVL, checkForRelaunch";

#[rustfmt::skip]
pub(super) const CASES: &[Accepted] = &[
    ("Quote version 5 of TDX 1.5", QUOTE, UP_TO_DATE, Before(|_| ())),
    ("Quote version 4 of TDX 1.0", QUOTE, UP_TO_DATE, Before(|d| {
        d.quote.version = 4;
        d.quote.body = Body::td10();
    })),
    ("Quote version 5 of TDX 1.0", QUOTE, UP_TO_DATE, Before(|d| d.quote.body = Body::td10())),
    ("Quote version 5 of TDX 1.5 with its extension", QUOTE, UP_TO_DATE, Before(|d| d.quote.body = Body::td15_ex())),
    ("Zeros behind the quote", QUOTE, UP_TO_DATE, Before(|d| d.quote.padding = 512)),
    ("PCK chain in the collateral", QUOTE, UP_TO_DATE, Before(|d| d.quote.pck = PckSource::Collateral)),
    ("PCK under the Processor CA", PCK, UP_TO_DATE, Before(processor_ca)),
    ("PCK without configuration and platform instance", PCK, UP_TO_DATE, Before(|d| {
        if let Some(sgx) = &mut d.sgx {
            sgx.omitted = vec![6, 7];
        }
    })),
    ("Event log that replays to the RTMRs", LOG, UP_TO_DATE, Before(|d| d.log_events(boot_log()))),
    ("Levels in another order", TCB_INFO, UP_TO_DATE, Before(|d| d.tcb_info.tcb_levels.reverse())),
    ("Newer components than any level", TCB_INFO, UP_TO_DATE, Before(|d| set_cpu_svn(d, 0, 99))),
    ("Another certificate revoked", LIST, UP_TO_DATE, Before(|d| {
        d.root_ca_crl.revoked = vec![vec![9]];
        d.pck_crl.revoked = vec![vec![9]];
    })),
    ("Judged in the last second of TCB info", TCB_INFO, UP_TO_DATE, Before(|d| d.tcb_info.next_update = NOW.to_rfc3339())),
    ("Judged in the last second of the QE identity", QE_IDENTITY, UP_TO_DATE, Before(|d| d.qe_identity.next_update = NOW.to_rfc3339())),
    ("Judged in the last second of the PCK certificate", PATH, UP_TO_DATE, Before(|d| d.pck.validity.not_after = NOW)),
    ("TD under debug", "Intel TDX Module ABI 348551, ATTRIBUTES", DEBUG, Before(|d| d.quote.body.report_mut().td_attributes |= 1)),
    ("Out-of-date platform under a current module", STATUS, OUT_OF_DATE, Before(|d| set_cpu_svn(d, 0, 3))),
    ("Out-of-date PCE", STATUS, OUT_OF_DATE, Before(|d| {
        if let Some(sgx) = &mut d.sgx {
            sgx.pce_svn = 5;
        }
    })),
    ("Out-of-date module on a current platform", STATUS, OUT_OF_DATE, Before(|d| set_module_svn(d, 4, 4))),
    ("Out-of-date quoting enclave", STATUS, OUT_OF_DATE, Before(|d| d.quote.qe_report.isv_svn = 2)),
    ("Platform that needs configuration", STATUS, CONFIGURATION, Before(|d| first_level(d, TcbStatus::ConfigurationNeeded))),
    ("Platform that needs software hardening", STATUS, HARDENING, Before(|d| first_level(d, TcbStatus::SWHardeningNeeded))),
    ("Out-of-date module on a platform that needs configuration", STATUS, OUT_OF_DATE_CONFIGURATION, Before(|d| {
        first_level(d, TcbStatus::ConfigurationNeeded);
        set_module_svn(d, 4, 4);
    })),
    ("Module mended since the launch", RELAUNCH_RULE, RELAUNCH, Before(|d| set_module_svn(d, 4, 7))),
    ("Module mended since the launch on a platform that needs configuration", RELAUNCH_RULE, RELAUNCH_CONFIGURATION, Before(|d| {
        first_level(d, TcbStatus::ConfigurationNeeded);
        set_module_svn(d, 4, 7);
    })),
    ("Judged a minute later", PATH, UP_TO_DATE, After(|i| i.now = i.now.plus(60))),
];

fn processor_ca(draft: &mut Draft) {
    let name = Name::intel("Intel SGX PCK Processor CA");
    draft.pck_ca.subject = name.clone();
    draft.pck.issuer = name.clone();
    draft.pck_crl.issuer = name;
}

/// The level that the platform meets.
fn first_level(draft: &mut Draft, status: TcbStatus) {
    draft.tcb_info.tcb_levels[0].tcb_status = status;
}

/// One component of CPUSVN.
fn set_cpu_svn(draft: &mut Draft, component: usize, svn: u8) {
    if let Some(sgx) = &mut draft.sgx {
        sgx.cpu_svn[component] = svn;
    }
}

/// The module's SVN at launch and now.
fn set_module_svn(draft: &mut Draft, launch: u8, now: u8) {
    draft.quote.body.report_mut().tee_tcb_svn[0] = launch;
    if let Some(td15) = draft.quote.body.td15_mut() {
        td15.tee_tcb_svn2[0] = now;
    }
}
