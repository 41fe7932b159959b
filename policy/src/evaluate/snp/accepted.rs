//! What the report says of the guest, against the lists of what is accepted.

use super::super::reference_values::Accepted;
use crate::{Reason, evaluate::Ends, snp::SnpRules};
use attestation::{UnixTime, snp::SnpClaims};

/// Every list of reference values in `[snp]`.
pub(super) struct Lists<'a> {
    measurement: Accepted<'a, 48>,
    host_data: Accepted<'a, 32>,
    id_key: Accepted<'a, 48>,
    author_key: Accepted<'a, 48>,
    family_id: Accepted<'a, 16>,
    image_id: Accepted<'a, 16>,
}

impl<'a> Lists<'a> {
    pub(super) const fn of(rules: &'a SnpRules) -> Self {
        let identity = &rules.identity;
        Self {
            measurement: Accepted {
                code: "policy.snp.measurement",
                rule: "snp.measurements",
                values: Some(&rules.measurements),
            },
            host_data: Accepted {
                code: "policy.snp.host_data",
                rule: "snp.host_data",
                values: identity.host_data.as_ref(),
            },
            id_key: Accepted {
                code: "policy.snp.id_key",
                rule: "snp.id_keys",
                values: identity.id_keys.as_ref(),
            },
            author_key: Accepted {
                code: "policy.snp.author_key",
                rule: "snp.author_keys",
                values: identity.author_keys.as_ref(),
            },
            family_id: Accepted {
                code: "policy.snp.family_id",
                rule: "snp.family_ids",
                values: identity.family_ids.as_ref(),
            },
            image_id: Accepted {
                code: "policy.snp.image_id",
                rule: "snp.image_ids",
                values: identity.image_ids.as_ref(),
            },
        }
    }

    pub(super) fn reasons(&self, claims: &SnpClaims, now: UnixTime) -> Vec<Reason> {
        let mut reasons = Vec::new();
        reasons.extend(self.measurement.reason(&claims.measurement, now));
        reasons.extend(self.host_data.reason(&claims.host_data, now));
        reasons.extend(self.id_key.reason(&claims.id_key_digest, now));
        reasons.extend(self.author_key.reason(&claims.author_key_digest, now));
        reasons.extend(self.family_id.reason(&claims.family_id, now));
        reasons.extend(self.image_id.reason(&claims.image_id, now));
        reasons
    }

    /// The ends of the entries that the claims rest on.
    pub(super) fn ends(&self, claims: &SnpClaims, ends: &mut Ends) {
        ends.rule(self.measurement.end(&claims.measurement));
        ends.rule(self.host_data.end(&claims.host_data));
        ends.rule(self.id_key.end(&claims.id_key_digest));
        ends.rule(self.author_key.end(&claims.author_key_digest));
        ends.rule(self.family_id.end(&claims.family_id));
        ends.rule(self.image_id.end(&claims.image_id));
    }
}
