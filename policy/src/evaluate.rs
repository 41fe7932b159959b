//! Total evaluation: every rule is looked at, every unmet one is told.

mod gpu;
mod reference_values;
mod snp;
mod tdx;
#[cfg(test)]
mod tests;

use crate::{Admitted, Denial, NamedDigest, Policy, Reason, document::AcceptedAnchors};
use attestation::{
    Anchors, CpuClaims, NodeClaims, UnixTime, Verified, nvidia::DeviceClaims, snp::SnpClaims,
    tdx::TdxClaims,
};

/// Most names or characters of a list or a text that a reason repeats.
const MAX_TOLD: usize = 64;

impl Policy {
    /// Judges `verified` at `now`. A `now` before the verification counts as the time of the verification: a clock that
    /// went back gives no longer life.
    pub fn evaluate(
        &self,
        verified: Verified<NodeClaims>,
        now: UnixTime,
    ) -> Result<Admitted, Denial> {
        let reasons = self.reasons(verified.claims(), verified.at(), now);
        if !reasons.is_empty() {
            let policy_version = self.version();
            return Err(Denial {
                policy_version,
                reasons,
            });
        }
        let not_after = self.not_after(&verified);
        Ok(Admitted::new(
            verified,
            self.version(),
            *self.digest(),
            not_after,
        ))
    }

    /// Every unmet rule for claims that were verified at `at`.
    fn reasons(&self, claims: &NodeClaims, at: UnixTime, now: UnixTime) -> Vec<Reason> {
        let now = now.max(at);
        let mut reasons = Vec::new();
        reasons.extend(not_before(self, now));
        reasons.extend(expires(self, now));
        reasons.extend(anchors(self, claims));
        reasons.extend(freshness(self, at, now));
        reasons.extend(collateral(claims, now));
        reasons.extend(cpu(self, claims, now));
        reasons.extend(gpu::reasons(self.gpu(), devices(claims)));
        reasons.extend(models(self, claims));
        reasons.extend(runtime(self, claims));
        reasons
    }

    /// Every unmet rule that one SNP report alone can answer: the policy's window and `[snp]`. It admits nothing: model, runtime and
    /// freshness are a node's to show.
    #[must_use]
    pub fn judge_snp(&self, claims: &SnpClaims, now: UnixTime) -> Vec<Reason> {
        let mut reasons = Vec::new();
        reasons.extend(not_before(self, now));
        reasons.extend(expires(self, now));
        match self.snp() {
            Some(rules) => reasons.extend(snp::reasons(rules, claims, now)),
            None => reasons.push(no_rules("snp", "AMD SEV-SNP")),
        }
        reasons
    }

    /// As [`Policy::judge_snp`], for one TDX quote: the policy's window and `[tdx]`.
    #[must_use]
    pub fn judge_tdx(&self, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
        let mut reasons = Vec::new();
        reasons.extend(not_before(self, now));
        reasons.extend(expires(self, now));
        match self.tdx() {
            Some(rules) => reasons.extend(tdx::reasons(rules, claims, now)),
            None => reasons.push(no_rules("tdx", "Intel TDX")),
        }
        reasons
    }

    /// As [`Policy::judge_snp`], for all devices of one machine: the policy's window and `[gpu]`.
    #[must_use]
    pub fn judge_devices(&self, devices: &[DeviceClaims], now: UnixTime) -> Vec<Reason> {
        let mut reasons = Vec::new();
        reasons.extend(not_before(self, now));
        reasons.extend(expires(self, now));
        reasons.extend(gpu::reasons(self.gpu(), devices));
        reasons
    }

    /// Least of the policy's end, the collateral's, the evidence's greatest age and the end of whatever rule was met for a time.
    fn not_after(&self, verified: &Verified<NodeClaims>) -> UnixTime {
        let stale = verified.at().plus(self.max_age_seconds());
        let ends = [verified.claims().not_after, stale];
        let ends = ends.into_iter().chain(rules_end(self, verified.claims()));
        ends.fold(self.expires(), UnixTime::min)
    }
}

/// Last second at which claims that meet the rules about the CPU still meet them; `None`: they do not end.
fn rules_end(policy: &Policy, claims: &NodeClaims) -> Option<UnixTime> {
    match &claims.cpu {
        CpuClaims::Snp(claims) => snp::end(policy.snp()?, claims),
        CpuClaims::Tdx(claims) => tdx::end(policy.tdx()?, claims),
        _ => None,
    }
}

