//! One release: the request, its nonce, the evidence, the policy's verdict, the key that the node may have.

use crate::{KeyFolder, KeyFolderError, NonceError, releaser::Core};
use attestation::{
    Binding, BindingId, BundleError, DeviceEvidence, EvidenceBundle, Manifest, UnixTime,
};
use policy::{Admitted, Appraiser, Denial, Refusal};
use protocol::{
    SignedKeyConfigs,
    key_release::{KeyRequest, KeyRequestError, KeySealer, ReleaseError},
};
use std::{sync::Arc, time::Instant};

/// Why a node gets no key, in the order of the steps; `code()` is stable. The node is told none of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The request.
    #[error(transparent)]
    Request(#[from] KeyRequestError),
    /// The nonce.
    #[error(transparent)]
    Nonce(#[from] NonceError),
    /// The evidence is no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The evidence is not authentic, or the policy denies what it says.
    #[error(transparent)]
    Appraisal(#[from] Refusal),
    /// The bundle carries no key list.
    #[error("the evidence bundle carries no key list")]
    KeysAbsent,
    /// The key list or the model.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// An order stops the node of this name.
    #[error(transparent)]
    Stopped(Denial),
    /// No such key for this model.
    #[error("there is no key of this id for this model")]
    UnknownKey,
    /// The key's file.
    #[error(transparent)]
    Key(#[from] KeyFolderError),
    /// Other documents came into force while the node was judged.
    #[error("other documents came into force while the node was judged")]
    Superseded,
}

impl Refused {
    /// Stable code of the step that failed; for a denial, of its first reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Request(error) => error.code(),
            Self::Nonce(error) => error.code(),
            Self::Bundle(error) => error.code(),
            Self::Appraisal(Refusal::Evidence(error)) => error.code(),
            Self::Appraisal(Refusal::Policy(denial)) | Self::Stopped(denial) => first(denial),
            Self::KeysAbsent => "release.keys_absent",
            Self::Release(error) => error.code(),
            Self::UnknownKey => "release.unknown_key",
            Self::Key(error) => error.code(),
            Self::Superseded => "release.superseded",
        }
    }

    /// The unmet rules, where a policy or an order refused.
    pub(crate) fn denial(&self) -> Option<&Denial> {
        match self {
            Self::Appraisal(Refusal::Policy(denial)) | Self::Stopped(denial) => Some(denial),
            _ => None,
        }
    }
}

fn first(denial: &Denial) -> &'static str {
    let first = denial.reasons.first();
    first.map_or("policy.denied", |reason| reason.code)
}

/// What is known of a request, for the log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    /// Hexadecimal.
    pub(crate) key: String,
    /// Hexadecimal.
    pub(crate) model: String,
    /// The attestation that the bundle claims to be; verified only where the evidence is admitted.
    pub(crate) binding: String,
}

/// A key on its way.
pub(crate) struct Released {
    /// As the node signs it.
    pub(crate) node: String,
    pub(crate) policy_version: u64,
    pub(crate) policy_digest: [u8; 32],
    pub(crate) sealed: Vec<u8>,
}

/// Judges one request; what was asked for goes to `asked`, as far as it could be read.
pub(crate) fn release(core: &Core, body: &[u8], asked: &mut Asked) -> Result<Released, Refused> {
    let request = KeyRequest::from_cbor(body)?;
    asked.key = hex::encode(request.key_id.0);
    asked.model = hex::encode(request.model);
    core.nonces.redeem(&request.nonce, Instant::now())?;
    let bundle = EvidenceBundle::from_cbor(&request.evidence)?;
    asked.binding = hex::encode(claimed(&bundle).0);
    let appraiser = core.appraiser.load_full();
    let now = core.clock.now();
    let admitted = appraiser.appraise(&bundle, &request.nonce, now)?;
    let sealer = sealer(&admitted, &request, bundle.key_configs, now)?;
    check_name(appraiser.in_force(), sealer.node())?;
    // Verifying takes its time: what has ended since, or was stopped, gets nothing.
    let sealed = seal(core, &sealer, &request, core.clock.now())?;
    check_current(core, &appraiser)?;
    Ok(Released {
        node: sealer.node().to_owned(),
        policy_version: admitted.policy_version(),
        policy_digest: *admitted.policy_digest(),
        sealed,
    })
}

/// Named as the verifier names it, of what the bundle says.
fn claimed(bundle: &EvidenceBundle) -> BindingId {
    let binding = Binding {
        freshness: bundle.freshness,
        identity: bundle.identity.digest(),
        manifest: Manifest::digest(&bundle.manifest),
        devices: bundle.devices.iter().map(DeviceEvidence::digest).collect(),
    };
    binding.report_data().binding_id()
}

fn sealer(
    admitted: &Admitted,
    request: &KeyRequest,
    keys: Option<Vec<u8>>,
    now: UnixTime,
) -> Result<KeySealer, Refused> {
    let keys = SignedKeyConfigs::from_bytes(keys.ok_or(Refused::KeysAbsent)?);
    Ok(KeySealer::new(admitted, request.nonce, &keys, now)?)
}

/// Evidence does not tell a node's name; what the attested identity signs does.
fn check_name(in_force: &policy::InForce, node: &str) -> Result<(), Refused> {
    in_force.judge_name(node).map_or(Ok(()), |reason| {
        Err(Refused::Stopped(Denial {
            policy_version: in_force.policy().version(),
            reasons: vec![reason],
        }))
    })
}

/// A key leaves under what is in force now, and under nothing older.
fn check_current(core: &Core, judged_by: &Arc<Appraiser>) -> Result<(), Refused> {
    match Arc::ptr_eq(judged_by, &core.appraiser.load()) {
        true => Ok(()),
        false => Err(Refused::Superseded),
    }
}

/// Nothing is read of a key before the admitted manifest is known to state its model.
fn seal(
    core: &Core,
    sealer: &KeySealer,
    request: &KeyRequest,
    now: UnixTime,
) -> Result<Vec<u8>, Refused> {
    sealer.check(&request.model, now)?;
    let keys = core.keys.load();
    let path = keys.find(request.key_id, &request.model);
    let key = KeyFolder::read(path.ok_or(Refused::UnknownKey)?, request.key_id)?;
    Ok(sealer.seal((request.key_id, request.model), key.expose(), now)?)
}
