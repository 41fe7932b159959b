//! TDX module identities: who signed the module, and how far its SVN goes (TCB info v3, `tdxModule` and `tdxModuleIdentities`).

use super::{
    TcbStatus, TdReport, TdxError,
    json::{self, Hex},
};
use crate::UnixTime;
use serde::{Deserialize, Deserializer, de::Error as _};

/// Signer and attributes that a module must have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModuleSigner {
    mrsigner: Hex<48>,
    attributes: Hex<8>,
    attributes_mask: Hex<8>,
}

/// What TCB info says of the modules of one version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ModuleIdentity {
    #[serde(rename = "id", deserialize_with = "version")]
    pub(super) version: u8,
    mrsigner: Hex<48>,
    attributes: Hex<8>,
    attributes_mask: Hex<8>,
    #[serde(rename = "tcbLevels")]
    pub(super) levels: Vec<SvnLevel>,
}

/// A level that is met by an ISVSVN: of a TDX module or of a quoting enclave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SvnLevel {
    tcb: IsvSvn,
    #[serde(rename = "tcbDate", deserialize_with = "json::date")]
    pub(super) date: UnixTime,
    #[serde(rename = "tcbStatus")]
    pub(super) status: TcbStatus,
    #[serde(rename = "advisoryIDs", default)]
    pub(super) advisory_ids: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct IsvSvn {
    isvsvn: u16,
}

impl ModuleIdentity {
    pub(super) fn signer(&self) -> ModuleSigner {
        ModuleSigner {
            mrsigner: self.mrsigner,
            attributes: self.attributes,
            attributes_mask: self.attributes_mask,
        }
    }
}

impl ModuleSigner {
    /// That the module is this signer's, with these attributes; what the mask leaves open must be zero.
    pub(super) fn check(&self, td: &TdReport) -> Result<(), TdxError> {
        let expected = u64::from_le_bytes(self.attributes.0);
        let mask = u64::from_le_bytes(self.attributes_mask.0);
        let has_attributes = u64::from_le_bytes(td.seam_attributes) == expected & mask;
        let is_own = td.mr_signer_seam == self.mrsigner.0 && has_attributes;
        is_own.then_some(()).ok_or(TdxError::ModuleSigner)
    }
}

impl SvnLevel {
    /// The ISVSVN that it needs.
    pub(super) const fn isv_svn(&self) -> u16 {
        self.tcb.isvsvn
    }

    /// The highest of `levels` that `isv_svn` meets.
    pub(super) fn met(levels: &[Self], isv_svn: u16) -> Option<&Self> {
        let met = levels.iter().filter(|level| level.isv_svn() <= isv_svn);
        met.max_by_key(|level| level.isv_svn())
    }

    /// The least ISVSVN that is UpToDate, else the highest that is told of.
    pub(super) fn needed(levels: &[Self]) -> u16 {
        let up_to_date = levels
            .iter()
            .filter(|level| level.status == TcbStatus::UpToDate);
        let least = up_to_date.map(Self::isv_svn).min();
        let highest = || levels.iter().map(Self::isv_svn).max().unwrap_or_default();
        least.unwrap_or_else(highest)
    }
}

/// `TDX_01` and so on: the version in hexadecimal.
fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let id = String::deserialize(deserializer)?;
    let digits = id.strip_prefix("TDX_").filter(|digits| digits.len() == 2);
    digits
        .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .ok_or_else(|| D::Error::custom("a module's id is not TDX_ with two digits"))
}
