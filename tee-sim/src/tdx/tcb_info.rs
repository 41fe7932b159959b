//! TCB info v3 for TDX, as Intel's API for Trusted Services writes it (`GET /tdx/certification/v4/tcb`).

use attestation::UnixTime;
use serde::Serialize;

/// `tcbInfo`; what is serialized is what is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcbInfo {
    /// `TDX`.
    pub id: String,
    /// 3.
    pub version: u32,
    /// RFC 3339.
    pub issue_date: String,
    /// RFC 3339.
    pub next_update: String,
    /// 6 bytes in hexadecimal.
    pub fmspc: String,
    /// 2 bytes in hexadecimal.
    pub pce_id: String,
    /// 0: SVNs are compared one by one.
    pub tcb_type: u32,
    /// Rises with every TCB recovery.
    pub tcb_evaluation_data_number: u32,
    /// What the TDX module must be, where no identity says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tdx_module: Option<TdxModule>,
    /// What a TDX module of each version must be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tdx_module_identities: Vec<ModuleIdentity>,
    /// Newest first.
    pub tcb_levels: Vec<TcbLevel>,
}

/// `tdxModule`, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TdxModule {
    /// MRSIGNERSEAM; Intel's own is zero.
    pub mrsigner: String,
    /// SEAMATTRIBUTES under the mask.
    pub attributes: String,
    /// Bits of SEAMATTRIBUTES that count.
    pub attributes_mask: String,
}

/// One of `tdxModuleIdentities`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleIdentity {
    /// `TDX_` and the module's version, TEE_TCB_SVN\[1\], in hexadecimal.
    pub id: String,
    /// As in `tdxModule`.
    #[serde(flatten)]
    pub module: TdxModule,
    /// Newest first.
    pub tcb_levels: Vec<ModuleTcbLevel>,
}

/// How current a status calls a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "Intel's own words")]
pub enum TcbStatus {
    UpToDate,
    SWHardeningNeeded,
    ConfigurationNeeded,
    ConfigurationAndSWHardeningNeeded,
    OutOfDate,
    OutOfDateConfigurationNeeded,
    Revoked,
}

/// A level of a module or of the quoting enclave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleTcbLevel {
    /// The least ISVSVN.
    pub tcb: IsvSvn,
    /// RFC 3339.
    pub tcb_date: String,
    /// Its status.
    pub tcb_status: TcbStatus,
    /// Advisories that a component of this level is exposed to.
    #[serde(rename = "advisoryIDs", skip_serializing_if = "Vec::is_empty")]
    pub advisory_ids: Vec<String>,
}

/// `tcb` of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IsvSvn {
    /// ISVSVN.
    pub isvsvn: u16,
}

/// One of `tcbLevels`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcbLevel {
    /// The least SVNs.
    pub tcb: Svns,
    /// RFC 3339.
    pub tcb_date: String,
    /// Its status.
    pub tcb_status: TcbStatus,
    /// Advisories that a platform of this level is exposed to.
    #[serde(rename = "advisoryIDs", skip_serializing_if = "Vec::is_empty")]
    pub advisory_ids: Vec<String>,
}

/// `tcb` of a platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Svns {
    /// Least CPUSVN, component-wise; sixteen.
    pub sgxtcbcomponents: Vec<Svn>,
    /// Least PCESVN.
    pub pcesvn: u16,
    /// Least TEE_TCB_SVN, component-wise; sixteen.
    pub tdxtcbcomponents: Vec<Svn>,
}

/// One component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Svn {
    /// Its least SVN.
    pub svn: u8,
}

impl TcbInfo {
    /// Two levels of the platform and two of a module of version 1, valid in `window`.
    pub(super) fn well_kept([issue_date, next_update]: [UnixTime; 2]) -> Self {
        let module = TdxModule {
            mrsigner: "00".repeat(48),
            attributes: "00".repeat(8),
            attributes_mask: "FF".repeat(8),
        };
        Self {
            id: "TDX".to_owned(),
            version: 3,
            issue_date: issue_date.to_rfc3339(),
            next_update: next_update.to_rfc3339(),
            fmspc: "90C06F000000".to_owned(),
            pce_id: "0000".to_owned(),
            tcb_type: 0,
            tcb_evaluation_data_number: 20,
            tdx_module: Some(module.clone()),
            tdx_module_identities: vec![ModuleIdentity {
                id: "TDX_01".to_owned(),
                module,
                tcb_levels: vec![
                    ModuleTcbLevel::new(7, TcbStatus::UpToDate),
                    ModuleTcbLevel::new(4, TcbStatus::OutOfDate),
                ],
            }],
            tcb_levels: vec![
                TcbLevel::new([4, 4, 2, 2, 4, 1, 0, 5], 13, TcbStatus::UpToDate),
                TcbLevel::new([3, 3, 2, 2, 3, 1, 0, 5], 5, TcbStatus::OutOfDate),
            ],
        }
    }
}

impl ModuleTcbLevel {
    /// A level from `isvsvn` on.
    #[must_use]
    pub fn new(isvsvn: u16, tcb_status: TcbStatus) -> Self {
        let (tcb_date, advisory_ids) = history(tcb_status);
        Self {
            tcb: IsvSvn { isvsvn },
            tcb_date,
            tcb_status,
            advisory_ids,
        }
    }
}

impl TcbLevel {
    /// A level from these SVNs on, with TEE_TCB_SVN 5, 0, 4: of a module without an identity, its version, microcode.
    #[must_use]
    pub fn new(cpu_svn: [u8; 8], pcesvn: u16, tcb_status: TcbStatus) -> Self {
        let (tcb_date, advisory_ids) = history(tcb_status);
        Self {
            tcb: Svns {
                sgxtcbcomponents: sixteen(&cpu_svn),
                pcesvn,
                tdxtcbcomponents: sixteen(&[5, 0, 4]),
            },
            tcb_date,
            tcb_status,
            advisory_ids,
        }
    }
}

/// Date and advisories that fit a status.
fn history(status: TcbStatus) -> (String, Vec<String>) {
    match status {
        TcbStatus::UpToDate => ("2025-08-13T00:00:00Z".to_owned(), Vec::new()),
        _ => (
            "2024-03-13T00:00:00Z".to_owned(),
            vec!["INTEL-SA-00000".to_owned()],
        ),
    }
}

fn sixteen(svns: &[u8]) -> Vec<Svn> {
    let zeros = std::iter::repeat(&0);
    let svns = svns.iter().chain(zeros).take(16);
    svns.map(|svn| Svn { svn: *svn }).collect()
}
