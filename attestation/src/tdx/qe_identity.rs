//! The identity of Intel's TD quoting enclave (Intel's API v4, "Get TD QE Identity").

use super::{
    TdxError,
    json::{self, Hex},
    module::SvnLevel,
    qe_report::QeReport,
};
use crate::{UnixTime, Window};
use serde::Deserialize;

/// More than Intel's longest.
const MAX_BYTES: usize = 64 * 1024;

/// An identity document, well-formed. Fields that are not known are Intel's to add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QeIdentity {
    id: String,
    version: u32,
    #[serde(deserialize_with = "json::date")]
    issue_date: UnixTime,
    #[serde(deserialize_with = "json::date")]
    next_update: UnixTime,
    pub(super) tcb_evaluation_data_number: u32,
    miscselect: Hex<4>,
    miscselect_mask: Hex<4>,
    attributes: Hex<16>,
    attributes_mask: Hex<16>,
    mrsigner: Hex<32>,
    isvprodid: u16,
    #[serde(rename = "tcbLevels")]
    pub(super) levels: Vec<SvnLevel>,
}

impl QeIdentity {
    /// Parses `enclaveIdentity`; another version or enclave and a doubled field are refused.
    pub(super) fn parse(json: &[u8]) -> Result<Self, TdxError> {
        let wrong = |reason: &str| Err(TdxError::QeIdentityFormat(reason.to_owned()));
        if json.len() > MAX_BYTES {
            return wrong("too long");
        }
        let identity: Self = serde_json::from_slice(json)
            .map_err(|error| TdxError::QeIdentityFormat(json::reason(&error)))?;
        if (identity.id.as_str(), identity.version) != ("TD_QE", 2) {
            return wrong("not an identity version 2 of TD_QE");
        }
        if identity.levels.is_empty() {
            return wrong("no levels");
        }
        Ok(identity)
    }

    /// issueDate to nextUpdate.
    pub(super) const fn window(&self) -> Window {
        Window {
            not_before: self.issue_date,
            not_after: self.next_update,
        }
    }

    /// The level of the enclave that made `report`, which must be this one.
    pub(super) fn appraise(&self, report: &QeReport) -> Result<&SvnLevel, TdxError> {
        let fits = [
            (
                "MISCSELECT",
                masked(&report.misc_select, &self.miscselect_mask.0)
                    == masked(&self.miscselect.0, &self.miscselect_mask.0),
            ),
            (
                "ATTRIBUTES",
                masked(&report.attributes, &self.attributes_mask.0)
                    == masked(&self.attributes.0, &self.attributes_mask.0),
            ),
            ("MRSIGNER", report.mr_signer == self.mrsigner.0),
            ("ISVPRODID", report.isv_prod_id == self.isvprodid),
        ];
        if let Some((field, _)) = fits.iter().find(|(_, fits)| !fits) {
            return Err(TdxError::QeIdentity(field));
        }
        SvnLevel::met(&self.levels, report.isv_svn).ok_or(TdxError::QeLevel(report.isv_svn))
    }
}

fn masked<const N: usize>(value: &[u8; N], mask: &[u8; N]) -> [u8; N] {
    let mut masked = *value;
    for (byte, mask) in masked.iter_mut().zip(mask) {
        *byte &= mask;
    }
    masked
}
