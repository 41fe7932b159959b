//! Total evaluation: every rule is looked at, every unmet one is told.

mod ends;
mod gpu;
mod models;
mod reference_values;
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

use crate::{Admitted, Denial, Orders, Policy, Reason, decision::Grounds};
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
        let reasons = self.reasons(&subject);
        if !reasons.is_empty() {
            return Err(self.denial(reasons));
        }
        let grounds = Grounds {
            policy_version: self.version(),
            policy_digest: *self.digest(),
            not_after: self.not_after(&subject),
            placement: None,
            waived: Vec::new(),
        };
        Ok(Admitted::new(verified, grounds))
    }

    /// Every unmet rule, without its place.
    fn reasons(&self, subject: &Subject<'_>) -> Vec<Reason> {
        let mut reasons = standing::reasons(self, subject);
        reasons.extend(self.cpu(subject));
        reasons.extend(gpu::reasons(self.gpu(), subject.devices()));
        reasons.extend(models::model(self, subject));
        reasons.extend(models::runtime(self, subject));
        reasons
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

    /// The first end among the grounds of an admission.
    fn not_after(&self, subject: &Subject<'_>) -> UnixTime {
        let stale = subject.at.plus(self.max_age_seconds());
        let standing = self.expires().min(subject.claims.not_after).min(stale);
        let mut ends = Ends::before(subject.now, standing);
        match (&subject.claims.cpu, self.snp(), self.tdx()) {
            (CpuClaims::Snp(claims), Some(rules), _) => snp::ends(rules, claims, &mut ends),
            (CpuClaims::Tdx(claims), _, Some(rules)) => tdx::ends(rules, claims, &mut ends),
            _ => {}
        }
        ends.least()
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
        reasons
    }
}

/// A TEE that the document does not speak of is denied.
fn no_rules(table: &str, tee: &str) -> Reason {
    let expected = "a TEE that the policy has a table for";
    Reason::new("policy.cpu", table, expected, tee)
}
