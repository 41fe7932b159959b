//! TCB info version 3 of TDX (Intel's API v4, "Get TDX TCB Info").

use super::{
    TcbStatus, TdxError,
    json::{self, Hex},
    module::{ModuleIdentity, ModuleSigner},
};
use crate::{UnixTime, Window};
use serde::Deserialize;

/// More than Intel's longest.
const MAX_BYTES: usize = 256 * 1024;

/// A TCB info document, well-formed; its levels from the highest down. Fields that are not known are Intel's to add.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TcbInfo {
    id: String,
    version: u32,
    #[serde(deserialize_with = "json::date")]
    issue_date: UnixTime,
    #[serde(deserialize_with = "json::date")]
    next_update: UnixTime,
    pub(super) fmspc: Hex<6>,
    pub(super) pce_id: Hex<2>,
    tcb_type: u32,
    pub(super) tcb_evaluation_data_number: u32,
    /// For modules whose TEE_TCB_SVN tells no version.
    pub(super) tdx_module: ModuleSigner,
    #[serde(default)]
    tdx_module_identities: Vec<ModuleIdentity>,
    #[serde(rename = "tcbLevels")]
    pub(super) levels: Vec<TcbLevel>,
}

/// What a platform must have for one status.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TcbLevel {
    pub(super) tcb: Tcb,
    #[serde(rename = "tcbDate", deserialize_with = "json::date")]
    pub(super) date: UnixTime,
    #[serde(rename = "tcbStatus")]
    pub(super) status: TcbStatus,
    #[serde(rename = "advisoryIDs", default)]
    pub(super) advisory_ids: Vec<String>,
}

/// The least SVN of every component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Tcb {
    #[serde(rename = "sgxtcbcomponents")]
    pub(super) sgx: [Component; 16],
    #[serde(rename = "pcesvn")]
    pub(super) pce_svn: u16,
    #[serde(rename = "tdxtcbcomponents")]
    pub(super) tdx: [Component; 16],
}

/// One component.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Component {
    pub(super) svn: u8,
    #[serde(default)]
    category: Option<String>,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl TcbInfo {
    /// Parses `tcbInfo`; another version or kind, a level without its 16 components and a doubled field are refused.
    pub(super) fn parse(json: &[u8]) -> Result<Self, TdxError> {
        let wrong = |reason: &str| Err(TdxError::TcbInfoFormat(reason.to_owned()));
        if json.len() > MAX_BYTES {
            return wrong("too long");
        }
        let mut info: Self = serde_json::from_slice(json)
            .map_err(|error| TdxError::TcbInfoFormat(json::reason(&error)))?;
        if (info.id.as_str(), info.version, info.tcb_type) != ("TDX", 3, 0) {
            return wrong("not TCB info version 3 of TDX with TCB type 0");
        }
        if info.levels.is_empty() || info.has_unusable_module() {
            return wrong("no levels, or two identities of one module version");
        }
        info.levels
            .sort_by_key(|level| std::cmp::Reverse(level.tcb.rank()));
        Ok(info)
    }

    /// issueDate to nextUpdate.
    pub(super) const fn window(&self) -> Window {
        Window {
            not_before: self.issue_date,
            not_after: self.next_update,
        }
    }

    /// The identity of modules of `version`.
    pub(super) fn module(&self, version: u8) -> Option<&ModuleIdentity> {
        let mut identities = self.tdx_module_identities.iter();
        identities.find(|identity| identity.version == version)
    }

    fn has_unusable_module(&self) -> bool {
        let mut versions: Vec<u8> = self
            .tdx_module_identities
            .iter()
            .map(|identity| identity.version)
            .collect();
        versions.sort_unstable();
        let is_doubled = versions.windows(2).any(|pair| pair.first() == pair.last());
        let mut identities = self.tdx_module_identities.iter();
        is_doubled || identities.any(|identity| identity.levels.is_empty())
    }
}

impl Tcb {
    /// The order in which Intel's QVL tries levels.
    fn rank(&self) -> ([u8; 16], u16, [u8; 16]) {
        let svns = |components: &[Component; 16]| components.each_ref().map(|one| one.svn);
        (svns(&self.sgx), self.pce_svn, svns(&self.tdx))
    }
}

impl Component {
    /// What Intel calls it; empty if it has no name.
    pub(super) fn name(&self) -> &str {
        let name = self.kind.as_deref().or(self.category.as_deref());
        name.unwrap_or_default()
    }
}
