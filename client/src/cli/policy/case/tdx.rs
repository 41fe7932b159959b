//! `[claims.tdx]`: a TDX quote as a case writes it.

use super::{claims::optional_time, hex_bytes::HexBytes, snp::flags};
use attestation::{
    UnixTime,
    tdx::{
        PckCa, PlatformClaims, TcbClaims, TcbStatus, TdAttributes, TdReport, TdReport15, TdxClaims,
    },
};
use policy::tdx::TdAttributeBit;
use serde::{Deserialize, Deserializer};

/// ATTRIBUTES: bit 0 allows debugging.
const DEBUG: u64 = 1;

/// The claims that rules look at; the rest is as a sound quote has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TdxForm {
    mrtd: HexBytes<48>,
    /// Names the processor package.
    ppid: HexBytes<16>,
    #[serde(default = "status")]
    status: TcbStatus,
    /// tcbDate of the oldest level; `at` if absent.
    #[serde(default, deserialize_with = "optional_time")]
    tcb_date: Option<UnixTime>,
    #[serde(default, deserialize_with = "optional_time")]
    out_of_date_since: Option<UnixTime>,
    /// issueDate of the older collateral; `at` if absent.
    #[serde(default, deserialize_with = "optional_time")]
    collateral_issued: Option<UnixTime>,
    #[serde(default)]
    advisory_ids: Vec<String>,
    #[serde(default = "evaluation_number")]
    evaluation_number: u32,
    #[serde(default)]
    rtmrs: [HexBytes<48>; 4],
    #[serde(default)]
    mrconfigid: HexBytes<48>,
    #[serde(default)]
    mrowner: HexBytes<48>,
    #[serde(default)]
    mrownerconfig: HexBytes<48>,
    #[serde(default)]
    mrseam: HexBytes<48>,
    #[serde(default)]
    mrsignerseam: HexBytes<48>,
    #[serde(default)]
    seam_attributes: HexBytes<8>,
    #[serde(default)]
    tee_tcb_svn: HexBytes<16>,
    #[serde(default)]
    xfam: u64,
    /// Flags of ATTRIBUTES that are set.
    #[serde(default, deserialize_with = "attributes")]
    attributes: u64,
    #[serde(default)]
    debug: bool,
    /// MRSERVICETD; absent: no service TD.
    #[serde(default)]
    mrservicetd: HexBytes<48>,
}

const fn status() -> TcbStatus {
    TcbStatus::UpToDate
}

const fn evaluation_number() -> u32 {
    20
}

fn attributes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let known: Vec<_> = TdAttributeBit::ALL
        .iter()
        .map(|bit| (bit.name(), bit.mask()))
        .collect();
    flags(&known, deserializer)
}

impl TdxForm {
    pub(super) fn claims(&self, at: UnixTime, not_after: UnixTime) -> TdxClaims {
        TdxClaims {
            version: 5,
            td: self.report(),
            user_data: [0; 20],
            platform: self.platform(),
            tcb: self.tcb(at),
            events: None,
            collateral_issued: self.collateral_issued.unwrap_or(at),
            not_after,
        }
    }

    fn report(&self) -> TdReport {
        let debug = if self.debug { DEBUG } else { 0 };
        TdReport {
            tee_tcb_svn: self.tee_tcb_svn.0,
            mr_seam: self.mrseam.0,
            mr_signer_seam: self.mrsignerseam.0,
            seam_attributes: self.seam_attributes.0,
            attributes: TdAttributes(self.attributes | debug),
            xfam: self.xfam,
            mr_td: self.mrtd.0,
            mr_config_id: self.mrconfigid.0,
            mr_owner: self.mrowner.0,
            mr_owner_config: self.mrownerconfig.0,
            rtmrs: self.rtmrs.map(|rtmr| rtmr.0),
            report_data: [0; 64],
            v15: Some(TdReport15 {
                tee_tcb_svn2: self.tee_tcb_svn.0,
                mr_service_td: self.mrservicetd.0,
            }),
            v15ex: None,
        }
    }

    const fn platform(&self) -> PlatformClaims {
        PlatformClaims {
            ca: PckCa::Platform,
            ppid: self.ppid.0,
            platform_instance_id: None,
            fmspc: [0; 6],
            pce_id: [0; 2],
            components: [0; 16],
            cpu_svn: [0; 16],
            pce_svn: 0,
            sgx_type: 1,
            dynamic_platform: None,
            cached_keys: None,
            smt_enabled: None,
        }
    }

    fn tcb(&self, at: UnixTime) -> TcbClaims {
        TcbClaims {
            status: self.status,
            platform_status: self.status,
            module_status: Some(self.status),
            current_status: None,
            qe_status: TcbStatus::UpToDate,
            date: self.tcb_date.unwrap_or(at),
            out_of_date_since: self.out_of_date_since,
            advisory_ids: self.advisory_ids.clone(),
            evaluation_data_number: self.evaluation_number,
            qe_evaluation_data_number: self.evaluation_number,
            components: Vec::new(),
        }
    }
}
