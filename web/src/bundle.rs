//! Everything that a node offers, with or without collateral of one's own.

use crate::{
    Trust, nvidia, snp, tdx,
    value::{At, Bytes, Bytes32},
    verdict::{Fault, Refusal, Verdict},
};
use attestation::{
    Anchors, CollateralBundle, CpuClaims, EvidenceBundle, NodeClaims, Nonce, VerifyError,
};
use protocol::SignedKeyConfigs;
use serde::Deserialize;
use serde_json::{Value, json};

/// A node's bundle.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bundle {
    /// CBOR.
    bundle: Bytes,
    /// A collateral bundle, CBOR; goes before what the node brings.
    collateral: Option<Bytes>,
    /// Absent: freshness is not checked.
    nonce: Option<Bytes32>,
    at: At,
}

impl Bundle {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        let bundle = match EvidenceBundle::from_cbor(&self.bundle.0) {
            Ok(bundle) => bundle,
            Err(error) => return Verdict::malformed(error.code(), error.to_string()),
        };
        let collateral = self.collateral.as_ref();
        let collateral = collateral.map(|bytes| CollateralBundle::from_cbor(&bytes.0));
        match collateral.transpose() {
            Ok(collateral) => self.judge_node(&bundle, collateral.unwrap_or_default(), trust),
            Err(error) => Verdict::malformed(error.code(), error.to_string()),
        }
    }

    fn judge_node(
        &self,
        bundle: &EvidenceBundle,
        collateral: CollateralBundle,
        trust: &Trust,
    ) -> Verdict {
        let verifier = trust.verifier.clone().with_collateral(collateral);
        let nonce = self.nonce.as_ref().map(|nonce| Nonce(nonce.0));
        match verifier.verify(bundle, nonce.as_ref(), self.at.0) {
            Ok(verified) => {
                let claims = verified.claims();
                let mut faults = faults(&claims.cpu);
                faults.extend(self.key_fault(bundle, claims));
                Verdict::authentic(Value::Null, summary(claims), faults)
            }
            Err(error) => Verdict::refused(error.into()),
        }
    }

    /// What is wrong with the key list, if there is one.
    fn key_fault(&self, bundle: &EvidenceBundle, claims: &NodeClaims) -> Option<Fault> {
        let keys = SignedKeyConfigs::from_bytes(bundle.key_configs.clone()?);
        let verified = keys.verify(&claims.identity, &claims.manifest_digest, self.at.0);
        let error = verified.err()?;
        Some(Fault {
            code: error.code(),
            message: error.to_string(),
        })
    }
}

fn faults(cpu: &CpuClaims) -> Vec<Fault> {
    match cpu {
        CpuClaims::Snp(claims) => snp::faults(claims),
        CpuClaims::Tdx(claims) => tdx::faults(claims),
        _ => vec![Fault::new("cpu", "of a kind that is not known")],
    }
}

fn summary(claims: &NodeClaims) -> Value {
    let (tee, cpu) = match &claims.cpu {
        CpuClaims::Snp(claims) => ("snp", snp::summary(claims)),
        CpuClaims::Tdx(claims) => ("tdx", tdx::summary(claims)),
        _ => ("cpu", Value::Null),
    };
    json!({
        tee: cpu,
        "devices": claims.devices.as_ref().map(nvidia::machine),
        "anchors": match claims.anchors {
            Anchors::Vendor => "vendor",
            Anchors::Custom => "custom",
        },
        "identity": hex::encode(claims.identity.0),
        "binding_id": hex::encode(claims.binding_id.0),
        "manifest_digest": hex::encode(claims.manifest_digest),
        "model": claims.manifest.model,
        "runtime_digest": hex::encode(claims.manifest.runtime_digest),
        "not_after": claims.not_after.to_rfc3339(),
    })
}

impl From<VerifyError> for Refusal {
    fn from(error: VerifyError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            is_retryable: error.retryable(),
            message: error.to_string(),
        }
    }
}
