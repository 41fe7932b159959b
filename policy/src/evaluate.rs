//! Total evaluation: every rule is looked at, every unmet one is told.

mod ends;
mod exceptions;
mod gpu;
mod gpu_code;
mod lease;
mod models;
pub(crate) mod orders;
mod own;
mod reference_values;
mod rego;
mod residency;
mod service;
mod snp;
mod standing;
mod subject;
mod surroundings;
mod tdx;
#[cfg(test)]
mod tests;
mod wording;

pub(crate) use ends::Ends;
pub(crate) use subject::Subject;
pub(crate) use surroundings::Surroundings;
use wording::{listed, told};

use crate::{Admitted, Denial, HardwareId, Orders, Policy, Reason, Waived, decision::Grounds};
use attestation::{
    CpuClaims, NodeClaims, UnixTime, Verified, nvidia::DeviceClaims, snp::SnpClaims, tdx::TdxClaims,
};

impl Policy {
    /// Judges `verified` at `now` with nothing beside the policy: what asks for an inventory or a timestamp is unmet. A `now` before the
    /// verification counts as the time of the verification: a clock that went back gives no longer life.
    pub fn evaluate(
        &self,
        verified: Verified<NodeClaims>,
        now: UnixTime,
    ) -> Result<Admitted, Denial> {
        let orders = Orders::none();
        self.evaluate_among(verified, now, Surroundings::with(&orders))
    }

    /// [`Self::evaluate`] among other documents that are in force.
    pub(crate) fn evaluate_among(
        &self,
        verified: Verified<NodeClaims>,
        now: UnixTime,
        around: Surroundings<'_>,
    ) -> Result<Admitted, Denial> {
        let subject = Subject::of(&verified, now, around);
        let (reasons, waived) = self.judge(&subject);
        if !reasons.is_empty() {
            return Err(self.denial(reasons));
        }
        let grounds = self.grounds(&subject, waived);
        Ok(Admitted::new(verified, grounds))
    }

    /// Every reason against `subject`, without its place, and those that exceptions waive.
    pub(crate) fn judge(&self, subject: &Subject<'_>) -> (Vec<Reason>, Vec<Waived>) {
        let mut reasons = self.reasons(subject);
        let waived = exceptions::waive(self, subject, &mut reasons);
        (reasons, waived)
    }

    /// Every unmet rule, without its place.
    fn reasons(&self, subject: &Subject<'_>) -> Vec<Reason> {
        let mut reasons = standing::reasons(self, subject);
        reasons.extend(lease::reason(self, subject.around.timestamp, subject.now));
        reasons.extend(orders::reasons(subject));
        reasons.extend(residency::reasons(self, subject));
        reasons.extend(self.cpu(subject));
        reasons.extend(gpu::reasons(self.gpu(), subject.devices()));
        let manifest = &subject.claims.manifest;
        reasons.extend(models::reasons(self, manifest, subject.now));
        reasons.extend(service::reasons(self, manifest));
        reasons.extend(gpu_code::reasons(self, subject));
        reasons.extend(rego::reasons(self, subject));
        in_order(reasons)
    }

    fn cpu(&self, subject: &Subject<'_>) -> Vec<Reason> {
        match (&subject.claims.cpu, self.snp(), self.tdx()) {
            (CpuClaims::Snp(claims), Some(rules), _) => snp::reasons(rules, claims, subject.now),
            (CpuClaims::Tdx(claims), _, Some(rules)) => tdx::reasons(rules, claims, subject.now),
            (CpuClaims::Snp(_), None, _) => vec![no_rules("snp", "AMD SEV-SNP")],
            (CpuClaims::Tdx(_), _, None) => vec![no_rules("tdx", "Intel TDX")],
            _ => vec![no_rules("snp or tdx", "another TEE")],
        }
    }

    fn grounds(&self, subject: &Subject<'_>, mut waived: Vec<Waived>) -> Grounds {
        for waived in &mut waived {
            let reason = &mut waived.reason;
            reason.at = reason.at.or_else(|| self.place_of(&reason.rule));
        }
        let cpu = HardwareId::of_cpu(subject.claims);
        Grounds {
            policy_version: self.version(),
            policy_digest: *self.digest(),
            not_after: self.not_after(subject, &waived),
            placement: cpu.and_then(|cpu| subject.shared_placement(&cpu)),
            waived,
        }
    }

