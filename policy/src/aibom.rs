//! What a policy asks of the model's bill of materials.

use crate::{AllowList, NamedDigest};

/// `[aibom]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AibomRules {
    /// `required`: the manifest must name one.
    pub required: bool,
    /// `[[aibom.accepted]]`: the one that the manifest names is one of these; `None`: any.
    pub accepted: Option<AllowList<NamedDigest<32>>>,
}
