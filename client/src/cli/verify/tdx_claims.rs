//! The claims of a TD quote, for people and programs, and what is said of them without a policy.

use crate::Check;
use attestation::{
    eventlog::{Coverage, Event},
    tdx::{PlatformClaims, TcbClaims, TcbStatus, TdReport, TdReport15Ex, TdxClaims},
};
use serde_json::{Value, json};

const ABI: &str = "Intel TDX module ABI 348551";
const PCS: &str = "Intel PCS API v4";

/// What no TD should be, policy or not.
pub(super) fn minimum(claims: &TdxClaims) -> Vec<Check> {
    let mut checks = vec![status(&claims.tcb)];
    checks.extend(attributes(&claims.td));
    checks
}

/// What its attributes say of an authentic TD, whatever is known of its platform.
pub(super) fn attributes(td: &TdReport) -> [Check; 2] {
    let attributes = td.attributes;
    let debug = if attributes.under_debug() {
        Check::fail(
            "tdx.debug",
            "the TD can be debugged or profiled by its host",
        )
    } else {
        Check::pass("tdx.debug", "the TD cannot be debugged")
    };
    let migratable = if attributes.migratable() {
        Check::fail("tdx.migratable", "a migration TD may take the TD")
    } else {
        Check::pass("tdx.migratable", "the TD cannot be migrated")
    };
    let raw = format!("attributes {:#x}", attributes.0);
    [debug, migratable].map(|check| check.section(ABI).detail(raw.clone()))
}

fn status(tcb: &TcbClaims) -> Check {
    let check = if tcb.status == TcbStatus::UpToDate {
        Check::pass("tdx.tcb.status", "the TCB is up to date")
    } else {
        Check::fail("tdx.tcb.status", "the TCB is not up to date")
    };
    let since = tcb.out_of_date_since.map_or_else(String::new, |since| {
        format!(", with levels of {}", since.to_rfc3339())
    });
    check.section(PCS).detail(format!("{}{since}", tcb.status))
}

/// What is worth knowing and decides nothing here.
pub(super) fn remarks(claims: &TdxClaims) -> Vec<Check> {
    let mut remarks = vec![
        Check::info("tdx.measurement", "initial measurement (MRTD)")
            .detail(hex::encode(claims.td.mr_td)),
    ];
    remarks.extend(claims.tcb.behind().map(|component| {
        Check::info("tdx.tcb.behind", "a component is behind").detail(component.to_string())
    }));
    let advisories = claims.tcb.advisory_ids.iter();
    remarks.extend(advisories.map(|id| {
        Check::info("tdx.tcb.advisory", "the TCB is exposed to an advisory").detail(id.clone())
    }));
    remarks.extend(of_td(claims));
    remarks.extend(claims.events.as_deref().and_then(contradicted));
    remarks
}

/// Events whose digests are not of what the log says was measured.
fn contradicted(events: &[Event]) -> Option<Check> {
    let is_wrong = |event: &&Event| event.coverage() == Coverage::Contradicted;
    let count = events.iter().filter(is_wrong).count();
    let title = "the event log tells of events that were not measured so";
    (count > 0).then(|| Check::info("tdx.event_log.contradicted", title).detail(count.to_string()))
}

fn of_td(claims: &TdxClaims) -> Vec<Check> {
    let mut remarks = Vec::new();
    let attributes = claims.td.attributes;
    if let Some(hash) = claims.td.service_td() {
        remarks.push(
            Check::info("tdx.service_td", "service TDs are bound to the TD")
                .detail(format!("MRSERVICETD {}", hex::encode(hash))),
        );
    }
    if !attributes.sept_ve_disable() {
        remarks.push(
            Check::info("tdx.sept_ve_disable", "SEPT_VE_DISABLE is clear")
                .detail("the host can make the TD take a #VE on its own pages"),
        );
    }
    if attributes.perfmon() {
        remarks.push(Check::info(
            "tdx.perfmon",
            "performance counters may be used",
        ));
    }
    remarks
}

pub(super) fn policy_remark() -> Check {
    Check::info("policy.node", "not judged")
        .detail("model, runtime and freshness are in a node's bundle: narthex verify bundle")
}

