//! An AMD SEV-SNP report with its endorsements.

use crate::{
    Trust,
    value::{At, Bytes},
    verdict::{Fault, Refusal, Verdict, told},
};
use attestation::snp::{self, STEPS, SnpClaims, SnpError};
use serde::Deserialize;
use serde_json::{Value, json};

/// MIGRATE_MA of the guest policy (AMD 56860 table 10): a migration agent may be associated with the guest.
const MIGRATE_MA: u64 = 1 << 18;

/// SNP evidence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snp {
    report: Bytes,
    /// VCEK or VLEK, DER.
    vek: Bytes,
    /// Intermediates, DER; empty: the built-in one.
    chain: Vec<Bytes>,
    /// Revocation lists, DER; empty: revocation is not checked.
    crls: Vec<Bytes>,
    at: At,
}

impl Snp {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        match self.verify(trust) {
            Ok(claims) => {
                let steps = told(STEPS, |step| claims.detail(step));
                Verdict::authentic(steps, summary(&claims), faults(&claims))
            }
            Err(error) => Verdict::refused(error.into()),
        }
    }

    fn verify(&self, trust: &Trust) -> Result<SnpClaims, SnpError> {
        let evidence = snp::Evidence {
            report: &self.report.0,
            vek: &self.vek.0,
            chain: &Bytes::slices(&self.chain),
        };
        let crls = Bytes::slices(&self.crls);
        snp::verify(&evidence, &crls, &trust.roots.snp, self.at.0)
    }
}

/// What no guest should be.
pub(crate) fn faults(claims: &SnpClaims) -> Vec<Fault> {
    let debug = Fault::new("snp.debug", "the guest can be debugged by its host");
    let migratable = Fault::new("snp.migratable", "a migration agent may take the guest");
    let is_migratable = claims.guest_policy & MIGRATE_MA != 0;
    [(claims.debug, debug), (is_migratable, migratable)]
        .into_iter()
        .filter_map(|(is_at_fault, fault)| is_at_fault.then_some(fault))
        .collect()
}

/// The claims in short.
pub(crate) fn summary(claims: &SnpClaims) -> Value {
    json!({
        "version": claims.version,
        "product": claims.product.name(),
        "guest_policy": format!("{:#x}", claims.guest_policy),
        "debug": claims.debug,
        "vmpl": claims.vmpl,
        "signing_key": claims.signing_key.to_string(),
        "measurement": hex::encode(claims.measurement),
        "host_data": hex::encode(claims.host_data),
        "report_data": hex::encode(claims.report_data),
        "chip_id": claims.chip_id.map(hex::encode),
        "reported_tcb": claims.reported_tcb.to_string(),
        "not_after": claims.not_after.to_rfc3339(),
    })
}

impl From<SnpError> for Refusal {
    fn from(error: SnpError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            is_retryable: error.retryable(),
            message: error.to_string(),
        }
    }
}
