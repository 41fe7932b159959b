//! Verdicts with chain, manifests and responses verified before.

use crate::vendor::{Draft, Issued, roots};
use attestation::{
    UnixTime,
    nvidia::{DeviceClaims, NvidiaError, VerifiedDevice, VerifiedDeviceChain, VerifiedReferences},
};

struct Warm {
    device: VerifiedDevice,
    references: VerifiedReferences,
}

impl Warm {
    fn of(issued: &Issued) -> Self {
        let chain: Vec<&[u8]> = issued.chain.iter().map(Vec::as_slice).collect();
        let (references, roots) = (&issued.references, roots());
        Self {
            device: VerifiedDevice::verify(&chain, references, &roots, issued.now).unwrap(),
            references: VerifiedReferences::verify(references, &roots, issued.now).unwrap(),
        }
    }

    fn appraise(&self, issued: &Issued) -> Result<DeviceClaims, NvidiaError> {
        let nonce = issued.nonce.as_ref();
        self.device
            .appraise(&issued.report, &self.references, nonce, issued.now)
    }
}

#[test]
fn a_warm_verdict_is_the_cold_one() {
    let mut issued = Draft::of_gpu().issue();
    let warm = Warm::of(&issued);
    assert_eq!(warm.appraise(&issued).unwrap(), issued.verify().unwrap());
    for wrong in [0, 40, 100, 3500, issued.report.len() - 1] {
        issued.report[wrong] ^= 1;
        assert_eq!(warm.appraise(&issued), issued.verify());
        issued.report[wrong] ^= 1;
    }
    let mut draft = Draft::of_gpu();
    draft.report.blocks[0].value[0] ^= 1;
    let other = draft.issue();
    assert_eq!(warm.appraise(&other), other.verify());
}

#[test]
fn a_warm_verdict_ends_with_what_it_rests_on() {
    let mut issued = Draft::of_gpu().issue();
    let warm = Warm::of(&issued);
    assert_eq!(
        warm.device.window().not_after.to_rfc3339(),
        "2026-06-02T00:00:00Z"
    );
    assert_eq!(
        warm.references.window().not_before.to_rfc3339(),
        "2026-06-01T00:00:00Z"
    );
    issued.now = UnixTime::from_rfc3339("2026-06-02T00:00:01Z").unwrap();
    assert_eq!(warm.appraise(&issued).unwrap_err().code(), "nvidia.window");
    issued.now = UnixTime::from_rfc3339("2046-01-01T00:00:00Z").unwrap();
    assert_eq!(
        warm.appraise(&issued).unwrap_err().code(),
        "nvidia.chain.expired"
    );
    issued.now = UnixTime::from_rfc3339("2020-01-01T00:00:00Z").unwrap();
    assert_eq!(
        warm.appraise(&issued).unwrap_err().code(),
        "nvidia.chain.not_yet_valid"
    );
}

#[test]
fn a_chain_alone_authenticates() {
    let issued = Draft::of_gpu().issue();
    let chain: Vec<&[u8]> = issued.chain.iter().map(Vec::as_slice).collect();
    let chain = VerifiedDeviceChain::verify(&chain, &roots(), issued.now).unwrap();
    let authentic = chain
        .authenticate(&issued.report, None, issued.now)
        .unwrap();
    assert_eq!(authentic.device().pdi, chain.pdi());
    let refusal = chain.authenticate(&issued.report, Some(&[0; 32]), issued.now);
    assert_eq!(refusal.unwrap_err().code(), "nvidia.nonce");
}
