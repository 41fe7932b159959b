//! NVIDIA GPUs and switches: one by itself, or all of a machine.

use crate::{
    Trust,
    value::{At, Bytes, Bytes32},
    verdict::{Refusal, Verdict, told},
};
use attestation::nvidia::{
    self, DeviceClaims, Evidence, EvidenceList, Kind, MACHINE_STEPS, MachineClaims, NvidiaError,
    References, STEPS,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// One device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Device {
    /// SPDM request and response.
    report: Bytes,
    /// DER, leaf first.
    chain: Vec<Bytes>,
    /// Reference integrity manifests, XML.
    rims: Vec<Bytes>,
    /// OCSP responses, DER.
    ocsp: Vec<Bytes>,
    /// Absent: freshness is not checked.
    nonce: Option<Bytes32>,
    at: At,
}

/// Every device of a machine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Machine {
    /// The JSON list of NVIDIA's tools.
    evidence: Bytes,
    rims: Vec<Bytes>,
    ocsp: Vec<Bytes>,
    nonce: Option<Bytes32>,
    at: At,
}

impl Device {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        let evidence = Evidence {
            report: &self.report.0,
            chain: &Bytes::slices(&self.chain),
        };
        let references = references(&self.rims, &self.ocsp);
        let nonce = self.nonce.as_ref().map(|nonce| &nonce.0);
        let roots = &trust.roots.nvidia;
        match nvidia::verify(&evidence, &references, nonce, roots, self.at.0) {
            Ok(claims) => {
                let steps = told(STEPS, |step| claims.detail(step));
                Verdict::authentic(steps, summary(&claims), Vec::new())
            }
            Err(error) => Verdict::refused(error.into()),
        }
    }
}

impl Machine {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        match EvidenceList::from_json(&self.evidence.0) {
            Ok(list) => self.judge_all(&list, trust),
            Err(error) => Verdict::malformed(error.code(), error.to_string()),
        }
    }

    fn judge_all(&self, list: &EvidenceList, trust: &Trust) -> Verdict {
        let chains: Vec<Vec<&[u8]>> = list
            .devices
            .iter()
            .map(|device| device.chain.iter().map(Vec::as_slice).collect())
            .collect();
        let devices = list.devices.iter().zip(&chains);
        let evidence: Vec<Evidence<'_>> = devices
            .map(|(device, chain)| Evidence {
                report: &device.report,
                chain,
            })
            .collect();
        let references = references(&self.rims, &self.ocsp);
        let nonce = self.nonce.as_ref().map(|nonce| &nonce.0);
        let roots = &trust.roots.nvidia;
        match nvidia::verify_all(&evidence, &references, nonce, roots, self.at.0) {
            Ok(claims) => {
                let steps = told(MACHINE_STEPS, |_| String::new());
                Verdict::authentic(steps, machine(&claims), Vec::new())
            }
            Err(refusal) => Verdict::refused(refusal.error.into()),
        }
    }
}

fn references(rims: &[Bytes], ocsp: &[Bytes]) -> References {
    References {
        rims: Bytes::vectors(rims),
        ocsp: Bytes::vectors(ocsp),
    }
}

/// The claims of a machine in short.
pub(crate) fn machine(claims: &MachineClaims) -> Value {
    let devices: Vec<_> = claims.devices.iter().map(summary).collect();
    let topology = &claims.topology;
    json!({
        "devices": devices,
        "gpus": topology.gpus,
        "switches": topology.switches,
        "is_whole": topology.is_whole,
        "nonce": hex::encode(topology.nonce),
    })
}

fn summary(claims: &DeviceClaims) -> Value {
    let device = &claims.device;
    json!({
        "kind": match device.kind() { Kind::Gpu => "gpu", Kind::Switch => "switch" },
        "chip": device.chip,
        "pdi": device.pdi.to_string(),
        "driver_version": device.driver_version,
        "vbios_version": device.vbios_version,
        "nonce": hex::encode(device.nonce),
        "measurements_matched": claims.matched(),
        "not_after": claims.window.not_after.to_rfc3339(),
    })
}

impl From<NvidiaError> for Refusal {
    fn from(error: NvidiaError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            is_retryable: error.retryable(),
            message: error.to_string(),
        }
    }
}
