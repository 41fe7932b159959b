//! Choice of the certificate of the key that signed a report: the host's table first, the operator's file if the host hands out none.

use super::{CertTable, cert_table::is_one_der_sequence, report::VekKind};

/// A VCEK or VLEK certificate that the operator configured, DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VekFile {
    der: Vec<u8>,
}

/// Why there is no certificate; `code()` is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VekError {
    /// The configured file is not one DER certificate.
    #[error("the configured VEK is not exactly one DER certificate")]
    NotDer,
    /// The report says that no key signed it.
    #[error("the report is not signed by a VCEK or VLEK")]
    Unsigned,
    /// Neither the host nor the operator gave the certificate.
    #[error(
        "the host handed out no certificate for the report's key: fetch it from AMD's key distribution service and name it as evidence.vek"
    )]
    Absent,
}

impl VekError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotDer => "vek.not_der",
            Self::Unsigned => "vek.unsigned",
            Self::Absent => "vek.absent",
        }
    }
}

impl VekFile {
    /// Takes a file's bytes.
    pub fn from_der(der: Vec<u8>) -> Result<Self, VekError> {
        if is_one_der_sequence(&der) {
            Ok(Self { der })
        } else {
            Err(VekError::NotDer)
        }
    }
}

/// The certificate for a report signed by a key of `kind`.
pub(crate) fn choose(
    kind: Option<VekKind>,
    table: &CertTable,
    file: Option<&VekFile>,
) -> Result<Vec<u8>, VekError> {
    let offered = match kind.ok_or(VekError::Unsigned)? {
        VekKind::Vcek => &table.vcek,
        VekKind::Vlek => &table.vlek,
    };
    let configured = || file.map(|file| file.der.clone());
    offered.clone().or_else(configured).ok_or(VekError::Absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(fill: u8) -> Vec<u8> {
        [vec![0x30, 0x82, 0x01, 0x00], vec![fill; 256]].concat()
    }

    #[test]
    fn prefers_the_hosts_certificate_of_the_right_kind() {
        let file = VekFile::from_der(der(9)).unwrap();
        let table = CertTable {
            vcek: Some(der(1)),
            vlek: None,
            ask: None,
        };
        let chosen = |kind| choose(Some(kind), &table, Some(&file)).unwrap();
        assert_eq!(chosen(VekKind::Vcek), der(1));
        assert_eq!(chosen(VekKind::Vlek), der(9));
    }

    #[test]
    fn refuses_without_certificate() {
        let table = CertTable::default();
        assert_eq!(
            choose(Some(VekKind::Vcek), &table, None),
            Err(VekError::Absent)
        );
        assert_eq!(choose(None, &table, None), Err(VekError::Unsigned));
        assert_eq!(VekFile::from_der(vec![0x30]), Err(VekError::NotDer));
    }
}
