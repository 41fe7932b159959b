//! Identity of the TD quoting enclave, as Intel's API for Trusted Services writes it (`GET /tdx/certification/v4/qe/identity`).

use super::{ModuleTcbLevel, TcbStatus};
use attestation::UnixTime;
use serde::Serialize;

/// A level of the quoting enclave has the members of a module's.
pub type QeTcbLevel = ModuleTcbLevel;

/// MRSIGNER of the invented quoting enclave.
pub(super) const QE_MRSIGNER: [u8; 32] = [0xDC; 32];
/// ISVPRODID of the TD quoting enclave.
pub(super) const QE_ISVPRODID: u16 = 2;
/// ISVSVN of a current quoting enclave.
pub(super) const QE_ISVSVN: u16 = 4;

/// `enclaveIdentity`; what is serialized is what is signed. Bytes are hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QeIdentity {
    /// `TD_QE`.
    pub id: String,
    /// 2.
    pub version: u32,
    /// RFC 3339.
    pub issue_date: String,
    /// RFC 3339.
    pub next_update: String,
    /// Rises with every TCB recovery.
    pub tcb_evaluation_data_number: u32,
    /// MISCSELECT under the mask, 4 bytes.
    pub miscselect: String,
    /// Bits of MISCSELECT that count.
    pub miscselect_mask: String,
    /// ATTRIBUTES under the mask, 16 bytes.
    pub attributes: String,
    /// Bits of ATTRIBUTES that count.
    pub attributes_mask: String,
    /// MRSIGNER, 32 bytes.
    pub mrsigner: String,
    /// ISVPRODID.
    pub isvprodid: u16,
    /// Newest first.
    pub tcb_levels: Vec<QeTcbLevel>,
}

impl QeIdentity {
    pub(super) fn well_kept([issue_date, next_update]: [UnixTime; 2]) -> Self {
        Self {
            id: "TD_QE".to_owned(),
            version: 2,
            issue_date: issue_date.to_rfc3339(),
            next_update: next_update.to_rfc3339(),
            tcb_evaluation_data_number: 20,
            miscselect: "00000000".to_owned(),
            miscselect_mask: "FFFFFFFF".to_owned(),
            attributes: "11000000000000000000000000000000".to_owned(),
            attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000".to_owned(),
            mrsigner: hex::encode_upper(QE_MRSIGNER),
            isvprodid: QE_ISVPRODID,
            tcb_levels: vec![
                QeTcbLevel::new(QE_ISVSVN, TcbStatus::UpToDate),
                QeTcbLevel::new(2, TcbStatus::OutOfDate),
            ],
        }
    }
}
