//! The models that a policy accepts.

use crate::{AllowList, Validity};
use attestation::{Digest, Manifest, UnixTime};

/// One of `[[models.accepted]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedModel {
    /// The manifest's `model`.
    pub name: String,
    /// The manifest's `model-digest`.
    pub digest: Digest,
    /// The manifest's `tokenizer-digest`; `None`: any.
    pub tokenizer: Option<Digest>,
    /// The manifest's `template-digest`; `None`: any.
    pub template: Option<Digest>,
    /// Who approved it, for people.
    pub approved_by: Option<String>,
    /// When it was approved; it is not accepted before.
    pub approved: Option<UnixTime>,
    /// When it is accepted.
    pub validity: Validity,
    /// From this second on it is refused: a model that was withdrawn, not one whose time ran out.
    pub retired: Option<UnixTime>,
}

impl AcceptedModel {
    /// Whether it was withdrawn at `now`.
    #[must_use]
    pub fn is_retired(&self, now: UnixTime) -> bool {
        self.retired.is_some_and(|retired| now >= retired)
    }

    /// The second before it is withdrawn.
    #[must_use]
    pub fn last_before_retirement(&self) -> Option<UnixTime> {
        self.retired
            .map(|retired| UnixTime(retired.0.saturating_sub(1)))
    }
}

impl AllowList<AcceptedModel> {
    /// The entry with the manifest's name and digest, both: a small model under a great name is none.
    #[must_use]
    pub fn offered(&self, manifest: &Manifest) -> Option<&AcceptedModel> {
        self.iter()
            .find(|model| model.name == manifest.model && model.digest == manifest.model_digest)
    }
}
