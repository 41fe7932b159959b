//! An Azure confidential VM: HCL report, endorsements and TPM quote.

use crate::{
    Trust, snp, tdx,
    value::{At, Bytes, Bytes32},
    verdict::{Fault, Refusal, Verdict, told},
};
use attestation::{
    tdx::Collateral,
    vtpm::{
        self, AzureClaims, AzureError, AzureEvidence, AzureRoots, Endorsements, HardwareClaims,
        HardwareKind, TpmQuote,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Evidence of one VM.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Azure {
    hcl_report: Bytes,
    /// The VCEK, DER.
    vek: Option<Bytes>,
    chain: Vec<Bytes>,
    crls: Vec<Bytes>,
    /// Of TDX: a quote over the TDREPORT.
    td_quote: Option<Bytes>,
    /// Intel's collateral, the JSON document that [`Collateral::from_json`] reads.
    collateral: Option<Bytes>,
    quote: Option<Quote>,
    /// Absent: freshness is not checked.
    nonce: Option<Bytes>,
    at: At,
}

/// A quote by the vTPM.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quote {
    message: Bytes,
    signature: Bytes,
    pcrs: Option<Vec<Bytes32>>,
}

impl Azure {
    pub(crate) fn judge(&self, trust: &Trust) -> Verdict {
        match self.verify(trust) {
            Ok(claims) => {
                let steps = HardwareKind::of(&self.hcl_report.0).map(vtpm::steps);
                let steps = told(&steps.unwrap_or_default(), |step| claims.detail(step));
                Verdict::authentic(steps, summary(&claims), faults(&claims))
            }
            Err(error) => Verdict::refused(error.into()),
        }
    }

    fn verify(&self, trust: &Trust) -> Result<AzureClaims, AzureError> {
        let [chain, crls] = [&self.chain, &self.crls].map(|all| Bytes::slices(all));
        let document = self.collateral.as_ref();
        let collateral = document.map(|document| Collateral::from_json(&document.0));
        let collateral = collateral.transpose()?;
        let endorsements = match (&self.vek, &self.td_quote) {
            (Some(vek), _) => Endorsements::Snp {
                vek: &vek.0,
                chain: &chain,
                crls: &crls,
            },
            (None, Some(quote)) => Endorsements::Tdx {
                quote: &quote.0,
                collateral: collateral.as_ref(),
            },
            (None, None) => Endorsements::Missing,
        };
        let pcrs = self.quote.as_ref().and_then(Quote::pcrs);
        let evidence = AzureEvidence {
            hcl_report: &self.hcl_report.0,
            endorsements,
            quote: self.quote.as_ref().map(|quote| TpmQuote {
                message: &quote.message.0,
                signature: &quote.signature.0,
                pcrs: pcrs.as_deref(),
            }),
        };
        let roots = AzureRoots {
            snp: trust.roots.snp.clone(),
            tdx: trust.roots.tdx.clone(),
        };
        let nonce = self.nonce.as_ref().map(|nonce| nonce.0.as_slice());
        vtpm::verify(&evidence, &roots, nonce, self.at.0)
    }
}

impl Quote {
    fn pcrs(&self) -> Option<Vec<[u8; 32]>> {
        let pcrs = self.pcrs.as_ref()?;
        Some(pcrs.iter().map(|pcr| pcr.0).collect())
    }
}

fn faults(claims: &AzureClaims) -> Vec<Fault> {
    match &claims.hardware {
        HardwareClaims::Snp(claims) => snp::faults(claims),
        HardwareClaims::Tdx(claims) => tdx::faults(claims),
        _ => vec![Fault::new("azure.hardware", "of a kind that is not known")],
    }
}

fn summary(claims: &AzureClaims) -> Value {
    let quote = &claims.quote;
    let pcrs = quote.pcrs.iter().flatten();
    let pcrs = pcrs.map(|pcr| json!({"index": pcr.index, "value": hex::encode(pcr.value)}));
    json!({
        "hardware": match &claims.hardware {
            HardwareClaims::Snp(claims) => snp::summary(claims),
            HardwareClaims::Tdx(claims) => tdx::summary(claims),
            _ => Value::Null,
        },
        "hcl_version": claims.hcl_version,
        "secure_boot": claims.vm_configuration.secure_boot,
        "user_data": claims.user_data.map(hex::encode),
        "attestation_key_sha256": hex::encode(claims.attestation_key_sha256),
        "extra_data": hex::encode(&quote.extra_data),
        "pcr_digest": hex::encode(quote.pcr_digest),
        "pcrs": pcrs.collect::<Vec<_>>(),
        "not_after": claims.not_after.to_rfc3339(),
    })
}

impl From<AzureError> for Refusal {
    fn from(error: AzureError) -> Self {
        Self {
            code: error.code(),
            class: error.class(),
            is_retryable: error.retryable(),
            message: error.to_string(),
        }
    }
}
