//! The part of a quote that the TDX module reports (Intel TDX DCAP Quoting Library API, appendix A.3), every field settable.

/// Which layout a quote has.
#[expect(
    clippy::large_enum_variant,
    reason = "a test has a few of them, and the extension is hardly the larger part"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// TD report of TDX 1.0, 584 bytes: body type 2, and the only one of quote version 4.
    Td10(TdReport),
    /// TD report of TDX 1.5, 648 bytes: body type 3.
    Td15(TdReport, TdReport15),
    /// TD report of TDX 1.5 with its extension, 885 bytes: body type 4.
    Td15Ex(TdReport, TdReport15, TdReport15Ex),
}

/// The fields that all have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport {
    /// TEE_TCB_SVN: ISVSVN of the TDX module, its version, microcode, zeros.
    pub tee_tcb_svn: [u8; 16],
    /// MRSEAM.
    pub mr_seam: [u8; 48],
    /// MRSIGNERSEAM.
    pub mr_signer_seam: [u8; 48],
    /// SEAMATTRIBUTES.
    pub seam_attributes: [u8; 8],
    /// TDATTRIBUTES, little-endian.
    pub td_attributes: u64,
    /// XFAM, little-endian.
    pub xfam: u64,
    /// MRTD.
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
}

/// What TDX 1.5 adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport15 {
    /// TEE_TCB_SVN2: of the module that runs now.
    pub tee_tcb_svn2: [u8; 16],
    /// MRSERVICETD.
    pub mr_service_td: [u8; 48],
}

/// What the extension of TDX 1.5 adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdReport15Ex {
    /// VMID.
    pub vm_id: u8,
    /// TDID.
    pub td_id: [u8; 32],
    /// DEVINFO.
    pub dev_info: [u8; 48],
    /// INITSERVICETDHASH, INITSERVICETDATTRIBUTES.
    pub init_service_td: ([u8; 48], [u8; 8]),
    /// INITCPUSVN.
    pub init_cpu_svn: [u8; 16],
    /// INITTEETCBSVN.
    pub init_tee_tcb_svn: [u8; 16],
    /// INITTEEFMSPC.
    pub init_tee_fmspc: [u8; 12],
    /// CURSERVICETDHASH, CURSERVICETDATTRIBUTES.
    pub current_service_td: ([u8; 48], [u8; 8]),
}

impl Body {
    /// Of a TD under a current module of version 1, TDX 1.5.
    #[must_use]
    pub fn td15() -> Self {
        let report = TdReport::well_kept([7, 1, 4]);
        let more = TdReport15 {
            tee_tcb_svn2: report.tee_tcb_svn,
            mr_service_td: [0; 48],
        };
        Self::Td15(report, more)
    }

    /// Of a TD under a current module without versions, TDX 1.0.
    #[must_use]
    pub fn td10() -> Self {
        Self::Td10(TdReport::well_kept([5, 0, 4]))
    }

    /// Of a TD under a current module of version 1, TDX 1.5 with its extension.
    #[must_use]
    pub fn td15_ex() -> Self {
        let report = TdReport::well_kept([7, 1, 4]);
        let more = TdReport15 {
            tee_tcb_svn2: report.tee_tcb_svn,
            mr_service_td: [0; 48],
        };
        let extension = TdReport15Ex {
            vm_id: 0,
            td_id: [0x1D; 32],
            dev_info: [0; 48],
            init_service_td: ([0; 48], [0; 8]),
            init_cpu_svn: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
            init_tee_tcb_svn: report.tee_tcb_svn,
            init_tee_fmspc: [0x90, 0xC0, 0x6F, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            current_service_td: ([0; 48], [0; 8]),
        };
        Self::Td15Ex(report, more, extension)
    }

    /// The fields that all layouts have.
    pub const fn report_mut(&mut self) -> &mut TdReport {
        match self {
            Self::Td10(report) | Self::Td15(report, _) | Self::Td15Ex(report, ..) => report,
        }
    }

    /// What TDX 1.5 adds, if it does.
    pub const fn td15_mut(&mut self) -> Option<&mut TdReport15> {
        match self {
            Self::Td10(_) => None,
            Self::Td15(_, more) | Self::Td15Ex(_, more, _) => Some(more),
        }
    }

    /// `body type` of a quote of version 5.
    #[must_use]
    pub const fn kind(&self) -> u16 {
        match self {
            Self::Td10(_) => 2,
            Self::Td15(..) => 3,
            Self::Td15Ex(..) => 4,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Td10(report) => report.to_bytes(),
            Self::Td15(report, more) => [report.to_bytes(), more.to_bytes()].concat(),
            Self::Td15Ex(report, more, extension) => {
                [report.to_bytes(), more.to_bytes(), extension.to_bytes()].concat()
            }
        }
    }
}

/// Bit 28 of TDATTRIBUTES.
const SEPT_VE_DISABLE: u64 = 1 << 28;

impl TdReport {
    fn well_kept([isvsvn, version, microcode]: [u8; 3]) -> Self {
        let mut tee_tcb_svn = [0; 16];
        let svns = tee_tcb_svn.iter_mut().zip([isvsvn, version, microcode]);
        svns.for_each(|(to, svn)| *to = svn);
        Self {
            tee_tcb_svn,
            mr_seam: [0x5E; 48],
            mr_signer_seam: [0; 48],
            seam_attributes: [0; 8],
            td_attributes: SEPT_VE_DISABLE,
            xfam: 0x6_02E7,
            mr_td: [0x7D; 48],
            mr_config_id: [0; 48],
            mr_owner: [0; 48],
            mr_owner_config: [0; 48],
            rtmrs: [[0; 48]; 4],
            report_data: [0; 64],
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        [
            &self.tee_tcb_svn[..],
            &self.mr_seam,
            &self.mr_signer_seam,
            &self.seam_attributes,
            &self.td_attributes.to_le_bytes(),
            &self.xfam.to_le_bytes(),
            &self.mr_td,
            &self.mr_config_id,
            &self.mr_owner,
            &self.mr_owner_config,
            self.rtmrs.as_flattened(),
            &self.report_data,
        ]
        .concat()
    }
}

impl TdReport15 {
    fn to_bytes(&self) -> Vec<u8> {
        [&self.tee_tcb_svn2[..], &self.mr_service_td].concat()
    }
}

impl TdReport15Ex {
    fn to_bytes(&self) -> Vec<u8> {
        [
            &[self.vm_id][..],
            &self.td_id,
            &self.dev_info,
            &self.init_service_td.0,
            &self.init_service_td.1,
            &self.init_cpu_svn,
            &self.init_tee_tcb_svn,
            &self.init_tee_fmspc,
            &self.current_service_td.0,
            &self.current_service_td.1,
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::Body;

    #[test]
    fn layouts_have_the_length_of_the_specification() {
        assert_eq!(Body::td10().to_bytes().len(), 584);
        assert_eq!(Body::td15().to_bytes().len(), 648);
        assert_eq!(Body::td15_ex().to_bytes().len(), 885);
    }
}
