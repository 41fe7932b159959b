//! An Intel TDX quote with its collateral and its event log.

use crate::{
    Trust,
    value::{At, Bytes},
    verdict::{Fault, Refusal, Verdict, told},
};
use attestation::{
    eventlog::{Coverage, Event},
    tdx::{self, Collateral, STEPS, TcbStatus, TdxClaims, TdxError},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// TDX evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tdx {
    quote: Bytes,
    /// CCEL; absent: the RTMRs are not explained.
    event_log: Option<Bytes>,
    /// Intel's collateral, the JSON document that [`Collateral::from_json`] reads.
    collateral: Option<Bytes>,
    at: At,
}

impl Tdx {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        match self.verify(trust) {
            Ok(claims) => {
                let steps = told(STEPS, |step| claims.detail(step));
                Verdict::authentic(steps, summary(&claims), faults(&claims))
            }
            Err(error) => Verdict::refused(error.into()),
        }
    }

    fn verify(&self, trust: &Trust) -> Result<TdxClaims, TdxError> {
        let document = self.collateral.as_ref();
        let collateral = document.map(|document| Collateral::from_json(&document.0));
        let collateral = collateral.transpose()?;
        let evidence = tdx::Evidence {
            quote: &self.quote.0,
            event_log: self.event_log.as_ref().map(|log| log.0.as_slice()),
        };
        tdx::verify(&evidence, collateral.as_ref(), &trust.roots.tdx, self.at.0)
    }
}

/// What no TD should be.
pub(crate) fn faults(claims: &TdxClaims) -> Vec<Fault> {
    let attributes = claims.td.attributes;
    let status = Fault::new("tdx.tcb.status", claims.tcb.status.name());
    let debug = Fault::new(
        "tdx.debug",
        "the TD can be debugged or profiled by its host",
    );
    let migratable = Fault::new("tdx.migratable", "a migration TD may take the TD");
    [
        (claims.tcb.status != TcbStatus::UpToDate, status),
        (attributes.under_debug(), debug),
        (attributes.migratable(), migratable),
    ]
    .into_iter()
    .filter_map(|(is_at_fault, fault)| is_at_fault.then_some(fault))
    .collect()
}

/// The claims in short.
pub(crate) fn summary(claims: &TdxClaims) -> Value {
    let td = &claims.td;
    json!({
        "version": claims.version,
        "attributes": format!("{:#x}", td.attributes.0),
        "debug": td.attributes.debug(),
        "mr_td": hex::encode(td.mr_td),
        "rtmrs": td.rtmrs.map(hex::encode),
        "report_data": hex::encode(td.report_data),
        "mr_config_id": hex::encode(td.mr_config_id),
        "fmspc": hex::encode(claims.platform.fmspc),
        "tcb_status": claims.tcb.status.name(),
        "advisory_ids": claims.tcb.advisory_ids,
        "events": claims.events.as_deref().map(events),
        "not_after": claims.not_after.to_rfc3339(),
    })
}

fn events(events: &[Event]) -> Value {
    let told = events.iter().map(|event| {
        json!({
            "rtmr": event.rtmr(),
            "type": event.kind.to_string(),
            "digest": event.sha384().map(hex::encode),
            "description": event.description(),
            "coverage": coverage(event.coverage()),
        })
    });
    told.collect()
}

const fn coverage(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Confirmed => "confirmed",
        Coverage::Contradicted => "contradicted",
        Coverage::Hint => "hint",
    }
}

impl From<TdxError> for Refusal {
    fn from(error: TdxError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            is_retryable: error.retryable(),
            message: error.to_string(),
        }
    }
}
