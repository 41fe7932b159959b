//! Our side: a verified node goes in, an admission comes out.

use crate::{
    cases::{Case, NOW},
    counting::allocations,
    timing::{Subject, processor_time},
};
use attestation::{NodeClaims, Verified};
use policy::{Admitted, Denial};
use std::hint::black_box;

/// Evaluations between two looks at the clock: so few that the claims are still in the cache, as they are right after a verification.
const BATCH: usize = 16;

/// Evaluates one case again and again.
pub struct Typed<'a>(pub &'a Case);

impl Typed<'_> {
    fn evaluate(&self, verified: Verified<NodeClaims>) -> Result<Admitted, Denial> {
        self.0.in_force.evaluate(black_box(verified), NOW)
    }

    /// Allocations of one evaluation that admits.
    pub fn allocations(&self) -> Result<u64, Denial> {
        let verified = self.0.verified.clone();
        let (admitted, count) = allocations(|| self.evaluate(verified));
        admitted.map(|_| count)
    }

    /// Codes of the reasons against the node.
    pub fn codes(&self) -> Vec<String> {
        let denial = self.evaluate(self.0.verified.clone()).err();
        let reasons = denial.map_or_else(Vec::new, |denial| denial.reasons);
        reasons
            .iter()
            .map(|reason| reason.code.to_owned())
            .collect()
    }
}

/// Claims are cloned before, and verdicts dropped after the clock has run: neither is part of an evaluation.
impl Subject for Typed<'_> {
    fn burst(&mut self, seconds: f64) -> f64 {
        let (mut elapsed, mut calls) = (0.0, 0_u32);
        let mut verdicts = Vec::with_capacity(BATCH);
        while elapsed < seconds {
            let nodes: Vec<_> = (0..BATCH).map(|_| self.0.verified.clone()).collect();
            let start = processor_time();
            verdicts.extend(nodes.into_iter().map(|node| self.evaluate(node)));
            elapsed += (processor_time() - start).as_secs_f64();
            calls += BATCH as u32;
            black_box(&verdicts);
            verdicts.clear();
        }
        elapsed / f64::from(calls)
    }
}
