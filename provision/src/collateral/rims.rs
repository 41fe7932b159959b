//! NVIDIA's RIM service: reference integrity manifests by their id.

use super::{
    FetchError, Fetcher, OcspNeed,
    answer::{Answer, Request},
};
use attestation::{
    CollateralBundle, UnixTime,
    collateral::ItemKind,
    nvidia::{References, rim::Rim},
    roots::NvidiaRoots,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::collections::BTreeSet;

/// A manifest takes some 20 KiB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The manifest with this id.
pub(super) async fn fetch(fetcher: &Fetcher, id: &str) -> Result<CollateralBundle, FetchError> {
    let answer = fetcher.get(request(fetcher, id)).await?;
    Ok(CollateralBundle {
        nvidia: References {
            rims: manifest(&answer).into_iter().collect(),
            ..References::default()
        },
        ..CollateralBundle::default()
    })
}

fn request(fetcher: &Fetcher, id: &str) -> Request {
    Request {
        url: fetcher.sources().rim.at(&format!("/v1/rim/{id}")),
        post: None,
        chain_header: None,
        max_bytes: MAX_ANSWER_BYTES,
        what: "reference manifest with its digest",
        window: |answer| ItemKind::NvidiaRim.window_of(&manifest(answer)?),
    }
}

/// The service's answer; what it says of id, format and age is in the manifest too, and signed there.
#[derive(Deserialize)]
struct RimJson {
    rim: String,
    sha256: String,
}

/// The manifest, if it has the digest that is told with it.
fn manifest(answer: &Answer) -> Option<Vec<u8>> {
    let json: RimJson = serde_json::from_slice(&answer.body).ok()?;
    let manifest = STANDARD.decode(json.rim).ok()?;
    let is_whole = hex::encode(digest(&SHA256, &manifest)).eq_ignore_ascii_case(&json.sha256);
    is_whole.then_some(manifest)
}

/// Whose status the manifests of `bundle` need: the path of each that NVIDIA signed.
pub(super) fn signers(bundle: &CollateralBundle, now: UnixTime) -> Vec<OcspNeed> {
    let verified = bundle.nvidia.rims.iter().filter_map(|xml| {
        let rim = Rim::parse(xml).ok()?;
        rim.verify(&NvidiaRoots::vendor(), now).ok()
    });
    let pairs: BTreeSet<_> = verified
        .flat_map(|rim| OcspNeed::of_chain(&rim.certificates))
        .collect();
    pairs.into_iter().collect()
}