/// The claims as JSON; bytes in hexadecimal.
pub(super) fn document(claims: &TdxClaims) -> Value {
    let td = &claims.td;
    let attributes = td.attributes;
    json!({
        "version": claims.version,
        "body": td.body_name(),
        "attributes": format!("{:#x}", attributes.0),
        "debug": attributes.debug(),
        "sept_ve_disable": attributes.sept_ve_disable(),
        "migratable": attributes.migratable(),
        "pks": attributes.pks(),
        "perfmon": attributes.perfmon(),
        "xfam": format!("{:#x}", td.xfam),
        "mr_td": hex::encode(td.mr_td),
        "rtmrs": td.rtmrs.map(hex::encode),
        "report_data": hex::encode(td.report_data),
        "mr_config_id": hex::encode(td.mr_config_id),
        "mr_owner": hex::encode(td.mr_owner),
        "mr_owner_config": hex::encode(td.mr_owner_config),
        "mr_seam": hex::encode(td.mr_seam),
        "mr_signer_seam": hex::encode(td.mr_signer_seam),
        "seam_attributes": hex::encode(td.seam_attributes),
        "tee_tcb_svn": hex::encode(td.tee_tcb_svn),
        "tee_tcb_svn2": td.v15.as_ref().map(|v15| hex::encode(v15.tee_tcb_svn2)),
        "mr_service_td": td.v15.as_ref().map(|v15| hex::encode(v15.mr_service_td)),
        "extended": td.v15ex.as_ref().map(extended),
        "user_data": hex::encode(claims.user_data),
        "platform": platform(&claims.platform),
        "tcb": tcb(&claims.tcb),
        "events": claims.events.as_deref().map(events),
        "not_after": claims.not_after.to_rfc3339(),
    })
}

fn extended(body: &TdReport15Ex) -> Value {
    json!({
        "vm_id": body.vm_id,
        "td_id": hex::encode(body.td_id),
        "dev_info": hex::encode(body.dev_info),
        "init_service_td_hash": hex::encode(body.init_service_td_hash),
        "init_service_td_attributes": format!("{:#x}", body.init_service_td_attributes),
        "init_cpu_svn": hex::encode(body.init_cpu_svn),
        "init_tee_tcb_svn": hex::encode(body.init_tee_tcb_svn),
        "init_tee_fmspc": hex::encode(body.init_tee_fmspc),
        "cur_service_td_hash": hex::encode(body.cur_service_td_hash),
        "cur_service_td_attributes": format!("{:#x}", body.cur_service_td_attributes),
    })
}

fn platform(platform: &PlatformClaims) -> Value {
    json!({
        "ca": platform.ca.to_string(),
        "ppid": hex::encode(platform.ppid),
        "platform_instance_id": platform.platform_instance_id.map(hex::encode),
        "fmspc": hex::encode(platform.fmspc),
        "pce_id": hex::encode(platform.pce_id),
        "cpu_svn": hex::encode(platform.cpu_svn),
        "pce_svn": platform.pce_svn,
        "sgx_type": platform.sgx_type,
        "dynamic_platform": platform.dynamic_platform,
        "cached_keys": platform.cached_keys,
        "smt_enabled": platform.smt_enabled,
    })
}

fn tcb(tcb: &TcbClaims) -> Value {
    let components = tcb.components.iter().map(|svn| {
        json!({
            "component": svn.component.to_string(),
            "name": svn.name,
            "has": svn.has,
            "needs": svn.needs,
        })
    });
    json!({
        "status": tcb.status.name(),
        "platform_status": tcb.platform_status.name(),
        "module_status": tcb.module_status.map(TcbStatus::name),
        "current_status": tcb.current_status.map(TcbStatus::name),
        "qe_status": tcb.qe_status.name(),
        "date": tcb.date.to_rfc3339(),
        "out_of_date_since": tcb.out_of_date_since.map(|since| since.to_rfc3339()),
        "advisory_ids": tcb.advisory_ids,
        "evaluation_data_number": tcb.evaluation_data_number,
        "qe_evaluation_data_number": tcb.qe_evaluation_data_number,
        "components": components.collect::<Vec<_>>(),
    })
}

fn events(events: &[Event]) -> Value {
    let told = events.iter().map(|event| {
        json!({
            "rtmr": event.rtmr(),
            "type": event.kind.to_string(),
            "digest": event.sha384().map(hex::encode),
            "description": event.description(),
            "coverage": match event.coverage() {
                Coverage::Confirmed => "confirmed",
                Coverage::Contradicted => "contradicted",
                Coverage::Hint => "hint",
            },
        })
    });
    told.collect()
}