    /// The first end among the grounds of an admission.
    fn not_after(&self, subject: &Subject<'_>, waived: &[Waived]) -> UnixTime {
        let stale = subject.at.plus(self.max_age_seconds());
        let standing = self.expires().min(subject.claims.not_after).min(stale);
        let mut ends = Ends::before(subject.now, standing);
        standing::ends(self, subject, &mut ends);
        lease::ends(self, subject.around.timestamp, &mut ends);
        residency::ends(self, subject, &mut ends);
        self.cpu_ends(subject, &mut ends);
        models::ends(self, subject, &mut ends);
        exceptions::ends(waived, &mut ends);
        ends.least()
    }

    fn cpu_ends(&self, subject: &Subject<'_>, ends: &mut Ends) {
        match (&subject.claims.cpu, self.snp(), self.tdx()) {
            (CpuClaims::Snp(claims), Some(rules), _) => snp::ends(rules, claims, ends),
            (CpuClaims::Tdx(claims), _, Some(rules)) => tdx::ends(rules, claims, ends),
            _ => {}
        }
    }

    /// Whether anything may be served or sent at `now`: the policy's window, an order against everything and the lease.
    pub(crate) fn standing_among(&self, around: Surroundings<'_>, now: UnixTime) -> Vec<Reason> {
        let mut reasons = standing::window(self, now);
        reasons.extend(lease::reason(self, around.timestamp, now));
        reasons.extend(orders::everything(around.orders));
        self.placed(reasons)
    }

    /// Whether a receipt with this cache scope is one that the policy accepts.
    #[must_use]
    pub fn judge_cache_scope(&self, scope: &str) -> Option<Reason> {
        let reason = service::cache_scope(self, scope)?;
        let at = self.place_of(&reason.rule);
        Some(Reason { at, ..reason })
    }

    /// Every unmet rule that one SNP report alone can answer: the policy's window and `[snp]`. It admits nothing: model, runtime and
    /// freshness are a node's to show.
    #[must_use]
    pub fn judge_snp(&self, claims: &SnpClaims, now: UnixTime) -> Vec<Reason> {
        let mut reasons = standing::window(self, now);
        match self.snp() {
            Some(rules) => reasons.extend(snp::reasons(rules, claims, now)),
            None => reasons.push(no_rules("snp", "AMD SEV-SNP")),
        }
        self.placed(reasons)
    }

    /// As [`Policy::judge_snp`], for one TDX quote: the policy's window and `[tdx]`.
    #[must_use]
    pub fn judge_tdx(&self, claims: &TdxClaims, now: UnixTime) -> Vec<Reason> {
        let mut reasons = standing::window(self, now);
        match self.tdx() {
            Some(rules) => reasons.extend(tdx::reasons(rules, claims, now)),
            None => reasons.push(no_rules("tdx", "Intel TDX")),
        }
        self.placed(reasons)
    }

    /// As [`Policy::judge_snp`], for all devices of one machine: the policy's window and `[gpu]`.
    #[must_use]
    pub fn judge_devices(&self, devices: &[DeviceClaims], now: UnixTime) -> Vec<Reason> {
        let mut reasons = standing::window(self, now);
        reasons.extend(gpu::reasons(self.gpu(), devices));
        self.placed(reasons)
    }

    /// A denial for `reasons`, each with its place.
    fn denial(&self, reasons: Vec<Reason>) -> Denial {
        Denial {
            policy_version: self.version(),
            reasons: self.placed(reasons),
        }
    }

    /// `reasons` with the places of their rules in the document; a rule that is one of many may know its own.
    pub(crate) fn placed(&self, mut reasons: Vec<Reason>) -> Vec<Reason> {
        for reason in &mut reasons {
            let at = reason.at.or_else(|| self.place_of(&reason.rule));
            reason.at = at;
        }
        in_order(reasons)
    }
}

/// Reasons under one rule in an order of their own: that of the document's entries is nothing to rely on.
fn in_order(mut reasons: Vec<Reason>) -> Vec<Reason> {
    let of_one_rule = |a: &Reason, b: &Reason| a.code == b.code && a.rule == b.rule;
    for reasons in reasons.chunk_by_mut(of_one_rule) {
        reasons.sort_by(|a, b| (&a.expected, &a.actual).cmp(&(&b.expected, &b.actual)));
    }
    reasons
}

/// A TEE that the document does not speak of is denied.
fn no_rules(table: &str, tee: &str) -> Reason {
    let expected = "a TEE that the policy has a table for";
    Reason::new("policy.cpu", table, expected, tee)
}
