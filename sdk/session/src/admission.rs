//! An admission as it is shown: who was admitted, for how long, and what was checked.

use crate::{AdmittedNode, trace};
use attestation::{Anchors, CpuClaims};
use policy::Waived;
use serde_json::{Value, json};

/// One admission, or one renewal of a node's keys, in JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    value: Value,
}

impl Admission {
    /// What is known of `node`.
    #[must_use]
    pub fn of(node: &AdmittedNode) -> Self {
        let admitted = node.admitted();
        let (claims, keys) = (admitted.claims(), node.keys());
        Self {
            value: json!({
                "node": node.name(),
                "tee": match &claims.cpu {
                    CpuClaims::Snp(_) => "snp",
                    CpuClaims::Tdx(_) => "tdx",
                    _ => "unknown",
                },
                "devices": claims.devices.as_ref().map_or(0, |machine| machine.devices.len()),
                "anchors": match claims.anchors {
                    Anchors::Vendor => "vendor",
                    Anchors::Custom => "custom",
                },
                "model": {"name": claims.manifest.model, "digest": hex::encode(claims.manifest.model_digest)},
                "identity": hex::encode(claims.identity.0),
                "binding_id": hex::encode(claims.binding_id.0),
                "policy": {"version": admitted.policy_version(), "digest": hex::encode(admitted.policy_digest())},
                "node_policy": {"version": keys.policy_version, "digest": hex::encode(keys.policy_digest)},
                "epoch": keys.epoch,
                "not_after": node.not_after().to_rfc3339(),
                "placement": admitted.placement().map(|placement| json!({
                    "country": placement.country,
                    "site": placement.site,
                    "owner": placement.owner,
                })),
                "waived": admitted.waived().iter().map(waived).collect::<Vec<_>>(),
                "checks": trace::checks(claims),
            }),
        }
    }

    /// A JSON object.
    #[must_use]
    pub const fn to_value(&self) -> &Value {
        &self.value
    }

    /// The same as text.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.value.to_string()
    }
}

/// A reason that an exception waived.
fn waived(waived: &Waived) -> Value {
    json!({
        "code": waived.reason.code,
        "rule": waived.reason.rule,
        "who": waived.who,
        "why": waived.why,
        "until": waived.until.to_rfc3339(),
    })
}
