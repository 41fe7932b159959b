//! The body of a TD quote: what the TDX module reported of the TD (quote v4 section 3.2, v5 sections 3.2 to 3.4).

use super::TdAttributes;
use crate::cursor::Cursor;

/// A TD report body. Field names are those of TDREPORT_STRUCT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport {
    /// TEE_TCB_SVN: [0] TDX module SVN, [1] TDX module version, [2] late microcode.
    pub tee_tcb_svn: [u8; 16],
    /// MRSEAM, the TDX module's measurement.
    pub mr_seam: [u8; 48],
    /// MRSIGNERSEAM, zero for Intel's own modules.
    pub mr_signer_seam: [u8; 48],
    /// SEAMATTRIBUTES.
    pub seam_attributes: [u8; 8],
    /// ATTRIBUTES.
    pub attributes: TdAttributes,
    /// XFAM, raw bits.
    pub xfam: u64,
    /// MRTD, the TD's initial contents.
    pub mr_td: [u8; 48],
    /// MRCONFIGID.
    pub mr_config_id: [u8; 48],
    /// MROWNER.
    pub mr_owner: [u8; 48],
    /// MROWNERCONFIG.
    pub mr_owner_config: [u8; 48],
    /// RTMR0 to RTMR3.
    pub rtmrs: [[u8; 48]; 4],
    /// REPORTDATA.
    pub report_data: [u8; 64],
    /// What TD 1.5 adds.
    pub v15: Option<TdReport15>,
    /// What TD 1.5ex adds.
    pub v15ex: Option<TdReport15Ex>,
}

/// What a body of TD 1.5 adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport15 {
    /// TEE_TCB_SVN2: the TDX module that runs now; TEE_TCB_SVN is the one that launched the TD.
    pub tee_tcb_svn2: [u8; 16],
    /// MRSERVICETD, hash of the service TDs bound; zero if there are none.
    pub mr_service_td: [u8; 48],
}

/// What a body of TD 1.5ex adds. Signed, and not appraised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport15Ex {
    /// VM index: 0 for an unpartitioned TD or the L1 VMM.
    pub vm_id: u8,
    /// TD_ID, another for every launch.
    pub td_id: [u8; 32],
    /// Hash of the device information.
    pub dev_info: [u8; 48],
    /// SERVTD_HASH at the TD's creation.
    pub init_service_td_hash: [u8; 48],
    /// Attributes of the service TD bound at creation.
    pub init_service_td_attributes: u64,
    /// CPUSVN at creation.
    pub init_cpu_svn: [u8; 16],
    /// TEE_TCB_SVN at creation.
    pub init_tee_tcb_svn: [u8; 16],
    /// Model of the platform at creation.
    pub init_tee_fmspc: [u8; 12],
    /// SERVTD_HASH now.
    pub cur_service_td_hash: [u8; 48],
    /// Attributes of the service TD bound now.
    pub cur_service_td_attributes: u64,
}

/// Which of the three bodies, by the type that quote v5 gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyType {
    /// TD 1.0, 584 bytes.
    Td10,
    /// TD 1.5, 648 bytes.
    Td15,
    /// TD 1.5ex, 885 bytes.
    Td15Ex,
}

impl BodyType {
    pub(super) const fn from_code(code: u16) -> Option<Self> {
        match code {
            2 => Some(Self::Td10),
            3 => Some(Self::Td15),
            4 => Some(Self::Td15Ex),
            _ => None,
        }
    }

    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Td10 => 584,
            Self::Td15 => 648,
            Self::Td15Ex => 885,
        }
    }
}

impl TdReport {
    /// Reads a body; `None` unless `body` has exactly the bytes of its type.
    pub(super) fn parse(kind: BodyType, body: &[u8]) -> Option<Self> {
        let mut reader = Cursor::new(body);
        let mut report = Self::td10(&mut reader)?;
        if kind != BodyType::Td10 {
            report.v15 = Some(TdReport15::parse(&mut reader)?);
        }
        if kind == BodyType::Td15Ex {
            report.v15ex = Some(TdReport15Ex::parse(&mut reader)?);
        }
        reader.is_empty().then_some(report)
    }

    fn td10(reader: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            tee_tcb_svn: reader.array()?,
            mr_seam: reader.array()?,
            mr_signer_seam: reader.array()?,
            seam_attributes: reader.array()?,
            attributes: TdAttributes(reader.u64_le()?),
            xfam: reader.u64_le()?,
            mr_td: reader.array()?,
            mr_config_id: reader.array()?,
            mr_owner: reader.array()?,
            mr_owner_config: reader.array()?,
            rtmrs: [
                reader.array()?,
                reader.array()?,
                reader.array()?,
                reader.array()?,
            ],
            report_data: reader.array()?,
            v15: None,
            v15ex: None,
        })
    }

    /// Which of the three bodies it is.
    #[must_use]
    pub const fn body_name(&self) -> &'static str {
        match (&self.v15, &self.v15ex) {
            (None, _) => "TD 1.0",
            (Some(_), None) => "TD 1.5",
            (Some(_), Some(_)) => "TD 1.5ex",
        }
    }

    /// MRSERVICETD, where the body has it and it is not zero.
    #[must_use]
    pub fn service_td(&self) -> Option<&[u8; 48]> {
        let bound = self.v15.as_ref().map(|v15| &v15.mr_service_td);
        bound.filter(|hash| **hash != [0; 48])
    }
}

impl TdReport15 {
    fn parse(reader: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            tee_tcb_svn2: reader.array()?,
            mr_service_td: reader.array()?,
        })
    }
}

impl TdReport15Ex {
    fn parse(reader: &mut Cursor<'_>) -> Option<Self> {
        let vm_id = reader.u8()?;
        Some(Self {
            vm_id,
            td_id: reader.array()?,
            dev_info: reader.array()?,
            init_service_td_hash: reader.array()?,
            init_service_td_attributes: reader.u64_le()?,
            init_cpu_svn: reader.array()?,
            init_tee_tcb_svn: reader.array()?,
            init_tee_fmspc: reader.array()?,
            cur_service_td_hash: reader.array()?,
            cur_service_td_attributes: reader.u64_le()?,
        })
    }
}
