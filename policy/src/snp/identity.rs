//! Rules about whose guest it is, and what it was started with.

use crate::{AllowList, ReferenceValue};

/// What the report says of the guest's owner, image and start. A list that is not there asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityRules {
    /// `[[snp.host_data]]`: HOST_DATA.
    pub host_data: Option<AllowList<ReferenceValue<32>>>,
    /// `[[snp.id_keys]]`: ID_KEY_DIGEST.
    pub id_keys: Option<AllowList<ReferenceValue<48>>>,
    /// `[[snp.author_keys]]`: AUTHOR_KEY_DIGEST.
    pub author_keys: Option<AllowList<ReferenceValue<48>>>,
    /// `[[snp.family_ids]]`: FAMILY_ID.
    pub family_ids: Option<AllowList<ReferenceValue<16>>>,
    /// `[[snp.image_ids]]`: IMAGE_ID.
    pub image_ids: Option<AllowList<ReferenceValue<16>>>,
    /// `minimum_guest_svn`: least GUEST_SVN.
    pub minimum_guest_svn: Option<u32>,
}
