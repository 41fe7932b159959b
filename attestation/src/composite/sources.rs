//! Where collateral comes from: the verifier's own for a platform, if it has any, else what came with the evidence.

use super::VerifyError;
use crate::{
    CollateralBundle, EvidenceBundle, UnixTime,
    nvidia::References,
    roots::SnpRoots,
    snp,
    tdx::{Collateral, NamedPlatform},
};
use std::borrow::Cow;

/// The verifier's own collateral and the evidence's.
pub(super) struct Sources<'a> {
    own: &'a CollateralBundle,
    stapled: Option<CollateralBundle>,
}

impl<'a> Sources<'a> {
    pub(super) fn of(
        own: &'a CollateralBundle,
        bundle: &EvidenceBundle,
    ) -> Result<Self, VerifyError> {
        let stapled = bundle.collateral.as_deref();
        Ok(Self {
            own,
            stapled: stapled.map(CollateralBundle::from_cbor).transpose()?,
        })
    }

    /// The revocation lists for the product of `vek`.
    pub(super) fn snp_lists(&self, vek: &[u8], roots: &SnpRoots) -> Vec<&[u8]> {
        let own = snp::lists_for(vek, &self.own.snp.crls, roots);
        match &self.stapled {
            Some(stapled) if own.is_empty() => snp::lists_for(vek, &stapled.snp.crls, roots),
            _ => own,
        }
    }

    /// The collateral of the platform that made `quote`. A quote without a PCK certificate does not say which: then the only one.
    pub(super) fn tdx(&self, quote: &[u8], now: UnixTime) -> Option<&Collateral> {
        let named = NamedPlatform::of_quote(quote).ok().flatten();
        let fmspc = named.map(|platform| platform.fmspc);
        let stapled = || of_platform(self.stapled.as_ref()?, fmspc, now);
        of_platform(self.own, fmspc, now).or_else(stapled)
    }

    /// Reference values and revocation status of devices: all that there is, since each proves itself and is found by its content.
    pub(super) fn nvidia(&self) -> Cow<'_, References> {
        let Some(stapled) = &self.stapled else {
            return Cow::Borrowed(&self.own.nvidia);
        };
        let mut all = self.own.nvidia.clone();
        add_new(&mut all.rims, &stapled.nvidia.rims);
        add_new(&mut all.ocsp, &stapled.nvidia.ocsp);
        Cow::Owned(all)
    }
}

/// Adds what is not there yet: two manifests of one firmware are refused, and one that came twice is one.
fn add_new(known: &mut Vec<Vec<u8>>, more: &[Vec<u8>]) {
    for one in more {
        if !known.contains(one) {
            known.push(one.clone());
        }
    }
}

fn of_platform(
    bundle: &CollateralBundle,
    fmspc: Option<[u8; 6]>,
    now: UnixTime,
) -> Option<&Collateral> {
    match (fmspc, bundle.tdx.as_slice()) {
        (Some(fmspc), _) => bundle.tdx_of(fmspc, now),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Sources;
    use crate::{CollateralBundle, nvidia::References};

    #[test]
    fn what_is_at_hand_and_comes_with_the_evidence_is_one() {
        let bundle = |rims: &[u8], ocsp: &[u8]| CollateralBundle {
            nvidia: References {
                rims: rims.iter().map(|one| vec![*one]).collect(),
                ocsp: ocsp.iter().map(|one| vec![*one]).collect(),
            },
            ..CollateralBundle::default()
        };
        let sources = Sources {
            own: &bundle(&[1, 2], &[3]),
            stapled: Some(bundle(&[2, 4], &[3, 5])),
        };
        let together = bundle(&[1, 2, 4], &[3, 5]).nvidia;
        assert_eq!(*sources.nvidia(), together);
    }
}
