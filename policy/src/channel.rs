//! What a policy asks of the channel: how much its wire may show, and what may be kept between requests.

use crate::{AllowList, snp::name_of};

/// `[channel]`: each field is optional, one of them is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelRules {
    /// `minimum_padding`: the manifest's `padding` is this profile or a stricter one.
    pub minimum_padding: Option<Padding>,
    /// `cache_scopes`: the receipt's `cache-scope` is one of these. No evidence tells it: whoever reads receipts asks
    /// [`crate::Policy::judge_cache_scope`].
    pub cache_scopes: Option<AllowList<String>>,
}

/// The padding profiles (docs/protocol.md, "Padding"), the stricter the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Padding {
    /// `off`.
    Off,
    /// `default`.
    Default,
    /// `strict`.
    Strict,
}

/// Names of the profiles in a document and in a manifest.
pub(crate) const PADDINGS: [(&str, Padding); 3] = [
    ("off", Padding::Off),
    ("default", Padding::Default),
    ("strict", Padding::Strict),
];

impl Padding {
    /// The profile of this name; `None`: this build does not know how strict it is.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut known = PADDINGS.iter();
        let found = known.find(|(known, _)| *known == name);
        found.map(|(_, padding)| *padding)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&PADDINGS, &self)
    }
}
