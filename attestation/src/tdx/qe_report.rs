//! The quoting enclave's report (SGX REPORT body, Intel SDM volume 3D, table 38-24; 384 bytes).

use crate::cursor::Cursor;

/// The fields that an identity is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QeReport {
    pub(super) misc_select: [u8; 4],
    pub(super) attributes: [u8; 16],
    pub(super) mr_signer: [u8; 32],
    pub(super) isv_prod_id: u16,
    pub(super) isv_svn: u16,
    pub(super) report_data: [u8; 64],
}

impl QeReport {
    /// Reads the 384 bytes: CPUSVN, MISCSELECT, 28 reserved, ATTRIBUTES, MRENCLAVE, 32 reserved, MRSIGNER, 96 reserved, ISVPRODID, ISVSVN, 60 reserved, REPORTDATA.
    pub(super) fn parse(bytes: &[u8; 384]) -> Option<Self> {
        let mut reader = Cursor::new(bytes);
        let _cpu_svn = reader.bytes(16)?;
        let misc_select = reader.array()?;
        reader.bytes(28)?;
        let attributes = reader.array()?;
        let _mr_enclave = reader.bytes(32)?;
        reader.bytes(32)?;
        let mr_signer = reader.array()?;
        reader.bytes(96)?;
        let isv_prod_id = reader.u16_le()?;
        let isv_svn = reader.u16_le()?;
        reader.bytes(60)?;
        let report_data = reader.array()?;
        Some(Self {
            misc_select,
            attributes,
            mr_signer,
            isv_prod_id,
            isv_svn,
            report_data,
        })
    }
}
