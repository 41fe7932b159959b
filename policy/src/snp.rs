//! Rules about SEV-SNP claims, as the document's `[snp]` says them.

pub(crate) mod guest_policy;
pub(crate) mod identity;
pub(crate) mod mitigations;
pub(crate) mod platform_info;
pub(crate) mod tcb;

pub use guest_policy::{GuestPolicyBit, GuestPolicyRules};
pub use identity::IdentityRules;
pub use mitigations::MitigationRules;
pub use platform_info::{PlatformInfoBit, PlatformInfoRules};
pub use tcb::{FirmwareAdvisory, TcbComponent, TcbField, TcbFloor};

use crate::{AllowList, ReferenceValue};
use attestation::snp::{Product, SigningKey};

/// `[snp]`: every rule is looked at, all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpRules {
    /// `products`.
    pub products: AllowList<Product>,
    /// `minimum_report_version`, 2 to 5.
    pub minimum_report_version: u32,
    /// `vmpl`, each 0 to 3.
    pub vmpl: AllowList<u32>,
    /// `signing_keys`.
    pub signing_keys: AllowList<SigningKey>,
    /// `revocation`; without it `when_given`.
    pub revocation: RevocationRule,
    /// `csp_ids`: cloud providers whose VLEKs may sign; `None`: any.
    pub csp_ids: Option<AllowList<String>>,
    /// `[[snp.measurements]]`.
    pub measurements: AllowList<ReferenceValue<48>>,
    /// Whose guest it is.
    pub identity: IdentityRules,
    /// `tcb_fields`: the TCBs that floors and advisories are about, REPORTED_TCB always among them.
    pub tcb_fields: AllowList<TcbField>,
    /// `[[snp.minimum_tcb]]`: exactly one for each of `products`.
    pub minimum_tcb: AllowList<TcbFloor>,
    /// `[[snp.advisories]]`.
    pub advisories: Option<AllowList<FirmwareAdvisory>>,
    /// `[snp.guest_policy]`.
    pub guest_policy: GuestPolicyRules,
    /// `[snp.platform_info]`; without it nothing is asked of the platform.
    pub platform_info: PlatformInfoRules,
    /// `[snp.required_mitigations]`; without it nothing is asked.
    pub required_mitigations: MitigationRules,
}

/// What is asked of the revocation list of the ARK, which nothing else misses: whoever sends evidence may leave it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RevocationRule {
    /// A list that was given must be current and name nobody of the path; none need be given.
    #[default]
    WhenGiven,
    /// A list must have been given.
    Required,
}

/// Names of the products in a document.
pub(crate) const PRODUCTS: [(&str, Product); 3] = [
    ("milan", Product::Milan),
    ("genoa", Product::Genoa),
    ("turin", Product::Turin),
];

/// Names of the signing keys in a document.
pub(crate) const SIGNING_KEYS: [(&str, SigningKey); 2] =
    [("vcek", SigningKey::Vcek), ("vlek", SigningKey::Vlek)];

/// Names of the rules about revocation in a document.
pub(crate) const REVOCATION_RULES: [(&str, RevocationRule); 2] = [
    ("when_given", RevocationRule::WhenGiven),
    ("required", RevocationRule::Required),
];

/// The name of `value` in a document.
pub(crate) fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    names
        .iter()
        .find(|(_, named)| named == value)
        .map_or("unknown", |(name, _)| name)
}