fn not_before(policy: &Policy, now: UnixTime) -> Option<Reason> {
    (now < policy.not_before()).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.not_before",
        rule: "not_before".to_owned(),
        expected: format!("{} or later", policy.not_before().to_rfc3339()),
        actual: now.to_rfc3339(),
    })
}

fn expires(policy: &Policy, now: UnixTime) -> Option<Reason> {
    (now > policy.expires()).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.expired",
        rule: "expires".to_owned(),
        expected: format!("{} or earlier", policy.expires().to_rfc3339()),
        actual: now.to_rfc3339(),
    })
}

fn anchors(policy: &Policy, claims: &NodeClaims) -> Option<Reason> {
    let denied =
        claims.anchors != Anchors::Vendor && policy.accepted_anchors() == AcceptedAnchors::Vendor;
    denied.then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.anchors",
        rule: "every policy".to_owned(),
        expected: "a vendor's pinned root".to_owned(),
        actual: "a custom root".to_owned(),
    })
}

fn freshness(policy: &Policy, at: UnixTime, now: UnixTime) -> Option<Reason> {
    let age_seconds = now.since(at);
    (age_seconds > policy.max_age_seconds()).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.freshness",
        rule: "freshness.max_age_seconds".to_owned(),
        expected: format!("{} or less", policy.max_age_seconds()),
        actual: age_seconds.to_string(),
    })
}

fn collateral(claims: &NodeClaims, now: UnixTime) -> Option<Reason> {
    (now > claims.not_after).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.collateral",
        rule: "every policy".to_owned(),
        expected: format!("{} or earlier", claims.not_after.to_rfc3339()),
        actual: now.to_rfc3339(),
    })
}

fn cpu(policy: &Policy, claims: &NodeClaims, now: UnixTime) -> Vec<Reason> {
    match (&claims.cpu, policy.snp(), policy.tdx()) {
        (CpuClaims::Snp(claims), Some(rules), _) => snp::reasons(rules, claims, now),
        (CpuClaims::Tdx(claims), _, Some(rules)) => tdx::reasons(rules, claims, now),
        (CpuClaims::Snp(_), None, _) => vec![no_rules("snp", "AMD SEV-SNP")],
        (CpuClaims::Tdx(_), _, None) => vec![no_rules("tdx", "Intel TDX")],
        _ => vec![no_rules("snp or tdx", "another TEE")],
    }
}

/// A TEE that the document does not speak of is denied.
fn no_rules(table: &str, tee: &str) -> Reason {
    Reason {
        at: None,
        advisory: None,
        code: "policy.cpu",
        rule: table.to_owned(),
        expected: "a TEE that the policy has a table for".to_owned(),
        actual: tee.to_owned(),
    }
}

fn devices(claims: &NodeClaims) -> &[DeviceClaims] {
    let machine = claims.devices.as_ref();
    machine.map_or(&[], |machine| &machine.devices)
}

/// Name and digest must be those of one entry: a small model under a great name is refused.
fn models(policy: &Policy, claims: &NodeClaims) -> Option<Reason> {
    let accepted = policy.models()?;
    let offered = NamedDigest {
        name: claims.manifest.model.clone(),
        digest: claims.manifest.model_digest,
    };
    (!accepted.contains(&offered)).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.model",
        rule: "models.accepted".to_owned(),
        expected: listed(accepted.iter().map(|model| told(&model.name))),
        actual: format!("{} ({})", told(&offered.name), hex::encode(offered.digest)),
    })
}

fn runtime(policy: &Policy, claims: &NodeClaims) -> Option<Reason> {
    let accepted = policy.runtimes()?;
    let digest = claims.manifest.runtime_digest;
    let known = accepted.iter().any(|runtime| runtime.digest == digest);
    (!known).then(|| Reason {
        at: None,
        advisory: None,
        code: "policy.runtime",
        rule: "runtime.accepted".to_owned(),
        expected: listed(accepted.iter().map(|runtime| told(&runtime.name))),
        actual: format!(
            "{} ({})",
            told(&claims.manifest.runtime_version),
            hex::encode(digest)
        ),
    })
}

/// The alternatives of a rule, in an order of their own, cut where people stop reading.
fn listed(alternatives: impl Iterator<Item = String>) -> String {
    let mut all: Vec<_> = alternatives.collect();
    all.sort_unstable();
    let shown: Vec<_> = all.iter().take(MAX_TOLD).map(String::as_str).collect();
    match all.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A text from outside, quoted, escaped and cut.
fn told(text: &str) -> String {
    let shown: String = text.chars().take(MAX_TOLD).collect();
    let more = if shown.len() < text.len() { ".." } else { "" };
    format!("{shown:?}{more}")
}
