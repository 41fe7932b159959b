//! What a PCK certificate says of its platform (Intel SGX PCK Certificate and CRL Profile Specification, section 1.3.5).

use super::SGX_EXTENSIONS;
use crate::{
    der::{boolean, enumerated, integer, object_identifier, octet_string, sequence},
    x509::Extension,
};

/// The SGX extensions of a certificate under the PCK Platform CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SgxExtensions {
    /// PPID.
    pub ppid: [u8; 16],
    /// TCB components 1 to 16; CPUSVN repeats them.
    pub cpu_svn: [u8; 16],
    /// PCESVN.
    pub pce_svn: u16,
    /// PCE-ID.
    pub pce_id: [u8; 2],
    /// FMSPC.
    pub fmspc: Vec<u8>,
    /// SGX Type: 0 standard, 1 scalable, 2 scalable with integrity.
    pub sgx_type: u8,
    /// Platform Instance ID.
    pub platform_instance_id: [u8; 16],
    /// Configuration: dynamic platform, cached keys, SMT enabled; `00h` or `FFh` each.
    pub configuration: [u8; 3],
    /// Last arcs of members to leave out, e.g. 4 for FMSPC.
    pub omitted: Vec<u32>,
}

impl SgxExtensions {
    /// Of a well-kept platform.
    pub(super) fn well_kept() -> Self {
        Self {
            ppid: [0x91; 16],
            cpu_svn: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
            pce_svn: 13,
            pce_id: [0, 0],
            fmspc: vec![0x90, 0xC0, 0x6F, 0, 0, 0],
            sgx_type: 1,
            platform_instance_id: [0x77; 16],
            configuration: [0xFF, 0, 0xFF],
            omitted: Vec::new(),
        }
    }

    pub(super) fn to_extension(&self) -> Extension {
        let mut members = vec![
            (1, octet_string(&self.ppid)),
            (2, self.tcb()),
            (3, octet_string(&self.pce_id)),
            (4, octet_string(&self.fmspc)),
            (5, enumerated(self.sgx_type)),
            (6, octet_string(&self.platform_instance_id)),
            (7, self.configuration()),
        ];
        members.retain(|(arc, _)| !self.omitted.contains(arc));
        let members = members.into_iter().map(|(arc, value)| named(&[arc], value));
        Extension::new(SGX_EXTENSIONS, sequence(&members.collect::<Vec<_>>()))
    }

    fn tcb(&self) -> Vec<u8> {
        let components = (1..).zip(self.cpu_svn);
        let mut members: Vec<_> = components
            .map(|(arc, svn)| named(&[2, arc], integer(svn.into())))
            .collect();
        members.push(named(&[2, 17], integer(self.pce_svn.into())));
        members.push(named(&[2, 18], octet_string(&self.cpu_svn)));
        sequence(&members)
    }

    fn configuration(&self) -> Vec<u8> {
        let flags = (1..).zip(self.configuration);
        let members = flags.map(|(arc, octet)| named(&[7, arc], boolean(octet)));
        sequence(&members.collect::<Vec<_>>())
    }
}

fn named(arcs: &[u32], value: Vec<u8>) -> Vec<u8> {
    let oid = object_identifier(&[SGX_EXTENSIONS, arcs].concat());
    sequence(&[oid, value])
}
